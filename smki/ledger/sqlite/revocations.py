"""Revocations and revocation lists in the SQLite ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from smki.clock import from_seconds, to_seconds
from smki.identity import SerialNumber
from smki.ledger.records import ListRecord, Revocation, RevokedCertificate
from smki.ledger.sqlite.row_form import row_of, values_of
from smki.ledger.sqlite.rows import MAX_INTEGER, Read

_LIST_COLUMNS = "issuer_serial_number, number, this_update, next_update, entries, der, last_revocation"

_IS_IN_EFFECT = """(r.effective = r.revoked OR EXISTS (SELECT 1 FROM revocation_list l
    WHERE l.issuer_serial_number = r.issuer_serial_number AND l.last_revocation >= r.id AND l.this_update >= r.effective))"""
"""Whether a revocation is in effect although the clock shows an earlier time, because it was set back: it was not
delayed, or the time until which it was delayed had passed when a list was made."""


class SqliteRevocations:
    """A :class:`~smki.ledger.contract.RevocationReader`.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._latest: dict[SerialNumber, ListRecord] = {}

    def of(self, serial_number: SerialNumber) -> Revocation | None:
        """The revocation of a certificate, or None."""
        sql = """SELECT r.serial_number, revoked, effective, reason, asked_by FROM revocation r
            JOIN certificate c ON c.id = r.certificate_id WHERE c.serial_number = ?"""
        rows = self._read(sql, (serial_number.encoded,))
        return _revocation(rows[0]) if rows else None

    def pending(self, latest: ListRecord, now: datetime) -> datetime | None:
        """The time since which a revocation in effect is missing from a list; None if none is missing."""
        moment, this_update, issuer = to_seconds(now), to_seconds(latest.this_update), latest.issuer.encoded
        # Those recorded since the list was made, and those that were delayed then. Both are found without reading the
        # others, of which there may be a hundred thousand.
        sql = f"""SELECT min(since) FROM (
            SELECT CASE WHEN effective > ? THEN ? ELSE effective END AS since FROM revocation r
                WHERE id > ? AND +issuer_serial_number = ? AND (effective <= ? OR {_IS_IN_EFFECT})
            UNION ALL SELECT effective FROM revocation r WHERE issuer_serial_number = ?
                AND effective > ? AND effective <= ? AND NOT {_IS_IN_EFFECT})"""  # noqa: S608
        parameters = (
            moment, this_update, latest.last_revocation, issuer, moment, issuer, this_update, moment,
        )  # fmt: skip
        return _moment(self._read(sql, parameters)[0])

    def entries(
        self, issuer: SerialNumber, moment: datetime, *, last: int | None = None
    ) -> Iterator[RevokedCertificate]:
        """Every certificate of an issuer that is revoked and has not expired, for the list of a moment
        (see :class:`~smki.ledger.contract.RevocationReader`)."""
        now = to_seconds(moment)
        conditions = "issuer_serial_number = ? AND not_after >= ? AND id <= ?"
        parameters = (issuer.encoded, now, MAX_INTEGER if last is None else last, now)
        # Two queries, because the first one is answered from the index alone, whatever the number of entries.
        sql = f"""SELECT serial_number, effective, reason FROM revocation
            WHERE {conditions} AND effective <= ? ORDER BY effective, id"""  # noqa: S608
        later = f"""SELECT serial_number, ?, reason FROM revocation r
            WHERE {conditions} AND effective > ? AND {_IS_IN_EFFECT} ORDER BY effective, id"""  # noqa: S608
        rows = chain(self._read(sql, parameters), self._read(later, (now, *parameters)))
        return _entries(list(rows))

    def last_id(self) -> int:
        """The id of the last revocation; 0 if there is none."""
        last: int = self._read("SELECT coalesce(max(id), 0) FROM revocation", ())[0][0]
        return last

    def latest(self, issuer: SerialNumber) -> ListRecord | None:
        """The list with the highest number, or None."""
        sql = "SELECT max(number) FROM revocation_list WHERE issuer_serial_number = ?"
        number = _NUMBER(self._read(sql, (issuer.encoded,))[0])[0]
        if number is None:
            return None
        # A list with a hundred thousand entries has four megabytes, and is mostly requested by those who have it
        # already.
        kept = self._latest.get(issuer)
        if kept is None or kept.number != number:
            kept = self.numbered(issuer, number)
            if kept is not None:
                self._latest[issuer] = kept
        return kept

    def as_of(self, issuer: SerialNumber, moment: datetime) -> ListRecord | None:
        """The list with the highest number among those dated up to a moment, or None."""
        sql = f"""SELECT {_LIST_COLUMNS} FROM revocation_list WHERE issuer_serial_number = ? AND this_update <= ?
            ORDER BY number DESC LIMIT 1"""  # noqa: S608
        rows = self._read(sql, (issuer.encoded, to_seconds(moment)))
        return _list_record(rows[0]) if rows else None

    def numbered(self, issuer: SerialNumber, number: int) -> ListRecord | None:
        """The list with that number, or None."""
        if not 0 <= number <= MAX_INTEGER:
            return None
        sql = f"SELECT {_LIST_COLUMNS} FROM revocation_list WHERE issuer_serial_number = ? AND number = ?"  # noqa: S608
        rows = self._read(sql, (issuer.encoded, number))
        return _list_record(rows[0]) if rows else None

    def lists(self, issuer: SerialNumber) -> Iterator[ListRecord]:
        """Every list of an issuer, in the order of their numbers, without the DER."""
        sql = """SELECT issuer_serial_number, number, this_update, next_update, entries, x'', last_revocation FROM revocation_list
            WHERE issuer_serial_number = ? ORDER BY number"""
        return map(_list_record, self._read(sql, (issuer.encoded,)))


_NUMBER = values_of("revocation_list", "I")


@row_of("revocation", "I")
def _moment(row: tuple[Any, ...]) -> datetime | None:
    return from_seconds(row[0]) if row[0] is not None else None


def _entries(rows: list[tuple[Any, ...]]) -> Iterator[RevokedCertificate]:
    """Return the entries of a list.

    :raises IntegrityError: if one cannot be in a list.
    """
    # Checked column by column first: a million rows one by one take a second longer.
    return map(RevokedCertificate._make if _can_be_entries(rows) else _entry, rows)


def _can_be_entries(rows: list[tuple[Any, ...]]) -> bool:
    moments = [row[1] for row in rows]
    if {type(row[0]) for row in rows} - {bytes} or set(map(type, moments)) - {int}:
        return False
    if {type(row[2]) for row in rows} - {str}:
        return False
    return not rows or 0 <= min(moments) <= max(moments) <= _LATEST


_LATEST = to_seconds(datetime.max.replace(tzinfo=UTC))


@row_of("revocation", "bit")
def _entry(row: tuple[Any, ...]) -> RevokedCertificate:
    found = RevokedCertificate._make(row)
    _ = from_seconds(found.effective)
    return found


@row_of("revocation", "biitt")
def _revocation(row: tuple[Any, ...]) -> Revocation:
    return Revocation(
        serial_number=SerialNumber.from_bytes(row[0]),
        revoked=from_seconds(row[1]),
        effective=from_seconds(row[2]),
        reason=row[3],
        asked_by=row[4],
    )


@row_of("revocation_list", "biiiibi")
def _list_record(row: tuple[Any, ...]) -> ListRecord:
    return ListRecord(
        issuer=SerialNumber.from_bytes(row[0]),
        number=row[1],
        this_update=from_seconds(row[2]),
        next_update=from_seconds(row[3]),
        entries=row[4],
        der=row[5],
        last_revocation=row[6],
    )
