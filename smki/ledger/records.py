"""What a ledger holds, as values: applications, certificates, revocations, lists, credentials and events."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from smki.identity import EntityIdentifier, SerialNumber
from smki.pki.certificate import Certificate
from smki.problem import Finding, Problem
from smki.sec.device import DeviceType
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApplication:
    """An application as it was received."""

    received: datetime
    interface: str
    """The interface that it came through: ``cli``, ``rest``, ``init``, ``python``, …"""
    subscriber: str
    """The id of the Party or Testing Participant whose certificate it is to be."""
    officer: str
    """The officer who applied."""
    applied_by: str | None = None
    """The id of the Shared Resource that applied on the subscriber's behalf; None where it applied itself."""
    kind: CertificateKind
    entity_identifier: EntityIdentifier | None = None
    role: RemotePartyRole | None = None
    usage: KeyUsage | None = None
    request: bytes | None = None
    """The certification request, DER; None for authorities."""
    top_up: bool = False
    """Whether the certificate is for prepayment top-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
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
    """In ledgers of version 0.1, a TBSCertificate (DER) that was recorded before it was signed and whose certificate was
    never stored; None otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRecord:
    """A certificate as it stands in the ledger."""

    id: int = 0
    """Its row; negative for an imported certificate, 0 before it is stored."""
    serial_number: SerialNumber
    kind: CertificateKind
    entity_identifier: EntityIdentifier | None
    role: RemotePartyRole | None
    usage: KeyUsage | None
    not_before: datetime
    not_after: datetime
    stored_status: CertificateStatus
    """As last written. Expiry and deemed acceptance are not written but follow from the time (:meth:`status_at`)."""
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
    """The time from which a newer certificate for the same subject, role and usage is in use instead of it."""
    issued_here: bool = True
    """False for a certificate that was imported: the only thing known of its status is whether it has expired."""

    def status_at(self, moment: datetime) -> CertificateStatus:
        """Return the status at a moment.

        Revoked from the day of its revocation, expired once notAfter has passed, not in use once replaced, in use once
        deemed accepted. A certificate whose revocation the PMA has delayed is in use until then.
        """
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
        """Return the time since when it has had the status that it has at a moment."""
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


class EventKind(enum.Enum):
    """What a command did. Every committed command appends exactly one event."""

    ISSUED = "issued"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REVOKED = "revoked"
    LIST_ISSUED = "list issued"
    AUTHORITY_ADDED = "authority added"
    REGISTERED = "registered"
    CHANGED = "changed"
    OFFICER_APPOINTED = "officer appointed"
    OFFICER_DISMISSED = "officer dismissed"
    DEVICE_ADDED = "device added"
    DEVICE_CHANGED = "device changed"
    CREDENTIAL_MADE = "credential made"
    CREDENTIAL_REVOKED = "credential revoked"
    CLOCK_SET = "clock set"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An audit event about to be appended."""

    at: datetime
    kind: EventKind
    interface: str = ""
    """The interface that the command came through; empty for an issued certificate, whose application says it."""
    party: str = ""
    """The id of the Party or Testing Participant for which the officer acted; empty for the operator of the home."""
    officer: str = ""
    concerns: str = ""
    """The id of the Party or Testing Participant that was changed, if one was."""
    device_id: EntityIdentifier | None = None
    """The Device that was changed, if one was."""
    application_id: int | None = None
    certificate_id: int | None = None
    detail: str = ""
    """For a person: the reason, or what was done."""
    content: dict[str, Any] | None = None
    """What was changed, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(NewEvent):
    """An audit event as it stands in the ledger."""

    id: int
    serial_number: SerialNumber | None = None
    """Of the certificate concerned."""


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time, both ends included; None where it is open."""

    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events to find; every field that is not None narrows."""

    kind: EventKind | None = None
    party: str | None = None
    """The Party that acted, that subscribes for the certificate, or that was changed."""
    officer: str | None = None
    serial_number: SerialNumber | None = None
    device_id: EntityIdentifier | None = None
    """The Device that was changed or whose certificate it is."""
    at: Period = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateQuery:
    """Which certificates to find; every field that is not None narrows."""

    kinds: tuple[CertificateKind, ...] | None = None
    entity_identifier: EntityIdentifier | None = None
    role: RemotePartyRole | None = None
    usage: KeyUsage | None = None
    status: CertificateStatus | None = None
    """Status at :attr:`moment`."""
    moment: datetime | None = None
    serial_number: SerialNumber | None = None
    serial_prefix: str | None = None
    """The first hexadecimal digits of the serial number, written with 32."""
    sha256: bytes | None = None
    """SHA-256 of the DER, 32 bytes."""
    issuer: SerialNumber | None = None
    """Serial number of the issuing certificate."""
    device_type: DeviceType | None = None
    """By the Smart Metering Inventory."""
    not_before: Period = Period()
    not_after: Period = Period()
    issued: Period = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationQuery:
    """Which applications to find; every field that is not None narrows."""

    subscriber: str | None = None
    entity_identifier: EntityIdentifier | None = None
    kind: CertificateKind | None = None
    granted: bool | None = None
    involved: str | None = None
    """The subscriber, or whoever applied on its behalf."""


class Order(enum.Enum):
    """The orders in which certificates can be listed; equal ones come in the order in which they were issued."""

    ISSUED = "issued"
    NOT_AFTER = "notAfter"
    ENTITY_IDENTIFIER = "entityIdentifier"
    """Those that have none come first."""
    SERIAL_NUMBER = "serialNumber"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of what was found."""

    records: list[T]
    last: int | None
    """The row after which the next page begins; None when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """The revocation of one certificate."""

    serial_number: SerialNumber
    revoked: datetime
    """When it was asked for and granted."""
    effective: datetime
    """When it takes effect: later than *revoked* only where the SMKI PMA has delayed it."""
    reason: str
    """One of :data:`~smki.profile.revocation_reasons.CRL_REASONS`."""
    asked_by: str


class RevokedCertificate(NamedTuple):
    """What a revocation list says of one certificate."""

    serial_number: bytes
    """Big-endian, unsigned."""
    effective: int
    """Seconds since 1970-01-01T00:00:00Z."""
    reason: str
    """The reason for which the revocation was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRecord:
    """A revocation list as it stands in the ledger."""

    issuer: SerialNumber
    """Serial number of the issuing authority's certificate."""
    number: int
    """CRLNumber."""
    this_update: datetime
    next_update: datetime
    entries: int
    """How many certificates it names."""
    der: bytes
    last_revocation: int = 0
    """Id of the last revocation that had been asked for when it was made."""


class CredentialKind(enum.Enum):
    """What a credential is good for."""

    API_KEY = "api-key"
    """A system reads the Repository with it (SEC Appendix P)."""
    OFFICER_TOKEN = "officer-token"  # noqa: S105
    """An officer acts for a Party or Testing Participant with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRecord:
    """An API key or an officer's token, without its secret."""

    id: int = 0
    kind: CredentialKind
    name: str
    """Of an API key, what it was given for; of a token, the officer."""
    party: str | None = None
    """Of a token: the id of the Party or Testing Participant for which the officer acts."""
    created: datetime
    expires: datetime | None = None
    """None: valid until it is revoked."""
    revoked: datetime | None = None

    def is_valid_at(self, moment: datetime) -> bool:
        """Return whether it is valid at a moment (UTC)."""
        return self.revoked is None and (self.expires is None or moment < self.expires)


@dataclass(frozen=True, slots=True)
class NewImport:
    """A certificate that was issued elsewhere, about to be imported."""

    certificate: Certificate
    source: str
    """Where it came from: a file, perhaps with a place in it."""
    name: str
    """What it was called there; may be empty."""
    findings: tuple[Finding, ...]
    """What the lint found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCertificate:
    """An imported certificate as it stands in the ledger."""

    record: CertificateRecord
    """As a record like ours, not issued here, issued at its notBefore; its id is negative, so that it is nobody else's."""
    imported: datetime
    source: str
    name: str
    findings: tuple[Finding, ...]


class CertificateGroup(NamedTuple):
    """Certificates that are counted together."""

    kind: CertificateKind
    role: RemotePartyRole | None
    usage: KeyUsage | None
    status: CertificateStatus


class ApplicationGroup(NamedTuple):
    """Applications that are counted together."""

    kind: CertificateKind
    granted: bool


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of certificates and applications; empty groups are left out."""

    certificates: dict[CertificateGroup, int]
    applications: dict[ApplicationGroup, int]
    refusals: dict[str, int]
    """By the code of the decisive reason."""
