"""Revocation: who may request it, of which certificates, and for what reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smki.clock import iso
from smki.identity import SerialNumber
from smki.ledger import CertificateRecord, EventKind, Reader, Revocation
from smki.problem import Malformed, Problem, SmkiError
from smki.profile.revocation_reasons import CRL_REASONS
from smki.registration.actor import Actor
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.officers import certificate_of
from smki.sec.party import Party, PartyCategory
from smki.sec.registry_fields import registrant_id
from smki.sec.role import CertificateKind, CertificateStatus

REASONS = tuple(CRL_REASONS)
"""The reasons for which a revocation can be requested."""

REVOCABLE = (CertificateKind.ORGANISATION, CertificateKind.ISSUING_OCA)
"""The list that a certificate goes on: the Organisation CRL, or the Organisation ARL for OCA Certificates."""

PMA = "SMKI PMA"
"""The SMKI Policy Management Authority, which may have any certificate revoked, and may delay a revocation. It acts
under this name, without a Party."""


class NotRevocable(SmkiError):
    """The certificate cannot be revoked, or not by this actor."""


class AlreadyRevoked(SmkiError):
    """The certificate is already revoked."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """A revocation that was granted."""

    revocation: Revocation
    record: CertificateRecord
    """The certificate after the revocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke(Command[Revoked]):
    """Revoke a certificate.

    The actor is an officer of the subscriber or of the DCC, or the SMKI PMA. If the actor names nobody, it is the first
    officer of the subscriber.
    """

    serial_number: SerialNumber
    reason: str
    """One of :data:`~smki.profile.revocation_reasons.CRL_REASONS`."""
    not_before: datetime | None = None
    """The time until which the PMA delays it, for instance because a supplier of last resort needs the certificate."""

    def carry_out(self, context: Context) -> Done[Revoked]:
        """Revoke the certificate.

        :raises Malformed: if the reason is unknown.
        :raises NotRevocable: if there is no such certificate, its kind is not revoked, or the actor may not revoke it.
        :raises AlreadyRevoked: if it is already revoked; says when and why.
        """
        if self.reason not in CRL_REASONS:
            reasons = ", ".join(CRL_REASONS)
            raise Malformed(
                Problem(
                    code="revocation.reason",
                    subject="reason",
                    seen=f"{self.reason[:64]!r}",
                    expected=reasons,
                    remedy=f"Use one of: {reasons}.",
                )
            )
        transaction = context.transaction
        record = certificate_of(transaction, self.serial_number, NotRevocable)
        if record.kind not in REVOCABLE:
            raise NotRevocable(_not_revoked(record))
        first = transaction.revocations.of(self.serial_number)
        if first is not None:
            raise AlreadyRevoked(_already(first))
        asked_by, party = _who_may(transaction, record, context.actor)
        if self.not_before is not None and asked_by != PMA:
            raise NotRevocable(
                Problem(
                    code="revocation.delay",
                    subject="delay",
                    seen=f"requested by {asked_by}",
                    expected=f"a delay decided by the {PMA}",
                )
            )
        effective = max(context.now, self.not_before) if self.not_before else context.now
        revocation = Revocation(
            serial_number=self.serial_number,
            revoked=context.now,
            effective=effective,
            reason=self.reason,
            asked_by=asked_by,
        )
        transaction.change_status(self.serial_number, record.stored_status, CertificateStatus.REVOKED, effective)
        transaction.add_revocation(revocation)
        is_pending = record.stored_status is CertificateStatus.PENDING
        if is_pending and (record.deemed_accepted is None or context.now < record.deemed_accepted):
            # It never took over from the certificate before it, which therefore stays in use.
            transaction.restore_older(record.id)
        revoked = certificate_of(transaction, self.serial_number)
        detail = f"{self.reason}, by {asked_by}"
        happened = Happened(kind=EventKind.REVOKED, certificate=revoked, detail=detail, officer=asked_by, party=party)
        return Done(Revoked(revocation, revoked), happened)


def _who_may(reader: Reader, record: CertificateRecord, actor: Actor) -> tuple[str, str]:
    """Return the officer under whose name the revocation is recorded, and the officer's Party.

    :raises NotRevocable: if the actor may not revoke the certificate.
    """
    if not actor.party and actor.officer.strip().upper() in (PMA, "PMA"):
        return PMA, ""
    application = reader.application(record.application_id)
    subscriber = application.application.subscriber if application else ""
    allowed: list[tuple[str, str]] = []
    for registrant in reader.register.registrants():
        party = registrant_id(registrant)
        if actor.party and party != actor.party:
            continue
        is_dcc = isinstance(registrant, Party) and registrant.category is PartyCategory.DCC
        if is_dcc or party == subscriber:
            for officer in registrant.officers:
                if record.kind.is_authority or CertificateKind.ORGANISATION in officer.kinds:
                    allowed.insert(0 if party == subscriber else len(allowed), (officer.name, party))
    for name, party in allowed:
        if actor.officer in ("", name):
            return name, party
    who = actor.officer or actor.party or "nobody"
    raise NotRevocable(
        Problem(
            code="revocation.not-yours",
            subject=f"certificate {record.serial_number}",
            seen=f"requested by {who}",
            expected=f"an officer of {subscriber} or of the DCC, or the {PMA}",
        )
    )


def _already(first: Revocation) -> Problem:
    return Problem(
        code="revocation.already",
        subject=f"certificate {first.serial_number}",
        seen=f"revoked at {iso(first.revoked)} for {first.reason}, by {first.asked_by}",
        expected="a certificate that is not revoked",
    )


def _not_revoked(record: CertificateRecord) -> Problem:
    expected = "an Organisation Certificate or an Issuing OCA's"
    if record.kind is CertificateKind.DEVICE:
        return Problem(
            code="revocation.device",
            subject=f"certificate {record.serial_number}",
            seen="a Device Certificate",
            expected=expected,
            given={"serial": str(record.serial_number)},
        )
    return Problem(
        code="revocation.kind",
        subject=f"certificate {record.serial_number}",
        seen=f"{record.kind.title_with_article}'s",
        expected=expected,
    )
