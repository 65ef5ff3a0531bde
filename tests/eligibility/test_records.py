"""Parties, Testing Participants and Devices: reading what people type, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from smki.identity import EntityIdentifier, PartyId
from smki.problem import Malformed
from smki.sec.device import Device, DeviceType, Fuel, Responsible, SmetsVersion, SmiStatus, StatusNotAllowed
from smki.sec.party import (
    CATEGORIES_OF_ROLE,
    SUBSCRIBER_KINDS,
    Officer,
    Party,
    PartyCategory,
    Standing,
    StandingChange,
    TestingParticipant,
    TestPurpose,
    parse_day,
    parse_subscriber_kind,
)
from smki.sec.recorded_test import ParticipationMode, RecordedTest, parse_tests
from smki.sec.registry_fields import parse_registrant, registrant_fields
from smki.sec.role import CertificateKind, UserRole
from tests.eligibility.people import device

READ: list[tuple[Callable[[str], object], str, object]] = [
    (PartyCategory.parse, "dcc", PartyCategory.DCC),
    (PartyCategory.parse, "Large Supplier Party", PartyCategory.LARGE_SUPPLIER),
    (PartyCategory.parse, " small_supplier ", PartyCategory.SMALL_SUPPLIER),
    (PartyCategory.parse, "other-sec-party", PartyCategory.OTHER),
    (UserRole.parse, "IMPORT-SUPPLIER", UserRole.IMPORT_SUPPLIER),
    (UserRole.parse, "Registered Supplier Agent", UserRole.REGISTERED_SUPPLIER_AGENT),
    (Standing.parse, "Suspended", Standing.SUSPENDED),
    (TestPurpose.parse, "uept", TestPurpose.UEPT),
    (TestPurpose.parse, "device-and-user-system-tests", TestPurpose.DEVICE_AND_USER_SYSTEM_TESTS),
    (StandingChange.parse, "acceded 2016-11-08", StandingChange(Standing.ACCEDED, date(2016, 11, 8))),
    (parse_day, " 2016-11-08 ", date(2016, 11, 8)),
    (parse_subscriber_kind, "Device", CertificateKind.DEVICE),
    (Officer.parse, "Jo Bloggs", Officer("Jo Bloggs", SUBSCRIBER_KINDS)),
    (Officer.parse, "Jo Bloggs: device", Officer("Jo Bloggs", frozenset({CertificateKind.DEVICE}))),
    (PartyId.parse, " large-supplier ", PartyId("LARGE-SUPPLIER")),
    (SmiStatus.parse, "installed-not-commissioned", SmiStatus.INSTALLED_NOT_COMMISSIONED),
    (SmetsVersion.parse, "smets1", SmetsVersion.SMETS1),
    (SmetsVersion.parse, "2", SmetsVersion.SMETS2),
    (Fuel.parse, "GAS", Fuel.GAS),
    (Responsible.parse, "gas: large-supplier", Responsible(Fuel.GAS, PartyId("LARGE-SUPPLIER"))),
]


def _party(**fields: Any) -> Party:
    return Party.parse(**{"party_id": "P", "category": "large-supplier", **fields})


def _device(**fields: Any) -> Device:
    return Device.parse(**{"device_id": "00DB1234567890A0", "device_type": "esme", **fields})


def _participant(**fields: Any) -> TestingParticipant:
    return TestingParticipant.parse(**{"participant_id": "M", "tests": [{"purpose": "uept"}], **fields})


def _test(**fields: str) -> object:
    return parse_tests([{"purpose": "uept", **fields}])


REFUSED: list[tuple[Callable[[], object], str, str]] = [
    # What is read, the code, and something that the message says
    (lambda: PartyCategory.parse("supplier"), "party-category.unknown", "small-supplier"),
    (lambda: UserRole.parse(""), "user-role.unknown", "load-controller"),
    (lambda: Standing.parse("left"), "standing.unknown", "withdrawn"),
    (lambda: TestPurpose.parse("fun"), "test-purpose.unknown", "device-and-user-system-tests"),
    (lambda: StandingChange.parse("acceded"), "day.malformed", "2026-11-21"),
    (lambda: StandingChange.parse("acceded 2016-02-30"), "day.malformed", "2016-02-30"),
    (lambda: StandingChange.parse("2016-11-08"), "standing.unknown", "2016-11-08"),
    (lambda: parse_subscriber_kind("root-oca"), "certificate-kind.unknown", "root-oca"),
    (lambda: Officer.parse(": device"), "officer.malformed", "a name"),
    (lambda: Officer.parse("Jo:"), "officer.malformed", "for nothing"),
    (lambda: Officer.parse("Jo: root-oca"), "certificate-kind.unknown", "root-oca"),
    (lambda: Officer("Jo", frozenset({CertificateKind.ROOT_DCA})), "officer.malformed", "root-dca"),
    (lambda: PartyId.parse(""), "party-id.malformed", "1 to 32"),
    (lambda: PartyId.parse("-A"), "party-id.malformed", "hyphen"),
    (lambda: PartyId.parse("A" * 33), "party-id.malformed", "1 to 32"),
    (lambda: PartyId.parse("É"), "party-id.malformed", "letters"),
    (lambda: SmiStatus.parse("installed"), "smi-status.unknown", "installed-not-commissioned"),
    (lambda: SmetsVersion.parse("3"), "smets-version.unknown", "'3'"),
    (lambda: Fuel.parse("oil"), "fuel.unknown", "electricity"),
    (lambda: Responsible.parse("gas"), "responsible.malformed", "gas: LARGE-SUPPLIER"),
    (lambda: _party(party_id="a b"), "party-id.malformed", "A B"),
    (lambda: _party(user_roles="import-supplier,"), "user-role.unknown", "''"),
    (lambda: _party(identifiers="90B3"), "entity-identifier.malformed", "EUI-64"),
    (lambda: _party(quota="-1"), "quota.malformed", "-1"),
    (lambda: _party(quota="²"), "quota.malformed", "whole number"),
    (lambda: _party(standing="suspended 2020-01-01"), "party.standing-order", "an accession first"),
    (lambda: _party(standing="acceded 2020-01-02, suspended 2020-01-01"), "party.standing-order", "or later"),
    (lambda: _party(standing="withdrawn 2020-01-02, acceded 2020-01-02"), "party.standing-order", "or later"),
    (lambda: replace(_party(), name=" "), "party.no-name", "no name"),
    (lambda: replace(_party(), quota=-1), "quota.malformed", "-1"),
    (
        lambda: replace(_party(), authorised_for=frozenset({CertificateKind.ROOT_OCA})),
        "party.authorised-for",
        "Root OCA",
    ),
    (lambda: _participant(agreement="soon"), "day.malformed", "soon"),
    (lambda: _test(quota="many"), "quota.malformed", "many"),
    (lambda: RecordedTest.of(TestPurpose.UEPT, quota=-1), "quota.malformed", "-1"),
    (lambda: _test(test="-a"), "test.name", "hyphen"),
    (lambda: _test(test="a" * 33), "test.name", "1 to 32"),
    (lambda: _test(purpose="fun"), "test-purpose.unknown", "section-t"),
    (lambda: _test(roles="boss"), "role.unknown", "boss"),
    (lambda: _test(device_types="METER"), "device-type.unknown", "ESME"),
    (lambda: _test(identifiers="90B3"), "entity-identifier.malformed", "EUI-64"),
    (lambda: _test(on_behalf_of="A" * 129), "test.on-behalf-of", "128"),
    (lambda: _test(colour="red"), "test.fields", "colour"),
    (lambda: parse_tests([{"test": "a"}]), "test.fields", "purpose"),
    (lambda: _participant(tests=[{"purpose": "uept"}] * 2), "test.repeated", "uept"),
    (lambda: _party(tests=[{"purpose": "uept"}] * 2), "test.repeated", "uept"),
    (lambda: ParticipationMode.parse("loose"), "participation.unknown", "strict"),
    (lambda: replace(_participant(), name=""), "party.no-name", "no name"),
    (lambda: _device(device_type="METER"), "device-type.unknown", "ESME"),
    (lambda: _device(status="suspended"), "device.suspension", "status to return to"),
    (lambda: _device(returns_to="pending"), "device.suspension", "only then"),
    (lambda: _device(status="suspended", returns_to="decommissioned"), "device.suspension", "decommissioned"),
    (lambda: _device(status="suspended", returns_to="suspended"), "device.suspension", "suspended"),
    (lambda: _device(responsible="gas: A, gas: B"), "device.responsible-repeated", "gas: A and gas: B"),
]


@pytest.mark.parametrize(("parse", "text", "expected"), READ)
def test_is_read(parse: Callable[[str], object], text: str, expected: object) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(("make", "code", "says"), REFUSED)
def test_is_refused(make: Callable[[], object], code: str, says: str) -> None:
    with pytest.raises(Malformed) as caught:
        make()
    assert caught.value.code == code
    assert says in str(caught.value)
    assert caught.value.problems[0].seen
    assert caught.value.problems[0].expected


# Which categories each User Role goes with: the rest is refused when the record is made
FITS = {
    "import-supplier": {"large-supplier", "small-supplier"},
    "export-supplier": {"large-supplier", "small-supplier"},
    "gas-supplier": {"large-supplier", "small-supplier"},
    "electricity-distributor": {"electricity-network", "gas-network"},
    "gas-transporter": {"electricity-network", "gas-network"},
    "registered-supplier-agent": {
        "large-supplier", "small-supplier", "electricity-network", "gas-network", "other", "shared-resource",
    },
    "other-user": {"large-supplier", "small-supplier", "electricity-network", "gas-network", "other", "shared-resource"},
    "load-controller": {
        "large-supplier", "small-supplier", "electricity-network", "gas-network", "other", "shared-resource",
    },
}  # fmt: skip
CATEGORIES = (
    "dcc",
    "large-supplier",
    "small-supplier",
    "electricity-network",
    "gas-network",
    "other",
    "shared-resource",
)


@pytest.mark.parametrize("role", FITS)
def test_a_user_role_goes_with_its_categories(role: str) -> None:
    assert {PartyCategory.parse(category) for category in FITS[role]} == CATEGORIES_OF_ROLE[UserRole.parse(role)]
    assert len(CATEGORIES) == len(PartyCategory)
    for category in CATEGORIES:
        if category in FITS[role]:
            assert _party(category=category, user_roles=role).user_roles == {UserRole.parse(role)}
        else:
            with pytest.raises(Malformed) as caught:
                _party(category=category, user_roles=role)
            assert caught.value.code == "party.role-of-other-category"
            assert str(UserRole.parse(role)) in str(caught.value)


def test_a_party_with_everything() -> None:
    party = Party.parse(
        party_id="acme",
        name="Acme Energy",
        category="small-supplier",
        user_roles="gas-supplier, load-controller",
        standing="acceded 2016-11-08, suspended 2024-05-01",
        identifiers="90-B3-D5-1F-30-03-00-00, 90B3D51F30030001",
        authorised_for="device",
        officers=["Jo Bloggs: device", "Sam"],
        quota="20",
        acts_for="OTHER",
        tests=[
            {"purpose": "srept", "quota": "5", "roles": "supplier, 87", "device_types": "esme"},
            {"purpose": "section-t", "test": "ours", "identifiers": "90B3D51F30030001", "on_behalf_of": "Maker Ltd"},
        ],
    )
    assert [test.fields for test in party.tests] == [
        {
            "test": "srept",
            "purpose": "smki-and-repository-entry-process-tests",
            "quota": "5",
            "roles": "supplier, xmlSign",
            "device_types": "ESME",
        },
        {
            "test": "ours",
            "purpose": "tests-under-section-t",
            "identifiers": "90-B3-D5-1F-30-03-00-01",
            "on_behalf_of": "Maker Ltd",
        },
    ]
    assert [test.described for test in party.tests] == [
        "SMKI and Repository Entry Process Tests",
        "tests under Section T (ours), on behalf of Maker Ltd",
    ]
    assert parse_registrant(registrant_fields(party)) == party
    assert party.party_id == PartyId("ACME")
    assert party.acts_as == {UserRole.GAS_SUPPLIER, UserRole.LOAD_CONTROLLER}
    assert party.is_user
    assert party.accession_date == date(2016, 11, 8)
    assert [party.standing_on(date(year, 6, 1)) for year in (2015, 2020, 2024)] == [
        None,
        Standing.ACCEDED,
        Standing.SUSPENDED,
    ]
    assert EntityIdentifier.parse("90B3D51F30030001") in party.identifiers
    assert party.authorised_for == {CertificateKind.DEVICE}
    assert [officer.name for officer in party.officers] == ["Jo Bloggs", "Sam"]
    assert party.quota == 20


def test_a_participant_of_an_earlier_version_has_one_test() -> None:
    old = {"participant_id": "M", "name": "M", "purpose": "tests-under-section-t", "quota": "7", "officers": ["Jo"]}
    made = parse_registrant(dict(old))
    assert isinstance(made, TestingParticipant)
    assert [(test.name, test.purpose, test.quota) for test in made.tests] == [("section-t", TestPurpose.SECTION_T, 7)]
    assert parse_registrant(registrant_fields(made)) == made


def test_a_network_party_acts_by_its_licence() -> None:
    network = _party(category="gas-network")
    assert network.acts_as == {UserRole.GAS_TRANSPORTER}
    assert not network.is_user
    assert _party(category="other").acts_as == frozenset()
    assert _party().accession_date is None


# From each SMI status: those that it can change to
STEPS: dict[str, set[str]] = {
    "pending": {"installed not commissioned", "commissioned", "decommissioned", "suspended"},
    "installed not commissioned": {"commissioned", "decommissioned", "suspended"},
    "commissioned": {"decommissioned", "suspended"},
    "decommissioned": {"pending"},
    "suspended from pending": {"pending", "decommissioned"},
    "suspended from commissioned": {"commissioned", "decommissioned"},
}


@pytest.mark.parametrize("status", STEPS)
def test_steps_from_one_smi_status_to_another(status: str) -> None:
    start = device(status=status)
    for wanted in SmiStatus:
        if wanted.value not in STEPS[status]:
            with pytest.raises(StatusNotAllowed) as caught:
                start.with_status(wanted)
            assert start.status.value in str(caught.value)
        else:
            after = start.with_status(wanted)
            assert after.status is wanted
            assert after.returns_to is (start.status if wanted is SmiStatus.SUSPENDED else None)
            assert replace(after, status=start.status, returns_to=start.returns_to) == start


def test_a_decommissioned_device_may_be_used_again() -> None:
    assert device(status="decommissioned").with_status(SmiStatus.PENDING).status is SmiStatus.PENDING


def test_a_device_with_everything() -> None:
    made = Device.parse(
        device_id="00-DB-12-34-56-78-90-A0",
        device_type="gsme",
        status="suspended",
        returns_to="commissioned",
        smets_version="SMETS1",
        enrolled=True,
        responsible="electricity: A, gas: B",
    )
    assert (made.device_type, made.smets_version, made.enrolled) == (DeviceType.GSME, SmetsVersion.SMETS1, True)
    assert made.lasting_status is SmiStatus.COMMISSIONED
    assert (made.responsible_for(Fuel.ELECTRICITY), made.responsible_for(Fuel.GAS)) == (PartyId("A"), PartyId("B"))
    assert _device().responsible_for(Fuel.GAS) is None
