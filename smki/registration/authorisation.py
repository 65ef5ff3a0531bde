"""Who may change the register and read the audit trail: one rule for every interface.

The register is kept by the DCC. A command with :attr:`~smki.registration.command.Command.requires_dcc` is run by whoever
operates the home or by an officer of a Party of the category DCC, and by nobody else.
"""

from __future__ import annotations

from dataclasses import replace

from smki.ledger import EventQuery, Reader
from smki.problem import Problem, SmkiError
from smki.registration.actor import Actor
from smki.registration.officers import registrant_of
from smki.sec.party import Party, PartyCategory


class NotAuthorised(SmkiError):
    """The actor may not do or read this."""


def acts_for_dcc(reader: Reader, actor: Actor) -> bool:
    """Return whether the actor operates the home or is, at this moment, an officer of the DCC."""
    if actor.is_operator:
        return True
    party = registrant_of(reader, actor.party) if actor.party else None
    if not isinstance(party, Party) or party.category is not PartyCategory.DCC:
        return False
    return any(officer.name == actor.officer for officer in party.officers)


def require_dcc(reader: Reader, actor: Actor) -> None:
    """Check that the actor operates the home or is an officer of the DCC.

    :raises NotAuthorised: when it is anybody else, for instance an officer of the DCC who was dismissed meanwhile.
    """
    if not acts_for_dcc(reader, actor):
        raise NotAuthorised(
            Problem(
                code="actor.not-dcc",
                subject="officer",
                seen=f"{actor.officer[:64] or 'nobody'} of {actor.party[:64] or 'no Party'}",
                expected="an officer of the DCC, or the operator of the home",
            )
        )


def readable_events(reader: Reader, actor: Actor, query: EventQuery) -> EventQuery:
    """Return the query narrowed to what the actor may read: everything for the DCC, its own events for another Party.

    A Party's own events are those of what it did, of its certificates and applications, and of changes to it.

    :raises NotAuthorised: when an officer of another Party than the DCC asks for some other Party's events.
    """
    if acts_for_dcc(reader, actor):
        return query
    if query.party not in (None, actor.party):
        require_dcc(reader, actor)
    return replace(query, party=actor.party)
