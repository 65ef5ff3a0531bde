"""The commands that remedies name, run as they are printed, whatever is in the values."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from smki import Smki
from smki.identity import EntityIdentifier
from smki.problem import Malformed, Problem, SmkiError
from smki.registration import Actor, Issued, Refusal
from smki.registration.acceptance import NotAcceptable
from smki.registration.applications import Application
from smki.registration.comparison import compare
from smki.registration.devices import AddDevices
from smki.registration.products import ListProduct
from smki.registration.settings import ChangeSetting, Setting
from smki.remedies import Interface
from smki.sec.device import Device, DeviceType
from smki.sec.recorded_test import ParticipationMode
from smki.sec.role import CertificateKind
from tests.commands import TEST, accept, apply
from tests.support import DEVICE, DS, KA, run_here

MODELS = ("ACME SM100 1.2", "O'Brien 1", "-x", "--type", '"$(id)" \\ ;', "M.")


def printed(problem: Problem, upto: str) -> list[str]:
    """The words of the command that is in the remedy, as a shell reads them."""
    text = problem.remedy_for(Interface.CLI)
    return shlex.split(text[text.index("smki cpl") : text.index(upto)])[1:]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_quoted_for_the_shell(tmp_path: Path, model: str) -> None:
    home = tmp_path / "pki"
    made = Device(EntityIdentifier(b"\x41" * 8), DeviceType.ESME, model=model)
    with Smki.create(home, seed="models") as smki:
        smki.registration.execute(ChangeSetting(Setting.CERTIFIED_PRODUCTS, "listed"), TEST)
        with pytest.raises(SmkiError) as refused:
            smki.registration.execute(AddDevices((made,)), TEST)
    words = printed(refused.value.problems[0], " puts it on the list")
    assert run_here(*words[:2], "--home", home, *words[2:]).returncode == 0
    with Smki.open(home) as smki:
        smki.registration.execute(AddDevices((made,)), TEST)
        with pytest.raises(SmkiError) as other:
            smki.registration.execute(ListProduct(model, DeviceType.GSME), TEST)
    words = printed(other.value.problems[0], " does that")
    assert run_here(*words[:2], "--home", home, *words[2:]).returncode == 0


def test_the_remedy_for_an_officer_who_accepts_names_the_party() -> None:
    with Smki.in_memory() as smki:
        record = smki.issue_device(smki.make_device_request(DEVICE, DS)[1], applicant="LARGE-SUPPLIER").record
        with pytest.raises(SmkiError) as refused:
            compare(smki.ledger, record.serial_number, Actor(interface="cli", officer="Nobody"))
        assert "smki party appoint LARGE-SUPPLIER OFFICER" in refused.value.problems[0].remedy_for(Interface.CLI)


def test_what_is_not_a_term_of_the_code_is_not_called_one() -> None:
    with pytest.raises(Malformed) as refused:
        ParticipationMode.parse("lax")
    (problem,) = refused.value.problems
    assert (problem.expected, problem.clause) == ("strict or open", "")


def test_a_refusal_for_want_of_the_statement_shows_its_basis() -> None:
    with Smki.in_memory() as smki:
        smki.registration.execute(ChangeSetting(Setting.STATEMENT, "explicit"), TEST)
        request = smki.make_device_request(DEVICE, DS)[1]
        outcome = apply(smki, Application(kind=CertificateKind.DEVICE, request=request))
        assert isinstance(outcome, Refusal)
        assert [(problem.code, problem.clause, problem.basis) for problem in outcome.problems] == [
            ("application.not-stated", "SEC L11", "seed")
        ]


def test_the_type_of_a_device_is_given_to_who_as_its_refusal_says(tmp_path: Path) -> None:
    home = tmp_path / "pki"
    assert run_here("init", "--home", home, "--seed", "who").returncode == 0
    asked = ("eligible", "who", "--home", home, "--device", "AA-00-00-00-00-00-00-F1")
    with pytest.raises(SmkiError) as refused:
        run_here(*asked)
    assert "Give its type with --type ESME" in refused.value.problems[0].remedy_for(Interface.CLI)
    assert b"LARGE-SUPPLIER" in run_here(*asked, "--type", "ESME").stdout


def test_the_certificate_of_an_authority_is_not_accepted_whoever_asks() -> None:
    with Smki.in_memory() as smki:
        root = next(record for record in smki.ledger.authorities())
        with pytest.raises(NotAcceptable) as refused:
            accept(smki, root.serial_number, Actor(interface="cli", party="DCC"))
        assert refused.value.code == "certificate.not-pending"


def test_a_device_in_the_inventory_is_not_taken_for_one_under_test() -> None:
    with Smki.in_memory() as smki:
        with pytest.raises(SmkiError) as refused:
            smki.inquiry.device(DEVICE, applicant="OTHER-USER", under_test=True)
        assert refused.value.code == "device.not-under-test"
        application = Application(
            kind=CertificateKind.DEVICE, request=smki.make_device_request(DEVICE, DS)[1], under_test=True
        )
        outcome = apply(smki, application, Actor(interface="test", party="OTHER-USER"))
        assert isinstance(outcome, Refusal)
        assert [problem.code for problem in outcome.problems] == ["device.not-under-test"]
        # Without it, nothing stands against it; and both usages of a Device that is one are applied for alike.
        assert smki.inquiry.device(DEVICE, applicant="OTHER-USER").eligible
        entity = EntityIdentifier(b"\x42" * 8)
        for usage in (DS, KA):
            request = smki.make_device_request(entity, usage)[1]
            again = Application(
                kind=CertificateKind.DEVICE, request=request, device_type=DeviceType.ESME, under_test=True
            )
            assert isinstance(apply(smki, again, Actor(interface="test", party="OTHER-USER")), Issued)
