"""What decisions on applications depend on: the ledger, or what was read of it once for a batch of applications."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Protocol

from smki.identity import EntityIdentifier, PartyId
from smki.ledger import NewApplication, Reader
from smki.ledger.decisions import InventoryEntry
from smki.ledger.settings import SettingReader
from smki.pki.request import CertificationRequest
from smki.registration.applicants import RegisterView
from smki.sec.certified_product import CertifiedProduct
from smki.sec.device import Device
from smki.sec.registry_fields import Registrant
from smki.sec.role import CertificateKind, RemotePartyRole


class RegisterFacts(RegisterView, Protocol):
    """The register, with what belongs to Devices."""

    def threshold(self, device_id: EntityIdentifier) -> int | None:
        """The certificate limit that was set for a Device; None if it has the default."""

    def product(self, model: str) -> CertifiedProduct | None:
        """The entry of a Device model in the Certified Products List, or None; it may have been removed."""


class Facts(SettingReader, Protocol):
    """What decisions depend on. A :class:`~smki.ledger.Reader` is one."""

    @property
    def register(self) -> RegisterFacts:
        """Parties, Testing Participants and Devices."""

    def is_certified(self, public_key_info: bytes) -> bool:
        """Return whether there is a certificate for a public key."""

    def certificates_for_device(self, device_id: EntityIdentifier) -> int:
        """The number of certificates that a Device has had."""

    def roles_certified(self, entity: EntityIdentifier) -> frozenset[RemotePartyRole]:
        """The roles of the Organisation Certificates that an Entity Identifier has had, whatever their status."""


class BatchFacts:
    """The :class:`Facts` for a batch of applications, inside the transaction that records them.

    They are read at once, or once when they are first needed. What is granted to earlier applications of the batch counts
    for later ones, exactly as if each had been recorded before the next.

    :param reader: the transaction.
    :param requests: those of the batch.
    """

    def __init__(self, reader: Reader, requests: Collection[CertificationRequest]) -> None:
        self._reader = reader
        self.register = _BatchRegister(reader, {each.entity_identifier for each in requests if each.role is None})
        self._settings = reader.sets.settings()
        self._certified = set(reader.sets.certified_keys({each.public_key_info for each in requests}))
        self._for_devices: Mapping[EntityIdentifier, int] = reader.sets.certificates_for_devices(
            {each.entity_identifier for each in requests if each.role is None}
        )
        self._last_id = reader.last_certificate_id()
        # Granted in this batch:
        self._to_devices: Counter[EntityIdentifier] = Counter()
        self._to_subscribers: Counter[tuple[str, str]] = Counter()
        self._in_roles: dict[EntityIdentifier, frozenset[RemotePartyRole]] = {}

    def setting(self, name: str) -> str | None:
        """The value of a setting; None if it was never set."""
        return self._settings.get(name)

    def is_certified(self, public_key_info: bytes) -> bool:
        """Return whether there is a certificate for a public key."""
        return public_key_info in self._certified

    def certificates_for_device(self, device_id: EntityIdentifier) -> int:
        """The number of certificates that a Device has had."""
        return self._for_devices.get(device_id, 0) + self._to_devices[device_id]

    def certificates_by_test(self, subscriber: str) -> dict[str, int]:
        """The number of certificates that a subscriber has had for each of its tests, by name, and outside recorded
        tests under the empty name."""
        counts = self._reader.certificates_by_test(subscriber)
        for (holder, test), granted in self._to_subscribers.items():
            if holder == subscriber:
                counts[test] = counts.get(test, 0) + granted
        return counts

    def roles_certified(self, entity: EntityIdentifier) -> frozenset[RemotePartyRole]:
        """The roles of the Organisation Certificates that an Entity Identifier has had, whatever their status."""
        return self._reader.roles_certified(entity) | self._in_roles.get(entity, frozenset())

    def last_certificate_id(self) -> int:
        """The id of the last certificate, with those granted in this batch."""
        return self._last_id

    def grant(self, application: NewApplication, request: CertificationRequest, added: Device | None) -> None:
        """Count a certificate that is granted to an application of the batch.

        :param added: the Device that the application adds to the inventory.
        """
        self._last_id = max(self._last_id, self._reader.numbers_above()) + 1
        self._certified.add(request.public_key_info)
        self._to_subscribers[application.subscriber, application.test or ""] += 1
        if application.kind is CertificateKind.DEVICE:
            self._to_devices[request.entity_identifier] += 1
        elif request.role is not None:
            before = self._in_roles.get(request.entity_identifier, frozenset())
            self._in_roles[request.entity_identifier] = before | {request.role}
        if added is not None:
            self.register.add(added)


class _BatchRegister:
    """The :class:`RegisterFacts` of a batch."""

    def __init__(self, reader: Reader, device_ids: Collection[EntityIdentifier]) -> None:
        self._register = reader.register
        self._devices: dict[EntityIdentifier, InventoryEntry] = dict(reader.sets.inventory(device_ids))
        self._registrants: dict[PartyId, Registrant | None] = {}
        self._all: list[Registrant] | None = None
        self._products: dict[str, CertifiedProduct | None] = {}

    def registrant(self, party: PartyId) -> Registrant | None:
        """The Party or Testing Participant with that id, or None."""
        if party not in self._registrants:
            self._registrants[party] = self._register.registrant(party)
        return self._registrants[party]

    def registrants(self) -> list[Registrant]:
        """Every Party and Testing Participant, in the order in which they were added."""
        if self._all is None:
            self._all = self._register.registrants()
        return list(self._all)

    def owner(self, identifier: EntityIdentifier) -> Registrant | None:
        """The Party or Testing Participant to which an Entity Identifier belongs, or None."""
        return self._register.owner(identifier)

    def device(self, device_id: EntityIdentifier) -> Device | None:
        """The Device with that id, or None."""
        found = self._devices.get(device_id)
        return found.device if found is not None else None

    def threshold(self, device_id: EntityIdentifier) -> int | None:
        """The certificate limit that was set for a Device; None if it has the default."""
        found = self._devices.get(device_id)
        return found.threshold if found is not None else None

    def product(self, model: str) -> CertifiedProduct | None:
        """The entry of a Device model in the Certified Products List, or None; it may have been removed."""
        if model not in self._products:
            self._products[model] = self._register.product(model)
        return self._products[model]

    def add(self, device: Device) -> None:
        """Count a Device that an application of the batch adds."""
        self._devices[device.device_id] = InventoryEntry(device, None)
