"""Decisions: whether somebody is an Eligible Subscriber, and every provision that had a say in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from smki.eligibility.provisions import Effect, Provision
from smki.eligibility.refusals import REASONS, DecisionOutcome
from smki.problem import Problem, problem_lines
from smki.remedies import Interface


@dataclass(frozen=True, slots=True)
class Applied:
    """One provision, applied to a question."""

    provision: Provision
    held: bool
    seen: str
    """What it was applied to."""
    problem: Problem | None = None
    """Why it did not hold; None if it did."""

    def as_json(self, interface: Interface = Interface.CLI) -> dict[str, Any]:
        """The provision by key and clause, whether it held, what was seen, and why if it did not."""
        value: dict[str, Any] = {
            "provision": self.provision.key,
            "clause": self.provision.clause,
            "title": self.provision.title,
            "held": self.held,
            "seen": self.seen,
        }
        if self.problem is not None:
            value["problem"] = self.problem.as_json(interface)
        return value


def holds(provision: Provision, seen: str) -> Applied:
    """The provision was met."""
    return Applied(provision, True, seen)


def fails(provision: Provision, code: str, seen: str) -> Applied:
    """The provision was not met.

    :param code: a code of the table of reasons, which knows the rest.
    """
    reason = REASONS[code]
    problem = Problem(
        code=code,
        subject=reason.subject,
        seen=seen,
        expected=reason.expected,
        clause=provision.clause,
        remedy=reason.remedy,
    )
    return Applied(provision, False, seen, problem)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a question, with its reasons."""

    eligible: bool
    applied: tuple[Applied, ...]
    """Every provision that was applied, in the order in which they were."""
    as_of: date
    """The day that was asked about."""

    @classmethod
    def of(
        cls, applied: Iterable[Applied | None], as_of: date, given: Mapping[str, str] = MappingProxyType({})
    ) -> Decision:
        """Eligible if all hold that were in force on that day, and there is one at least.

        A condition that was not in force is left out; a grant that was not in force is refused.

        :param given: what belongs into the remedies: ``party``, ``device``.
        """
        counted: list[Applied] = []
        eligible = True
        for each in applied:
            if each is None:
                continue
            provision = each.provision
            if provision.in_force_from > as_of:
                if provision.effect is Effect.CONDITION:
                    continue
                each = fails(provision, "eligibility.not-in-force", f"{as_of}; in force from {provision.in_force_from}")
            if each.problem is not None:
                each = replace(each, problem=replace(each.problem, given=given))
            counted.append(each)
            eligible = eligible and each.held
        return cls(eligible and bool(counted), tuple(counted), as_of)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every reason against it, the decisive one first; none if eligible."""
        return tuple(each.problem for each in self.applied if each.problem is not None)

    @property
    def outcome(self) -> DecisionOutcome:
        """What it comes to: by the decisive reason, if there is one."""
        problems = self.problems
        return REASONS[problems[0].code].outcome if problems else DecisionOutcome.ELIGIBLE

    def as_json(self, interface: Interface = Interface.CLI) -> dict[str, Any]:
        """The decision as JSON."""
        return {
            "eligible": self.eligible,
            "outcome": self.outcome.value,
            "asOf": self.as_of.isoformat(),
            "applied": [each.as_json(interface) for each in self.applied],
        }


def decision_lines(decision: Decision) -> list[str]:
    """The decision for a person: the answer, then lines for each provision that held and each reason against."""
    lines = [f"{'Eligible' if decision.eligible else 'Not eligible'} on {decision.as_of}"]
    for each in decision.applied:
        if each.problem is None:
            lines.append(f"  yes  {each.provision.clause} {each.provision.title}: {each.seen}")
        else:
            first, *others = problem_lines(each.problem)
            lines += [f"  no   {first}", *(f"     {other}" for other in others)]
    return lines
