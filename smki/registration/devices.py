"""Commands that change the Smart Metering Inventory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smki.eligibility import DEVICE_THRESHOLD
from smki.identity import EntityIdentifier
from smki.ledger import EventKind, Reader
from smki.problem import Malformed, NotFound, Problem
from smki.registration.command import Command, Context, Done, Happened
from smki.sec.device import Device, SmiStatus
from smki.sec.registry_fields import device_fields


def known_device(reader: Reader, device_id: EntityIdentifier) -> Device:
    """Return the Device with an id.

    :raises NotFound: when there is none.
    """
    found = reader.register.device(device_id)
    if found is None:
        raise NotFound(
            Problem(
                "device.unknown",
                f"Device {device_id}",
                "not in the Smart Metering Inventory",
                "a Device that was added to it",
                "SEC L3.9",
                f"Add it first: smki device add {device_id} --type ESME (or what it is).",
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class AddDevices(Command[tuple[Device, ...]]):
    """Add Devices to the inventory: all of them or none."""

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

    device_id: EntityIdentifier
    status: SmiStatus

    def carry_out(self, context: Context) -> Done[Device]:
        """Change the status.

        :raises NotFound: when there is no such Device.
        :raises SmkiError: when it cannot come to that status from the one that it has.
        """
        return _replace(context, self.device_id, lambda found: found.with_status(self.status))


def _replace(context: Context, device_id: EntityIdentifier, change: Callable[[Device], Device]) -> Done[Device]:
    before = known_device(context.transaction, device_id)
    changed = change(before)
    context.transaction.replace_device(changed)
    fields, old = device_fields(changed), device_fields(before)
    content = {
        name: {"from": old.get(name), "to": fields.get(name)}
        for name in sorted({*fields, *old})
        if fields.get(name) != old.get(name)
    }
    detail = ", ".join(f"{name} {change['to']}" for name, change in content.items())
    happened = Happened(kind=EventKind.DEVICE_CHANGED, device_id=device_id, detail=detail, content=content)
    return Done(changed, happened)


@dataclass(frozen=True, slots=True)
class SetThreshold(Command[int]):
    """Let a Device have more certificates than it may have by default (SEC Appendix M)."""

    device_id: EntityIdentifier
    threshold: int

    def carry_out(self, context: Context) -> Done[int]:
        """Set the limit.

        :raises NotFound: when there is no such Device.
        :raises Malformed: when it is below the limit that holds for every Device.
        """
        if self.threshold < DEVICE_THRESHOLD:
            raise Malformed(
                Problem("device.threshold", f"Device {self.device_id}", str(self.threshold),
                        f"at least {DEVICE_THRESHOLD}", "SEC Appendix M")
            )  # fmt: skip
        known_device(context.transaction, self.device_id)
        before = context.transaction.register.threshold(self.device_id)
        context.transaction.set_threshold(self.device_id, self.threshold)
        content = {"threshold": {"from": before, "to": self.threshold}}
        detail = f"threshold {self.threshold}"
        happened = Happened(kind=EventKind.DEVICE_CHANGED, device_id=self.device_id, detail=detail, content=content)
        return Done(self.threshold, happened)
