"""Writes decided applications to the SQLite ledger: a few statements for any number of them.

A decision goes through three steps: it is prepared, in order, with its ids and what else the ledger knows; it is sealed,
which takes most of the time and can be done anywhere; and it is written.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from smki.clock import to_seconds
from smki.identity import EntityIdentifier
from smki.ledger.contract import Conflict
from smki.ledger.decisions import DecidedApplication, PreparedDecision, Seal, SealedDecision
from smki.ledger.sqlite import rows
from smki.ledger.sqlite.packing import pack
from smki.ledger.sqlite.recording import leaf_of_decision
from smki.ledger.sqlite.row_form import values_of
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

_REQUEST = 1 + rows.NEW_APPLICATION_COLUMNS.index("request")
_DER = 1 + rows.NEW_CERTIFICATE_COLUMNS.index("der")
_SAME = tuple(rows.NEW_CERTIFICATE_COLUMNS.index(name) for name in ("kind", "role", "usage", "top_up"))


_HELD = values_of("certificate", "bitITitiI")


class Replaced(NamedTuple):
    """A certificate that a newer one replaces."""

    id: int
    status: str
    status_since: int
    since: int
    """The time from which it is replaced."""


class DecisionRows(NamedTuple):
    """The rows of a decided application."""

    application: tuple[Any, ...]
    event: tuple[Any, ...]
    certificate: tuple[Any, ...] | None = None
    replaced: tuple[Replaced, ...] = ()
    device: tuple[bytes, str] | None = None
    subscriber: str = ""
    """The holder of the certificate."""
    test: str | None = None
    fingerprint: int | None = None
    leaf: tuple[int, bytes, bytes] | None = None


def seal(prepared: PreparedDecision, der: bytes) -> SealedDecision:
    """Complete the rows of a decision (see :data:`~smki.ledger.decisions.Seal`): the certificate, the packed request, the
    leaf of the event."""
    found: DecisionRows = prepared.rows
    application, certificate, fingerprint = found.application, found.certificate, None
    request = application[_REQUEST]
    if request is not None:
        application = (*application[:_REQUEST], pack(request), *application[_REQUEST + 1 :])
    if certificate is not None:
        certificate = (*certificate[:_DER], der, *certificate[_DER + 1 :])
        fingerprint = fingerprint_prefix(hashlib.sha256(der).digest())
    statuses = [
        (each.id, each.status, each.status_since, each.since, prepared.certificate_id) for each in found.replaced
    ]
    return SealedDecision(
        found._replace(
            application=application,
            certificate=certificate,
            fingerprint=fingerprint,
            leaf=leaf_of_decision(found.event, application, certificate, statuses, found.device),
        )
    )


@dataclass(slots=True)
class _Held:
    """A certificate that a newer one may replace."""

    id: int
    same: tuple[Any, ...]
    """Kind, role, usage and purpose, which it has in common with those that replace it."""
    status: str
    status_since: int
    replaced: int | None


class SqliteDecisions:
    """A :class:`~smki.ledger.decisions.DecisionRecorder`.

    :param above: the number above which applications and certificates are numbered (``Reader.numbers_above``).
    """

    def __init__(self, connection: sqlite3.Connection, above: int, entities: Collection[EntityIdentifier]) -> None:
        self._connection = connection
        last = connection.execute(
            "SELECT (SELECT max(id) FROM application), (SELECT max(id) FROM certificate), (SELECT max(id) FROM audit_event)"
        ).fetchone()
        self._application_id, self._certificate_id = (max(number or 0, above) for number in last[:2])
        self._event_id: int = last[2] or 0
        self._held = self._certificates_of(entities)

    @property
    def seal(self) -> Seal:
        """Completes a decision."""
        return seal

    def prepare(self, decided: DecidedApplication) -> PreparedDecision:
        """Give a decision its ids (see :class:`~smki.ledger.decisions.DecisionRecorder`)."""
        self._application_id += 1
        self._event_id += 1
        application_id, event_id, new = self._application_id, self._event_id, decided.certificate
        serial_number = new.serial_number if new is not None else None
        application = application_id, *rows.application_row(decided.application, serial_number, decided.reasons)
        if new is None:
            event = event_id, *rows.decision_event_row(decided.event, application_id, None)
            return PreparedDecision(application_id, 0, event_id, DecisionRows(application, event))
        self._certificate_id += 1
        certificate_id, device = self._certificate_id, decided.device
        row = rows.certificate_row(new, application_id)
        replaced: tuple[Replaced, ...] = ()
        if new.entity_identifier is not None:
            in_use = to_seconds(new.deemed_accepted or new.issued)
            own = _Held(certificate_id, tuple([row[index] for index in _SAME]), row[8], row[9], None)
            replaced = self._replace(new.entity_identifier.encoded, own, in_use)
        prepared = DecisionRows(
            application,
            (event_id, *rows.decision_event_row(decided.event, application_id, certificate_id)),
            (certificate_id, *row),
            replaced,
            (device.device_id.encoded, to_text(device_fields(device))) if device is not None else None,
            decided.application.subscriber,
            decided.application.test,
        )
        return PreparedDecision(application_id, certificate_id, event_id, prepared)

    def record(self, sealed: Sequence[SealedDecision]) -> None:
        """Write all decisions (see :class:`~smki.ledger.decisions.DecisionRecorder`)."""
        try:
            self._insert([each.rows for each in sealed])
        except sqlite3.IntegrityError as error:
            raise Conflict(
                Problem(
                    code="serial-number.taken",
                    subject="applications",
                    seen=f"a serial number or public key that was used before ({error})",
                    expected="serial numbers and public keys that were never used",
                )
            ) from None

    def _insert(self, every: Sequence[DecisionRows]) -> None:
        granted = [each for each in every if each.certificate is not None]
        replaced = [
            (older.since, each.certificate[0], older.id)
            for each in granted
            for older in each.replaced
            if each.certificate is not None
        ]
        subscribers = Counter(each.subscriber for each in granted)
        tests = Counter((each.subscriber, each.test) for each in granted if each.test is not None)
        for sql, values in (
            (_INSERT_APPLICATION, [each.application for each in every]),
            (_INSERT_CERTIFICATE, [each.certificate for each in granted]),
            (_INSERT_FINGERPRINT, [(each.fingerprint, each.certificate[0]) for each in granted if each.certificate]),
            (_REPLACE, replaced),
            (_INSERT_DEVICE, [each.device for each in granted if each.device is not None]),
            (_INSERT_EVENT, [each.event for each in every]),
            (_INSERT_LEAF, [each.leaf for each in every]),
            (_COUNT_FOR_SUBSCRIBER, list(subscribers.items())),
            (_COUNT_FOR_TEST, [(*key, count) for key, count in tests.items()]),
        ):
            self._write(sql, values)

    def _write(self, sql: str, values: Iterable[Any]) -> None:
        if values:
            self._connection.executemany(sql, values)

    def _replace(self, entity: bytes, own: _Held, in_use: int) -> tuple[Replaced, ...]:
        """Return the certificates that a new one replaces: older ones for the same subject, role and usage."""
        of_entity, found = self._held[entity], []
        for older in of_entity:
            if older.same == own.same and (older.replaced is None or older.replaced > in_use):
                older.replaced = in_use
                found.append(Replaced(older.id, older.status, older.status_since, in_use))
        of_entity.append(own)
        return tuple(found)

    def _certificates_of(self, entities: Collection[EntityIdentifier]) -> dict[bytes, list[_Held]]:
        """Return the certificates that the Entity Identifiers have, oldest first."""
        sql = """SELECT entity_identifier, id, kind, role, usage, top_up, status, status_since, replaced FROM certificate
            WHERE entity_identifier IN () ORDER BY id"""
        held: dict[bytes, list[_Held]] = {each.encoded: [] for each in entities}
        found = read_set(lambda query, values: self._connection.execute(query, values).fetchall(), sql, held)
        for entity, identifier, *same, status, since, replaced in map(_HELD, found):
            held[entity].append(_Held(identifier, tuple(same), status, since, replaced))
        return held
