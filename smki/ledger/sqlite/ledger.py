"""The ledger in one SQLite file, with a write-ahead log. A commit is on disk when it returns."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from smki.ledger.contract import Transaction
from smki.ledger.sqlite.checking import inconsistencies, unrecorded
from smki.ledger.sqlite.gate import migrate, pending, require_usable
from smki.ledger.sqlite.group_commit import GroupCommit
from smki.ledger.sqlite.reader import SqliteReader
from smki.ledger.sqlite.reading import ReadingConnection
from smki.ledger.sqlite.snapshot import SqliteSnapshot
from smki.ledger.sqlite.transaction import SqliteTransaction
from smki.ledger.sqlite.unavailable import unavailable
from smki.problem import NotFound, Problem

BUSY_TIMEOUT_SECONDS = 60.0
"""Seconds that a writer waits for another process before it gives up."""

MAPPED_BYTES = 1 << 32
"""Maximum number of bytes of the file that are read through the memory map."""

T = TypeVar("T")


class SqliteLedger(SqliteReader):
    """A :class:`~smki.ledger.contract.Ledger` in a SQLite file. Where it cannot be written, because the home is read-only or
    the disk full, it is opened to read; a transaction then tries to open it to write.

    :param path: the file. If *create* is true and it does not exist, it is created with its tables.
    :raises NotFound: if the file does not exist and *create* is false.
    :raises LedgerUnavailable: if the file is not a ledger or cannot be opened.
    :raises LedgerRefused: if it is of a newer version or was altered; nothing is written then.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not create and not path.is_file():
            raise NotFound(
                Problem(
                    code="ledger.missing", subject=str(path), seen="no such file", expected="the ledger of an SMKI home"
                )
            )
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        super().__init__(self._query)
        self._writes: GroupCommit | None = None
        self._opening = threading.Lock()
        try:
            self._begin(self._open_to_write(create=create))
        except sqlite3.Error as error:
            if create:
                raise unavailable(error, path) from error
            self._require_readable(error)

    def _begin(self, writes: GroupCommit) -> None:
        super().__init__(self._query)
        self._writes = writes

    def _open_to_write(self, *, create: bool = False) -> GroupCommit:
        is_new = create and not (self._path.is_file() and self._path.stat().st_size)
        is_behind = is_new or pending(self._path)
        writer = self._connect()
        if is_behind:
            migrate(writer, self._path)
        return GroupCommit(writer, path=self._path)

    def _require_readable(self, error: sqlite3.Error) -> None:
        """Check that a ledger that cannot be written can be read: on a full disk, or where the home is read-only.

        :raises LedgerUnavailable: if it cannot, or would have to be migrated.
        :raises LedgerRefused: if it is of another version or was altered.
        """
        try:
            reader = ReadingConnection(self._path, BUSY_TIMEOUT_SECONDS)
            try:
                is_behind = require_usable(reader.connection, self._path)
            finally:
                reader.connection.close()
        except (sqlite3.Error, OSError):
            raise unavailable(error, self._path) from error
        if is_behind:
            raise unavailable(error, self._path) from error

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run *work* in a transaction and commit it (see :class:`~smki.ledger.contract.Ledger`)."""
        writes = self._writes or self._try_to_write()
        # A new object for each transaction: cached state of a transaction that was rolled back must not be reused.
        return writes.run(lambda connection: work(SqliteTransaction(connection)))

    def _try_to_write(self) -> GroupCommit:
        """Open the ledger to write now, if that was not possible when it was opened.

        :raises LedgerUnavailable: if it is still not possible.
        """
        with self._opening:
            writes = self._writes
            if writes is None:
                try:
                    writes = self._open_to_write()
                except sqlite3.Error as error:
                    raise unavailable(error, self._path) from error
                self._begin(writes)
            return writes

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
        except sqlite3.Error:
            connection.close()
            raise
        self._keep(connection)
        return connection

    def _keep(self, connection: sqlite3.Connection) -> None:
        with self._connections_lock:
            self._connections.append(connection)

    def _query(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._with_reader(lambda connection: connection.execute(sql, parameters).fetchall())

    def _with_reader(self, query: Callable[[sqlite3.Connection], T]) -> T:
        # One connection per thread, so that readers wait neither for the writer nor for one another.
        try:
            if self._writes is None:
                return self._with_reading_connection(query)
            connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect()
            return query(connection)
        except sqlite3.Error as error:
            raise unavailable(error, self._path) from error

    def _with_reading_connection(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query while the ledger cannot be written; again if another process, which can, wrote meanwhile."""
        while True:
            reader: ReadingConnection | None = getattr(self._local, "reader", None)
            if reader is None or not reader.is_current:
                reader = self._local.reader = ReadingConnection(self._path, BUSY_TIMEOUT_SECONDS)
                self._keep(reader.connection)
            try:
                found = query(reader.connection)
            except sqlite3.Error:
                if reader.is_current:
                    raise
                continue
            if reader.is_current:
                return found

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        """A view of the certificates that does not change while it is open."""
        try:
            if self._writes is None:
                connection = ReadingConnection(self._path, BUSY_TIMEOUT_SECONDS).connection
            else:
                connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
            try:
                yield SqliteSnapshot(connection)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise unavailable(error, self._path) from error

    def damage(self) -> list[str]:
        """Return what SQLite's integrity check finds, and certificates without an application or audit event."""
        found = [row[0] for row in self._query("PRAGMA integrity_check", ()) if row[0] != "ok"]
        found += [
            f"{row[0]}: row {row[1]} refers to a {row[2]} that does not exist"
            for row in self._query("PRAGMA foreign_key_check", ())
        ]
        orphans = """SELECT hex(serial_number) FROM certificate c WHERE NOT EXISTS (
            SELECT 1 FROM application a WHERE a.id = c.application_id AND a.serial_number = c.serial_number AND a.tbs IS NULL)
            OR NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.certificate_id = c.id AND e.event IN ('issued', 'authority added'))"""
        return found + [
            f"certificate {row[0]} lacks its application or audit event" for row in self._query(orphans, ())
        ]

    def inconsistencies(self) -> list[Problem]:
        """Return where the tables contradict one another (see :class:`~smki.ledger.contract.Ledger`)."""
        return self._with_reader(inconsistencies)

    def unrecorded(self) -> list[Problem]:
        """Return which events and rows are not as they were recorded (see :class:`~smki.ledger.contract.Ledger`)."""
        return self._with_reader(unrecorded)

    def close(self) -> None:
        """Close every connection."""
        with self._connections_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
