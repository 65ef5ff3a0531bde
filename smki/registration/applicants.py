"""Finds the applicant: the Party, participant and officer that an application names, or the default ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Protocol

from smki.eligibility import Applicant, DeviceQuestion, Listing, Participation, decide
from smki.eligibility.inventory import as_added_by
from smki.eligibility.tables import IN_SERVICE
from smki.identity import EntityIdentifier, PartyId
from smki.problem import Malformed, NotFound, Problem
from smki.registration.actor import Actor
from smki.sec.device import Device, DeviceType, Fuel
from smki.sec.party import NonParty, Party, PartyCategory, TestingParticipant
from smki.sec.registry_fields import Registrant
from smki.sec.role import CertificateKind


class RegisterView(Protocol):
    """The part of the register that a decision depends on: today's, or that of an earlier day."""

    def registrant(self, party: PartyId) -> Registrant | None:
        """The Party or Testing Participant with that id, or None."""

    def registrants(self) -> list[Registrant]:
        """Every Party and Testing Participant, in the order in which they were added."""

    def owner(self, identifier: EntityIdentifier) -> Registrant | None:
        """The Party or Testing Participant to which an Entity Identifier belongs, or None."""

    def device(self, device_id: EntityIdentifier) -> Device | None:
        """The Device with that id, or None."""


def named_applicant(register: RegisterView, actor: Actor, kind: CertificateKind) -> Applicant | None:
    """Return the applicant that the actor names, or None if it names none.

    An id that is not registered gives a NonParty; the provisions decide whether that may apply.

    :raises NotFound: if the application is made on behalf of a Party that is not registered.
    """
    if not actor.party:
        return None
    who = _registered(register, actor.party) or NonParty(actor.party)
    user = named_user(register, actor.on_behalf_of) if actor.on_behalf_of else None
    return Applicant(who, actor.officer or first_officer(who, kind), user)


def named_user(register: RegisterView, name: str) -> Party:
    """Return the Party on whose behalf somebody applies.

    :raises NotFound: if it is not registered, or no Party.
    :raises Malformed: if the name is not the id of a Party.
    """
    user = register.registrant(PartyId.parse(name))
    if isinstance(user, Party):
        return user
    seen = f"{user.name}, a Testing Participant" if user else f"{name}, which is not registered"
    raise NotFound(
        Problem(
            code="acting-for.not-a-party",
            subject="on behalf of",
            seen=seen,
            expected="a User",
            remedy="party.name-user",
        )
    )


def owner_as_applicant(
    register: RegisterView, entity: EntityIdentifier, actor: Actor, kind: CertificateKind
) -> Applicant | None:
    """Return the Party or Testing Participant that an Entity Identifier belongs to, or None."""
    owner = register.owner(entity)
    if owner is None:
        return None
    return Applicant(owner, actor.officer or first_officer(owner, kind))


def first_eligible(
    register: RegisterView,
    device: Device,
    day: date,
    actor: Actor,
    participation: Callable[[Registrant], Participation],
    to_be_added: Listing | None = None,
    under_test: bool = False,
) -> Applicant:
    """Return who applies for a Device if nobody is named: the first eligible of the candidates.

    The candidates are its responsible Parties, then the Testing Participants, who make Devices, then all Parties in the
    order in which they were registered; for a Device in service, Parties come first. If none is eligible, the first
    candidate is returned, so that the refusal says why.

    :param participation: returns what is known about the tests of a candidate, such as whether its quota is used up.
    :param to_be_added: for a Device that is not in the inventory, what is known of its model.
    :param under_test: whether it is then added as a Device under test of the applicant.
    :raises NotFound: if nobody is registered.
    """
    first = None
    for who in _candidates(register, device):
        applicant = Applicant(who, actor.officer or first_officer(who, CertificateKind.DEVICE))
        first = first or applicant
        added = device if to_be_added is None else as_added_by(device, who, under_test)
        question = DeviceQuestion(applicant, added, day, participation=participation(who), to_be_added=to_be_added)
        if decide(question).eligible:
            return applicant
    if first is None:
        raise NotFound(
            Problem(code="party.none-registered", subject="applicant", seen="nobody is registered", expected="a Party")
        )
    return first


def _candidates(register: RegisterView, device: Device) -> Iterator[Party | TestingParticipant]:
    for fuel in Fuel:
        responsible = device.responsible_for(fuel)
        found = register.registrant(responsible) if responsible else None
        if found is not None:
            yield found
    registrants = register.registrants()
    if device.device_type in (DeviceType.CHF, DeviceType.GPF):
        registrants.sort(key=lambda who: not (isinstance(who, Party) and who.category is PartyCategory.DCC))
    else:
        in_service = device.lasting_status in IN_SERVICE
        registrants.sort(key=lambda who: isinstance(who, TestingParticipant) is in_service)
    yield from registrants


def _registered(register: RegisterView, name: str) -> Party | TestingParticipant | None:
    try:
        return register.registrant(PartyId.parse(name))
    except Malformed:
        return None


def first_officer(who: Party | TestingParticipant | NonParty, kind: CertificateKind) -> str:
    """Return the name of the first officer who acts for a kind of certificate, or else of the first officer."""
    officers = () if isinstance(who, NonParty) else who.officers
    for officer in officers:
        if kind in officer.kinds:
            return officer.name
    return officers[0].name if officers else ""
