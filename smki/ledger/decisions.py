"""Applications with what was decided on them, as they are recorded: many at once, each with its audit event."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.records import CertificateRecord, NewApplication, NewEvent
from smki.problem import Problem
from smki.sec.device import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedApplication:
    """An application and the decision on it."""

    application: NewApplication
    event: NewEvent
    """Its audit event. The ledger fills in the numbers of the application and of the certificate."""
    reasons: tuple[Problem, ...] = ()
    """Why it was refused; empty if it was granted."""
    certificate: CertificateRecord | None = None
    """The certificate, without its ids; None if the application was refused.

    Unless it is an authority's, it replaces older ones for the same subject, role and usage from the time at which it is
    in use: when it is deemed accepted, or at once.
    """
    public_key_info: bytes = b""
    """SubjectPublicKeyInfo (DER) of the certificate."""
    device: Device | None = None
    """The Device that the application adds to the Smart Metering Inventory."""


class RecordedDecision(NamedTuple):
    """The numbers of what was recorded."""

    application_id: int
    event_id: int
    certificate: CertificateRecord | None
    """The certificate, with its ids."""


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


class DecisionWriter(Protocol):
    """Records decisions on applications."""

    def record_decisions(self, decided: Sequence[DecidedApplication]) -> list[RecordedDecision]:
        """Add applications with their certificates and audit events, in their order.

        :raises Conflict: if a serial number was used before, or a public key is certified. The transaction must be rolled
            back then.
        """
