"""Writes the leaf of each event of the SQLite ledger, with the hashes of the rows that its command wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from smki.ledger.record import Columns, WrittenRow, entry_text, key_text, pack_rows, row_text, text_hash
from smki.ledger.sqlite.rows import EVENT_COLUMNS, NEW_APPLICATION_COLUMNS, NEW_CERTIFICATE_COLUMNS

_STATUS = frozenset({"status", "status_since", "replaced", "replaced_by"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPart:
    """The columns of a table that are written together, and hashed as one row."""

    number: int
    """Identifies it in what is stored; never used again for another."""
    name: str
    """The name of the table in the text of a row."""
    table: str
    key: tuple[str, ...] = ("id",)
    """The columns of its primary key."""
    only: frozenset[str] = frozenset()
    """The only columns; empty for all."""
    others: frozenset[str] = frozenset()
    """The columns that another part has."""

    def columns(self, names: Iterable[str]) -> Columns:
        """Return its columns among those of the table."""
        chosen = self.only or frozenset(names) - self.others
        return Columns([name if name in chosen else None for name in names])


APPLICATION = RecordedPart(number=1, name="application", table="application")
CERTIFICATE = RecordedPart(number=2, name="certificate", table="certificate", others=_STATUS)
# Apart, so that what was issued can be proved whatever became of it.
CERTIFICATE_STATUS = RecordedPart(number=3, name="certificate status", table="certificate", only=_STATUS | {"id"})
REVOCATION = RecordedPart(number=4, name="revocation", table="revocation")
REVOCATION_LIST = RecordedPart(
    number=5, name="revocation list", table="revocation_list", key=("issuer_serial_number", "number")
)
REGISTRANT = RecordedPart(number=6, name="Party", table="registrant")
DEVICE = RecordedPart(number=7, name="Device", table="device")
CREDENTIAL = RecordedPart(number=8, name="credential", table="credential")
IMPORTED = RecordedPart(number=9, name="imported certificate", table="imported_certificate")
SETTING = RecordedPart(number=10, name="setting", table="setting", key=("name",))
CERTIFIED_PRODUCT = RecordedPart(number=11, name="certified product", table="certified_product", key=("model",))

PARTS = (
    APPLICATION,
    CERTIFICATE,
    CERTIFICATE_STATUS,
    REVOCATION,
    REVOCATION_LIST,
    REGISTRANT,
    DEVICE,
    CREDENTIAL,
    IMPORTED,
    SETTING,
    CERTIFIED_PRODUCT,
)
"""All that the record covers. The other tables are counters and indexes, which follow from these."""

DERIVED = frozenset(
    {
        "entity_identifier",
        "subscriber",
        "test_count",
        "fingerprint",
        "certificate_count",
        "application_count",
        "refusal_count",
    }
)
"""Tables that are checked by making their rows again from those that the record covers."""


_EVENT = Columns(("id", *EVENT_COLUMNS))
_NEW_APPLICATION = Columns(("id", *NEW_APPLICATION_COLUMNS))
_NEW_CERTIFICATE = CERTIFICATE.columns(("id", *NEW_CERTIFICATE_COLUMNS))
_NEW_CERTIFICATE_STATUS = CERTIFICATE_STATUS.columns(("id", *NEW_CERTIFICATE_COLUMNS))
_CHANGED_STATUS = Columns(("id", "status", "status_since", "replaced", "replaced_by"))
_NEW_DEVICE = Columns(("id", "record"))


class Recorder:
    """Collects what a transaction writes, and writes the leaf of the event that covers it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._written: dict[tuple[int, tuple[Any, ...]], RecordedPart] = {}

    def wrote(self, part: RecordedPart, *key: Any) -> None:
        """Note that a row was added or changed. It is read when the event is appended."""
        self._written[part.number, key] = part

    def record(self, *event: Any) -> None:
        """Write the leaf of an event, which covers all that was written since the event before.

        :param event: its id, and the values of EVENT_COLUMNS.
        """
        written = [
            WrittenRow(part.number, key_text(key), text_hash(self._text(part, key)))
            for (_, key), part in self._written.items()
        ]
        self._written.clear()
        write_leaf(self._connection, leaf_of(event[0], _EVENT.text(event), written))

    def _text(self, part: RecordedPart, key: tuple[Any, ...]) -> str:
        condition = " AND ".join(f"{column} = ?" for column in part.key)
        cursor = self._connection.execute(f"SELECT * FROM {part.table} WHERE {condition}", key)  # noqa: S608
        return row_text(part.name, part.columns(column_names(cursor)).text(cursor.fetchone()))


def leaf_of_decision(
    event: Sequence[Any],
    application: Sequence[Any],
    certificate: Sequence[Any] | None,
    statuses: Iterable[Sequence[Any]],
    device: Sequence[Any] | None,
) -> tuple[int, bytes, bytes]:
    """Return the leaf of the event of a decision on an application, as it is stored. It covers all rows that are written
    with it.

    :param event: its id, and the values of EVENT_COLUMNS.
    :param application: its id, and the values of NEW_APPLICATION_COLUMNS.
    :param certificate: its id, and the values of NEW_CERTIFICATE_COLUMNS; None if the application was refused.
    :param statuses: of the certificates that it replaces: id, status, status_since, replaced, replaced_by.
    :param device: the id and the record of the Device that is added to the inventory, if any.
    """
    written = [_written(APPLICATION, _NEW_APPLICATION, application)]
    if certificate is not None:
        written.append(_written(CERTIFICATE, _NEW_CERTIFICATE, certificate))
        written.append(_written(CERTIFICATE_STATUS, _NEW_CERTIFICATE_STATUS, certificate))
    written.extend(_written(CERTIFICATE_STATUS, _CHANGED_STATUS, status) for status in statuses)
    if device is not None:
        written.append(_written(DEVICE, _NEW_DEVICE, device))
    return leaf_of(event[0], _EVENT.text(event), written)


def _written(part: RecordedPart, columns: Columns, values: Sequence[Any]) -> WrittenRow:
    return WrittenRow(part.number, key_text(values[:1]), text_hash(row_text(part.name, columns.text(values))))


def leaf_of(event_id: int, event: str, written: list[WrittenRow]) -> tuple[int, bytes, bytes]:
    """Return the leaf of an event, as it is stored.

    :param event: its columns, from :meth:`~smki.ledger.record.Columns.text`.
    """
    packed = pack_rows(written)
    return event_id, packed, text_hash(entry_text(event, [row.hash for row in written], packed))


def write_leaf(connection: sqlite3.Connection, leaf: tuple[int, bytes, bytes]) -> None:
    """Write a leaf."""
    connection.execute("INSERT INTO leaf VALUES (?, ?, ?)", leaf)


def rows_of(connection: sqlite3.Connection, part: RecordedPart) -> Iterator[tuple[bytes, str]]:
    """Return the key and the text of every row of a part, in the order of the keys."""
    cursor = connection.execute(f"SELECT * FROM {part.table} ORDER BY {', '.join(part.key)}")  # noqa: S608
    names = column_names(cursor)
    columns, positions = part.columns(names), [names.index(column) for column in part.key]
    for values in cursor:
        yield key_text([values[position] for position in positions]), row_text(part.name, columns.text(values))


def record_what_is_there(connection: sqlite3.Connection) -> None:
    """Give every event of an older ledger its leaf, and append one that covers every row.

    Its time is that of the last event before it: a migration has no clock.
    """
    cursor = connection.execute("SELECT * FROM audit_event ORDER BY id")
    columns = Columns(column_names(cursor))
    for event in cursor.fetchall():
        write_leaf(connection, leaf_of(event[0], columns.text(event), []))
    # Later migrations add tables to PARTS, which have no rows yet.
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    parts = [part for part in PARTS if part.table in there]
    written = [
        WrittenRow(part.number, key, text_hash(text)) for part in parts for key, text in rows_of(connection, part)
    ]
    last: int | None = connection.execute("SELECT max(at) FROM audit_event").fetchone()[0]
    if not written and last is None:
        return
    detail = f"{len(written)} rows that were written before the record began"
    new = (last or 0, "migrated", "migration", detail)
    sql = "INSERT INTO audit_event (at, event, interface, detail) VALUES (?, ?, ?, ?)"
    number = connection.execute(sql, new).lastrowid or 0
    columns = Columns(("id", "at", "event", "interface", "detail"))
    write_leaf(connection, leaf_of(number, columns.text((number, *new)), written))


def column_names(cursor: sqlite3.Cursor) -> tuple[str, ...]:
    """Return the names of the columns of a result."""
    return tuple(column[0] for column in cursor.description)
