"""Makes a certificate and stores it with its application, inside the transaction of a command."""

from __future__ import annotations

from datetime import datetime

from smki.authority.certification_authority import SigningKey
from smki.authority.issuance import Subject
from smki.ledger import CertificateRecord, Conflict, NewApplication
from smki.problem import IntegrityError, Problem
from smki.profile import IssuerFacts
from smki.profile.forms import CertificateProfile
from smki.registration.command import Context
from smki.sec.role import CertificateStatus

MAX_SERIAL_ATTEMPTS = 64
"""Maximum number of serial numbers drawn for one certificate. The first random number is practically always free."""


def store_certificate(
    context: Context,
    profile: CertificateProfile,
    subject: Subject,
    issuer: IssuerFacts,
    key: SigningKey,
    application: NewApplication,
    *,
    status: CertificateStatus = CertificateStatus.IN_USE,
    deemed_accepted: datetime | None = None,
) -> CertificateRecord:
    """Make a certificate, write it with its application, and return its record.

    :param status: the initial status.
    :param deemed_accepted: when the certificate is deemed accepted; None if it needs no acceptance.
    :raises NotConformant: if it would break its profile; nothing is written then.
    """
    transaction, now = context.transaction, context.now
    above = transaction.numbers_above()
    for attempt in range(MAX_SERIAL_ATTEMPTS):
        serial_number = context.issuance.serial_number(subject, attempt, above)
        certificate = context.issuance.make(profile, subject, issuer, key, serial_number, now)
        try:
            application_id = transaction.add_application(application, serial_number=serial_number)
        except Conflict:
            continue
        record = transaction.add_certificate(
            CertificateRecord(
                serial_number=certificate.serial_number,
                kind=certificate.kind,
                entity_identifier=certificate.entity_identifier,
                role=certificate.role,
                usage=None if certificate.is_authority else certificate.usage,
                not_before=certificate.not_before,
                not_after=certificate.not_after,
                stored_status=status,
                status_since=now,
                deemed_accepted=deemed_accepted,
                issued=now,
                issuer_serial_number=issuer.certificate.serial_number if issuer.certificate else None,
                application_id=application_id,
                der=certificate.der,
                top_up=application.top_up,
            )
        )
        if not record.kind.is_authority:
            transaction.replace_older(record.id, deemed_accepted or now)
        return record
    raise IntegrityError(
        Problem(
            code="serial-number.exhausted",
            subject="serial number",
            seen=f"{MAX_SERIAL_ATTEMPTS} drawn, all taken",
            expected="a free one",
        )
    )
