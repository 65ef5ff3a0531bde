"""Commands that change the Smart Metering Inventory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from smki.eligibility import DEVICE_THRESHOLD
from smki.identity import EntityIdentifier
from smki.ledger import EventKind, Reader
from smki.problem import Malformed, NotFound, Problem
from smki.registration.changes import UNCHANGED, Unchanged, change_text, from_to, given_fields
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.parties import known_registrant
from smki.sec.device import Device, DeviceType, Responsible, SmetsVersion, SmiStatus
from smki.sec.registry_fields import device_fields

MAX_THRESHOLD = 1_000_000
"""Maximum number of certificates that a Device can be allowed."""


def known_device(reader: Reader, device_id: EntityIdentifier) -> Device:
    """Return the Device with an id.

    :raises NotFound: when there is none.
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
    """Add Devices to the inventory: all of them or none."""

    requires_dcc: ClassVar[bool] = True

    devices: tuple[Device, ...]

    def carry_out(self, context: Context) -> Done[tuple[Device, ...]]:
        """Add them.

        :raises Conflict: when one is there already.
        """
        for device in self.devices:
            context.transaction.add_device(device)
        only = self.devices[0] if len(self.devices) == 1 else None
        happened = Happened(
            kind=EventKind.DEVICE_ADDED,
            device_id=only.device_id if only else None,
            detail=f"{only.device_type.name} {only.device_id}" if only else f"{len(self.devices)} Devices",
            content={"devices": [device_fields(device) for device in self.devices]},
        )
        return Done(self.devices, happened)


@dataclass(frozen=True, slots=True)
class SetDeviceStatus(Command[Device]):
    """Give a Device another SMI status. A suspension remembers the status that the Device had; it can go back to it."""

    requires_dcc: ClassVar[bool] = True

    device_id: EntityIdentifier
    status: SmiStatus

    def carry_out(self, context: Context) -> Done[Device]:
        """Change the status.

        :raises NotFound: when there is no such Device.
        :raises SmkiError: when it cannot come to that status from the one that it has.
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
    """One that it can come to from the status that it has; a suspension remembers that one."""
    returns_to: SmiStatus | Unchanged = UNCHANGED
    """Of a Device that is suspended, or becomes so: the status that it has again afterwards."""
    enrolled: bool | Unchanged = UNCHANGED
    responsible: tuple[Responsible, ...] | Unchanged = UNCHANGED
    """At most one Party for each fuel; replaces those that there are. They have to be registered."""

    def carry_out(self, context: Context) -> Done[Device]:
        """Change it.

        :raises NotFound: when there is no such Device, or a responsible Party is not registered.
        :raises StatusNotAllowed: when it cannot come to that status from the one that it has.
        :raises Malformed: when the Device would contradict itself.
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
            )
            return replace(found, **fields)

        return _replace(context, self.device_id, changed)


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
    """Let a Device have more certificates than it may have by default, or as many again (SEC Appendix M)."""

    requires_dcc: ClassVar[bool] = True

    device_id: EntityIdentifier
    threshold: int | None
    """None for the default."""

    def carry_out(self, context: Context) -> Done[int]:
        """Set the limit; return the one that holds now.

        :raises NotFound: when there is no such Device.
        :raises Malformed: when it is below the limit that holds for every Device.
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
