"""The ledger in memory: for tests, gone when it is closed. The same tables and rules as in the file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from sqlite_utils import Database

from smki.ledger.sqlite.group_commit import GroupCommit, unavailable
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.ledger.sqlite.schema import MIGRATIONS
from smki.ledger.sqlite.snapshot import SqliteSnapshot

T = TypeVar("T")


class MemoryLedger(SqliteLedger):
    """A :class:`~smki.ledger.contract.Ledger` in a SQLite database in memory. Safe for threads; of one process.

    One connection serves everybody, under one lock: readers of a shared database in memory would otherwise fail on a
    table that somebody writes, and see what is not committed yet.

    :param image: the contents to begin with, from :meth:`image`; by default an empty ledger.
    """

    def __init__(self, image: bytes | None = None) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.deserialize(_empty_database() if image is None else image)
        # Reentrant, because an operation that writes may read.
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
        """A look at the certificates that does not change while it lasts: a copy of all that is there."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            connection.deserialize(self.image())
            yield SqliteSnapshot(connection)
        finally:
            connection.close()

    def image(self) -> bytes:
        """Return the whole contents, as a SQLite database file: another ledger can begin with it."""
        with self._lock:
            return self._connection.serialize()

    def close(self) -> None:
        """Close it; what was in it is gone."""
        with self._lock:
            self._connection.close()


@cache
def _empty_database() -> bytes:
    """The tables, with nothing in them: made once, because it takes longer than everything that follows."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        MIGRATIONS.apply(Database(connection))
        return connection.serialize()
    finally:
        connection.close()
