"""Who may add which Device to the Smart Metering Inventory: one rule for every way by which a Device gets into it.

Suppliers and Registered Supplier Agents add meters and Type 1 Devices whose model is on the Certified Products List; the
DCC adds Communications Hub Functions and Gas Proxy Functions (SEC H5). For tests, a Testing Participant adds its own
Devices under test: that is the assumption :data:`~smki.eligibility.provisions.INVENTORY_UNDER_TEST`. A Device is such a
Device if its record names somebody in :attr:`~smki.sec.device.Device.under_test`, and only whoever is named adds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from smki.eligibility import provisions
from smki.eligibility.decision import Applied, fails, holds
from smki.eligibility.descriptions import described
from smki.eligibility.provisions import Provision
from smki.eligibility.question import Listing
from smki.problem import Problem
from smki.sec.device import Device, DeviceType
from smki.sec.party import NonParty, Party, PartyCategory, TestingParticipant
from smki.sec.role import UserRole


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """Who adds Devices of a type that are not under test."""

    categories: frozenset[PartyCategory]
    """Parties of these categories."""
    user_roles: frozenset[UserRole]
    """Parties that act in one of these User Roles."""
    provision: Provision
    refusal: str
    """The code of the reason for refusing anybody else."""
    needs_certified_model: bool


_HUBS = InventoryRow(
    frozenset({PartyCategory.DCC}), frozenset(), provisions.INVENTORY_HUBS, "inventory.not-the-dcc", False
)
_DEVICES = InventoryRow(
    frozenset({PartyCategory.LARGE_SUPPLIER, PartyCategory.SMALL_SUPPLIER}),
    frozenset({UserRole.REGISTERED_SUPPLIER_AGENT}),
    provisions.INVENTORY_DEVICES,
    "inventory.not-a-supplier",
    True,
)
_TYPE_2 = replace(_DEVICES, provision=provisions.INVENTORY_TYPE_2, needs_certified_model=False)

INVENTORY_ROWS: dict[DeviceType, InventoryRow] = {
    DeviceType.CHF: _HUBS,
    DeviceType.GPF: _HUBS,
    DeviceType.ESME: _DEVICES,
    DeviceType.GSME: _DEVICES,
    DeviceType.PPMID: _DEVICES,
    DeviceType.HCALCS: _DEVICES,
    DeviceType.SAPC: _DEVICES,
    DeviceType.IHD: _TYPE_2,
    DeviceType.CAD: _TYPE_2,
}
"""A row for every type of Device."""


def as_added_by(device: Device, who: Party | TestingParticipant | NonParty, under_test: bool) -> Device:
    """Return a Device as it is added by somebody, marked if it is a Device under test.

    A Testing Participant that is not a Party adds nothing else, so that its Devices are marked without being asked for.

    :param under_test: whether it is added as a Device under test.
    """
    if device.under_test is not None:
        return device
    if isinstance(who, TestingParticipant):
        return replace(device, under_test=who.participant_id)
    return replace(device, under_test=who.party_id) if under_test and isinstance(who, Party) else device


def adding(who: Party | TestingParticipant | NonParty, device: Device, listing: Listing) -> Iterator[Applied]:
    """Apply the provisions about adding a Device to somebody whose standing, or whose agreement, is judged elsewhere."""
    if device.under_test is not None:
        yield _own(who, device)
        return
    row = INVENTORY_ROWS[device.device_type]
    if isinstance(who, Party) and (who.category in row.categories or not row.user_roles.isdisjoint(who.user_roles)):
        yield holds(row.provision, _described(who))
    else:
        yield fails(row.provision, row.refusal, f"{_described(who)}, adding {_article(device.device_type)}")
    if row.needs_certified_model:
        yield _certified(device, listing)


def _own(who: Party | TestingParticipant | NonParty, device: Device) -> Applied:
    identity = None
    if isinstance(who, Party):
        identity = who.party_id
    elif isinstance(who, TestingParticipant):
        identity = who.participant_id
    if identity == device.under_test:
        return holds(provisions.INVENTORY_UNDER_TEST, f"a Device under test of {identity}, by assumption")
    seen = f"{who.name}, adding a Device under test of {device.under_test}"
    return fails(provisions.INVENTORY_UNDER_TEST, "inventory.not-own", seen)


def _certified(device: Device, listing: Listing) -> Applied:
    model = device.model or "no model"
    if not listing.required:
        return holds(provisions.INVENTORY_CERTIFIED, f"{model}; the list is not used, so that every model counts")
    if listing.certified_as is device.device_type:
        return holds(provisions.INVENTORY_CERTIFIED, model)
    seen = (
        f"{model}, on the list as {listing.certified_as.name}" if listing.certified_as else f"{model}, not on the list"
    )
    return fails(provisions.INVENTORY_CERTIFIED, "inventory.not-certified", seen if device.model else "no model given")


def uncertified(device: Device, listing: Listing) -> Problem | None:
    """Return why a Device that is not under test needs another model; None if it does not."""
    if device.under_test is not None or not INVENTORY_ROWS[device.device_type].needs_certified_model:
        return None
    problem = _certified(device, listing).problem
    return replace(problem, given=given_of(device)) if problem else None


def given_of(device: Device) -> dict[str, str]:
    """Return the values of a Device for remedies."""
    given = {"device": str(device.device_id), "type": device.device_type.name}
    return given | ({"model": device.model} if device.model else {})


def _described(who: Party | TestingParticipant | NonParty) -> str:
    return described(who) if isinstance(who, Party) else f"{who.name}, not a Party"


def _article(device_type: DeviceType) -> str:
    return f"{'an' if device_type.value[0] in 'AEIOU' else 'a'} {device_type.value}"
