"""Paginated queries of the ledger, in any order. Late pages are as fast as the first one.

A page begins after a given certificate, not at an offset (keyset pagination). If no index supports a condition, a page
examines at most :data:`SCANNED_FOR_A_PAGE` certificates: it may then have fewer results than requested, or none, and
still not be the last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from smki.clock import NO_WELL_DEFINED_EXPIRY
from smki.identity import EntityIdentifier
from smki.ledger.records import (
    ApplicationQuery,
    ApplicationRecord,
    CertificateQuery,
    CertificateRecord,
    Event,
    EventQuery,
    Order,
    Page,
    Period,
    Statistics,
)
from smki.ledger.sqlite import rows
from smki.ledger.sqlite.conditions import Condition, certificate_conditions, period_conditions, serial_number_condition
from smki.ledger.sqlite.register import device_of_row, registrant_of_row
from smki.ledger.sqlite.row_form import row_of
from smki.ledger.sqlite.rows import Read
from smki.ledger.sqlite.schema import fingerprint_prefix
from smki.ledger.sqlite.statistics import read_statistics
from smki.sec.device import Device, DeviceType, SmiStatus
from smki.sec.registry_fields import Registrant
from smki.sec.role import CertificateKind, CertificateStatus

SCANNED_FOR_A_PAGE = 20_000
"""Maximum number of rows that are examined for one page, which takes a few dozen milliseconds."""


class _Stretch(NamedTuple):
    """A part of an order that one index covers."""

    hint: str
    condition: str
    columns: tuple[str, ...]

    @property
    def conditions(self) -> list[Condition]:
        """The condition, as a list of at most one."""
        return [(self.condition, ())] if self.condition else []


class _Part(NamedTuple):
    """The part of a stretch that is still to be read."""

    stretch: _Stretch
    conditions: list[Condition]


_ORDERS: dict[Order, tuple[_Stretch, ...]] = {
    Order.ISSUED: (_Stretch("INDEXED BY certificate_issued", "", ("issued", "id")),),
    Order.SERIAL_NUMBER: (_Stretch("INDEXED BY sqlite_autoindex_certificate_1", "", ("serial_number", "id")),),
    Order.NOT_AFTER: (_Stretch("INDEXED BY certificate_not_after", "", ("not_after", "id")),),
    Order.ENTITY_IDENTIFIER: (
        _Stretch("INDEXED BY certificate_entity", "entity_identifier IS NULL", ("issued", "id")),
        _Stretch(
            "INDEXED BY certificate_entity", "entity_identifier IS NOT NULL", ("entity_identifier", "issued", "id")
        ),
    ),
}
_KEYS = ("id", "issued", "serial_number", "not_after", "entity_identifier")

_RARE_STATUSES = (CertificateStatus.PENDING, CertificateStatus.NOT_IN_USE, CertificateStatus.REVOKED)
_NOT_FROM_DCA = (CertificateKind.ROOT_OCA, CertificateKind.ISSUING_OCA, CertificateKind.ROOT_DCA)
_NOT_DEVICES = tuple(kind for kind in CertificateKind if kind is not CertificateKind.DEVICE)


class SqliteSearch:
    """Finds records.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    def certificates(
        self,
        query: CertificateQuery,
        order: Order = Order.ISSUED,
        *,
        descending: bool = False,
        after: int | None = None,
        limit: int = 100,
    ) -> Page[CertificateRecord]:
        """A page of the certificates that match.

        :param after: :attr:`Page.last` of the page before; None for the first page.
        :param limit: maximum number of records.
        """
        behind = self._keys(after) if after is not None else None
        query = self._without_issuers_of_few(query)
        found: list[CertificateRecord] = []
        last: int | None = None
        for part in _parts(order, descending, behind):
            records, last = self._run(_Statement(query, part, order, descending), limit - len(found))
            found += records
            if last is not None:
                break
        if query.sha256 is not None:
            found = [record for record in found if hashlib.sha256(record.der).digest() == query.sha256]
        return Page(found, last)

    def all_certificates(
        self,
        query: CertificateQuery,
        order: Order = Order.ISSUED,
        *,
        descending: bool = False,
        after: int | None = None,
    ) -> Iterator[CertificateRecord]:
        """Every certificate that matches, read a page at a time.

        :param after: the row after which to begin; None to begin at the first one.
        """
        while True:
            page = self.certificates(query, order, descending=descending, after=after, limit=500)
            yield from page.records
            if page.last is None:
                return
            after = page.last

    def holds_certificate(self, row: int) -> bool:
        """Return whether a page can begin after that row."""
        return bool(self._read("SELECT 1 FROM certificate WHERE id = ?", (row,)))

    def _keys(self, row: int) -> dict[str, Any]:
        found = self._read(f"SELECT {', '.join(_KEYS)} FROM certificate WHERE id = ?", (row,))  # noqa: S608
        return dict(zip(_KEYS, found[0], strict=True)) if found else dict.fromkeys(_KEYS, 0)

    def _without_issuers_of_few(self, query: CertificateQuery) -> CertificateQuery:
        # Only Issuing DCAs issue many certificates. What any other authority issued is among the few that are not
        # Devices'.
        if query.issuer is None or query.kinds is not None:
            return query
        encoded = query.issuer.encoded
        found = self._read("SELECT serial_number, kind FROM certificate WHERE serial_number = ?", (encoded,))
        if found and _kind(found[0]) in _NOT_FROM_DCA:
            return replace(query, kinds=_NOT_DEVICES)
        return query

    def _run(self, statement: _Statement, limit: int) -> tuple[list[CertificateRecord], int | None]:
        """Return the records, and the row after which the next page begins; None if this part has ended."""
        records = [rows.certificate_record(row) for row in self._read(*statement.page(limit))]
        if len(records) == limit:
            return records, records[-1].id
        boundary = self._read(*statement.boundary()) if statement.narrows else []
        return records, boundary[0][0] if boundary else None

    def registrants(self, after: int = 0, limit: int = 100) -> Page[Registrant]:
        """A page of Parties and Testing Participants, in the order in which they were added."""
        sql = "SELECT rowid, id, record FROM registrant WHERE rowid > ? ORDER BY rowid LIMIT ?"
        found = self._read(sql, (after, limit))
        records = [registrant_of_row(row[1:]) for row in found]
        return Page(records, found[-1][0] if len(found) == limit else None)

    def devices(
        self,
        after: EntityIdentifier | None = None,
        limit: int = 100,
        *,
        device_type: DeviceType | None = None,
        status: SmiStatus | None = None,
    ) -> tuple[list[Device], EntityIdentifier | None]:
        """A page of the Smart Metering Inventory in the order of Device IDs, and the id after which the next page
        begins."""
        begin = after.encoded if after else b""
        walked = self._read(
            "SELECT id FROM device WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", (begin, SCANNED_FOR_A_PAGE - 1)
        )
        end = _device_id(walked[0]).encoded if walked else b"\xff" * 8
        conditions: list[Condition] = [("id > ?", (begin,)), ("id <= ?", (end,))]
        if device_type is not None:
            conditions.append(("json_extract(record, '$.device_type') = ?", (device_type.name,)))
        if status is not None:
            conditions.append(("json_extract(record, '$.status') = ?", (status.value,)))
        where, parameters = rows.joined(conditions)
        sql = f"SELECT id, record FROM device WHERE 1{where} ORDER BY id LIMIT ?"  # noqa: S608
        found = self._read(sql, (*parameters, limit))
        devices = list(map(device_of_row, found))
        if len(found) == limit:
            return devices, EntityIdentifier(found[-1][0])
        return devices, EntityIdentifier(end) if walked else None

    def applications(
        self, query: ApplicationQuery, before: int | None = None, limit: int = 100
    ) -> Page[ApplicationRecord]:
        """A page of applications, the latest first.

        :param before: :attr:`Page.last` of the page before.
        """
        begin = before if before is not None else (1 << 62)
        walked = self._read(
            "SELECT id FROM application WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ?",
            (begin, SCANNED_FOR_A_PAGE - 1),
        )
        end = walked[0][0] if walked else 0
        where, parameters = rows.application_conditions(query)
        sql = f"""SELECT {rows.APPLICATION_COLUMNS} FROM application WHERE id < ? AND id >= ?{where}
            ORDER BY id DESC LIMIT ?"""  # noqa: S608
        found = [rows.application_record(row) for row in self._read(sql, (begin, end, *parameters, limit))]
        if len(found) == limit:
            return Page(found, found[-1].id)
        return Page(found, end if walked else None)

    def events(self, query: EventQuery, before: int | None = None, limit: int = 100) -> Page[Event]:
        """A page of audit events, the latest first.

        :param before: :attr:`Page.last` of the page before.
        """
        begin = before if before is not None else (1 << 62)
        # An index finds the events of a certificate or a Device, however old they are.
        is_indexed = query.serial_number is not None or query.device_id is not None
        walked = (
            ()
            if is_indexed
            else self._read(
                "SELECT id FROM audit_event WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ?",
                (begin, SCANNED_FOR_A_PAGE - 1),
            )
        )
        end = walked[0][0] if walked else 0
        sql, parameters = rows.event_query(query, begin, descending=True, end=end)
        found = [rows.event(row) for row in self._read(sql, (*parameters, limit))]
        if len(found) == limit:
            return Page(found, found[-1].id)
        return Page(found, end if walked else None)

    def statistics(self, now: int) -> Statistics:
        """Return counts of certificates and applications (:mod:`smki.ledger.sqlite.statistics`).

        :param now: the moment at which the status is determined, in seconds since 1970-01-01T00:00:00Z.
        """
        return read_statistics(self._read, now)


@row_of("device", "b")
def _device_id(row: tuple[Any, ...]) -> EntityIdentifier:
    return EntityIdentifier(row[0])


@row_of("certificate", "bt")
def _kind(row: tuple[Any, ...]) -> CertificateKind:
    return CertificateKind(row[1])


class _Statement:
    """The SQL for one part of the order of one query."""

    def __init__(self, query: CertificateQuery, part: _Part, order: Order, descending: bool) -> None:
        self._index, served = _index_for(query, part.stretch, order)
        self._served = [*served, *part.conditions]
        direction = " DESC" if descending else ""
        self._order = ", ".join(f"{column}{direction}" for column in part.stretch.columns)
        self._wanted = [condition for condition in certificate_conditions(query) if condition not in served]

    @property
    def narrows(self) -> bool:
        """Return whether rows may be skipped."""
        return bool(self._wanted)

    def _walk(self, columns: str) -> tuple[str, tuple[Any, ...]]:
        where, parameters = rows.joined(self._served)
        sql = f"SELECT {columns} FROM certificate {self._index} WHERE 1{where} ORDER BY {self._order}"  # noqa: S608
        return sql, parameters

    def page(self, limit: int) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL for the records of this page."""
        walk, parameters = self._walk(rows.CERTIFICATE_COLUMNS)
        if not self.narrows:
            return f"{walk} LIMIT ?", (*parameters, limit)
        # The rows are produced one by one, in order, until there are enough of them.
        where, wanted = rows.joined(self._wanted)
        sql = f"SELECT * FROM ({walk} LIMIT {SCANNED_FOR_A_PAGE}) WHERE 1{where} LIMIT ?"  # noqa: S608
        return sql, (*parameters, *wanted, limit)

    def boundary(self) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL for the id of the last row examined for this page; it finds nothing if the part ends
        before."""
        walk, parameters = self._walk("id")
        return f"{walk} LIMIT 1 OFFSET {SCANNED_FOR_A_PAGE - 1}", parameters


def _index_for(query: CertificateQuery, stretch: _Stretch, order: Order) -> tuple[str, list[Condition]]:
    """Return the index that leaves the fewest certificates to examine, and the conditions that it covers."""
    if query.serial_number is not None:
        return "", [("serial_number = ?", (query.serial_number.encoded,))]
    if query.serial_prefix is not None:
        return "INDEXED BY sqlite_autoindex_certificate_1", [serial_number_condition(query.serial_prefix)]
    if query.sha256 is not None:
        prefix = (fingerprint_prefix(query.sha256),)
        return "", [("id IN (SELECT certificate_id FROM fingerprint WHERE prefix = ?)", prefix)]
    if query.entity_identifier is not None:
        return "INDEXED BY certificate_entity", [("entity_identifier = ?", (query.entity_identifier.encoded,))]
    if query.role is not None:
        return "INDEXED BY certificate_role", [("role = ?", (query.role.decimal,))]
    if query.status in _RARE_STATUSES:
        return "INDEXED BY certificate_unusual", [("(status != 'I' OR replaced IS NOT NULL)", ())]
    if query.kinds is not None and CertificateKind.DEVICE not in query.kinds:
        return "INDEXED BY certificate_not_device", [("kind != 'device'", ())]
    if _expires(query) or order is Order.NOT_AFTER:
        return "INDEXED BY certificate_not_after", list(period_conditions("not_after", _expiry(query)))
    if order is Order.ISSUED:
        return stretch.hint, list(period_conditions("issued", query.issued))
    return stretch.hint, []


def _parts(order: Order, descending: bool, behind: dict[str, Any] | None) -> Iterator[_Part]:
    """Return the parts of the order that are still to be read, in order."""
    stretches = list(_ORDERS[order])
    if descending:
        stretches.reverse()
    if behind is not None:
        at = next((number for number, stretch in enumerate(stretches) if _is_in(stretch, behind)), 0)
        yield from _rest_of(stretches[at], behind, "<" if descending else ">")
        del stretches[: at + 1]
    yield from (_Part(stretch, stretch.conditions) for stretch in stretches)


def _rest_of(stretch: _Stretch, behind: dict[str, Any], sign: str) -> Iterator[_Part]:
    """Return the rest of a stretch after a row: first the rows with equal columns, then those that differ in the last
    one, etc.

    A single comparison of all columns would be equivalent, but SQLite would read the index from the first equal row.
    """
    for differing in reversed(range(len(stretch.columns))):
        equal = [(f"{column} = ?", (behind[column],)) for column in stretch.columns[:differing]]
        column = stretch.columns[differing]
        yield _Part(stretch, [*stretch.conditions, *equal, (f"{column} {sign} ?", (behind[column],))])


def _is_in(stretch: _Stretch, keys: dict[str, Any]) -> bool:
    if not stretch.condition:
        return True
    return (stretch.condition == "entity_identifier IS NULL") is (keys["entity_identifier"] is None)


def _expires(query: CertificateQuery) -> bool:
    """Return whether only certificates with an expiry date match."""
    last = query.not_after.last
    return query.status is CertificateStatus.EXPIRED or (last is not None and last < NO_WELL_DEFINED_EXPIRY)


def _expiry(query: CertificateQuery) -> Period:
    """Return the period in which notAfter can be."""
    if query.status is not CertificateStatus.EXPIRED or query.moment is None:
        return query.not_after
    last = query.not_after.last
    return Period(query.not_after.first, query.moment if last is None else min(last, query.moment))
