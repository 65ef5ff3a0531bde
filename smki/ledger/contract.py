"""The protocols that every ledger implements; ``tests/ledger/contract.py`` is the test suite that it has to pass.

:class:`Reader` has the queries, :class:`Transaction` adds the writes, and :class:`Ledger` runs transactions. A
transaction sees its own writes; others see either all of them, once they are committed, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from smki.identity import EntityIdentifier, PartyId, SerialNumber
from smki.ledger.decisions import DecisionWriter, SetReader
from smki.ledger.history import HistoryReader
from smki.ledger.imports import ImportReader
from smki.ledger.products import ProductReader, ProductWriter
from smki.ledger.record import RecordReader
from smki.ledger.records import (
    ApplicationQuery,
    ApplicationRecord,
    CertificateQuery,
    CertificateRecord,
    CredentialKind,
    CredentialRecord,
    Event,
    EventQuery,
    ListRecord,
    NewEvent,
    NewImport,
    Order,
    Page,
    Revocation,
    RevokedCertificate,
    Statistics,
)
from smki.ledger.settings import SettingReader, SettingWriter
from smki.ledger.snapshot import Snapshot
from smki.problem import Problem, SmkiError
from smki.sec.device import Device, DeviceType, SmiStatus
from smki.sec.registry_fields import Registrant
from smki.sec.role import CertificateStatus, RemotePartyRole

T = TypeVar("T")


class LedgerUnavailable(SmkiError):
    """The ledger could not be read or written, for instance because the disk is full or the file locked or damaged."""


class Conflict(SmkiError):
    """Something to be added already exists: a serial number, a public key, an identifier, a name."""


class RegisterReader(ProductReader, Protocol):
    """Parties, Testing Participants and Devices."""

    def registrant(self, party: PartyId) -> Registrant | None:
        """The Party or Testing Participant with that id, or None."""

    def registrants(self) -> list[Registrant]:
        """Every Party and Testing Participant, in the order in which they were added."""

    def owner(self, identifier: EntityIdentifier) -> Registrant | None:
        """The Party or Testing Participant to which an Entity Identifier belongs, or None."""

    def highest_identifier(self, first: EntityIdentifier, last: EntityIdentifier) -> EntityIdentifier | None:
        """The highest Entity Identifier of a block that belongs to a Party, or None."""

    def device(self, device_id: EntityIdentifier) -> Device | None:
        """The Device with that id, or None."""

    def devices(self) -> Iterator[Device]:
        """Every Device, in the order of their ids."""

    def threshold(self, device_id: EntityIdentifier) -> int | None:
        """The certificate limit that was set for a Device; None if it has the default."""


class RevocationReader(Protocol):
    """Revocations and revocation lists."""

    def of(self, serial_number: SerialNumber) -> Revocation | None:
        """The revocation of a certificate, or None."""

    def pending(self, latest: ListRecord, now: datetime) -> datetime | None:
        """The time since which a revocation in effect is missing from a list, not before that of the list if the
        revocation is dated after *now*; None if none is missing."""

    def entries(
        self, issuer: SerialNumber, moment: datetime, *, last: int | None = None
    ) -> Iterator[RevokedCertificate]:
        """Every certificate of an issuer that is revoked and has not expired, in the order of revocation, for a list.

        A revocation in effect stays in effect if the clock is set back; its entry then has the time of the list.

        :param moment: the time of the list (UTC).
        :param last: id of the last revocation to include (:meth:`last_id`); None to include all.
        """

    def last_id(self) -> int:
        """The id of the last revocation; 0 if there is none."""

    def latest(self, issuer: SerialNumber) -> ListRecord | None:
        """The list with the highest number, or None."""

    def as_of(self, issuer: SerialNumber, moment: datetime) -> ListRecord | None:
        """The list with the highest number among those dated up to a moment, or None."""

    def numbered(self, issuer: SerialNumber, number: int) -> ListRecord | None:
        """The list with that number, or None."""

    def lists(self, issuer: SerialNumber) -> Iterator[ListRecord]:
        """Every list of an issuer, in the order of their numbers, without the DER."""


class CredentialReader(Protocol):
    """API keys and officers' tokens. Only the SHA-256 of their secrets is stored."""

    def of(self, secret: str) -> CredentialRecord | None:
        """The credential with that secret, whether or not it is still valid; None if there is none."""

    def all(self, kind: CredentialKind) -> list[CredentialRecord]:
        """Every credential of a kind, in the order in which they were made."""


class SearchReader(Protocol):
    """Paginated queries in any order. Late pages are as fast as the first one."""

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
        """Every certificate that matches, read one page at a time."""

    def holds_certificate(self, row: int) -> bool:
        """Return whether a page can begin after that row."""

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
        """A page of the Smart Metering Inventory in the order of Device IDs, and the id after which the next page
        begins."""

    def applications(
        self, query: ApplicationQuery, before: int | None = None, limit: int = 100
    ) -> Page[ApplicationRecord]:
        """A page of applications, the latest first."""

    def events(self, query: EventQuery, before: int | None = None, limit: int = 100) -> Page[Event]:
        """A page of audit events, the latest first."""

    def statistics(self, now: int) -> Statistics:
        """Counts by the status at a moment (seconds since 1970-01-01T00:00:00Z)."""


class Reader(SettingReader, Protocol):
    """The queries of a ledger."""

    @property
    def register(self) -> RegisterReader:
        """Parties, Testing Participants and Devices."""

    @property
    def revocations(self) -> RevocationReader:
        """Revocations and revocation lists."""

    @property
    def credentials(self) -> CredentialReader:
        """API keys and officers' tokens."""

    @property
    def imports(self) -> ImportReader:
        """Certificates that were issued elsewhere."""

    @property
    def record(self) -> RecordReader:
        """The record of all events."""

    @property
    def history(self) -> HistoryReader:
        """The past of the register."""

    @property
    def search(self) -> SearchReader:
        """Paginated queries."""

    @property
    def sets(self) -> SetReader:
        """Queries about many things at once."""

    def certificate(self, serial_number: SerialNumber) -> CertificateRecord | None:
        """The certificate with that serial number, or None."""

    def certificates_of_key(self, public_key_info: bytes) -> list[CertificateRecord]:
        """Certificates for a public key (SubjectPublicKeyInfo, DER), oldest first."""

    def is_certified(self, public_key_info: bytes) -> bool:
        """Return whether there is a certificate for a public key (SubjectPublicKeyInfo, DER)."""

    def certificates(
        self, query: CertificateQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[CertificateRecord]:
        """Certificates that match, in the order in which they were issued.

        :param after: the id after which to begin, for pagination.
        :param limit: maximum number of records.
        """

    def authorities(self) -> list[CertificateRecord]:
        """The authorities' certificates, in the order in which they were issued."""

    def application(self, application_id: int) -> ApplicationRecord | None:
        """The application with that id, or None."""

    def applications(
        self, query: ApplicationQuery, after: int = 0, limit: int | None = None
    ) -> Iterator[ApplicationRecord]:
        """Applications that match, in the order in which they were received; *after* and *limit* as in
        :meth:`certificates`."""

    def unfinished_applications(self) -> list[ApplicationRecord]:
        """Applications of a ledger of version 0.1 whose certificate was never stored."""

    def certificates_issued_to(self, subscriber: str) -> int:
        """The number of certificates that a subscriber has had."""

    def certificates_for_device(self, device_id: EntityIdentifier) -> int:
        """The number of certificates that a Device has had."""

    def roles_certified(self, entity: EntityIdentifier) -> frozenset[RemotePartyRole]:
        """The roles of the Organisation Certificates that an Entity Identifier has had, whatever their status."""

    def last_certificate_id(self) -> int:
        """The id of the last certificate; 0 if there is none."""

    def count_certificates(self) -> int:
        """The number of certificates."""

    def numbers_above(self) -> int:
        """The number above which everything is numbered since the last restore from a backup; 0 without one."""

    def events(self, query: EventQuery = EventQuery()) -> Iterator[Event]:  # noqa: B008
        """Audit events that match, in the order in which they were appended."""


class Transaction(Reader, DecisionWriter, ProductWriter, SettingWriter, Protocol):
    """A write transaction. Its queries see its own writes.

    The writes are committed together, or not at all: an exception that leaves the transaction rolls it back.
    """

    def replace_older(self, certificate_id: int, moment: datetime) -> None:
        """Mark the certificates that a certificate replaces: older ones for the same subject, role and usage."""

    def restore_older(self, certificate_id: int) -> None:
        """Undo :meth:`replace_older`."""

    def change_status(
        self, serial_number: SerialNumber, expected: CertificateStatus, status: CertificateStatus, since: datetime
    ) -> bool:
        """Change the stored status from *expected* to *status*. Return False, and change nothing, if it was not
        *expected*."""

    def add_revocation(self, revocation: Revocation) -> None:
        """Add a revocation.

        :raises Conflict: if the certificate is already revoked.
        """

    def add_list(self, record: ListRecord) -> None:
        """Add a revocation list."""

    def add_registrant(self, registrant: Registrant) -> None:
        """Add a Party or Testing Participant.

        :raises Conflict: if its id or one of its Entity Identifiers is already in use.
        """

    def replace_registrant(self, registrant: Registrant) -> None:
        """Replace the record of a Party or Testing Participant.

        :raises Conflict: if one of its Entity Identifiers belongs to another Party.
        """

    def add_device(self, device: Device) -> None:
        """Add a Device.

        :raises Conflict: if it already exists.
        """

    def replace_device(self, device: Device) -> None:
        """Replace the record of a Device."""

    def set_threshold(self, device_id: EntityIdentifier, threshold: int | None) -> None:
        """Set the certificate limit of a Device; None restores the default."""

    def add_credential(self, credential: CredentialRecord, secret: str) -> CredentialRecord:
        """Add a credential and return it with its id; only the SHA-256 of the secret is stored."""

    def revoke_credential(self, credential_id: int, moment: datetime) -> None:
        """Mark a credential as revoked."""

    def add_imports(self, certificates: Iterable[NewImport], moment: datetime) -> None:
        """Add imported certificates; those that were imported before are left unchanged."""

    def append_event(self, event: NewEvent) -> int:
        """Append an audit event and return its id."""


class Ledger(Reader, Protocol):
    """A ledger. It can be used by several threads, and opened by several processes."""

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run *work* in a transaction and commit it. When this returns, the writes are durable.

        :param work: called once. If it raises an exception, its writes are rolled back and the exception is raised
            again.
        :raises LedgerUnavailable: if the ledger could not be written; nothing is stored then.
        """

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A view of the certificates that does not change while it is open."""

    def damage(self) -> list[str]:
        """Return the defects of the storage itself, one line each."""

    def inconsistencies(self) -> list[Problem]:
        """Return where the records contradict one another: statuses, revocations, events, successors, counters, schema.

        No sequence of commands leads to a contradiction, whatever the clock was set to. All queries see the same state.
        """

    def unrecorded(self) -> list[Problem]:
        """Return which events and rows are not as they were recorded (:mod:`smki.ledger.record`)."""

    def close(self) -> None:
        """Close the ledger."""
