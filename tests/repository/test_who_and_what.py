"""Who may have a certificate, and what a Party may have: the same answer in Python, on the command line and over REST."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from smki_repository.app import create_app

from smki import DeviceType, HomeClock, Smki
from smki.clock import TravellingClock
from smki.home.smki import CLOCK_FILE
from smki.problem import SmkiError
from smki.registration.who_and_what import Supposing
from smki.sec.device import SmetsVersion, SmiStatus
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from tests.repository.rest_support import API, Api
from tests.support import DEVICE, run_cli, run_here

_S = SmiStatus


@pytest.fixture(scope="module")
def history(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Api]]:
    """A home in which a Device was commissioned and a Party suspended in 2030, by a clock that was set."""
    home = tmp_path_factory.mktemp("history") / "pki"
    shutil.copytree(made_home, home)
    for words in (
        "clock set 2030-01-10T12:00:00Z",
        "device set-status 00-DB-12-34-56-78-90-A0 commissioned",
        "clock set 2030-01-20T12:00:00Z",
        "party change OTHER-USER --add-role load-controller",
        "party suspend GAS-NETWORK",
        "clock set 2030-02-01T12:00:00Z",
    ):
        assert run_here(*words.split(), "--home", home).returncode == 0
    with Smki.open(home) as smki:
        yield home, Api(smki, create_app(smki).test_client(), "")


def over_rest(api: Api, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    answer = api.client.post(f"{API}/eligibility/{path}", json=body)
    return answer.status_code, answer.json


WHO: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("--role supplier", {"role": "supplier"}, {"role": RemotePartyRole.SUPPLIER}),
    (
        "--role 08 --usage ka --as-of 2030-01-19",
        {"role": "loadController", "usage": "KA", "asOf": "2030-01-19"},
        {"role": RemotePartyRole.LOAD_CONTROLLER, "usage": KeyUsage.KEY_AGREEMENT, "as_of": "2030-01-19"},
    ),
    (
        "--role loadController --as-of 2030-01-20",
        {"role": "loadController", "asOf": "2030-01-20"},
        {"role": RemotePartyRole.LOAD_CONTROLLER, "as_of": "2030-01-20"},
    ),
    ("--device-type ESME", {"deviceType": "ESME"}, {"device_type": DeviceType.ESME}),
    (
        "--device-type ESME --status commissioned",
        {"deviceType": "ESME", "status": "commissioned"},
        {"device_type": DeviceType.ESME, "supposing": Supposing(status=_S.COMMISSIONED)},
    ),
    (
        "--device-type gsme --status suspended --returns-to installed-not-commissioned --smets 1",
        {"deviceType": "GSME", "status": "suspended", "returnsTo": "installed-not-commissioned", "smetsVersion": "1"},
        {
            "device_type": DeviceType.GSME,
            "supposing": Supposing(
                status=_S.SUSPENDED, returns_to=_S.INSTALLED_NOT_COMMISSIONED, smets_version=SmetsVersion.SMETS1
            ),
        },
    ),
    (f"--device {DEVICE}", {"device": str(DEVICE)}, {"device": DEVICE}),
    (
        f"--device {DEVICE} --as-of 2030-01-09",
        {"device": str(DEVICE), "asOf": "2030-01-09"},
        {"device": DEVICE, "as_of": "2030-01-09"},
    ),
    ("--device-type IHD", {"deviceType": "IHD"}, {"device_type": DeviceType.IHD}),
    ("--authority root-dca", {"authority": "root-dca"}, {"authority": CertificateKind.ROOT_DCA}),
]


@pytest.mark.parametrize(("words", "body", "arguments"), WHO)
def test_who(history: tuple[Path, Api], words: str, body: dict[str, Any], arguments: dict[str, Any]) -> None:
    home, api = history
    if "as_of" in arguments:
        arguments = arguments | {"as_of": date.fromisoformat(arguments["as_of"])}
    answer = api.smki.inquiry.who(**arguments)
    told = run_here("eligible", "who", *words.split(), "--json", "--home", home)
    assert told.returncode == (0 if answer.eligible else 1)
    assert json.loads(told.stdout) == answer.as_json()
    assert over_rest(api, "who", body) == (200, answer.as_json())
    text = run_here("eligible", "who", *words.split(), "--home", home).stdout.decode()
    assert f"Eligible: {len(answer.eligible)}\n" in text
    for who in answer.eligible:
        assert f"\n  {who}" in text
    for group in answer.refused:
        assert f"\n  {len(group.members)}: expected {group.expected}" in text
        assert group.code in text


WHAT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("LARGE-SUPPLIER", {"party": "LARGE-SUPPLIER"}, {"party": "LARGE-SUPPLIER"}),
    ("MANUFACTURER", {"party": "MANUFACTURER"}, {"party": "MANUFACTURER"}),
    ("GAS-NETWORK", {"party": "GAS-NETWORK"}, {"party": "GAS-NETWORK"}),
    (
        "GAS-NETWORK --as-of 2030-01-19 --smets 1",
        {"party": "GAS-NETWORK", "asOf": "2030-01-19", "smetsVersion": "1"},
        {"party": "GAS-NETWORK", "as_of": "2030-01-19", "smets_version": SmetsVersion.SMETS1},
    ),
    (
        "SHARED-RESOURCE --on-behalf-of SMALL-SUPPLIER",
        {"party": "SHARED-RESOURCE", "onBehalfOf": "SMALL-SUPPLIER"},
        {"party": "SHARED-RESOURCE", "on_behalf_of": "SMALL-SUPPLIER"},
    ),
]


@pytest.mark.parametrize(("words", "body", "arguments"), WHAT)
def test_what(history: tuple[Path, Api], words: str, body: dict[str, Any], arguments: dict[str, Any]) -> None:
    home, api = history
    if "as_of" in arguments:
        arguments = arguments | {"as_of": date.fromisoformat(arguments["as_of"])}
    answer = api.smki.inquiry.what(**arguments)
    told = run_here("eligible", "what", *words.split(), "--json", "--home", home)
    assert told.returncode == (0 if answer.eligible else 1)
    assert json.loads(told.stdout) == answer.as_json()
    assert over_rest(api, "what", body) == (200, answer.as_json())
    text = run_here("eligible", "what", *words.split(), "--home", home).stdout.decode()
    for group in answer.refused:
        assert f"[{group.code}]" in text
    for each in answer.eligible:
        assert str(each.wanted.role or (each.wanted.device and each.wanted.device.device_type.name)) in text


def test_authorities_and_suppositions(history: tuple[Path, Api]) -> None:
    home, api = history
    for words, path, body in (
        ("authority root-oca", "authority", {"kind": "root-oca"}),
        ("authority issuing-dca --applicant LARGE-SUPPLIER", "authority", {"kind": "issuing-dca", "applicant": "LARGE-SUPPLIER"}),
        (f"device --eui {DEVICE} --applicant DCC", "device", {"entityIdentifier": str(DEVICE), "applicant": "DCC"}),
        (f"device --eui {DEVICE} --applicant DCC --status pending", "device",
         {"entityIdentifier": str(DEVICE), "applicant": "DCC", "status": "pending"}),
        (f"device --eui {DEVICE} --applicant DCC --status suspended --returns-to pending", "device",
         {"entityIdentifier": str(DEVICE), "applicant": "DCC", "status": "suspended", "returnsTo": "pending"}),
        (f"device --eui {DEVICE} --applicant DCC --as-of 2030-01-09", "device",
         {"entityIdentifier": str(DEVICE), "applicant": "DCC", "asOf": "2030-01-09"}),
    ):  # fmt: skip
        told = run_here("eligible", *words.split(), "--json", "--home", home)
        status, answer = over_rest(api, path, body)
        assert status == 200
        assert json.loads(told.stdout)["eligible"] is answer["eligible"] is (told.returncode == 0)
        assert json.loads(told.stdout)["records"] == answer["records"]
        assert answer["eligible"] is (not words.startswith(("authority issuing", f"device --eui {DEVICE} --applicant DCC"))
                                      or "--status" in words or "--as-of" in words)  # fmt: skip


def test_the_text_says_which_records_were_used(history: tuple[Path, Api]) -> None:
    home, _ = history
    told = run_here(
        "eligible", "device", "--eui", str(DEVICE), "--applicant", "DCC", "--as-of", "2030-01-15", "--home", home
    )
    assert f"--   Device {DEVICE} as recorded on 2030-01-15 (last change: 2030-01-10).".encode() in told.stdout
    told = run_here("eligible", "who", "--role", "other", "--as-of", "2020-01-01", "--home", home)
    assert b"10 records as recorded today: they were added to the register after 2020-01-01." in told.stdout


def test_a_request_of_an_earlier_time_is_a_question_about_that_day(history: tuple[Path, Api]) -> None:
    home, _ = history
    travelled = {"X-SMKI-Time": "2030-01-15T08:00:00Z"}
    question = {"entityIdentifier": str(DEVICE), "applicant": "DCC"}
    for may_write in (False, True):
        with Smki.open(home, TravellingClock(HomeClock(home / CLOCK_FILE), may_write=may_write)) as smki:
            client = create_app(smki).test_client()
            asked = client.post(f"{API}/eligibility/device", json={**question, "asOf": "2030-01-15"})
            earlier = client.post(f"{API}/eligibility/device", json=question, headers=travelled)
            assert earlier.json is not None
            assert asked.json is not None
            assert earlier.json["asOf"] == asked.json["asOf"] == "2030-01-15"
            # Where commands have the time of the request, an application is judged by the record of today, and so is this.
            assert bool(earlier.json["records"]) is not may_write
            assert (earlier.json == asked.json) is not may_write


@pytest.mark.parametrize(
    ("words", "path", "body", "status", "code"),
    [
        ("who", "who", {}, 422, "question.contradiction"),
        ("who --role supplier --device-type ESME", "who", {"role": "supplier", "deviceType": "ESME"}, 422,
         "question.contradiction"),
        ("who --role king", "who", {"role": "king"}, 400, "role.unknown"),
        ("who --role supplier --status pending", "who", {"role": "supplier", "status": "pending"}, 422,
         "question.contradiction"),
        ("who --device-type TV", "who", {"deviceType": "TV"}, 400, "device-type.unknown"),
        ("who --device-type ESME --status lost", "who", {"deviceType": "ESME", "status": "lost"}, 400,
         "smi-status.unknown"),
        ("who --device-type ESME --smets 3", "who", {"deviceType": "ESME", "smetsVersion": "3"}, 400,
         "smets-version.unknown"),
        ("who --device-type ESME --returns-to pending", "who", {"deviceType": "ESME", "returnsTo": "pending"}, 422,
         "device.suspension"),
        ("who --device 3333333333333333", "who", {"device": "3333333333333333"}, 422, "device.unknown"),
        ("who --device xyz", "who", {"device": "xyz"}, 400, "entity-identifier.malformed"),
        ("who --role supplier --as-of soon", "who", {"role": "supplier", "asOf": "soon"}, 400, "day.malformed"),
        ("who --role supplier --as-of 2026-02-30", "who", {"role": "supplier", "asOf": "2026-02-30"}, 400, None),
        ("what NOBODY", "what", {"party": "NOBODY"}, 422, "party.unknown"),
        (f"what {'X' * 33}", "what", {"party": "X" * 33}, 400, "party-id.malformed"),
        ("what DCC --on-behalf-of NOBODY", "what", {"party": "DCC", "onBehalfOf": "NOBODY"}, 422, "acting-for.not-a-party"),
        ("authority root-oca --on-behalf-of NOBODY", "authority", {"kind": "root-oca", "onBehalfOf": "NOBODY"}, 422,
         "acting-for.not-a-party"),
    ],
)  # fmt: skip
def test_bad_questions_are_refused(
    history: tuple[Path, Api], words: str, path: str, body: dict[str, Any], status: int, code: str | None
) -> None:
    home, api = history
    with pytest.raises(SmkiError) as caught:
        run_here("eligible", *words.split(), "--home", home)
    answered, problem = over_rest(api, path, body)
    assert answered == status
    if code is not None:
        assert caught.value.code == code
        assert problem["problems"][0]["code"] == code


def test_unknown_kinds_of_authorities_are_refused(history: tuple[Path, Api]) -> None:
    home, api = history
    for words in ("authority device", "who --authority organisation"):
        with pytest.raises(click.BadParameter):
            run_here("eligible", *words.split(), "--home", home)
    told = run_cli("eligible", "who", "--home", home)
    assert (told.returncode, told.stdout) == (2, b"")
    assert b"[question.contradiction]" in told.stderr
    for path, body in (("authority", {"kind": "device"}), ("authority", {}), ("who", {"authority": "organisation"})):
        assert over_rest(api, path, body)[0] == 400
    assert over_rest(api, "what", {})[0] == 400
