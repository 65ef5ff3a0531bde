"""The ledger in one SQLite file (write-ahead log, every commit on disk before it counts)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Database

from smki.clock import from_seconds, to_seconds
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger import rows
from smki.ledger.contract import (
    ApplicationQuery,
    ApplicationRecord,
    AuditEvent,
    CertificateQuery,
    CertificateRecord,
    Conditions,
    NewApplication,
    Overtaken,
)
from smki.ledger.credentials import Credentials
from smki.ledger.group_commit import GroupCommit, unavailable
from smki.ledger.imports import Imports
from smki.ledger.register import Register
from smki.ledger.revocation import Revocations
from smki.ledger.schema import MIGRATIONS
from smki.ledger.search import Search, certificate_conditions
from smki.ledger.snapshot import SqliteSnapshot
from smki.pki.certificate import Certificate
from smki.problem import NotFound, Problem
from smki.sec.role import CertificateStatus

BUSY_TIMEOUT_SECONDS = 60.0
"""How long a writer waits for another process before it gives up."""

MAPPED_OCTETS = 1 << 32
"""So much of the file is read through the memory map rather than by a call for each page."""

_PAGE = 500

T = TypeVar("T")


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
        self._begin(GroupCommit(writer))

    def _begin(self, writes: GroupCommit) -> None:
        self._writes = writes
        self._register = Register(self._read, writes.run)
        self._revocations = Revocations(self._read, writes.run)
        self._search = Search(self._read)
        self._imports = Imports(self._read, writes.run)
        self._credentials = Credentials(self._read, writes.run)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA mmap_size = {MAPPED_OCTETS}")
        with self._connections_lock:
            self._connections.append(connection)
        return connection

    def _read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self._with_reader(lambda connection: connection.execute(sql, parameters).fetchall())

    def _with_reader(self, query: Callable[[sqlite3.Connection], T]) -> T:
        # A connection for each thread: readers then neither wait for the writer nor for one another.
        try:
            connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect()
            return query(connection)
        except sqlite3.Error as error:
            raise unavailable(error) from error

    def reserve(
        self, application: NewApplication, serial_number: SerialNumber, tbs: bytes, conditions: Conditions
    ) -> int:
        """Commit a granted application with its serial number (see :class:`~smki.ledger.contract.Ledger`)."""

        def write(connection: sqlite3.Connection) -> int:
            rows.require(connection, application, conditions)
            rows.count_one_more(connection, application.subscriber)
            return rows.insert_application(connection, application, serial_number, tbs)

        return self._writes.run(write)

    def refuse(self, application: NewApplication, reasons: Sequence[Problem]) -> int:
        """Commit a refused application (see :class:`~smki.ledger.contract.Ledger`)."""
        return self._writes.run(
            lambda connection: rows.insert_application(connection, application, None, None, reasons)
        )

    def store(
        self,
        application_id: int,
        certificate: Certificate,
        status: CertificateStatus,
        issued: datetime,
        issuer: SerialNumber | None,
        deemed_accepted: datetime | None = None,
        *,
        top_up: bool = False,
    ) -> CertificateRecord:
        """Commit a certificate with its status and audit event (see :class:`~smki.ledger.contract.Ledger`)."""
        record = CertificateRecord(
            id=0,
            serial_number=certificate.serial_number,
            kind=certificate.kind,
            entity_identifier=certificate.entity_identifier,
            role=certificate.role,
            usage=None if certificate.is_authority else certificate.usage,
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            stored_status=status,
            status_since=issued,
            deemed_accepted=deemed_accepted,
            issued=issued,
            issuer_serial_number=issuer,
            application_id=application_id,
            der=certificate.der,
            top_up=top_up,
        )
        key = rows.public_key_digest(certificate.public_key_info)
        try:
            return self._writes.run(lambda connection: rows.insert_certificate(connection, record, key))
        except Overtaken as error:
            reason = error.problems[0]
            self._writes.run(lambda connection: rows.refuse_reserved(connection, application_id, reason))
            raise

    def set_status(
        self, serial_number: SerialNumber, status: CertificateStatus, moment: datetime, event: str, detail: str
    ) -> None:
        """Commit a new status (see :class:`~smki.ledger.contract.Ledger`)."""

        def write(connection: sqlite3.Connection) -> None:
            sql = "UPDATE certificate SET status = ?, status_since = ? WHERE serial_number = ?"
            connection.execute(sql, (status.value, to_seconds(moment), serial_number.octets))
            found = self.certificate(serial_number)
            if found is not None and status is CertificateStatus.IN_USE:
                rows.replace_older(connection, found.id, to_seconds(moment))
            elif found is not None:
                rows.restore_older(connection, found.id)
            self._note(connection, serial_number, moment, event, detail)

        self._writes.run(write)

    def note(self, serial_number: SerialNumber, moment: datetime, event: str, detail: str) -> None:
        """Commit an audit event (see :class:`~smki.ledger.contract.Ledger`)."""
        self._writes.run(lambda connection: self._note(connection, serial_number, moment, event, detail))

    def _note(
        self, connection: sqlite3.Connection, serial_number: SerialNumber, moment: datetime, event: str, detail: str
    ) -> None:
        found = self.certificate(serial_number)
        if found is not None:
            rows.insert_event(connection, to_seconds(moment), event, found.application_id, found.id, detail)

    def events(self, serial_number: SerialNumber) -> list[AuditEvent]:
        """What was done with a certificate, in that order."""
        sql = """SELECT at, event, coalesce(detail, '') FROM audit_event WHERE certificate_id =
            (SELECT id FROM certificate WHERE serial_number = ?) ORDER BY id"""
        return [AuditEvent(from_seconds(row[0]), row[1], row[2]) for row in self._read(sql, (serial_number.octets,))]

    @property
    def register(self) -> Register:
        """Who there is to apply, and which Devices there are."""
        return self._register

    @property
    def revocations(self) -> Revocations:
        """What was revoked, and the lists that said so."""
        return self._revocations

    @property
    def search(self) -> Search:
        """What there is, a page at a time in any order, and how much of it."""
        return self._search

    @property
    def imports(self) -> Imports:
        """Certificates that were issued elsewhere."""
        return self._imports

    @property
    def credentials(self) -> Credentials:
        """API keys and officers' tokens."""
        return self._credentials

    def certificate(self, serial_number: SerialNumber) -> CertificateRecord | None:
        """The certificate with that serial number, or None."""
        sql = f"SELECT {rows.CERTIFICATE_COLUMNS} FROM certificate WHERE serial_number = ?"  # noqa: S608
        found = self._read(sql, (serial_number.octets,))
        return rows.certificate_record(found[0]) if found else None

    def certificates_of_key(self, public_key_info: bytes) -> list[CertificateRecord]:
        """Certificates for a public key, oldest first."""
        sql = f"SELECT {rows.CERTIFICATE_COLUMNS} FROM certificate WHERE public_key = ? ORDER BY id"  # noqa: S608
        return [rows.certificate_record(row) for row in self._read(sql, (rows.public_key_digest(public_key_info),))]

    def is_certified(self, public_key_info: bytes) -> bool:
        """Whether there is a certificate for a public key."""
        return self._with_reader(lambda connection: rows.is_certified(connection, public_key_info))

    def certificates(
        self, query: CertificateQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[CertificateRecord]:
        """Certificates that match, in the order in which they were issued, read a page at a time."""
        where, parameters = rows.joined(certificate_conditions(query))
        sql = f"SELECT {rows.CERTIFICATE_COLUMNS} FROM certificate WHERE id > ?{where} ORDER BY id LIMIT ?"  # noqa: S608
        yield from map(rows.certificate_record, self._pages(sql, parameters, after, limit))

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        """A look at the certificates that does not change while it lasts."""
        try:
            connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
            try:
                yield SqliteSnapshot(connection)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise unavailable(error) from error

    def applications(
        self, query: ApplicationQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[ApplicationRecord]:
        """Applications that match, in the order in which they were received, read a page at a time."""
        where, parameters = rows.application_conditions(query)
        sql = f"SELECT {rows.APPLICATION_COLUMNS} FROM application WHERE id > ?{where} ORDER BY id LIMIT ?"  # noqa: S608
        yield from map(rows.application_record, self._pages(sql, parameters, after, limit))

    def _pages(self, sql: str, parameters: tuple[Any, ...], after: int, limit: int | None) -> Iterator[tuple[Any, ...]]:
        while limit is None or limit > 0:
            page = _PAGE if limit is None else min(_PAGE, limit)
            found = self._read(sql, (after, *parameters, page))
            yield from found
            if len(found) < page:
                return
            after = found[-1][0]
            limit = None if limit is None else limit - page

    def application(self, application_id: int) -> ApplicationRecord | None:
        """The application with that id, or None."""
        sql = f"SELECT {rows.APPLICATION_COLUMNS} FROM application WHERE id = ?"  # noqa: S608
        found = self._read(sql, (application_id,))
        return rows.application_record(found[0]) if found else None

    def authorities(self) -> list[CertificateRecord]:
        """The authorities' certificates, in the order in which they were made."""
        sql = f"""SELECT {rows.CERTIFICATE_COLUMNS} FROM certificate
            WHERE kind IN ('root-oca', 'issuing-oca', 'root-dca', 'issuing-dca') ORDER BY id"""  # noqa: S608
        return [rows.certificate_record(row) for row in self._read(sql)]

    def unfinished_applications(self) -> list[ApplicationRecord]:
        """Applications whose certificate was never stored."""
        sql = f"SELECT {rows.APPLICATION_COLUMNS} FROM application WHERE tbs IS NOT NULL ORDER BY id"  # noqa: S608
        return [rows.application_record(row) for row in self._read(sql)]

    def certificates_issued_to(self, subscriber: str) -> int:
        """How many certificates a subscriber has had, reserved ones included."""
        return self._with_reader(lambda connection: rows.count_for_subscriber(connection, subscriber))

    def certificates_for_device(self, device_id: EntityIdentifier) -> int:
        """How many certificates a Device has had, reserved ones included."""
        return self._with_reader(lambda connection: rows.count_for_device(connection, device_id))

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
