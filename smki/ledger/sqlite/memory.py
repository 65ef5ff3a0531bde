"""The ledger in memory, for tests. It has the same tables and rules as the file, and is lost when it is closed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from smki.ledger.sqlite.group_commit import GroupCommit
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.ledger.sqlite.schema import empty_database
from smki.ledger.sqlite.snapshot import SqliteSnapshot
from smki.ledger.sqlite.unavailable import unavailable

T = TypeVar("T")


class MemoryLedger(SqliteLedger):
    """A :class:`~smki.ledger.contract.Ledger` in an SQLite database in memory. Safe for threads, but limited to one
    process.

    All threads use one connection, under one lock. With SQLite's shared cache, readers would fail while a table is
    being written, and would see uncommitted data.

    :param image: the initial contents, from :meth:`image`; by default an empty ledger.
    """

    def __init__(self, image: bytes | None = None) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.deserialize(empty_database() if image is None else image)
        # Reentrant, because a write operation may read.
        self._lock = threading.RLock()
        self._begin(GroupCommit(self._connection, self._lock))

    def _with_reader(self, query: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                return query(self._connection)
            except sqlite3.Error as error:
                raise unavailable(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        """A view of the certificates that does not change while it is open: a copy of all of them."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            connection.deserialize(self.image())
            yield SqliteSnapshot(connection)
        finally:
            connection.close()

    def image(self) -> bytes:
        """Return the contents as an SQLite database file, from which another ledger can be created."""
        with self._lock:
            return self._connection.serialize()

    def close(self) -> None:
        """Close the ledger; its contents are lost."""
        with self._lock:
            self._connection.close()
