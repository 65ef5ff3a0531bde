"""Commands that change the Smart Metering Inventory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from smki.eligibility import DEVICE_THRESHOLD
from smki.eligibility.inventory import uncertified
from smki.identity import EntityIdentifier
from smki.ledger import EventKind, Reader
from smki.problem import Malformed, NotFound, Problem
from smki.registration.changes import UNCHANGED, Unchanged, change_text, from_to, given_fields
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.inventory import Adding, NotToBeAdded
from smki.registration.parties import known_registrant
from smki.registration.products import listing_of
from smki.sec.device import Device, DeviceType, Responsible, SmetsVersion, SmiStatus
from smki.sec.registry_fields import device_fields

MAX_THRESHOLD = 1_000_000
"""Maximum number of certificates that a Device can be allowed to have."""


def known_device(reader: Reader, device_id: EntityIdentifier) -> Device:
    """Return the Device with an id.

    :raises NotFound: if there is none.
    """
    found = reader.register.device(device_id)
    if found is None:
        raise NotFound(
            Problem(
                code="device.unknown",
                subject=f"Device {device_id}",
                seen="not in the Smart Metering Inventory",
                expected="a Device that was added to it",
                given={"device": str(device_id)},
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class AddDevices(Command[tuple[Device, ...]]):
    """Add Devices to the inventory: all of them or none.

    An officer adds them for its Party or Testing Participant, and the operator of the home for whoever may
    (:mod:`smki.registration.inventory`).
    """

    devices: tuple[Device, ...]

    def carry_out(self, context: Context) -> Done[tuple[Device, ...]]:
        """Add the Devices.

        :raises NotToBeAdded: if whoever adds them may not.
        :raises NotFound: if the Party that the actor names, or the one whose Device under test it is, is not registered.
        :raises NotAuthorised: if the officer is not one of the Party.
        :raises Conflict: if one of them already exists.
        """
        adding = Adding(context.transaction, context.actor, context.now.date())
        admitted = [adding.admit(device) for device in self.devices]
        added = tuple(device for device, _ in admitted)
        for device in added:
            context.transaction.add_device(device)
        only = added[0] if len(added) == 1 else None
        happened = Happened(
            kind=EventKind.DEVICE_ADDED,
            device_id=only.device_id if only else None,
            detail=f"{only.device_type.name} {only.device_id}" if only else f"{len(added)} Devices",
            content={
                "devices": [device_fields(device) for device in added],
                "addedBy": sorted({party for _, party in admitted}),
            },
            officer=adding.officer,
        )
        return Done(added, happened)


@dataclass(frozen=True, slots=True)
class SetDeviceStatus(Command[Device]):
    """Change the SMI status of a Device. A suspended Device can return to the status that it had before."""

    requires_dcc: ClassVar[bool] = True

    device_id: EntityIdentifier
    status: SmiStatus

    def carry_out(self, context: Context) -> Done[Device]:
        """Change the status.

        :raises NotFound: if there is no such Device.
        :raises SmkiError: if the Device cannot change to that status from its current one.
        """
        return _replace(context, self.device_id, lambda found: found.with_status(self.status))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDevice(Command[Device]):
    """Change what the Smart Metering Inventory says of a Device."""

    requires_dcc: ClassVar[bool] = True

    device_id: EntityIdentifier
    device_type: DeviceType | Unchanged = UNCHANGED
    smets_version: SmetsVersion | Unchanged = UNCHANGED
    status: SmiStatus | Unchanged = UNCHANGED
    """A status that can follow the current one. If it is a suspension, the Device remembers the current one."""
    returns_to: SmiStatus | Unchanged = UNCHANGED
    """The status to which a Device returns that is suspended, or is being suspended."""
    enrolled: bool | Unchanged = UNCHANGED
    model: str | Unchanged = UNCHANGED
    """The product identifier of its model, which has to be on the Certified Products List if that is used."""
    responsible: tuple[Responsible, ...] | Unchanged = UNCHANGED
    """At most one Party for each fuel; replaces the current ones. The Parties must be registered."""

    def carry_out(self, context: Context) -> Done[Device]:
        """Change the record of the Device.

        :raises NotFound: if there is no such Device, or a responsible Party is not registered.
        :raises StatusNotAllowed: if the Device cannot change to that status from its current one.
        :raises NotToBeAdded: if the changed type or model is not certified.
        :raises Malformed: if the record would contradict itself.
        """
        if self.responsible is not UNCHANGED:
            for entry in self.responsible:
                known_registrant(context.transaction, entry.party)

        def changed(found: Device) -> Device:
            if self.status is not UNCHANGED:
                found = found.with_status(self.status)
            fields = given_fields(
                device_type=self.device_type,
                smets_version=self.smets_version,
                returns_to=self.returns_to,
                enrolled=self.enrolled,
                responsible=self.responsible,
                model=self.model,
            )
            changed = replace(found, **fields)
            if (changed.device_type, changed.model) != (found.device_type, found.model):
                _require_certified(context, changed)
            return changed

        return _replace(context, self.device_id, changed)


def _require_certified(context: Context, device: Device) -> None:
    """Check that a Device whose type or model the DCC corrects could have been added like that by somebody.

    :raises NotToBeAdded: if its model is not certified.
    """
    listing = listing_of(context.transaction, device)
    problem = uncertified(device, listing)
    if problem is not None:
        raise NotToBeAdded(problem)


def _replace(context: Context, device_id: EntityIdentifier, change: Callable[[Device], Device]) -> Done[Device]:
    before = known_device(context.transaction, device_id)
    changed = change(before)
    if changed == before:
        return Done(before, None)
    context.transaction.replace_device(changed)
    content = from_to(device_fields(before), device_fields(changed))
    return Done(changed, _device_changed(device_id, content))


def _device_changed(device_id: EntityIdentifier, content: dict[str, Any]) -> Happened:
    return Happened(kind=EventKind.DEVICE_CHANGED, device_id=device_id, detail=change_text(content), content=content)


@dataclass(frozen=True, slots=True)
class SetThreshold(Command[int]):
    """Set how many certificates a Device may have, or restore the default (SEC Appendix M)."""

    requires_dcc: ClassVar[bool] = True

    device_id: EntityIdentifier
    threshold: int | None
    """None for the default."""

    def carry_out(self, context: Context) -> Done[int]:
        """Set the limit, and return the one that now applies.

        :raises NotFound: if there is no such Device.
        :raises Malformed: if the limit is below the default or too high.
        """
        if self.threshold is not None and not DEVICE_THRESHOLD <= self.threshold <= MAX_THRESHOLD:
            raise Malformed(
                Problem(
                    code="device.threshold",
                    subject=f"Device {self.device_id}",
                    seen=str(self.threshold),
                    expected=f"{DEVICE_THRESHOLD} to {MAX_THRESHOLD}",
                    remedy="device.reset-threshold",
                )
            )
        known_device(context.transaction, self.device_id)
        limit = self.threshold or DEVICE_THRESHOLD
        before = context.transaction.register.threshold(self.device_id)
        if before == self.threshold:
            return Done(limit, None)
        context.transaction.set_threshold(self.device_id, self.threshold)
        content = {"threshold": {"from": before, "to": self.threshold}}
        return Done(limit, _device_changed(self.device_id, content))
