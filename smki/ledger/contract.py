"""What a ledger does, whatever it is stored in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from smki.certificate import Certificate
from smki.identity import EntityIdentifier, SerialNumber
from smki.problem import SmkiError
from smki.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole


class SerialTaken(SmkiError):
    """The serial number is in the ledger already; another one has to be drawn."""


class LedgerUnavailable(SmkiError):
    """The ledger could not be read or written: disk full, file locked, damaged or gone."""


@dataclass(frozen=True, slots=True)
class NewApplication:
    """An application that was granted and is about to be signed."""

    received: datetime
    interface: str
    """Through what it came: ``cli``, ``init``, ``python``, …"""
    applicant: str
    kind: CertificateKind
    entity_identifier: EntityIdentifier | None
    role: RemotePartyRole | None
    usage: KeyUsage | None
    request: bytes | None
    """The certification request, DER; None for authorities."""
    serial_number: SerialNumber
    tbs: bytes
    """The octets about to be signed."""


@dataclass(frozen=True, slots=True)
class ApplicationRecord:
    """An application as it stands in the ledger."""

    id: int
    received: datetime
    interface: str
    applicant: str
    kind: CertificateKind
    entity_identifier: EntityIdentifier | None
    role: RemotePartyRole | None
    usage: KeyUsage | None
    request: bytes | None
    serial_number: SerialNumber
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
    issued: datetime
    issuer_serial_number: SerialNumber | None
    """The issuing certificate's; None for a root."""
    application_id: int
    der: bytes

    def status_at(self, moment: datetime) -> CertificateStatus:
        """The status at a moment: expired once notAfter has passed, unless it was revoked before."""
        if moment > self.not_after and self.stored_status is not CertificateStatus.REVOKED:
            return CertificateStatus.EXPIRED
        return self.stored_status

    @property
    def certificate(self) -> Certificate:
        """The certificate itself, read from its DER."""
        return Certificate.from_der(self.der)


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


class Ledger(Protocol):
    """A ledger. Safe to use from several threads; several processes may have the same one open."""

    def reserve(self, application: NewApplication) -> int:
        """Commit an application, its serial number and the octets about to be signed; return its id.

        :raises SerialTaken: when the serial number is in the ledger already; nothing was written then.
        :raises LedgerUnavailable: when it could not be written.
        """

    def store(
        self,
        application_id: int,
        certificate: Certificate,
        status: CertificateStatus,
        issued: datetime,
        issuer: SerialNumber | None,
    ) -> CertificateRecord:
        """Commit the certificate of a reserved application with its status and audit event; from now on it is seen.

        :raises LedgerUnavailable: when it could not be written.
        """

    def certificate(self, serial_number: SerialNumber) -> CertificateRecord | None:
        """The certificate with that serial number, or None."""

    def certificates_of_key(self, public_key_info: bytes) -> list[CertificateRecord]:
        """Certificates for a public key (SubjectPublicKeyInfo, DER), oldest first."""

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

    def count_certificates(self) -> int:
        """How many certificates there are."""

    def damage(self) -> list[str]:
        """What the storage itself finds wrong with its file; empty when it is sound."""

    def close(self) -> None:
        """Close it; using it afterwards is an error."""
