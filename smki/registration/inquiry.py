"""Asks the provisions for a decision, with everything that the ledger knows; used by applications and by inquiries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from smki.clock import Clock, TravellingClock
from smki.eligibility import (
    DEVICE_THRESHOLD,
    Applicant,
    AuthorityQuestion,
    Decision,
    DeviceQuestion,
    Listing,
    OrganisationQuestion,
    Participation,
    decide,
)
from smki.identity import EntityIdentifier
from smki.ledger import Reader
from smki.ledger.contract import LedgerUnavailable
from smki.ledger.settings import SettingValues
from smki.problem import IntegrityError, Problem, SmkiError
from smki.registration.actor import Actor
from smki.registration.applicants import RegisterView, named_applicant
from smki.registration.facts import Facts
from smki.registration.history import RegisterOn, register_on, settings_on
from smki.registration.participation import participation_of, uses_of_another
from smki.registration.who_and_what import CannotBeJudged, NewDevice, Supposing, find_applicant
from smki.sec.device import Device, DeviceType
from smki.sec.party import NonParty, Party, PartyCategory, is_the_dcc
from smki.sec.registry_fields import Registrant
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCounts:
    """Numbers of certificates that were read once, for many questions."""

    participation: Callable[[Registrant], Participation]
    """What is known about the tests of a subscriber."""
    of_device: int = 0
    threshold: int = DEVICE_THRESHOLD


def decide_on(
    reader: Facts,
    applicant: Applicant,
    device: Device | None,
    role: RemotePartyRole | None,
    usage: KeyUsage,
    entity: EntityIdentifier,
    day: date,
    public_key_info: bytes | None = None,
    known: KnownCounts | None = None,
    to_be_added: Listing | None = None,
    settings: SettingValues | None = None,
) -> Decision:
    """Return the decision, according to the current state of the ledger.

    :param device: the Device, for a Device Certificate.
    :param role: the role, for an Organisation Certificate.
    :param public_key_info: SubjectPublicKeyInfo (DER) of the request; None for an inquiry without a request.
    :param known: what need not be read again.
    :param to_be_added: for a Device that is not in the inventory, what is known of its model; None not to judge who may add it.
    :param settings: those of an earlier day; today's by default.
    """
    subscriber = applicant.subscriber
    is_certified = public_key_info is not None and reader.is_certified(public_key_info)
    participation = Participation()
    if not isinstance(subscriber, NonParty):
        participation = known.participation(subscriber) if known else participation_of(reader, subscriber, settings)
    if device is not None and known is not None:
        return decide(
            DeviceQuestion(
                applicant,
                device,
                day,
                known.of_device,
                known.threshold,
                False,
                participation,
                is_certified,
                to_be_added,
            )
        )
    if device is not None:
        limit = reader.register.threshold(device.device_id) or DEVICE_THRESHOLD
        issued = reader.certificates_for_device(device.device_id)
        return decide(
            DeviceQuestion(applicant, device, day, issued, limit, False, participation, is_certified, to_be_added)
        )
    if role is None:
        raise ValueError("an Organisation Certificate is asked for in a role")
    acts_for_dcc = uses_of_another(subscriber, entity) and is_the_dcc(reader.register.owner(entity))
    before = reader.roles_certified(entity) if acts_for_dcc or is_the_dcc(subscriber) else frozenset()
    return decide(
        OrganisationQuestion(
            applicant, role, usage, entity, day, participation, is_certified, before, is_the_dccs=acts_for_dcc
        )
    )


class Inquiry:
    """Answers who may subscribe for what, without applying.

    The answer for a day in the past is based on the register as it was recorded on that day, as far as the ledger has its
    history (:mod:`smki.registration.history`); numbers of certificates are always today's.
    """

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    def organisation(
        self,
        entity: EntityIdentifier,
        role: RemotePartyRole,
        usage: KeyUsage,
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        as_of: date | None = None,
    ) -> Decision:
        """Return whether an applicant may subscribe for an Organisation Certificate on a day (today by default).

        :param applicant: the id of the Party; by default the one that owns the Entity Identifier.
        :raises CannotBeJudged: if there is no such Party.
        """
        register, day = self.register_of(as_of)
        actor = _actor(applicant, officer, on_behalf_of)
        who = find_applicant(
            self._reader, actor, CertificateKind.ORGANISATION, entity, NewDevice(), day, register
        ).applicant
        settings = settings_on(self._reader, register)
        decision = decide_on(self._reader, who, None, role, usage, entity, day, settings=settings)
        return _with_records(decision, register, who)

    def device(
        self,
        entity: EntityIdentifier,
        device_type: DeviceType | None = None,
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        as_of: date | None = None,
        supposing: Supposing | None = None,
        model: str = "",
        under_test: bool = False,
    ) -> Decision:
        """Return whether an applicant may subscribe for a Device Certificate on a day (today by default).

        If the Device is not in the inventory, this includes whether the applicant may add it.

        :param model: the product identifier of a Device that is not in the inventory.
        :param under_test: whether such a Device is a Device under test of the applicant.
        :param applicant: the id of the Party or Testing Participant; by default the first that is eligible.
        :param supposing: what to suppose of the Device in place of what the inventory says.
        :raises CannotBeJudged: if there is no such Party, the Device is not in the inventory and no type is given, or it
            cannot be as supposed.
        """
        register, day = self.register_of(as_of)
        actor = _actor(applicant, officer, on_behalf_of)
        new, usage = NewDevice(device_type, model, under_test), KeyUsage.DIGITAL_SIGNATURE
        found = find_applicant(self._reader, actor, CertificateKind.DEVICE, entity, new, day, register, supposing)
        who, device, to_be_added = found
        settings = settings_on(self._reader, register)
        decision = decide_on(
            self._reader, who, device, None, usage, entity, day, to_be_added=to_be_added, settings=settings
        )
        return _with_records(decision, register, who, device)

    def authority(
        self,
        kind: CertificateKind,
        *,
        applicant: str = "",
        officer: str = "",
        on_behalf_of: str = "",
        as_of: date | None = None,
    ) -> Decision:
        """Return whether an applicant may subscribe for the certificate of an authority on a day (today by default).

        :param applicant: the id of the Party or Testing Participant; by default the DCC's.
        :raises CannotBeJudged: if there is no such Party.
        :raises ValueError: if *kind* is not that of an authority.
        """
        register, day = self.register_of(as_of)
        try:
            who = named_applicant(register, _actor(applicant or _dcc(register), officer, on_behalf_of), kind)
        except (IntegrityError, LedgerUnavailable):
            raise
        except SmkiError as error:
            raise CannotBeJudged(*error.problems) from error
        if who is None:
            raise CannotBeJudged(_no_dcc())
        return _with_records(decide(AuthorityQuestion(who, kind, day)), register, who)

    def register_of(self, as_of: date | None) -> tuple[RegisterView, date]:
        """Return the register for a question about a day (today by default), and the day."""
        clock = self._clock
        day = as_of or clock.now().date()
        # A request that only reads can set its own time, which is not the present then.
        present = clock.base if isinstance(clock, TravellingClock) and not clock.may_write else clock
        return register_on(self._reader, day, present.now().date()), day


def _with_records(
    decision: Decision, register: RegisterView, applicant: Applicant, device: Device | None = None
) -> Decision:
    if isinstance(register, RegisterOn):
        return replace(decision, records=register.used_for(applicant, device))
    return decision


def _actor(applicant: str, officer: str, on_behalf_of: str) -> Actor:
    return Actor(interface="question", party=applicant, officer=officer, on_behalf_of=on_behalf_of)


def _dcc(register: RegisterView) -> str:
    found = (who for who in register.registrants() if isinstance(who, Party) and who.category is PartyCategory.DCC)
    return next((str(who.party_id) for who in found), "")


def _no_dcc() -> Problem:
    return Problem(code="party.none-registered", subject="applicant", seen="no DCC is registered", expected="a Party")
