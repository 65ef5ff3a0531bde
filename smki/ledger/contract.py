"""What a ledger does, whatever it is stored in: it is read, and it changes in transactions.

:class:`Reader` is what can be asked, :class:`Transaction` adds what can be written, and :class:`Ledger` runs
transactions. A transaction sees what it has written itself; everybody else sees all of it once it is committed, or
nothing. ``tests/ledger/contract.py`` is the test suite that every implementation has to pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from smki.identity import EntityIdentifier, PartyId, SerialNumber
from smki.ledger.records import (
    ApplicationQuery,
    ApplicationRecord,
    CertificateQuery,
    CertificateRecord,
    CredentialKind,
    CredentialRecord,
    Event,
    EventQuery,
    ImportedCertificate,
    ListRecord,
    NewApplication,
    NewEvent,
    NewImport,
    Order,
    Page,
    Revocation,
    RevokedCertificate,
    Statistics,
)
from smki.problem import Problem, SmkiError
from smki.sec.device import Device, DeviceType, SmiStatus
from smki.sec.party import Party
from smki.sec.registry_fields import Registrant
from smki.sec.role import CertificateStatus

T = TypeVar("T")


class LedgerUnavailable(SmkiError):
    """The ledger could not be read or written: disk full, file locked, damaged or gone."""


class Conflict(SmkiError):
    """What was to be added is there already: a serial number, a public key, an identifier, a name."""


class RegisterReader(Protocol):
    """Parties, Testing Participants and Devices."""

    def registrant(self, party: PartyId) -> Registrant | None:
        """The Party or Testing Participant with that id, or None."""

    def registrants(self) -> list[Registrant]:
        """Every Party and Testing Participant, in the order in which they were added."""

    def owner(self, identifier: EntityIdentifier) -> Party | None:
        """The Party to which an Entity Identifier belongs, or None."""

    def highest_identifier(self, first: EntityIdentifier, last: EntityIdentifier) -> EntityIdentifier | None:
        """The highest Entity Identifier of a block that belongs to anybody, or None."""

    def device(self, device_id: EntityIdentifier) -> Device | None:
        """The Device with that id, or None."""

    def devices(self) -> Iterator[Device]:
        """Every Device, by its id."""

    def threshold(self, device_id: EntityIdentifier) -> int | None:
        """The number of certificates to which the registration authority has set a Device's limit; None if not."""


class RevocationReader(Protocol):
    """What was revoked, and the lists that said so."""

    def of(self, serial_number: SerialNumber) -> Revocation | None:
        """The revocation of a certificate, or None."""

    def pending(self, latest: ListRecord, now: datetime) -> datetime | None:
        """When the first revocation took effect that a list does not contain yet; None if there is none."""

    def entries(
        self, issuer: SerialNumber, moment: datetime, *, last: int | None = None
    ) -> Iterator[RevokedCertificate]:
        """Everything of an issuer that is revoked at a moment and has not expired, in the order of its revocation.

        :param last: id of the last revocation to consider (:meth:`last_id`); None for all of them.
        """

    def last_id(self) -> int:
        """The id of the last revocation; 0 where there is none."""

    def latest(self, issuer: SerialNumber) -> ListRecord | None:
        """The list with the highest number, or None."""

    def as_of(self, issuer: SerialNumber, moment: datetime) -> ListRecord | None:
        """The list that was the latest at a moment, or None."""

    def numbered(self, issuer: SerialNumber, number: int) -> ListRecord | None:
        """The list with that number, or None."""

    def lists(self, issuer: SerialNumber) -> Iterator[ListRecord]:
        """Every list of an issuer, in the order of their numbers, without its DER."""


class CredentialReader(Protocol):
    """API keys and officers' tokens, of whose secrets only the SHA-256 is kept."""

    def of(self, secret: str) -> CredentialRecord | None:
        """The credential with that secret, whether it is still valid or not; None where nobody was given it."""

    def all(self, kind: CredentialKind) -> list[CredentialRecord]:
        """Every credential of a kind, in the order in which they were made."""


class ImportReader(Protocol):
    """Certificates that were issued elsewhere."""

    def holds(self, sha256: bytes) -> bool:
        """Whether the certificate with that SHA-256 over its DER (32 bytes) was imported."""

    def with_serial_number(self, serial_number: SerialNumber) -> list[ImportedCertificate]:
        """Every one with that serial number, the first imported first: different issuers can have drawn the same."""

    def of_key(self, public_key_info: bytes) -> list[ImportedCertificate]:
        """Those for a public key (SubjectPublicKeyInfo, DER), the first imported first."""

    def certificates(self, query: CertificateQuery) -> Iterator[ImportedCertificate]:
        """Those that match, the first imported first.

        A query by issuer, type of Device or time of issue matches none: these are known only of our own certificates.
        """

    def count(self) -> int:
        """How many there are."""


class SearchReader(Protocol):
    """Everything in pages, in any order: the thousandth page takes as long as the first."""

    def certificates(
        self,
        query: CertificateQuery,
        order: Order = Order.ISSUED,
        *,
        descending: bool = False,
        after: int | None = None,
        limit: int = 100,
    ) -> Page[CertificateRecord]:
        """A page of the certificates that match.

        :param after: :attr:`Page.last` of the page before; None for the first page.
        """

    def all_certificates(
        self,
        query: CertificateQuery,
        order: Order = Order.ISSUED,
        *,
        descending: bool = False,
        after: int | None = None,
    ) -> Iterator[CertificateRecord]:
        """Every certificate that matches, read a page at a time."""

    def holds_certificate(self, row: int) -> bool:
        """Whether a page can begin after that row."""

    def registrants(self, after: int = 0, limit: int = 100) -> Page[Registrant]:
        """A page of Parties and Testing Participants, in the order in which they were added."""

    def devices(
        self,
        after: EntityIdentifier | None = None,
        limit: int = 100,
        *,
        device_type: DeviceType | None = None,
        status: SmiStatus | None = None,
    ) -> tuple[list[Device], EntityIdentifier | None]:
        """A page of the Smart Metering Inventory, by Device ID, and the one after which the next page begins."""

    def applications(
        self, query: ApplicationQuery, before: int | None = None, limit: int = 100
    ) -> Page[ApplicationRecord]:
        """A page of applications, the latest first."""

    def events(self, query: EventQuery, before: int | None = None, limit: int = 100) -> Page[Event]:
        """A page of audit events, the latest first."""

    def statistics(self, now: int) -> Statistics:
        """Counts by the status at a moment (seconds since 1970-01-01T00:00:00Z)."""


class Reader(Protocol):
    """What can be asked of a ledger."""

    @property
    def register(self) -> RegisterReader:
        """Who there is to apply, and which Devices there are."""

    @property
    def revocations(self) -> RevocationReader:
        """What was revoked, and the lists that said so."""

    @property
    def credentials(self) -> CredentialReader:
        """API keys and officers' tokens."""

    @property
    def imports(self) -> ImportReader:
        """Certificates that were issued elsewhere."""

    @property
    def search(self) -> SearchReader:
        """Everything in pages, in any order."""

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

        :param after: the id after which to begin, for pages.
        :param limit: maximum number of records.
        """

    def authorities(self) -> list[CertificateRecord]:
        """The authorities' certificates, in the order in which they were made."""

    def application(self, application_id: int) -> ApplicationRecord | None:
        """The application with that id, or None."""

    def applications(
        self, query: ApplicationQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[ApplicationRecord]:
        """Applications that match, in the order in which they were received; *after* and *limit* as above."""

    def unfinished_applications(self) -> list[ApplicationRecord]:
        """Applications of a ledger of version 0.1 whose certificate was never stored."""

    def certificates_issued_to(self, subscriber: str) -> int:
        """How many certificates a subscriber has had."""

    def certificates_for_device(self, device_id: EntityIdentifier) -> int:
        """How many certificates a Device has had."""

    def last_certificate_id(self) -> int:
        """The id of the last certificate; 0 where there is none."""

    def count_certificates(self) -> int:
        """How many certificates there are."""

    def events(self, query: EventQuery = EventQuery()) -> Iterator[Event]:  # noqa: B008
        """Audit events that match, in the order in which they were appended."""


class Transaction(Reader, Protocol):
    """A write transaction. What it reads includes what it has written.

    Whatever is written stands or falls together: an exception that leaves the transaction undoes all of it.
    """

    def add_application(
        self, application: NewApplication, *, serial_number: SerialNumber | None = None, reasons: Sequence[Problem] = ()
    ) -> int:
        """Add an application, granted if it has a serial number, and return its id.

        :raises Conflict: when the serial number is in the ledger already; nothing was written then.
        """

    def add_certificate(self, new: CertificateRecord) -> CertificateRecord:
        """Add a certificate and return it with its id.

        :raises Conflict: when there is a certificate for its public key already.
        """

    def replace_older(self, certificate_id: int, moment: datetime) -> None:
        """Put the certificates that one takes over from out of use: same subject, role and usage, and older."""

    def restore_older(self, certificate_id: int) -> None:
        """Undo :meth:`replace_older`."""

    def change_status(
        self, serial_number: SerialNumber, expected: CertificateStatus, status: CertificateStatus, since: datetime
    ) -> bool:
        """Change the stored status from *expected* to *status*; return False, and do nothing, where it is another."""

    def add_revocation(self, revocation: Revocation) -> None:
        """Add a revocation.

        :raises Conflict: when the certificate was revoked before.
        """

    def add_list(self, record: ListRecord) -> None:
        """Add a revocation list."""

    def add_registrant(self, registrant: Registrant) -> None:
        """Add a Party or Testing Participant.

        :raises Conflict: when its id or one of its Entity Identifiers is taken.
        """

    def replace_registrant(self, registrant: Registrant) -> None:
        """Replace the record of a Party or Testing Participant.

        :raises Conflict: when one of its Entity Identifiers belongs to another Party.
        """

    def add_device(self, device: Device) -> None:
        """Add a Device.

        :raises Conflict: when it is there already.
        """

    def replace_device(self, device: Device) -> None:
        """Replace the record of a Device."""

    def set_threshold(self, device_id: EntityIdentifier, threshold: int | None) -> None:
        """Set the limit of a Device; None removes it."""

    def add_credential(self, credential: CredentialRecord, secret: str) -> CredentialRecord:
        """Add a credential and return it with its id; only the SHA-256 of the secret is stored."""

    def revoke_credential(self, credential_id: int, moment: datetime) -> None:
        """Mark a credential as revoked."""

    def add_imports(self, certificates: Iterable[NewImport], moment: datetime) -> None:
        """Add imported certificates; one that is there already stays as it is."""

    def append_event(self, event: NewEvent) -> int:
        """Append an audit event and return its id."""


class Snapshot(Protocol):
    """The certificates as they stood at one instant, however long the reading takes."""

    @property
    def last(self) -> int:
        """The id of the last certificate; 0 where there is none."""

    def certificates(self, after: int = 0, *, with_der: bool = True) -> Iterator[CertificateRecord]:
        """The certificates with an id above *after*, in the order in which they were issued.

        :param with_der: False to leave the DER out, which saves reading it.
        """

    def certificate(self, identifier: int) -> CertificateRecord:
        """The certificate with that id, which must be there."""


class Ledger(Reader, Protocol):
    """A ledger. Safe to use from several threads; several processes may have the same one open."""

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run *work* in a transaction and commit it; it is durable when this returns.

        :param work: is run once. What it raises undoes everything that it wrote, and is raised again.
        :raises LedgerUnavailable: when the ledger could not be written; nothing of it is stored then.
        """

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A view of the certificates that does not change while it is open."""

    def damage(self) -> list[str]:
        """What is wrong with the storage itself, one line each."""

    def inconsistencies(self) -> list[Problem]:
        """Where what is stored contradicts itself: statuses, revocations, events, applications, successors, counters.

        Nothing that commands wrote does, in whatever order and whatever the clock said. All of it is looked at as it stands
        at one instant.
        """

    def close(self) -> None:
        """Close it."""
