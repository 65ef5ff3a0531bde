"""Each command of the register, run in Python: what it writes, who may run it, and one event for each."""

from __future__ import annotations

import pytest

from smki import Smki
from smki.problem import SmkiError
from smki.registration import Actor
from smki.registration.authorisation import NotAuthorised
from tests.registration.register_cases import CASES, DCC, GOOD, OPERATOR, STRANGER, Case, state


@pytest.mark.parametrize("actor", [OPERATOR, DCC], ids=["operator", "DCC"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_command(smki: Smki, case: Case, actor: Actor) -> None:
    if case.prepare is not None:
        case.prepare(smki)
    command = case.command(smki)
    before = state(smki)
    if case.event is None:
        with pytest.raises(SmkiError) as caught:
            smki.registration.execute(command, actor)
        assert caught.value.code == case.refusal
        assert state(smki) == before
        return
    smki.registration.execute(command, actor)
    events = list(smki.ledger.events())
    assert len(events) == len(before["events"]) + 1
    assert (events[-1].kind, events[-1].interface, events[-1].officer) == (case.event, "python", actor.officer)
    if actor is DCC:
        assert events[-1].party == "DCC"
    after = state(smki)
    del after["events"], before["events"]
    # The machine's clock is what the clock was before.
    assert after != before or case.name == "the machine's clock"


@pytest.mark.parametrize(
    "actor",
    [
        STRANGER,
        Actor(interface="python", party="DCC", officer="Nobody"),
        Actor(interface="python", party="DCC"),
        Actor(interface="python", officer="DCC Officer"),
        Actor(interface="python", party="MANUFACTURER", officer="Manufacturer Officer"),
        Actor(interface="python", party="not a Party ID", officer="DCC Officer"),
    ],
    ids=["another Party", "no officer of it", "no officer", "no Party", "participant", "malformed"],
)
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_nobody_else(smki: Smki, case: Case, actor: Actor) -> None:
    if case.prepare is not None:
        case.prepare(smki)
    command = case.command(smki)
    before = state(smki)
    with pytest.raises(NotAuthorised) as caught:
        smki.registration.execute(command, actor)
    assert caught.value.code == "actor.not-dcc"
    assert state(smki) == before
