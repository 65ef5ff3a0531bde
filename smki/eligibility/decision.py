"""Decisions: whether somebody is an Eligible Subscriber, with every provision that was applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from smki.eligibility.provisions import Effect, Provision
from smki.eligibility.recorded import RecordUsed
from smki.eligibility.refusals import REASONS, DecisionOutcome
from smki.problem import Problem, problem_lines
from smki.remedies import Interface


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of applying one provision to a question."""

    provision: Provision
    seen: str
    """The facts to which it was applied."""
    problem: Problem | None = None
    """Why it was not met; None if it was."""

    @property
    def held(self) -> bool:
        """Whether it was met."""
        return self.problem is None

    def as_json(self, interface: Interface = Interface.CLI) -> dict[str, Any]:
        """Return a JSON object: the provision's key, clause (empty if no source names one) and basis, whether it was
        met, the facts, and the problem if there is one."""
        value: dict[str, Any] = {**_cited(self.provision), "held": self.held, "seen": self.seen}
        if self.problem is not None:
            value["problem"] = self.problem.as_json(interface)
        return value


@dataclass(frozen=True, slots=True)
class Note:
    """A statement that belongs to the answer, but neither permits nor prevents anything."""

    provision: Provision
    text: str

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object: the provision's key, clause, basis and title, and the text."""
        return {**_cited(self.provision), "text": self.text}


def _cited(provision: Provision) -> dict[str, str]:
    return {
        "provision": provision.key,
        "clause": provision.clause,
        "basis": provision.basis.value,
        "title": provision.title,
    }


def holds(provision: Provision, seen: str) -> Applied:
    """Return a provision as met."""
    return Applied(provision, seen)


def fails(
    provision: Provision, code: str, seen: str, remedy: str = "", given: Mapping[str, str] = MappingProxyType({})
) -> Applied:
    """Return a provision as not met.

    :param code: a code in the table of reasons, which contains the rest.
    :param remedy: a key of :data:`~smki.remedies.REMEDIES` in place of the one in the table.
    :param given: values for the remedy that are not those of the question.
    """
    reason = REASONS[code]
    problem = Problem(
        code=code,
        subject=reason.subject,
        seen=seen,
        expected=reason.expected,
        clause=provision.clause,
        basis=provision.basis.value,
        remedy=remedy or reason.remedy,
        given=given,
    )
    return Applied(provision, seen, problem)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a question, with reasons."""

    eligible: bool
    applied: tuple[Applied, ...]
    """Every provision that was applied, in order."""
    as_of: date
    """The date asked about."""
    test: str
    """The name of the subscriber's recorded test for which it was decided; empty for none."""
    notes: tuple[Note, ...] = ()
    """What else the answer says; it does not depend on them."""
    not_in_force: tuple[Provision, ...] = ()
    """The provisions that would have been applied, but were not yet in force."""
    records: tuple[RecordUsed, ...] = ()
    """For an earlier day, the records that were used."""

    @classmethod
    def of(
        cls,
        applied: Iterable[Applied | Note | None],
        as_of: date,
        given: Callable[[], Mapping[str, str]] = dict,
        test: str = "",
    ) -> Decision:
        """Return a decision: eligible if at least one provision was applied and all those in force on that date were
        met.

        A condition that was not in force is skipped; a grant that was not in force is refused. Either is listed as not in
        force.

        :param given: returns values for the remedies of refusals: ``party``, ``device``, ``test``.
        """
        counted: list[Applied] = []
        notes: list[Note] = []
        later: list[Provision] = []
        eligible = True
        for each in applied:
            if each is None:
                continue
            if isinstance(each, Note):
                notes.append(each)
                continue
            provision = each.provision
            if provision.in_force_from > as_of:
                later.append(provision)
                if provision.effect is Effect.CONDITION:
                    continue
                seen = f"{as_of}; {provision.title}: in force from {provision.in_force_from}"
                each = fails(provision, "eligibility.not-in-force", seen)
            if each.problem is not None:
                problem = replace(each.problem, given={**given(), **each.problem.given})
                each = Applied(provision, each.seen, problem)
            counted.append(each)
            eligible = eligible and each.held
        return cls(
            eligible and bool(counted),
            tuple(counted),
            as_of,
            test,
            notes=tuple(notes),
            not_in_force=tuple(dict.fromkeys(later)),
        )

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
            "notes": [each.as_json() for each in self.notes],
            "notInForce": [
                {**_cited(each), "inForceFrom": each.in_force_from.isoformat()} for each in self.not_in_force
            ],
            "records": [each.as_json() for each in self.records],
        }


def decision_lines(decision: Decision) -> list[str]:
    """Return the decision as lines of text: the answer, each provision as met or with the reason for refusal, the notes,
    the conditions that were not yet in force, and the records that were used.

    Every provision is cited by its clause, if a source names one, and its basis.
    """
    lines = [f"{'Eligible' if decision.eligible else 'Not eligible'} on {decision.as_of}"]
    for each in decision.applied:
        if each.problem is None:
            lines.append(f"  yes  {each.provision.cited} {each.provision.title}: {each.seen}")
        else:
            first, *others = problem_lines(each.problem)
            lines += [f"  no   {first}", *(f"     {other}" for other in others)]
    lines += [f"  note {note.provision.cited} {note.provision.title}: {note.text}" for note in decision.notes]
    refused = {each.provision for each in decision.applied}
    lines += [
        f"  --   {each.cited} {each.title}: not applied, in force from {each.in_force_from}"
        for each in decision.not_in_force
        if each not in refused
    ]
    return [*lines, *(f"  --   {each.text}" for each in decision.records)]
