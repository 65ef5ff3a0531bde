"""Questions to the provisions: answered as an application on the same day would be, and writing nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from smki import DeviceType, EntityIdentifier
from smki.identity import PartyId
from smki.problem import Problem
from smki.registration.applicants import first_officer, owner_as_applicant
from smki.registration.devices import SetThreshold
from smki.registration.inquiry import Inquiry, decide_on
from smki.registration.who_and_what import CannotBeJudged
from smki.sec.party import Officer, Standing, StandingChange
from smki.sec.role import CertificateKind, RemotePartyRole
from tests.commands import change_participant_quota, change_party
from tests.registration.in_memory import LARGE, START, TEST, Pending
from tests.support import DEVICE, DS, SUPPLIER

ROLE = RemotePartyRole.SUPPLIER
NEW = EntityIdentifier(b"\x22" * 8)
SMALL = EntityIdentifier.parse("90B3D51F30030000")
TODAY = START.date()


@pytest.fixture
def pending() -> Pending:
    return Pending()


@pytest.fixture
def inquiry(pending: Pending) -> Inquiry:
    return Inquiry(pending.smki.ledger, pending.clock)


def judged(error: pytest.ExceptionInfo[CannotBeJudged]) -> Problem:
    (problem,) = error.value.problems
    return problem


def test_by_default_the_owner_asks_and_today(pending: Pending, inquiry: Inquiry) -> None:
    assert inquiry.organisation(SUPPLIER, ROLE, DS).eligible
    refused = inquiry.organisation(SUPPLIER, ROLE, DS, applicant="SMALL-SUPPLIER")
    assert "entity-identifier.not-owned" in {problem.code for problem in refused.problems}
    officer = inquiry.organisation(SUPPLIER, ROLE, DS, officer="Mallory")
    assert {problem.code for problem in officer.problems} == {"officer.unknown"}
    assert inquiry.organisation(SMALL, ROLE, DS, applicant="SHARED-RESOURCE", on_behalf_of="SMALL-SUPPLIER").eligible
    assert not inquiry.organisation(SMALL, ROLE, DS, applicant="SHARED-RESOURCE").eligible


def test_the_day_of_a_question(pending: Pending, inquiry: Inquiry) -> None:
    suspended = StandingChange(Standing.SUSPENDED, TODAY + timedelta(days=7))
    change_party(pending.smki, PartyId(LARGE), lambda party: replace(party, standing=(*party.standing, suspended)))
    for day, eligible in ((None, True), (TODAY + timedelta(days=6), True), (TODAY + timedelta(days=7), False)):
        assert inquiry.organisation(SUPPLIER, ROLE, DS, as_of=day).eligible is eligible
        assert inquiry.device(DEVICE, applicant=LARGE, as_of=day).eligible is eligible
    pending.clock.set(START + timedelta(days=7))
    assert not inquiry.organisation(SUPPLIER, ROLE, DS).eligible
    assert not inquiry.device(DEVICE, applicant=LARGE).eligible
    assert inquiry.organisation(SUPPLIER, ROLE, DS, as_of=date(2026, 3, 2)).eligible


def test_who_asks_for_a_device(inquiry: Inquiry) -> None:
    assert inquiry.device(DEVICE).eligible
    assert inquiry.device(DEVICE, DeviceType.ESME).eligible
    assert inquiry.device(NEW, DeviceType.GSME).eligible
    unknown = inquiry.device(DEVICE, applicant="MANUFACTURER", officer="Mallory")
    assert {problem.code for problem in unknown.problems} == {"officer.unknown"}
    with pytest.raises(CannotBeJudged) as caught:
        inquiry.device(DEVICE, applicant="SHARED-RESOURCE", on_behalf_of="NOBODY")
    assert judged(caught).code == "acting-for.not-a-party"


def test_what_cannot_be_judged(inquiry: Inquiry) -> None:
    with pytest.raises(CannotBeJudged) as caught:
        inquiry.organisation(NEW, ROLE, DS)
    assert judged(caught) == Problem(
        code="entity-identifier.no-owner",
        subject="Entity Identifier",
        seen=f"{NEW}, which belongs to no Party",
        expected="an Entity Identifier of the Party that applies",
    )
    with pytest.raises(CannotBeJudged) as caught:
        inquiry.device(NEW)
    assert judged(caught) == Problem(
        code="device.unknown",
        subject=f"Device {NEW}",
        seen="not in the Smart Metering Inventory, and no Device type given",
        expected="a Device in the inventory, or its Device type",
        remedy="device.say-type",
        given={"device": str(NEW)},
    )
    assert judged(caught).given == {"device": str(NEW)}
    with pytest.raises(CannotBeJudged) as caught:
        inquiry.device(DEVICE, DeviceType.GSME)
    assert judged(caught) == Problem(
        code="device.other-type",
        subject=f"Device {DEVICE}",
        seen="given as GSME, but ESME in the Smart Metering Inventory",
        expected="the Device type in the inventory, or none",
    )


def test_the_limit_of_a_device_counts_its_certificates(pending: Pending, inquiry: Inquiry) -> None:
    pending.registration.execute(SetThreshold(DEVICE, 101), TEST)
    assert inquiry.device(DEVICE).eligible
    pending.smki.ledger.transact(lambda transaction: transaction.set_threshold(DEVICE, 2))
    pending.device()
    assert inquiry.device(DEVICE).eligible
    pending.device()
    refused = inquiry.device(DEVICE)
    assert {problem.code for problem in refused.problems} == {"device.limit-reached"}
    assert inquiry.device(NEW, DeviceType.ESME).eligible


def test_the_quota_counts_certificates_of_the_participant(pending: Pending, inquiry: Inquiry) -> None:
    change_participant_quota(pending.smki, PartyId("MANUFACTURER"), 1)
    assert inquiry.device(DEVICE, applicant="MANUFACTURER").eligible
    pending.device()
    refused = inquiry.device(DEVICE, applicant="MANUFACTURER")
    assert {problem.code for problem in refused.problems} == {"participant.quota-reached"}
    assert inquiry.device(DEVICE, applicant=LARGE).eligible


def test_a_decision_on_a_key_that_is_certified_already(pending: Pending) -> None:
    key = pending.organisation().certificate.public_key_info
    owner = pending.smki.ledger.register.owner(SUPPLIER)
    assert owner is not None
    who = owner_as_applicant(pending.smki.ledger.register, SUPPLIER, TEST, CertificateKind.ORGANISATION)
    assert who is not None
    asked = (pending.smki.ledger, who, None, ROLE, DS, SUPPLIER, TODAY)
    assert {problem.code for problem in decide_on(*asked, key).problems} == {"public-key.already-certified"}
    assert decide_on(*asked).eligible
    assert decide_on(*asked, key[:-1] + bytes([key[-1] ^ 1])).eligible
    with pytest.raises(ValueError, match="in a role"):
        decide_on(pending.smki.ledger, who, None, None, DS, SUPPLIER, TODAY)


def test_the_first_officer_who_acts_for_the_kind_or_else_the_first(pending: Pending) -> None:
    device, organisation = CertificateKind.DEVICE, CertificateKind.ORGANISATION
    found = pending.smki.ledger.register.registrant(PartyId(LARGE))
    assert found is not None
    one, two = Officer("One", frozenset({device})), Officer("Two", frozenset({organisation}))
    who = replace(found, officers=(one, two))
    assert [first_officer(who, kind) for kind in (device, organisation)] == ["One", "Two"]
    assert first_officer(replace(found, officers=(one,)), organisation) == "One"
    assert first_officer(replace(found, officers=()), organisation) == ""
