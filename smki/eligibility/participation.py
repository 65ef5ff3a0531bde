"""Judges whether a subscriber takes part in tests, and what its test calls for (SEC H14.11)."""

from __future__ import annotations

from collections.abc import Iterator

from smki.eligibility import provisions
from smki.eligibility.assumptions import (
    DCC_TAKES_PART,
    DEVICE_TYPES_UNLESS_RECORDED,
    ENTRY_PROCESS_TESTS,
    OPEN_TO_OTHERS,
    OPEN_TO_PARTIES,
    RECORDED_LIMITS_PARTIES,
    ROLES_UNLESS_RECORDED,
)
from smki.eligibility.decision import Applied, fails, holds
from smki.eligibility.question import DeviceQuestion, InventoryQuestion, OrganisationQuestion
from smki.sec.party import NonParty, Party, PartyCategory, TestingParticipant
from smki.sec.recorded_test import ParticipationMode, RecordedTest, TestPurpose
from smki.sec.role import CertificateKind
from smki.sec.vocabulary import listed

Question = OrganisationQuestion | DeviceQuestion
_Asked = Question | InventoryQuestion


def tests_to_judge(question: Question) -> tuple[RecordedTest | None, ...]:
    """Return the tests for which the certificate could be issued, in order; None stands for no recorded test.

    A Party that may have certificates outside its recorded tests has them there last.
    """
    subscriber = question.applicant.subscriber
    return (None,) if isinstance(subscriber, NonParty) else _tests_of(subscriber, question)


def _tests_of(subscriber: Party | TestingParticipant, question: _Asked) -> tuple[RecordedTest | None, ...]:
    if not subscriber.tests:
        return (None,)
    needs_none = isinstance(subscriber, Party) and _counts_as_taking_part(subscriber, question) is not None
    return (*subscriber.tests, None) if needs_none else subscriber.tests


def _counts_as_taking_part(party: Party, question: _Asked) -> str | None:
    """Return why a Party takes part in tests without a recorded one; None if it does not."""
    if party.category is PartyCategory.DCC and DCC_TAKES_PART:
        return f"the DCC, which provides the tests ({question.participation.mode} mode)"
    if question.participation.mode is ParticipationMode.OPEN:
        return "a Party, which counts as taking part in tests (open mode)"
    return None


def takes_part(
    subscriber: Party | TestingParticipant, question: _Asked, test: RecordedTest | None
) -> Iterator[Applied]:
    """Apply the provisions about the test, whatever is applied for."""
    if test is None:
        counts = _counts_as_taking_part(subscriber, question) if isinstance(subscriber, Party) else None
        if counts is not None:
            yield holds(provisions.TEST_CERTIFICATES, counts)
            return
        seen = f"{subscriber.name}: no recorded test ({question.participation.mode} mode)"
        yield fails(provisions.TEST_CERTIFICATES, "participant.no-test", seen)
        return
    yield holds(
        provisions.TEST_CERTIFICATES, f"{subscriber.name}, in {test.described} ({question.participation.mode} mode)"
    )
    if test.purpose in _open_to(subscriber):
        yield holds(provisions.TEST_PURPOSE, test.purpose.value)
    else:
        yield fails(provisions.TEST_PURPOSE, "participant.purpose", test.purpose.value)


def takes_part_in_any(subscriber: Party | TestingParticipant, question: _Asked) -> Iterator[Applied]:
    """Apply the provisions about the test to the first one that is open to the subscriber, or else to its first."""
    applied = [list(takes_part(subscriber, question, test)) for test in _tests_of(subscriber, question)]
    yield from next((each for each in applied if all(result.held for result in each)), applied[0])


def _open_to(subscriber: Party | TestingParticipant) -> frozenset[TestPurpose]:
    if isinstance(subscriber, TestingParticipant):
        return OPEN_TO_OTHERS
    return OPEN_TO_PARTIES - ENTRY_PROCESS_TESTS if subscriber.category is PartyCategory.DCC else OPEN_TO_PARTIES


def agreement(participant: TestingParticipant, question: _Asked) -> Applied:
    """Apply the provision about the agreement on the terms of Schedule 7."""
    agreed = participant.agreement
    if agreed is not None and agreed <= question.as_of:
        return holds(provisions.TEST_AGREEMENT, f"agreed on {agreed}")
    seen = f"agreed on {agreed}" if agreed else "none"
    return fails(provisions.TEST_AGREEMENT, "participant.no-agreement", seen)


def as_if_authorised(party: Party, kind: CertificateKind, test: RecordedTest | None) -> Applied | None:
    """Apply the provision about Parties that are not yet Authorised Subscribers; None if the Party is no such one."""
    if kind in party.authorised_for or test is None or test.purpose is not TestPurpose.SREPT:
        return None
    return holds(provisions.TEST_SUBSCRIBER, f"{party.name}, in {test.purpose.value}: not yet an Authorised Subscriber")


def organisation_called_for(
    subscriber: Party | TestingParticipant, question: OrganisationQuestion, test: RecordedTest | None
) -> Iterator[Applied]:
    """Apply the provisions about the role and the Entity Identifier that a test calls for."""
    if test is None or (isinstance(subscriber, Party) and not RECORDED_LIMITS_PARTIES):
        return
    limits = isinstance(subscriber, TestingParticipant)
    wanted = question.entity_identifier
    if limits or test.identifiers:
        own = listed(str(each) for each in sorted(test.identifiers)) or "none"
        if wanted in test.identifiers:
            yield holds(provisions.TEST_IDENTIFIERS, f"{wanted}, of test {test.name}")
        else:
            seen = f"{wanted}; test {test.name} of {subscriber.name} has {own}"
            yield fails(provisions.TEST_IDENTIFIERS, "participant.entity-identifier", seen)
    if limits or test.roles:
        roles = test.roles or ROLES_UNLESS_RECORDED
        if question.role in roles:
            yield holds(provisions.TEST_ROLES, f"{question.role}, of test {test.name}")
        else:
            has = listed(sorted(str(role) for role in roles)) or "none"
            seen = f"{question.role}; test {test.name} of {subscriber.name} has {has}"
            yield fails(provisions.TEST_ROLES, "participant.role", seen)


def device_called_for(
    subscriber: Party | TestingParticipant, question: DeviceQuestion, test: RecordedTest | None
) -> Applied | None:
    """Apply the provision about the type of Device that a test calls for; None if it decides nothing."""
    if test is None or (isinstance(subscriber, Party) and not (RECORDED_LIMITS_PARTIES and test.device_types)):
        return None
    device_type, types = question.device.device_type, test.device_types or DEVICE_TYPES_UNLESS_RECORDED
    if device_type in types:
        return holds(provisions.TEST_DEVICE_TYPES, f"{device_type.name}, of test {test.name}")
    has = listed(sorted(each.name for each in types))
    seen = f"{device_type.name}; test {test.name} of {subscriber.name} has {has}"
    return fails(provisions.TEST_DEVICE_TYPES, "participant.device-type", seen)


def quota(
    subscriber: Party | TestingParticipant | NonParty, question: Question, test: RecordedTest | None
) -> Applied | None:
    """Apply the quota of the test, or that of a Party outside its recorded tests; None if there is none."""
    if test is not None:
        limit, name, where, remedy = test.quota, test.name, f" for test {test.name}", "quota.raise-test"
    else:
        limit, name, where, remedy = subscriber.quota if isinstance(subscriber, Party) else None, "", "", ""
    if limit is None:
        return None
    issued = question.participation.certificates.get(name, 0)
    seen = f"{issued} issued{where}, quota {limit}"
    if issued < limit:
        return holds(provisions.TEST_QUOTA, seen)
    return fails(provisions.TEST_QUOTA, "participant.quota-reached", seen, remedy)
