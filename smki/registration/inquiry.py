"""Asks the provisions for a decision, with everything that the ledger knows; used by applications and by inquiries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from smki.clock import Clock
from smki.eligibility import (
    DEVICE_THRESHOLD,
    Applicant,
    Decision,
    DeviceQuestion,
    Listing,
    OrganisationQuestion,
    decide,
)
from smki.eligibility.inventory import as_added_by
from smki.identity import EntityIdentifier
from smki.ledger import Reader
from smki.problem import Problem, SmkiError
from smki.registration.actor import Actor
from smki.registration.applicants import first_eligible, named_applicant, owner_as_applicant
from smki.registration.products import listing_of
from smki.sec.device import Device, DeviceType
from smki.sec.party import NonParty
from smki.sec.registry_fields import registrant_id
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole


class CannotBeJudged(SmkiError):
    """The question has no answer: the applicant or the Device is not known."""


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What an application says of a Device that is not in the Smart Metering Inventory, to be added to it."""

    device_type: DeviceType | None = None
    """None if it does not say, which is enough for a Device in the inventory."""
    model: str = ""
    """The product identifier of its model; empty if it does not say."""
    under_test: bool = False
    """Whether it is a Device under test of the applicant."""


class Found(NamedTuple):
    """Who applies, and for which Device."""

    applicant: Applicant
    device: Device | None
    """The Device as it is in the inventory, or as it would be added; None for an Organisation Certificate."""
    to_be_added: Listing | None
    """What is known of the model of a Device that is not in the inventory; None for one that is."""


def find_applicant(
    reader: Reader,
    actor: Actor,
    kind: CertificateKind,
    entity: EntityIdentifier,
    new: NewDevice,
    day: date,
) -> Found:
    """Return who applies, and for a Device Certificate the Device.

    :param new: what is said of a Device that is not in the inventory.
    :raises CannotBeJudged: if the applicant or the Device cannot be determined.
    """
    register = reader.register
    try:
        applicant = named_applicant(register, actor, kind)
        if kind is CertificateKind.ORGANISATION:
            applicant = applicant or owner_as_applicant(register, entity, actor, kind)
            if applicant is None:
                raise CannotBeJudged(_no_owner(entity))
            return Found(applicant, None, None)
        device = register.device(entity)
        if device is not None:
            if new.device_type not in (None, device.device_type):
                raise CannotBeJudged(_other_type(device, new.device_type))
            if new.model not in ("", device.model):
                raise CannotBeJudged(_other_model(device, new.model))
            return Found(applicant or first_eligible(register, device, day, actor), device, None)
        if new.device_type is None:
            raise CannotBeJudged(_unknown_device(entity))
        device = Device(entity, new.device_type, model=new.model)
        listing = listing_of(register, device)
        applicant = applicant or first_eligible(register, device, day, actor, listing, new.under_test)
        return Found(applicant, as_added_by(device, applicant.subscriber, new.under_test), listing)
    except CannotBeJudged:
        raise
    except SmkiError as error:
        raise CannotBeJudged(*error.problems) from error


def decide_on(
    reader: Reader,
    found: Found,
    role: RemotePartyRole | None,
    usage: KeyUsage,
    entity: EntityIdentifier,
    day: date,
    public_key_info: bytes | None = None,
) -> Decision:
    """Return the decision, according to the current state of the ledger.

    :param found: who applies, and for which Device.
    :param role: the role, for an Organisation Certificate.
    :param public_key_info: SubjectPublicKeyInfo (DER) of the request; None for an inquiry without a request.
    """
    applicant, device, to_be_added = found
    subscriber = applicant.subscriber
    is_certified = public_key_info is not None and reader.is_certified(public_key_info)
    had = 0
    if not isinstance(subscriber, NonParty) and subscriber.quota is not None:
        had = reader.certificates_issued_to(registrant_id(subscriber))
    if device is not None:
        limit = reader.register.threshold(device.device_id) or DEVICE_THRESHOLD
        issued = reader.certificates_for_device(device.device_id)
        return decide(DeviceQuestion(applicant, device, day, issued, limit, False, had, is_certified, to_be_added))
    if role is None:
        raise ValueError("an Organisation Certificate is asked for in a role")
    return decide(OrganisationQuestion(applicant, role, usage, entity, day, had, is_certified))


class Inquiry:
    """Answers who may subscribe for what, without applying."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    def organisation(
        self,
        entity: EntityIdentifier,
        role: RemotePartyRole,
        usage: KeyUsage,
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        as_of: date | None = None,
    ) -> Decision:
        """Return whether an applicant may subscribe for an Organisation Certificate on a day (today by default).

        :param applicant: the id of the Party; by default the one that owns the Entity Identifier.
        :raises CannotBeJudged: if there is no such Party.
        """
        day = as_of or self._clock.now().date()
        actor = Actor(interface="question", party=applicant, officer=officer, on_behalf_of=on_behalf_of)
        found = find_applicant(self._reader, actor, CertificateKind.ORGANISATION, entity, NewDevice(), day)
        return decide_on(self._reader, found, role, usage, entity, day)

    def device(
        self,
        entity: EntityIdentifier,
        device_type: DeviceType | None = None,
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        as_of: date | None = None,
        model: str = "",
        under_test: bool = False,
    ) -> Decision:
        """Return whether an applicant may subscribe for a Device Certificate on a day (today by default).

        If the Device is not in the inventory, this includes whether the applicant may add it.

        :param model: the product identifier of a Device that is not in the inventory.
        :param under_test: whether such a Device is a Device under test of the applicant.
        :param applicant: the id of the Party or Testing Participant; by default the first that is eligible.
        :raises CannotBeJudged: if there is no such Party, or the Device is not in the inventory and no type is given.
        """
        day = as_of or self._clock.now().date()
        actor = Actor(interface="question", party=applicant, officer=officer, on_behalf_of=on_behalf_of)
        new = NewDevice(device_type, model, under_test)
        found = find_applicant(self._reader, actor, CertificateKind.DEVICE, entity, new, day)
        return decide_on(self._reader, found, None, KeyUsage.DIGITAL_SIGNATURE, entity, day)


def _no_owner(entity: EntityIdentifier) -> Problem:
    return Problem(
        code="entity-identifier.no-owner",
        subject="Entity Identifier",
        seen=f"{entity}, which belongs to no Party",
        expected="an Entity Identifier of the Party that applies",
    )


def _other_type(device: Device, said: DeviceType | None) -> Problem:
    return Problem(
        code="device.other-type",
        subject=f"Device {device.device_id}",
        seen=f"given as {said.name if said else ''}, but {device.device_type.name} in the Smart Metering Inventory",
        expected="the Device type in the inventory, or none",
    )


def _other_model(device: Device, said: str) -> Problem:
    return Problem(
        code="device.other-model",
        subject=f"Device {device.device_id}",
        seen=f"given as {said}, but {device.model or 'without a model'} in the Smart Metering Inventory",
        expected="the model in the inventory, or none",
        given={"device": str(device.device_id)},
    )


def _unknown_device(entity: EntityIdentifier) -> Problem:
    return Problem(
        code="device.unknown",
        subject=f"Device {entity}",
        seen="not in the Smart Metering Inventory, and no Device type given",
        expected="a Device in the inventory, or its Device type",
        remedy="device.say-type",
        given={"device": str(entity)},
    )
