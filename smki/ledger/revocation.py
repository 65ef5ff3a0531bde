"""Revocations and revocation lists as the ledger keeps them, in the same file."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from smki.clock import from_seconds, to_seconds
from smki.identity import SerialNumber
from smki.ledger.part import LedgerPart, Read, Write
from smki.pki.revocation_entry import RevocationReason, encode_entry_rows
from smki.problem import Problem, SmkiError


class AlreadyRevoked(SmkiError):
    """The certificate was revoked before."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revocation, which is one row; lists are made from rows."""

    serial_number: SerialNumber
    revoked: datetime
    """When it was asked for and granted."""
    effective: datetime
    """From when on it counts: later than *revoked* only where the SMKI PMA has delayed it."""
    reason: str
    """One of the words of ``smki revoke --reason``."""
    asked_by: str


@dataclass(frozen=True, slots=True)
class ListRecord:
    """A revocation list as it stands in the ledger."""

    issuer: SerialNumber
    """Serial number of the issuing authority's certificate."""
    number: int
    """CRLNumber."""
    this_update: datetime
    next_update: datetime
    entries: int
    """How many certificates it names."""
    der: bytes
    last_revocation: int = 0
    """Id of the last revocation that had been asked for when it was made."""


@dataclass(frozen=True, slots=True)
class ListEntries:
    """What a list has to name."""

    count: int
    encoded: bytes
    """The entries in DER, one behind the other."""


ListBuilder = Callable[[int, "ListRecord | None", ListEntries], ListRecord | None]
"""Makes a list from its number, the list before it and the entries; None if none is needed after all."""

_LIST_COLUMNS = "issuer_serial_number, number, this_update, next_update, entries, der, last_revocation"

CRL_REASONS = {
    "key-compromised": RevocationReason.KEY_COMPROMISE,
    "key-lost": RevocationReason.KEY_COMPROMISE,
    "information-wrong": RevocationReason.AFFILIATION_CHANGED,
    "rejected": RevocationReason.UNSPECIFIED,
    "no-longer-eligible": RevocationReason.CESSATION_OF_OPERATION,
    "superseded": RevocationReason.SUPERSEDED,
}
"""The reasons for which a revocation can be asked for, and how a list gives them (RFC 5280 5.3.1). Assumption: the
reasons; the Code's own could not be had. An unspecified reason is given by leaving reasonCode out."""


class Revocations(LedgerPart):
    """What was revoked, and the lists that said so."""

    def __init__(self, read: Read, write: Write) -> None:
        super().__init__(read, write)
        self._latest: dict[SerialNumber, ListRecord] = {}

    def add(self, revocation: Revocation) -> None:
        """Commit a revocation with its status and audit event.

        :raises AlreadyRevoked: when the certificate was revoked before.
        """

        def insert(connection: sqlite3.Connection) -> None:
            octets = revocation.serial_number.octets
            try:
                cursor = connection.execute(
                    """INSERT INTO revocation (certificate_id, serial_number, issuer_serial_number, not_after, revoked, effective,
                        reason, asked_by) SELECT id, serial_number, coalesce(issuer_serial_number, serial_number),
                        not_after, ?, ?, ?, ? FROM certificate WHERE serial_number = ?""",
                    (
                        to_seconds(revocation.revoked),
                        to_seconds(revocation.effective),
                        revocation.reason,
                        revocation.asked_by,
                        octets,
                    ),
                )
            except sqlite3.IntegrityError:
                raise AlreadyRevoked(_already(self.of(revocation.serial_number), revocation.serial_number)) from None
            if cursor.rowcount != 1:
                raise ValueError("no such certificate")
            connection.execute(
                "UPDATE certificate SET status = 'R', status_since = ? WHERE serial_number = ?",
                (to_seconds(revocation.effective), octets),
            )
            connection.execute(
                """INSERT INTO audit_event (at, event, application_id, certificate_id, detail)
                    SELECT ?, 'revoked', application_id, id, ? FROM certificate WHERE serial_number = ?""",
                (to_seconds(revocation.revoked), f"{revocation.reason}, by {revocation.asked_by}", octets),
            )

        self._write(insert)

    def of(self, serial_number: SerialNumber) -> Revocation | None:
        """The revocation of a certificate, or None."""
        sql = """SELECT r.serial_number, revoked, effective, reason, asked_by FROM revocation r
            JOIN certificate c ON c.id = r.certificate_id WHERE c.serial_number = ?"""
        rows = self._read(sql, (serial_number.octets,))
        return _revocation(rows[0]) if rows else None

    def pending(self, latest: ListRecord, now: datetime) -> datetime | None:
        """When the first revocation became effective that the list does not tell of yet; None if there is none."""
        sql = """SELECT min(effective) FROM revocation WHERE issuer_serial_number = ? AND effective <= ?
            AND (effective > ? OR id > ?)"""
        parameters = (latest.issuer.octets, to_seconds(now), to_seconds(latest.this_update), latest.last_revocation)
        found = self._read(sql, parameters)[0][0]
        return from_seconds(found) if found is not None else None

    def publish(self, issuer: SerialNumber, build: ListBuilder, now: datetime) -> ListRecord | None:
        """Allocate the next number, build the list and commit it, all in one transaction.

        :param build: is handed the number, the latest list and the entries at *now*.
        :returns: the new list, or None where *build* wanted none.
        """

        def write(connection: sqlite3.Connection) -> ListRecord | None:
            rows = connection.execute(
                f"SELECT {_LIST_COLUMNS} FROM revocation_list WHERE issuer_serial_number = ? ORDER BY number DESC LIMIT 1",  # noqa: S608
                (issuer.octets,),
            ).fetchall()
            latest = _list_record(rows[0]) if rows else None
            moment = max(now, latest.this_update) if latest else now
            made = build(latest.number + 1 if latest else 1, latest, _entries(connection, issuer, moment))
            if made is None:
                return None
            last = connection.execute("SELECT coalesce(max(id), 0) FROM revocation").fetchone()[0]
            connection.execute(
                f"INSERT INTO revocation_list ({_LIST_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (
                    issuer.octets,
                    made.number,
                    to_seconds(made.this_update),
                    to_seconds(made.next_update),
                    made.entries,
                    made.der,
                    last,
                ),
            )
            return replace(made, last_revocation=last)

        with _collector_paused():
            record: ListRecord | None = self._write(write)
        return record

    def latest(self, issuer: SerialNumber) -> ListRecord | None:
        """The list with the highest number, or None."""
        sql = "SELECT max(number) FROM revocation_list WHERE issuer_serial_number = ?"
        number = self._read(sql, (issuer.octets,))[0][0]
        if number is None:
            return None
        # A list of a hundred thousand entries is four megabytes, and most who ask have it already.
        kept = self._latest.get(issuer)
        if kept is None or kept.number != number:
            kept = self.numbered(issuer, number)
            if kept is not None:
                self._latest[issuer] = kept
        return kept

    def as_of(self, issuer: SerialNumber, moment: datetime) -> ListRecord | None:
        """The list that was the latest at a moment, or None."""
        sql = f"""SELECT {_LIST_COLUMNS} FROM revocation_list WHERE issuer_serial_number = ? AND this_update <= ?
            ORDER BY number DESC LIMIT 1"""  # noqa: S608
        rows = self._read(sql, (issuer.octets, to_seconds(moment)))
        return _list_record(rows[0]) if rows else None

    def numbered(self, issuer: SerialNumber, number: int) -> ListRecord | None:
        """The list with that number, or None."""
        sql = f"SELECT {_LIST_COLUMNS} FROM revocation_list WHERE issuer_serial_number = ? AND number = ?"  # noqa: S608
        rows = self._read(sql, (issuer.octets, number))
        return _list_record(rows[0]) if rows else None

    def lists(self, issuer: SerialNumber) -> Iterator[ListRecord]:
        """Every list of an issuer, in the order of their numbers, without its octets."""
        sql = """SELECT issuer_serial_number, number, this_update, next_update, entries, x'', last_revocation FROM revocation_list
            WHERE issuer_serial_number = ? ORDER BY number"""
        return map(_list_record, self._read(sql, (issuer.octets,)))


@contextmanager
def _collector_paused() -> Iterator[None]:
    # A list makes hundreds of thousands of small objects and no cycles: walking them again and again while they are
    # made would take as long as making them.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _entries(connection: sqlite3.Connection, issuer: SerialNumber, moment: datetime) -> ListEntries:
    """Everything of an issuer that is revoked at a moment and has not expired, in the order of its revocation."""
    now = to_seconds(moment)
    rows = connection.execute(
        """SELECT serial_number, effective, reason FROM revocation
            WHERE issuer_serial_number = ? AND effective <= ? AND not_after >= ? ORDER BY effective, id""",
        (issuer.octets, now, now),
    ).fetchall()
    encoded = encode_entry_rows((octets, effective, CRL_REASONS[reason] or None) for octets, effective, reason in rows)
    return ListEntries(len(rows), encoded)


def _revocation(row: tuple[Any, ...]) -> Revocation:
    return Revocation(SerialNumber.from_octets(row[0]), from_seconds(row[1]), from_seconds(row[2]), row[3], row[4])


def _list_record(row: tuple[Any, ...]) -> ListRecord:
    return ListRecord(
        SerialNumber.from_octets(row[0]), row[1], from_seconds(row[2]), from_seconds(row[3]), row[4], row[5], row[6]
    )


def _already(first: Revocation | None, serial_number: SerialNumber) -> Problem:
    seen = (
        f"revoked on {first.revoked:%Y-%m-%d at %H:%M:%S}Z for {first.reason}, by {first.asked_by}"
        if first
        else "revoked"
    )
    return Problem(
        "revocation.already", f"certificate {serial_number}", seen, "a certificate that is not revoked", "SEC L8"
    )
