"""Applications with what was decided on them, as they are recorded: many at once, each with its audit event."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.records import CertificateRecord, NewApplication, NewEvent
from smki.problem import Problem
from smki.sec.device import Device
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole


class NewCertificate(NamedTuple):
    """A certificate that is granted, before it is signed."""

    serial_number: SerialNumber
    kind: CertificateKind
    entity_identifier: EntityIdentifier | None
    role: RemotePartyRole | None
    usage: KeyUsage | None
    public_key_info: bytes
    """SubjectPublicKeyInfo, DER."""
    not_before: datetime
    not_after: datetime
    issued: datetime
    status: CertificateStatus
    deemed_accepted: datetime | None
    """When it is deemed accepted (SEC L11); None if it needs no acceptance."""
    issuer_serial_number: SerialNumber | None
    """The serial number of the issuing certificate; None for a root."""
    top_up: bool = False

    def record(self, prepared: PreparedDecision, der: bytes) -> CertificateRecord:
        """Return the certificate as it is stored."""
        return CertificateRecord(
            id=prepared.certificate_id,
            serial_number=self.serial_number,
            kind=self.kind,
            entity_identifier=self.entity_identifier,
            role=self.role,
            usage=self.usage,
            not_before=self.not_before,
            not_after=self.not_after,
            stored_status=self.status,
            status_since=self.issued,
            deemed_accepted=self.deemed_accepted,
            issued=self.issued,
            issuer_serial_number=self.issuer_serial_number,
            application_id=prepared.application_id,
            der=der,
            top_up=self.top_up,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedApplication:
    """An application and the decision on it."""

    application: NewApplication
    event: NewEvent
    """Its audit event. The ledger fills in the ids of the application and of the certificate."""
    reasons: tuple[Problem, ...] = ()
    """Why it was refused; empty if it was granted."""
    certificate: NewCertificate | None = None
    """The certificate; None if the application was refused.

    Unless it is an authority's, it replaces older ones for the same subject, role and usage from the time at which it is
    in use: when it is deemed accepted, or at once.
    """
    device: Device | None = None
    """The Device that the application adds to the Smart Metering Inventory."""


class PreparedDecision(NamedTuple):
    """A decided application with its ids, in the form of the ledger. It can be pickled."""

    application_id: int
    certificate_id: int
    """0 if the application was refused."""
    event_id: int
    rows: Any


class SealedDecision(NamedTuple):
    """All that is recorded of a decided application, in the form of the ledger. It can be pickled."""

    rows: Any


class InventoryEntry(NamedTuple):
    """What the ledger knows of a Device in the Smart Metering Inventory."""

    device: Device
    threshold: int | None
    """Its certificate limit; None for the default."""


class SetReader(Protocol):
    """Queries about many things at once."""

    def inventory(self, device_ids: Collection[EntityIdentifier]) -> Mapping[EntityIdentifier, InventoryEntry]:
        """Those of the Devices that are in the Smart Metering Inventory."""

    def certificates_for_devices(self, device_ids: Collection[EntityIdentifier]) -> Mapping[EntityIdentifier, int]:
        """The number of certificates that each Device has had; none for 0."""

    def certified_keys(self, public_keys: Collection[bytes]) -> frozenset[bytes]:
        """The public keys (SubjectPublicKeyInfo, DER) for which there is a certificate."""

    def used_serial_numbers(self, serial_numbers: Collection[SerialNumber]) -> frozenset[SerialNumber]:
        """The serial numbers that were used before."""

    def settings(self) -> Mapping[str, str]:
        """The settings that were set, by name."""


Seal = Callable[[PreparedDecision, bytes], SealedDecision]
"""Completes a decision with the certificate (DER; empty if it was refused). It needs no ledger and can be pickled, so that
another process can do it."""


class DecisionRecorder(Protocol):
    """Records decisions on applications, each with its audit event: the same as if each had been recorded before the next."""

    @property
    def seal(self) -> Seal:
        """Completes a decision."""

    def prepare(self, decided: DecidedApplication) -> PreparedDecision:
        """Give a decision its ids. Decisions are recorded in the order in which they were prepared."""

    def record(self, sealed: Sequence[SealedDecision]) -> None:
        """Write all decisions that were prepared.

        :raises Conflict: if a serial number was used before, or a public key is certified. The transaction must be rolled
            back then.
        """


class DecisionWriter(Protocol):
    """Records decisions on applications."""

    def decisions(self, entities: Collection[EntityIdentifier]) -> DecisionRecorder:
        """Begin to record decisions. Nothing else may be written before they are recorded.

        :param entities: the Entity Identifiers of all their certificates.
        """
