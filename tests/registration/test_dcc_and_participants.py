"""Testing Participants whose tests call for roles or Entity Identifiers of the DCC, or of a Party that gives them up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from smki import EntityIdentifier, RemotePartyRole, Smki
from smki.identity import PartyId
from smki.ledger import CertificateQuery, CertificateRecord, Conflict
from smki.registration import Actor, Refused
from smki.registration.demonstration import DCC_ENTITY_IDENTIFIERS
from smki.registration.devices import AddDevices
from smki.registration.identifiers import AssignIdentifier, ReleaseIdentifier
from smki.registration.participation import ChangeTest, RecordTest
from smki.registration.parties import AddParticipant
from smki.remedies import Interface
from smki.sec.device import Device, DeviceType
from smki.sec.recorded_test import RecordedTest, TestPurpose
from smki.sec.role import CertificateStatus
from tests.commands import TEST, revoke
from tests.registration.in_memory import Pending
from tests.support import DEVICE, DS, KA

LAB = PartyId("LAB")
OF_THE_LAB = EntityIdentifier.parse("AA-AA-00-00-00-00-00-01")
RECOVERY, BROKER = RemotePartyRole.RECOVERY, RemotePartyRole.ACCESS_CONTROL_BROKER


def add_lab(
    smki: Smki, *identifiers: EntityIdentifier, on_behalf_of: str = "", role: RemotePartyRole = RECOVERY
) -> None:
    test = RecordedTest.of(
        TestPurpose.SECTION_T,
        "bench",
        roles=frozenset({role, BROKER}),
        identifiers=frozenset(identifiers),
        on_behalf_of=on_behalf_of,
    )
    smki.registration.execute(AddParticipant(participant=LAB, test=test, agreement=date(2020, 1, 1)), TEST)


def issue(smki: Smki, entity: EntityIdentifier, role: RemotePartyRole, usage: object = DS) -> CertificateRecord:
    request = smki.make_organisation_request(entity, role, usage)[1]  # type: ignore[arg-type]
    return smki.issue_organisation(request, applicant=str(LAB)).record


@pytest.fixture
def smki() -> Iterator[Smki]:
    with Smki.in_memory() as made:
        yield made


def test_a_participants_certificate_is_not_one_that_the_dcc_lodged(smki: Smki) -> None:
    add_lab(smki, OF_THE_LAB)
    issue(smki, OF_THE_LAB, RECOVERY)
    own = next(smki.ledger.certificates(CertificateQuery(entity_identifier=DCC_ENTITY_IDENTIFIERS[RECOVERY])))
    revoke(smki, own.serial_number, "key-lost")
    (problem,) = smki.check().lodged
    assert problem.code == "lodged.revoked"
    assert f"--eui {DCC_ENTITY_IDENTIFIERS[RECOVERY]} --role recovery" in problem.remedy_for(Interface.CLI)


def test_a_participants_certificate_in_a_role_of_the_dcc_is_pending_at_first() -> None:
    pending = Pending()
    add_lab(pending.smki, OF_THE_LAB)
    record = pending.organisation(DS, OF_THE_LAB, RECOVERY, Actor(interface="test", party=str(LAB)))
    assert record.stored_status is CertificateStatus.PENDING
    dccs = pending.smki.registration.execute(AssignIdentifier(PartyId("DCC")), TEST)
    assert pending.organisation(DS, dccs, RECOVERY).stored_status is CertificateStatus.IN_USE


def test_whoever_acts_for_the_dcc_uses_each_of_its_identifiers_in_one_role(smki: Smki) -> None:
    ours = DCC_ENTITY_IDENTIFIERS[RECOVERY]
    add_lab(smki, ours, on_behalf_of="DCC")
    issue(smki, ours, RECOVERY)
    decision = smki.inquiry.organisation(ours, BROKER, DS, applicant="LAB")
    assert [problem.code for problem in decision.problems] == ["entity-identifier.other-role"]
    with pytest.raises(Refused) as refused:
        issue(smki, ours, BROKER)
    assert [problem.code for problem in refused.value.problems] == ["entity-identifier.other-role"]
    assert LAB not in {PartyId(each.party) for each in smki.inquiry.who(role=BROKER).eligible}
    remedy = refused.value.problems[0].remedy_for(Interface.CLI)
    assert "smki participant change-test LAB bench --add-eui EUI-64" in remedy
    # The remedy, carried out.
    smki.registration.execute(ChangeTest(participant=LAB, test="bench", add_identifiers=frozenset({OF_THE_LAB})), TEST)
    issue(smki, OF_THE_LAB, BROKER)


def test_an_identifier_is_not_released_while_the_test_of_another_calls_for_it(smki: Smki) -> None:
    large = PartyId("LARGE-SUPPLIER")
    given = smki.registration.execute(AssignIdentifier(large), TEST)
    add_lab(smki, given, on_behalf_of=str(large), role=RemotePartyRole.SUPPLIER)
    with pytest.raises(Conflict) as refused:
        smki.registration.execute(ReleaseIdentifier(large, given), TEST)
    (problem,) = refused.value.problems
    assert problem.code == "entity-identifier.in-test"
    assert f"smki participant change-test LAB bench --remove-eui {given}" in problem.remedy_for(Interface.CLI)
    # The remedy, carried out: the next owner shares it with nobody.
    smki.registration.execute(ChangeTest(participant=LAB, test="bench", remove_identifiers=frozenset({given})), TEST)
    smki.registration.execute(ReleaseIdentifier(large, given), TEST)
    smki.registration.execute(AssignIdentifier(PartyId("SMALL-SUPPLIER"), given), TEST)
    assert not smki.inquiry.organisation(given, RemotePartyRole.SUPPLIER, DS, applicant="LAB").eligible


def test_an_identifier_of_the_participant_itself_can_be_released(smki: Smki) -> None:
    add_lab(smki, OF_THE_LAB)
    smki.registration.execute(ReleaseIdentifier(LAB, OF_THE_LAB), TEST)
    assert smki.ledger.register.owner(OF_THE_LAB) is None


def test_the_dcc_needs_no_recorded_test_for_a_device_under_test(smki: Smki) -> None:
    dcc = PartyId("DCC")
    smki.registration.execute(RecordTest(participant=dcc, test=RecordedTest.of(TestPurpose.UEPT)), TEST)
    made = Device(EntityIdentifier(b"\x31" * 8), DeviceType.ESME, under_test=dcc)
    smki.registration.execute(AddDevices((made,)), Actor(interface="test", party="DCC"))
    assert smki.ledger.register.device(made.device_id) == made


def test_a_participant_whose_quota_is_used_up_is_passed_over(smki: Smki) -> None:
    change = ChangeTest(participant=PartyId("MANUFACTURER"), test="device-and-user-system-tests", quota=1)
    smki.registration.execute(change, TEST)
    subscribers = []
    for usage in (DS, KA):
        assert smki.inquiry.device(DEVICE).eligible
        record = smki.issue_device(smki.make_device_request(DEVICE, usage)[1]).record
        application = smki.ledger.application(record.application_id)
        assert application is not None
        subscribers.append(application.application.subscriber)
    assert subscribers == ["MANUFACTURER", "DCC"]
