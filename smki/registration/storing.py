"""Makes certificates that were granted, inside the transaction of a command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from smki.authority.batch_work import PIECE, Made, make_in_workers
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


class CertificatesInTheMaking:
    """The certificates of a batch. Workers make them while the rest of the batch is decided; nothing is written.

    :param context: that of the command.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._taken: set[SerialNumber] = set()
        self._waiting: list[Grant] = []
        self._begun: list[tuple[Sequence[CertificateOrder], Sequence[Grant], Callable[[], Sequence[Made]]]] = []

    def add(self, grant: Grant) -> None:
        """Have a certificate made."""
        self._waiting.append(grant)
        if len(self._waiting) == PIECE:
            self._begin()

    def results(self) -> Iterator[DecidedApplication | NotConformant]:
        """Return what is to be recorded of each certificate, in their order, or why it would break its profile.

        :raises IntegrityError: if no serial number is free.
        """
        self._begin()
        for orders, grants, result in self._begun:
            for order, grant, made in zip(orders, grants, result(), strict=True):
                yield made if isinstance(made, NotConformant) else self._decided(order, grant, made)

    def _begin(self) -> None:
        grants, self._waiting = self._waiting, []
        if not grants:
            return
        orders = [
            CertificateOrder(grant.kind, grant.role, grant.subject, grant.issuer, grant.key, number)
            for grant, number in zip(grants, self._serial_numbers(grants), strict=True)
        ]
        maker, now, workers = self._context.issuance.maker, self._context.now, self._context.workers
        if workers is not None:
            self._begun.append((orders, grants, make_in_workers(workers, maker.policy_oid, orders, now)))
        else:
            made = [maker.make_or_say_why_not(order, now) for order in orders]
            self._begun.append((orders, grants, lambda: made))

    def _decided(self, order: CertificateOrder, grant: Grant, made: MadeCertificate) -> DecidedApplication:
        context, above = self._context, grant.issuer.certificate
        record = CertificateRecord(
            serial_number=order.serial_number,
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
            issuer_serial_number=above.serial_number if above else None,
            application_id=0,
            der=made.der,
            top_up=grant.application.top_up,
        )
        return DecidedApplication(
            application=grant.application,
            event=grant.happened.event(context.actor, context.now),
            certificate=record,
            public_key_info=grant.subject.public_key_info,
            device=grant.device,
        )

    def _serial_numbers(self, grants: Sequence[Grant]) -> list[SerialNumber]:
        """Draw a serial number for each certificate: one that was never used, nor for another one of the batch."""
        context, taken = self._context, self._taken
        above = context.transaction.numbers_above()
        drawn = [context.issuance.serial_number(grant.subject, 0, above) for grant in grants]
        taken |= context.transaction.sets.used_serial_numbers(drawn)
        for index, number in enumerate(drawn):
            attempt = 0
            while number in taken:
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
                taken |= context.transaction.sets.used_serial_numbers([number])
            taken.add(number)
            drawn[index] = number
        return drawn
