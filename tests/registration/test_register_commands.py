"""Each command of the register, run in Python: what it writes, who may run it, and one event for each."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from typing import Any

import pytest

import smki.registration
from smki import Smki
from smki.problem import SmkiError
from smki.registration import Actor
from smki.registration.authorisation import NotAuthorised
from smki.registration.command import Command
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
    # The machine's clock is what the clock was before, and a restore only makes later numbers higher.
    assert after != before or case.name in ("the machine's clock", "go on after a restore")


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
@pytest.mark.parametrize("case", [case for case in GOOD if case.name != "add a Device"], ids=lambda case: case.name)
def test_nobody_else(smki: Smki, case: Case, actor: Actor) -> None:
    if case.prepare is not None:
        case.prepare(smki)
    command = case.command(smki)
    before = state(smki)
    with pytest.raises(NotAuthorised) as caught:
        smki.registration.execute(command, actor)
    assert caught.value.code == "actor.not-dcc"
    assert state(smki) == before


def test_which_commands_require_the_dcc() -> None:
    """A new command has to say whether the DCC alone may run it, and to be among the cases if so."""
    for module in pkgutil.iter_modules(smki.registration.__path__, "smki.registration."):
        importlib.import_module(module.name)
    # A dataclass with slots replaces the class that it decorates, which stays among the subclasses until it is collected.
    gc.collect()
    commands = {each.__name__: each for each in _all(Command) if each.__module__.startswith("smki.registration")}
    free = {name for name, each in commands.items() if not each.requires_dcc}
    assert free == {
        "Apply",
        "ApplyTogether",
        "DecideTogether",
        "_DecideOnOne",
        "Accept",
        "Reject",
        "Revoke",
        "PublishList",
        "AddDevices",
        "LoadDevices",
    }
    with Smki.in_memory(seed="commands") as opened:
        tried = {type(case.command(opened)).__name__ for case in CASES}
    others = {"Register", "LoadParties", "SetDeviceStatus", "Import", "PublishNow"}
    assert set(commands) - free == (tried - free) | others


def _all(base: type[Any]) -> list[type[Any]]:
    return [each for direct in base.__subclasses__() for each in (direct, *_all(direct))]
