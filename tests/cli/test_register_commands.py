"""Each command of the register on the command line: the same refusals as in Python, one event for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from smki import Smki
from smki.ledger import EventKind
from smki.problem import SmkiError
from tests.registration.register_cases import CASES, Case, state
from tests.support import run_here


@pytest.mark.parametrize("case", [case for case in CASES if case.cli is not None], ids=lambda case: case.name)
def test_command(home: Path, case: Case) -> None:
    assert case.cli is not None
    with Smki.open(home) as smki:
        if case.prepare is not None:
            case.prepare(smki)
        before = state(smki)
    words = (
        (*case.cli[:2], "--home", str(home), "--", *case.cli[2:])
        if "-100y" in case.cli
        else (*case.cli, "--home", str(home))
    )
    if case.event is None:
        with pytest.raises(SmkiError) as caught:
            run_here(*words)
        assert caught.value.code == case.refusal
        with Smki.open(home) as smki:
            assert state(smki) == before
        return
    assert run_here(*words).returncode == 0
    with Smki.open(home) as smki:
        # A new authority begins with its revocation list, which is a command of its own.
        events = [event for event in smki.ledger.events() if event.id not in before["events"]]
        events = [event for event in events if event.kind is not EventKind.LIST_ISSUED]
        assert [(event.kind, event.interface, event.officer) for event in events] == [(case.event, "cli", "")]


def test_nobody_is_a_participant_or_a_party(home: Path) -> None:
    for group in ("participant", "party"):
        with pytest.raises(SmkiError) as caught:
            run_here(group, "show", "NOBODY", "--home", home)
        assert caught.value.code == f"{group}.unknown"
