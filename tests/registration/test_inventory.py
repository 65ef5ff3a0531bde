"""Who adds which Device to the inventory: a table written by hand, each cell asked on the command line, over REST and in
Python. Each yes is really added, each no refused with the same code everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from smki_repository.app import create_app

from smki import Application, CertificateKind, DeviceType, EntityIdentifier, Smki
from smki.identity import PartyId
from smki.pki.certificate import to_pem
from smki.problem import SmkiError
from smki.registration import Actor
from smki.registration.authorisation import NotAuthorised
from smki.registration.bulk import LoadDevices, read_devices
from smki.registration.devices import AddDevices
from smki.registration.inventory import NotToBeAdded
from smki.registration.participation import RecordTest
from smki.registration.parties import SetStanding
from smki.registration.products import ListProduct
from smki.registration.settings import ChangeSetting, Setting
from smki.remedies import Interface
from smki.sec.device import Device
from smki.sec.party import Standing
from smki.sec.recorded_test import ParticipationMode, RecordedTest, TestPurpose
from tests.commands import make_token
from tests.support import DS, run_here

OPERATOR = Actor(interface="test")

# D: inventory.not-the-dcc; S: inventory.not-a-supplier; own: added, as its own Device under test
TABLE = """
                     CHF  GPF  ESME  GSME  PPMID  HCALCS  SAPC  IHD  CAD
DCC                  yes  yes  S     S     S      S       S     S    S
LARGE-SUPPLIER       D    D    yes   yes   yes    yes     yes   yes  yes
SMALL-SUPPLIER       D    D    yes   yes   yes    yes     yes   yes  yes
SUPPLIER-AGENT       D    D    yes   yes   yes    yes     yes   yes  yes
ELECTRICITY-NETWORK  D    D    S     S     S      S       S     S    S
GAS-NETWORK          D    D    S     S     S      S       S     S    S
LOAD-CONTROLLER      D    D    S     S     S      S       S     S    S
OTHER-USER           D    D    S     S     S      S       S     S    S
SHARED-RESOURCE      D    D    S     S     S      S       S     S    S
MANUFACTURER         own  own  own   own   own    own     own   own  own
"""
CODES = {"D": "inventory.not-the-dcc", "S": "inventory.not-a-supplier", "yes": "", "own": ""}
TYPES, *LINES = (line.split() for line in TABLE.strip().splitlines())
CELLS = {line[0]: dict(zip(TYPES, line[1:], strict=True)) for line in LINES}

# Who may subscribe for a certificate of a Device that is not in the inventory yet (SEC L3.9) and so can add it by applying
APPLYING = {
    "CHF": ["DCC"], "GPF": ["DCC", "LARGE-SUPPLIER", "SMALL-SUPPLIER"],
    "ESME": list(CELLS),
    **{name: ["OTHER-USER", "SUPPLIER-AGENT", "MANUFACTURER"] for name in ("GSME", "PPMID", "HCALCS", "SAPC")},
}  # fmt: skip


@dataclass
class Asked:
    """A home, and the three ways to ask it; each answers with the code of a refusal, or nothing."""

    smki: Smki
    home: Path
    client: FlaskClient
    tokens: dict[str, str]
    numbers: Iterator[int]

    def new(self) -> EntityIdentifier:
        return EntityIdentifier(bytes.fromhex("00DB12") + next(self.numbers).to_bytes(5, "big"))

    def cli(self, *words: str) -> str:
        try:
            result = run_here(*words, "--home", self.home)
        except SmkiError as error:
            return error.code
        assert result.returncode == 0, result.stderr
        return ""

    def rest(self, party: str, path: str, body: dict[str, Any]) -> str:
        headers = {"Authorization": f"Bearer {self.token(party)}"}
        answer = self.client.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.json is not None
        if answer.status_code == 201:
            is_assumed = body.get("under_test", party == "MANUFACTURER")
            assert path != "/devices" or ("assumption" in answer.text) is is_assumed
            return ""
        assert answer.status_code == 403, answer.text
        return str(answer.json["problems"][0]["code"])

    def token(self, party: str) -> str:
        if party not in self.tokens:
            self.tokens[party] = make_token(self.smki, party)
        return self.tokens[party]

    def python(self, party: str, device: Device) -> str:
        try:
            self.smki.registration.execute(AddDevices((device,)), Actor(interface="test", party=party))
        except NotToBeAdded as error:
            return error.code
        return ""

    def request(self, device: EntityIdentifier) -> bytes:
        return self.smki.make_device_request(device, DS)[1]

    def found(self, device: EntityIdentifier) -> Device | None:
        return self.smki.ledger.register.device(device)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    home = tmp_path_factory.mktemp("inventory") / "pki"
    with Smki.create(home, seed="inventory") as smki:
        yield Asked(smki, home, create_app(smki).test_client(), {}, count(1))


@pytest.mark.parametrize("under_test", [False, True], ids=["", "under test"])
@pytest.mark.parametrize("party", CELLS)
def test_who_adds_what(asked: Asked, party: str, under_test: bool) -> None:
    for name, cell in CELLS[party].items():
        expected = "" if under_test else CODES[cell]
        owner = PartyId(party) if under_test or cell == "own" else None
        flag = ["--under-test"] if under_test else []
        first, second, third = asked.new(), asked.new(), asked.new()
        assert asked.cli("device", "add", str(first), "--type", name, "--party", party, *flag) == expected, name
        body = {"device_id": str(second), "device_type": name, **({"under_test": True} if under_test else {})}
        assert asked.rest(party, "/devices", body) == expected, name
        marked = PartyId(party) if under_test else None
        assert asked.python(party, Device(third, DeviceType[name], under_test=marked)) == expected, name
        for added in (first, second, third):
            assert asked.found(added) == (None if expected else Device(added, DeviceType[name], under_test=owner))


@pytest.mark.parametrize("name", APPLYING)
def test_who_adds_what_with_an_application(asked: Asked, tmp_path: Path, name: str) -> None:
    for party in APPLYING[name]:
        for under_test in (False, True):
            expected = "" if under_test else CODES[CELLS[party][name]]
            owner = PartyId(party) if under_test or party == "MANUFACTURER" else None
            first, second, third = asked.new(), asked.new(), asked.new()
            (tmp_path / "csr").write_bytes(asked.request(first))
            flag = ["--under-test"] if under_test else []
            words = ["--type", name, "--applicant", party, *flag]
            question = ["eligible", "device", "--eui", str(first), *words, "--home", str(asked.home)]
            assert run_here(*question).returncode == (1 if expected else 0)
            issue = ["issue", "device", "--csr", str(tmp_path / "csr"), *words, "--out", str(tmp_path / "out.pem")]
            assert asked.cli(*issue) == expected, party
            pem = to_pem("CERTIFICATE REQUEST", asked.request(second))
            body = {"request": pem, "deviceType": name, **({"underTest": True} if under_test else {})}
            assert asked.rest(party, "/applications", body) == expected, party
            application = Application(
                kind=CertificateKind.DEVICE,
                request=asked.request(third),
                device_type=DeviceType[name],
                under_test=under_test,
            )
            code = ""
            try:
                asked.smki.issue(application, Actor(interface="test", party=party))
            except SmkiError as error:
                code = error.code
            assert code == expected, party
            for added in (first, second, third):
                assert asked.found(added) == (None if expected else Device(added, DeviceType[name], under_test=owner))


def test_the_operator_adds_for_the_first_party_that_may(asked: Asked) -> None:
    hub, meter, own = asked.new(), asked.new(), asked.new()
    rows = f"device_id,device_type,under_test\n{hub},GPF,\n{meter},GSME,\n{own},CHF,MANUFACTURER\n"
    asked.smki.registration.execute(LoadDevices(read_devices(rows.encode(), "rows")), OPERATOR)
    *_, event = asked.smki.ledger.events()
    assert (event.party, event.officer) == ("", "")
    assert event.content is not None
    assert event.content["addedBy"] == ["DCC", "LARGE-SUPPLIER", "MANUFACTURER"]
    assert asked.found(own) == Device(own, DeviceType.CHF, under_test=PartyId("MANUFACTURER"))


def test_each_row_that_may_not_be_added_is_named(asked: Asked) -> None:
    ids = [asked.new() for _ in range(3)]
    rows = "device_id,device_type\n" + "".join(
        f"{each},{name}\n" for each, name in zip(ids, ("CHF", "ESME", "PPMID"), strict=True)
    )
    with pytest.raises(NotToBeAdded) as caught:
        asked.smki.registration.execute(
            LoadDevices(read_devices(rows.encode(), "rows")), Actor(interface="test", party="DCC")
        )
    assert [problem.subject for problem in caught.value.problems] == [
        "row 2: Smart Metering Inventory", "row 3: Smart Metering Inventory",
    ]  # fmt: skip
    assert [asked.found(each) for each in ids] == [None] * 3


@pytest.mark.parametrize("officer", ["Nobody", "DCC Officer"])
def test_only_an_officer_of_the_party_adds(asked: Asked, officer: str) -> None:
    device = Device(asked.new(), DeviceType.ESME)
    with pytest.raises(NotAuthorised) as caught:
        asked.smki.registration.execute(
            AddDevices((device,)), Actor(interface="test", party="LARGE-SUPPLIER", officer=officer)
        )
    assert caught.value.code == "officer.unknown"
    # The remedy is to act through one of its officers.
    named = Actor(interface="test", party="LARGE-SUPPLIER", officer="Large Supplier Officer")
    asked.smki.registration.execute(AddDevices((device,)), named)


def test_nobody_who_is_not_registered(asked: Asked) -> None:
    assert asked.cli("device", "add", str(asked.new()), "--type", "ESME", "--party", "NOBODY") == "party.unknown"
    with pytest.raises(SmkiError) as caught:
        asked.smki.registration.execute(
            AddDevices((Device(asked.new(), DeviceType.ESME, under_test=PartyId("NOBODY")),)), OPERATOR
        )
    assert caught.value.code == "party.unknown"


def test_a_party_adds_nobody_elses_devices_under_test(asked: Asked) -> None:
    device = Device(asked.new(), DeviceType.ESME, under_test=PartyId("MANUFACTURER"))
    assert asked.python("LARGE-SUPPLIER", device) == "inventory.not-own"
    # The remedies: as that participant, or as the operator.
    assert asked.python("MANUFACTURER", device) == ""
    other = Device(asked.new(), DeviceType.ESME, under_test=PartyId("MANUFACTURER"))
    asked.smki.registration.execute(AddDevices((other,)), OPERATOR)


def test_a_suspended_supplier_adds_nothing_until_it_is_reinstated() -> None:
    with Smki.in_memory(seed="suspended") as smki:
        agent, actor = PartyId("SUPPLIER-AGENT"), Actor(interface="test", party="SUPPLIER-AGENT")
        device = Device(EntityIdentifier(bytes(7) + b"1"), DeviceType.ESME)
        smki.registration.execute(SetStanding(agent, Standing.SUSPENDED, date(2025, 1, 1)), OPERATOR)
        with pytest.raises(NotToBeAdded) as caught:
            smki.registration.execute(AddDevices((device,)), actor)
        assert caught.value.code == "party.suspended"
        smki.registration.execute(SetStanding(agent, Standing.ACCEDED, date(2025, 1, 2)), OPERATOR)
        smki.registration.execute(AddDevices((device,)), actor)


def test_in_strict_mode_a_party_needs_a_recorded_test_for_a_device_under_test() -> None:
    with Smki.in_memory(seed="strict") as smki:
        smki.registration.execute(ChangeSetting(Setting.PARTICIPANTS, ParticipationMode.STRICT.value), OPERATOR)
        user, actor = PartyId("OTHER-USER"), Actor(interface="test", party="OTHER-USER")
        device = Device(EntityIdentifier(bytes(7) + b"1"), DeviceType.ESME, under_test=user)
        with pytest.raises(NotToBeAdded) as caught:
            smki.registration.execute(AddDevices((device,)), actor)
        assert caught.value.code == "participant.no-test"
        test = RecordedTest(name="trial", purpose=TestPurpose.DEVICE_AND_USER_SYSTEM_TESTS)
        smki.registration.execute(RecordTest(participant=user, test=test), OPERATOR)
        smki.registration.execute(AddDevices((device,)), actor)
        # Devices for service need none.
        own = Device(EntityIdentifier(bytes(7) + b"2"), DeviceType.ESME)
        smki.registration.execute(AddDevices((own,)), Actor(interface="test", party="LARGE-SUPPLIER"))


def remedy(error: SmkiError) -> str:
    return error.problems[0].remedy_for(Interface.CLI)


@pytest.mark.parametrize(("name", "party"), [("ESME", "OTHER-USER"), ("GPF", "SMALL-SUPPLIER")])
def test_the_remedies_of_who_adds(asked: Asked, tmp_path: Path, name: str, party: str) -> None:
    """Each of the two that the refusal names: that somebody else adds it, and that it is a Device under test."""
    for flags in ([], ["--under-test"]):
        device = asked.new()
        (tmp_path / "csr").write_bytes(asked.request(device))
        words = [
            "issue",
            "device",
            "--csr",
            str(tmp_path / "csr"),
            "--type",
            name,
            "--applicant",
            party,
            "--home",
            str(asked.home),
        ]
        with pytest.raises(SmkiError) as caught:
            run_here(*words)
        assert f"smki device add {device} --type {name}" in remedy(caught.value)
        assert "--under-test" in remedy(caught.value)
        if not flags:
            assert asked.cli("device", "add", str(device), "--type", name) == ""
        assert run_here(*words, *flags).returncode == 0


def test_the_certified_products_list(tmp_path: Path) -> None:
    """Off at first; then each model needs an entry of its type, which the remedy makes; a Device under test needs none."""
    home = tmp_path / "pki"
    with Smki.create(home, seed="cpl") as smki:
        asked = Asked(smki, home, create_app(smki).test_client(), {}, count(1))

        def add(model: str = "", name: str = "ESME", *more: str) -> str:
            flags = [*(["--model", model] if model else []), "--party", "LARGE-SUPPLIER", *more]
            return asked.cli("device", "add", str(asked.new()), "--type", name, *flags)

        assert add() == add("ANY MODEL") == ""
        assert asked.cli("settings", "set", "certified-products", "listed") == ""
        assert add() == add("ACME SM100 1.2") == "inventory.not-certified"
        assert asked.cli("device", "add", str(asked.new()), "--type", "ESME") == "inventory.not-certified"
        body = {"device_id": str(asked.new()), "device_type": "ESME", "model": "ACME SM100 1.2"}
        assert asked.rest("LARGE-SUPPLIER", "/devices", body) == "inventory.not-certified"
        assert add("", "ESME", "--under-test") == add("", "IHD") == ""
        assert asked.cli("device", "add", str(asked.new()), "--type", "CHF") == ""
        # The remedy, by every interface's name for it.
        assert asked.cli("cpl", "add", "ACME SM100 1.2", "--type", "ESME") == ""
        assert add("ACME SM100 1.2") == ""
        assert asked.rest("LARGE-SUPPLIER", "/devices", body) == ""
        listed = {"model": "ACME G4", "device_type": "GSME"}
        assert asked.rest("DCC", "/certified-products", listed) == ""
        assert add("ACME G4", "GSME") == ""
        assert add("ACME G4", "ESME") == "inventory.not-certified"
        # A model of another type is removed first, as the remedy says.
        assert asked.cli("cpl", "add", "ACME G4", "--type", "ESME") == "product.other-type"
        assert asked.cli("cpl", "remove", "ACME G4") == asked.cli("cpl", "add", "ACME G4", "--type", "ESME") == ""
        assert add("ACME G4", "GSME") == "inventory.not-certified"
        assert add("ACME G4", "ESME") == ""
        assert asked.cli("cpl", "remove", "ACME G5") == "product.unknown"
        assert run_here("cpl", "list", "--home", home).stdout == b"ESME    ACME G4\nESME    ACME SM100 1.2\n"
        shown = asked.client.get("/api/v1/certified-products").json
        assert shown is not None
        assert shown["required"] is True
        assert [(each["model"], each["device_type"]) for each in shown["items"]] == [
            ("ACME G4", "ESME"), ("ACME SM100 1.2", "ESME"),
        ]  # fmt: skip
        # An application adds a Device by the same rule.
        device = asked.new()
        (tmp_path / "csr").write_bytes(asked.request(device))
        words = ["issue", "device", "--csr", str(tmp_path / "csr"), "--type", "ESME", "--applicant", "LARGE-SUPPLIER"]
        assert asked.cli(*words, "--model", "OTHER") == "inventory.not-certified"
        assert asked.cli(*words, "--model", "ACME G4") == ""
        assert asked.found(device) == Device(device, DeviceType.ESME, model="ACME G4")
        # A model that differs from the inventory's is refused; the remedy changes the inventory.
        (tmp_path / "csr").write_bytes(asked.request(device))
        assert asked.cli(*words, "--model", "ACME SM100 1.2") == "device.other-model"
        assert asked.cli("device", "change", str(device), "--model", "OTHER") == "inventory.not-certified"
        assert asked.cli("device", "change", str(device), "--model", "ACME SM100 1.2") == ""
        assert asked.cli(*words, "--model", "ACME SM100 1.2") == ""
        assert smki.check().problems == ()


def test_a_product_is_listed_again_and_its_time_is_new() -> None:
    with Smki.in_memory(seed="again") as smki:
        first = smki.registration.execute(ListProduct(" ACME 1 ", DeviceType.ESME), OPERATOR)
        events = len(list(smki.ledger.events()))
        assert smki.registration.execute(ListProduct("ACME 1", DeviceType.ESME), OPERATOR) == first
        assert len(list(smki.ledger.events())) == events
        smki.registration.execute(ChangeSetting(Setting.STATEMENT, "automatic"), OPERATOR)
        assert len(list(smki.ledger.events())) == events


@pytest.mark.parametrize("model", ["", " ", "x" * 65, "two\nlines", "caf\u00e9"])
def test_identifiers_that_are_none(model: str) -> None:
    with Smki.in_memory(seed="none") as smki, pytest.raises(SmkiError) as caught:
        smki.registration.execute(ListProduct(model, DeviceType.ESME), OPERATOR)
    assert caught.value.code == "device-model.malformed"


def test_in_an_empty_register_nobody_adds() -> None:
    from smki.ledger.sqlite.memory import MemoryLedger
    from smki.registration.inventory import Adding

    adding = Adding(MemoryLedger(), OPERATOR, date(2026, 1, 1))
    with pytest.raises(NotToBeAdded) as caught:
        adding.admit(Device(EntityIdentifier(bytes(8)), DeviceType.CHF))
    (problem,) = caught.value.problems
    assert (problem.code, problem.seen, problem.clause) == ("inventory.not-the-dcc", "nobody is registered", "SEC H5")
