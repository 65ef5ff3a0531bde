"""Texts that cannot be stored are refused, not a traceback; reasons are bounded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smki import Smki
from smki.identity import PartyId, SerialNumber
from smki.problem import Malformed, SmkiError
from smki.registration.acceptance import Reject
from smki.registration.appointments import AppointOfficer
from smki.registration.command import Command
from smki.registration.parties import AddParty, ChangeParty
from smki.sec.party import SUBSCRIBER_KINDS, Officer, PartyCategory
from tests.commands import TEST
from tests.support import run_cli

BROKEN = "x\udcff"
PARTY = PartyId("LARGE-SUPPLIER")


@pytest.mark.parametrize(
    "command",
    [
        AddParty(party=PartyId("NEW"), category=PartyCategory.OTHER, name=BROKEN),
        ChangeParty(party=PARTY, name=BROKEN),
        AppointOfficer(PARTY, Officer(BROKEN, SUBSCRIBER_KINDS)),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_text_that_cannot_be_stored_is_refused(home: Path, command: Command[object]) -> None:
    with Smki.open(home) as smki:
        before = len(list(smki.ledger.events()))
        with pytest.raises(Malformed) as caught:
            smki.registration.execute(command, TEST)
        assert caught.value.code == "text.malformed"
        assert len(list(smki.ledger.events())) == before


@pytest.mark.parametrize(
    "words",
    [
        (
            "issue",
            "organisation",
            "--eui",
            "90-B3-D5-1F-30-01-00-00",
            "--role",
            "supplier",
            "--usage",
            "ds",
            "--officer",
        ),
        ("party", "change", "LARGE-SUPPLIER", "--name"),
        ("audit", "events", "--officer"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_an_argument_that_is_not_utf_8(home: Path, words: tuple[str, ...]) -> None:
    told = run_cli(*words, os.fsdecode(b"x\xff"), "--home", str(home))
    assert told.returncode == 2
    assert b"Traceback" not in told.stderr
    assert b"[text.malformed]" in told.stderr


@pytest.mark.parametrize("because", ["", " ", "x" * 501])
def test_a_rejection_has_a_reason_of_bounded_length(home: Path, because: str) -> None:
    with Smki.open(home) as smki, pytest.raises(SmkiError) as caught:
        smki.registration.execute(Reject(SerialNumber(1), because), TEST)
    assert caught.value.code == "rejection.because"
