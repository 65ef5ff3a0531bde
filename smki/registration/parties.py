"""Commands that change Parties, Testing Participants and their officers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from smki.identity import EntityIdentifier, PartyId
from smki.ledger import EventKind, Reader
from smki.problem import Malformed, NotFound, Problem
from smki.registration.command import Command, Context, Done, Happened
from smki.sec.party import Officer, Party, Standing, StandingChange
from smki.sec.registry_fields import Registrant, registrant_fields, registrant_id

REGISTRY_FIRST = EntityIdentifier.parse("90-B3-D5-1F-30-04-00-00")
REGISTRY_LAST = EntityIdentifier.parse("90-B3-D5-1F-3F-FF-FF-FF")
"""The block of EUI-64s from which this emulator, in the place of the Code Administrator, assigns Entity Identifiers.
Assumption: it continues that of the published test identities."""


def known_registrant(reader: Reader, party: PartyId) -> Registrant:
    """Return the Party or Testing Participant with an id.

    :raises NotFound: when there is none.
    """
    found = reader.register.registrant(party)
    if found is None:
        raise NotFound(
            Problem(
                "party.unknown",
                f"Party {party}",
                "not registered",
                "a Party or Testing Participant that was added",
                "SEC L3",
                "smki party list shows who there is; smki party add adds one.",
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Register(Command[tuple[Registrant, ...]]):
    """Register Parties and Testing Participants: all of them or none."""

    registrants: tuple[Registrant, ...]

    def carry_out(self, context: Context) -> Done[tuple[Registrant, ...]]:
        """Add them.

        :raises Conflict: when one is registered already, or an Entity Identifier belongs to another Party.
        """
        for registrant in self.registrants:
            context.transaction.add_registrant(registrant)
        ids = [registrant_id(registrant) for registrant in self.registrants]
        happened = Happened(
            kind=EventKind.REGISTERED,
            concerns=ids[0] if len(ids) == 1 else "",
            detail=", ".join(ids[:20]) + (f" and {len(ids) - 20} more" if len(ids) > 20 else ""),
            content={"registrants": [registrant_fields(registrant) for registrant in self.registrants]},
        )
        return Done(self.registrants, happened)


def _replace(
    context: Context,
    party: PartyId,
    change: Callable[[Registrant], Registrant],
    detail: str,
    kind: EventKind = EventKind.CHANGED,
) -> Done[Registrant]:
    before = known_registrant(context.transaction, party)
    changed = change(before)
    context.transaction.replace_registrant(changed)
    fields, old = registrant_fields(changed), registrant_fields(before)
    content = {
        name: {"from": old.get(name), "to": fields.get(name)}
        for name in sorted({*fields, *old})
        if fields.get(name) != old.get(name)
    }
    return Done(changed, Happened(kind=kind, concerns=str(party), detail=detail, content=content))


def _party(found: Registrant) -> Party:
    if isinstance(found, Party):
        return found
    raise NotFound(
        Problem("party.unknown", f"Party {found.participant_id}", "a Testing Participant", "a Party", "SEC L3")
    )


@dataclass(frozen=True, slots=True)
class SetStanding(Command[Registrant]):
    """Suspend, expel or reinstate a Party, or record that it has withdrawn (SEC M8)."""

    party: PartyId
    standing: Standing
    since: date | None = None
    """The day from which it holds; today by default. What was decided for later is replaced."""

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Add the change to the Party's standing.

        :raises NotFound: when there is no such Party.
        """
        change = StandingChange(self.standing, self.since or context.now.date())

        def changed(found: Registrant) -> Registrant:
            party = _party(found)
            kept = tuple(earlier for earlier in party.standing if earlier.since <= change.since)
            return replace(party, standing=(*kept, change))

        return _replace(context, self.party, changed, f"{self.standing} since {change.since}")


@dataclass(frozen=True, slots=True)
class AssignIdentifier(Command[EntityIdentifier]):
    """Assign a Party an Entity Identifier."""

    party: PartyId
    identifier: EntityIdentifier | None = None
    """None for the next one of the registry block."""

    def carry_out(self, context: Context) -> Done[EntityIdentifier]:
        """Add it to the Party's.

        :raises NotFound: when there is no such Party, or the registry block is used up.
        :raises Conflict: when it belongs to another Party.
        """
        identifier = self.identifier or _next_free(context.transaction)
        done = _replace(
            context,
            self.party,
            lambda found: replace(_party(found), identifiers=_party(found).identifiers | {identifier}),
            f"{identifier} assigned",
        )
        return Done(identifier, done.happened)


def _next_free(reader: Reader) -> EntityIdentifier:
    highest = reader.register.highest_identifier(REGISTRY_FIRST, REGISTRY_LAST)
    if highest is None:
        return REGISTRY_FIRST
    number = int.from_bytes(highest.octets, "big") + 1
    if number > int.from_bytes(REGISTRY_LAST.octets, "big"):
        raise NotFound(Problem("entity-identifier.none-free", "registry block", "used up", "a free EUI-64"))
    return EntityIdentifier(number.to_bytes(8, "big"))


@dataclass(frozen=True, slots=True)
class AppointOfficer(Command[Registrant]):
    """Appoint an officer of a Party or Testing Participant, or change for which certificates one acts."""

    party: PartyId
    officer: Officer

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Add the officer, or replace the one of that name.

        :raises NotFound: when there is no such Party or Testing Participant.
        """

        def changed(found: Registrant) -> Registrant:
            others = tuple(other for other in found.officers if other.name != self.officer.name)
            return replace(found, officers=(*others, self.officer))

        return _replace(context, self.party, changed, self.officer.name, EventKind.OFFICER_APPOINTED)


@dataclass(frozen=True, slots=True)
class DismissOfficer(Command[Registrant]):
    """Dismiss an officer of a Party or Testing Participant; the officer's tokens are no longer valid."""

    party: PartyId
    officer: str

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Remove the officer.

        :raises NotFound: when there is no such Party, or no such officer of it.
        :raises Malformed: for the last officer.
        """

        def changed(found: Registrant) -> Registrant:
            others = tuple(other for other in found.officers if other.name != self.officer)
            if len(others) == len(found.officers):
                raise NotFound(
                    Problem("officer.unknown", f"officer {self.officer[:64]}", f"not an officer of {found.name}",
                            ", ".join(each.name for each in found.officers) or "an officer", "SEC Appendix M",
                            "smki party show lists them.")
                )  # fmt: skip
            if not others:
                raise Malformed(
                    Problem("officer.last", f"officer {self.officer}", f"the only one of {found.name}",
                            "one of several officers", "SEC Appendix M", "Appoint another first: smki party appoint.")
                )  # fmt: skip
            return replace(found, officers=others)

        return _replace(context, self.party, changed, self.officer, EventKind.OFFICER_DISMISSED)
