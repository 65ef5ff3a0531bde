"""What a refusal about tests and agents says to do, carried out on the command line and over REST, removes the refusal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from smki_repository.app import create_app

from smki import EntityIdentifier, RemotePartyRole, Smki
from smki.eligibility import Decision
from smki.identity import PartyId
from smki.problem import SmkiError
from smki.registration.participation import ChangeTest, EndTest, RecordTest
from smki.registration.parties import AddParticipant, ChangeParticipant, ChangeParty
from smki.registration.settings import ChangeSetting, Setting
from smki.remedies import Interface
from smki.sec.device import DeviceType
from smki.sec.recorded_test import ParticipationMode, RecordedTest, TestPurpose
from tests.commands import TEST
from tests.repository.rest_support import Api, token_for
from tests.support import DEVICE, DS, SUPPLIER, run_here

MAKER, LARGE, NETWORK = PartyId("MANUFACTURER"), PartyId("LARGE-SUPPLIER"), PartyId("GAS-NETWORK")
MAKING = "device-and-user-system-tests"
OWN = EntityIdentifier.parse("90-B3-D5-1F-30-06-00-00")
GAS = EntityIdentifier.parse("90-B3-D5-1F-30-04-00-00")
HUB = EntityIdentifier.parse("00-DB-12-34-56-78-90-A2")
ROLE = RemotePartyRole.SUPPLIER


@pytest.fixture
def api(home: Path) -> Iterator[Api]:
    with Smki.open(home) as smki:
        yield Api(smki, create_app(smki).test_client(), token_for(smki, "DCC"))


def execute(smki: Smki, *commands: Any) -> None:
    for command in commands:
        smki.registration.execute(command, TEST)


def supplier(smki: Smki) -> Decision:
    return smki.inquiry.organisation(SUPPLIER, ROLE, DS)


def maker(smki: Smki) -> Decision:
    return smki.inquiry.organisation(OWN, ROLE, DS, applicant="MANUFACTURER", officer="Ada")


def meter(smki: Smki) -> Decision:
    return smki.inquiry.device(DEVICE, applicant="MANUFACTURER")


def hub(smki: Smki) -> Decision:
    return smki.inquiry.device(HUB, applicant="MANUFACTURER")


def network(smki: Smki) -> Decision:
    role = RemotePartyRole.NETWORK_OPERATOR
    return smki.inquiry.organisation(GAS, role, DS, applicant="OTHER-USER", on_behalf_of="GAS-NETWORK")


def strict(smki: Smki) -> None:
    execute(smki, ChangeSetting(Setting.PARTICIPANTS, ParticipationMode.STRICT.value))


def with_officer(smki: Smki) -> None:
    run_here("participant", "appoint", "MANUFACTURER", "Ada", "--home", smki.path)


def without_role(smki: Smki) -> None:
    with_officer(smki)
    execute(smki, ChangeTest(participant=MAKER, test=MAKING, add_identifiers=frozenset({OWN})))


def without_identifier(smki: Smki) -> None:
    with_officer(smki)
    execute(smki, ChangeTest(participant=MAKER, test=MAKING, add_roles=frozenset({ROLE})))


def without_type(smki: Smki) -> None:
    execute(smki, ChangeTest(participant=MAKER, test=MAKING, add_device_types=frozenset({DeviceType.ESME})))


def in_entry_process(smki: Smki) -> None:
    execute(smki, ChangeTest(participant=MAKER, test=MAKING, purpose=TestPurpose.UEPT))


def without_test(smki: Smki) -> None:
    execute(smki, EndTest(participant=MAKER, test=MAKING))


def without_agreement(smki: Smki) -> None:
    execute(smki, ChangeParticipant(participant=MAKER, agreement=None))


def without_quota(smki: Smki) -> None:
    execute(smki, ChangeTest(participant=MAKER, test=MAKING, quota=0))


def party_without_quota(smki: Smki) -> None:
    execute(smki, ChangeParty(party=LARGE, quota=0))


def not_a_user(smki: Smki) -> None:
    execute(
        smki,
        ChangeParty(party=NETWORK, through_entry=False),
        ChangeParty(party=PartyId("OTHER-USER"), add_acts_for=frozenset({NETWORK})),
    )


# The code, what is done before, what is asked, and the body of the request over REST
REMEDIES: list[tuple[str, Callable[[Smki], None], Callable[[Smki], Decision], dict[str, Any]]] = [
    ("participant.no-test", strict, supplier, {"purpose": "tests-under-section-t"}),
    ("participant.no-test", without_test, meter, {"purpose": "tests-under-section-t"}),
    ("participant.no-agreement", without_agreement, meter, {"agreement": "2020-01-01"}),
    ("participant.purpose", in_entry_process, meter, {"purpose": "tests-under-section-t"}),
    ("participant.role", without_role, maker, {"add_roles": ["supplier"]}),
    ("participant.entity-identifier", without_identifier, maker, {"add_identifiers": [str(OWN)]}),
    ("participant.device-type", without_type, hub, {"add_device_types": ["CHF"]}),
    ("participant.quota-reached", without_quota, meter, {"quota": 3}),
    ("participant.quota-reached", party_without_quota, supplier, {"quota": 3}),
    ("acting-for.not-a-user", not_a_user, network, {"through_entry": True, "add_roles": ["gas-transporter"]}),
]
WORDS = {"PURPOSE": "section-t", "NUMBER": "3", "DATE": "2020-01-01", "ROLE": "gas-transporter"}


def remedy(smki: Smki, code: str, asked: Callable[[Smki], Decision], interface: Interface) -> str:
    (problem,) = asked(smki).problems
    assert problem.code == code
    return problem.remedy_for(interface)


@pytest.mark.parametrize(("code", "before", "asked", "_body"), REMEDIES)
def test_on_the_command_line(
    home: Path, code: str, before: Callable[[Smki], None], asked: Callable[[Smki], Decision], _body: dict[str, Any]
) -> None:
    with Smki.open(home) as smki:
        before(smki)
        text = remedy(smki, code, asked, Interface.CLI)
        command = re.search(r"smki ((?:participant|party) [^.)]*)", text)
        assert command, text
        words = [WORDS.get(word, word) for word in shlex.split(command[1])]
        assert run_here(*words, "--home", home).returncode == 0
        assert asked(smki).eligible, asked(smki).problems


@pytest.mark.parametrize(("code", "before", "asked", "body"), REMEDIES)
def test_over_rest(
    api: Api, code: str, before: Callable[[Smki], None], asked: Callable[[Smki], Decision], body: dict[str, Any]
) -> None:
    before(api.smki)
    text = remedy(api.smki, code, asked, Interface.REST)
    operation = re.search(r"(POST|PATCH) /api/v1(/\S+?)[,.)]*(?:\s|$)", text)
    assert operation, text
    answer = api.as_officer(operation[1], operation[2], json=body)
    assert answer.status_code in (200, 201), answer.text
    assert asked(api.smki).eligible, asked(api.smki).problems


def test_somebody_who_is_not_registered_is_recorded_as_a_participant(home: Path) -> None:
    def asked(smki: Smki) -> Decision:
        return smki.inquiry.device(DEVICE, applicant="METERS-LTD")

    with Smki.open(home) as smki:
        problem = next(each for each in asked(smki).problems if each.code == "participant.none")
        command = re.search(r"smki (participant add [^.]*)", problem.remedy_for(Interface.CLI))
        assert command
        words = [WORDS.get(word, word) for word in shlex.split(command[1])]
        run_here(*words, "--home", home)
        assert "participant.none" not in [each.code for each in asked(smki).problems]
        run_here("participant", "change", "METERS-LTD", "--agreement", "2020-01-01", "--home", home)
        assert asked(smki).eligible


def test_the_tests_of_a_participant_are_listed(home: Path) -> None:
    with Smki.open(home) as smki, pytest.raises(SmkiError) as caught:
        execute(smki, EndTest(participant=MAKER, test="uept"))
    assert "smki participant show MANUFACTURER" in caught.value.problems[0].remedy_for(Interface.CLI)
    shown = run_here("participant", "show", "MANUFACTURER", "--home", home).stdout.decode()
    assert "test            device-and-user-system-tests: purpose device-and-user-system-tests, quota 100000" in shown


def test_an_identifier_of_the_party_on_whose_behalf_it_acts(home: Path) -> None:
    words = (
        "participant",
        "add-test",
        "MANUFACTURER",
        "--purpose",
        "section-t",
        "--eui",
        str(SUPPLIER),
        "--home",
        home,
    )
    with pytest.raises(SmkiError) as caught:
        run_here(*words)
    assert caught.value.code == "entity-identifier.taken"
    assert "--on-behalf-of" in caught.value.problems[0].remedy_for(Interface.CLI)
    assert run_here(*words, "--on-behalf-of", "LARGE-SUPPLIER").returncode == 0


def test_an_identifier_of_a_test_belongs_to_nobody_else_until_it_is_released(home: Path) -> None:
    test = RecordedTest.of(TestPurpose.SECTION_T, identifiers=frozenset({OWN}))
    with Smki.open(home) as smki:
        execute(smki, AddParticipant(participant=PartyId("LAB"), test=test), RecordTest(participant=LARGE, test=test))
        assign = ("party", "assign-eui", "OTHER-USER", str(OWN), "--home", home)
        with pytest.raises(SmkiError) as caught:
            run_here(*assign)
        assert caught.value.code == "entity-identifier.taken"
        assert run_here("party", "release-eui", "LAB", str(OWN), "--home", home).returncode == 0
        lab = smki.ledger.register.registrant(PartyId("LAB"))
        assert lab is not None
        assert (lab.identifiers, lab.tests[0].identifiers) == (frozenset(), frozenset())
        assert run_here(*assign).returncode == 0
        assert smki.check().problems == ()


def test_certificates_from_before_tests_were_recorded_count_for_the_first_test(home: Path) -> None:
    with Smki.open(home) as smki:
        for number in range(3):
            smki.issue_device(smki.make_device_request(DEVICE, DS)[1], applicant="MANUFACTURER")
            if number == 0:  # as an application of an earlier version, without its record
                smki.ledger.transact(lambda tx: tx._connection.execute("UPDATE application SET test = NULL"))  # type: ignore[attr-defined]
                smki.ledger.transact(lambda tx: tx._connection.execute("DELETE FROM test_count"))  # type: ignore[attr-defined]
        assert smki.ledger.certificates_by_test("MANUFACTURER") == {MAKING: 2, "": 1}
        execute(smki, ChangeTest(participant=MAKER, test=MAKING, quota=3))
        assert [problem.code for problem in meter(smki).problems] == ["participant.quota-reached"]
        execute(smki, ChangeTest(participant=MAKER, test=MAKING, quota=4))
        assert meter(smki).eligible


def test_a_home_in_strict_mode_has_the_certificates_of_the_dcc(tmp_path: Path) -> None:
    home = tmp_path / "pki"
    assert run_here("init", "--participants", "strict", "--home", home).returncode == 0
    assert run_here("participant", "show-mode", "--home", home).stdout == b"strict\n"
    with Smki.open(home) as smki:
        assert smki.check().problems == ()
        assert [problem.code for problem in supplier(smki).problems] == ["participant.no-test"]
        execute(smki, ChangeSetting(Setting.PARTICIPANTS, ParticipationMode.OPEN.value))
        assert supplier(smki).eligible
        (event,) = list(smki.ledger.events())[-1:]
        assert event.content == {"participants": {"from": "strict", "to": "open"}}
