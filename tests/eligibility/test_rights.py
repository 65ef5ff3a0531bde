"""One right more never makes an eligible applicant ineligible."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from smki.eligibility import Applicant, DeviceQuestion, OrganisationQuestion, Participation, decide
from smki.identity import EntityIdentifier, PartyId
from smki.sec.device import Device, DeviceType, SmetsVersion
from smki.sec.party import CATEGORIES_OF_ROLE, Officer, Party, PartyCategory, StandingChange, TestingParticipant
from smki.sec.recorded_test import ParticipationMode, RecordedTest, parse_tests
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole, UserRole
from tests.eligibility.people import OWN, TODAY, device, party

KINDS = (CertificateKind.ORGANISATION, CertificateKind.DEVICE)
IDENTIFIERS = tuple(EntityIdentifier.parse(f"90B3D51F3099000{number}") for number in range(3))
STANDING: tuple[StandingChange, ...] = party("other").standing
OFFICERS = (Officer("Jo", frozenset(KINDS)),)
STATUSES = ("pending", "installed not commissioned", "commissioned", "decommissioned", "suspended from commissioned")


@st.composite
def parties(draw: st.DrawFn) -> Party:
    category = draw(st.sampled_from(PartyCategory))
    fitting = [role for role in UserRole if category in CATEGORIES_OF_ROLE[role]]
    return Party(
        PartyId("P"),
        "P",
        category,
        draw(st.frozensets(st.sampled_from(fitting))) if fitting else frozenset(),
        STANDING,
        draw(st.frozensets(st.sampled_from(IDENTIFIERS))),
        draw(st.frozensets(st.sampled_from(KINDS))),
        OFFICERS,
        through_entry=draw(st.booleans()),
    )


@st.composite
def devices(draw: st.DrawFn) -> Device:
    made = device(draw(st.sampled_from(DeviceType)).name, draw(st.sampled_from(STATUSES)))
    return replace(made, smets_version=draw(st.sampled_from(SmetsVersion)), enrolled=draw(st.booleans()))


def with_one_right_more(before: Party) -> list[tuple[str, Party]]:
    """The Party with each right that it does not have yet."""
    made = [
        (str(role), replace(before, user_roles=before.user_roles | {role}))
        for role in UserRole
        if role not in before.user_roles and before.category in CATEGORIES_OF_ROLE[role]
    ]
    made += [
        (kind.title, replace(before, authorised_for=before.authorised_for | {kind}))
        for kind in KINDS
        if kind not in before.authorised_for
    ]
    made += [
        ("identifier", replace(before, identifiers=before.identifiers | {identifier}))
        for identifier in IDENTIFIERS
        if identifier not in before.identifiers
    ]
    return [*made, ("entry", replace(before, through_entry=True))]


def test_a_right_more_never_harms() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=800, deadline=None, derandomize=True)
    @given(parties(), st.sampled_from(RemotePartyRole), devices(), st.sampled_from([TODAY, TODAY.replace(year=2018)]))
    def check(before: Party, role: RemotePartyRole, what: Device, as_of: date) -> None:
        def eligible(who: Party) -> tuple[bool, bool]:
            applicant = Applicant(who, "Jo")
            organisation = OrganisationQuestion(applicant, role, KeyUsage.DIGITAL_SIGNATURE, OWN, as_of)
            return decide(organisation).eligible, decide(DeviceQuestion(applicant, what, as_of)).eligible

        was = eligible(before)
        for right, after in with_one_right_more(before):
            now = eligible(after)
            assert now[0] >= was[0], right
            assert now[1] >= was[1], right
            seen["organisation"] += was[0]
            seen["device"] += was[1]
            seen["gained"] += now != was

    check()
    assert min(seen["organisation"], seen["device"], seen["gained"]) > 50, seen


TESTS = [
    {"purpose": "uept"},
    {"purpose": "srept"},
    {"purpose": "section-t", "roles": "other"},
    {"purpose": "section-t", "test": "t-2", "roles": "supplier, 04", "device_types": "ESME"},
    {"purpose": "device-and-user-system-tests", "device_types": "CHF, GSME", "identifiers": str(OWN)},
    {"purpose": "device-and-user-system-tests", "test": "d-2", "identifiers": str(IDENTIFIERS[1])},
]
RECORDED = parse_tests(TESTS)
SOME_TESTS = st.lists(st.sampled_from(RECORDED), unique=True).map(tuple)


def admitted(who: Party | TestingParticipant, role: RemotePartyRole, what: Device, mode: ParticipationMode) -> set[str]:
    """What of the two it may have."""
    applicant, participation = Applicant(who, "Jo"), Participation(mode=mode)
    organisation = OrganisationQuestion(applicant, role, KeyUsage.DIGITAL_SIGNATURE, OWN, TODAY, participation)
    decided = {
        "organisation": decide(organisation),
        "device": decide(DeviceQuestion(applicant, what, TODAY, participation=participation)),
    }
    return {name for name, decision in decided.items() if decision.eligible}


@settings(max_examples=400, deadline=None, derandomize=True)
@given(parties(), SOME_TESTS, st.sampled_from(RECORDED), st.sampled_from(RemotePartyRole), devices())
def test_a_test_more_never_harms_and_open_mode_admits_what_strict_mode_does(
    before: Party, tests: tuple[RecordedTest, ...], another: RecordedTest, role: RemotePartyRole, what: Device
) -> None:
    maker = TestingParticipant(participant_id=PartyId("M"), name="M", tests=tests, agreement=TODAY, officers=OFFICERS)
    more = tests if another in tests else (*tests, another)
    for who in (replace(before, tests=tests), maker):
        strict = admitted(who, role, what, ParticipationMode.STRICT)
        assert strict <= admitted(who, role, what, ParticipationMode.OPEN)
        for mode in ParticipationMode:
            assert admitted(who, role, what, mode) <= admitted(replace(who, tests=more), role, what, mode)
    # In open mode, tests that are recorded take nothing away from a Party.
    party_only = admitted(before, role, what, ParticipationMode.OPEN)
    assert party_only <= admitted(replace(before, tests=tests), role, what, ParticipationMode.OPEN)
