"""One write transaction of the SQLite ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from smki.clock import to_seconds
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.contract import Conflict
from smki.ledger.records import (
    CredentialRecord,
    ListRecord,
    NewEvent,
    NewImport,
    Revocation,
)
from smki.ledger.sqlite import recording, rows
from smki.ledger.sqlite.credentials import secret_digest
from smki.ledger.sqlite.decisions import SqliteDecisions
from smki.ledger.sqlite.imports import import_row
from smki.ledger.sqlite.reader import SqliteReader
from smki.ledger.sqlite.rows import never_in_use
from smki.problem import Problem
from smki.sec.certified_product import CertifiedProduct
from smki.sec.device import Device
from smki.sec.registry_fields import Registrant, device_fields, registrant_fields, registrant_id, to_text
from smki.sec.role import CertificateStatus


class SqliteTransaction(SqliteReader):
    """A :class:`~smki.ledger.contract.Transaction` over a connection on which a transaction has begun.

    :class:`~smki.ledger.sqlite.group_commit.GroupCommit` begins and commits it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._recorder = recording.Recorder(connection)
        self._above: int | None = None
        super().__init__(self._query)

    def numbers_above(self) -> int:
        """The number above which everything is numbered since the last restore from a backup; 0 without one."""
        if self._above is None:
            self._above = super().numbers_above()
        return self._above

    def _query(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()

    def decisions(self, entities: Collection[EntityIdentifier]) -> SqliteDecisions:
        """Begin to record decisions (see :class:`~smki.ledger.decisions.DecisionWriter`)."""
        return SqliteDecisions(self._connection, self.numbers_above(), entities)

    def replace_older(self, certificate_id: int, moment: datetime) -> None:
        """Mark the certificates that a certificate replaces: older ones for the same subject, role and usage."""
        since = to_seconds(moment)
        self._change_certificates(
            """UPDATE certificate SET replaced = ?, replaced_by = ? WHERE id IN (
                SELECT older.id FROM certificate newer
                JOIN certificate older ON older.entity_identifier = newer.entity_identifier
                WHERE newer.id = ? AND older.id < newer.id AND older.kind = newer.kind AND older.role IS newer.role
                    AND older.usage = newer.usage AND older.top_up = newer.top_up
                    AND (older.replaced IS NULL OR older.replaced > ?)) RETURNING id""",
            (since, certificate_id, certificate_id, since),
        )

    def restore_older(self, certificate_id: int) -> None:
        """Undo :meth:`replace_older`. A certificate that another newer one replaces too remains replaced by that
        one."""
        self._change_certificates(
            f"""UPDATE certificate AS older SET (replaced, replaced_by) = (
                SELECT coalesce((SELECT min(at) FROM audit_event e WHERE e.certificate_id = newer.id
                    AND e.event = 'accepted'), newer.deemed_accepted, newer.issued) AS since, newer.id
                FROM certificate newer WHERE newer.entity_identifier = older.entity_identifier AND newer.id > older.id
                    AND newer.id != ?1 AND newer.kind = older.kind AND newer.role IS older.role
                    AND newer.usage = older.usage AND newer.top_up = older.top_up
                    AND NOT {never_in_use("newer")}
                ORDER BY since, newer.id LIMIT 1)
            WHERE replaced_by = ?1 AND entity_identifier = (SELECT entity_identifier FROM certificate WHERE id = ?1)
            RETURNING id""",  # noqa: S608
            (certificate_id,),
        )

    def _change_certificates(self, sql: str, parameters: tuple[Any, ...]) -> int:
        """Change the status of certificates, and return how many.

        :param sql: returns their ids.
        """
        changed = self._query(sql, parameters)
        for (identifier,) in changed:
            self._recorder.wrote(recording.CERTIFICATE_STATUS, identifier)
        return len(changed)

    def change_status(
        self, serial_number: SerialNumber, expected: CertificateStatus, status: CertificateStatus, since: datetime
    ) -> bool:
        """Change the stored status from *expected* to *status*. Return False, and change nothing, if it was not
        *expected*."""
        sql = "UPDATE certificate SET status = ?, status_since = ? WHERE serial_number = ? AND status = ? RETURNING id"
        parameters = (status.value, to_seconds(since), serial_number.encoded, expected.value)
        return self._change_certificates(sql, parameters) == 1

    def add_revocation(self, revocation: Revocation) -> None:
        """Add a revocation (see :class:`~smki.ledger.contract.Transaction`)."""
        encoded = revocation.serial_number.encoded
        try:
            cursor = self._connection.execute(
                """INSERT INTO revocation (certificate_id, serial_number, issuer_serial_number, not_after, revoked,
                    effective, reason, asked_by) SELECT id, serial_number, coalesce(issuer_serial_number, serial_number),
                    not_after, ?, ?, ?, ? FROM certificate WHERE serial_number = ?""",
                (
                    to_seconds(revocation.revoked),
                    to_seconds(revocation.effective),
                    revocation.reason,
                    revocation.asked_by,
                    encoded,
                ),
            )
        except sqlite3.IntegrityError:
            subject = f"certificate {revocation.serial_number}"
            raise Conflict(
                Problem(
                    code="revocation.already",
                    subject=subject,
                    seen="revoked",
                    expected="a certificate that is not revoked",
                )
            ) from None
        if cursor.rowcount:
            self._recorder.wrote(recording.REVOCATION, cursor.lastrowid)

    def add_list(self, record: ListRecord) -> None:
        """Add a revocation list."""
        self._connection.execute(
            """INSERT INTO revocation_list (issuer_serial_number, number, this_update, next_update, entries, der,
                last_revocation) VALUES (?, ?, ?, ?, ?, ?, ?)""",
            (
                record.issuer.encoded,
                record.number,
                to_seconds(record.this_update),
                to_seconds(record.next_update),
                record.entries,
                record.der,
                record.last_revocation,
            ),
        )
        self._recorder.wrote(recording.REVOCATION_LIST, record.issuer.encoded, record.number)

    def add_registrant(self, registrant: Registrant) -> None:
        """Add a Party or Testing Participant (see :class:`~smki.ledger.contract.Transaction`)."""
        identity = registrant_id(registrant)
        try:
            sql = "INSERT INTO registrant (id, record) VALUES (?, ?)"
            self._connection.execute(sql, (identity, to_text(registrant_fields(registrant))))
        except sqlite3.IntegrityError:
            seen, expected = "already registered", "a new id"
            raise Conflict(
                Problem(code="party.exists", subject=f"Party {identity}", seen=seen, expected=expected)
            ) from None
        self._recorder.wrote(recording.REGISTRANT, identity)
        self._take_identifiers(registrant)

    def replace_registrant(self, registrant: Registrant) -> None:
        """Replace a Party or Testing Participant (see :class:`~smki.ledger.contract.Transaction`)."""
        identity = registrant_id(registrant)
        execute = self._connection.execute
        sql = "UPDATE registrant SET record = ? WHERE id = ?"
        if execute(sql, (to_text(registrant_fields(registrant)), identity)).rowcount:
            self._recorder.wrote(recording.REGISTRANT, identity)
        execute("DELETE FROM entity_identifier WHERE registrant = ?", (identity,))
        self._take_identifiers(registrant)

    def _take_identifiers(self, registrant: Registrant) -> None:
        for identifier in sorted(registrant.identifiers):
            try:
                sql = "INSERT INTO entity_identifier (octets, registrant) VALUES (?, ?)"
                self._connection.execute(sql, (identifier.encoded, registrant_id(registrant)))
            except sqlite3.IntegrityError:
                sql = "SELECT registrant FROM entity_identifier WHERE octets = ?"
                owner = self._query(sql, (identifier.encoded,))[0][0]
                raise Conflict(
                    Problem(
                        code="entity-identifier.taken",
                        subject=f"Entity Identifier {identifier}",
                        seen=f"belongs to {owner}",
                        expected="an EUI-64 that belongs to no other Party",
                    )
                ) from None

    def add_device(self, device: Device) -> None:
        """Add a Device (see :class:`~smki.ledger.contract.Transaction`)."""
        try:
            sql = "INSERT INTO device (id, record) VALUES (?, ?)"
            self._connection.execute(sql, (device.device_id.encoded, to_text(device_fields(device))))
        except sqlite3.IntegrityError:
            subject = f"Device {device.device_id}"
            raise Conflict(
                Problem(
                    code="device.exists",
                    subject=subject,
                    seen="already in the inventory",
                    expected="a new Device",
                )
            ) from None
        self._recorder.wrote(recording.DEVICE, device.device_id.encoded)

    def replace_device(self, device: Device) -> None:
        """Replace the record of a Device."""
        self._change_device("record", to_text(device_fields(device)), device.device_id)

    def set_threshold(self, device_id: EntityIdentifier, threshold: int | None) -> None:
        """Set the certificate limit of a Device; None restores the default."""
        self._change_device("threshold", threshold, device_id)

    def _change_device(self, column: str, value: str | int | None, device_id: EntityIdentifier) -> None:
        sql = f"UPDATE device SET {column} = ? WHERE id = ?"  # noqa: S608
        if self._connection.execute(sql, (value, device_id.encoded)).rowcount:
            self._recorder.wrote(recording.DEVICE, device_id.encoded)

    def put_product(self, product: CertifiedProduct) -> None:
        """Add or replace the entry of a Device model in the Certified Products List."""
        removed = to_seconds(product.removed) if product.removed else None
        row = (product.model, product.device_type.name, to_seconds(product.listed), removed)
        sql = """INSERT INTO certified_product VALUES (?, ?, ?, ?) ON CONFLICT (model) DO UPDATE
            SET device_type = excluded.device_type, listed = excluded.listed, removed = excluded.removed"""
        self._connection.execute(sql, row)
        self._recorder.wrote(recording.CERTIFIED_PRODUCT, product.model)

    def add_credential(self, credential: CredentialRecord, secret: str) -> CredentialRecord:
        """Add a credential; only the SHA-256 of the secret is stored."""
        # The ids are shown to people, and go on above the gap that a restore from a backup has left.
        last: int = self._query("SELECT coalesce(max(id), 0) FROM credential", ())[0][0]
        cursor = self._connection.execute(
            "INSERT INTO credential (id, kind, name, party, digest, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                max(last, self.numbers_above()) + 1,
                credential.kind.value,
                credential.name,
                credential.party,
                secret_digest(secret),
                to_seconds(credential.created),
                to_seconds(credential.expires) if credential.expires else None,
            ),
        )
        self._recorder.wrote(recording.CREDENTIAL, cursor.lastrowid)
        return replace(credential, id=cursor.lastrowid or 0)

    def revoke_credential(self, credential_id: int, moment: datetime) -> None:
        """Mark a credential as revoked."""
        sql = "UPDATE credential SET revoked = ? WHERE id = ? AND revoked IS NULL"
        if self._connection.execute(sql, (to_seconds(moment), credential_id)).rowcount:
            self._recorder.wrote(recording.CREDENTIAL, credential_id)

    def add_imports(self, certificates: Iterable[NewImport], moment: datetime) -> None:
        """Add imported certificates; those that were imported before are left unchanged."""
        marks = ", ".join("?" * 14)
        sql = f"""INSERT OR IGNORE INTO imported_certificate (serial_number, sha256, kind, entity_identifier, role, usage,
            public_key_sha256, not_before, not_after, imported, source, name, findings, der) VALUES ({marks})"""  # noqa: S608
        for new in certificates:
            cursor = self._connection.execute(sql, import_row(new, to_seconds(moment)))
            if cursor.rowcount:
                self._recorder.wrote(recording.IMPORTED, cursor.lastrowid)

    def set_setting(self, name: str, value: str) -> None:
        """Set a setting (see :class:`~smki.ledger.contract.Transaction`)."""
        sql = "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self._connection.execute(sql, (name, value))
        self._recorder.wrote(recording.SETTING, name)

    def append_event(self, event: NewEvent) -> int:
        """Append an audit event, with its leaf, and return its id."""
        row = rows.event_row(event)
        identifier = self._connection.execute(rows.INSERT_EVENT, row).lastrowid or 0
        self._recorder.record(identifier, *row)
        return identifier
