"""Devices and their records in the Smart Metering Inventory (SMI)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from smki.identity import EntityIdentifier, PartyId
from smki.problem import Malformed, Problem, SmkiError
from smki.sec.vocabulary import listed, parse_list, parse_word


class DeviceType(enum.Enum):
    """The types of Devices, with their usual abbreviations and full names."""

    CHF = "Communications Hub Function"
    GPF = "Gas Proxy Function"
    ESME = "Electricity Smart Meter"
    GSME = "Gas Smart Meter"
    PPMID = "Prepayment Meter Interface Device"
    HCALCS = "HAN Connected Auxiliary Load Control Switch"
    SAPC = "Standalone Auxiliary Proportional Controller"
    IHD = "In-Home Display"
    CAD = "Consumer Access Device"

    @property
    def holds_certificates(self) -> bool:
        """False for Type 2 Devices, which hold no SMKI certificate."""
        return self not in (DeviceType.IHD, DeviceType.CAD)

    @property
    def is_type_1(self) -> bool:
        """Whether it is a Type 1 Device: one that holds certificates and is neither a meter nor part of a
        Communications Hub."""
        return self in (DeviceType.PPMID, DeviceType.HCALCS, DeviceType.SAPC)

    @classmethod
    def parse(cls, text: str) -> DeviceType:
        """Parse an abbreviation, in upper or lower case.

        :raises Malformed: for anything else.
        """
        found = cls.__members__.get(text.strip().upper())
        if found is not None:
            return found
        names = ", ".join(f"{member.name} ({member.value})" for member in cls)
        raise Malformed(
            Problem(
                code="device-type.unknown",
                subject="Device type",
                seen=f"{text[:64]!r}",
                expected="a Device type",
                remedy=f"Use one of: {names}.",
            )
        )


class SmiStatus(enum.Enum):
    """The status of a Device in the Smart Metering Inventory."""

    PENDING = "pending"
    INSTALLED_NOT_COMMISSIONED = "installed not commissioned"
    COMMISSIONED = "commissioned"
    DECOMMISSIONED = "decommissioned"
    SUSPENDED = "suspended"

    @classmethod
    def parse(cls, text: str) -> SmiStatus:
        """Parse a status by the Code's term for it, in upper or lower case.

        :raises Malformed: for anything else.
        """
        return parse_word(cls, text, "smi-status.unknown", "SMI status")

    def __str__(self) -> str:
        return self.value


class Fuel(enum.Enum):
    """The fuel for which a Party is responsible at a Device's premises."""

    ELECTRICITY = "electricity"
    GAS = "gas"

    @classmethod
    def parse(cls, text: str) -> Fuel:
        """Parse ``electricity`` or ``gas``, in upper or lower case.

        :raises Malformed: for anything else.
        """
        return parse_word(cls, text, "fuel.unknown", "fuel")

    def __str__(self) -> str:
        return self.value


class SmetsVersion(enum.Enum):
    """The generation of the technical specifications to which a Device was made."""

    SMETS1 = "1"
    SMETS2 = "2"

    @classmethod
    def parse(cls, text: str) -> SmetsVersion:
        """Parse ``1``, ``2``, ``SMETS1`` or ``SMETS2``, in upper or lower case.

        :raises Malformed: for anything else.
        """
        return parse_word(cls, text, "smets-version.unknown", "SMETS version")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Responsible:
    """A Party that is responsible for a Device, and the fuel it is responsible for."""

    fuel: Fuel
    party: PartyId

    @classmethod
    def parse(cls, text: str) -> Responsible:
        """Parse ``gas: LARGE-SUPPLIER``.

        :raises Malformed: for anything else.
        """
        fuel, colon, party = text.partition(":")
        if not colon:
            raise Malformed(
                Problem(
                    code="responsible.malformed",
                    subject="responsible Party",
                    seen=f"{text[:64]!r}",
                    expected="a fuel, a colon and a Party ID",
                )
            )
        return cls(Fuel.parse(fuel), PartyId.parse(party))


MAX_MODEL = 64
"""Maximum number of characters of a product identifier."""


def parse_model(text: str) -> str:
    """Parse the product identifier of a Device model, for instance ``ACME SM100 1.2``: 1 to 64 printable ASCII
    characters.

    White space at the ends is removed.

    :raises Malformed: for anything else.
    """
    model = text.strip()
    if not 1 <= len(model) <= MAX_MODEL or not (model.isascii() and model.isprintable()):
        raise Malformed(
            Problem(
                code="device-model.malformed",
                subject="Device model",
                seen=f"{text[:MAX_MODEL]!r}",
                expected=f"1 to {MAX_MODEL} printable ASCII characters",
            )
        )
    return model


class StatusNotAllowed(SmkiError):
    """A Device cannot change from its current SMI status to the requested one."""


_S = SmiStatus
_NEXT: dict[SmiStatus, tuple[SmiStatus, ...]] = {
    _S.PENDING: (_S.INSTALLED_NOT_COMMISSIONED, _S.COMMISSIONED, _S.DECOMMISSIONED, _S.SUSPENDED),
    _S.INSTALLED_NOT_COMMISSIONED: (_S.COMMISSIONED, _S.DECOMMISSIONED, _S.SUSPENDED),
    _S.COMMISSIONED: (_S.DECOMMISSIONED, _S.SUSPENDED),
    _S.DECOMMISSIONED: (_S.PENDING,),
    _S.SUSPENDED: (_S.DECOMMISSIONED,),
}
"""The statuses that can follow each status. Assumption: the Code defines the statuses, the transitions are ours. A
decommissioned Device may be used again; a suspended one also returns to its earlier status."""


@dataclass(frozen=True, slots=True)
class Device:
    """A Device as recorded in the Smart Metering Inventory."""

    device_id: EntityIdentifier
    device_type: DeviceType
    status: SmiStatus = SmiStatus.PENDING
    returns_to: SmiStatus | None = None
    """The status to which a suspended Device returns; None if it is not suspended."""
    smets_version: SmetsVersion = SmetsVersion.SMETS2
    enrolled: bool = False
    """Whether it is part of an Enrolled smart metering system, or ancillary to one."""
    responsible: tuple[Responsible, ...] = ()
    """At most one Party for each fuel."""
    model: str = ""
    """The product identifier under which its model is on the Certified Products List; empty if it is not known."""
    under_test: PartyId | None = None
    """The Party or Testing Participant whose Device under test it is; None if it was added for service."""

    def __post_init__(self) -> None:
        if self.model:
            parse_model(self.model)
        if (self.status is _S.SUSPENDED) != (self.returns_to is not None) or (
            self.returns_to is not None and _S.SUSPENDED not in _NEXT[self.returns_to]
        ):
            seen = f"{self.status}, returns to {self.returns_to}"
            raise Malformed(
                Problem(
                    code="device.suspension",
                    subject=f"Device {self.device_id}",
                    seen=seen,
                    expected="a status to return to (pending, installed not commissioned or commissioned) "
                    "while suspended, and only then",
                )
            )
        fuels = [entry.fuel for entry in self.responsible]
        if len(fuels) != len(set(fuels)):
            raise Malformed(
                Problem(
                    code="device.responsible-repeated",
                    subject=f"Device {self.device_id}",
                    seen=listed(f"{entry.fuel}: {entry.party}" for entry in self.responsible),
                    expected="at most one responsible Party for each fuel",
                )
            )

    @classmethod
    def parse(
        cls,
        *,
        device_id: str,
        device_type: str,
        status: str = "pending",
        returns_to: str = "",
        smets_version: str = "2",
        enrolled: bool = False,
        responsible: str = "",
        model: str = "",
        under_test: str = "",
    ) -> Device:
        """Parse the fields of a Device, given as text; *responsible* like ``electricity: A, gas: B``.

        :raises Malformed: if a field is not valid.
        """
        return cls(
            EntityIdentifier.parse(device_id),
            DeviceType.parse(device_type),
            SmiStatus.parse(status),
            SmiStatus.parse(returns_to) if returns_to.strip() else None,
            SmetsVersion.parse(smets_version),
            enrolled,
            tuple(parse_list(responsible, Responsible.parse)),
            parse_model(model) if model.strip() else "",
            PartyId.parse(under_test) if under_test.strip() else None,
        )

    @property
    def lasting_status(self) -> SmiStatus:
        """Its SMI status; for a suspended Device, the status to which it returns."""
        return self.status if self.returns_to is None else self.returns_to

    @property
    def next_statuses(self) -> tuple[SmiStatus, ...]:
        """The statuses that can follow the current one."""
        return _NEXT[self.status] if self.returns_to is None else (*_NEXT[self.status], self.returns_to)

    def responsible_for(self, fuel: Fuel) -> PartyId | None:
        """Return the Party that is responsible for a fuel, or None."""
        return next((entry.party for entry in self.responsible if entry.fuel is fuel), None)

    def with_status(self, status: SmiStatus) -> Device:
        """Return the Device in another status. A suspended Device remembers its status before.

        :raises StatusNotAllowed: if that status cannot follow the current one.
        """
        if status not in self.next_statuses:
            raise StatusNotAllowed(
                Problem(
                    code="device.status-not-allowed",
                    subject=f"Device {self.device_id}",
                    seen=f"{self.status}, to become {status}",
                    expected=listed((str(allowed) for allowed in self.next_statuses), "or"),
                )
            )
        return replace(self, status=status, returns_to=self.status if status is _S.SUSPENDED else None)
