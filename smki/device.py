"""Device types (what the Smart Metering Inventory calls a Device)."""

from __future__ import annotations

import enum

from smki.problem import Malformed, Problem


class DeviceType(enum.Enum):
    """The kinds of Devices, with their usual abbreviation and full name."""

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
        """Whether it is a Type 1 Device: it holds certificates and is neither a meter nor part of a hub."""
        return self in (DeviceType.PPMID, DeviceType.HCALCS, DeviceType.SAPC)

    @classmethod
    def parse(cls, text: str) -> DeviceType:
        """Read the abbreviation, in any case.

        :raises Malformed: for anything else.
        """
        found = cls.__members__.get(text.strip().upper())
        if found is not None:
            return found
        names = ", ".join(f"{member.name} ({member.value})" for member in cls)
        raise Malformed(
            Problem(
                "device-type.unknown",
                "Device type",
                f"{text[:64]!r}",
                "a Device type",
                "SEC A1",
                f"Use one of: {names}.",
            )
        )
