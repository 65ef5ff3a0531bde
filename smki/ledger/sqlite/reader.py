"""The queries of the SQLite ledger, over any connection."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.records import (
    ApplicationQuery,
    ApplicationRecord,
    CertificateQuery,
    CertificateRecord,
    Event,
    EventQuery,
)
from smki.ledger.sqlite import rows
from smki.ledger.sqlite.conditions import certificate_conditions
from smki.ledger.sqlite.credentials import SqliteCredentials
from smki.ledger.sqlite.history import SqliteHistory
from smki.ledger.sqlite.imports import SqliteImports
from smki.ledger.sqlite.record_reader import SqliteRecord
from smki.ledger.sqlite.register import SqliteRegister
from smki.ledger.sqlite.revocations import SqliteRevocations
from smki.ledger.sqlite.row_form import values_of
from smki.ledger.sqlite.rows import Read
from smki.ledger.sqlite.search import SqliteSearch
from smki.ledger.sqlite.sets import SqliteSets
from smki.sec.role import RemotePartyRole

PAGE = 500
"""Number of rows that are read at a time."""

_COUNT = values_of("subscriber", "ti")
_SETTING = values_of("setting", "tt")
_ROLE = values_of("certificate", "I")
_NUMBERS_ABOVE = values_of("audit_event", "ii")


# They are read for every application, and are nearly always the same.
_authority = lru_cache(maxsize=64)(rows.certificate_record)


class SqliteReader:
    """A :class:`~smki.ledger.contract.Reader`.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    @cached_property
    def register(self) -> SqliteRegister:
        """Parties, Testing Participants and Devices."""
        return SqliteRegister(self._read)

    @cached_property
    def revocations(self) -> SqliteRevocations:
        """Revocations and revocation lists."""
        return SqliteRevocations(self._read)

    @cached_property
    def credentials(self) -> SqliteCredentials:
        """API keys and officers' tokens."""
        return SqliteCredentials(self._read)

    @cached_property
    def imports(self) -> SqliteImports:
        """Certificates that were issued elsewhere."""
        return SqliteImports(self._read)

    @cached_property
    def record(self) -> SqliteRecord:
        """The record of all events."""
        return SqliteRecord(self._read)

    @cached_property
    def history(self) -> SqliteHistory:
        """The past of the register."""
        return SqliteHistory(self._read)

    @cached_property
    def search(self) -> SqliteSearch:
        """Paginated queries."""
        return SqliteSearch(self._read)

    @cached_property
    def sets(self) -> SqliteSets:
        """Queries about many things at once."""
        return SqliteSets(self._read)

    def certificate(self, serial_number: SerialNumber) -> CertificateRecord | None:
        """The certificate with that serial number, or None."""
        sql = f"SELECT {rows.CERTIFICATE_COLUMNS} FROM certificate WHERE serial_number = ?"  # noqa: S608
        found = self._read(sql, (serial_number.encoded,))
        return rows.certificate_record(found[0]) if found else None

    def certificates_of_key(self, public_key_info: bytes) -> list[CertificateRecord]:
        """Certificates for a public key, oldest first."""
        sql = f"SELECT {rows.CERTIFICATE_COLUMNS} FROM certificate WHERE public_key = ? ORDER BY id"  # noqa: S608
        return [rows.certificate_record(row) for row in self._read(sql, (rows.public_key_digest(public_key_info),))]

    def is_certified(self, public_key_info: bytes) -> bool:
        """Return whether there is a certificate for a public key."""
        sql = "SELECT 1 FROM certificate WHERE public_key = ?"
        return bool(self._read(sql, (rows.public_key_digest(public_key_info),)))

    def certificates(
        self, query: CertificateQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[CertificateRecord]:
        """Certificates that match, in the order in which they were issued, read a page at a time."""
        where, parameters = rows.joined(certificate_conditions(query))
        sql = f"SELECT {rows.CERTIFICATE_COLUMNS} FROM certificate WHERE id > ?{where} ORDER BY id LIMIT ?"  # noqa: S608
        yield from map(rows.certificate_record, self._pages(sql, parameters, after, limit))

    def authorities(self) -> list[CertificateRecord]:
        """The authorities' certificates, in the order in which they were issued."""
        sql = f"""SELECT {rows.CERTIFICATE_COLUMNS} FROM certificate
            WHERE kind IN ('root-oca', 'issuing-oca', 'root-dca', 'issuing-dca') ORDER BY id"""  # noqa: S608
        return list(map(_authority, self._read(sql, ())))

    def application(self, application_id: int) -> ApplicationRecord | None:
        """The application with that id, or None."""
        if not 0 <= application_id <= rows.MAX_INTEGER:
            return None
        sql = f"SELECT {rows.APPLICATION_COLUMNS} FROM application WHERE id = ?"  # noqa: S608
        found = self._read(sql, (application_id,))
        return rows.application_record(found[0]) if found else None

    def applications(
        self, query: ApplicationQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[ApplicationRecord]:
        """Applications that match, in the order in which they were received, read a page at a time."""
        where, parameters = rows.application_conditions(query)
        sql = f"SELECT {rows.APPLICATION_COLUMNS} FROM application WHERE id > ?{where} ORDER BY id LIMIT ?"  # noqa: S608
        yield from map(rows.application_record, self._pages(sql, parameters, after, limit))

    def unfinished_applications(self) -> list[ApplicationRecord]:
        """Applications of a ledger of version 0.1 whose certificate was never stored."""
        sql = f"SELECT {rows.APPLICATION_COLUMNS} FROM application WHERE tbs IS NOT NULL ORDER BY id"  # noqa: S608
        return [rows.application_record(row) for row in self._read(sql, ())]

    def certificates_issued_to(self, subscriber: str) -> int:
        """The number of certificates that a subscriber has had."""
        found = self._read("SELECT id, certificates FROM subscriber WHERE id = ?", (subscriber,))
        count: int = _COUNT(found[0])[1] if found else 0
        return count

    def certificates_by_test(self, subscriber: str) -> dict[str, int]:
        """The number of certificates that a subscriber has had for each of its tests, by name, and outside recorded
        tests under the empty name."""
        sql = """SELECT test, certificates FROM test_count WHERE subscriber = ?
            UNION ALL SELECT '', certificates FROM subscriber WHERE id = ?"""
        counts: dict[str, int] = dict(map(_COUNT, self._read(sql, (subscriber, subscriber))))
        in_all = counts.pop("", 0)
        return {**counts, "": in_all - sum(counts.values())}

    def setting(self, name: str) -> str | None:
        """The value of a setting that can be changed; None if it was never set."""
        found = self._read("SELECT name, value FROM setting WHERE name = ?", (name,))
        value: str | None = _SETTING(found[0])[1] if found else None
        return value

    def certificates_for_device(self, device_id: EntityIdentifier) -> int:
        """The number of certificates that a Device has had."""
        sql = "SELECT count(*) FROM certificate WHERE entity_identifier = ? AND kind = 'device'"
        count: int = self._read(sql, (device_id.encoded,))[0][0]
        return count

    def roles_certified(self, entity: EntityIdentifier) -> frozenset[RemotePartyRole]:
        """The roles of the Organisation Certificates that an Entity Identifier has had, whatever their status."""
        sql = "SELECT DISTINCT role FROM certificate WHERE entity_identifier = ? AND kind = 'organisation'"
        roles = (_ROLE(row)[0] for row in self._read(sql, (entity.encoded,)))
        found = (RemotePartyRole.of_decimal(role) for role in roles if role is not None)
        return frozenset(role for role in found if role is not None)

    def last_certificate_id(self) -> int:
        """The id of the last certificate; 0 if there is none."""
        last: int = self._read("SELECT coalesce(max(id), 0) FROM certificate", ())[0][0]
        return last

    def count_certificates(self) -> int:
        """The number of certificates."""
        count: int = self._read("SELECT count(*) FROM certificate", ())[0][0]
        return count

    def numbers_above(self) -> int:
        """The number above which everything is numbered since the last restore from a backup; 0 without one."""
        sql = """SELECT id, json_extract(content, '$.numbersAbove') FROM audit_event WHERE event = 'restored'
            ORDER BY id DESC LIMIT 1"""
        found = self._read(sql, ())
        above: int = _NUMBERS_ABOVE(found[0])[1] if found else 0
        return above

    def events(self, query: EventQuery = EventQuery()) -> Iterator[Event]:  # noqa: B008
        """Audit events that match, in the order in which they were appended, read a page at a time."""
        after = 0
        while True:
            sql, parameters = rows.event_query(query, after)
            found = self._read(sql, (*parameters, PAGE))
            yield from map(rows.event, found)
            if len(found) < PAGE:
                return
            after = found[-1][0]

    def _pages(self, sql: str, parameters: tuple[Any, ...], after: int, limit: int | None) -> Iterator[tuple[Any, ...]]:
        while limit is None or limit > 0:
            page = PAGE if limit is None else min(PAGE, limit)
            found = self._read(sql, (after, *parameters, page))
            yield from found
            if len(found) < page:
                return
            after = found[-1][0]
            limit = None if limit is None else limit - page
