"""Which Sections of the Code apply to a SMETS1 Device (SEC G1.10): a statement, and no condition for certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from smki.eligibility.provisions import SMETS1_SECURITY, in_force
from smki.sec.device import Device, SmetsVersion


@dataclass(frozen=True, slots=True)
class SecuritySections:
    """Whether the security obligations in Sections G2 to G9 apply to a SMETS1 Device on a date."""

    apply: bool
    because: str
    as_of: date

    @property
    def text(self) -> str:
        """``Sections G2 to G9 apply to it: no, because …``."""
        return f"Sections G2 to G9 apply to it: {'yes' if self.apply else 'no'}, because {self.because}"

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object with the statement, its reason, clause and basis, and the date."""
        return {
            "apply": self.apply,
            "because": self.because,
            "clause": SMETS1_SECURITY.clause,
            "basis": SMETS1_SECURITY.basis.value,
            "asOf": self.as_of.isoformat(),
        }


def security_sections(device: Device, as_of: date) -> SecuritySections | None:
    """Return whether Sections G2 to G9 apply to a SMETS1 Device on a date; None for any other Device."""
    if device.smets_version is not SmetsVersion.SMETS1:
        return None
    if not in_force(SMETS1_SECURITY, as_of):
        because = f"SEC G1.10, which excepts SMETS1 Devices, was not in force before {SMETS1_SECURITY.in_force_from}"
        return SecuritySections(True, because, as_of)
    enrolled = "part of, or ancillary to, an Enrolled SMETS1 smart metering system"
    return SecuritySections(device.enrolled, f"it is {'' if device.enrolled else 'not '}{enrolled}", as_of)
