"""Consistent copies of a ledger that other processes are writing to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from smki.ledger.sqlite.gate import reading, require_usable
from smki.ledger.sqlite.group_commit import unavailable
from smki.problem import IntegrityError, Problem

PAGES_PER_STEP = 1000
"""Number of pages (of 4,096 bytes) that are copied between two reports of progress."""

_BUSY_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class CopiedLedger:
    """What a copy contains."""

    certificates: int
    last_event: int
    """The id of the last event; 0 if there is none."""


def copy_ledger(path: Path, target: Path, progress: Callable[[int, int], None]) -> CopiedLedger:
    """Copy a ledger as it is at one moment, with SQLite's backup API. Nobody has to wait for it, nor it for anybody.

    A ledger of an older version is copied without being migrated.

    :param target: the copy; a file that does not exist yet.
    :param progress: called with the number of pages that were copied, and their total.
    :raises LedgerRefused: if the ledger is of a newer version or was altered.
    :raises LedgerUnavailable: if it cannot be read.
    :raises IntegrityError: if the copy, and so the ledger, is damaged.
    """
    try:
        with _source(path) as source, closing(sqlite3.connect(target, isolation_level=None)) as copy:
            # The copy is of the moment at which this transaction begins. Without one it would begin again at each
            # commit of another process, and might never end.
            source.execute("BEGIN")
            require_usable(source, path)
            source.backup(
                copy, pages=PAGES_PER_STEP, progress=lambda _, left, total: progress(total - left, total), sleep=0
            )
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a write-ahead log
            require_sound(copy, path)
            certificates = copy.execute("SELECT count(*) FROM certificate").fetchone()[0]
            last_event = copy.execute("SELECT coalesce(max(id), 0) FROM audit_event").fetchone()[0]
            return CopiedLedger(certificates, last_event)
    except sqlite3.Error as error:
        raise unavailable(error) from error


def require_sound(connection: sqlite3.Connection, path: Path) -> None:
    """Have SQLite check the whole file.

    :param path: for messages.
    :raises IntegrityError: if it is damaged.
    """
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    if found:
        raise IntegrityError(
            *(Problem(code="ledger.damaged", subject=str(path), seen=each, expected="a sound file") for each in found)
        )


@contextmanager
def _source(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError as error:
            if not any(word in str(error) for word in ("unable to open", "readonly")):
                raise
            # The directory cannot be written to, so that nobody else writes there either.
        else:
            yield connection
            return
    with reading(path) as connection:
        yield connection
