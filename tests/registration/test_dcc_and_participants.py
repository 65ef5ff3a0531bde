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
from smki.registration.identifiers import AssignIdentifier, ReleaseIdentifier
from smki.registration.participation import ChangeTest, RecordTest
from smki.registration.parties import AddParticipant
from smki.remedies import Interface
from smki.sec.recorded_test import RecordedTest, TestPurpose
from smki.sec.role import CertificateStatus
from tests.commands import TEST, revoke
from tests.registration.in_memory import Pending
from tests.support import DS, KA, SUPPLIER

LAB = PartyId("LAB")
OF_THE_LAB = EntityIdentifier.parse("AA-AA-00-00-00-00-00-01")
RECOVERY, BROKER = RemotePartyRole.RECOVERY, RemotePartyRole.ACCESS_CONTROL_BROKER


def add_lab(smki: Smki, *identifiers: EntityIdentifier, on_behalf_of: str = "", role: RemotePartyRole = RECOVERY) -> None:
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
