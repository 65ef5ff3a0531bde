"""The manifest beside an extract, which describes it."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from smki.clock import iso, parse_moment
from smki.file import replace_file
from smki.interchange.json_text import read_json_object
from smki.problem import IntegrityError, Malformed, NotFound, Problem
from smki.profile.designation import designation_of

FORMAT = 1
EXTRACT_SUFFIX = ".jsonl"
MANIFEST_SUFFIX = ".manifest.json"
NAME = re.compile(r"(?P<number>[0-9]{6,18})-(?P<type>full|delta)-[0-9]{8}T[0-9]{6}Z\Z")

_MAX_MANIFEST_BYTES = 65_536
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class ExtractType(enum.Enum):
    """Whether an extract is full, or contains the changes since the previous one."""

    FULL = "full"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class Contents:
    """The number of certificates, size and digest of a file of lines."""

    certificates: int
    size: int
    """Size of the file in bytes; ``octets`` in the manifest."""
    sha256: str
    """64 lower-case hexadecimal digits."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields of the manifest."""
        return {"certificates": self.certificates, "octets": self.size, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Extract:
    """An extract, as its manifest describes it."""

    path: Path
    """The file with the lines."""
    number: int
    """Extracts of a home are numbered from 1; a delta is based on the extract with the preceding number."""
    type: ExtractType
    since: datetime | None
    """The moment of the extract on which a delta is based; None for a full one."""
    moment: datetime
    """The moment whose state it represents (UTC)."""
    contents: Contents
    added: int
    """The number of new certificates; in a full extract, all of them."""
    changed: int
    """The number of certificates whose status changed."""
    result: Contents
    """The contents of the full extract for that moment: this one, or the result of applying this delta."""
    policy_oid: str = ""
    """The policy of the certificates, dotted; empty in extracts of earlier versions."""

    @property
    def name(self) -> str:
        """Its name, such as ``000007-delta-20261121T080000Z``."""
        return self.path.name.removesuffix(EXTRACT_SUFFIX)

    @property
    def manifest_path(self) -> Path:
        """The path of its manifest."""
        return manifest_path(self.path)

    def as_json(self) -> dict[str, Any]:
        """Return the manifest as a JSON object."""
        return {
            "format": FORMAT,
            "file": self.path.name,
            "number": self.number,
            "type": self.type.value,
            "from": iso(self.since) if self.since else None,
            "to": iso(self.moment),
            **self.contents.as_json(),
            "added": self.added,
            "changed": self.changed,
            "result": self.result.as_json(),
            **(designation_of(self.policy_oid, issued_here=True) if self.policy_oid else {}),
        }

    def write(self) -> None:
        """Write the manifest, which makes the extract valid."""
        replace_file(self.manifest_path, json.dumps(self.as_json(), indent=2).encode() + b"\n")
        self.manifest_path.chmod(0o644)


def manifest_path(path: Path) -> Path:
    """Return the path of an extract's manifest, in the same directory."""
    return path.with_name(path.name.removesuffix(EXTRACT_SUFFIX) + MANIFEST_SUFFIX)


def extract_name(number: int, kind: ExtractType, moment: datetime) -> str:
    """Return the name of an extract. It is numbered because the clock of a home can stand still or be set back."""
    return f"{number:06d}-{kind.value}-{moment:%Y%m%dT%H%M%SZ}"


def read_extract(path: Path) -> Extract:
    """Read an extract's manifest, without verifying the extract against it.

    :param path: the extract's file, or its manifest's.
    :raises NotFound: if either does not exist.
    :raises IntegrityError: if the manifest cannot be read.
    """
    if path.name.endswith(MANIFEST_SUFFIX):
        path = path.with_name(path.name.removesuffix(MANIFEST_SUFFIX) + EXTRACT_SUFFIX)
    manifest = manifest_path(path)
    for file in (path, manifest):
        if not file.is_file():
            raise NotFound(
                Problem(
                    code="extract.missing",
                    subject=str(file),
                    seen="no such file",
                    expected="an extract and its manifest side by side",
                )
            )
    try:
        with manifest.open("rb") as file_object:
            value = read_json_object(file_object.read(_MAX_MANIFEST_BYTES), str(manifest))
        return _extract(path, value)
    except (Malformed, KeyError, TypeError, ValueError) as error:
        seen = error.problems[0].seen if isinstance(error, Malformed) else f"{type(error).__name__}: {error}"
        raise IntegrityError(
            Problem(
                code="extract.manifest",
                subject=str(manifest),
                seen=seen[:200],
                expected="a manifest written by smki extract",
            )
        ) from None


def _extract(path: Path, value: dict[str, Any]) -> Extract:
    if value["format"] != FORMAT or value["file"] != path.name:
        raise ValueError(f"format {value['format']!r} of file {value['file']!r}")
    return Extract(
        path,
        _count(value["number"]),
        ExtractType(value["type"]),
        parse_moment(value["from"]) if value["from"] is not None else None,
        parse_moment(value["to"]),
        _contents(value),
        _count(value["added"]),
        _count(value["changed"]),
        _contents(value["result"]),
        str(value.get("policyOid", "")),
    )


def _contents(value: dict[str, Any]) -> Contents:
    if not _SHA256.match(value["sha256"]):
        raise ValueError("a sha256 that is not 64 hexadecimal digits")
    return Contents(_count(value["certificates"]), _count(value["octets"]), value["sha256"])


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} instead of a number")
    return value
