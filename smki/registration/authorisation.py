"""Who may change the register and read the audit trail: one rule for every interface.

The DCC keeps the register. A command with :attr:`~smki.registration.command.Command.requires_dcc` can be run only by
the operator of the home and by officers of a Party of the category DCC.
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
    """Return whether the actor operates the home or is currently an officer of the DCC."""
    if actor.is_operator:
        return True
    party = registrant_of(reader, actor.party)
    if not isinstance(party, Party) or party.category is not PartyCategory.DCC:
        return False
    return any(officer.name == actor.officer for officer in party.officers)


def require_dcc(reader: Reader, actor: Actor) -> None:
    """Check that the actor operates the home or is currently an officer of the DCC.

    :raises NotAuthorised: if not, for instance because the officer has been dismissed.
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
    """Return the query restricted to what the actor may read: all events for the DCC, and its own for another Party.

    A Party's own events are what it did, what was done with its certificates and applications, and changes to its
    record.

    :raises NotAuthorised: if an officer of another Party than the DCC asks for the events of some other Party.
    """
    if acts_for_dcc(reader, actor):
        return query
    if query.party not in (None, actor.party):
        require_dcc(reader, actor)
    return replace(query, party=actor.party)
