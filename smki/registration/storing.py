"""Makes the certificates of a batch of decisions, and records both, inside the transaction of a command."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from smki.authority.batch_work import PIECE, BatchWork, Made, make_here, make_in_workers
from smki.authority.certification_authority import SigningKey
from smki.authority.issuance import CertificateOrder, Subject
from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger import CertificateRecord, DecidedApplication, NewApplication, NewCertificate, NewEvent
from smki.ledger.decisions import PreparedDecision, SealedDecision
from smki.problem import IntegrityError, Problem
from smki.profile import IssuerFacts
from smki.profile.build import validity_from
from smki.profile.clearance import NotConformant
from smki.profile.tables import profile_of
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


@dataclass(frozen=True, slots=True)
class Denial:
    """An application that is refused."""

    application: NewApplication
    happened: Happened
    problems: tuple[Problem, ...]


class RecordedDecision(NamedTuple):
    """A decision that was recorded."""

    application_id: int
    event_id: int
    event: NewEvent
    certificate: CertificateRecord | None
    """None if the application was refused."""


class _Begun(NamedTuple):
    """A decision that is prepared, and whose certificate is being made."""

    decided: DecidedApplication
    prepared: PreparedDecision


class DecisionsInTheMaking:
    """The decisions of a batch, in order. Workers make the certificates while the rest of the batch is decided.

    :param context: that of the command.
    :param entities: the Entity Identifiers of the certificates.
    """

    def __init__(self, context: Context, entities: Collection[EntityIdentifier] = ()) -> None:
        self._context = context
        self._recorder = context.transaction.decisions(entities)
        self._taken: set[SerialNumber] = set()
        self._waiting: list[Grant | Denial] = []
        self._begun: list[tuple[Sequence[_Begun], Callable[[], Sequence[Made]]]] = []

    def add(self, decision: Grant | Denial) -> None:
        """Add a decision; if it is favourable, have the certificate made."""
        self._waiting.append(decision)
        if len(self._waiting) == PIECE:
            self._begin()

    def failure(self) -> NotConformant | None:
        """Wait for the certificates, and return why one of them would break its profile; None if none does."""
        self._begin()
        made = (each for _, result in self._begun for each in result())
        return next((each for each in made if isinstance(each, NotConformant)), None)

    def record(self) -> list[RecordedDecision]:
        """Write all of them.

        :raises NotConformant: if a certificate would break its profile; nothing is written then.
        """
        self._begin()
        sealed: list[SealedDecision] = []
        recorded = []
        for begun, result in self._begun:
            for (decided, prepared), made in zip(begun, result(), strict=True):
                if isinstance(made, NotConformant):
                    raise made
                sealed.append(made.sealed)
                record = decided.certificate.record(prepared, made.der) if decided.certificate is not None else None
                recorded.append(RecordedDecision(prepared.application_id, prepared.event_id, decided.event, record))
        self._recorder.record(sealed)
        return recorded

    def _begin(self) -> None:
        """Give the waiting decisions their numbers, and begin to make the certificates."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        context = self._context
        numbers = iter(self._serial_numbers([each for each in waiting if isinstance(each, Grant)]))
        begun: list[_Begun] = []
        orders: list[CertificateOrder | None] = []
        for each in waiting:
            if isinstance(each, Grant):
                number = next(numbers)
                decided = self._granted(each, number)
                orders.append(CertificateOrder(each.kind, each.role, each.subject, each.issuer, each.key, number))
            else:
                event = each.happened.event(context.actor, context.now)
                decided = DecidedApplication(application=each.application, event=event, reasons=each.problems)
                orders.append(None)
            begun.append(_Begun(decided, self._recorder.prepare(decided)))
        work = BatchWork(orders, [each.prepared for each in begun], self._recorder.seal, context.now)
        maker = context.issuance.maker
        if context.workers is not None:
            self._begun.append((begun, make_in_workers(context.workers, maker.policy_oid, work)))
        else:
            made = make_here(maker, work)
            self._begun.append((begun, lambda: made))

    def _granted(self, grant: Grant, number: SerialNumber) -> DecidedApplication:
        context, above = self._context, grant.issuer.certificate
        not_before, not_after = validity_from(context.now, profile_of(grant.kind, grant.role).validity.form)
        certificate = NewCertificate(
            serial_number=number,
            kind=grant.kind,
            entity_identifier=grant.entity_identifier,
            role=grant.role,
            usage=grant.usage,
            public_key_info=grant.subject.public_key_info,
            not_before=not_before,
            not_after=not_after,
            issued=context.now,
            status=grant.status,
            deemed_accepted=grant.deemed_accepted,
            issuer_serial_number=above.serial_number if above else None,
            top_up=grant.application.top_up,
        )
        return DecidedApplication(
            application=grant.application,
            event=grant.happened.event(context.actor, context.now),
            certificate=certificate,
            device=grant.device,
        )

    def _serial_numbers(self, grants: Sequence[Grant]) -> list[SerialNumber]:
        """Draw a serial number for each certificate: one that was never used, nor for another one of the batch."""
        context, taken = self._context, self._taken
        above = context.transaction.numbers_above()
        drawn = context.issuance.serial_numbers([grant.subject for grant in grants], 0, above)
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
                (number,) = context.issuance.serial_numbers([grants[index].subject], attempt, above)
                taken |= context.transaction.sets.used_serial_numbers([number])
            taken.add(number)
            drawn[index] = number
        return drawn
