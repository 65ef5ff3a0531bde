"""Commands of a subscriber that has received its certificate: accept it or reject it (SEC L11)."""

from __future__ import annotations

from dataclasses import dataclass

from smki.identity import SerialNumber
from smki.ledger import CertificateRecord, EventKind, Revocation
from smki.problem import Malformed, Problem, SmkiError
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.comparison import differences_from_request
from smki.registration.officers import acting_officer, certificate_of
from smki.sec.role import CertificateKind, CertificateStatus

MAX_BECAUSE = 500
"""Maximum number of characters of the reason for a rejection."""


class NotAcceptable(SmkiError):
    """The certificate cannot be accepted or rejected, or no longer can."""


@dataclass(frozen=True, slots=True)
class Accept(Command[CertificateRecord]):
    """Accept an Organisation Certificate that is pending."""

    serial_number: SerialNumber

    def carry_out(self, context: Context) -> Done[CertificateRecord]:
        """Mark the certificate as in use, and the older ones that it replaces as not in use.

        :raises NotAcceptable: if there is no such certificate, or it is not pending.
        :raises NotYours: if the actor is not an officer of its subscriber.
        """
        record = certificate_of(context.transaction, self.serial_number, NotAcceptable)
        if record.kind.is_authority:
            raise NotAcceptable(_not_pending(record, record.status_at(context.now)))
        who = acting_officer(context.transaction, record, context.actor)
        _require_pending(context, record)
        context.transaction.change_status(
            self.serial_number, CertificateStatus.PENDING, CertificateStatus.IN_USE, context.now
        )
        context.transaction.replace_older(record.id, context.now)
        accepted = certificate_of(context.transaction, self.serial_number)
        happened = Happened(
            kind=EventKind.ACCEPTED,
            certificate=accepted,
            detail=f"by {who.officer}",
            party=who.party,
            officer=who.officer,
        )
        return Done(accepted, happened)


@dataclass(frozen=True, slots=True)
class Rejection:
    """The outcome of a rejection."""

    record: CertificateRecord
    """The certificate after the rejection."""
    differences: tuple[Problem, ...]
    """The differences between the certificate and the request that it was issued for."""
    revocation: Revocation | None
    """The revocation, if an Organisation Certificate was rejected; None for a Device Certificate."""


@dataclass(frozen=True, slots=True)
class Reject(Command[Rejection]):
    """Reject a certificate. An Organisation Certificate is revoked; the rejection of a Device Certificate is only
    recorded."""

    serial_number: SerialNumber
    because: str
    """The subscriber's reason, for the record."""

    def carry_out(self, context: Context) -> Done[Rejection]:
        """Revoke an Organisation Certificate that is pending, or record the rejection of a Device Certificate.

        :raises Malformed: when there is no reason, or a longer one.
        :raises NotAcceptable: when there is no such certificate, it is an authority's, or it is an Organisation Certificate
            that is not pending: one that was accepted, or is deemed to be, is not rejected any more but revoked.
        :raises NotYours: when the actor is no officer of its subscriber.
        """
        if not 1 <= len(self.because.strip()) <= MAX_BECAUSE:
            raise Malformed(
                Problem(
                    code="rejection.because",
                    subject="reason",
                    seen=f"{len(self.because)} characters" if self.because.strip() else "none",
                    expected=f"1 to {MAX_BECAUSE} characters",
                )
            )
        transaction = context.transaction
        record = certificate_of(transaction, self.serial_number, NotAcceptable)
        if record.kind.is_authority:
            raise NotAcceptable(_not_pending(record, record.status_at(context.now)))
        who = acting_officer(transaction, record, context.actor)
        revocation = None
        if record.kind is CertificateKind.ORGANISATION:
            _require_pending(context, record)
            revocation = Revocation(
                serial_number=self.serial_number,
                revoked=context.now,
                effective=context.now,
                reason="rejected",
                asked_by=who.officer,
            )
            transaction.change_status(
                self.serial_number, CertificateStatus.PENDING, CertificateStatus.REVOKED, context.now
            )
            transaction.add_revocation(revocation)
            # The certificates that it would have replaced stay in use.
            transaction.restore_older(record.id)
        rejected = certificate_of(transaction, self.serial_number)
        happened = Happened(
            kind=EventKind.REJECTED, certificate=rejected, detail=self.because, party=who.party, officer=who.officer
        )
        return Done(Rejection(rejected, differences_from_request(transaction, rejected), revocation), happened)


def _require_pending(context: Context, record: CertificateRecord) -> None:
    # Deemed acceptance and expiry follow from the time and are not stored, so the stored status is not enough.
    status = record.status_at(context.now)
    if record.stored_status is not CertificateStatus.PENDING or status is not CertificateStatus.PENDING:
        raise NotAcceptable(_not_pending(record, status))


def _not_pending(record: CertificateRecord, status: CertificateStatus) -> Problem:
    in_use = record.kind is CertificateKind.ORGANISATION and status is CertificateStatus.IN_USE
    return Problem(
        code="certificate.not-pending",
        subject=f"certificate {record.serial_number}",
        seen=f"{record.kind.title_with_article}, {status.label}",
        expected="an Organisation Certificate that is pending",
        remedy="certificate.revoke-instead" if in_use else "",
        given={"serial": record.serial_number.hex},
    )
