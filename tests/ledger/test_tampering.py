"""Whatever is changed by hand in any table is found: in every column one value, of every table a row gone and a row more.

The cases are made from the schema, so that a table or column that is added later is tampered with, too.
"""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from smki.authority.audit import check_ledger
from smki.ledger.sqlite.memory import MemoryLedger
from smki.ledger.sqlite.recording import DERIVED, PARTS
from smki.ledger.sqlite.schema import empty_database
from smki.problem import Problem

MIGRATIONS_TABLE = "_sqlite_migrations"
IMMATERIAL = {
    # sqlite-utils keeps them; no decision depends on them. The names of the migrations are compared.
    (MIGRATIONS_TABLE, "id"),
    (MIGRATIONS_TABLE, "applied_at"),
}


class Column(NamedTuple):
    """A column of the schema."""

    table: str
    name: str
    type: str


def columns() -> list[Column]:
    """Every column of every table."""
    connection = sqlite3.connect(":memory:")
    connection.deserialize(empty_database())
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
    return [Column(name, row[1], row[2]) for name in names for row in connection.execute(f"PRAGMA table_info({name})")]


COLUMNS = columns()
TABLES = sorted({column.table for column in COLUMNS})


class Tampered:
    """A copy of the ledger in memory, to be changed by hand; triggers do not notice."""

    def __init__(self, image: bytes) -> None:
        self.ledger = MemoryLedger(image)
        self.connection = self.ledger._connection

    def execute(self, sql: str, *parameters: Any) -> None:
        triggers = self.connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            self.connection.execute(f"DROP TRIGGER {name}")
        assert self.connection.execute(sql, parameters).rowcount == 1, sql
        for _, create in triggers:
            self.connection.execute(create)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(f"SELECT * FROM {table}").fetchall()

    def key(self, table: str) -> list[str]:
        """The names of the columns of the primary key."""
        found = [(row[5], row[1]) for row in self.connection.execute(f"PRAGMA table_info({table})") if row[5]]
        return [name for _, name in sorted(found)]

    def problems(self) -> tuple[Problem, ...]:
        return check_ledger(self.ledger).problems


@pytest.fixture(scope="session")
def image(lived_in: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The ledger of a home with something in every table."""
    copy = tmp_path_factory.mktemp("image") / "ledger.sqlite"
    shutil.copyfile(lived_in / "ledger.sqlite", copy)
    connection = sqlite3.connect(copy)
    connection.execute("PRAGMA journal_mode = DELETE")  # a database in memory has no write-ahead log
    connection.close()
    return copy.read_bytes()


@pytest.fixture
def tampered(image: bytes) -> Iterator[Tampered]:
    tampered = Tampered(image)
    yield tampered
    tampered.ledger.close()


def other_values(value: Any, type_: str) -> Iterator[Any]:
    """Other values that could stand there: one a little different, and none or any where it is the other way round."""
    if value is None:
        yield {"INTEGER": 1, "TEXT": "x", "BLOB": b"\x01" * 8}[type_]
        return
    if isinstance(value, int):
        yield value + 1
        yield -1
    elif isinstance(value, str):
        yield value + " "
        yield value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    else:
        yield value[:-1] + bytes([value[-1] ^ 1])
        yield value + b"\x00"
    yield None


def test_the_untouched_ledger_is_sound_and_has_something_in_every_table(tampered: Tampered) -> None:
    assert tampered.problems() == ()
    assert [table for table in TABLES if not tampered.rows(table)] == []


def test_every_table_is_recorded_or_follows_from_what_is() -> None:
    recorded = {part.table for part in PARTS}
    assert sorted(recorded | DERIVED | {"audit_event", "leaf", MIGRATIONS_TABLE}) == TABLES
    for table in recorded:
        names = [column.name for column in COLUMNS if column.table == table]
        parts = [part for part in PARTS if part.table == table]
        covered = [name for part in parts for name in (part.only or set(names) - part.others)]
        assert sorted(set(covered)) == sorted(names)
        assert len(covered) == len(names) + (len(parts) - 1) * len(parts[0].key)


@pytest.mark.parametrize(("table", "column", "type_"), [c for c in COLUMNS if c[:2] not in IMMATERIAL])
def test_a_changed_value_is_found(image: bytes, table: str, column: str, type_: str) -> None:
    """In the first and the last row, and in a row that has a value and one that has none."""
    sound = Tampered(image)
    keys, rows = sound.key(table), sound.rows(table)
    names = [each.name for each in COLUMNS if each.table == table]
    at = names.index(column)
    chosen = {0: rows[0], len(rows) - 1: rows[-1]}
    for is_null in (True, False):
        chosen |= dict([(n, row) for n, row in enumerate(rows) if (row[at] is None) is is_null][:1])
    tried = 0
    for row in chosen.values():
        for value in other_values(row[at], type_):
            if value == row[at]:
                continue
            tampered = Tampered(image)
            where = " AND ".join(f"{key} = ?" for key in keys)
            try:
                tampered.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {where}", value, *(row[names.index(key)] for key in keys)
                )
            except sqlite3.IntegrityError:  # the schema does not let it be that
                continue
            tried += 1
            stored = tampered.rows(table)
            assert sorted(map(repr, stored)) != sorted(map(repr, rows))
            found = tampered.problems()
            assert found, (row, value)
            assert names_it(found, table, row, names, keys, value), (value, found)
            tampered.ledger.close()
    sound.ledger.close()
    assert tried


def names_it(
    found: tuple[Problem, ...], table: str, row: tuple[Any, ...], names: list[str], keys: list[str], value: Any
) -> bool:
    """Whether a problem names the row, or for counters and indexes what they are about."""
    if table == MIGRATIONS_TABLE:
        return any(problem.code == "ledger.schema" for problem in found)
    said = " ".join(f"{problem.subject} {problem.seen}" for problem in found).lower()
    meant = [row[names.index(key)] for key in keys] + [value]
    if table in DERIVED:
        meant += list(row)
    return any((each.hex() if isinstance(each, bytes) else str(each).lower()) in said for each in meant)


@pytest.mark.parametrize("table", TABLES)
def test_a_deleted_row_is_found(image: bytes, table: str) -> None:
    """Each of the first three and the last three."""
    sound = Tampered(image)
    keys, rows = sound.key(table), sound.rows(table)
    names = [column.name for column in COLUMNS if column.table == table]
    sound.ledger.close()
    for row in [*rows[:3], *rows[-3:]]:
        tampered = Tampered(image)
        where = " AND ".join(f"{key} = ?" for key in keys)
        tampered.execute(f"DELETE FROM {table} WHERE {where}", *(row[names.index(key)] for key in keys))
        found = tampered.problems()
        assert found, row
        assert names_it(found, table, row, names, keys, None), found
        tampered.ledger.close()


@pytest.mark.parametrize("table", TABLES)
def test_an_added_row_is_found(image: bytes, table: str) -> None:
    """A copy of the last row, with other values where it has to have them, with each number that could be its key."""
    tampered = Tampered(image)
    keys, rows = tampered.key(table), tampered.rows(table)
    there = [column for column in COLUMNS if column.table == table]
    marks = ", ".join("?" * len(there))
    unique = set(keys)
    for index in tampered.connection.execute(f"PRAGMA index_list({table})").fetchall():
        if index[2]:
            unique |= {each[2] for each in tampered.connection.execute(f"PRAGMA index_info({index[1]})")}
    for row in (rows[0], rows[-1]):
        alternatives = []
        for column, value in zip(there, row, strict=True):
            if column.name not in unique:
                alternatives.append([value])
            elif isinstance(value, int):
                alternatives.append([value + 1000, -5])
            else:
                alternatives.append([value + "X" if isinstance(value, str) else b"\x77" * 8])
        for added in itertools.product(*alternatives):
            tampered = Tampered(image)
            tampered.execute(f"INSERT INTO {table} VALUES ({marks})", *added)
            found = tampered.problems()
            assert found, added
            names = [column.name for column in there]
            assert names_it(found, table, added, names, keys, None), found
            tampered.ledger.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER certificate_counted",
        "DROP INDEX certificate_issued",
        "DROP TABLE fingerprint",
        "CREATE TRIGGER mine AFTER INSERT ON certificate BEGIN DELETE FROM fingerprint WHERE prefix = 1; END",
        "CREATE TABLE mine (id INTEGER)",
        "CREATE VIEW mine AS SELECT 1",
        "ALTER TABLE device ADD COLUMN mine TEXT",
        "ALTER TABLE device DROP COLUMN threshold",
        "ALTER TABLE audit_event DROP COLUMN content",
    ],
)
def test_a_changed_schema_is_found(tampered: Tampered, statement: str) -> None:
    tampered.connection.execute(statement)
    assert any(problem.code == "ledger.schema" for problem in tampered.problems())


def test_a_device_certificate_with_everything_that_belongs_to_it(tampered: Tampered) -> None:
    """The last one, with its application, events, leaves and counts: only a gap in the numbers is left."""
    connection = tampered.connection
    (number, application) = connection.execute(
        "SELECT id, application_id FROM certificate WHERE kind = 'device' ORDER BY id DESC LIMIT 1"
    ).fetchone()
    events = f"SELECT id FROM audit_event WHERE certificate_id = {number}"
    for statement in (
        f"DELETE FROM leaf WHERE event_id IN ({events})",
        f"DELETE FROM audit_event WHERE certificate_id = {number}",
        f"DELETE FROM fingerprint WHERE certificate_id = {number}",
        f"DELETE FROM certificate WHERE id = {number}",
        f"DELETE FROM application WHERE id = {application}",
        "UPDATE certificate_count SET certificates = certificates - 1 WHERE kind = 'device' AND usage = 'KA'",
        "UPDATE application_count SET applications = applications - 1 WHERE kind = 'device' AND granted = 1",
    ):
        connection.execute(statement)
    assert any(problem.code in ("record.event-missing", "event.gap") for problem in tampered.problems())
