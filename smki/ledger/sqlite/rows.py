"""Converts records to rows of the SQLite ledger and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from smki.clock import from_seconds, to_seconds
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.decisions import NewCertificate
from smki.ledger.records import (
    ApplicationQuery,
    ApplicationRecord,
    CertificateRecord,
    Event,
    EventKind,
    EventQuery,
    NewApplication,
    NewEvent,
    Statement,
)
from smki.ledger.sqlite.packing import unpack
from smki.ledger.sqlite.row_form import row_of
from smki.problem import Problem
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

Read = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]
"""Runs a query and returns its rows."""

MAX_INTEGER = 2**63 - 1
"""The largest number that SQLite stores; a larger one in a query is an error."""

CERTIFICATE_COLUMNS = (
    "id, serial_number, kind, entity_identifier, role, usage, not_before, not_after, status, status_since, "
    "deemed_accepted, issued, issuer_serial_number, application_id, der, top_up, replaced"
)
APPLICATION_COLUMNS = (
    "id, received, interface, subscriber, officer, applied_by, kind, entity_identifier, role, usage, request, "
    "granted, reasons, serial_number, tbs, top_up, test, statement"
)


NEW_APPLICATION_COLUMNS = (
    "received", "interface", "subscriber", "officer", "applied_by", "kind", "entity_identifier", "role", "usage",
    "request", "granted", "reasons", "serial_number", "top_up", "test", "statement",
)  # fmt: skip
NEW_CERTIFICATE_COLUMNS = (
    "serial_number", "kind", "entity_identifier", "role", "usage", "public_key", "not_before", "not_after", "status",
    "status_since", "deemed_accepted", "issued", "issuer_serial_number", "application_id", "der", "top_up",
)  # fmt: skip
EVENT_COLUMNS = (
    "at", "event", "interface", "party", "officer", "concerns", "device", "application_id", "certificate_id", "detail",
    "content",
)  # fmt: skip


def _insertion(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


INSERT_APPLICATION = _insertion("application", NEW_APPLICATION_COLUMNS)
INSERT_CERTIFICATE = _insertion("certificate", NEW_CERTIFICATE_COLUMNS)
INSERT_EVENT = _insertion("audit_event", EVENT_COLUMNS)

# The actor of an issued certificate is stored with its application, not with its event.
_EVENTS = """SELECT e.id, e.at, e.event, coalesce(e.interface, a.interface, ''),
    coalesce(e.party, a.applied_by, a.subscriber, ''), coalesce(e.officer, a.officer, ''), coalesce(e.concerns, ''),
    e.device, e.application_id, e.certificate_id, coalesce(e.detail, ''), e.content, c.serial_number
    FROM audit_event e
    LEFT JOIN application a ON a.id = e.application_id AND e.event IN ('issued', 'refused', 'authority added')
    LEFT JOIN certificate c ON c.id = e.certificate_id"""


def application_row(
    new: NewApplication, serial_number: SerialNumber | None, reasons: Sequence[Problem]
) -> tuple[Any, ...]:
    """Return the parameters of INSERT_APPLICATION, but for the request, which is to be packed."""
    return (
        to_seconds(new.received),
        new.interface,
        new.subscriber,
        new.officer,
        new.applied_by,
        new.kind.value,
        *_whose(new),
        new.request,
        serial_number is not None,
        _reasons_text(reasons),
        serial_number.encoded if serial_number else None,
        new.top_up,
        new.test,
        new.statement.value if new.statement else None,
    )


def certificate_row(new: NewCertificate, application_id: int) -> tuple[Any, ...]:
    """Return the parameters of INSERT_CERTIFICATE, with None for the DER."""
    issued = to_seconds(new.issued)
    return (
        new.serial_number.encoded,
        new.kind.value,
        *_whose(new),
        public_key_digest(new.public_key_info),
        to_seconds(new.not_before),
        to_seconds(new.not_after),
        new.status.value,
        issued,
        to_seconds(new.deemed_accepted) if new.deemed_accepted else None,
        issued,
        new.issuer_serial_number.encoded if new.issuer_serial_number else None,
        application_id,
        None,
        new.top_up,
    )


def event_row(new: NewEvent) -> tuple[Any, ...]:
    """Return the parameters of INSERT_EVENT; empty strings are stored as NULL."""
    return decision_event_row(new, new.application_id, new.certificate_id)


def decision_event_row(new: NewEvent, application_id: int | None, certificate_id: int | None) -> tuple[Any, ...]:
    """Return the parameters of INSERT_EVENT for an event about an application and certificate with these ids."""
    return (
        to_seconds(new.at),
        new.kind.value,
        new.interface or None,
        new.party or None,
        new.officer or None,
        new.concerns or None,
        new.device_id.encoded if new.device_id else None,
        application_id,
        certificate_id,
        new.detail or None,
        json.dumps(new.content, separators=(",", ":")) if new.content is not None else None,
    )


@row_of("audit_event", "iitttttBIItTB")
def event(row: tuple[Any, ...]) -> Event:
    """Return an event from a row of :func:`event_query`."""
    return Event(
        id=row[0],
        at=from_seconds(row[1]),
        kind=EventKind(row[2]),
        interface=row[3],
        party=row[4],
        officer=row[5],
        concerns=row[6],
        device_id=EntityIdentifier(row[7]) if row[7] is not None else None,
        application_id=row[8],
        certificate_id=row[9],
        detail=row[10],
        content=json_object(row[11]) if row[11] is not None else None,
        serial_number=SerialNumber.from_bytes(row[12]) if row[12] is not None else None,
    )


def event_query(
    query: EventQuery, begin: int, *, descending: bool = False, end: int = 0
) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL for the events after (or, descending, before) an id, and its parameters without the last one, the
    limit.

    :param end: the lowest id to examine.
    """
    conditions: list[tuple[str, tuple[Any, ...]]] = [("e.id < ?" if descending else "e.id > ?", (begin,))]
    if end:
        conditions.append(("e.id >= ?", (end,)))
    if query.kind is not None:
        conditions.append(("e.event = ?", (query.kind.value,)))
    if query.serial_number is not None:
        of_certificate = "e.certificate_id = (SELECT id FROM certificate WHERE serial_number = ?)"
        conditions.append((of_certificate, (query.serial_number.encoded,)))
    if query.device_id is not None:
        of_device = """e.id IN (SELECT id FROM audit_event WHERE device = ? UNION ALL SELECT x.id FROM audit_event x
            JOIN certificate y ON y.id = x.certificate_id WHERE y.entity_identifier = ?)"""
        conditions.append((of_device, (query.device_id.encoded,) * 2))
    if query.party is not None:
        of_party = """(e.party = ? OR e.concerns = ? OR EXISTS (SELECT 1 FROM application o
            WHERE o.id = e.application_id AND (o.subscriber = ? OR o.applied_by = ?)))"""
        conditions.append((of_party, (query.party,) * 4))
    if query.officer is not None:
        conditions.append(("coalesce(e.officer, a.officer) = ?", (query.officer,)))
    if query.at.first is not None:
        conditions.append(("e.at >= ?", (to_seconds(query.at.first),)))
    if query.at.last is not None:
        conditions.append(("e.at <= ?", (to_seconds(query.at.last),)))
    where, parameters = joined(conditions)
    return f"{_EVENTS} WHERE 1{where} ORDER BY e.id {'DESC' if descending else ''} LIMIT ?", parameters


def public_key_digest(public_key_info: bytes) -> bytes:
    """Return the value by which a public key is looked up: the first 16 bytes of the SHA-256 of its
    SubjectPublicKeyInfo."""
    return hashlib.sha256(public_key_info).digest()[:16]


def _reasons_text(reasons: Sequence[Problem]) -> str | None:
    return json.dumps([reason.fields() for reason in reasons]) if reasons else None


def _whose(of: NewApplication | NewCertificate) -> tuple[bytes | None, int | None, str | None]:
    return (
        of.entity_identifier.encoded if of.entity_identifier else None,
        of.role.decimal if of.role else None,
        of.usage.code if of.usage else None,
    )


def application_conditions(query: ApplicationQuery) -> tuple[str, tuple[Any, ...]]:
    """Return `` AND …`` for each field of the query, and the parameters."""
    conditions: list[tuple[str, tuple[Any, ...]]] = []
    if query.subscriber is not None:
        conditions.append(("subscriber = ?", (query.subscriber,)))
    if query.entity_identifier is not None:
        conditions.append(("entity_identifier = ?", (query.entity_identifier.encoded,)))
    if query.kind is not None:
        conditions.append(("kind = ?", (query.kind.value,)))
    if query.granted is not None:
        conditions.append(("granted = ?", (query.granted,)))
    if query.involved is not None:
        conditions.append(("(subscriber = ? OR applied_by = ?)", (query.involved, query.involved)))
    return joined(conditions)


def joined(conditions: Iterable[tuple[str, tuple[Any, ...]]]) -> tuple[str, tuple[Any, ...]]:
    """Return `` AND …`` for each condition, and the parameters of all of them."""
    conditions = list(conditions)
    sql = "".join(f" AND {condition}" for condition, _ in conditions)
    return sql, tuple(value for _, values in conditions for value in values)


_ROLES = {role.decimal: role for role in RemotePartyRole}
_USAGES = {"DS": KeyUsage.DIGITAL_SIGNATURE, "KA": KeyUsage.KEY_AGREEMENT}


@row_of("certificate", "ibtBITiitiIiBibiI")
def certificate_record(row: tuple[Any, ...]) -> CertificateRecord:
    """Return a record from a row of CERTIFICATE_COLUMNS."""
    return CertificateRecord(
        id=row[0],
        serial_number=SerialNumber.from_bytes(row[1]),
        kind=CertificateKind(row[2]),
        entity_identifier=EntityIdentifier(row[3]) if row[3] is not None else None,
        role=_ROLES[row[4]] if row[4] is not None else None,
        usage=_USAGES[row[5]] if row[5] is not None else None,
        not_before=from_seconds(row[6]),
        not_after=from_seconds(row[7]),
        stored_status=CertificateStatus(row[8]),
        status_since=from_seconds(row[9]),
        deemed_accepted=from_seconds(row[10]) if row[10] is not None else None,
        issued=from_seconds(row[11]),
        issuer_serial_number=SerialNumber.from_bytes(row[12]) if row[12] is not None else None,
        application_id=row[13],
        der=row[14],
        top_up=bool(row[15]),
        replaced=from_seconds(row[16]) if row[16] is not None else None,
    )


@row_of("application", "iitttTtBITBiTBBiTT")
def application_record(row: tuple[Any, ...]) -> ApplicationRecord:
    """Return a record from a row of APPLICATION_COLUMNS."""
    application = NewApplication(
        received=from_seconds(row[1]),
        interface=row[2],
        subscriber=row[3],
        officer=row[4],
        applied_by=row[5],
        kind=CertificateKind(row[6]),
        entity_identifier=EntityIdentifier(row[7]) if row[7] is not None else None,
        role=_ROLES[row[8]] if row[8] is not None else None,
        usage=_USAGES[row[9]] if row[9] is not None else None,
        request=unpack(row[10]) if row[10] is not None else None,
        top_up=bool(row[15]),
        test=row[16],
        statement=Statement(row[17]) if row[17] is not None else None,
    )
    return ApplicationRecord(
        id=row[0],
        application=application,
        granted=bool(row[11]),
        reasons=tuple(map(_reason, json.loads(row[12]))) if row[12] else (),
        serial_number=SerialNumber.from_bytes(row[13]) if row[13] is not None else None,
        tbs=row[14],
    )


def json_object(text: str) -> dict[str, Any]:
    """Return a JSON object from its stored form.

    :raises ValueError: if it is anything else.
    """
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _reason(fields: dict[str, Any]) -> Problem:
    reason = Problem(**fields)
    if not all(isinstance(value, str) for value in (*({**fields, "given": ""}).values(), *reason.given.values())):
        raise ValueError("a reason that is not text")
    return reason


def never_in_use(table: str) -> str:
    """Return the condition in SQL that a certificate was rejected, or revoked while pending, and so never was in use.

    Ledgers of version 0.1 let a certificate that was revoked while pending replace the older ones all the same; their
    events have no interface.

    :param table: the name of the certificate table in the query.
    """
    accepted = f"SELECT 1 FROM audit_event a WHERE a.certificate_id = {table}.id AND a.event = 'accepted'"  # noqa: S608
    return f"""EXISTS (SELECT 1 FROM audit_event e WHERE e.certificate_id = {table}.id AND (e.event = 'rejected'
        OR (e.event = 'revoked' AND e.interface IS NOT NULL AND e.at < {table}.deemed_accepted
            AND NOT EXISTS ({accepted}))))"""  # noqa: S608
