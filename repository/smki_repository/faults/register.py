"""The register of configured faults, shared by all threads and processes of one server."""

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
"""Maximum number of faults at a time. Every request searches all of them."""

_SCHEMA = """CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY AUTOINCREMENT, fault TEXT NOT NULL, count INTEGER, until REAL, struck INTEGER NOT NULL DEFAULT 0)"""
_STANDING = "(count IS NULL OR struck < count) AND (until IS NULL OR until > ?)"


@dataclass(frozen=True, slots=True)
class SetFault:
    """A configured fault."""

    id: int
    fault: Fault
    struck: int
    """Number of requests that it has affected."""
    is_over: bool
    """Whether its count or duration has been used up. It remains in the list until it is cleared."""

    def as_json(self) -> dict[str, Any]:
        """Return the fault with its state as a JSON object."""
        return {"id": self.id} | self.fault.as_json() | {"struck": self.struck, "over": self.is_over}


class Faults:
    """The faults of one Repository. Safe for use by several threads and, with a file, by several processes.

    Each request is affected by at most one fault: the first, in the order in which they were set, that applies to it and
    is not used up. Two faults with counts therefore take effect one after the other.

    :param path: a file that all processes of the server open; None to keep the faults in this process.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._waking = threading.Condition()
        self._connection = sqlite3.connect(
            ":memory:" if path is None else path, timeout=10, isolation_level=None, check_same_thread=False
        )
        # The file does not outlive the server, so it need not be durable.
        self._run("PRAGMA synchronous = OFF")
        self._run(_SCHEMA)

    def set(self, fault: Fault) -> SetFault:
        """Set a fault, which takes effect with the next request.

        :raises NotReady: if there are already MAX_FAULTS.
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
        """Return every fault that has not been cleared, in the order in which they were set."""
        # All processes of a machine share the monotonic clock.
        sql = f"SELECT id, fault, struck, NOT ({_STANDING}) FROM fault ORDER BY id"  # noqa: S608
        return [_set_fault(row) for row in self._run(sql, time.monotonic())]

    def get(self, fault_id: int) -> SetFault:
        """Return a fault by its number.

        :raises NotFound: if there is no such fault.
        """
        found = [one for one in self.all() if one.id == fault_id]
        if not found:
            raise _unknown(fault_id)
        return found[0]

    def clear(self, fault_id: int | None = None) -> None:
        """Clear one fault, or all of them. Clearing all also ends the delays in progress in this process.

        :raises NotFound: if there is no such fault.
        """
        if fault_id is None:
            self._run("DELETE FROM fault")
            with self._waking:
                self._waking.notify_all()
        elif not self._run("DELETE FROM fault WHERE id = ? RETURNING id", fault_id):
            raise _unknown(fault_id)

    @contextmanager
    def during(self, fault: Fault) -> Iterator[SetFault]:
        """Set a fault for the duration of a ``with`` block."""
        one = self.set(fault)
        try:
            yield one
        finally:
            self._run("DELETE FROM fault WHERE id = ?", one.id)

    def strike(self, method: str, path: str) -> SetFault | None:
        """Return the fault that affects a request, and count the request; return None if no fault applies."""
        now = time.monotonic()
        sql = f"SELECT id, fault, struck, 0 FROM fault WHERE {_STANDING} ORDER BY id"  # noqa: S608
        for row in self._run(sql, now):
            one = _set_fault(row)
            if not one.fault.strikes(method, path):
                continue
            # Another process may have used up the count since. The request is affected only if it was counted.
            counted = f"UPDATE fault SET struck = struck + 1 WHERE id = ? AND {_STANDING} RETURNING id"  # noqa: S608
            if self._run(counted, one.id, now):
                return one
        return None

    def pause(self, seconds: float) -> None:
        """Wait for a time (seconds), or until all faults of this process are cleared."""
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
