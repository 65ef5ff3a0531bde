"""Writes decided applications to the SQLite ledger: a few statements for any number of them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from smki.clock import to_seconds
from smki.ledger.contract import Conflict
from smki.ledger.decisions import DecidedApplication, RecordedDecision
from smki.ledger.records import CertificateRecord
from smki.ledger.sqlite import rows
from smki.ledger.sqlite.recording import Recorder
from smki.ledger.sqlite.schema import fingerprint_prefix
from smki.ledger.sqlite.sets import read_set
from smki.problem import Problem
from smki.sec.registry_fields import device_fields, to_text


def _with_id(insertion: str) -> str:
    return insertion.replace(" (", " (id, ", 1).replace("VALUES (", "VALUES (?, ", 1)


_INSERT_APPLICATION = _with_id(rows.INSERT_APPLICATION)
_INSERT_CERTIFICATE = _with_id(rows.INSERT_CERTIFICATE)
_INSERT_FINGERPRINT = "INSERT INTO fingerprint VALUES (?, ?)"
_REPLACE = "UPDATE certificate SET replaced = ?, replaced_by = ? WHERE id = ?"
_INSERT_DEVICE = "INSERT INTO device (id, record) VALUES (?, ?)"
_INSERT_EVENT = _with_id(rows.INSERT_EVENT)
_INSERT_LEAF = "INSERT INTO leaf VALUES (?, ?, ?)"
_COUNT_FOR_SUBSCRIBER = """INSERT INTO subscriber VALUES (?, ?)
    ON CONFLICT (id) DO UPDATE SET certificates = certificates + excluded.certificates"""
_COUNT_FOR_TEST = """INSERT INTO test_count VALUES (?, ?, ?)
    ON CONFLICT (subscriber, test) DO UPDATE SET certificates = certificates + excluded.certificates"""


@dataclass(slots=True)
class _Held:
    """A certificate that a newer one may replace."""

    id: int
    same: tuple[Any, ...]
    """Kind, role, usage and purpose, which it has in common with those that replace it."""
    status: str
    status_since: int
    replaced: int | None


@dataclass(slots=True)
class DecisionRows:
    """The rows of some decisions, by table."""

    applications: list[tuple[Any, ...]] = field(default_factory=list)
    certificates: list[tuple[Any, ...]] = field(default_factory=list)
    fingerprints: list[tuple[int, int]] = field(default_factory=list)
    replaced: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Certificates that are replaced: from when, and by which."""
    devices: list[tuple[bytes, str]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    leaves: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    subscribers: Counter[str] = field(default_factory=Counter)
    tests: Counter[tuple[str, str]] = field(default_factory=Counter)

    def insert(self, connection: sqlite3.Connection) -> None:
        """Write all of them."""
        for sql, values in (
            (_INSERT_APPLICATION, self.applications),
            (_INSERT_CERTIFICATE, self.certificates),
            (_INSERT_FINGERPRINT, self.fingerprints),
            (_REPLACE, [(*by, older) for older, by in self.replaced.items()]),
            (_INSERT_DEVICE, self.devices),
            (_INSERT_EVENT, self.events),
            (_INSERT_LEAF, self.leaves),
            (_COUNT_FOR_SUBSCRIBER, self.subscribers.items()),
            (_COUNT_FOR_TEST, [(*key, count) for key, count in self.tests.items()]),
        ):
            if values:
                connection.executemany(sql, values)


def write_decisions(
    connection: sqlite3.Connection, decided: Sequence[DecidedApplication], above: int, recorder: Recorder
) -> list[RecordedDecision]:
    """Add decided applications (see :class:`~smki.ledger.decisions.DecisionWriter`).

    :param above: the number above which applications and certificates are numbered (``Reader.numbers_above``).
    :param recorder: with what the transaction wrote before, which the first event covers too.
    """
    found = connection.execute(
        "SELECT (SELECT max(id) FROM application), (SELECT max(id) FROM certificate), (SELECT max(id) FROM audit_event)"
    ).fetchone()
    application_id, certificate_id = (max(last or 0, above) for last in found[:2])
    event_id: int = found[2] or 0
    held = _held(connection, decided)
    new, recorded = DecisionRows(), []
    for each in decided:
        application_id, event_id = application_id + 1, event_id + 1
        certificate = each.certificate
        row = rows.application_row(each.application, certificate.serial_number if certificate else None, each.reasons)
        new.applications.append((application_id, *row))
        recorder.added_application(application_id, *row)
        if certificate is not None:
            certificate_id += 1
            certificate = replace(certificate, id=certificate_id, application_id=application_id)
            _add_certificate(new, certificate, each.public_key_info, held, recorder)
            new.subscribers[each.application.subscriber] += 1
            if each.application.test is not None:
                new.tests[each.application.subscriber, each.application.test] += 1
        if each.device is not None:
            device = each.device.device_id.encoded, to_text(device_fields(each.device))
            new.devices.append(device)
            recorder.added_device(*device)
        event_row = rows.decision_event_row(each.event, application_id, certificate.id if certificate else None)
        new.events.append((event_id, *event_row))
        new.leaves.append(recorder.leaf(event_id, *event_row))
        recorded.append(RecordedDecision(application_id, event_id, certificate))
    try:
        new.insert(connection)
    except sqlite3.IntegrityError as error:
        raise Conflict(
            Problem(
                code="serial-number.taken",
                subject="applications",
                seen=f"a serial number or public key that was used before ({error})",
                expected="serial numbers and public keys that were never used",
            )
        ) from None
    return recorded


def _add_certificate(
    new: DecisionRows,
    certificate: CertificateRecord,
    public_key_info: bytes,
    held: dict[bytes, list[_Held]],
    recorder: Recorder,
) -> None:
    row = rows.certificate_row(certificate, public_key_info)
    new.certificates.append((certificate.id, *row))
    new.fingerprints.append((fingerprint_prefix(hashlib.sha256(certificate.der).digest()), certificate.id))
    recorder.added_certificate(certificate.id, *row)
    if certificate.kind.is_authority or certificate.entity_identifier is None:
        return
    of_entity = held[certificate.entity_identifier.encoded]
    status, since = certificate.stored_status.value, to_seconds(certificate.status_since)
    own = _Held(certificate.id, _same(row), status, since, None)
    from_then = to_seconds(certificate.deemed_accepted or certificate.issued)
    for older in of_entity:
        if older.same == own.same and (older.replaced is None or older.replaced > from_then):
            older.replaced = from_then
            new.replaced[older.id] = from_then, certificate.id
            recorder.changed_status(older.id, older.status, older.status_since, from_then, certificate.id)
    of_entity.append(own)


_SAME = tuple(rows.NEW_CERTIFICATE_COLUMNS.index(name) for name in ("kind", "role", "usage", "top_up"))


def _same(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(row[position] for position in _SAME)


def _held(connection: sqlite3.Connection, decided: Sequence[DecidedApplication]) -> dict[bytes, list[_Held]]:
    """Return the certificates that the Entity Identifiers of the new ones have, oldest first."""
    entities = {
        each.certificate.entity_identifier.encoded
        for each in decided
        if each.certificate is not None and each.certificate.entity_identifier is not None
    }
    sql = """SELECT entity_identifier, id, kind, role, usage, top_up, status, status_since, replaced FROM certificate
        WHERE entity_identifier IN () ORDER BY id"""
    held: dict[bytes, list[_Held]] = defaultdict(list)
    for entity, identifier, *same, status, since, replaced in read_set(
        lambda query, values: connection.execute(query, values).fetchall(), sql, entities
    ):
        held[entity].append(_Held(identifier, tuple(same), status, since, replaced))
    return held
