"""What a subscriber does once it has its certificate: accept it, or reject it (SEC L11)."""

from __future__ import annotations

from dataclasses import dataclass

from smki.identity import SerialNumber
from smki.ledger import CertificateRecord, EventKind, Reader, Revocation
from smki.pki.certificate import Certificate
from smki.pki.request import CertificationRequest, read_request
from smki.pki.x509 import Oid, name_text
from smki.problem import Problem, SmkiError
from smki.registration.command import Command, Context, Done, Happened
from smki.registration.officers import acting_officer, certificate_of
from smki.sec.role import CertificateKind, CertificateStatus


class NotAcceptable(SmkiError):
    """The certificate cannot be accepted or rejected (any more)."""


@dataclass(frozen=True, slots=True)
class Accept(Command[CertificateRecord]):
    """Accept an Organisation Certificate that is pending."""

    serial_number: SerialNumber

    def carry_out(self, context: Context) -> Done[CertificateRecord]:
        """Put it in use, and the one that it takes over from out of use.

        :raises NotAcceptable: when there is no such certificate, or it is not pending.
        :raises NotYours: when the actor is no officer of its subscriber.
        """
        record = certificate_of(context.transaction, self.serial_number, NotAcceptable)
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
    """What came of a rejection."""

    record: CertificateRecord
    """As it is now."""
    differences: tuple[Problem, ...]
    """Where the certificate differs from the request that it was issued for."""
    revocation: Revocation | None
    """The revocation that the rejection of an Organisation Certificate brings with it; None for a Device's."""


@dataclass(frozen=True, slots=True)
class Reject(Command[Rejection]):
    """Reject a certificate: an Organisation Certificate is revoked, a Device's rejection is investigated."""

    serial_number: SerialNumber
    because: str
    """The subscriber's reason, for the record."""

    def carry_out(self, context: Context) -> Done[Rejection]:
        """Revoke an Organisation Certificate that is pending; record the rejection of a Device Certificate.

        :raises NotAcceptable: when there is no such certificate, it is an authority's, or it is an Organisation Certificate
            that is not pending: one that was accepted, or is deemed to be, is not rejected any more but revoked.
        :raises NotYours: when the actor is no officer of its subscriber.
        """
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
            # The certificate that it would have taken over from stays in use.
            transaction.restore_older(record.id)
        rejected = certificate_of(transaction, self.serial_number)
        happened = Happened(
            kind=EventKind.REJECTED, certificate=rejected, detail=self.because, party=who.party, officer=who.officer
        )
        return Done(Rejection(rejected, _differences_from_request(transaction, rejected), revocation), happened)


def _differences_from_request(reader: Reader, record: CertificateRecord) -> tuple[Problem, ...]:
    application = reader.application(record.application_id)
    request = application.application.request if application else None
    return differences(record.certificate, CertificationRequest.of(read_request(request))) if request else ()


def differences(certificate: Certificate, request: CertificationRequest) -> tuple[Problem, ...]:
    """Return where a certificate does not say what was asked for; empty when it does in everything."""
    compared = (
        ("subject", name_text(certificate.subject), name_text(request.subject), certificate.subject == request.subject),
        ("public key", certificate.public_key_info.hex(), request.public_key_info.hex(),
         certificate.public_key_info == request.public_key_info),
        ("keyUsage", _hex(certificate, Oid.KEY_USAGE), request.key_usage.hex(),
         certificate.extension_values.get(Oid.KEY_USAGE) == request.key_usage),
        ("subjectAltName", _hex(certificate, Oid.SUBJECT_ALT_NAME), (request.subject_alt_name or b"").hex(),
         certificate.extension_values.get(Oid.SUBJECT_ALT_NAME) == request.subject_alt_name),
    )  # fmt: skip
    return tuple(
        Problem(code="certificate.differs-from-request", subject=field, seen=seen or "none", expected=asked or "none")
        for field, seen, asked, same in compared
        if not same
    )


def _hex(certificate: Certificate, oid: str) -> str:
    return certificate.extension_values.get(oid, b"").hex()


def _require_pending(context: Context, record: CertificateRecord) -> None:
    # Deemed acceptance and expiry are not written but follow from the time, so that the stored status alone says too little.
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
