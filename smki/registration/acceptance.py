"""What a subscriber does once it has its certificate: accept it, or reject it (SEC L11.5 to L11.7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smki.identity import SerialNumber
from smki.ledger import CertificateRecord, Ledger
from smki.pki.certificate import Certificate
from smki.pki.request import CertificationRequest, read_request
from smki.pki.x509 import Oid, name_text
from smki.problem import Problem, SmkiError
from smki.registration.revocation import revoke
from smki.sec.role import CertificateKind, CertificateStatus


class NotAcceptable(SmkiError):
    """The certificate cannot be accepted or rejected (any more)."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """What came of a rejection."""

    record: CertificateRecord
    """As it is now."""
    differences: tuple[Problem, ...]
    """Where the certificate differs from the request that it was issued for."""


def accept(ledger: Ledger, serial_number: SerialNumber, moment: datetime) -> CertificateRecord:
    """Accept an Organisation Certificate that is pending.

    :raises NotAcceptable: when there is none, or it is not pending.
    """
    record = _known(ledger, serial_number)
    status = record.status_at(moment)
    if status is not CertificateStatus.PENDING:
        raise NotAcceptable(_not_pending(record, status))
    ledger.set_status(serial_number, CertificateStatus.IN_USE, moment, "accepted", "")
    return _known(ledger, serial_number)


def reject(ledger: Ledger, serial_number: SerialNumber, because: str, moment: datetime) -> Rejection:
    """Reject a certificate: an Organisation Certificate is revoked, a Device's rejection is investigated.

    :param because: the subscriber's reason, for the record.
    :raises NotAcceptable: when there is no such certificate, it is an authority's, or accepted expressly before.
    """
    record = _known(ledger, serial_number)
    certificate = record.certificate
    application = ledger.application(record.application_id)
    request = application.application.request if application else None
    found = differences(certificate, CertificationRequest.of(read_request(request))) if request else ()
    if record.kind is CertificateKind.DEVICE:
        # Logged and investigated, not revoked (SEC L11.7).
        ledger.note(serial_number, moment, "rejected", because)
    elif record.kind is CertificateKind.ORGANISATION and record.stored_status in _REJECTABLE:
        ledger.set_status(serial_number, CertificateStatus.NOT_IN_USE, moment, "rejected", because)
        revoke(ledger, serial_number, "rejected", moment)
    else:
        raise NotAcceptable(_not_pending(record, record.status_at(moment)))
    return Rejection(_known(ledger, serial_number), found)


_REJECTABLE = (CertificateStatus.PENDING, CertificateStatus.IN_USE)


def differences(certificate: Certificate, request: CertificationRequest) -> tuple[Problem, ...]:
    """Where a certificate does not say what was asked for; empty when it does in everything."""
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
        Problem("certificate.differs-from-request", field, seen or "none", asked or "none", "SEC L11.5")
        for field, seen, asked, same in compared
        if not same
    )


def _hex(certificate: Certificate, oid: str) -> str:
    return certificate.extension_values.get(oid, b"").hex()


def _known(ledger: Ledger, serial_number: SerialNumber) -> CertificateRecord:
    record = ledger.certificate(serial_number)
    if record is None:
        raise NotAcceptable(
            Problem("certificate.unknown", f"certificate {serial_number}", "not in the ledger", "one that was issued here", "",
                    "smki list shows what was issued.")
        )  # fmt: skip
    return record


def _not_pending(record: CertificateRecord, status: CertificateStatus) -> Problem:
    seen = f"a {record.kind.title}, {status.label}"
    return Problem("certificate.not-pending", f"certificate {record.serial_number}", seen,
                   "an Organisation Certificate that is pending", "SEC L11.5")  # fmt: skip
