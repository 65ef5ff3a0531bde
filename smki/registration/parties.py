"""Commands that register and change Parties and Testing Participants."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from smki.identity import EntityIdentifier, PartyId
from smki.ledger import Conflict, EventKind, Reader
from smki.problem import NotFound, Problem
from smki.registration.changes import UNCHANGED, Unchanged, change_text, from_to, given_fields, with_changes
from smki.registration.command import Command, Context, Done, Happened
from smki.sec.party import (
    SUBSCRIBER_KINDS,
    Officer,
    Party,
    PartyCategory,
    Standing,
    StandingChange,
    TestingParticipant,
)
from smki.sec.recorded_test import RecordedTest
from smki.sec.registry_fields import Registrant, registrant_fields, registrant_id
from smki.sec.role import CertificateKind, UserRole


def known_registrant(reader: Reader, party: PartyId, kind: type[Registrant] | None = None) -> Registrant:
    """Return the Party or Testing Participant with an id.

    :param kind: what was asked for, for the problem if there is none; either by default.
    :raises NotFound: if there is none.
    """
    found = reader.register.registrant(party)
    if found is None and kind is TestingParticipant:
        raise NotFound(
            Problem(
                code="participant.unknown",
                subject=f"Testing Participant {party}",
                seen="not registered",
                expected="a Testing Participant that was added",
            )
        )
    if found is None:
        raise NotFound(
            Problem(
                code="party.unknown",
                subject=f"Party {party}",
                seen="not registered",
                expected="a Party or Testing Participant that was added",
            )
        )
    return found


def require_party(found: Registrant) -> Party:
    """Return the argument if it is a Party.

    :raises NotFound: if it is a Testing Participant.
    """
    if isinstance(found, Party):
        return found
    raise NotFound(
        Problem(
            code="party.unknown",
            subject=f"Party {found.participant_id}",
            seen="a Testing Participant",
            expected="a Party",
        )
    )


def _require_participant(found: Registrant) -> TestingParticipant:
    if isinstance(found, TestingParticipant):
        return found
    raise NotFound(
        Problem(
            code="participant.unknown",
            subject=f"Testing Participant {found.party_id}",
            seen="a Party",
            expected="a Testing Participant",
            clause="SEC H14.11",
            remedy="party.change",
        )
    )


@dataclass(frozen=True, slots=True)
class Register(Command[tuple[Registrant, ...]]):
    """Register Parties and Testing Participants: all of them or none."""

    requires_dcc: ClassVar[bool] = True

    registrants: tuple[Registrant, ...]

    def carry_out(self, context: Context) -> Done[tuple[Registrant, ...]]:
        """Add the records.

        :raises Conflict: if one is already registered, or an Entity Identifier belongs to another one.
        """
        registered = []
        for registrant in self.registrants:
            if isinstance(registrant, TestingParticipant):
                registrant = with_own_identifiers(context.transaction, registrant)
            context.transaction.add_registrant(registrant)
            registered.append(registrant)
        ids = [registrant_id(registrant) for registrant in registered]
        happened = Happened(
            kind=EventKind.REGISTERED,
            concerns=ids[0] if len(ids) == 1 else "",
            detail=", ".join(ids[:20]) + (f" and {len(ids) - 20} more" if len(ids) > 20 else ""),
            content={"registrants": [registrant_fields(registrant) for registrant in registered]},
        )
        return Done(tuple(registered), happened)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddParty(Command[Party]):
    """Register one Party that has acceded to the Code. Omitted fields have the defaults described here."""

    requires_dcc: ClassVar[bool] = True

    party: PartyId
    category: PartyCategory
    name: str = ""
    """The name; empty to use the id."""
    user_roles: frozenset[UserRole] = frozenset()
    identifiers: frozenset[EntityIdentifier] = frozenset()
    acceded: date | None = None
    """The day of its accession; None for today."""
    authorised_for: frozenset[CertificateKind] = SUBSCRIBER_KINDS
    officers: tuple[Officer, ...] = ()
    """The officers; empty for one officer, named after the Party, who acts for both kinds of certificate."""
    acts_for: frozenset[PartyId] = frozenset()
    through_entry: bool = True
    quota: int | None = None

    def carry_out(self, context: Context) -> Done[Party]:
        """Register the Party.

        :raises Malformed: if two fields contradict each other.
        :raises Conflict: if the Party is already registered, or an Entity Identifier belongs to another Party.
        """
        made = Party(
            party_id=self.party,
            name=self.name.strip() or str(self.party),
            category=self.category,
            user_roles=self.user_roles,
            standing=(StandingChange(Standing.ACCEDED, self.acceded or context.now.date()),),
            identifiers=self.identifiers,
            authorised_for=self.authorised_for,
            officers=self.officers or (_first_officer(self.party),),
            acts_for=self.acts_for,
            through_entry=self.through_entry,
            quota=self.quota,
        )
        return Done(made, Register((made,)).carry_out(context).happened)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddParticipant(Command[TestingParticipant]):
    """Register one Testing Participant that is not a Party (SEC H14.11)."""

    requires_dcc: ClassVar[bool] = True

    participant: PartyId
    test: RecordedTest
    """The first test in which it takes part; :class:`~smki.registration.participation.RecordTest` records others."""
    name: str = ""
    """The name; empty to use the id."""
    agreement: date | None = None
    officers: tuple[Officer, ...] = ()
    """The officers; empty for one officer, named after the participant, who acts for both kinds of certificate."""

    def carry_out(self, context: Context) -> Done[TestingParticipant]:
        """Register the participant.

        :raises Conflict: if it is already registered, or an Entity Identifier of the test belongs to somebody for whom
            it does not act.
        """
        made = TestingParticipant(
            participant_id=self.participant,
            name=self.name.strip() or str(self.participant),
            tests=(self.test,),
            agreement=self.agreement,
            officers=self.officers or (_first_officer(self.participant),),
        )
        done = Register((made,)).carry_out(context)
        return Done(_require_participant(done.outcome[0]), done.happened)


def with_own_identifiers(reader: Reader, participant: TestingParticipant) -> TestingParticipant:
    """Return a participant with the Entity Identifiers of its tests that belong to nobody as its own.

    :raises Conflict: if one belongs to somebody else, for whom the participant does not act in that test.
    """
    own = set(participant.identifiers)
    for test in participant.tests:
        for identifier in sorted(test.identifiers - participant.identifiers):
            owner = reader.register.owner(identifier)
            if owner is None:
                own.add(identifier)
            elif registrant_id(owner) != test.on_behalf_of.upper():
                raise Conflict(
                    Problem(
                        code="entity-identifier.taken",
                        subject=f"Entity Identifier {identifier}",
                        seen=f"belongs to {registrant_id(owner)}",
                        expected="one that belongs to nobody, or to the Party on whose behalf the participant acts",
                        remedy="test.on-behalf-of-owner",
                    )
                )
    return replace(participant, identifiers=frozenset(own))


def _first_officer(of: PartyId) -> Officer:
    return Officer(f"{of} Officer", SUBSCRIBER_KINDS)


def replace_registrant(
    context: Context,
    party: PartyId,
    change: Callable[[Registrant], Registrant],
    detail: str = "",
    kind: EventKind = EventKind.CHANGED,
    *,
    of: type[Registrant] | None = None,
) -> Done[Registrant]:
    """Replace the record of a Party or Testing Participant with a changed one; nothing is written if they are equal.

    :param detail: the description of the change in the event; by default each field that was changed.
    :param of: as *kind* of :func:`known_registrant`.
    :raises NotFound: if there is none with that id.
    :raises Conflict: if one of its Entity Identifiers belongs to another Party.
    """
    before = known_registrant(context.transaction, party, of)
    changed = change(before)
    if changed == before:
        return Done(before, None)
    context.transaction.replace_registrant(changed)
    content = from_to(registrant_fields(before), registrant_fields(changed))
    return Done(
        changed, Happened(kind=kind, concerns=str(party), detail=detail or change_text(content), content=content)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeParty(Command[Party]):
    """Change the record of a Party. Adding what is already there, or removing what is not, changes nothing.

    Its standing, Entity Identifiers and officers are changed by other commands.
    """

    requires_dcc: ClassVar[bool] = True

    party: PartyId
    name: str | Unchanged = UNCHANGED
    add_roles: frozenset[UserRole] = frozenset()
    remove_roles: frozenset[UserRole] = frozenset()
    authorised_for: frozenset[CertificateKind] | Unchanged = UNCHANGED
    """The kinds of certificate for which it is an Authorised Subscriber from now on; may be empty."""
    add_acts_for: frozenset[PartyId] = frozenset()
    """Parties that have named it as their Shared Resource. They must be registered."""
    remove_acts_for: frozenset[PartyId] = frozenset()
    through_entry: bool | Unchanged = UNCHANGED
    quota: int | Unchanged | None = UNCHANGED
    """The number of Test Certificates it may have outside its recorded tests; None for no limit."""

    def carry_out(self, context: Context) -> Done[Party]:
        """Change the record of the Party.

        :raises NotFound: if there is no such Party, or a User for which it is to act is not registered.
        :raises Malformed: if the record would contradict itself.
        """
        _require_parties(context.transaction, self.add_acts_for)

        def changed(found: Registrant) -> Registrant:
            party = require_party(found)
            subject = f"Party {party.party_id}"
            return replace(
                party,
                user_roles=with_changes(
                    f"User Roles of {subject}", party.user_roles, self.add_roles, self.remove_roles
                ),
                acts_for=with_changes(f"Users of {subject}", party.acts_for, self.add_acts_for, self.remove_acts_for),
                **given_fields(
                    name=self.name.strip() if isinstance(self.name, str) else self.name,
                    authorised_for=self.authorised_for,
                    through_entry=self.through_entry,
                    quota=self.quota,
                ),
            )

        done = replace_registrant(context, self.party, changed)
        return Done(require_party(done.outcome), done.happened)


def _require_parties(reader: Reader, parties: Iterable[PartyId]) -> None:
    for party in sorted(parties):
        found = reader.register.registrant(party)
        if not isinstance(found, Party):
            seen = f"{party}, {'a Testing Participant' if found else 'which is not registered'}"
            raise NotFound(
                Problem(
                    code="acting-for.not-a-party",
                    subject="on behalf of",
                    seen=seen,
                    expected="a Party",
                )
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeParticipant(Command[TestingParticipant]):
    """Change the record of a Testing Participant. Its tests and officers are changed by other commands."""

    requires_dcc: ClassVar[bool] = True

    participant: PartyId
    name: str | Unchanged = UNCHANGED
    agreement: date | Unchanged | None = UNCHANGED
    """The day of its agreement on the terms of Schedule 7; None if it has none."""

    def carry_out(self, context: Context) -> Done[TestingParticipant]:
        """Change the record of the participant.

        :raises NotFound: if there is no such Testing Participant.
        :raises Malformed: if the name is empty.
        """

        def changed(found: Registrant) -> Registrant:
            fields = given_fields(
                name=self.name.strip() if isinstance(self.name, str) else self.name,
                agreement=self.agreement,
            )
            return replace(_require_participant(found), **fields)

        done = replace_registrant(context, self.participant, changed, of=TestingParticipant)
        return Done(_require_participant(done.outcome), done.happened)


@dataclass(frozen=True, slots=True)
class SetStanding(Command[Registrant]):
    """Suspend, expel or reinstate a Party, or record that it has withdrawn (SEC M8)."""

    requires_dcc: ClassVar[bool] = True

    party: PartyId
    standing: Standing
    since: date | None = None
    """The first day of the new standing; today by default. Later changes that were already recorded are dropped."""

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Add the change to the Party's standing.

        :raises NotFound: if there is no such Party.
        :raises Malformed: if its first standing would not be an accession.
        """
        change = StandingChange(self.standing, self.since or context.now.date())

        def changed(found: Registrant) -> Registrant:
            party = require_party(found)
            kept = tuple(earlier for earlier in party.standing if earlier.since <= change.since)
            return replace(party, standing=kept if kept[-1:] == (change,) else (*kept, change))

        return replace_registrant(context, self.party, changed, f"{self.standing} since {change.since}")
