"""What is recorded of each command, and what is said of each refusal, against the file ``commands.txt``.

After a change that is meant, ``python -m tests.registration.test_wording`` writes the file again; read its diff.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smki import Smki
from smki.eligibility import Decision, decision_lines
from smki.eligibility.answers import Entitled, WhatMay, WhoMay
from smki.ledger import Event
from smki.problem import SmkiError, problem_lines
from smki.remedies import Interface
from tests.registration.question_cases import QUESTIONS
from tests.registration.register_cases import (
    CASES,
    OPERATOR,
    Case,
)
from tests.registration.wording_cases import OTHERS, START


def _recorded(event: Event) -> dict[str, Any]:
    """The fields that the command decides, without those that are empty."""
    fields = {
        "kind": event.kind.value,
        "party": event.party,
        "officer": event.officer,
        "concerns": event.concerns,
        "device": event.device_id and str(event.device_id),
        "certificate": event.serial_number and str(event.serial_number),
        "detail": event.detail,
        "content": event.content,
    }
    return {name: value for name, value in fields.items() if value}


def _told(smki: Smki, work: Callable[[Smki], object]) -> str:
    """What is recorded, and what is said of the refusal, if it is one."""
    before = len(list(smki.ledger.events()))
    lines = []
    try:
        answer = work(smki)
        if isinstance(answer, Decision):
            lines += decision_lines(answer)
        elif isinstance(answer, WhoMay | WhatMay):
            lines.append(json.dumps(answer.as_json(), ensure_ascii=False))
            names = [each if isinstance(each, Entitled) else each.wanted for each in answer.eligible]
            lines.append("; ".join(map(str, [answer.wanted, *names] if isinstance(answer, WhoMay) else names)))
        elif isinstance(answer, dict):
            lines.append(json.dumps(answer, ensure_ascii=False))
    except SmkiError as refused:
        for problem in refused.problems:
            first, *remedy = problem_lines(problem)
            over_rest = problem.remedy_for(Interface.REST)
            lines += [f"{type(refused).__name__}: {first}", *remedy, *([f"  REST: {over_rest}"] if over_rest else [])]
    events = list(smki.ledger.events())[before:]
    return "\n".join([*(json.dumps(_recorded(event), ensure_ascii=False) for event in events), *lines]) or "nothing"


def _of_case(case: Case) -> Callable[[Smki], object]:
    def work(smki: Smki) -> None:
        if case.prepare is not None:
            case.prepare(smki)
        smki.registration.execute(case.command(smki), OPERATOR)

    return work


FILE = Path(__file__).with_name("commands.txt")
EVERY = {case.name: _of_case(case) for case in CASES} | OTHERS | QUESTIONS


def _in_memory() -> Smki:
    return Smki.in_memory(seed="wording", at=START)


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    """The sections of the file by their names."""
    sections = FILE.read_text().removeprefix("# ").removesuffix("\n").split("\n\n# ")
    return dict(section.split("\n", 1) for section in sections)


def test_the_file_has_every_command(written: dict[str, str]) -> None:
    assert list(written) == list(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_every_command_is_told_as_written(written: dict[str, str], name: str) -> None:
    with _in_memory() as smki:
        assert _told(smki, EVERY[name]) == written[name]


def _write() -> None:
    sections = []
    for name, work in EVERY.items():
        with _in_memory() as smki:
            sections.append(f"# {name}\n{_told(smki, work)}")
    FILE.write_text("\n\n".join(sections) + "\n")


if __name__ == "__main__":
    _write()
