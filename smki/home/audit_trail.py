"""Records of the requests to the Repository's XML services, by audit reference: one file per day, one line per
response.

Lines are JSON objects. Each is written by one call, so that several workers can share a file. Writes are not synced to
disk: reading certificates changes nothing, and the last records before a power failure may be lost.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
from datetime import date, datetime
from pathlib import Path
from typing import Any

from smki.clock import from_seconds, iso, to_seconds
from smki.problem import Malformed, NotFound, Problem

REFERENCE = re.compile(r"(\d{10,11})-([0-9a-f]{9})")
"""``1234567890-abc123456``: seconds since 1970-01-01T00:00:00Z and nine random digits. Only the form is published; the
meaning of its parts is an assumption."""


class AuditTrail:
    """The audit trail of one SMKI.

    :param directory: the directory of the files; created with the first line.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._file: tuple[date, int] | None = None

    def record(self, moment: datetime, values: dict[str, Any]) -> str:
        """Write a line and return its new reference.

        :param moment: the time of the request (UTC).
        :param values: further JSON values to record; no secrets.
        :raises OSError: if it cannot be written.
        """
        reference = f"{to_seconds(moment):010d}-{secrets.token_hex(5)[:9]}"
        line = json.dumps({"reference": reference, "at": iso(moment), **values}) + "\n"
        with self._lock:  # another thread may start the file of a new day and close the previous one
            os.write(self._descriptor(moment), line.encode())
        return reference

    def _descriptor(self, moment: datetime) -> int:
        day = moment.date()
        if self._file is None or self._file[0] != day:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._path(day), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            if self._file is not None:
                os.close(self._file[1])
            self._file = day, descriptor
        return self._file[1]

    def _path(self, day: date) -> Path:
        return self._directory / f"{day.isoformat()}.jsonl"

    def find(self, reference: str) -> dict[str, Any]:
        """Return the line with a reference.

        :raises Malformed: if it is not a reference.
        :raises NotFound: if there is no such line.
        """
        matched = REFERENCE.fullmatch(reference.strip())
        if matched is None:
            raise Malformed(
                Problem(
                    code="audit.reference",
                    subject="audit reference",
                    seen=f"{reference[:64]!r}",
                    expected="one like 1234567890-abc123456",
                )
            )
        wanted = matched.group().encode()
        path = self._path(from_seconds(int(matched[1])).date())
        if path.is_file():
            with path.open("rb") as file:
                for line in file:
                    if wanted in line and (values := _line(line)).get("reference") == matched.group():
                        return values
        raise NotFound(
            Problem(
                code="audit.unknown",
                subject=f"audit reference {matched.group()}",
                seen=f"not in {path}",
                expected="a reference from this Repository",
            )
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                os.close(self._file[1])
                self._file = None


def _line(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except ValueError:
        return {}  # truncated because the disk was full
    return values if isinstance(values, dict) else {}
