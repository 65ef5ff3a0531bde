"""Commands that appoint and dismiss the officers of Parties and Testing Participants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from smki.identity import PartyId
from smki.ledger import CredentialKind, EventKind
from smki.problem import Malformed, NotFound, Problem
from smki.registration.command import Command, Context, Done
from smki.registration.parties import replace_registrant
from smki.sec.party import Officer
from smki.sec.registry_fields import Registrant
from smki.sec.vocabulary import listed


@dataclass(frozen=True, slots=True)
class AppointOfficer(Command[Registrant]):
    """Appoint an officer of a Party or Testing Participant, or change the kinds of certificate that the officer acts
    for."""

    requires_dcc: ClassVar[bool] = True

    party: PartyId
    officer: Officer

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Add the officer, or replace the one with the same name.

        :raises NotFound: if there is no such Party or Testing Participant.
        """

        def changed(found: Registrant) -> Registrant:
            if self.officer in found.officers:
                return found
            others = tuple(other for other in found.officers if other.name != self.officer.name)
            return replace(found, officers=(*others, self.officer))

        return replace_registrant(context, self.party, changed, self.officer.name, EventKind.OFFICER_APPOINTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissOfficer(Command[Registrant]):
    """Dismiss an officer of a Party or Testing Participant and revoke the officer's tokens.

    An officer who is appointed again under the same name needs a new token.
    """

    requires_dcc: ClassVar[bool] = True

    party: PartyId
    officer: str
    moment: datetime
    """The time at which the tokens are revoked, by the real clock, like all times of credentials."""

    def carry_out(self, context: Context) -> Done[Registrant]:
        """Remove the officer and revoke the officer's tokens; the event has their numbers.

        :raises NotFound: if there is no such Party, or it has no such officer.
        :raises Malformed: if it is the last officer.
        """

        def changed(found: Registrant) -> Registrant:
            others = tuple(other for other in found.officers if other.name != self.officer)
            if len(others) == len(found.officers):
                raise NotFound(
                    Problem(
                        code="officer.unknown",
                        subject=f"officer {self.officer[:64]}",
                        seen=f"not an officer of {found.name}",
                        expected=listed(each.name for each in found.officers) or "an officer",
                    )
                )
            if not others:
                raise Malformed(
                    Problem(
                        code="officer.last",
                        subject=f"officer {self.officer}",
                        seen=f"the only one of {found.name}",
                        expected="an officer who is not the only one",
                    )
                )
            return replace(found, officers=others)

        done = replace_registrant(context, self.party, changed, self.officer, EventKind.OFFICER_DISMISSED)
        revoked = [
            token.id
            for token in context.transaction.credentials.all(CredentialKind.OFFICER_TOKEN)
            if token.party == str(self.party) and token.name == self.officer and token.revoked is None
        ]
        for number in revoked:
            context.transaction.revoke_credential(number, self.moment)
        if done.happened is None:
            raise AssertionError("a dismissal removes an officer")
        content = {**(done.happened.content or {}), "tokensRevoked": revoked}
        return Done(done.outcome, replace(done.happened, content=content))
