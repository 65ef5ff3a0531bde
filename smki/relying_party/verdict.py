"""The verdict of a Relying Party as a value: every check, and the reason that decided."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from smki.clock import iso
from smki.identity import EntityIdentifier
from smki.pki.certificate import Certificate
from smki.problem import Problem
from smki.relying_party.requirements import REMEDIES, Requirement
from smki.remedies import Interface


class Outcome(enum.Enum):
    """The result of one check."""

    HELD = "held"
    NOT_HELD = "not held"
    NOT_REACHED = "not reached"
    """It needs something that an earlier check did not find; never a reason to trust."""
    NOT_APPLICABLE = "not applicable"
    """The rules do not require it: for instance, no revocation list is published for Device Certificates."""
    LEFT_OUT = "left out"
    """Not requested: time with ``--ignore-time``, or use if none was given."""


class Check(NamedTuple):
    """One check of one certificate. A tuple for speed: a verdict has a dozen of them."""

    requirement: Requirement
    certificate: str
    """The label of the certificate: ``Issuing OCA OU=07, CN=T1``."""
    outcome: Outcome
    seen: str = ""
    expected: str = ""
    code: str = ""
    """The code of the reason if the check failed, a key of REMEDIES; otherwise empty."""

    def as_json(self) -> dict[str, Any]:
        """Return the check as a JSON object whose values are text, without empty ones."""
        values = {
            "step": self.requirement.step,
            "check": self.requirement.name,
            "title": self.requirement.title,
            "clause": self.requirement.clause,
            "certificate": self.certificate,
            "outcome": self.outcome.value,
            "seen": self.seen,
            "expected": self.expected,
            "code": self.code,
        }
        return {name: value for name, value in values.items() if value}

    def as_problem(self) -> Problem:
        """Return a failed check as the reason for a refusal."""
        return Problem(
            code=self.code,
            subject=self.certificate,
            seen=self.seen,
            expected=self.expected or self.requirement.title,
            clause=self.requirement.clause,
            remedy=REMEDIES[self.code],
        )


Checks = tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement whether a certificate may be trusted at a moment, with reasons."""

    label: str
    """A label for the certificate, for people."""
    certificate: Certificate | None
    """None if it could not be read."""
    moment: datetime
    checks: Checks
    """In the order in which trust is decided."""
    purpose: str = ""
    """The intended use: ``supplier/DS``; empty for any."""
    entity: EntityIdentifier | None = None
    """The expected holder; None for any."""

    @property
    def trusted(self) -> bool:
        """Whether every requested check passed; a check that was not reached counts as failed."""
        return bool(self.checks) and all(check.outcome in _GOOD for check in self.checks)

    @property
    def decisive(self) -> Check | None:
        """The first check that failed; None for a trusted certificate."""
        return next((check for check in self.checks if check.outcome is Outcome.NOT_HELD), None)

    @property
    def reason(self) -> Problem | None:
        """Why it is not trusted; None if it is."""
        check = self.decisive
        return check.as_problem() if check is not None else None

    def failures(self) -> Iterator[Check]:
        """Yield every failed check, the decisive one first."""
        return (check for check in self.checks if check.outcome is Outcome.NOT_HELD)

    def as_json(self, interface: Interface = Interface.CLI) -> dict[str, Any]:
        """Return the verdict as a JSON object."""
        reason = self.reason
        return {
            "certificate": self.label,
            "sha256": self.certificate.sha256.hex().upper() if self.certificate else None,
            "at": iso(self.moment),
            "for": self.purpose or None,
            "entity": str(self.entity) if self.entity is not None else None,
            "trusted": self.trusted,
            "reason": reason.as_json(interface) if reason else None,
            "checks": [check.as_json() for check in self.checks],
        }


# A tuple, because comparing enumeration members by identity is faster than hashing them.
_GOOD = (Outcome.HELD, Outcome.LEFT_OUT, Outcome.NOT_APPLICABLE)


def held(requirement: Requirement, certificate: str, seen: str = "") -> Check:
    """Return a check that passed."""
    return Check(requirement, certificate, Outcome.HELD, seen)


def not_held(requirement: Requirement, certificate: str, code: str, seen: str, expected: str = "") -> Check:
    """Return a check that failed."""
    return Check(requirement, certificate, Outcome.NOT_HELD, seen, expected, code)


def not_reached(requirement: Requirement, certificate: str) -> Check:
    """Return a check that needs something an earlier one did not find."""
    return Check(requirement, certificate, Outcome.NOT_REACHED)


def left_out(requirement: Requirement, certificate: str, seen: str) -> Check:
    """Return a check that was not requested."""
    return Check(requirement, certificate, Outcome.LEFT_OUT, seen)


def not_applicable(requirement: Requirement, certificate: str, seen: str) -> Check:
    """Return a check that does not apply.

    :param seen: the reason.
    """
    return Check(requirement, certificate, Outcome.NOT_APPLICABLE, seen)


def judge(requirement: Requirement, certificate: str, holds: bool, code: str, seen: str, expected: str) -> Check:
    """Return a check that passed or failed, depending on *holds*."""
    if holds:
        return Check(requirement, certificate, Outcome.HELD, seen)
    return Check(requirement, certificate, Outcome.NOT_HELD, seen, expected, code)
