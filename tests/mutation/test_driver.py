"""The driver of `make mutate` makes the mutants it should, tells survivors from killed ones, and fails where it must."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from types import FunctionType

import pytest

from tests.mutation.packages import ACCEPTED, PACKAGES, PROJECT, Package
from tests.mutation.processes import CRASHED, TIMED_OUT, in_processes
from tests.mutation.report import Fate, Journal, Result, Summary, read_accepted
from tests.mutation.source import Mutant, mutants_of
from tests.mutation.workers import BROKEN, NOT_IMPORTED, SURVIVED, Trial, _checked, _import_mutant, _replace

SOURCE = '''"""A docstring."""

from functools import cache

__all__ = ["LIMITS", "Thing"]
LIMITS = {"small": 3}


class Thing:
    """A docstring."""

    size: int = 4

    @property
    def large(self) -> bool:
        """Whether it is large."""
        return not (self.size < 10)

    @cache
    def twice(self, by: int = 2) -> int:
        if isinstance(self.size, int):
            raise ValueError("a sentence is not mutated")
        return (
            self.size
            * by
        )
'''


@pytest.fixture
def mutants(tmp_path: Path) -> list[Mutant]:
    path = tmp_path / "thing.py"
    path.write_text(SOURCE)
    return mutants_of(path, tmp_path)


def test_tables_defaults_properties_and_cached_functions_are_mutated(mutants: list[Mutant]) -> None:
    found = {(mutant.scope, mutant.diff.splitlines()[-1], mutant.in_function) for mutant in mutants}
    assert found >= {
        ("LIMITS", '+LIMITS = {"small": 4}', False),
        ("LIMITS", '+LIMITS = {"XXsmallXX": 3}', False),
        ("Thing", "+size: int = 5", False),
        ("Thing.large", "+return not (self.size <= 10)", True),
        ("Thing.large", "+return (self.size < 10)", True),
        ("Thing.twice", "+def twice(self, by: int = 3) -> int:", False),
        ("Thing.twice", "+self.size / by", True),
    }


def test_wording_annotations_and_decorators_are_not_mutated(mutants: list[Mutant]) -> None:
    removed = {line for mutant in mutants for line in mutant.diff.splitlines() if line.startswith("-")}
    for unwanted in ("import", "docstring", "@", "__all__", "isinstance", "sentence is"):
        assert not [line for line in removed if unwanted in line and "raise" not in line], unwanted
    assert not [mutant for mutant in mutants if "XXa sentence" in mutant.source]


def test_a_mutant_is_one_change_and_is_identified_wherever_it_moves(mutants: list[Mutant], tmp_path: Path) -> None:
    keys = [mutant.key for mutant in mutants]
    assert len(set(keys)) == len(keys) > 10
    for mutant in mutants:
        compile(mutant.source, mutant.file, "exec")
        assert mutant.source != SOURCE
    path = tmp_path / "thing.py"
    path.write_text(SOURCE.replace("LIMITS = ", "OTHER = None\n\n\nLIMITS = "))
    assert set(keys) < {mutant.key for mutant in mutants_of(path, tmp_path)}


def test_the_same_diff_twice_in_a_function_is_two_mutants(tmp_path: Path) -> None:
    path = tmp_path / "twice.py"
    path.write_text("def both(a: int) -> None:\n    a += 1\n    a += 1\n")
    occurrences = [mutant.occurrence for mutant in mutants_of(path, tmp_path) if mutant.diff == "-a += 1\n+a -= 1"]
    assert occurrences == [1, 2]


def test_a_function_in_memory_gets_the_code_of_the_mutant(mutants: list[Mutant], tmp_path: Path) -> None:
    path = tmp_path / "thing.py"
    names: dict[str, object] = {}
    exec(compile(SOURCE, str(path), "exec"), names)
    thing = names["Thing"]
    functions = [vars(thing)["large"].fget, vars(thing)["twice"].__wrapped__]
    assert all(isinstance(each, FunctionType) for each in functions)
    made = thing()  # type: ignore[operator]
    assert not made.large
    mutant = next(each for each in mutants if each.diff.endswith("+return (self.size < 10)"))
    assert _replace(functions, path, mutant)
    assert made.large
    table = next(each for each in mutants if each.scope == "LIMITS")
    assert not _replace(functions, path, table), "only an import makes it take effect"


def test_jobs_end_with_their_status_and_within_their_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.mutation.processes._CPU_SECONDS", 0.2)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def run(job: str) -> int:
        if job == "raises":
            raise ValueError(job)
        if job == "waits":
            time.sleep(60)
        if job == "computes":
            while True:
                pass
        Path(os.environ["TMPDIR"], "left").write_text("behind")
        return int(job)

    statuses = dict(in_processes(["0", "1", "raises", "waits", "computes"], run, lambda _: 0.0, 5))
    assert statuses == {"0": 0, "1": 1, "raises": CRASHED, "waits": TIMED_OUT, "computes": TIMED_OUT}
    assert not list(tmp_path.iterdir()), "what a job leaves behind is removed"


def test_a_mutant_that_cannot_be_imported_is_told_from_a_module_that_cannot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "a_module_under_mutation.py"
    monkeypatch.syspath_prepend(str(tmp_path))
    path.write_text("LIMIT = 1\n")
    sources = {"LIMIT = 2\n": SURVIVED, "LIMIT = missing\n": NOT_IMPORTED}
    statuses = in_processes(sources, lambda source: _import_mutant(path.stem, path, source), lambda _: 0.0, 1)
    assert dict(statuses) == sources
    path.write_text("raise RuntimeError\n")
    statuses = in_processes(sources, lambda source: _import_mutant(path.stem, path, source), lambda _: 0.0, 1)
    assert dict(statuses) == {"LIMIT = 2\n": SURVIVED, "LIMIT = missing\n": BROKEN}
    trial = Trial(replace(summary_of(Fate.KILLED).results[0].mutant, file="smki/changed.py"), [], 0.0)
    with pytest.raises(RuntimeError, match=r"smki/changed\.py cannot be imported without a mutant"):
        list(_checked(iter([(trial, BROKEN)])))


def summary_of(*fates: Fate, stale: bool = False) -> Summary:
    mutant = Mutant(
        file="smki/x.py", scope="f", diff="-a\n+b", occurrence=1, line=7, in_function=True, first=6, last=8, source=""
    )
    stale_keys = [("smki/x.py", "f", "-c\n+d", 1)] if stale else []
    return Summary(Package("x", (), 90), [Result(mutant, fate) for fate in fates], stale_keys)


KILLED, ACCEPTED_FATE = Fate.KILLED, Fate.ACCEPTED


@pytest.mark.parametrize(
    ("summary", "score", "passes"),
    [
        (summary_of(*[KILLED] * 9, ACCEPTED_FATE), 90.0, True),
        (summary_of(*[KILLED] * 8, ACCEPTED_FATE, ACCEPTED_FATE), 80.0, False),
        (summary_of(*[KILLED] * 99, Fate.SURVIVED), 99.0, False),
        (summary_of(*[KILLED] * 99, Fate.NOT_RUN), 99.0, False),
        (summary_of(KILLED, Fate.TIMED_OUT, Fate.REFUSED, Fate.NOT_IMPORTED), 100.0, True),
        (summary_of(KILLED, stale=True), 100.0, False),
    ],
)
def test_a_run_passes_with_its_goal_reached_and_every_survivor_listed(
    summary: Summary, score: float, passes: bool, tmp_path: Path
) -> None:
    assert summary.score == pytest.approx(score)
    assert summary.passes is passes
    text = summary.write(tmp_path).read_text()
    assert ("smki/x.py:7 f: " in text) is bool(summary.survivors)
    assert ("there is no such mutant" in text) is bool(summary.stale)


def test_every_accepted_mutant_has_a_reason_and_a_package() -> None:
    for (file, scope, diff, _), why in read_accepted(ACCEPTED).items():
        assert file.split("/")[1] in PACKAGES, file
        assert (PROJECT / file).exists(), file
        assert scope
        assert diff.startswith(("-", "+"))
        assert len(why) > 20, why


def test_an_accepted_mutant_needs_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    entry = '[[accepted]]\nfile = "smki/x.py"\nscope = "f"\ndiff = "-a"\nwhy = "{}"\n'
    path.write_text(entry.format("The same."))
    assert read_accepted(path) == {("smki/x.py", "f", "-a", 1): "The same."}
    for wrong in (entry.format(" "), entry.format("The same.") * 2):
        path.write_text(wrong)
        with pytest.raises(ValueError, match="listed twice, or without a reason"):
            read_accepted(path)


def test_an_interrupted_run_is_resumed(tmp_path: Path) -> None:
    package = PACKAGES["authority"]
    first, second = ("a.py", "f", "-1\n+2", 1), ("a.py", "f", "-1\n+3", 1)
    third = ("a.py", "g", "-1\n+2", 2)
    journal = Journal(tmp_path, package, resume=False)
    journal.note(first, Fate.KILLED)
    journal.note(second, Fate.SURVIVED)
    path = tmp_path / "authority.jsonl"
    with path.open("a") as file:
        file.write('["a.py", "g", "-1')  # killed while it was writing
    journal = Journal(tmp_path, package, resume=True)
    assert journal.fates == {first: Fate.KILLED, second: Fate.SURVIVED}
    journal.note(third, Fate.TIMED_OUT)
    assert Journal(tmp_path, package, resume=True).fates == journal.fates
    assert Journal(tmp_path, package, resume=False).fates == {}
    journal.close()
    assert not path.exists()
