"""The verdict of a Relying Party, as a value: every check, and the one reason that decided."""

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
from smki.relying_party.requirements import REMEDIES, STEPS, Requirement
from smki.remedies import Interface


class Outcome(enum.Enum):
    """What became of one check."""

    HELD = "held"
    NOT_HELD = "not held"
    NOT_REACHED = "not reached"
    """It needs something that an earlier check did not find: never a reason to trust."""
    NOT_APPLICABLE = "not applicable"
    """There is nothing to look at, by the rules: no revocation list is published for Device Certificates."""
    LEFT_OUT = "left out"
    """Not asked for: time with ``--ignore-time``, use where none was named."""


class Check(NamedTuple):
    """One check of one certificate. A tuple, because a verdict makes a dozen of them and is made thousands a second."""

    requirement: Requirement
    certificate: str
    """The certificate concerned, for a person: ``Issuing OCA OU=07, CN=T1``."""
    outcome: Outcome
    seen: str = ""
    expected: str = ""
    code: str = ""
    """Where it did not hold: the code of the reason, a key of REMEDIES."""

    def as_json(self) -> dict[str, Any]:
        """For programs: every field text, empty ones left out."""
        values = {
            "step": STEPS[self.requirement.step],
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
        """A check that did not hold as the reason for a refusal."""
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
    """Whether a certificate may be relied on at a moment, and why."""

    label: str
    """The certificate, for a person."""
    certificate: Certificate | None
    """None where it could not be read."""
    moment: datetime
    checks: Checks
    """In the order in which trust is decided."""
    purpose: str = ""
    """What it was to be relied on for: ``supplier/DS``; empty for whatever it is."""
    entity: EntityIdentifier | None = None
    """Whose it was to be; None for anybody's."""

    @property
    def trusted(self) -> bool:
        """Whether every check held that was asked for: a check that was not reached is none."""
        return bool(self.checks) and all(check.outcome in _GOOD for check in self.checks)

    @property
    def decisive(self) -> Check | None:
        """The first check that did not hold; None for a trusted certificate."""
        return next((check for check in self.checks if check.outcome is Outcome.NOT_HELD), None)

    @property
    def reason(self) -> Problem | None:
        """Why it is not trusted; None when it is."""
        check = self.decisive
        return check.as_problem() if check is not None else None

    def failures(self) -> Iterator[Check]:
        """Every check that did not hold, the decisive one first."""
        return (check for check in self.checks if check.outcome is Outcome.NOT_HELD)

    def as_json(self, interface: Interface = Interface.CLI) -> dict[str, Any]:
        """For programs."""
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


# A tuple: members of an enumeration are found faster by identity than by hash.
_GOOD = (Outcome.HELD, Outcome.LEFT_OUT, Outcome.NOT_APPLICABLE)


def held(requirement: Requirement, certificate: str, seen: str = "") -> Check:
    """A check that held."""
    return Check(requirement, certificate, Outcome.HELD, seen)


def not_held(requirement: Requirement, certificate: str, code: str, seen: str, expected: str = "") -> Check:
    """A check that did not hold."""
    return Check(requirement, certificate, Outcome.NOT_HELD, seen, expected, code)


def not_reached(requirement: Requirement, certificate: str, seen: str = "") -> Check:
    """A check that needs what an earlier one did not find."""
    return Check(requirement, certificate, Outcome.NOT_REACHED, seen)


def left_out(requirement: Requirement, certificate: str, seen: str) -> Check:
    """A check that was not asked for."""
    return Check(requirement, certificate, Outcome.LEFT_OUT, seen)


def not_applicable(requirement: Requirement, certificate: str, seen: str) -> Check:
    """A check for which there is nothing to look at.

    :param seen: why.
    """
    return Check(requirement, certificate, Outcome.NOT_APPLICABLE, seen)


def judge(requirement: Requirement, certificate: str, holds: bool, code: str, seen: str, expected: str = "") -> Check:
    """A check that held, or did not, by *holds*."""
    if holds:
        return Check(requirement, certificate, Outcome.HELD, seen)
    return Check(requirement, certificate, Outcome.NOT_HELD, seen, expected, code)
