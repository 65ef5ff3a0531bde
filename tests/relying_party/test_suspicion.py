"""What a Relying Party suspects: a value that changes make another of, and a file that is read whole or not at all."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smki.identity import SerialNumber
from smki.problem import IntegrityError, Malformed, NotFound
from smki.relying_party.suspicion import SUSPICIONS_FILE, Suspicion, Suspicions, exclusively, suspicion_of

NOTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIRST, SECOND = SerialNumber(1), SerialNumber(0x2AB)


def suspicions() -> Suspicions:
    return Suspicions([Suspicion(FIRST, "seen in a car boot", NOTED), Suspicion(SECOND, "lost", NOTED)])


def test_a_change_makes_another_set() -> None:
    before = Suspicions()
    after = before.adding(Suspicion(FIRST, "lost", NOTED))
    assert before.of(FIRST) is None
    assert len(before) == 0
    found = after.of(SerialNumber(1))
    assert found is not None
    assert (found.serial_number, found.because, found.since) == (FIRST, "lost", NOTED)
    assert after.of(SECOND) is None
    again = after.adding(Suspicion(FIRST, "found in a skip", NOTED)).adding(Suspicion(SECOND, "lost", NOTED))
    assert [(each.serial_number, each.because) for each in again] == [(FIRST, "found in a skip"), (SECOND, "lost")]
    assert len(again) == 2


def test_clearing_takes_one_away_and_needs_it_to_be_there() -> None:
    left = suspicions().clearing(FIRST)
    assert [each.serial_number for each in left] == [SECOND]
    with pytest.raises(NotFound) as raised:
        left.clearing(FIRST)
    (problem,) = raised.value.problems
    assert (problem.code, problem.subject, problem.clause) == ("suspicion.missing", FIRST.hex, "SEC L12")
    assert problem.seen == "it is not suspected"
    assert problem.expected == "a suspected certificate"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "suspicions.json"
    assert list(Suspicions.read(path)) == []
    assert path.name == SUSPICIONS_FILE, "homes have such files"
    suspicions().write(path)
    assert list(Suspicions.read(path)) == list(suspicions())
    row = {"serialNumber": FIRST.hex, "because": "seen in a car boot", "since": "2026-01-02T03:04:05Z"}
    content = path.read_text()
    assert json.loads(content)["suspicions"][0] == row
    assert json.loads(content)["format"] == 1
    assert content.startswith('{\n  "format"'), "people read it too"
    assert content.endswith("}\n")


GOOD = {"serialNumber": "01", "because": "x", "since": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "\xff",
        json.dumps({"suspicions": []}),
        json.dumps({"format": 2, "suspicions": []}),
        json.dumps({"format": 1}),
        json.dumps({"format": 1, "suspicions": None}),
        json.dumps({"format": 1, "suspicions": [1]}),
        json.dumps({"format": 1, "suspicions": [{**GOOD, "serialNumber": "rubbish"}]}),
        json.dumps({"format": 1, "suspicions": [{**GOOD, "serialNumber": 1}]}),
        json.dumps({"format": 1, "suspicions": [GOOD, {**GOOD, "since": "yesterday"}]}),
        json.dumps({"format": 1, "suspicions": [{"serialNumber": "01", "since": GOOD["since"]}]}),
    ],
)
def test_a_damaged_file_is_not_taken_for_no_suspicion(content: str, tmp_path: Path) -> None:
    path = tmp_path / "suspicions.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(IntegrityError) as raised:
        Suspicions.read(path)
    (problem,) = raised.value.problems
    assert (problem.code, problem.subject, problem.clause) == ("suspicion.unreadable", str(path), "SEC L12")
    assert 0 < len(problem.seen) <= 200
    assert problem.expected == "a file written by smki suspect"
    assert problem.remedy == "Repair or remove the file; until then no certificate is trusted."


def test_a_file_that_cannot_be_opened_is_not_taken_for_none_either(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError) as raised:
        Suspicions.read(tmp_path)
    (problem,) = raised.value.problems
    assert (problem.subject, problem.seen) == (str(tmp_path), "Is a directory")


@pytest.mark.parametrize(("format", "seen"), [(2, "format 2"), ("x" * 300, f"format {'x' * 193}")])
def test_a_file_of_another_format_says_which(format: object, seen: str, tmp_path: Path) -> None:
    path = tmp_path / "suspicions.json"
    path.write_text(json.dumps({"format": format, "suspicions": []}))
    with pytest.raises(IntegrityError) as raised:
        Suspicions.read(path)
    assert raised.value.problems[0].seen == seen


def test_a_reason_is_a_line_of_1_to_500_characters() -> None:
    for good in ("x", "x" * 500, " seen in a car boot\n"):
        made = suspicion_of(FIRST, good, NOTED)
        assert (made.serial_number, made.because, made.since) == (FIRST, good.strip(), NOTED)
    for wrong in ("", " ", "x" * 501, "two\nlines", "\x1b[2J"):
        with pytest.raises(Malformed) as raised:
            suspicion_of(FIRST, wrong, NOTED)
        (problem,) = raised.value.problems
        assert (problem.code, problem.subject, problem.clause) == ("suspicion.because", "--because", "SEC L12")
        assert problem.seen == repr(wrong.strip()[:64])
        assert problem.expected == "a reason of 1 to 500 characters"


def test_when_it_was_recorded_has_a_time_zone() -> None:
    with pytest.raises(Malformed) as raised:
        Suspicion(FIRST, "lost", datetime(2026, 1, 2))
    assert raised.value.problems[0].subject == "since"


def test_one_changes_a_file_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "suspicions.json"
    entered, order = threading.Event(), []

    def second() -> None:
        entered.set()
        with exclusively(path):
            order.append("second")

    with exclusively(path):
        other = threading.Thread(target=second)
        other.start()
        entered.wait()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert not path.exists()
    with exclusively(tmp_path / "another.json"), exclusively(path):
        pass
