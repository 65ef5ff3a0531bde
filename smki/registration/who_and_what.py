"""Who applies for what: the applicant and the Device of an application or a question."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from smki.eligibility import (
    Applicant,
    Listing,
    Participation,
)
from smki.eligibility.inventory import as_added_by
from smki.identity import EntityIdentifier
from smki.ledger.contract import LedgerUnavailable
from smki.problem import IntegrityError, Problem, SmkiError
from smki.registration.actor import Actor
from smki.registration.applicants import RegisterView, first_eligible, named_applicant, owner_as_applicant
from smki.registration.facts import Facts
from smki.registration.history import settings_on
from smki.registration.participation import participation_of
from smki.registration.products import listing_of
from smki.sec.device import Device, DeviceType, SmetsVersion, SmiStatus
from smki.sec.registry_fields import Registrant
from smki.sec.role import CertificateKind


class CannotBeJudged(SmkiError):
    """The question has no answer: the applicant or the Device is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposing:
    """What a question supposes of a Device, whatever the inventory says; None for what it says."""

    status: SmiStatus | None = None
    returns_to: SmiStatus | None = None
    """For a suspended Device, the status to which it returns; by default the one that it has."""
    smets_version: SmetsVersion | None = None

    def of(self, device: Device) -> Device:
        """Return the Device as supposed.

        :raises Malformed: if it cannot be suspended from its status, or is to return to one without being suspended.
        """
        status, returns_to = device.status, device.returns_to
        if self.status is not None:
            status = self.status
            returns_to = device.lasting_status if status is SmiStatus.SUSPENDED else None
        return replace(
            device,
            status=status,
            returns_to=self.returns_to or returns_to,
            smets_version=self.smets_version or device.smets_version,
        )


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What an application says of a Device that is not in the Smart Metering Inventory, to be added to it."""

    device_type: DeviceType | None = None
    """None if it does not say, which is enough for a Device in the inventory."""
    model: str = ""
    """The product identifier of its model; empty if it does not say."""
    under_test: bool = False
    """Whether it is a Device under test of the applicant."""


class WhoAndWhat(NamedTuple):
    """Who applies, and for which Device."""

    applicant: Applicant
    device: Device | None
    """The Device as it is in the inventory, or as it would be added; None for an Organisation Certificate."""
    to_be_added: Listing | None
    """What is known of the model of a Device that is not in the inventory; None for one that is."""


def find_applicant(
    reader: Facts,
    actor: Actor,
    kind: CertificateKind,
    entity: EntityIdentifier,
    new: NewDevice,
    day: date,
    register: RegisterView | None = None,
    supposing: Supposing | None = None,
    named: Applicant | None = None,
) -> WhoAndWhat:
    """Return who applies, and for a Device Certificate the Device.

    :param named: the applicant that the actor names, if that is known.

    :param new: what is said of a Device that is not in the inventory.
    :param register: the register of an earlier day; today's by default.
    :param supposing: what to suppose of the Device.
    :raises CannotBeJudged: if the applicant or the Device cannot be determined.
    """
    register = register or reader.register
    try:
        applicant = named or named_applicant(register, actor, kind)
        if kind is CertificateKind.ORGANISATION:
            applicant = applicant or owner_as_applicant(register, entity, actor, kind)
            if applicant is None:
                raise CannotBeJudged(_no_owner(entity))
            return WhoAndWhat(applicant, None, None)
        device, is_new = _device_for(register, entity, new)
        if supposing is not None:
            device = supposing.of(device)
        settings = settings_on(reader, register)

        def participation(who: Registrant) -> Participation:
            return participation_of(reader, who, settings)

        if not is_new:
            return WhoAndWhat(applicant or first_eligible(register, device, day, actor, participation), device, None)
        listing = listing_of(reader, device, settings)
        applicant = applicant or first_eligible(register, device, day, actor, participation, listing, new.under_test)
        return WhoAndWhat(applicant, as_added_by(device, applicant.subscriber, new.under_test), listing)
    except (CannotBeJudged, IntegrityError, LedgerUnavailable):
        raise
    except SmkiError as error:
        raise CannotBeJudged(*error.problems) from error


def _device_for(register: RegisterView, entity: EntityIdentifier, new: NewDevice) -> tuple[Device, bool]:
    """Return the Device for which somebody applies, and whether it is to be added to the inventory."""
    device = register.device(entity)
    if device is None:
        if new.device_type is None:
            raise CannotBeJudged(_unknown_device(entity))
        return Device(entity, new.device_type, model=new.model), True
    if new.device_type not in (None, device.device_type):
        raise CannotBeJudged(_other_type(device, new.device_type))
    if new.model not in ("", device.model):
        raise CannotBeJudged(_other_model(device, new.model))
    if new.under_test and device.under_test is None:
        raise CannotBeJudged(_not_under_test(device))
    return device, False


def find_device(register: RegisterView, entity: EntityIdentifier, device_type: DeviceType | None) -> Device:
    """Return the Device with an id.

    :param device_type: the type of a Device that is not in the inventory.
    :raises CannotBeJudged: if it is neither in the inventory nor given a type, or is given another type than there.
    """
    return _device_for(register, entity, NewDevice(device_type))[0]


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


def _not_under_test(device: Device) -> Problem:
    return Problem(
        code="device.not-under-test",
        subject=f"Device {device.device_id}",
        seen="given as a Device under test, but not one in the Smart Metering Inventory",
        expected="a Device that was added as a Device under test, or a new one",
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
