"""The gate: who applies, what is refused and recorded, and that nothing gets past it."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from smki import Application, CertificateKind, CertificateStatus, DeviceType, EntityIdentifier, Issued, Refusal, Smki
from smki.clock import FixedClock
from smki.codes import CODES
from smki.eligibility import Applicant, DeviceQuestion, OrganisationQuestion, decide
from smki.identity import PartyId
from smki.keys.private_key import SystemRandomness
from smki.ledger import ApplicationQuery, CertificateQuery, Conflict
from smki.pki.request import make_device_request, make_organisation_request
from smki.problem import Malformed, NotFound
from smki.registration import Actor, Apply
from smki.registration.acceptance import NotAcceptable
from smki.registration.bulk import LoadDevices, LoadParties, read_devices, read_parties
from smki.registration.devices import AddDevices, SetDeviceStatus, SetThreshold
from smki.registration.parties import known_registrant
from smki.sec.device import Device, SmiStatus
from smki.sec.party import Party, Standing, StandingChange, TestingParticipant
from smki.sec.registry_fields import registrant_id
from smki.sec.role import ORGANISATION_ROLES, KeyUsage, RemotePartyRole
from tests import commands
from tests.commands import TEST, accept, change_party, change_registrant, reject
from tests.repository.support import ask, serving
from tests.support import DEVICE, DS, KA, SUPPLIER, entity_of, run_cli

LARGE = PartyId("LARGE-SUPPLIER")
ORGANISATIONS = CertificateQuery(kinds=(CertificateKind.ORGANISATION,))


def device_request(entity: EntityIdentifier = DEVICE, usage: KeyUsage = DS) -> bytes:
    return make_device_request(SystemRandomness().private_key(""), entity, usage)


def organisation_request(entity: EntityIdentifier, role: RemotePartyRole, usage: KeyUsage = DS) -> bytes:
    return make_organisation_request(SystemRandomness().private_key(""), entity, role, usage)


Applying = tuple[Application, Actor]
"""An application, and who hands it in."""


def for_device(
    request: bytes, applicant: str = "", officer: str = "", device_type: DeviceType | None = None
) -> Applying:
    application = Application(kind=CertificateKind.DEVICE, request=request, device_type=device_type)
    return application, Actor(interface="test", party=applicant, officer=officer)


def for_organisation(request: bytes, applicant: str = "", officer: str = "", on_behalf_of: str = "") -> Applying:
    application = Application(kind=CertificateKind.ORGANISATION, request=request)
    return application, Actor(interface="test", party=applicant, officer=officer, on_behalf_of=on_behalf_of)


def apply(smki: Smki, applying: Applying) -> Issued | Refusal:
    return commands.apply(smki, *applying)


def codes(outcome: Issued | Refusal) -> list[str]:
    assert isinstance(outcome, Refusal)
    return [problem.code for problem in outcome.problems]


def set_status(smki: Smki, *statuses: SmiStatus) -> None:
    for status in statuses:
        smki.registration.execute(SetDeviceStatus(DEVICE, status), TEST)


# --- who applies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ORGANISATION_ROLES)
def test_the_owner_of_the_identifier_applies_unless_told_otherwise(smki: Smki, role: RemotePartyRole) -> None:
    outcome = apply(smki, for_organisation(organisation_request(entity_of(role), role)))
    assert isinstance(outcome, Issued)
    application = smki.ledger.application(outcome.record.application_id)
    assert application
    owner = smki.ledger.register.owner(entity_of(role))
    assert owner
    assert application.application.subscriber == registrant_id(owner)
    assert application.application.officer == owner.officers[0].name


@pytest.mark.parametrize(
    ("device_type", "statuses", "subscriber"),
    [
        (DeviceType.ESME, (), "MANUFACTURER"),
        (DeviceType.ESME, (SmiStatus.COMMISSIONED,), "LARGE-SUPPLIER"),
        (DeviceType.GSME, (SmiStatus.INSTALLED_NOT_COMMISSIONED,), "LARGE-SUPPLIER"),
        (DeviceType.CHF, (), "DCC"),
        (DeviceType.GPF, (SmiStatus.COMMISSIONED,), "DCC"),
        (DeviceType.PPMID, (), "MANUFACTURER"),
    ],
)
def test_the_first_who_may_applies_for_a_device(
    smki: Smki, device_type: DeviceType, statuses: tuple[SmiStatus, ...], subscriber: str
) -> None:
    entity = EntityIdentifier(b"\x11" * 8)
    device = Device(entity, device_type)
    for status in statuses:
        device = device.with_status(status)
    smki.registration.execute(AddDevices((device,)), TEST)
    outcome = apply(smki, for_device(device_request(entity)))
    assert isinstance(outcome, Issued)
    application = smki.ledger.application(outcome.record.application_id)
    assert application
    assert application.application.subscriber == subscriber


def test_the_responsible_party_comes_first(smki: Smki) -> None:
    device = Device.parse(
        device_id="1111111111111111",
        device_type="ESME",
        status="commissioned",
        responsible="electricity: SMALL-SUPPLIER",
    )
    smki.registration.execute(AddDevices((device,)), TEST)
    outcome = apply(smki, for_device(device_request(device.device_id)))
    assert isinstance(outcome, Issued)
    application = smki.ledger.application(outcome.record.application_id)
    assert application
    assert application.application.subscriber == "SMALL-SUPPLIER"


def test_a_device_that_is_not_in_the_inventory(smki: Smki) -> None:
    entity = EntityIdentifier(b"\x22" * 8)
    assert codes(apply(smki, for_device(device_request(entity)))) == ["device.unknown"]
    assert smki.ledger.register.device(entity) is None
    outcome = apply(smki, for_device(device_request(entity), device_type=DeviceType.GSME))
    assert isinstance(outcome, Issued)
    added = smki.ledger.register.device(entity)
    assert added == Device(entity, DeviceType.GSME, under_test=PartyId("MANUFACTURER"))


def test_a_device_that_is_said_to_be_something_else(smki: Smki) -> None:
    assert codes(apply(smki, for_device(device_request(), device_type=DeviceType.GSME))) == ["device.other-type"]
    assert isinstance(apply(smki, for_device(device_request(), device_type=DeviceType.ESME)), Issued)


def test_a_device_that_somebody_adds_as_something_else_first(smki: Smki) -> None:
    """The decision is made inside the transaction, so that what another added before it counts, as late as it came."""
    entity = EntityIdentifier(b"\x77" * 8)
    prepared = Apply(for_device(device_request(entity), device_type=DeviceType.ESME)[0]).prepare()
    smki.registration.execute(AddDevices((Device(entity, DeviceType.CHF),)), TEST)
    outcome = smki.registration.execute(prepared, Actor(interface="test", party="MANUFACTURER"))
    assert codes(outcome) == ["device.other-type"]
    assert smki.ledger.register.device(entity) == Device(entity, DeviceType.CHF)
    assert not list(smki.ledger.certificates(CertificateQuery(entity_identifier=entity)))


def test_a_refused_application_adds_no_device(smki: Smki) -> None:
    entity = EntityIdentifier(b"\x22" * 8)
    outcome = apply(smki, for_device(device_request(entity), "OTHER-USER", "", DeviceType.CHF))
    assert codes(outcome)
    assert smki.ledger.register.device(entity) is None


# --- what is refused ------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[str, Callable[[Smki], Applying], str]] = [
    ("somebody else's EUI-64", lambda _: for_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER), "SMALL-SUPPLIER"), "entity-identifier.not-owned"),
    ("an EUI-64 of nobody", lambda _: for_organisation(organisation_request(EntityIdentifier(b"\x33" * 8), RemotePartyRole.OTHER)), "entity-identifier.no-owner"),
    ("an unknown Party", lambda _: for_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER), "NOBODY"), "party.none"),
    ("a name that is no Party ID", lambda _: for_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER), "no body!"), "party.none"),
    ("an unknown officer", lambda _: for_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER), "", "Mallory"), "officer.unknown"),
    ("a role of the DCC", lambda _: for_organisation(organisation_request(SUPPLIER, RemotePartyRole.RECOVERY)), "role.dcc-only"),
    ("an agent as supplier", lambda _: for_organisation(organisation_request(EntityIdentifier.parse("00DB123456780004"), RemotePartyRole.SUPPLIER)), "role.not-a-supplier"),
    ("on behalf of nobody", lambda _: for_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER), "SHARED-RESOURCE", "", "NOBODY"), "acting-for.not-a-party"),
    ("on behalf of one that has not named it", lambda _: for_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER), "SHARED-RESOURCE", "", "LARGE-SUPPLIER"), "acting-for.not-named"),
    ("a manufacturer for an Organisation", lambda _: for_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER), "MANUFACTURER"), "participant.organisation-certificate"),
    ("a hub for a supplier", lambda _: for_device(device_request(EntityIdentifier.parse("00DB1234567890A2")), "LARGE-SUPPLIER"), "device.communications-hub"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "code"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_refusals_are_recorded_with_every_reason(
    smki: Smki, name: str, make: Callable[[Smki], Applying], code: str
) -> None:
    before = smki.ledger.count_certificates()
    applying = make(smki)
    outcome = apply(smki, applying)
    assert code.partition(".")[0] in {found.partition(".")[0] for found in codes(outcome)}
    assert isinstance(outcome, Refusal)
    recorded = smki.ledger.application(outcome.application_id)
    assert recorded
    assert recorded.reasons == outcome.problems
    assert not recorded.granted
    assert recorded.application.request == applying[0].request
    assert recorded.serial_number is None
    assert smki.ledger.count_certificates() == before
    for problem in outcome.problems:
        assert problem.clause or problem.basis or not CODES[problem.code].clause
        assert problem.expected
        assert problem.remedy


def test_a_request_that_makes_no_sense_is_recorded_too(smki: Smki) -> None:
    outcome = apply(smki, for_device(b"\x30\x00"))
    assert isinstance(outcome, Refusal)
    recorded = smki.ledger.application(outcome.application_id)
    assert recorded
    assert recorded.application.request == b"\x30\x00"
    assert [reason.code for reason in recorded.reasons] == codes(outcome)


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (Standing.SUSPENDED, "party.suspended"),
        (Standing.EXPELLED, "party.expelled"),
        (Standing.WITHDRAWN, "party.withdrawn"),
    ],
)
def test_standing(smki: Smki, standing: Standing, code: str) -> None:
    today = smki.clock.now().date()
    change_party(smki, LARGE, lambda party: replace(party, standing=(*party.standing, StandingChange(standing, today))))
    assert codes(apply(smki, for_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER)))) == [code]
    change_party(smki, LARGE, lambda party: replace(party, standing=party.standing[:1]))
    assert isinstance(apply(smki, for_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER))), Issued)


def test_a_shared_resource_applies_for_the_user_that_named_it(smki: Smki) -> None:
    small = EntityIdentifier.parse("90B3D51F30030000")
    application = for_organisation(
        organisation_request(small, RemotePartyRole.SUPPLIER), "SHARED-RESOURCE", "", "SMALL-SUPPLIER"
    )
    outcome = apply(smki, application)
    assert isinstance(outcome, Issued)
    recorded = smki.ledger.application(outcome.record.application_id)
    assert recorded
    assert (recorded.application.subscriber, recorded.application.applied_by) == ("SMALL-SUPPLIER", "SHARED-RESOURCE")


def test_one_certificate_for_a_public_key(smki: Smki) -> None:
    request = device_request()
    smki.issue_device(request)
    assert codes(apply(smki, for_device(request))) == ["public-key.already-certified"]
    other = make_device_request(key := SystemRandomness().private_key(""), DEVICE, DS)
    smki.issue_device(other)
    assert codes(apply(smki, for_device(make_device_request(key, DEVICE, KA)))) == ["public-key.already-certified"]


def test_the_quota_of_a_participant(smki: Smki) -> None:
    def with_quota(found: Party | TestingParticipant) -> TestingParticipant:
        assert isinstance(found, TestingParticipant)
        return replace(found, tests=(replace(found.tests[0], quota=2),))

    change_registrant(smki, PartyId("MANUFACTURER"), with_quota)
    for _ in range(2):
        assert isinstance(apply(smki, for_device(device_request(), "MANUFACTURER")), Issued)
    assert codes(apply(smki, for_device(device_request(), "MANUFACTURER"))) == ["participant.quota-reached"]
    assert isinstance(apply(smki, for_device(device_request(), "LARGE-SUPPLIER")), Issued)


def test_a_commissioned_meter_is_its_suppliers_alone(smki: Smki) -> None:
    set_status(smki, SmiStatus.COMMISSIONED)
    refused = codes(apply(smki, for_device(device_request(), "OTHER-USER")))
    assert len(refused) == 1
    set_status(smki, SmiStatus.SUSPENDED)
    assert codes(apply(smki, for_device(device_request(), "OTHER-USER"))) == refused
    set_status(smki, SmiStatus.COMMISSIONED)
    assert isinstance(apply(smki, for_device(device_request(), "LARGE-SUPPLIER")), Issued)


# --- the limit of a Device ------------------------------------------------------------------------------------------


def fill_up(home: Path, count: int) -> None:
    with Smki.open(home) as smki:
        for _ in range(count):
            smki.issue_device(device_request())


def test_the_hundredth_certificate_and_the_next(home: Path) -> None:
    fill_up(home, 100)
    with Smki.open(home) as smki:
        assert codes(apply(smki, for_device(device_request()))) == ["device.limit-reached"]
        smki.registration.execute(SetThreshold(DEVICE, 101), TEST)
        assert isinstance(apply(smki, for_device(device_request())), Issued)
        assert codes(apply(smki, for_device(device_request()))) == ["device.limit-reached"]


def race(home: Path, applying: Applying, barrier: Any, results: Any) -> None:
    with Smki.open(home) as smki:
        prepared = Apply(applying[0]).prepare()
        barrier.wait(30)
        outcome = smki.registration.execute(prepared, applying[1])
        results.put("issued" if isinstance(outcome, Issued) else outcome.problems[0].code)


def outcomes_of_race(home: Path, *applying: Applying) -> list[str]:
    """What comes of applications that as many processes hand in at the same moment."""
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(len(applying)), fork.Queue()
    racers = [fork.Process(target=race, args=(home, each, barrier, results)) for each in applying]
    for racer in racers:
        racer.start()
    outcomes = sorted(results.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join()
    return outcomes


def outcomes_among_threads(smki: Smki, *applying: Applying) -> list[str]:
    """The same for as many threads of this process."""
    barrier = threading.Barrier(len(applying))

    def of(each: Applying) -> str:
        prepared = Apply(each[0]).prepare()
        barrier.wait(30)
        outcome = smki.registration.execute(prepared, each[1])
        return "issued" if isinstance(outcome, Issued) else outcome.problems[0].code

    with ThreadPoolExecutor(len(applying)) as pool:
        return sorted(pool.map(of, applying))


def test_two_processes_race_for_the_hundredth_certificate(home: Path) -> None:
    fill_up(home, 99)
    outcomes = outcomes_of_race(home, for_device(device_request()), for_device(device_request()))
    assert outcomes == ["device.limit-reached", "issued"]
    with Smki.open(home) as smki:
        assert smki.ledger.certificates_for_device(DEVICE) == 100


def test_eight_threads_race_for_the_hundredth_certificate(smki: Smki) -> None:
    for _ in range(99):
        smki.issue_device(device_request())
    outcomes = outcomes_among_threads(smki, *(for_device(device_request()) for _ in range(8)))
    assert outcomes == ["device.limit-reached"] * 7 + ["issued"]
    assert smki.ledger.certificates_for_device(DEVICE) == 100


def with_quota_left(smki: Smki, left: int) -> None:
    def limited(found: Party | TestingParticipant) -> TestingParticipant:
        assert isinstance(found, TestingParticipant)
        return replace(found, tests=(replace(found.tests[0], quota=2 + left),))

    for _ in range(2):
        assert isinstance(apply(smki, for_device(device_request(), "MANUFACTURER")), Issued)
    change_registrant(smki, PartyId("MANUFACTURER"), limited)


def test_two_processes_race_for_the_last_certificate_of_a_quota(home: Path) -> None:
    with Smki.open(home) as smki:
        with_quota_left(smki, 1)
    outcomes = outcomes_of_race(home, *(for_device(device_request(), "MANUFACTURER") for _ in range(2)))
    assert outcomes == ["issued", "participant.quota-reached"]
    with Smki.open(home) as smki:
        assert smki.ledger.certificates_issued_to("MANUFACTURER") == 3


def test_eight_threads_race_for_the_last_two_certificates_of_a_quota(smki: Smki) -> None:
    with_quota_left(smki, 2)
    outcomes = outcomes_among_threads(smki, *(for_device(device_request(), "MANUFACTURER") for _ in range(8)))
    assert outcomes == ["issued"] * 2 + ["participant.quota-reached"] * 6
    assert smki.ledger.certificates_issued_to("MANUFACTURER") == 4


def test_two_processes_race_with_one_public_key(home: Path) -> None:
    request = device_request()
    assert outcomes_of_race(home, for_device(request), for_device(request)) == [
        "issued",
        "public-key.already-certified",
    ]
    with Smki.open(home) as smki:
        (record,) = smki.ledger.certificates(CertificateQuery(entity_identifier=DEVICE))
        assert smki.ledger.certificates_of_key(record.certificate.public_key_info) == [record]
        assert smki.check().problems == ()


# --- the same words everywhere --------------------------------------------------------------------------------------


def test_the_same_refusal_through_the_command_line_python_and_http(home: Path, tmp_path: Path) -> None:
    role, entity = RemotePartyRole.NETWORK_OPERATOR, SUPPLIER
    (tmp_path / "x.csr").write_bytes(organisation_request(entity, role))
    with Smki.open(home) as smki:
        outcome = apply(smki, for_organisation((tmp_path / "x.csr").read_bytes()))
        assert isinstance(outcome, Refusal)
        python = [problem.as_json() for problem in outcome.problems]
    result = run_cli("issue", "organisation", "--csr", tmp_path / "x.csr", "--home", home)
    assert result.returncode == 2
    for problem in python:
        text = result.stderr.decode()
        assert all(
            part in text
            for part in (problem["code"], problem["clause"], problem["seen"], problem["expected"], problem["remedy"])
        )
    answer = run_cli("eligible", "organisation", "--eui", entity.hex, "--role", role.label, "--json", "--home", home)
    assert answer.returncode == 1
    command_line = [each["problem"] for each in json.loads(answer.stdout)["applied"] if not each["held"]]
    with serving(home) as served:
        body = json.dumps({"entityIdentifier": entity.hyphenated, "role": role.label}).encode()
        is_json = {"Content-Type": "application/json"}
        reply = ask(f"{served.url}/api/v1/eligibility/organisation", body, headers=is_json)
        assert reply.status == 200
        http = [each["problem"] for each in json.loads(reply.body)["applied"] if not each["held"]]
        for bad, code in ((b"", "body.malformed"), (b"[]", "body.malformed"), (b'{"colour": "red"}', "body.field"),
                          (b'{"role": "supplier"}', "body.field-missing"), (b'{"entityIdentifier": 5, "role": "x"}', "body.field"),
                          (b'{"entityIdentifier": "12", "role": "supplier"}', "entity-identifier.malformed"),
                          (b'{"entityIdentifier": "90B3D51F30010000", "role": "king"}', "role.unknown"),
                          (b'{"entityIdentifier": "3333333333333333", "role": "other"}', "entity-identifier.no-owner")):  # fmt: skip
            reply = ask(f"{served.url}/api/v1/eligibility/organisation", bad, headers=is_json)
            assert reply.status == (422 if code == "entity-identifier.no-owner" else 400)
            assert json.loads(reply.body)["problems"][0]["code"] == code
        reply = ask(
            f"{served.url}/api/v1/eligibility/device",
            json.dumps({"entityIdentifier": DEVICE.hex, "applicant": "DCC"}).encode(),
            headers=is_json,
        )
        assert json.loads(reply.body)["eligible"] is True
    assert command_line == http == python


# --- the record -----------------------------------------------------------------------------------------------------


def test_the_record_of_applications(home: Path) -> None:
    with Smki.open(home) as smki:
        smki.issue_device(device_request())
        apply(smki, for_device(device_request(EntityIdentifier(b"\x44" * 8)), "LARGE-SUPPLIER"))
        refused = list(smki.ledger.applications(ApplicationQuery(granted=False)))
        assert [record.reasons[0].code for record in refused] == ["device.unknown"]
        assert len(list(smki.ledger.applications(ApplicationQuery(subscriber="MANUFACTURER")))) == 1
        assert len(list(smki.ledger.applications(ApplicationQuery(entity_identifier=DEVICE)))) == 1
        assert len(list(smki.ledger.applications(ApplicationQuery(kind=CertificateKind.DEVICE)))) == 2
    rows = [json.loads(line) for line in run_cli("applications", "list", "--home", home, "--json").stdout.splitlines()]
    assert len(rows) == 12
    assert [row["granted"] for row in rows].count(False) == 1
    shown = run_cli("applications", "show", str(refused[0].id), "--home", home).stdout.decode()
    assert "device.unknown" in shown
    assert "LARGE-SUPPLIER" in shown
    assert run_cli("applications", "show", "999", "--home", home).returncode == 2
    assert len(run_cli("applications", "list", "--refused", "--home", home).stdout.splitlines()) == 1


# --- duties of subscribers ------------------------------------------------------------------------------------------


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    """A home in which Organisation Certificates are pending for a day."""
    Smki.create(tmp_path / "patient", deemed_accepted_after=timedelta(days=1)).close()
    return tmp_path / "patient"


def test_pending_until_accepted_or_deemed_so(patient: Path) -> None:
    with Smki.open(patient) as smki:
        record = smki.issue_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER)).record
        other = smki.issue_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, KA)).record
        now = smki.clock.now()
        assert record.status_at(now) is CertificateStatus.PENDING
        pending = CertificateQuery(status=CertificateStatus.PENDING, moment=now, entity_identifier=SUPPLIER)
        assert [found.id for found in smki.ledger.certificates(pending)] == [record.id, other.id]
        accepted = accept(smki, record.serial_number)
        assert accepted.status_at(now) is CertificateStatus.IN_USE
        assert [found.id for found in smki.ledger.certificates(pending)] == [other.id]
        with pytest.raises(NotAcceptable):
            accept(smki, record.serial_number)
        later = now + timedelta(days=1)
        assert other.status_at(later) is CertificateStatus.IN_USE
        in_use = CertificateQuery(status=CertificateStatus.IN_USE, moment=later, entity_identifier=SUPPLIER)
        assert [found.id for found in smki.ledger.certificates(in_use)] == [record.id, other.id]
        assert smki.issue_device(device_request()).record.status_at(now) is CertificateStatus.IN_USE


def test_rejecting_an_organisation_certificate(patient: Path) -> None:
    with Smki.open(patient) as smki:
        record = smki.issue_organisation(organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER)).record
    result = run_cli(
        "reject", record.serial_number.hex, "--because", "wrong key", "--party", "LARGE-SUPPLIER", "--home", patient
    )
    assert result.returncode == 0, result.stderr
    assert b"agrees with the request" in result.stdout
    with Smki.open(patient) as smki:
        found = smki.ledger.certificate(record.serial_number)
        assert found
        assert found.stored_status in (CertificateStatus.NOT_IN_USE, CertificateStatus.REVOKED)
        with pytest.raises(NotAcceptable):
            accept(smki, record.serial_number)
    events = (
        sqlite3.connect(patient / "ledger.sqlite")
        .execute("SELECT event, detail FROM audit_event WHERE event = 'rejected'")
        .fetchall()
    )
    assert events == [("rejected", "wrong key")]


def test_rejecting_a_device_certificate_is_recorded_and_no_more(smki: Smki) -> None:
    record = smki.issue_device(device_request()).record
    rejection = reject(smki, record.serial_number, "unexpected")
    assert rejection.record.stored_status is CertificateStatus.IN_USE
    assert rejection.differences == ()


def test_a_certificate_that_differs_from_its_request_is_told_where(smki: Smki) -> None:
    from smki.pki.request import CertificationRequest, read_request
    from smki.registration.comparison import differences

    certificate = smki.issue_device(device_request()).record.certificate
    other = CertificationRequest.of(read_request(device_request(EntityIdentifier(b"\x55" * 8), KA)))
    assert [problem.subject for problem in differences(certificate, other)] == [
        "public key",
        "keyUsage",
        "subjectAltName",
    ]


def test_accepting_what_is_not_there(home: Path) -> None:
    for words in (("accept", "1234"), ("reject", "1234", "--because", "x")):
        command = (*words, "--party", "LARGE-SUPPLIER")
        result = run_cli(*command, "--home", home)
        assert result.returncode == 2
        assert b"certificate.unknown" in result.stderr


# --- Parties and Devices on the command line ------------------------------------------------------------------------


def test_a_party_from_its_accession_to_its_first_certificate(home: Path, tmp_path: Path) -> None:
    def smki(*words: str) -> str:
        result = run_cli(*words, "--home", home, cwd=tmp_path)
        assert result.returncode == 0, (words, result.stderr)
        return result.stdout.decode()

    smki(
        "party",
        "add",
        "acme",
        "--category",
        "large-supplier",
        "--role",
        "import-supplier",
        "--officer",
        "Jo Bloggs: organisation",
    )
    identifier = smki("party", "assign-eui", "ACME").strip()
    assert EntityIdentifier.parse(identifier) == EntityIdentifier.parse("90-B3-D5-1F-30-04-00-01")
    issue = ("issue", "organisation", "--eui", identifier, "--role", "supplier", "--usage", "ds")
    smki(*issue, "--out", "one.pem")
    smki("party", "suspend", "ACME")
    result = run_cli(*issue, "--out", "two.pem", "--home", home, cwd=tmp_path)
    assert result.returncode == 2
    assert b"party.suspended" in result.stderr
    assert not (tmp_path / "two.key").exists()
    smki("party", "reinstate", "ACME")
    smki(*issue, "--out", "three.pem")
    device = ("issue", "device", "--eui", DEVICE.hex, "--usage", "ds", "--applicant", "ACME", "--out", "meter.pem")
    assert b"officer.other-kind" in run_cli(*device, "--home", home, cwd=tmp_path).stderr
    smki("party", "appoint", "ACME", "Jo Bloggs")
    smki(*device)
    shown = json.loads(smki("party", "show", "ACME", "--json"))
    assert shown["certificates"] == 3
    assert [change.split()[0] for change in shown["standing"].split(", ")] == ["acceded", "suspended", "acceded"]
    assert "ACME" in smki("party", "list")
    for command, standing in (("expel", "expelled"), ("withdraw", "withdrawn")):
        assert standing in smki("party", command, "ACME", "--since", "2030-01-01")


def test_devices_on_the_command_line(home: Path) -> None:
    def smki(*words: str, code: int = 0) -> str:
        result = run_cli(*words, "--home", home)
        assert result.returncode == code, (words, result.stderr)
        return (result.stdout if code == 0 else result.stderr).decode()

    smki("device", "add", "66-66-66-66-66-66-66-66", "--type", "gsme", "--responsible", "gas: LARGE-SUPPLIER")
    smki("device", "set-status", "6666666666666666", "commissioned")
    smki("device", "set-status", "6666666666666666", "suspended")
    assert json.loads(smki("device", "show", "6666666666666666", "--json"))["returns_to"] == "commissioned"
    assert "device.status-not-allowed" in smki("device", "set-status", "6666666666666666", "pending", code=2)
    smki("device", "set-status", "6666666666666666", "commissioned")
    assert len(smki("device", "list").splitlines()) == 8
    assert len(smki("device", "list", "--type", "GSME", "--status", "commissioned").splitlines()) == 1
    smki("device", "raise-limit", "6666666666666666", "150")
    assert json.loads(smki("device", "show", "6666666666666666", "--json"))["threshold"] == 150
    for words, code in (
        (("device", "show", "7777777777777777"), "device.unknown"),
        (("device", "add", "6666666666666666", "--type", "ESME"), "device.exists"),
        (("device", "add", "7777777777777777", "--type", "toaster"), "device-type.unknown"),
        (("device", "raise-limit", "6666666666666666", "5"), "device.threshold"),
        (("device", "raise-limit", "7777777777777777", "150"), "device.unknown"),
        (("device", "set-status", "6666666666666666", "exploded"), "smi-status.unknown"),
    ):
        assert code in smki(*words, code=2)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("party", "add", "NEW", "--category", "king"), "party-category.unknown"),
        (("party", "add", "NEW", "--category", "other", "--role", "juggler"), "user-role.unknown"),
        (("party", "add", "NEW", "--category", "other", "--role", "import-supplier"), "party.role-of-other-category"),
        (("party", "add", "NEW", "--category", "other", "--eui", "90B3D51F30010000"), "entity-identifier.taken"),
        (("party", "add", "DCC", "--category", "dcc"), "party.exists"),
        (("party", "add", "N W", "--category", "dcc"), "party-id.malformed"),
        (("party", "show", "NOBODY"), "party.unknown"),
        (("party", "suspend", "NOBODY"), "party.unknown"),
        (("party", "suspend", "DCC", "--since", "yesterday"), "day.malformed"),
        (("party", "suspend", "MANUFACTURER"), "party.unknown"),
        (("party", "assign-eui", "NOBODY"), "party.unknown"),
        (("participant", "add", "NEW", "--purpose", "fun"), "test-purpose.unknown"),
        (("participant", "add", "NEW", "--purpose", "section-t", "--quota", "many"), "quota.malformed"),
        (("eligible", "organisation", "--eui", "3333333333333333", "--role", "other"), "entity-identifier.no-owner"),
        (("eligible", "device", "--eui", "3333333333333333"), "device.unknown"),
        (("eligible", "device", "--eui", "00DB1234567890A0", "--as-of", "soon"), "day.malformed"),
        (("provisions", "--as-of", "soon"), "day.malformed"),
    ],
)
def test_bad_words(home: Path, words: tuple[str, ...], code: str) -> None:
    result = run_cli(*words, *(() if words[0] == "provisions" else ("--home", str(home))))
    assert result.returncode == 2
    assert code in result.stderr.decode()
    assert b"Traceback" not in result.stderr
    with Smki.open(home) as smki:
        assert len(smki.ledger.register.registrants()) == 10


def test_an_earlier_day_gets_that_days_answer(home: Path) -> None:
    """SEC G1.10 excepts SMETS1 Devices from Sections G2 to G9 from 8 November 2018, and decides nothing."""
    assert (
        run_cli("device", "add", "7777777777777777", "--type", "ESME", "--smets", "1", "--home", home).returncode == 0
    )
    question = ("eligible", "device", "--eui", "7777777777777777", "--applicant", "LARGE-SUPPLIER", "--home", str(home))
    for day, said in (("2018-11-07", b"apply to it: yes"), ("2018-11-08", b"apply to it: no")):
        answer = run_cli(*question, "--as-of", day)
        assert answer.returncode == 0
        assert said in answer.stdout
    before = {row["key"] for row in json.loads(run_cli("provisions", "--as-of", "2018-07-21", "--json").stdout)}
    all_rows = {row["key"] for row in json.loads(run_cli("provisions", "--json").stdout)}
    assert len(all_rows - before) == 2


# --- many at once ---------------------------------------------------------------------------------------------------

HEADER = "party_id,category,user_roles,standing,identifiers,officers\n"


def party_rows(count: int) -> list[str]:
    return [
        f"P-{number},large-supplier,import-supplier,acceded 2020-01-01,{0xAA00000000000000 + number:016X},Jo {number}: organisation; Al {number}\n"
        for number in range(count)
    ]


def test_a_thousand_parties_and_devices(home: Path, tmp_path: Path) -> None:
    (tmp_path / "parties.csv").write_text(HEADER + "".join(party_rows(1000)))
    result = run_cli("party", "load", tmp_path / "parties.csv", "--home", home)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1001
    devices = [
        {"device_id": f"{0xBB00000000000000 + number:016X}", "device_type": "ESME", "enrolled": True}
        for number in range(1000)
    ]
    (tmp_path / "devices.json").write_text(json.dumps(devices))
    result = run_cli("device", "load", tmp_path / "devices.json", "--home", home)
    assert result.returncode == 0, result.stderr
    with Smki.open(home) as smki:
        assert len(smki.ledger.register.registrants()) == 1010
        owner = smki.ledger.register.owner(EntityIdentifier.parse("AA000000000003E7"))
        assert owner
        assert [officer.name for officer in owner.officers] == ["Jo 999", "Al 999"]
        assert len(list(smki.ledger.register.devices())) == 1007


@pytest.mark.parametrize(
    ("bad", "code", "where"),
    [
        ("P-730,large-supplier,juggler,acceded 2020-01-01,,\n", "user-role.unknown", "row 731, column user_roles"),
        ("P-730,king,,,,\n", "party-category.unknown", "row 731, column category"),
        ("P-730,other,,acceded yesterday,,\n", "day.malformed", "row 731, column standing"),
        ("P-730,other,,,90B3D51F3001000,\n", "entity-identifier.malformed", "row 731, column identifiers"),
        ("P-730,other,,,AA00000000000000,\n", "entity-identifier.taken", "row 731, column identifiers"),
        ("P-730,other,,,90B3D51F30010000,\n", "entity-identifier.taken", "row 731, column identifiers"),
        ("P-1,other,,,,\n", "party.exists", "row 731, column party_id"),
        ("DCC,dcc,,,,\n", "party.exists", "row 731, column party_id"),
        ("P-730,other\n", "row.length", "row 731"),
        ("P-730,,,,,\n", "row.incomplete", "row 731"),
    ],
)
def test_one_bad_row_and_nothing_is_loaded(home: Path, bad: str, code: str, where: str) -> None:
    rows = party_rows(1000)
    rows[730] = bad
    with Smki.open(home) as smki:
        with pytest.raises((Malformed, Conflict)) as caught:
            load_parties(smki, (HEADER + "".join(rows)).encode(), "parties.csv")
        (problem,) = caught.value.problems
        assert problem.code == code
        assert where in problem.subject
        assert len(smki.ledger.register.registrants()) == 10


def load_parties(smki: Smki, data: bytes, name: str) -> None:
    smki.registration.execute(LoadParties(tuple(read_parties(data, name))), TEST)


def load_devices(smki: Smki, data: bytes, name: str) -> None:
    smki.registration.execute(LoadDevices(tuple(read_devices(data, name))), TEST)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"party_id,colour\nA,red\n", "column.unknown"),
        (b"party_id,category\n", "input.no-rows"),
        (b"", "input.no-rows"),
        (b"\xff\xfe", "input.not-text"),
        (b'[{"party_id": "A"', "input.json"),
        (b'{"party_id": "A"}', "input.json"),
        (b'party_id,category\n"A,other\n', "input.csv"),
    ],
)
def test_files_that_are_none(smki: Smki, data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        load_parties(smki, data, "parties")
    assert caught.value.code == code
    assert len(smki.ledger.register.registrants()) == 10


def test_every_bad_device_row_is_named(smki: Smki) -> None:
    data = b"device_id,device_type\n00DB1234567890A0,ESME\n1212121212121212,toaster\n1313131313131313,GSME\n"
    with pytest.raises(Malformed) as caught:
        load_devices(smki, data, "devices.csv")
    assert [problem.code for problem in caught.value.problems] == ["device-type.unknown"]
    with pytest.raises(Conflict) as clash:
        load_devices(smki, data.replace(b"toaster", b"CHF"), "devices.csv")
    assert [(problem.code, problem.subject[:5]) for problem in clash.value.problems] == [("device.exists", "row 1")]
    assert len(list(smki.ledger.register.devices())) == 7


# --- nothing gets past it -------------------------------------------------------------------------------------------


class Gate(RuleBasedStateMachine):
    """Whatever is done in whatever order: who got a certificate was eligible at that moment."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.directory = tempfile.TemporaryDirectory()
        self.day = date(2026, 1, 1)
        Smki.create(Path(self.directory.name) / "pki", at=datetime(2026, 1, 1, tzinfo=UTC)).close()
        self.smki = Smki.open(Path(self.directory.name) / "pki", FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))

    parties = st.sampled_from(
        [
            "DCC",
            "LARGE-SUPPLIER",
            "SMALL-SUPPLIER",
            "ELECTRICITY-NETWORK",
            "OTHER-USER",
            "SUPPLIER-AGENT",
            "MANUFACTURER",
            "NOBODY",
        ]
    )
    devices = st.sampled_from([f"00DB1234567890A{number}" for number in range(7)])

    @rule(party=parties, standing=st.sampled_from(list(Standing)))
    def change_standing(self, party: str, standing: Standing) -> None:
        found = self.smki.ledger.register.registrant(PartyId(party))
        if isinstance(found, Party):
            self.day += timedelta(days=1)
            self.smki.clock = FixedClock(datetime.combine(self.day, datetime.min.time(), UTC))
            self.smki.registration._clock = self.smki.clock
            change_party(
                self.smki,
                PartyId(party),
                lambda of: replace(of, standing=(*of.standing, StandingChange(standing, self.day))),
            )

    @rule(device=devices, status=st.sampled_from(list(SmiStatus)))
    def change_status(self, device: str, status: SmiStatus) -> None:
        entity = EntityIdentifier.parse(device)
        found = self.smki.ledger.register.device(entity)
        assert found
        if status in found.next_statuses:
            self.smki.registration.execute(SetDeviceStatus(entity, status), TEST)

    @rule(party=parties, device=devices)
    def apply_for_a_device(self, party: str, device: str) -> None:
        entity = EntityIdentifier.parse(device)
        outcome = apply(self.smki, for_device(device_request(entity), party))
        who, found = self.smki.ledger.register.registrant(PartyId(party)), self.smki.ledger.register.device(entity)
        assert found
        if isinstance(outcome, Issued):
            assert who is not None
            assert decide(DeviceQuestion(Applicant(who, who.officers[0].name), found, self.day)).eligible
        elif who is not None:
            assert not decide(DeviceQuestion(Applicant(who, who.officers[0].name), found, self.day)).eligible

    @rule(party=parties, role=st.sampled_from(ORGANISATION_ROLES))
    def apply_for_an_organisation(self, party: str, role: RemotePartyRole) -> None:
        entity = entity_of(role)
        outcome = apply(self.smki, for_organisation(organisation_request(entity, role), party))
        who = self.smki.ledger.register.registrant(PartyId(party))
        if isinstance(outcome, Issued):
            assert who is not None
            assert decide(
                OrganisationQuestion(Applicant(who, who.officers[0].name), role, DS, entity, self.day)
            ).eligible

    def teardown(self) -> None:
        if hasattr(self, "smki"):
            granted = sum(1 for record in self.smki.ledger.applications(ApplicationQuery(granted=True)))
            assert granted == self.smki.ledger.count_certificates()
            self.smki.close()
            self.directory.cleanup()


TestGate = Gate.TestCase
TestGate.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_unknown_parties_are_named(smki: Smki) -> None:
    with pytest.raises(NotFound) as caught:
        known_registrant(smki.ledger, PartyId("NOBODY"))
    assert caught.value.code == "party.unknown"
    assert not list(smki.ledger.certificates(replace(ORGANISATIONS, entity_identifier=SUPPLIER)))
