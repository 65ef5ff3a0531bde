"""Questions about a Shared Resource: whose officer and whose rights count, and whom the remedies name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smki import CertificateKind, EntityIdentifier, RemotePartyRole, Smki
from smki.identity import PartyId
from smki.problem import Problem
from smki.registration.appointments import AppointOfficer
from smki.registration.parties import ChangeParty
from smki.remedies import Interface
from smki.sec.device import DeviceType
from smki.sec.party import SUBSCRIBER_KINDS, Officer
from tests.commands import TEST
from tests.support import DS, SUPPLIER

SMALL = EntityIdentifier.parse("90B3D51F30030000")
LARGE = PartyId("LARGE-SUPPLIER")


@pytest.fixture
def smki() -> Iterator[Smki]:
    with Smki.in_memory() as made:
        yield made


def problems(smki: Smki, entity: EntityIdentifier, **who: str) -> tuple[Problem, ...]:
    return smki.inquiry.organisation(entity, RemotePartyRole.SUPPLIER, DS, **who).problems  # type: ignore[arg-type]


def test_the_remedy_for_the_officer_names_the_shared_resource(smki: Smki) -> None:
    who = {"applicant": "SHARED-RESOURCE", "officer": "Jo Bloggs", "on_behalf_of": "SMALL-SUPPLIER"}
    (problem,) = problems(smki, SMALL, **who)
    assert problem.code == "officer.unknown"
    assert "smki party appoint SHARED-RESOURCE OFFICER" in problem.remedy_for(Interface.CLI)
    officer = Officer("Jo Bloggs", SUBSCRIBER_KINDS)
    smki.registration.execute(AppointOfficer(PartyId("SHARED-RESOURCE"), officer), TEST)
    assert problems(smki, SMALL, **who) == ()


def test_the_remedy_for_one_that_was_not_named_names_both(smki: Smki) -> None:
    who = {"applicant": "OTHER-USER", "on_behalf_of": "LARGE-SUPPLIER"}
    (problem,) = problems(smki, SUPPLIER, **who)
    assert "smki party change OTHER-USER --add-acts-for LARGE-SUPPLIER" in problem.remedy_for(Interface.CLI)
    smki.registration.execute(ChangeParty(party=PartyId("OTHER-USER"), add_acts_for=frozenset({LARGE})), TEST)
    assert problems(smki, SUPPLIER, **who) == ()


def test_a_participant_that_is_not_a_party_is_not_told_to_become_a_shared_resource(smki: Smki) -> None:
    first = problems(smki, SUPPLIER, applicant="MANUFACTURER", on_behalf_of="LARGE-SUPPLIER")[0]
    assert first.code == "acting-for.not-named"
    assert first.remedy_for(Interface.CLI) == "Apply as the Party itself: only a Party can be its Shared Resource."


def test_the_dcc_has_no_authority_on_behalf_of_another_party(smki: Smki) -> None:
    smki.registration.execute(ChangeParty(party=PartyId("DCC"), add_acts_for=frozenset({LARGE})), TEST)
    decision = smki.inquiry.authority(CertificateKind.ISSUING_OCA, applicant="DCC", on_behalf_of="LARGE-SUPPLIER")
    assert [problem.code for problem in decision.problems] == ["authority.dcc-only"]
    answer = smki.inquiry.who(authority=CertificateKind.ISSUING_OCA)
    assert [str(each) for each in answer.eligible] == ["DCC"]


def test_who_may_have_a_certificate_for_a_device_that_has_to_be_added_first(smki: Smki) -> None:
    unknown = EntityIdentifier(b"\x22" * 8)
    for device_type in DeviceType:
        answer = smki.inquiry.who(device=unknown, device_type=device_type)
        alone = [
            each
            for each in (*answer.eligible, *(member for group in answer.refused for member in group.members))
            if smki.inquiry.device(
                unknown, device_type, applicant=each.party, on_behalf_of=each.on_behalf_of or ""
            ).eligible
        ]
        assert alone == list(answer.eligible), device_type
    assert "OTHER-USER" not in map(str, smki.inquiry.who(device=unknown, device_type=DeviceType.ESME).eligible)
