"""Vectors as files: ``vectors.json`` and DER files. docs/vectors.md describes the format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from smki.clock import iso
from smki.problem import NotReady, Problem
from smki.profile.designation import designation_of
from smki.profile.tables import TEST_POLICY_OID
from smki.testing.defects.case import TRUSTED, Case

FORMAT = 1
MANIFEST = "vectors.json"
_FOLDER = "der"


def as_json(case: Case, name_of: dict[bytes, str]) -> dict[str, Any]:
    """A case for programs.

    :param name_of: what to write in place of each certificate and list, for instance the name of its file.
    """
    return {
        "name": case.name,
        "about": case.about,
        "at": iso(case.at),
        "use": case.use or None,
        "policies": [TEST_POLICY_OID],
        "certificate": name_of[case.certificate],
        "trustAnchors": [name_of[data] for data in case.trust_anchors],
        "chain": [name_of[data] for data in case.chain],
        "crls": [name_of[data] for data in case.crls],
        "arls": [name_of[data] for data in case.arls],
        "numbersSeen": case.numbers_seen,
        "suspected": list(case.suspected),
        "expected": {
            "trusted": case.expected == TRUSTED,
            "reason": None if case.expected == TRUSTED else case.expected,
            "clause": case.clause,
        },
    }


def files_of(case: Case) -> Iterator[bytes]:
    """Every certificate and list of a case."""
    yield case.certificate
    for group in (case.trust_anchors, case.chain, case.crls, case.arls):
        yield from group


def write(directory: Path, cases: Iterable[Case], seed: str) -> int:
    """Write the cases into a directory that does not exist yet, or is empty.

    :returns: the number of cases.
    :raises NotReady: when the directory is not empty.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        seen = "something is there"
        raise NotReady(
            Problem(
                code="vectors.occupied",
                subject=str(directory),
                seen=seen,
                expected="no such directory yet, or an empty one",
            )
        )
    (directory / _FOLDER).mkdir(parents=True)
    name_of: dict[bytes, str] = {}
    rows = []
    for case in cases:
        for data in files_of(case):
            if data not in name_of:
                # By their content, because most cases share the good certificates and lists.
                name_of[data] = f"{_FOLDER}/{hashlib.sha256(data).hexdigest()[:16]}.der"
                (directory / name_of[data]).write_bytes(data)
        rows.append(as_json(case, name_of))
    manifest = {
        "format": FORMAT,
        "seed": seed,
        **designation_of(TEST_POLICY_OID, issued_here=True),
        "cases": rows,
    }
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return len(rows)
