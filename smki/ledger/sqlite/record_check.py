"""Checks that the tables of the SQLite ledger say what its events recorded, and that its schema is as it was made."""

# ruff: noqa: S608 (every query is made only of constants)

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from functools import cache

from smki.ledger.merkle import HASH_BYTES
from smki.ledger.record import Columns, entry_text, text_hash, unpack_rows
from smki.ledger.sqlite.recording import PARTS, RecordedPart, column_names, rows_of
from smki.ledger.sqlite.rule import REMEDY
from smki.ledger.sqlite.schema import empty_database, fingerprint_prefix
from smki.problem import Problem

_NO_HASH = bytes(HASH_BYTES)


class _Recorded:
    """What the events say of the rows of one part: the hash of each, as it was written last.

    Hashes of rows with small numbers as keys are in one array, because a ledger can have millions of them.

    :param numbers: keys below this are in the array.
    """

    def __init__(self, part: RecordedPart, numbers: int) -> None:
        self.part = part
        self._numbers = numbers
        self._array = bytearray()
        self._others: dict[bytes, bytes] = {}

    def put(self, key: bytes, row_hash: bytes) -> None:
        """Record a row."""
        at = self._position(key)
        if at < 0:
            self._others[key] = row_hash
            return
        if at + HASH_BYTES > len(self._array):
            self._array.extend(bytes(max(at + HASH_BYTES - len(self._array), 1 << 16)))
        self._array[at : at + HASH_BYTES] = row_hash

    def take(self, key: bytes) -> bytes | None:
        """Return the hash of a row and forget it; None if there is none."""
        at = self._position(key)
        if at < 0:
            return self._others.pop(key, None)
        found = bytes(self._array[at : at + HASH_BYTES])
        self._array[at : at + HASH_BYTES] = _NO_HASH[: len(found)]
        return found if found.strip(b"\x00") else None

    def left(self) -> Iterator[bytes]:
        """Return the keys of the rows that were not taken."""
        for number in range(len(self._array) // HASH_BYTES):
            if self._array[number * HASH_BYTES : (number + 1) * HASH_BYTES] != _NO_HASH:
                yield b"%d" % number
        yield from self._others

    def _position(self, key: bytes) -> int:
        if not key.isdigit() or len(key) > 12 or int(key) >= self._numbers:
            return -1
        return int(key) * HASH_BYTES


def record_problems(connection: sqlite3.Connection) -> Iterator[Problem]:
    """Return every event, leaf or row that is not as it was recorded."""
    numbers = 1000 + 4 * max(connection.execute(f"SELECT count(*) FROM {part.table}").fetchone()[0] for part in PARTS)
    recorded = {part.number: _Recorded(part, numbers) for part in PARTS}
    yield from _events(connection, recorded)
    for part in PARTS:
        expected = recorded[part.number]
        try:
            for key, text in rows_of(connection, part):
                row_hash = expected.take(key)
                if row_hash is None:
                    yield _problem("record.row-added", _row(part, key), "in no event", "rows that a command wrote")
                elif row_hash != text_hash(text):
                    yield _problem(
                        "record.row-changed", _row(part, key), _last(connection, part, key), "as it was written"
                    )
        except (sqlite3.Error, ValueError) as error:
            yield _problem("record.unreadable", f"table {part.table}", str(error), "rows that can be read")
        for key in expected.left():
            yield _problem(
                "record.row-missing", _row(part, key), _last(connection, part, key), "rows are never deleted"
            )


def _events(connection: sqlite3.Connection, recorded: dict[int, _Recorded]) -> Iterator[Problem]:
    cursor = connection.execute(
        "SELECT l.written, l.hash, e.* FROM audit_event e LEFT JOIN leaf l ON l.event_id = e.id ORDER BY e.id"
    )
    columns = Columns([None, None, *column_names(cursor)[2:]])
    expected = 1
    for row in cursor:
        written, leaf, number = row[0], row[1], row[2]
        subject = f"event {number}"
        if number != expected:
            yield _problem("record.event-missing", subject, f"follows event {expected - 1}", "consecutive events")
        expected = number + 1
        if leaf is None:
            yield _problem("record.leaf-missing", subject, "has no leaf", "a leaf for each event")
            continue
        hashes = []
        try:
            for part, key, row_hash in unpack_rows(written):
                recorded[part].put(key, row_hash)
                hashes.append(row_hash)
            is_same = text_hash(entry_text(columns.text(row), hashes, written)) == leaf
        except (ValueError, TypeError, LookupError):
            is_same = False
        if not is_same:
            yield _problem("record.event-changed", subject, "differs from its leaf", "the event as it was appended")
    for (number,) in connection.execute("SELECT event_id FROM leaf WHERE event_id NOT IN (SELECT id FROM audit_event)"):
        yield _problem("record.event-missing", f"event {number}", "only its leaf is there", "events are never deleted")


def fingerprint_problems(connection: sqlite3.Connection) -> Iterator[Problem]:
    """Return the fingerprints that are not those of a certificate."""
    there: dict[int, int] = {}
    for prefix, certificate in connection.execute("SELECT prefix, certificate_id FROM fingerprint"):
        there[certificate] = prefix
    for certificate, encoded in connection.execute("SELECT id, der FROM certificate"):
        expected = fingerprint_prefix(hashlib.sha256(encoded).digest()) if isinstance(encoded, bytes) else None
        if there.pop(certificate, None) != expected:
            yield _problem("ledger.fingerprint", f"certificate {certificate}", "another", "that of its DER")
    for certificate in there:
        yield _problem("ledger.fingerprint", f"certificate {certificate}", "no such certificate", "none")


def _last(connection: sqlite3.Connection, part: RecordedPart, key: bytes) -> str:
    """Return which event wrote a row last, in words."""
    for number, written in connection.execute("SELECT event_id, written FROM leaf ORDER BY event_id DESC"):
        try:
            if any(row.part == part.number and row.key == key for row in unpack_rows(written)):
                return f"not as event {number} recorded it"
        except (ValueError, TypeError):
            continue
    return "not as it was recorded"


def _row(part: RecordedPart, key: bytes) -> str:
    return f"{part.name} {key.decode('ascii', 'replace')}"


def schema_problems(connection: sqlite3.Connection) -> Iterator[Problem]:
    """Return every table, index, trigger and view that is not as the migrations make it."""
    there, made = _schema(connection), _schema_as_made()
    for name in sorted(set(there) | set(made)):
        if there.get(name) != made.get(name):
            seen = "missing" if name not in there else "added" if name not in made else "changed"
            yield _problem("ledger.schema", name, seen, "as this version makes it")


def _schema(connection: sqlite3.Connection) -> dict[str, object]:
    """Return the SQL of everything in the schema by its name, and the migrations that were applied.

    The table of migrations belongs to sqlite-utils, which can make it in another way in another version.
    """
    sql = """SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
        AND NOT (tbl_name = '_sqlite_migrations' AND type IN ('table', 'index'))"""
    schema: dict[str, object] = {name: " ".join(text.split()) for name, text in connection.execute(sql)}
    applied = "SELECT migration_set, name FROM _sqlite_migrations ORDER BY 1, 2"
    schema["table _sqlite_migrations"] = tuple(connection.execute(applied))
    return schema


@cache
def _schema_as_made() -> dict[str, object]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(empty_database())
        return _schema(connection)
    finally:
        connection.close()


def _problem(code: str, subject: str, seen: str, expected: str) -> Problem:
    return Problem(code=code, subject=subject, seen=seen, expected=expected, remedy=REMEDY)
