"""What a ledger does, whatever it is stored in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.credentials import Credentials
from smki.ledger.register import Register
from smki.ledger.revocation import Revocations
from smki.pki.certificate import Certificate
from smki.problem import Problem, SmkiError
from smki.sec.device import DeviceType
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

if TYPE_CHECKING:
    from smki.ledger.imports import Imports
    from smki.ledger.search import Search


class SerialTaken(SmkiError):
    """The serial number is in the ledger already; another one has to be drawn."""


class LedgerUnavailable(SmkiError):
    """The ledger could not be read or written: disk full, file locked, damaged or gone."""


class Overtaken(SmkiError):
    """What was decided on no longer holds: another application came first. Decide again."""


@dataclass(frozen=True, slots=True)
class NewApplication:
    """An application as it was received."""

    received: datetime
    interface: str
    """Through what it came: ``cli``, ``init``, ``python``, …"""
    subscriber: str
    """The id of the Party or Testing Participant whose certificate it is to be."""
    officer: str
    """The officer who applied."""
    applied_by: str | None
    """The id of the Shared Resource that applied on the subscriber's behalf; None where it applied itself."""
    kind: CertificateKind
    entity_identifier: EntityIdentifier | None
    role: RemotePartyRole | None
    usage: KeyUsage | None
    request: bytes | None
    """The certification request, DER; None for authorities."""
    top_up: bool = False
    """Whether the certificate is for prepayment top-up."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must still hold when an application is reserved; each that is None is not looked at."""

    public_key_info: bytes | None = None
    """SubjectPublicKeyInfo (DER) for which there must be no certificate."""
    device_limit: int | None = None
    """The Device must have had fewer certificates than this."""
    quota: int | None = None
    """The subscriber must have had fewer certificates than this."""


@dataclass(frozen=True, slots=True)
class ApplicationRecord:
    """An application as it stands in the ledger."""

    id: int
    application: NewApplication
    granted: bool
    reasons: tuple[Problem, ...]
    """Why it was refused; empty where it was granted."""
    serial_number: SerialNumber | None
    """Of the certificate; None where it was refused."""
    tbs: bytes | None
    """The octets about to be signed; None once the certificate is stored."""


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate as it stands in the ledger."""

    id: int
    serial_number: SerialNumber
    kind: CertificateKind
    entity_identifier: EntityIdentifier | None
    role: RemotePartyRole | None
    usage: KeyUsage | None
    not_before: datetime
    not_after: datetime
    stored_status: CertificateStatus
    """As last written; expiry is not written but follows from the time (:meth:`status_at`)."""
    status_since: datetime
    deemed_accepted: datetime | None
    """When it counts as accepted although nobody accepted it (SEC L11); None for those that need not be."""
    issued: datetime
    issuer_serial_number: SerialNumber | None
    """The issuing certificate's; None for a root."""
    application_id: int
    der: bytes
    top_up: bool = False
    """Whether it is a Supplier's key agreement certificate for prepayment top-up."""
    replaced: datetime | None = None
    """From when on a newer certificate for the same subject, role and usage is in use instead of it."""
    issued_here: bool = True
    """False for a certificate that was imported: of its status nothing is known but whether it has expired."""

    def status_at(self, moment: datetime) -> CertificateStatus:
        """The status at a moment: revoked from the day of its revocation, expired once notAfter has passed, not in use
        once replaced, in use once deemed accepted. Before a revocation that the PMA has delayed it is in use."""
        is_revoked = self.stored_status is CertificateStatus.REVOKED
        if is_revoked and self.status_since <= moment:
            return self.stored_status
        if moment > self.not_after:
            return CertificateStatus.EXPIRED
        if self.replaced is not None and self.replaced <= moment:
            return CertificateStatus.NOT_IN_USE
        is_pending = self.stored_status is CertificateStatus.PENDING
        if is_pending and self.deemed_accepted is not None and self.deemed_accepted <= moment:
            return CertificateStatus.IN_USE
        return CertificateStatus.IN_USE if is_revoked else self.stored_status

    def status_since_at(self, moment: datetime) -> datetime:
        """Since when it has had the status that it has at a moment."""
        status = self.status_at(moment)
        if status is CertificateStatus.EXPIRED:
            return self.not_after
        if status is CertificateStatus.NOT_IN_USE and self.replaced is not None and self.replaced <= moment:
            return self.replaced
        if status is self.stored_status:
            return self.status_since
        return self.deemed_accepted or self.issued

    @property
    def certificate(self) -> Certificate:
        """The certificate itself, read from its DER."""
        return Certificate.from_der(self.der)


class AuditEvent(NamedTuple):
    """Something that was done with a certificate."""

    at: datetime
    event: str
    """``issued``, ``accepted``, ``rejected``, ``revoked``."""
    detail: str
    """Why and by whom, where that is known."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, both ends included; None where it is open."""

    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class CertificateQuery:
    """Which certificates to find; every field that is not None narrows."""

    kinds: tuple[CertificateKind, ...] | None = None
    entity_identifier: EntityIdentifier | None = None
    role: RemotePartyRole | None = None
    usage: KeyUsage | None = None
    status: CertificateStatus | None = None
    """Status at the moment asked about; wants :attr:`moment`."""
    moment: datetime | None = None
    serial_number: SerialNumber | None = None
    serial_prefix: str | None = None
    """The first hexadecimal digits of the serial number, written with 32."""
    sha256: bytes | None = None
    """SHA-256 of the DER, 32 octets."""
    issuer: SerialNumber | None = None
    """Serial number of the issuing certificate."""
    device_type: DeviceType | None = None
    """By the Smart Metering Inventory."""
    not_before: Period = Period()
    not_after: Period = Period()
    issued: Period = Period()


@dataclass(frozen=True, slots=True)
class ApplicationQuery:
    """Which applications to find; every field that is not None narrows."""

    subscriber: str | None = None
    entity_identifier: EntityIdentifier | None = None
    kind: CertificateKind | None = None
    granted: bool | None = None
    involved: str | None = None
    """The subscriber, or whoever applied on its behalf."""


class Snapshot(Protocol):
    """The certificates as they stood at one instant, however long the reading takes."""

    @property
    def last(self) -> int:
        """The id of the last certificate; 0 where there is none."""

    def certificates(self, after: int = 0, *, with_der: bool = True) -> Iterator[CertificateRecord]:
        """The certificates with an id above *after*, in the order in which they were issued.

        :param with_der: False to leave the octets out, which saves reading them.
        """

    def certificate(self, identifier: int) -> CertificateRecord:
        """The certificate with that id, which must be there."""


class Ledger(Protocol):
    """A ledger. Safe to use from several threads; several processes may have the same one open."""

    def reserve(
        self, application: NewApplication, serial_number: SerialNumber, tbs: bytes, conditions: Conditions
    ) -> int:
        """Commit a granted application, its serial number and the octets about to be signed; return its id.

        :raises SerialTaken: when the serial number is in the ledger already; nothing was written then.
        :raises Overtaken: when a condition no longer holds; nothing was written then.
        :raises LedgerUnavailable: when it could not be written.
        """

    def refuse(self, application: NewApplication, reasons: Sequence[Problem]) -> int:
        """Commit an application that was refused, with every reason; return its id.

        :raises LedgerUnavailable: when it could not be written.
        """

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
        """Commit the certificate of a reserved application with its status and audit event; from now on it is seen.

        :param deemed_accepted: when it counts as accepted although nobody accepted it; None for those that need not be.
        :raises Overtaken: when another certificate for its public key was stored meanwhile; the application is
            then refused for that reason.
        :raises LedgerUnavailable: when it could not be written.
        """

    def certificate(self, serial_number: SerialNumber) -> CertificateRecord | None:
        """The certificate with that serial number, or None."""

    def certificates_of_key(self, public_key_info: bytes) -> list[CertificateRecord]:
        """Certificates for a public key (SubjectPublicKeyInfo, DER), oldest first."""

    def is_certified(self, public_key_info: bytes) -> bool:
        """Whether there is a certificate for a public key (SubjectPublicKeyInfo, DER)."""

    def certificates(
        self, query: CertificateQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[CertificateRecord]:
        """Certificates that match, in the order in which they were issued.

        :param after: the id behind which to begin, for pages.
        :param limit: how many at most.
        """

    def authorities(self) -> list[CertificateRecord]:
        """The authorities' certificates, in the order in which they were made."""

    def unfinished_applications(self) -> list[ApplicationRecord]:
        """Applications whose certificate was never stored: a crash came between, or they are under way."""

    def application(self, application_id: int) -> ApplicationRecord | None:
        """The application with that id, or None."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A look at the certificates that does not change while it lasts."""

    def applications(
        self, query: ApplicationQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[ApplicationRecord]:
        """Applications that match, in the order in which they were received; *after* and *limit* as above."""

    def certificates_issued_to(self, subscriber: str) -> int:
        """How many certificates a subscriber has had, reserved ones included."""

    def certificates_for_device(self, device_id: EntityIdentifier) -> int:
        """How many certificates a Device has had, reserved ones included."""

    def set_status(
        self, serial_number: SerialNumber, status: CertificateStatus, moment: datetime, event: str, detail: str
    ) -> None:
        """Commit a new status of a certificate with its audit event.

        :raises LedgerUnavailable: when it could not be written.
        """

    def note(self, serial_number: SerialNumber, moment: datetime, event: str, detail: str) -> None:
        """Commit an audit event about a certificate.

        :raises LedgerUnavailable: when it could not be written.
        """

    def events(self, serial_number: SerialNumber) -> list[AuditEvent]:
        """What was done with a certificate, in that order."""

    @property
    def revocations(self) -> Revocations:
        """What was revoked, and the lists that said so."""

    @property
    def imports(self) -> Imports:
        """Certificates that were issued elsewhere."""

    @property
    def credentials(self) -> Credentials:
        """API keys and officers' tokens."""

    @property
    def register(self) -> Register:
        """Who there is to apply, and which Devices there are."""

    @property
    def search(self) -> Search:
        """What there is, a page at a time in any order, and how much of it."""

    def count_certificates(self) -> int:
        """How many certificates there are."""

    def damage(self) -> list[str]:
        """What the storage itself finds wrong with its file; empty when it is sound."""

    def close(self) -> None:
        """Close it; using it afterwards is an error."""
