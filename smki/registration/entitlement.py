"""Who may have a certificate, and what a Party may have: many decisions at once, over records that are read once.

Each answer is made of the same decisions as those of :class:`~smki.registration.inquiry.Inquiry`, one for each applicant
and certificate. What is refused is grouped by the decisive reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from smki.eligibility import DEVICE_THRESHOLD, Applicant, AuthorityQuestion, Decision, decide
from smki.eligibility.answers import NO_IDENTIFIER, Entitled, Possible, RefusedFor, Wanted, WhatMay, WhoMay
from smki.eligibility.inventory import as_added_by
from smki.identity import EntityIdentifier
from smki.ledger import Reader
from smki.problem import Malformed, Problem
from smki.registration.applicants import RegisterView, first_officer
from smki.registration.history import RegisterOn, settings_on
from smki.registration.inquiry import KnownCounts, decide_on
from smki.registration.participation import participations
from smki.registration.who_and_what import Supposing, find_device
from smki.sec.device import Device, DeviceType, SmetsVersion, SmiStatus
from smki.sec.party import NonParty, Party, TestingParticipant
from smki.sec.registry_fields import Registrant, registrant_id
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

T = TypeVar("T")

END_ENTITY_USAGES = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)
AUTHORITY_KINDS = tuple(kind for kind in CertificateKind if kind.is_authority)


def wanted_certificate(
    register: RegisterView,
    *,
    role: RemotePartyRole | None = None,
    usage: KeyUsage | None = None,
    device_type: DeviceType | None = None,
    device: EntityIdentifier | None = None,
    authority: CertificateKind | None = None,
    supposing: Supposing | None = None,
) -> Wanted:
    """Return the certificate that a question names: by a role, a Device or the kind of an authority.

    :param usage: with a role; digitalSignature by default.
    :param device_type: a type of Device; a Device of that type that is pending, unless something else is supposed.
    :param device: the ID of a Device, which needs a type only if it is not in the inventory.
    :raises Malformed: if none or several are named, or the question supposes what does not belong to it.
    :raises CannotBeJudged: if the Device is not in the inventory and has no type, or another one.
    """
    supposes = supposing is not None and supposing != Supposing()
    named = [role is not None, device_type is not None or device is not None, authority is not None]
    if sum(named) != 1:
        seen = "no certificate named" if not any(named) else "several certificates named"
        raise Malformed(_contradiction(seen, "one of: a role, a Device or Device type, the kind of an authority"))
    if (usage is not None and role is None) or (supposes and device_type is None and device is None):
        expected = "a key usage with a role only; a status and a SMETS version with a Device only"
        raise Malformed(_contradiction("more than belongs to the question", expected))
    if role is not None:
        return Wanted(kind=CertificateKind.ORGANISATION, role=role, usage=usage or KeyUsage.DIGITAL_SIGNATURE)
    if authority is not None:
        return Wanted(kind=authority)
    if device is None and device_type is not None:
        found = Device(NO_IDENTIFIER, device_type)
    else:
        found = find_device(register, device or NO_IDENTIFIER, device_type)
    return Wanted(kind=CertificateKind.DEVICE, device=supposing.of(found) if supposing else found)


def who_may(reader: Reader, register: RegisterView, wanted: Wanted, day: date) -> WhoMay:
    """Return who may have a certificate on a day.

    :param register: the register as it was on that day.
    """
    known = _known(reader, register, wanted.device)
    eligible: list[Entitled] = []
    refused: list[tuple[Decision, Entitled]] = []
    for applicant in _everybody(register, wanted.kind):
        identifiers, decision = _decide(reader, applicant, wanted, day, known)
        user = applicant.on_behalf_of
        who = Entitled(
            party=_id(applicant.who),
            name=applicant.who.name,
            is_party=isinstance(applicant.who, Party),
            on_behalf_of=registrant_id(user) if user else None,
            identifiers=identifiers,
            codes=_codes(decision),
        )
        if decision.eligible:
            eligible.append(who)
        else:
            refused.append((decision, who))
    records = register.used_for_all(wanted.device) if isinstance(register, RegisterOn) else ()
    return WhoMay(wanted=wanted, as_of=day, eligible=tuple(eligible), refused=_grouped(refused), records=records)


def what_may(
    reader: Reader, register: RegisterView, who: Registrant, user: Party | None, version: SmetsVersion, day: date
) -> WhatMay:
    """Return what somebody may have on a day.

    :param register: the register as it was on that day.
    :param user: the User on whose behalf a Shared Resource applies.
    :param version: the SMETS version of the Devices.
    """
    known = _known(reader, register, None)
    eligible: list[Possible] = []
    refused: list[tuple[Decision, Possible]] = []
    for wanted in _everything(version):
        applicant = Applicant(who, first_officer(who, wanted.kind), user)
        identifiers, decision = _decide(reader, applicant, wanted, day, known)
        possible = Possible(wanted=wanted, identifiers=identifiers, codes=_codes(decision))
        if decision.eligible:
            eligible.append(possible)
        else:
            refused.append((decision, possible))
    return WhatMay(
        party=registrant_id(who),
        name=who.name,
        on_behalf_of=registrant_id(user) if user else None,
        smets_version=version,
        as_of=day,
        eligible=tuple(eligible),
        refused=_grouped(refused),
        records=register.used_for(Applicant(who, "", user)) if isinstance(register, RegisterOn) else (),
    )


def _everybody(register: RegisterView, kind: CertificateKind) -> Iterator[Applicant]:
    for who in register.registrants():
        officer = first_officer(who, kind)
        yield Applicant(who, officer)
        for each in sorted(who.acts_for) if isinstance(who, Party) else ():
            user = register.registrant(each)
            if isinstance(user, Party):
                yield Applicant(who, officer, user)


def _everything(version: SmetsVersion) -> Iterator[Wanted]:
    for role in RemotePartyRole:
        for usage in END_ENTITY_USAGES:
            yield Wanted(kind=CertificateKind.ORGANISATION, role=role, usage=usage)
    for device_type in DeviceType:
        for status, returns_to in _STATUSES:
            device = Device(NO_IDENTIFIER, device_type, status, returns_to, version)
            yield Wanted(kind=CertificateKind.DEVICE, device=device)
    for kind in AUTHORITY_KINDS:
        yield Wanted(kind=kind)


_S = SmiStatus
_STATUSES = (
    *((status, None) for status in SmiStatus if status is not _S.SUSPENDED),
    *((_S.SUSPENDED, status) for status in (_S.PENDING, _S.INSTALLED_NOT_COMMISSIONED, _S.COMMISSIONED)),
)
"""Each status, with the one to which a suspended Device returns."""


def _known(reader: Reader, register: RegisterView, device: Device | None) -> KnownCounts:
    """Read the numbers of certificates once, for all decisions."""
    participation = participations(reader, settings_on(reader, register))
    if device is None or device.device_id == NO_IDENTIFIER:
        return KnownCounts(participation=participation)
    return KnownCounts(
        participation=participation,
        of_device=reader.certificates_for_device(device.device_id),
        threshold=reader.register.threshold(device.device_id) or DEVICE_THRESHOLD,
    )


def _decide(
    reader: Reader, applicant: Applicant, wanted: Wanted, day: date, known: KnownCounts
) -> tuple[tuple[EntityIdentifier, ...], Decision]:
    """Return the decision, and for an Organisation Certificate the Entity Identifiers under which it is a yes.

    If it is a no under each of them, the decision with the fewest reasons is returned.
    """
    if wanted.device is not None:
        usage, device, listing = KeyUsage.DIGITAL_SIGNATURE, wanted.device, wanted.to_be_added
        if listing is not None:
            device = as_added_by(device, applicant.subscriber, under_test=False)
        return (), decide_on(
            reader, applicant, device, None, usage, device.device_id, day, known=known, to_be_added=listing
        )
    if wanted.role is None or wanted.usage is None:
        return (), decide(AuthorityQuestion(applicant, wanted.kind, day))
    subscriber = applicant.subscriber
    own = [] if isinstance(subscriber, NonParty) else sorted(_identifiers(subscriber))
    decisions = {
        entity: decide_on(reader, applicant, None, wanted.role, wanted.usage, entity, day, known=known)
        for entity in own or [NO_IDENTIFIER]
    }
    best = min(decisions.values(), key=lambda decision: len(decision.problems))
    return tuple(entity for entity, decision in decisions.items() if decision.eligible), best


def _identifiers(subscriber: Registrant) -> frozenset[EntityIdentifier]:
    """Return those under which it may apply: its own, and those that its tests call for."""
    return subscriber.identifiers.union(*(test.identifiers for test in subscriber.tests))


def _codes(decision: Decision) -> tuple[str, ...]:
    return tuple(dict.fromkeys(problem.code for problem in decision.problems))


def _id(who: Party | TestingParticipant | NonParty) -> str:
    return who.name if isinstance(who, NonParty) else registrant_id(who)


def _decisive(problems: Sequence[Problem]) -> Problem:
    """Return the reason by which a refusal is grouped: the first one that another Entity Identifier would not remove, if
    there is one."""
    return next((problem for problem in problems if not problem.code.startswith("entity-identifier.")), problems[0])


def _grouped(refused: Iterable[tuple[Decision, T]]) -> tuple[RefusedFor[T], ...]:
    groups: dict[tuple[str, str, str, str], list[T]] = {}
    for decision, member in refused:
        first = _decisive(decision.problems)
        groups.setdefault((first.code, first.clause, first.basis, first.expected), []).append(member)
    return tuple(
        RefusedFor(code=code, clause=clause, basis=basis, expected=expected, members=tuple(members))
        for (code, clause, basis, expected), members in sorted(groups.items(), key=lambda each: -len(each[1]))
    )


def _contradiction(seen: str, expected: str) -> Problem:
    return Problem(code="question.contradiction", subject="question", seen=seen, expected=expected)
