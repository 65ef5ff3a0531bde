"""Records of the requests to the Repository's XML services, by audit reference: files for each day, one line per
response.

Lines are JSON objects. Each is written by one call, so that several workers can share a file. Writes are not synced to
disk: reading certificates changes nothing, and the last records before a power failure may be lost.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import re
import secrets
import threading
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from smki.bounds import (
    MAX_TRAIL_DAYS,
    MAX_TRAIL_FILE_BYTES,
    MAX_TRAIL_FILES_A_DAY,
    MAX_TRAIL_LINE_BYTES,
    MAX_TRAIL_VALUE_CHARACTERS,
)
from smki.clock import from_seconds, iso, to_seconds
from smki.problem import Malformed, NotFound, Problem

_log = logging.getLogger("smki.audit-trail")

REFERENCE = re.compile(r"(\d{10,11})-([0-9a-f]{9})")
"""``1234567890-abc123456``: seconds since 1970-01-01T00:00:00Z and nine random digits. Only the form is published; the
meaning of its parts is an assumption."""


_FILE = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})(?:\.(?P<part>[1-9]\d{0,8}))?\.jsonl")
"""``2026-11-21.jsonl``, and ``2026-11-21.2.jsonl`` where it is continued."""


class TrailFile(NamedTuple):
    """One file of the audit trail."""

    path: Path
    day: str
    """ISO 8601."""
    part: int
    """1 for the first file of the day."""
    written: float
    """When it was last written to, in seconds since 1970-01-01T00:00:00Z."""


class AuditTrail:
    """The audit trail of one SMKI. Its size is bounded (:mod:`smki.bounds`): values and records are shortened, a day has
    a number of files of a maximum size, of which the newest are kept, and so are the days that were written to last.

    :param directory: the directory of the files; created with the first line.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._file: tuple[date, int] | None = None
        self._is_failing = False

    def record(self, moment: datetime, values: dict[str, Any]) -> str:
        """Write a line and return its new reference.

        :param moment: the time of the request (UTC).
        :param values: further JSON values to record; no secrets. Long texts are shortened.
        :raises OSError: if it cannot be written.
        """
        reference = f"{to_seconds(moment):010d}-{secrets.token_hex(5)[:9]}"
        line = _encoded({"reference": reference, "at": iso(moment), **values})
        with self._lock:  # another thread may start the file of a new day and close the previous one
            try:
                if os.write(self._descriptor(moment), line) < len(line):
                    self._forget()
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._directory))
            except OSError as error:
                if not self._is_failing:  # not for each of thousands of requests
                    _log.error("cannot write to the audit trail, nor perhaps what follows: %s", error)
                self._is_failing = True
                raise
            self._is_failing = False
        return reference

    def _descriptor(self, moment: datetime) -> int:
        day = moment.date()
        if self._file is not None and self._file[0] == day:
            status = os.fstat(self._file[1])
            if status.st_nlink and status.st_size < MAX_TRAIL_FILE_BYTES:
                return self._file[1]
        descriptor = self._open(day)
        self._forget()
        self._file = day, descriptor
        return descriptor

    def _open(self, day: date) -> int:
        """Open the file to write to, and remove what is then too many."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        latest = max((file.part for file in self.files() if file.day == day.isoformat()), default=1)
        while True:
            # Another process may have filled a file, or begun the next, since they were listed.
            path = self._path(day, latest)
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            size = os.fstat(descriptor).st_size
            if size < MAX_TRAIL_FILE_BYTES:
                break
            os.close(descriptor)
            latest += 1
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.write(descriptor, b"\n")  # the disk was full in the middle of a line
        if not size:
            for path in self.expired():
                path.unlink(missing_ok=True)
        return descriptor

    def _forget(self) -> None:
        if self._file is not None:
            os.close(self._file[1])
            self._file = None

    def _path(self, day: date, part: int) -> Path:
        return self._directory / f"{day.isoformat()}{f'.{part}' if part > 1 else ''}.jsonl"

    def files(self) -> list[TrailFile]:
        """Return the files, the one that was written to last first."""
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self._directory) as entries:
            for entry in entries:
                matched = _FILE.fullmatch(entry.name)
                if matched and entry.is_file(follow_symlinks=False):
                    written = entry.stat(follow_symlinks=False).st_mtime
                    path = self._directory / entry.name
                    found.append(TrailFile(path, matched["day"], int(matched["part"] or 1), written))
        return sorted(found, key=lambda file: (-file.written, file.day, -file.part))

    def expired(self, days: int = MAX_TRAIL_DAYS) -> list[Path]:
        """Return the files that are not kept: all but the newest of each day, and those of other than the last days.

        Days count by when they were written to, not by their date, so that setting the clock forward expires nothing.

        :param days: the number of days that are kept.
        """
        found = self.files()
        kept_days = set(list(dict.fromkeys(file.day for file in found))[:days])
        expired = []
        for file in found:
            newest = max(other.part for other in found if other.day == file.day)
            if file.day not in kept_days or file.part <= newest - MAX_TRAIL_FILES_A_DAY:
                expired.append(file.path)
        return sorted(expired)

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
        day = from_seconds(int(matched[1])).date()
        for file in self.files():
            if file.day != day.isoformat():
                continue
            with file.path.open("rb") as lines:
                for line in lines:
                    if wanted in line and (values := _line(line)).get("reference") == matched.group():
                        return values
        raise NotFound(
            Problem(
                code="audit.unknown",
                subject=f"audit reference {matched.group()}",
                seen=f"not in {self._path(day, 1)}",
                expected="a reference from this Repository",
            )
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._forget()


def _encoded(values: dict[str, Any]) -> bytes:
    """Return the line for some values, with its newline, within the bounds."""
    line = json.dumps(_shortened(values)).encode() + b"\n"
    if len(line) > MAX_TRAIL_LINE_BYTES:
        # Not reached with what the services record. Reference and time are the first two.
        first = dict(list(values.items())[:2])
        line = json.dumps({**first, "omitted": f"{len(line)} bytes"}).encode() + b"\n"
    return line


def _shortened(value: Any) -> Any:
    """Return a JSON value with long texts shortened, and their length."""
    if isinstance(value, str) and len(value) > MAX_TRAIL_VALUE_CHARACTERS:
        return f"{value[:MAX_TRAIL_VALUE_CHARACTERS]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shortened(each) for each in value]
    return value


def _line(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except ValueError:
        return {}  # truncated because the disk was full
    return values if isinstance(values, dict) else {}
