"""The gate before a ledger is opened: only one whose tables are as this version made them, or can migrate them, is used.

The tables, indexes and triggers of the file are compared with those that the migrations recorded in it make. A ledger
that a newer version wrote, one that was changed by hand, and a file that is something else are refused before anything
is written: neither the file nor its write-ahead log is touched.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from smki.ledger.contract import LedgerUnavailable
from smki.ledger.sqlite.schema import MIGRATIONS
from smki.problem import Problem

MAX_DIFFERENCES = 20
"""Maximum number of differences that are reported."""

_MIGRATIONS_TABLE = "_sqlite_migrations"


def _names() -> tuple[str, ...]:
    with closing(sqlite3.connect(":memory:")) as empty:
        return tuple(each.name for each in MIGRATIONS.pending(Database(empty)))


_NAMES = _names()
"""The migrations of this version, in order."""
_WORD = re.compile(r"'(?:[^']|'')*'|[A-Za-z0-9_.]+|[^\sA-Za-z0-9_.]")


class LedgerRefused(LedgerUnavailable):
    """The ledger is of another version, or was altered. Nothing was written to it."""


class Item(NamedTuple):
    """A table, an index, a trigger or a view."""

    type: str
    name: str


Shape = dict[Item, str]
"""The SQL of every table, index, trigger and view, in a form that does not depend on white space and quotation marks."""


def pending(path: Path) -> bool:
    """Decide whether a ledger can be used, without writing anything.

    :param path: the file, which exists.
    :returns: whether migrations have to be applied first.
    :raises LedgerRefused: if it is of another version or was altered.
    :raises sqlite3.Error: if it cannot be read.
    """
    while True:
        is_quiet = _is_quiet(path)
        try:
            with reading(path) as connection:
                return require_usable(connection, path)
        except (LedgerRefused, sqlite3.Error):
            # Without a write-ahead log the file is read without locks. If another process has begun to write, the
            # tables may have been in the middle of a migration.
            if is_quiet and not _is_quiet(path):
                continue
            raise


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger for reading only: its write-ahead log is neither made, emptied nor removed."""
    mode = "immutable=1" if _is_quiet(path) else "mode=ro"
    uri = f"{path.absolute().as_uri()}?{mode}"
    with closing(sqlite3.connect(uri, uri=True, timeout=60, isolation_level=None)) as connection:
        yield connection


def _is_quiet(path: Path) -> bool:
    """Return whether no process has the ledger open, and everything in it is in the file itself."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size == 0
    except FileNotFoundError:
        return True


def require_usable(connection: sqlite3.Connection, path: Path) -> bool:
    """Check the tables of an open ledger.

    :param path: for messages.
    :returns: whether migrations have to be applied.
    :raises LedgerRefused: if it is of another version or was altered.
    """
    found = _shape(connection)
    if not found:
        raise _refused("ledger.too-old", path, "a file without tables", "the ledger of an SMKI")
    applied = _applied(connection)
    unknown = [name for name in applied if name not in _NAMES]
    if unknown:
        raise _refused("ledger.too-new", path, f"migration {unknown[-1]}", f"none after {_NAMES[-1]}")
    if not applied:
        raise _refused(
            "ledger.too-old", path, "tables without a record of migrations", f"migration {_NAMES[0]} at least"
        )
    if applied != _NAMES[: len(applied)]:
        missing = next(name for name in _NAMES if name not in applied)
        raise _refused(
            "ledger.altered", path, f"no record of migration {missing}", "every migration up to the last one"
        )
    differences = list(_differences(connection, found, len(applied)))[:MAX_DIFFERENCES]
    if differences:
        raise LedgerRefused(
            *(
                Problem(code="ledger.altered", subject=f"{path}, {item.type} {item.name}", seen=seen, expected=expected)
                for item, seen, expected in differences
            )
        )
    return len(applied) < len(_NAMES)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the migrations that a ledger lacks, all of them in one transaction.

    Of several processes one does it; the others wait for it, and find nothing left to do.

    :raises LedgerRefused: if it is of another version or was altered; nothing is changed then.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _shape(connection) or require_usable(connection, path):
            MIGRATIONS.apply(Database(connection))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _applied(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of the migrations that were applied, in order."""
    sql = f"SELECT name FROM {_MIGRATIONS_TABLE} WHERE migration_set = ? ORDER BY rowid"  # noqa: S608
    try:
        return tuple(str(name) for (name,) in connection.execute(sql, (MIGRATIONS.name,)))
    except sqlite3.OperationalError as error:
        if "no such" in str(error):  # the table, or one of its columns
            return ()
        raise


def _shape(connection: sqlite3.Connection) -> Shape:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    # Tables of SQLite itself (ANALYZE makes some) and the record of migrations do not concern the ledger's content.
    return {
        Item(kind, name): _words(sql)
        for kind, name, table, sql in rows
        if not name.startswith("sqlite_") and not (table == _MIGRATIONS_TABLE and kind in ("table", "index"))
    }


def _words(sql: str) -> str:
    return " ".join(word.lower() if word[0] != "'" else word for word in _WORD.findall(sql) if word not in '"`[]')


@cache
def _made_by(migrations: int) -> tuple[tuple[Item, str, tuple[str, ...]], ...]:
    """Return each item with its SQL and columns after the first *migrations* migrations."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        MIGRATIONS.apply(Database(connection), stop_before=_NAMES[migrations:])
        return tuple((item, sql, _columns(connection, item)) for item, sql in _shape(connection).items())


def _columns(connection: sqlite3.Connection, item: Item) -> tuple[str, ...]:
    if item.type != "table":
        return ()
    return tuple(row[0] for row in connection.execute("SELECT name FROM pragma_table_xinfo(?)", (item.name,)))


def _differences(connection: sqlite3.Connection, found: Shape, migrations: int) -> Iterator[tuple[Item, str, str]]:
    expected = {item: (sql, columns) for item, sql, columns in _made_by(migrations)}
    for item, (sql, columns) in expected.items():
        if item not in found:
            yield item, "missing", f"the {item.type} that the migrations make"
        elif found[item] != sql:
            there = _columns(connection, item)
            missing = [name for name in columns if name not in there]
            added = [name for name in there if name not in columns]
            changes = [f"column {name} missing" for name in missing] + [f"column {name} added" for name in added]
            yield item, ", ".join(changes) or "changed", f"the {item.type} that the migrations make"
    for item in found:
        if item not in expected:
            yield item, f"a {item.type} that was added", "only what the migrations make"


def _refused(code: str, path: Path, seen: str, expected: str) -> LedgerRefused:
    return LedgerRefused(Problem(code=code, subject=str(path), seen=seen, expected=expected))
