"""Rows of the SQLite ledger: how records are written into them and read out of them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from smki.clock import from_seconds, to_seconds
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.contract import (
    ApplicationQuery,
    ApplicationRecord,
    CertificateRecord,
    Conditions,
    NewApplication,
    Overtaken,
    SerialTaken,
)
from smki.ledger.packing import pack, unpack
from smki.ledger.schema import fingerprint_prefix
from smki.problem import Problem
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

CERTIFICATE_COLUMNS = (
    "id, serial_number, kind, entity_identifier, role, usage, not_before, not_after, status, status_since, "
    "deemed_accepted, issued, issuer_serial_number, application_id, der, top_up, replaced"
)
APPLICATION_COLUMNS = (
    "id, received, interface, subscriber, officer, applied_by, kind, entity_identifier, role, usage, request, "
    "granted, reasons, serial_number, tbs, top_up"
)


def insert_application(
    connection: sqlite3.Connection,
    new: NewApplication,
    serial_number: SerialNumber | None,
    tbs: bytes | None,
    reasons: Sequence[Problem] = (),
) -> int:
    """Insert an application; granted if it has a serial number.

    :raises SerialTaken: when the serial number is there already.
    """
    try:
        cursor = connection.execute(
            """INSERT INTO application (received, interface, subscriber, officer, applied_by, kind, entity_identifier,
                role, usage, request, granted, reasons, serial_number, tbs, top_up)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                to_seconds(new.received),
                new.interface,
                new.subscriber,
                new.officer,
                new.applied_by,
                new.kind.value,
                *_whose(new),
                pack(new.request) if new.request is not None else None,
                serial_number is not None,
                _reasons_text(reasons),
                serial_number.octets if serial_number else None,
                tbs,
                new.top_up,
            ),
        )
    except sqlite3.IntegrityError as error:
        taken = serial_number.hex if serial_number else ""
        raise SerialTaken(Problem("serial-number.taken", "serial number", taken, "one that was never used")) from error
    return cursor.lastrowid or 0


def require(connection: sqlite3.Connection, new: NewApplication, conditions: Conditions) -> None:
    """Look once more, inside the transaction, at what the decision rested on.

    :raises Overtaken: when it no longer holds.
    """
    if conditions.public_key_info is not None and is_certified(connection, conditions.public_key_info):
        raise Overtaken(Problem("public-key.already-certified", "public key", "certified meanwhile"))
    if conditions.device_limit is not None and new.entity_identifier is not None:
        issued = count_for_device(connection, new.entity_identifier)
        if issued >= conditions.device_limit:
            raise Overtaken(Problem("device.limit-reached", "Device", f"{issued} issued meanwhile"))
    if conditions.quota is not None:
        issued = count_for_subscriber(connection, new.subscriber)
        if issued >= conditions.quota:
            raise Overtaken(Problem("participant.quota-reached", "quota", f"{issued} issued meanwhile"))


def is_certified(connection: sqlite3.Connection, public_key_info: bytes) -> bool:
    """Whether there is a certificate for a public key."""
    sql = "SELECT 1 FROM certificate WHERE public_key = ?"
    return connection.execute(sql, (public_key_digest(public_key_info),)).fetchone() is not None


def public_key_digest(public_key_info: bytes) -> bytes:
    """What public keys are looked up by: the first 16 octets of the SHA-256 of the SubjectPublicKeyInfo."""
    return hashlib.sha256(public_key_info).digest()[:16]


def count_for_device(connection: sqlite3.Connection, device_id: EntityIdentifier) -> int:
    """Certificates of a Device, and applications for it that are reserved."""
    row = connection.execute(
        """SELECT (SELECT count(*) FROM certificate WHERE entity_identifier = ?1 AND kind = 'device')
            + (SELECT count(*) FROM application WHERE tbs IS NOT NULL AND entity_identifier = ?1 AND kind = 'device')""",
        (device_id.octets,),
    ).fetchone()
    count: int = row[0]
    return count


def count_for_subscriber(connection: sqlite3.Connection, subscriber: str) -> int:
    """Certificates that a subscriber has had, reserved ones included."""
    row = connection.execute("SELECT certificates FROM subscriber WHERE id = ?", (subscriber,)).fetchone()
    return row[0] if row else 0


def count_one_more(connection: sqlite3.Connection, subscriber: str) -> None:
    """Count a certificate for a subscriber."""
    connection.execute(
        "INSERT INTO subscriber VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET certificates = certificates + 1",
        (subscriber,),
    )


def insert_certificate(connection: sqlite3.Connection, new: CertificateRecord, key: bytes) -> CertificateRecord:
    """Insert a certificate with its audit event, and clear what its application had reserved.

    :raises Overtaken: when there is a certificate for its public key already.
    """
    issuer = new.issuer_serial_number.octets if new.issuer_serial_number else None
    issued = to_seconds(new.issued)
    deemed = to_seconds(new.deemed_accepted) if new.deemed_accepted else None
    try:
        cursor = connection.execute(
            """INSERT INTO certificate (serial_number, kind, entity_identifier, role, usage, public_key, not_before,
                not_after, status, status_since, deemed_accepted, issued, issuer_serial_number, application_id, der,
                top_up) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                new.serial_number.octets,
                new.kind.value,
                *_whose(new),
                key,
                to_seconds(new.not_before),
                to_seconds(new.not_after),
                new.stored_status.value,
                issued,
                deemed,
                issued,
                issuer,
                new.application_id,
                new.der,
                new.top_up,
            ),
        )
    except sqlite3.IntegrityError as error:
        raise Overtaken(Problem("public-key.already-certified", "public key", "certified meanwhile")) from error
    identifier = cursor.lastrowid or 0
    prefix = fingerprint_prefix(hashlib.sha256(new.der).digest())
    connection.execute("INSERT INTO fingerprint VALUES (?, ?)", (prefix, identifier))
    connection.execute("UPDATE application SET tbs = NULL WHERE id = ?", (new.application_id,))
    if not new.kind.is_authority:
        replace_older(connection, identifier, deemed if deemed is not None else issued)
    insert_event(connection, issued, "issued", new.application_id, identifier)
    return replace(new, id=identifier)


def replace_older(connection: sqlite3.Connection, certificate_id: int, moment: int) -> None:
    """Put the certificate that a newer one takes over from out of use from a moment on: same subject, role and usage."""
    connection.execute(
        """UPDATE certificate SET replaced = ?1, replaced_by = ?2 WHERE id IN (
            SELECT older.id FROM certificate newer JOIN certificate older ON older.entity_identifier = newer.entity_identifier
            WHERE newer.id = ?2 AND older.id < newer.id AND older.kind = newer.kind AND older.role IS newer.role
                AND older.usage = newer.usage AND older.top_up = newer.top_up
                AND (older.replaced IS NULL OR older.replaced > ?1))""",
        (moment, certificate_id),
    )


def restore_older(connection: sqlite3.Connection, certificate_id: int) -> None:
    """Undo that: the newer one was rejected."""
    connection.execute(
        "UPDATE certificate SET replaced = NULL, replaced_by = NULL WHERE replaced_by = ?", (certificate_id,)
    )


def refuse_reserved(connection: sqlite3.Connection, application_id: int, reason: Problem) -> None:
    """Turn a reserved application into a refused one."""
    sql = "UPDATE application SET granted = 0, tbs = NULL, reasons = ? WHERE id = ?"
    connection.execute(sql, (_reasons_text([reason]), application_id))


def insert_event(
    connection: sqlite3.Connection,
    at: int,
    event: str,
    application_id: int | None,
    certificate_id: int | None,
    detail: str | None = None,
) -> None:
    """Insert an audit event."""
    connection.execute(
        "INSERT INTO audit_event (at, event, application_id, certificate_id, detail) VALUES (?, ?, ?, ?, ?)",
        (at, event, application_id, certificate_id, detail),
    )


def _reasons_text(reasons: Sequence[Problem]) -> str | None:
    return json.dumps([reason.as_json() for reason in reasons]) if reasons else None


def _whose(of: NewApplication | CertificateRecord) -> tuple[bytes | None, int | None, str | None]:
    return (
        of.entity_identifier.octets if of.entity_identifier else None,
        of.role.decimal if of.role else None,
        of.usage.code if of.usage else None,
    )


def application_conditions(query: ApplicationQuery) -> tuple[str, tuple[Any, ...]]:
    """`` AND …`` for each field of the query, and the parameters."""
    conditions: list[tuple[str, tuple[Any, ...]]] = []
    if query.subscriber is not None:
        conditions.append(("subscriber = ?", (query.subscriber,)))
    if query.entity_identifier is not None:
        conditions.append(("entity_identifier = ?", (query.entity_identifier.octets,)))
    if query.kind is not None:
        conditions.append(("kind = ?", (query.kind.value,)))
    if query.granted is not None:
        conditions.append(("granted = ?", (query.granted,)))
    if query.involved is not None:
        conditions.append(("(subscriber = ? OR applied_by = ?)", (query.involved, query.involved)))
    return joined(conditions)


def joined(conditions: Iterable[tuple[str, tuple[Any, ...]]]) -> tuple[str, tuple[Any, ...]]:
    """`` AND …`` for each condition, and the parameters of all of them."""
    conditions = list(conditions)
    sql = "".join(f" AND {condition}" for condition, _ in conditions)
    return sql, tuple(value for _, values in conditions for value in values)


_ROLES = {role.decimal: role for role in RemotePartyRole}
_USAGES = {"DS": KeyUsage.DIGITAL_SIGNATURE, "KA": KeyUsage.KEY_AGREEMENT}


def certificate_record(row: tuple[Any, ...]) -> CertificateRecord:
    """A record from a row of CERTIFICATE_COLUMNS."""
    return CertificateRecord(
        row[0],
        SerialNumber.from_octets(row[1]),
        CertificateKind(row[2]),
        EntityIdentifier(row[3]) if row[3] is not None else None,
        _ROLES[row[4]] if row[4] is not None else None,
        _USAGES[row[5]] if row[5] is not None else None,
        from_seconds(row[6]),
        from_seconds(row[7]),
        CertificateStatus(row[8]),
        from_seconds(row[9]),
        from_seconds(row[10]) if row[10] is not None else None,
        from_seconds(row[11]),
        SerialNumber.from_octets(row[12]) if row[12] is not None else None,
        row[13],
        row[14],
        bool(row[15]),
        from_seconds(row[16]) if row[16] is not None else None,
    )


def application_record(row: tuple[Any, ...]) -> ApplicationRecord:
    """A record from a row of APPLICATION_COLUMNS."""
    application = NewApplication(
        from_seconds(row[1]),
        row[2],
        row[3],
        row[4],
        row[5],
        CertificateKind(row[6]),
        EntityIdentifier(row[7]) if row[7] is not None else None,
        _ROLES[row[8]] if row[8] is not None else None,
        _USAGES[row[9]] if row[9] is not None else None,
        unpack(row[10]) if row[10] is not None else None,
        bool(row[15]),
    )
    reasons = tuple(Problem(**reason) for reason in json.loads(row[12])) if row[12] else ()
    serial_number = SerialNumber.from_octets(row[13]) if row[13] is not None else None
    return ApplicationRecord(row[0], application, bool(row[11]), reasons, serial_number, row[14])
