"""Connections that only read the file of a ledger: for a home that is read-only, or on a disk that is full.

Otherwise SQLite needs to write for reading as well: it makes files beside the ledger in which processes agree on the end of
the write-ahead log.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NamedTuple


class _State(NamedTuple):
    """By which a change of the file is noticed."""

    changed: int
    """In nanoseconds."""
    size: int
    inode: int
    log_bytes: int
    """Size of the write-ahead log."""


class ReadingConnection:
    """A connection that only reads.

    If there is no write-ahead log, the file is read without locks; then :attr:`is_current` tells whether it was changed
    since the connection was opened, because SQLite does not notice. Otherwise the existing log is read.

    :ivar connection: the connection.
    :raises sqlite3.Error: if the file cannot be opened, or is no database.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        state = self._now()
        self._state = None if state.log_bytes else state
        mode = "mode=ro" if self._state is None else "mode=ro&immutable=1"
        uri = f"{path.absolute().as_uri()}?{mode}"
        self.connection = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
        try:
            self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:
            self.connection.close()
            raise

    @property
    def is_current(self) -> bool:
        """Whether what it reads is what the file contains."""
        return self._state is None or self._state == self._now()

    def _now(self) -> _State:
        status = self._path.stat()
        try:
            log_bytes = self._path.with_name(f"{self._path.name}-wal").stat().st_size
        except FileNotFoundError:
            log_bytes = 0
        return _State(status.st_mtime_ns, status.st_size, status.st_ino, log_bytes)
