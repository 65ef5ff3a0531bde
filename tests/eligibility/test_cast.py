"""The demonstration cast has the published identities, and may have what they have."""

from __future__ import annotations

import pytest

from smki import Smki
from smki.eligibility import Applicant, DeviceQuestion, OrganisationQuestion, decide
from smki.identity import EntityIdentifier
from smki.registration.demonstration import DCC_ENTITY_IDENTIFIERS, DEVICES, PARTIES, TESTING_PARTICIPANTS
from smki.sec.device import DeviceType, SmiStatus
from smki.sec.party import SUBSCRIBER_KINDS, Officer, PartyCategory
from smki.sec.recorded_test import TestPurpose
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole, UserRole
from smki.testing.organisations import ENTITY_IDENTIFIERS, Dcc
from smki.testing.published_identities import PUBLISHED_IDENTITIES
from tests.eligibility.people import TODAY

CAST = {str(party.party_id): party for party in PARTIES}

# Every published Organisation identity of the cast with its roles
PUBLISHED = [
    ("DCC", "90B3D51F30000001", "recovery"),
    ("DCC", "90B3D51F30000002", "accessControlBroker"),
    ("DCC", "90B3D51F30000002", "dSPXmlSign"),
    ("DCC", "90B3D51F30000004", "transitionalCoS"),
    ("DCC", "90B3D51F30000007", "wanProvider"),
    ("LARGE-SUPPLIER", "90B3D51F30010000", "supplier"),
    ("LARGE-SUPPLIER", "90B3D51F30010000", "xmlSign"),
    ("SMALL-SUPPLIER", "90B3D51F30030000", "supplier"),
    ("SMALL-SUPPLIER", "90B3D51F30030000", "xmlSign"),
    ("ELECTRICITY-NETWORK", "90B3D51F30020000", "networkOperator"),
    ("ELECTRICITY-NETWORK", "90B3D51F30020000", "xmlSign"),
    ("GAS-NETWORK", "90B3D51F30040000", "networkOperator"),
    ("LOAD-CONTROLLER", "90B3D51F30010008", "loadController"),
    ("OTHER-USER", "90B3D51F30010009", "other"),
]

# id, name, category, User Roles, day of accession, for whom it acts, officer
NAMED = """
DCC                 | Data and Communications Company | dcc                 |                             | 2013-09-23 | | DCC
LARGE-SUPPLIER      | Large Supplier | large-supplier | import-supplier, export-supplier, gas-supplier | 2014-07-31 | | Large Supplier
SMALL-SUPPLIER      | Small Supplier | small-supplier      | import-supplier, gas-supplier | 2014-07-31 | | Small Supplier
ELECTRICITY-NETWORK | Electricity Network | electricity-network | electricity-distributor  | 2014-07-31 | | Electricity Network
GAS-NETWORK         | Gas Network               | gas-network         | gas-transporter    | 2014-07-31 | | Gas Network
LOAD-CONTROLLER     | Load Controller           | other               | load-controller    | 2014-07-31 | | Load Controller
OTHER-USER          | Other User                | other               | other-user         | 2014-07-31 | | Other User
SUPPLIER-AGENT      | Registered Supplier Agent | other           | registered-supplier-agent | 2014-07-31 | | Supplier Agent
SHARED-RESOURCE     | Shared Resource   | shared-resource |                  | 2014-07-31 | SMALL-SUPPLIER | Shared Resource
"""


def test_the_parties_are_those_of_the_documentation() -> None:
    rows = [[cell.strip() for cell in row.split("|")] for row in NAMED.strip().splitlines()]
    for party, (name, title, category, roles, day, acts_for, officer) in zip(PARTIES, rows, strict=True):
        assert (str(party.party_id), party.name) == (name, title)
        assert party.category is PartyCategory.parse(category)
        assert party.user_roles == set(map(UserRole.parse, filter(None, roles.split(", "))))
        assert [f"{change.standing} {change.since}" for change in party.standing] == [f"acceded {day}"]
        assert " ".join(map(str, party.acts_for)) == acts_for
        assert party.officers == (Officer(f"{officer} Officer", SUBSCRIBER_KINDS),)
        assert party.authorised_for == SUBSCRIBER_KINDS
    (maker,) = TESTING_PARTICIPANTS
    assert (str(maker.participant_id), maker.name, f"{maker.agreement}") == (
        "MANUFACTURER",
        "Meter Manufacturer",
        "2014-07-31",
    )
    assert maker.officers == (Officer("Manufacturer Officer", frozenset({CertificateKind.DEVICE})),)
    (test,) = maker.tests
    assert (test.purpose, test.quota) == (TestPurpose.DEVICE_AND_USER_SYSTEM_TESTS, 100_000)
    assert test.roles | test.device_types | test.identifiers == frozenset()


def test_the_dcc_lodges_the_published_identities() -> None:
    lodged = {("DCC", identifier.hex, role.label) for role, identifier in DCC_ENTITY_IDENTIFIERS.items()}
    assert lodged == {row for row in PUBLISHED if row[0] == "DCC" and row[2] != "dSPXmlSign"}


@pytest.mark.parametrize(("name", "identifier", "role"), PUBLISHED)
def test_each_may_have_the_certificates_that_it_was_published_with(name: str, identifier: str, role: str) -> None:
    party = CAST[name]
    question = OrganisationQuestion(
        Applicant(party, party.officers[0].name),
        RemotePartyRole.parse(role),
        KeyUsage.DIGITAL_SIGNATURE,
        EntityIdentifier.parse(identifier),
        TODAY,
    )
    assert decide(question).eligible, decide(question).problems


def test_an_identifier_belongs_to_one_party() -> None:
    owned = [identifier for party in PARTIES for identifier in party.identifiers]
    assert len(owned) == len(set(owned)) == 11
    # Beside the published ones, the supplier agent has that of a published Other User.
    published = {EntityIdentifier.parse(identifier) for _, identifier, _ in PUBLISHED}
    assert set(owned) - published == {EntityIdentifier.parse("00DB123456780004")}
    assert len(CAST) == len(PARTIES) == 9
    assert CAST["DCC"].identifiers == set(DCC_ENTITY_IDENTIFIERS.values())


def test_the_dcc_uses_each_identifier_in_one_role() -> None:
    """All the certificates of the demonstration, issued: `smki init`, the plugin's roles and the published identities."""
    with Smki.in_memory() as smki:
        for organisation in Dcc.of(smki).roles:
            assert smki.ledger.roles_certified(organisation.entity_identifier) == {organisation.role}
        wanted = [(each.entity, each.role, each.usage) for each in PUBLISHED_IDENTITIES]
        wanted += [(entity, role, usage) for role, entity in ENTITY_IDENTIFIERS.items() for usage in role.usages]
        for entity, role, usage in wanted:
            smki.issue_organisation(smki.make_organisation_request(entity, role, usage)[1])
        broker = EntityIdentifier.parse("90B3D51F30000002")
        used = {entity: smki.ledger.roles_certified(entity) for entity in CAST["DCC"].identifiers}
        assert used.pop(broker) == {RemotePartyRole.ACCESS_CONTROL_BROKER, RemotePartyRole.DSP_XML_SIGN}
        assert sorted(map(len, used.values())) == [1, 1, 1]


def test_there_is_a_pending_device_of_every_type_and_somebody_for_each() -> None:
    assert [device.device_id.hex for device in DEVICES] == [f"00DB1234567890A{number}" for number in range(7)]
    assert {device.device_type for device in DEVICES} == {kind for kind in DeviceType if kind.holds_certificates}
    for device in DEVICES:
        assert device.status is SmiStatus.PENDING
        applicants = [Applicant(party, party.officers[0].name) for party in PARTIES]
        assert any(decide(DeviceQuestion(applicant, device, TODAY)).eligible for applicant in applicants)
