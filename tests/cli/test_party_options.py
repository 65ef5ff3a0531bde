"""Options of smki party, participant, device and officer that the cases of every interface do not reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from smki import Smki
from smki.ledger import Conflict, EventKind
from tests.registration.register_cases import state
from tests.support import DEVICE, run_here


def shown(home: Path, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run_here(kind, "show", name, "--json", "--home", home).stdout)
    return found


def test_what_is_removed(home: Path) -> None:
    run_here("party", "change", "LARGE-SUPPLIER", "--quota", "5", "--home", home)
    assert shown(home, "party", "LARGE-SUPPLIER")["quota"] == "5"
    run_here("party", "change", "LARGE-SUPPLIER", "--no-quota", "--authorised-for", "", "--home", home)
    found = shown(home, "party", "LARGE-SUPPLIER")
    assert not {"quota", "authorised_for"} & set(found)
    run_here("device", "change", DEVICE.hyphenated, "--responsible", "gas: LARGE-SUPPLIER", "--home", home)
    assert shown(home, "device", DEVICE.hyphenated)["responsible"] == "gas: LARGE-SUPPLIER"
    run_here("device", "change", DEVICE.hyphenated, "--responsible", "", "--not-enrolled", "--home", home)
    assert "responsible" not in shown(home, "device", DEVICE.hyphenated)


@pytest.mark.parametrize(
    "words",
    [
        ("party", "change", "LARGE-SUPPLIER", "--quota", "5", "--no-quota"),
        ("participant", "change", "MANUFACTURER", "--agreement", "2026-01-31", "--no-agreement"),
    ],
)
def test_both_ways_at_once(home: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        run_here(*words, "--home", home)


def test_several_values_in_one_option(home: Path) -> None:
    words = ("--category", "large-supplier", "--role", "import-supplier, gas-supplier", "--role", "other-user")
    run_here("party", "add", "ACME", *words, "--officer", "Jo Bloggs: device", "--home", home)
    found = shown(home, "party", "ACME")
    assert found["user_roles"] == "gas-supplier, import-supplier, other-user"
    assert found["officers"] == ["Jo Bloggs: device"]


def test_the_officers_of_a_participant(home: Path) -> None:
    run_here("participant", "appoint", "MANUFACTURER", "Jo Bloggs", "--home", home)
    run_here("participant", "dismiss", "MANUFACTURER", "Manufacturer Officer", "--home", home)
    assert shown(home, "participant", "MANUFACTURER")["officers"] == ["Jo Bloggs: device, organisation"]


@pytest.mark.parametrize(
    ("kind", "good", "clash"),
    [
        ("party", "party_id,category\nA,other\nB,other\n", "party_id,category\nC,other\nA,other\n"),
        ("device", "device_id,device_type\n00DB1234567890AF,ESME\n", "device_id,device_type\n00DB1234567890AE,ESME\n00DB1234567890AF,ESME\n"),
    ],
)  # fmt: skip
def test_a_file_is_loaded_with_one_event_or_not_at_all(
    home: Path, tmp_path: Path, kind: str, good: str, clash: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(good)
    with Smki.open(home) as smki:
        before = len(list(smki.ledger.events()))
    assert run_here(kind, "load", file, "--home", home).returncode == 0
    with Smki.open(home) as smki:
        events = list(smki.ledger.events())[before:]
        assert [(event.kind, event.interface) for event in events] == [
            (EventKind.REGISTERED if kind == "party" else EventKind.DEVICE_ADDED, "cli")
        ]
        loaded = state(smki)
    file.write_text(clash)
    with pytest.raises(Conflict) as caught:
        run_here(kind, "load", file, "--home", home)
    assert caught.value.problems[0].subject.startswith("row 2, column")
    with Smki.open(home) as smki:
        assert state(smki) == loaded
