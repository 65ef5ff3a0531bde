"""The faults that are set, shared by all threads and processes of one server."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smki.problem import NotFound, NotReady, Problem
from smki_repository.faults.fault import Fault

MAX_FAULTS = 1000
"""So many may be set at once: each request looks through them."""

_SCHEMA = """CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY AUTOINCREMENT, fault TEXT NOT NULL, count INTEGER, until REAL, struck INTEGER NOT NULL DEFAULT 0)"""
_STANDING = "(count IS NULL OR struck < count) AND (until IS NULL OR until > ?)"


@dataclass(frozen=True, slots=True)
class SetFault:
    """A fault that was set."""

    id: int
    fault: Fault
    struck: int
    """How many requests it has struck."""
    is_over: bool
    """Whether its count or time is used up. It stays in the list, to be looked at, until it is cleared."""

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        return {"id": self.id} | self.fault.as_json() | {"struck": self.struck, "over": self.is_over}


class Faults:
    """The faults of one Repository. Safe for threads; with a file also for processes.

    Each request is struck by one fault at most: the first, in the order in which they were set, that is for such
    requests and not used up. So two faults with counts follow one another.

    :param path: a file that all processes of the server open; None to keep them in this process.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._waking = threading.Condition()
        self._connection = sqlite3.connect(
            ":memory:" if path is None else path, timeout=10, isolation_level=None, check_same_thread=False
        )
        # Nothing here outlives the server, so that there is nothing to wait for the disk for.
        self._run("PRAGMA synchronous = OFF")
        self._run(_SCHEMA)

    def set(self, fault: Fault) -> SetFault:
        """Set a fault, from the next request on.

        :raises NotReady: when there are too many.
        """
        until = None if fault.seconds is None else time.monotonic() + fault.seconds
        sql = """INSERT INTO fault (fault, count, until) SELECT ?, ?, ? WHERE (SELECT count(*) FROM fault) < ?
            RETURNING id"""
        rows = self._run(sql, json.dumps(fault.as_json()), fault.count, until, MAX_FAULTS)
        if not rows:
            expected = f"at most {MAX_FAULTS}"
            raise NotReady(
                Problem(code="fault.too-many", subject="faults", seen=f"{MAX_FAULTS} are set", expected=expected)
            )
        return SetFault(rows[0][0], fault, 0, is_over=False)

    def all(self) -> list[SetFault]:
        """Every fault that was set and not cleared, in that order."""
        # The monotonic clock is one for all processes of a machine.
        sql = f"SELECT id, fault, struck, NOT ({_STANDING}) FROM fault ORDER BY id"  # noqa: S608
        return [_set_fault(row) for row in self._run(sql, time.monotonic())]

    def get(self, fault_id: int) -> SetFault:
        """One of them.

        :raises NotFound: when there is no such fault.
        """
        found = [one for one in self.all() if one.id == fault_id]
        if not found:
            raise _unknown(fault_id)
        return found[0]

    def clear(self, fault_id: int | None = None) -> None:
        """Clear one fault, or all of them; then every delay of this process ends too.

        :raises NotFound: when there is no such fault.
        """
        if fault_id is None:
            self._run("DELETE FROM fault")
            with self._waking:
                self._waking.notify_all()
        elif not self._run("DELETE FROM fault WHERE id = ? RETURNING id", fault_id):
            raise _unknown(fault_id)

    @contextmanager
    def during(self, fault: Fault) -> Iterator[SetFault]:
        """Set a fault for the time of a ``with`` block."""
        one = self.set(fault)
        try:
            yield one
        finally:
            self._run("DELETE FROM fault WHERE id = ?", one.id)

    def strike(self, method: str, path: str) -> SetFault | None:
        """The fault that strikes this request, counted; None where it goes unharmed."""
        now = time.monotonic()
        sql = f"SELECT id, fault, struck, 0 FROM fault WHERE {_STANDING} ORDER BY id"  # noqa: S608
        for row in self._run(sql, now):
            one = _set_fault(row)
            if not one.fault.strikes(method, path):
                continue
            # Another process may have been quicker: who counts it is who is struck.
            counted = f"UPDATE fault SET struck = struck + 1 WHERE id = ? AND {_STANDING} RETURNING id"  # noqa: S608
            if self._run(counted, one.id, now):
                return one
        return None

    def pause(self, seconds: float) -> None:
        """Wait, at most until all faults of this process are cleared."""
        with self._waking:
            self._waking.wait(seconds)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _run(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()


def _set_fault(row: tuple[Any, ...]) -> SetFault:
    return SetFault(row[0], Fault.from_json(json.loads(row[1])), row[2], bool(row[3]))


def _unknown(fault_id: int) -> NotFound:
    return NotFound(
        Problem(
            code="fault.unknown",
            subject=f"fault {fault_id}",
            seen="no such fault",
            expected="one that GET /faults lists",
        )
    )
