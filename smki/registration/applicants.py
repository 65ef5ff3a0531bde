"""Who applies: the Party, participant and officer that an application names, or those whose business it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from smki.eligibility import Applicant, DeviceQuestion, decide
from smki.identity import EntityIdentifier, PartyId
from smki.ledger import Register
from smki.problem import Malformed, NotFound, Problem
from smki.registration.application import Application
from smki.sec.device import Device, DeviceType, Fuel
from smki.sec.party import NonParty, Party, PartyCategory, TestingParticipant
from smki.sec.role import CertificateKind


def named_applicant(register: Register, application: Application) -> Applicant | None:
    """The applicant that the application names; None where it names none.

    An id that is not registered makes a NonParty: whether that may apply is for the provisions to say.

    :raises NotFound: when it applies on behalf of a Party that is not registered.
    """
    if not application.applicant:
        return None
    who = _registered(register, application.applicant) or NonParty(application.applicant)
    user = _user(register, application.on_behalf_of) if application.on_behalf_of else None
    return Applicant(who, application.officer or _first_officer(who, application.kind), user)


def _user(register: Register, name: str) -> Party:
    user = register.known_registrant(PartyId.parse(name))
    if isinstance(user, Party):
        return user
    seen = f"{user.name}, a Testing Participant"
    raise NotFound(Problem("acting-for.not-a-party", "on behalf of", seen, "a User", "SEC G5.29"))


def owner_as_applicant(register: Register, entity: EntityIdentifier, application: Application) -> Applicant | None:
    """The Party that an Entity Identifier belongs to; None where it belongs to none."""
    owner = register.owner(entity)
    if owner is None:
        return None
    return Applicant(owner, application.officer or _first_officer(owner, application.kind))


def first_eligible(register: Register, device: Device, day: date, application: Application) -> Applicant:
    """Who applies for a Device where nobody is named: the first of those below that may.

    Its responsible Parties; then Testing Participants, who make Devices; then Parties in the order in which they
    were registered. Where none may, the first of them all, so that the refusal tells why.

    :raises NotFound: when nobody is registered at all.
    """
    first = None
    for who in _candidates(register, device):
        applicant = Applicant(who, application.officer or _first_officer(who, CertificateKind.DEVICE))
        first = first or applicant
        if decide(DeviceQuestion(applicant, device, day)).eligible:
            return applicant
    if first is None:
        raise NotFound(Problem("party.none-registered", "applicant", "nobody is registered", "a Party", "SEC L3"))
    return first


def _candidates(register: Register, device: Device) -> Iterator[Party | TestingParticipant]:
    for fuel in Fuel:
        responsible = device.responsible_for(fuel)
        found = register.registrant(responsible) if responsible else None
        if found is not None:
            yield found
    registrants = register.registrants()
    if device.device_type in (DeviceType.CHF, DeviceType.GPF):
        registrants.sort(key=lambda who: not (isinstance(who, Party) and who.category is PartyCategory.DCC))
    else:
        registrants.sort(key=lambda who: not isinstance(who, TestingParticipant))
    yield from registrants


def _registered(register: Register, name: str) -> Party | TestingParticipant | None:
    try:
        return register.registrant(PartyId.parse(name))
    except Malformed:
        return None


def _first_officer(who: Party | TestingParticipant | NonParty, kind: CertificateKind) -> str:
    officers = () if isinstance(who, NonParty) else who.officers
    for officer in officers:
        if kind in officer.kinds:
            return officer.name
    return officers[0].name if officers else ""
