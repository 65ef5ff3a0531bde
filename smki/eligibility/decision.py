"""Decisions: whether somebody is an Eligible Subscriber, with every provision that was applied."""

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
    """The result of applying one provision to a question."""

    provision: Provision
    held: bool
    seen: str
    """The facts to which it was applied."""
    problem: Problem | None = None
    """Why it was not met; None if it was."""

    def as_json(self, interface: Interface = Interface.CLI) -> dict[str, Any]:
        """Return a JSON object: the provision's key and clause, whether it was met, the facts, and the problem if there
        is one."""
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
    """Return a provision as met."""
    return Applied(provision, True, seen)


def fails(provision: Provision, code: str, seen: str, remedy: str = "") -> Applied:
    """Return a provision as not met.

    :param code: a code in the table of reasons, which contains the rest.
    :param remedy: a key of :data:`~smki.remedies.REMEDIES` in place of the one in the table.
    """
    reason = REASONS[code]
    problem = Problem(
        code=code,
        subject=reason.subject,
        seen=seen,
        expected=reason.expected,
        clause=provision.clause,
        remedy=remedy or reason.remedy,
    )
    return Applied(provision, False, seen, problem)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a question, with reasons."""

    eligible: bool
    applied: tuple[Applied, ...]
    """Every provision that was applied, in order."""
    as_of: date
    """The date asked about."""
    test: str = ""
    """The name of the subscriber's recorded test for which it was decided; empty for none."""

    @classmethod
    def of(
        cls,
        applied: Iterable[Applied | None],
        as_of: date,
        given: Mapping[str, str] = MappingProxyType({}),
        test: str = "",
    ) -> Decision:
        """Return a decision: eligible if at least one provision was applied and all those in force on that date were
        met.

        A condition that was not in force is skipped; a grant that was not in force is refused.

        :param given: values for the remedies: ``party``, ``device``, ``test``.
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
        return cls(eligible and bool(counted), tuple(counted), as_of, test)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every reason for refusal, the decisive one first; empty if eligible."""
        return tuple(each.problem for each in self.applied if each.problem is not None)

    @property
    def outcome(self) -> DecisionOutcome:
        """The outcome, given by the decisive reason if there is one."""
        problems = self.problems
        return REASONS[problems[0].code].outcome if problems else DecisionOutcome.ELIGIBLE

    def as_json(self, interface: Interface = Interface.CLI) -> dict[str, Any]:
        """Return the decision as a JSON object."""
        return {
            "eligible": self.eligible,
            "outcome": self.outcome.value,
            "asOf": self.as_of.isoformat(),
            "test": self.test or None,
            "applied": [each.as_json(interface) for each in self.applied],
        }


def decision_lines(decision: Decision) -> list[str]:
    """Return the decision as lines of text: the answer, the provisions that were met, then the reasons for refusal."""
    lines = [f"{'Eligible' if decision.eligible else 'Not eligible'} on {decision.as_of}"]
    for each in decision.applied:
        if each.problem is None:
            lines.append(f"  yes  {each.provision.clause} {each.provision.title}: {each.seen}")
        else:
            first, *others = problem_lines(each.problem)
            lines += [f"  no   {first}", *(f"     {other}" for other in others)]
    return lines
