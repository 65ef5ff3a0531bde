"""The records of a ledger: applications, certificates, revocations, lists, credentials and events."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.damage import read_stored
from smki.pki.certificate import Certificate
from smki.problem import Finding, Problem
from smki.sec.device import DeviceType
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

T = TypeVar("T")


class Statement(enum.Enum):
    """How a subscriber made the statement about the information in its application (SEC L11)."""

    EXPLICIT = "explicit"
    """By the officer, with the application."""
    AUTOMATIC = "automatic"
    """Recorded for the officer by the act of applying, because the SMKI does not ask for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApplication:
    """An application as it was received."""

    received: datetime
    interface: str
    """The interface through which it was made: ``cli``, ``rest``, ``init``, ``python``, …"""
    subscriber: str
    """The id of the subscriber: the Party or Testing Participant to which the certificate is issued."""
    officer: str
    """The officer who applied."""
    applied_by: str | None = None
    """The id of the Shared Resource that applied on behalf of the subscriber; None if the subscriber applied itself."""
    kind: CertificateKind
    entity_identifier: EntityIdentifier | None = None
    role: RemotePartyRole | None = None
    usage: KeyUsage | None = None
    request: bytes | None = None
    """The certification request (DER); None for authorities."""
    top_up: bool = False
    """Whether the certificate is for prepayment top-up."""
    test: str | None = None
    """The name of the subscriber's recorded test for which the certificate is issued (SEC H14.11); None for none."""
    statement: Statement | None = None
    """How the officer stated that the information in it is true; None if it was not stated, or nobody applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRecord:
    """An application as it is stored."""

    id: int
    application: NewApplication
    granted: bool
    reasons: tuple[Problem, ...]
    """The reasons for its refusal; empty if it was granted."""
    serial_number: SerialNumber | None
    """The serial number of the certificate; None if it was refused."""
    tbs: bytes | None
    """For ledgers of version 0.1: a TBSCertificate (DER) that was recorded before it was signed, whose certificate was
    never stored. None otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRecord:
    """A certificate as it is stored."""

    id: int = 0
    """The id of its row; negative for an imported certificate, 0 before it is stored."""
    serial_number: SerialNumber
    kind: CertificateKind
    entity_identifier: EntityIdentifier | None
    role: RemotePartyRole | None
    usage: KeyUsage | None
    not_before: datetime
    not_after: datetime
    stored_status: CertificateStatus
    """The stored status. Expiry and deemed acceptance follow from the time and are not stored (:meth:`status_at`)."""
    status_since: datetime
    deemed_accepted: datetime | None
    """When it is deemed accepted (SEC L11); None if it needs no acceptance."""
    issued: datetime
    issuer_serial_number: SerialNumber | None
    """The serial number of the issuing certificate; None for a root."""
    application_id: int
    der: bytes
    top_up: bool = False
    """Whether it is a Supplier's key agreement certificate for prepayment top-up."""
    replaced: datetime | None = None
    """The time from which a newer certificate for the same subject, role and usage replaces it; None if none does."""
    issued_here: bool = True
    """False for an imported certificate. Of the status of these, only expiry is known."""

    def status_at(self, moment: datetime) -> CertificateStatus:
        """Return the status at a moment.

        Revoked once the revocation takes effect, expired after notAfter, not in use once replaced, in use once deemed
        accepted. A certificate whose revocation the PMA has delayed is in use until the revocation takes effect.
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
        """Return the time since which it has had the status that it has at a moment."""
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
        """The certificate, parsed from its DER.

        :raises IntegrityError: if it cannot be read.
        """
        return read_stored("certificate", self.serial_number, self.der, Certificate.from_der)


class EventKind(enum.Enum):
    """What a command did. Every command that changes something appends exactly one event."""

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
    PRODUCT_LISTED = "product listed"
    PRODUCT_REMOVED = "product removed"
    CREDENTIAL_MADE = "credential made"
    CREDENTIAL_REVOKED = "credential revoked"
    CLOCK_SET = "clock set"
    IMPORTED = "imported"
    SETTING_CHANGED = "setting changed"
    MIGRATED = "migrated"
    """The ledger of an earlier version was given a record; the event covers every row that it had."""
    RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An audit event about to be appended."""

    at: datetime
    kind: EventKind
    interface: str = ""
    """The interface of the command; empty for an issued certificate, whose application has it."""
    party: str = ""
    """The id of the Party or Testing Participant for which the officer acted; empty for the operator of the home."""
    officer: str = ""
    concerns: str = ""
    """The id of the Party or Testing Participant that was changed, if any."""
    device_id: EntityIdentifier | None = None
    """The Device that was changed, if any."""
    application_id: int | None = None
    certificate_id: int | None = None
    detail: str = ""
    """A description for people: the reason, or what was done."""
    content: dict[str, Any] | None = None
    """The details of the change, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(NewEvent):
    """An audit event as it is stored."""

    id: int
    serial_number: SerialNumber | None = None
    """The serial number of the certificate concerned."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period, both ends included; an end that is None is open."""

    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """A query for events. Fields that are not None restrict the result."""

    kind: EventKind | None = None
    party: str | None = None
    """The Party that acted, that subscribes for the certificate, or that was changed."""
    officer: str | None = None
    serial_number: SerialNumber | None = None
    device_id: EntityIdentifier | None = None
    """The Device that was changed or to which the certificate was issued."""
    at: Period = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateQuery:
    """A query for certificates. Fields that are not None restrict the result."""

    kinds: tuple[CertificateKind, ...] | None = None
    entity_identifier: EntityIdentifier | None = None
    role: RemotePartyRole | None = None
    usage: KeyUsage | None = None
    status: CertificateStatus | None = None
    """The status at :attr:`moment`."""
    moment: datetime | None = None
    serial_number: SerialNumber | None = None
    serial_prefix: str | None = None
    """The first digits of the serial number, written with 32 hexadecimal digits."""
    sha256: bytes | None = None
    """SHA-256 of the DER, 32 bytes."""
    issuer: SerialNumber | None = None
    """Serial number of the issuing certificate."""
    device_type: DeviceType | None = None
    """The Device type in the Smart Metering Inventory."""
    not_before: Period = Period()
    not_after: Period = Period()
    issued: Period = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationQuery:
    """A query for applications. Fields that are not None restrict the result."""

    subscriber: str | None = None
    entity_identifier: EntityIdentifier | None = None
    kind: CertificateKind | None = None
    granted: bool | None = None
    involved: str | None = None
    """The subscriber, or the Shared Resource that applied on its behalf."""


class Order(enum.Enum):
    """The orders in which certificates can be listed. Equal ones are listed in the order of issue."""

    ISSUED = "issued"
    NOT_AFTER = "notAfter"
    ENTITY_IDENTIFIER = "entityIdentifier"
    """Certificates without an Entity Identifier come first."""
    SERIAL_NUMBER = "serialNumber"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of results."""

    records: list[T]
    last: int | None
    """The row after which the next page begins; None on the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """The revocation of one certificate."""

    serial_number: SerialNumber
    revoked: datetime
    """When it was requested and granted."""
    effective: datetime
    """When it takes effect; later than *revoked* only if the SMKI PMA delayed it."""
    reason: str
    """One of :data:`~smki.profile.revocation_reasons.CRL_REASONS`."""
    asked_by: str


class RevokedCertificate(NamedTuple):
    """A certificate as an entry of a revocation list."""

    serial_number: bytes
    """Big-endian, unsigned."""
    effective: int
    """Seconds since 1970-01-01T00:00:00Z."""
    reason: str
    """The reason that was given when the revocation was requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRecord:
    """A revocation list as it is stored."""

    issuer: SerialNumber
    """Serial number of the issuing authority's certificate."""
    number: int
    """CRLNumber."""
    this_update: datetime
    next_update: datetime
    entries: int
    """The number of its entries."""
    der: bytes
    last_revocation: int = 0
    """Id of the last revocation that had been recorded when the list was made."""


class CredentialKind(enum.Enum):
    """The purpose of a credential."""

    API_KEY = "api-key"
    """Lets a system read the Repository (SEC Appendix P)."""
    OFFICER_TOKEN = "officer-token"  # noqa: S105
    """Lets an officer act for a Party or Testing Participant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRecord:
    """An API key or an officer's token, without its secret."""

    id: int = 0
    kind: CredentialKind
    name: str
    """For an API key, its purpose; for a token, the name of the officer."""
    party: str | None = None
    """For a token: the id of the Party or Testing Participant for which the officer acts."""
    created: datetime
    expires: datetime | None = None
    """None if it is valid until it is revoked."""
    revoked: datetime | None = None

    def is_valid_at(self, moment: datetime) -> bool:
        """Return whether it is valid at a moment (UTC)."""
        return self.revoked is None and (self.expires is None or moment < self.expires)


@dataclass(frozen=True, slots=True)
class NewImport:
    """A certificate that was issued elsewhere, about to be imported."""

    certificate: Certificate
    source: str
    """Where it came from: a file, possibly with a location in the file."""
    name: str
    """Its name there; may be empty."""
    findings: tuple[Finding, ...]
    """The findings of the lint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCertificate:
    """An imported certificate as it is stored."""

    record: CertificateRecord
    """The certificate as a record, marked as not issued here. Its time of issue is notBefore, and its id is
    negative."""
    imported: datetime
    source: str
    name: str
    findings: tuple[Finding, ...]


class CertificateGroup(NamedTuple):
    """A group of certificates that are counted together."""

    kind: CertificateKind
    role: RemotePartyRole | None
    usage: KeyUsage | None
    status: CertificateStatus


class ApplicationGroup(NamedTuple):
    """A group of applications that are counted together."""

    kind: CertificateKind
    granted: bool


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of certificates and applications; empty groups are left out."""

    certificates: dict[CertificateGroup, int]
    applications: dict[ApplicationGroup, int]
    refusals: dict[str, int]
    """By the code of the first reason."""
