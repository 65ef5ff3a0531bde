"""The command that makes a certification authority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smki.authority.hierarchy import ABOVE
from smki.eligibility import Applicant, AuthorityQuestion, decide
from smki.identity import PartyId
from smki.ledger import CertificateRecord, EventKind, NewApplication
from smki.profile.tables import profile_of
from smki.registration.applications import Refused
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.storing import store_certificate
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
        record = store_certificate(
            context,
            profile_of(self.kind),
            made.subject,
            issuer.facts if issuer else made.facts,
            issuer.signing_key if issuer else made.signing_key,
            application,
        )
        name = f"{self.kind.title} {record.certificate.common_name}"
        return Done(record, Happened(kind=EventKind.AUTHORITY_ADDED, certificate=record, detail=name))


def _require_eligible(context: Context, kind: CertificateKind) -> None:
    dcc = context.transaction.register.registrant(PartyId(DCC)) or NonParty(DCC)
    decision = decide(AuthorityQuestion(Applicant(dcc), kind, context.now.date()))
    if not decision.eligible:
        raise Refused(*decision.problems)
