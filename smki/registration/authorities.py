"""The command that makes a certification authority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smki.authority.hierarchy import ABOVE, AUTHORITY_ROLES
from smki.eligibility import Applicant, AuthorityQuestion, decide
from smki.identity import PartyId
from smki.ledger import CertificateRecord, EventKind, NewApplication
from smki.registration.applications import Refused
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.storing import DecisionsInTheMaking, Grant
from smki.sec.party import NonParty
from smki.sec.role import CertificateKind

DCC = "DCC"
"""The id of the Party that runs the authorities (SEC L3.12)."""


@dataclass(frozen=True, slots=True)
class EstablishAuthority(Command[CertificateRecord]):
    """Make a new authority: its key, and the certificate that the authority above it issues (SEC L3.12)."""

    requires_dcc: ClassVar[bool] = True

    kind: CertificateKind

    def carry_out(self, context: Context) -> Done[CertificateRecord]:
        """Make the key and the certificate.

        :raises Refused: if the DCC, which runs the authorities, is not an Eligible Subscriber for it.
        :raises Malformed: for a second root.
        :raises NotConformant: if the certificate would break its profile.
        """
        _require_eligible(context, self.kind)
        above = ABOVE[self.kind]
        issuer = context.hierarchy.newest(context.transaction, above) if above is not None else None
        if issuer is not None:
            issuer.signing_key.read()  # before another key is kept: under a wrong passphrase none is
        made = context.hierarchy.new_authority(context.transaction, self.kind)
        application = NewApplication(
            received=context.now,
            interface=context.actor.interface,
            subscriber=DCC,
            officer=context.actor.officer,
            kind=self.kind,
        )
        name = f"{self.kind.title} {made.name}"
        making = DecisionsInTheMaking(context)
        making.add(
            Grant(
                application=application,
                happened=Happened(kind=EventKind.AUTHORITY_ADDED, detail=name),
                kind=self.kind,
                role=AUTHORITY_ROLES.get(self.kind),
                subject=made.subject,
                issuer=issuer.facts if issuer else made.facts,
                key=issuer.signing_key if issuer else made.signing_key,
            )
        )
        (recorded,) = making.record()
        assert recorded.certificate is not None
        return Done(recorded.certificate, None, [(recorded.event_id, recorded.event)])


def _require_eligible(context: Context, kind: CertificateKind) -> None:
    dcc = context.transaction.register.registrant(PartyId(DCC)) or NonParty(DCC)
    decision = decide(AuthorityQuestion(Applicant(dcc), kind, context.now.date()))
    if not decision.eligible:
        raise Refused(*decision.problems)
