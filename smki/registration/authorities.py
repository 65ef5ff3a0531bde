"""Authorities: the command that makes one."""

from __future__ import annotations

from dataclasses import dataclass

from smki.authority.hierarchy import ABOVE
from smki.ledger import CertificateRecord, EventKind, NewApplication
from smki.profile.tables import profile_of
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.storing import store_certificate
from smki.sec.role import CertificateKind


@dataclass(frozen=True, slots=True)
class EstablishAuthority(Command[CertificateRecord]):
    """Make a new authority: its key, and the certificate that the authority above issues to it (SEC L3.12)."""

    kind: CertificateKind

    def carry_out(self, context: Context) -> Done[CertificateRecord]:
        """Make the key and the certificate.

        :raises Malformed: for a second root.
        :raises NotConformant: when the certificate would break its profile.
        """
        above = ABOVE[self.kind]
        issuer = context.hierarchy.newest(context.transaction, above) if above is not None else None
        made = context.hierarchy.new_authority(context.transaction, self.kind)
        application = NewApplication(
            received=context.now,
            interface=context.actor.interface,
            subscriber="DCC",
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
