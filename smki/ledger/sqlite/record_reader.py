"""The record in the SQLite ledger: entries, leaves, and the rows that the entries cover."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smki.identity import SerialNumber
from smki.ledger.damage import UNREADABLE
from smki.ledger.record import Columns, RecordedEvent, RecordedRow, entry_text, key_text, row_text, unpack_rows
from smki.ledger.sqlite.recording import CERTIFICATE, PARTS
from smki.ledger.sqlite.row_form import values_of
from smki.ledger.sqlite.rows import Read
from smki.problem import IntegrityError, NotFound, Problem

_PAGE = 2000
_LEAF = values_of("leaf", "ib")
_AT = values_of("audit_event", "ii")


class SqliteRecord:
    """A :class:`~smki.ledger.contract.RecordReader`.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    def size(self) -> int:
        """The number of leaves."""
        size: int = self._read("SELECT coalesce(max(event_id), 0) FROM leaf", ())[0][0]
        return size

    def leaves(self, after: int = 0) -> Iterator[bytes]:
        """The hashes of the leaves after the first *after* ones.

        :raises IntegrityError: if one is missing.
        """
        expected = after + 1
        sql = "SELECT event_id, hash FROM leaf WHERE event_id > ? ORDER BY 1 LIMIT ?"
        for number, leaf in map(_LEAF, self._pages(sql, after)):
            if number != expected:
                seen = f"leaf {number} after leaf {expected - 1}"
                raise IntegrityError(
                    Problem(code="record.leaf-missing", subject="record", seen=seen, expected="a leaf for each event")
                )
            yield leaf
            expected += 1

    def event(self, number: int) -> RecordedEvent:
        """The event with a number, from 1.

        :raises NotFound: if there is none, or it has no leaf.
        """
        found = next(self.events(number - 1, 1), None)
        if found is None or found.number != number:
            raise NotFound(
                Problem(code="record.event-missing", subject=f"event {number}", seen="not there", expected="an event")
            )
        return found

    def events(self, after: int = 0, page: int = _PAGE) -> Iterator[RecordedEvent]:
        """The events that have a leaf, after number *after*.

        :raises IntegrityError: if the leaf of one cannot be read.
        """
        columns = Columns([None, *self._names("audit_event")])
        sql = """SELECT e.id, l.written, e.* FROM audit_event e JOIN leaf l ON l.event_id = e.id WHERE e.id > ?
            ORDER BY e.id LIMIT ?"""
        for number, written, *event in self._pages(sql, after, page):
            try:
                rows = tuple(unpack_rows(written))
                entry = entry_text(columns.text([None, *event]), [row.hash for row in rows], written)
                at = _AT((number, event[1]))[1]
            except UNREADABLE:
                seen, expected = "its leaf cannot be read", "the event as it was appended"
                raise IntegrityError(
                    Problem(code="record.event-changed", subject=f"event {number}", seen=seen, expected=expected)
                ) from None
            yield RecordedEvent(number=number, at=at, entry=entry, rows=rows)

    def certificate_pages(self, after: int, size: int) -> list[int]:
        """The ids after which pages of certificates begin (see :class:`~smki.ledger.record.RecordReader`)."""
        sql = "SELECT coalesce(max(certificate_id), 0) FROM audit_event WHERE id <= ? AND event != 'migrated'"
        first: int = self._read(sql, (after,))[0][0] if after else 0
        sql = """SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS position FROM certificate WHERE id > ?)
            WHERE position % ? = 0"""
        return [first, *(row[0] for row in self._read(sql, (first, size)))]

    def rows(self) -> Iterator[RecordedRow]:
        """Every row that is covered, as it is now."""
        for part in PARTS:
            names = self._names(part.table)
            columns, positions = part.columns(names), [names.index(column) for column in part.key]
            sql = f"SELECT rowid, * FROM {part.table} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608
            for _, *values in self._pages(sql, -(2**63)):
                key = key_text([values[position] for position in positions])
                yield RecordedRow(part=part.number, key=key, text=row_text(part.name, columns.text(values)))

    def issue(self, serial_number: SerialNumber) -> tuple[RecordedEvent, int, str]:
        """The event that covers a certificate as it was issued, the position of its row, and the text of that row.

        :raises NotFound: if no event covers it.
        """
        names = self._names(CERTIFICATE.table)
        found = self._read("SELECT * FROM certificate WHERE serial_number = ?", (serial_number.encoded,))
        if found:
            key = key_text(found[0][:1])
            for (number,) in self._read(
                """SELECT id FROM audit_event WHERE certificate_id = ? AND event IN ('issued', 'authority added')
                    UNION SELECT id FROM audit_event WHERE event = 'migrated' ORDER BY 1""",
                found[0][:1],
            ):
                event = self.event(number)
                for position, row in enumerate(event.rows):
                    if row.part == CERTIFICATE.number and row.key == key:
                        return event, position, row_text(CERTIFICATE.name, CERTIFICATE.columns(names).text(found[0]))
        raise NotFound(
            Problem(
                code="certificate.unknown",
                subject=f"certificate {serial_number}",
                seen="not in the record",
                expected="the serial number of a certificate that was issued here",
                remedy="certificate.list",
            )
        )

    def _names(self, table: str) -> list[str]:
        return [row[0] for row in self._read("SELECT name FROM pragma_table_info(?) ORDER BY cid", (table,))]

    def _pages(self, sql: str, after: int, page: int = _PAGE) -> Iterator[tuple[Any, ...]]:
        while found := self._read(sql, (after, page)):
            yield from found
            after = found[-1][0]
