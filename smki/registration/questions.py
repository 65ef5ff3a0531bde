"""Questions about eligibility: about one certificate, who may have it, and what somebody may have."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from smki.clock import Clock, TravellingClock
from smki.eligibility import Applicant, AuthorityQuestion, Decision, decide
from smki.eligibility.answers import WhatMay, WhoMay
from smki.identity import EntityIdentifier, PartyId
from smki.ledger import Reader
from smki.problem import Problem, SmkiError
from smki.registration.actor import Actor
from smki.registration.applicants import RegisterView, named_applicant, named_user
from smki.registration.entitlement import wanted_certificate, what_may, who_may
from smki.registration.history import RegisterOn, register_on
from smki.registration.inquiry import CannotBeJudged, Supposing, decide_on, find_applicant
from smki.sec.device import Device, DeviceType, SmetsVersion
from smki.sec.party import Party, PartyCategory
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole


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
        register, day = self._register(as_of)
        actor = _actor(applicant, officer, on_behalf_of)
        who, _ = find_applicant(register, actor, CertificateKind.ORGANISATION, entity, None, day)
        return _with_records(decide_on(self._reader, who, None, role, usage, entity, day), register, who)

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
    ) -> Decision:
        """Return whether an applicant may subscribe for a Device Certificate on a day (today by default).

        :param applicant: the id of the Party or Testing Participant; by default the first that is eligible.
        :param supposing: what to suppose of the Device in place of what the inventory says.
        :raises CannotBeJudged: if there is no such Party, the Device is not in the inventory and no type is given, or it
            cannot be as supposed.
        """
        register, day = self._register(as_of)
        actor = _actor(applicant, officer, on_behalf_of)
        who, device = find_applicant(register, actor, CertificateKind.DEVICE, entity, device_type, day, supposing)
        decision = decide_on(self._reader, who, device, None, KeyUsage.DIGITAL_SIGNATURE, entity, day)
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
        register, day = self._register(as_of)
        try:
            who = named_applicant(register, _actor(applicant or _dcc(register), officer, on_behalf_of), kind)
        except SmkiError as error:
            raise CannotBeJudged(*error.problems) from error
        if who is None:
            raise CannotBeJudged(_no_dcc())
        return _with_records(decide(AuthorityQuestion(who, kind, day)), register, who)

    def who(
        self,
        *,
        role: RemotePartyRole | None = None,
        usage: KeyUsage | None = None,
        device_type: DeviceType | None = None,
        device: EntityIdentifier | None = None,
        authority: CertificateKind | None = None,
        supposing: Supposing | None = None,
        as_of: date | None = None,
    ) -> WhoMay:
        """Return who may have a certificate on a day (today by default).

        The parameters are those of :func:`wanted_certificate`.

        :raises Malformed: if they contradict each other.
        :raises CannotBeJudged: if the Device is not in the inventory and has no type, or another one.
        """
        register, day = self._register(as_of)
        wanted = wanted_certificate(
            register,
            role=role,
            usage=usage,
            device_type=device_type,
            device=device,
            authority=authority,
            supposing=supposing,
        )
        return who_may(self._reader, register, wanted, day)

    def what(
        self,
        party: str,
        *,
        on_behalf_of: str = "",
        smets_version: SmetsVersion = SmetsVersion.SMETS2,
        as_of: date | None = None,
    ) -> WhatMay:
        """Return what a Party or Testing Participant may have on a day (today by default).

        :param party: its id.
        :param on_behalf_of: the id of the User on whose behalf it applies, as a Shared Resource.
        :raises CannotBeJudged: if one of them is not registered.
        """
        register, day = self._register(as_of)
        try:
            who = register.registrant(PartyId.parse(party))
            user = named_user(register, on_behalf_of) if on_behalf_of else None
        except SmkiError as error:
            raise CannotBeJudged(*error.problems) from error
        if who is None:
            expected = "a Party or Testing Participant that was added"
            problem = Problem(code="party.unknown", subject=f"Party {party}", seen="not registered", expected=expected)
            raise CannotBeJudged(problem)
        return what_may(self._reader, register, who, user, smets_version, day)

    def _register(self, as_of: date | None) -> tuple[RegisterView, date]:
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
