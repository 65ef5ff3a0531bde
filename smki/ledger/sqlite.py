"""The ledger in one SQLite file (write-ahead log, every commit on disk before it counts)."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from smki.certificate import Certificate
from smki.clock import from_seconds, to_seconds
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.contract import (
    ApplicationRecord,
    CertificateQuery,
    CertificateRecord,
    NewApplication,
    SerialTaken,
)
from smki.ledger.group_commit import GroupCommit, unavailable
from smki.ledger.schema import MIGRATIONS
from smki.problem import NotFound, Problem
from smki.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

BUSY_TIMEOUT_SECONDS = 60.0
"""How long a writer waits for another process before it gives up."""

_PAGE = 500

_CERTIFICATE_COLUMNS = (
    "id, serial_number, kind, entity_identifier, role, usage, not_before, not_after, status, status_since, "
    "issued, issuer_serial_number, application_id, der"
)
_APPLICATION_COLUMNS = (
    "id, received, interface, applicant, kind, entity_identifier, role, usage, request, serial_number, tbs"
)


class SqliteLedger:
    """A :class:`~smki.ledger.contract.Ledger` in a SQLite file.

    :param path: the file; made, with its tables, where *create* is true and it does not exist.
    :raises NotFound: when the file is missing and *create* is false.
    :raises LedgerUnavailable: when it is no ledger or cannot be opened.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not create and not path.is_file():
            raise NotFound(Problem("ledger.missing", str(path), "no such file", "the ledger of an SMKI home"))
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        try:
            writer = self._connect()
            MIGRATIONS.apply(Database(writer))
        except sqlite3.Error as error:
            raise unavailable(error) from error
        self._writes = GroupCommit(writer)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        with self._connections_lock:
            self._connections.append(connection)
        return connection

    def _read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        # A connection for each thread: readers then neither wait for the writer nor for one another.
        try:
            connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect()
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise unavailable(error) from error

    def reserve(self, application: NewApplication) -> int:
        """Commit an application with its serial number (see :class:`~smki.ledger.contract.Ledger`)."""
        return self._writes.run(lambda connection: _insert_application(connection, application))

    def store(
        self,
        application_id: int,
        certificate: Certificate,
        status: CertificateStatus,
        issued: datetime,
        issuer: SerialNumber | None,
    ) -> CertificateRecord:
        """Commit a certificate with its status and audit event (see :class:`~smki.ledger.contract.Ledger`)."""
        usage = certificate.usage
        record = CertificateRecord(
            0,
            certificate.serial_number,
            certificate.kind,
            certificate.entity_identifier,
            certificate.role,
            None if certificate.is_authority else usage,
            certificate.not_before,
            certificate.not_after,
            status,
            issued,
            issued,
            issuer,
            application_id,
            certificate.der,
        )
        key = hashlib.sha256(certificate.public_key_info).digest()
        return self._writes.run(lambda connection: _insert_certificate(connection, record, key))

    def certificate(self, serial_number: SerialNumber) -> CertificateRecord | None:
        """The certificate with that serial number, or None."""
        sql = f"SELECT {_CERTIFICATE_COLUMNS} FROM certificate WHERE serial_number = ?"  # noqa: S608
        rows = self._read(sql, (serial_number.octets,))
        return _certificate_record(rows[0]) if rows else None

    def certificates_of_key(self, public_key_info: bytes) -> list[CertificateRecord]:
        """Certificates for a public key, oldest first."""
        sql = f"SELECT {_CERTIFICATE_COLUMNS} FROM certificate WHERE public_key_sha256 = ? ORDER BY id"  # noqa: S608
        return [_certificate_record(row) for row in self._read(sql, (hashlib.sha256(public_key_info).digest(),))]

    def certificates(
        self, query: CertificateQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[CertificateRecord]:
        """Certificates that match, in the order in which they were issued, read a page at a time."""
        where, parameters = _conditions(query)
        sql = f"SELECT {_CERTIFICATE_COLUMNS} FROM certificate WHERE id > ?{where} ORDER BY id LIMIT ?"  # noqa: S608
        while limit is None or limit > 0:
            page = _PAGE if limit is None else min(_PAGE, limit)
            rows = self._read(sql, (after, *parameters, page))
            yield from map(_certificate_record, rows)
            if len(rows) < page:
                return
            after = rows[-1][0]
            limit = None if limit is None else limit - page

    def authorities(self) -> list[CertificateRecord]:
        """The authorities' certificates, in the order in which they were made."""
        sql = f"""SELECT {_CERTIFICATE_COLUMNS} FROM certificate
            WHERE kind IN ('root-oca', 'issuing-oca', 'root-dca', 'issuing-dca') ORDER BY id"""  # noqa: S608
        return [_certificate_record(row) for row in self._read(sql)]

    def unfinished_applications(self) -> list[ApplicationRecord]:
        """Applications whose certificate was never stored."""
        sql = f"SELECT {_APPLICATION_COLUMNS} FROM application WHERE tbs IS NOT NULL ORDER BY id"  # noqa: S608
        return [_application_record(row) for row in self._read(sql)]

    def count_certificates(self) -> int:
        """How many certificates there are."""
        count: int = self._read("SELECT count(*) FROM certificate")[0][0]
        return count

    def damage(self) -> list[str]:
        """What SQLite's own integrity check finds, and certificates without their application or audit event."""
        found = [row[0] for row in self._read("PRAGMA integrity_check") if row[0] != "ok"]
        found += [
            f"{row[0]}: row {row[1]} refers to a {row[2]} that is not there"
            for row in self._read("PRAGMA foreign_key_check")
        ]
        orphans = """SELECT hex(serial_number) FROM certificate c WHERE NOT EXISTS (
            SELECT 1 FROM application a WHERE a.id = c.application_id AND a.serial_number = c.serial_number AND a.tbs IS NULL)
            OR NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.certificate_id = c.id AND e.event = 'issued')"""
        return found + [f"certificate {row[0]} lacks its application or audit event" for row in self._read(orphans)]

    def close(self) -> None:
        """Close every connection."""
        with self._connections_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()


def _insert_application(connection: sqlite3.Connection, new: NewApplication) -> int:
    try:
        cursor = connection.execute(
            """INSERT INTO application (received, interface, applicant, kind, entity_identifier, role, usage, request,
                serial_number, tbs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                to_seconds(new.received),
                new.interface,
                new.applicant,
                new.kind.value,
                *_whose(new),
                new.request,
                new.serial_number.octets,
                new.tbs,
            ),
        )
    except sqlite3.IntegrityError as error:
        raise SerialTaken(
            Problem("serial-number.taken", "serial number", new.serial_number.hex, "one that was never used")
        ) from error
    return cursor.lastrowid or 0


def _insert_certificate(connection: sqlite3.Connection, new: CertificateRecord, key: bytes) -> CertificateRecord:
    issuer = new.issuer_serial_number.octets if new.issuer_serial_number else None
    issued = to_seconds(new.issued)
    cursor = connection.execute(
        """INSERT INTO certificate (serial_number, kind, entity_identifier, role, usage, public_key_sha256, not_before,
            not_after, status, status_since, issued, issuer_serial_number, application_id, der)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            new.serial_number.octets,
            new.kind.value,
            *_whose(new),
            key,
            to_seconds(new.not_before),
            to_seconds(new.not_after),
            new.stored_status.value,
            issued,
            issued,
            issuer,
            new.application_id,
            new.der,
        ),
    )
    identifier = cursor.lastrowid or 0
    connection.execute("UPDATE application SET tbs = NULL WHERE id = ?", (new.application_id,))
    connection.execute(
        "INSERT INTO audit_event (at, event, application_id, certificate_id) VALUES (?, 'issued', ?, ?)",
        (issued, new.application_id, identifier),
    )
    return CertificateRecord(
        identifier,
        new.serial_number,
        new.kind,
        new.entity_identifier,
        new.role,
        new.usage,
        new.not_before,
        new.not_after,
        new.stored_status,
        new.status_since,
        new.issued,
        new.issuer_serial_number,
        new.application_id,
        new.der,
    )


def _whose(of: NewApplication | CertificateRecord) -> tuple[bytes | None, int | None, str | None]:
    return (
        of.entity_identifier.octets if of.entity_identifier else None,
        of.role.decimal if of.role else None,
        of.usage.code if of.usage else None,
    )


def _conditions(query: CertificateQuery) -> tuple[str, tuple[Any, ...]]:
    conditions: list[tuple[str, tuple[Any, ...]]] = []
    if query.kinds is not None:
        marks = ", ".join("?" * len(query.kinds))
        conditions.append((f"kind IN ({marks})", tuple(kind.value for kind in query.kinds)))
    if query.entity_identifier is not None:
        conditions.append(("entity_identifier = ?", (query.entity_identifier.octets,)))
    if query.role is not None:
        conditions.append(("role = ?", (query.role.decimal,)))
    if query.usage is not None:
        conditions.append(("usage = ?", (query.usage.code,)))
    if query.status is not None and query.moment is not None:
        now = to_seconds(query.moment)
        if query.status is CertificateStatus.EXPIRED:
            conditions.append(("(status != 'R' AND not_after < ?)", (now,)))
        elif query.status is CertificateStatus.REVOKED:
            conditions.append(("status = 'R'", ()))
        else:
            conditions.append(("(status = ? AND not_after >= ?)", (query.status.value, now)))
    sql = "".join(f" AND {condition}" for condition, _ in conditions)
    return sql, tuple(value for _, values in conditions for value in values)


_ROLES = {role.decimal: role for role in RemotePartyRole}
_USAGES = {"DS": KeyUsage.DIGITAL_SIGNATURE, "KA": KeyUsage.KEY_AGREEMENT}


def _certificate_record(row: tuple[Any, ...]) -> CertificateRecord:
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
        from_seconds(row[10]),
        SerialNumber.from_octets(row[11]) if row[11] is not None else None,
        row[12],
        row[13],
    )


def _application_record(row: tuple[Any, ...]) -> ApplicationRecord:
    return ApplicationRecord(
        row[0],
        from_seconds(row[1]),
        row[2],
        row[3],
        CertificateKind(row[4]),
        EntityIdentifier(row[5]) if row[5] is not None else None,
        _ROLES[row[6]] if row[6] is not None else None,
        _USAGES[row[7]] if row[7] is not None else None,
        row[8],
        SerialNumber.from_octets(row[9]),
        row[10],
    )
