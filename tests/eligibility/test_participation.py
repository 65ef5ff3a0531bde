"""Who takes part in tests, and what its test calls for (SEC H14.11): decided, and asked and applied for everywhere."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from smki_repository.app import create_app

from smki import EntityIdentifier, Smki
from smki.eligibility import Applicant, Decision, Participation, decide
from smki.problem import SmkiError
from smki.registration import Refused
from smki.registration.devices import AddDevices
from smki.registration.parties import Register
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.device import Device, DeviceType
from smki.sec.party import NonParty, Party
from smki.sec.recorded_test import ParticipationMode
from smki.sec.registry_fields import Registrant, parse_registrant, registrant_fields
from smki.sec.role import RemotePartyRole
from tests.commands import TEST, make_token
from tests.eligibility.participants import ASKING, DEVICES, ORGANISATION
from tests.eligibility.people import OWN, device, participant
from tests.eligibility.test_every_combination import ROLES, STATUSES_OF_CELL, check, table
from tests.support import DS, run_here

ORGANISATION_TABLE, DEVICE_TABLE = table(ORGANISATION), table(DEVICES)
ON_THE_COMMAND_LINE = 41
"""Of how many cells one is asked and applied for on the command line, which is slow."""
OVER_REST = 7
"""Of how many cells one is asked and applied for over REST."""
STATUSES = ("pending", "commissioned")


def test_the_tables_leave_nothing_out() -> None:
    assert list(ORGANISATION_TABLE) == list(DEVICE_TABLE) == list(ASKING)
    for row in ORGANISATION_TABLE.values():
        assert {ROLES[column] for column in row} == {role for role in RemotePartyRole if role.usages}
    for row in DEVICE_TABLE.values():
        assert set(row) == set(DeviceType.__members__)


@pytest.mark.parametrize("name", ASKING)
def test_organisation_certificates(name: str) -> None:
    for column, cell in ORGANISATION_TABLE[name].items():
        check(decide(ASKING[name].about_organisation(ROLES[column])), cell == "Y", f"{name}, {column}")


@pytest.mark.parametrize("name", ASKING)
def test_device_certificates(name: str) -> None:
    for kind, cell in DEVICE_TABLE[name].items():
        for status, (always, otherwise) in STATUSES_OF_CELL.items():
            expected = {"Y": always, "o": otherwise, ".": False}[cell]
            check(decide(ASKING[name].about_device(device(kind, status))), expected, f"{name}, {kind}, {status}")


# --- the same through every interface --------------------------------------------------------------------------------


@dataclass
class Everywhere:
    """A home with the applicants of the table, and a Device of every type in two statuses."""

    smki: Smki
    home: Path
    client: Any
    tokens: dict[str, str]
    devices: dict[tuple[str, str], EntityIdentifier]
    cells: Iterator[int]

    def headers(self, applicant: str) -> dict[str, str]:
        if applicant not in self.tokens:
            self.tokens[applicant] = make_token(self.smki, applicant)
        return {"Authorization": f"Bearer {self.tokens[applicant]}"}


def own_identifier(number: int) -> EntityIdentifier:
    return EntityIdentifier.parse(f"90B3D51F3100{number:04X}")


def as_registered(registrant: Registrant, name: str, number: int) -> Registrant:
    """The Party or participant under an id and an Entity Identifier that nobody else has."""
    text = json.dumps(registrant_fields(registrant)).replace(str(OWN), str(own_identifier(number)))
    fields = json.loads(text.replace('"USER"', f'"USER-{number}"'))
    return parse_registrant({**fields, ("party_id" if "party_id" in fields else "participant_id"): name})


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everywhere]:
    home = tmp_path_factory.mktemp("participation") / "pki"
    registrants: list[Registrant] = []
    for number, asking in enumerate(ASKING.values()):
        for who, name in ((asking.applicant.who, f"WHO-{number}"), (asking.applicant.on_behalf_of, f"USER-{number}")):
            if who is not None and not isinstance(who, NonParty):
                registrants.append(as_registered(who, name, number))
    devices: dict[tuple[str, str], EntityIdentifier] = {}
    added: list[Device] = []
    for number, (kind, status) in enumerate(itertools.product(DeviceType.__members__, STATUSES)):
        devices[kind, status] = EntityIdentifier(bytes([0, 0xDB, 0, 0, 0, 0, 1, number]))
        added.append(replace(device(kind, status), device_id=devices[kind, status]))
    with Smki.create(home) as smki:
        smki.registration.execute(Register(tuple(registrants)), TEST)
        smki.registration.execute(AddDevices(tuple(added)), TEST)
        yield Everywhere(smki, home, create_app(smki).test_client(), {}, devices, itertools.count())


@dataclass
class Cell:
    """What is asked and applied for: a role, or a Device."""

    entity: EntityIdentifier
    role: RemotePartyRole | None = None

    @property
    def kind(self) -> str:
        return "organisation" if self.role else "device"


def codes(decision: Decision) -> list[str]:
    return [problem.code for problem in decision.problems]


def in_python(own: Everywhere, cell: Cell, who: str, behalf: str) -> tuple[list[str], list[str]]:
    """The codes of the answer to the question, and of the answer to the application; none for a certificate."""
    smki, options = own.smki, dict[str, Any](applicant=who, on_behalf_of=behalf)
    if cell.role:
        asked = smki.inquiry.organisation(cell.entity, cell.role, DS, **options)
    else:
        asked = smki.inquiry.device(cell.entity, **options)
    try:
        if cell.role:
            smki.issue_organisation(smki.make_organisation_request(cell.entity, cell.role, DS)[1], **options)
        else:
            smki.issue_device(smki.make_device_request(cell.entity, DS)[1], **options)
    except Refused as refused:
        return codes(asked), [problem.code for problem in refused.problems]
    return codes(asked), []


def over_rest(own: Everywhere, cell: Cell, who: str, behalf: str) -> tuple[list[str], list[str]]:
    given: dict[str, str] = {"onBehalfOf": behalf} if behalf else {}
    named = {"entityIdentifier": str(cell.entity), "applicant": who, **given}
    if cell.role:
        named["role"] = cell.role.label
    asked = own.client.post(f"/api/v1/eligibility/{cell.kind}", json=named).json
    if cell.role:
        request = own.smki.make_organisation_request(cell.entity, cell.role, DS)[1]
    else:
        request = own.smki.make_device_request(cell.entity, DS)[1]
    query = {"kind": cell.kind, **given}
    answer = own.client.post(
        "/api/v1/applications", query_string=query, data=request, content_type="application/pkcs10",
        headers=own.headers(who),
    )  # fmt: skip
    refused = [] if answer.status_code == 201 else [problem["code"] for problem in answer.json["problems"]]
    return [each["problem"]["code"] for each in asked["applied"] if "problem" in each], refused


def on_the_command_line(own: Everywhere, cell: Cell, who: str, behalf: str) -> tuple[list[str], list[str]]:
    words = [
        cell.kind,
        "--eui",
        str(cell.entity),
        "--applicant",
        who,
        "--on-behalf-of",
        behalf,
        "--home",
        str(own.home),
    ]
    words += ["--role", cell.role.label] if cell.role else []
    asked = json.loads(run_here("eligible", *words, "--json").stdout)
    out = own.home.parent / f"{next(own.cells)}-{who}.pem"
    try:
        run_here("issue", *words, "--usage", "ds", "--out", out)
    except SmkiError as refused:
        found = [problem.code for problem in refused.problems]
    else:
        assert out.exists()
        found = []
    return [each["problem"]["code"] for each in asked["applied"] if "problem" in each], found


@pytest.mark.parametrize("name", [name for name in ASKING if "dcc" not in name])
def test_every_interface_says_and_does_the_same(everywhere: Everywhere, name: str) -> None:
    """The DCC is left out because a home has one; it is among the applicants of the other tests."""
    asking, number = ASKING[name], list(ASKING).index(name)
    everywhere.smki.registration.execute(ChangeSetting(Setting.PARTICIPANTS, asking.mode.value), TEST)
    who, behalf = f"WHO-{number}", f"USER-{number}" if asking.applicant.on_behalf_of else ""
    cells = [
        (Cell(own_identifier(number), ROLES[column]), cell == "Y") for column, cell in ORGANISATION_TABLE[name].items()
    ] + [
        (Cell(everywhere.devices[kind, status]), cell == "Y" or (cell == "o" and status == "pending"))
        for kind, cell in DEVICE_TABLE[name].items()
        for status in STATUSES
    ]
    for cell, expected in cells:
        asked, applied = in_python(everywhere, cell, who, behalf)
        assert (asked == []) is expected, (cell, asked)
        assert applied == asked, cell
        at = next(everywhere.cells)
        if at % OVER_REST == 0:
            assert over_rest(everywhere, cell, who, behalf) == (asked, asked), cell
        if at % ON_THE_COMMAND_LINE == 0:
            assert on_the_command_line(everywhere, cell, who, behalf) == (asked, asked), cell


# --- tests, modes and quotas -----------------------------------------------------------------------------------------


def test_a_decision_names_its_test_and_the_mode() -> None:
    def said(name: str) -> str:
        decision = decide(ASKING[name].about_device(device("ESME")))
        return f"{decision.test}: " + "".join(
            applied.seen for applied in decision.applied if applied.provision.key == "test-certificates"
        )

    assert said("making party") == "device-and-user-system-tests: P-OTHER, in Device and User System Tests (open mode)"
    assert said("strict/supplier in uept") == "uept: P-LARGE-SUPPLIER, in User Entry Process Tests (strict mode)"
    assert said("newcomer") == ": a Party, which counts as taking part in tests (open mode)"
    assert said("strict/supplier, no test") == ": P-LARGE-SUPPLIER: no recorded test (strict mode)"
    assert said("strict/dcc") == ": the DCC, which provides the tests (strict mode)"
    assert said("strict/dcc in uept") == ": the DCC, which provides the tests (strict mode)"
    behalf = "in Device and User System Tests, on behalf of LARGE-SUPPLIER (open mode)"
    assert said("maker for a supplier") == f"device-and-user-system-tests: MAKER, {behalf}"


def test_each_test_has_its_own_quota() -> None:
    tests = [{"purpose": "section-t", "quota": "1"}, {"purpose": "section-t", "test": "second", "quota": "2"}]
    maker = parse_registrant({**registrant_fields(participant()), "tests": tests})
    assert not isinstance(maker, Party)
    asked = ASKING["maker"].about_device(device("ESME"))

    def outcome(**had: int) -> str:
        who = replace(asked, applicant=Applicant(maker, "Jo"), participation=Participation(certificates=had))
        decision = decide(who)
        assert codes(decision) in ([], ["participant.quota-reached"])
        return decision.test if decision.eligible else ""

    assert outcome() == "section-t"
    assert outcome(**{"section-t": 1}) == "second"
    assert outcome(**{"section-t": 1, "second": 1}) == "second"
    assert outcome(**{"section-t": 1, "second": 2}) == ""
    assert outcome(second=2) == "section-t"


def test_the_reasons_are_those_of_the_test_that_is_nearest_or_of_the_first() -> None:
    def reasons(*purposes: str) -> tuple[str, list[str]]:
        tests = [{"purpose": purpose, "test": f"test-{number}"} for number, purpose in enumerate(purposes, 1)]
        maker = parse_registrant({**registrant_fields(participant(agreement="")), "tests": tests})
        asked = ASKING["maker"].about_device(device("ESME"))
        decision = decide(replace(asked, applicant=Applicant(maker, "Jo")))
        return decision.test, codes(decision)

    assert reasons("uept", "srept") == ("test-1", ["participant.purpose", "participant.no-agreement"])
    assert reasons("uept", "section-t", "section-t") == ("test-2", ["participant.no-agreement"])


def test_the_mode_is_that_of_the_question() -> None:
    asked = ASKING["strict/supplier, no test"].about_organisation(RemotePartyRole.SUPPLIER)
    assert codes(decide(asked)) == ["participant.no-test"]
    assert decide(replace(asked, participation=Participation(mode=ParticipationMode.OPEN))).eligible
