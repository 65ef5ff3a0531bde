"""One right more never makes an eligible applicant ineligible."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from smki.eligibility import Applicant, DeviceQuestion, OrganisationQuestion, decide
from smki.identity import EntityIdentifier, PartyId
from smki.sec.device import Device, DeviceType, SmetsVersion
from smki.sec.party import CATEGORIES_OF_ROLE, Officer, Party, PartyCategory, StandingChange
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
