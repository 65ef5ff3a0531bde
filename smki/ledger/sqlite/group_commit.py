"""Combines the writes of several threads into one commit, so that they wait for the disk only once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from smki.ledger.sqlite.unavailable import unavailable

__all__ = ["GroupCommit", "unavailable"]

T = TypeVar("T")


class _Write:
    __slots__ = ("done", "error", "operation", "result")

    def __init__(self, operation: Callable[[sqlite3.Connection], Any]) -> None:
        self.operation = operation
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False


class GroupCommit:
    """Runs write operations. Each is durable when :meth:`run` returns.

    The first thread that finds the connection free commits for all waiting threads: their operations run in one
    transaction, each in a savepoint of its own. A single writer commits alone.

    :param committing: a lock that is held during a commit; by default a new one.
    :param path: the file of the database, if it has one, by which errors are explained.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        committing: AbstractContextManager[Any] | None = None,
        path: Path | None = None,
    ) -> None:
        self._connection = connection
        self._path = path
        self._waiting: list[_Write] = []
        self._waiting_lock = threading.Lock()
        self._committing = committing or threading.Lock()

    def run(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Run *operation* in a transaction and commit it.

        :raises LedgerUnavailable: if the database could not be written; nothing is stored then.
        """
        write = _Write(operation)
        with self._waiting_lock:
            self._waiting.append(write)
        with self._committing:
            if not write.done:
                with self._waiting_lock:
                    batch, self._waiting = self._waiting, []
                self._commit(batch)
        if write.error is not None:
            raise write.error
        result: T = write.result
        return result

    def _commit(self, batch: list[_Write]) -> None:
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            for write in batch:
                if len(batch) == 1:
                    write.result = write.operation(self._connection)
                else:
                    self._run_in_savepoint(write)
            execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            failure = unavailable(error, self._path) if isinstance(error, sqlite3.Error) else error
            for write in batch:
                write.error = write.error or failure
            if not isinstance(error, Exception):
                raise
        finally:
            for write in batch:
                write.done = True

    def _run_in_savepoint(self, write: _Write) -> None:
        execute = self._connection.execute
        execute("SAVEPOINT write")
        try:
            write.result = write.operation(self._connection)
        except sqlite3.OperationalError:
            raise  # for instance, the disk is full: the whole transaction is lost
        except Exception as error:
            write.error = error
            execute("ROLLBACK TO write")
        execute("RELEASE write")
