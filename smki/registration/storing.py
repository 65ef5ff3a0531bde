"""Makes certificates that were granted, inside the transaction of a command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from smki.authority.batch_work import make_in_workers
from smki.authority.certification_authority import SigningKey
from smki.authority.issuance import CertificateOrder, MadeCertificate, Subject
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger import CertificateRecord, DecidedApplication, NewApplication
from smki.problem import IntegrityError, Problem
from smki.profile import IssuerFacts
from smki.profile.clearance import NotConformant
from smki.registration.command import Context, Happened
from smki.sec.device import Device
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

MAX_SERIAL_ATTEMPTS = 64
"""Maximum number of serial numbers drawn for one certificate. The first random number is practically always free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A certificate to be made, with the application for which it is granted."""

    application: NewApplication
    happened: Happened
    kind: CertificateKind
    role: RemotePartyRole | None
    usage: KeyUsage | None = None
    """None for an authority."""
    entity_identifier: EntityIdentifier | None = None
    """None for an authority."""
    subject: Subject
    issuer: IssuerFacts
    key: SigningKey
    status: CertificateStatus = CertificateStatus.IN_USE
    """The initial status."""
    deemed_accepted: datetime | None = None
    """When the certificate is deemed accepted; None if it needs no acceptance."""
    device: Device | None = None
    """The Device that the application adds to the inventory."""


def make_certificates(context: Context, grants: Sequence[Grant]) -> list[DecidedApplication | NotConformant]:
    """Make certificates, and return what is to be recorded of each, or why it would break its profile. Nothing is
    written.

    :raises IntegrityError: if no serial number is free.
    """
    numbers = _serial_numbers(context, grants)
    orders = [
        CertificateOrder(grant.kind, grant.role, grant.subject, grant.issuer, grant.key, number)
        for grant, number in zip(grants, numbers, strict=True)
    ]
    decided: list[DecidedApplication | NotConformant] = []
    for grant, number, made in zip(grants, numbers, _made(context, orders), strict=True):
        if isinstance(made, NotConformant):
            decided.append(made)
            continue
        record = CertificateRecord(
            serial_number=number,
            kind=grant.kind,
            entity_identifier=grant.entity_identifier,
            role=grant.role,
            usage=grant.usage,
            not_before=made.not_before,
            not_after=made.not_after,
            stored_status=grant.status,
            status_since=context.now,
            deemed_accepted=grant.deemed_accepted,
            issued=context.now,
            issuer_serial_number=grant.issuer.certificate.serial_number if grant.issuer.certificate else None,
            application_id=0,
            der=made.der,
            top_up=grant.application.top_up,
        )
        decided.append(
            DecidedApplication(
                application=grant.application,
                event=grant.happened.event(context.actor, context.now),
                certificate=record,
                public_key_info=grant.subject.public_key_info,
                device=grant.device,
            )
        )
    return decided


def _made(context: Context, orders: Sequence[CertificateOrder]) -> Iterable[MadeCertificate | NotConformant]:
    maker, now = context.issuance.maker, context.now
    if context.workers is not None:
        return make_in_workers(context.workers, maker.policy_oid, orders, now)
    return [maker.make_or_say_why_not(order, now) for order in orders]


def _serial_numbers(context: Context, grants: Sequence[Grant]) -> list[SerialNumber]:
    """Draw a serial number for each certificate: one that was never used, nor for another one of these."""
    above = context.transaction.numbers_above()
    drawn = [context.issuance.serial_number(grant.subject, 0, above) for grant in grants]
    used = set(context.transaction.sets.used_serial_numbers(drawn))
    for index, number in enumerate(drawn):
        attempt = 0
        while number in used:
            attempt += 1
            if attempt == MAX_SERIAL_ATTEMPTS:
                raise IntegrityError(
                    Problem(
                        code="serial-number.exhausted",
                        subject="serial number",
                        seen=f"{MAX_SERIAL_ATTEMPTS} drawn, all taken",
                        expected="a free one",
                    )
                )
            number = context.issuance.serial_number(grants[index].subject, attempt, above)
            used |= context.transaction.sets.used_serial_numbers([number])
        used.add(number)
        drawn[index] = number
    return drawn
