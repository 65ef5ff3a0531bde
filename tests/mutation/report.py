"""What became of each mutant, the mutants that are known to change nothing, and the figures."""

from __future__ import annotations

import enum
import json
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.packages import Package
from tests.mutation.source import Mutant

Key = tuple[str, str, str, int]


class Fate(enum.Enum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    REFUSED = "refused by the type check"
    """No test noticed it, but mypy does not let it pass: it cannot be committed."""
    NOT_IMPORTED = "not importable"
    """Its module cannot be imported; it counts neither way."""
    ACCEPTED = "accepted"
    """It survived and is listed as one that changes nothing."""
    SURVIVED = "survived"
    NOT_RUN = "not run by any test"


DEAD = frozenset({Fate.KILLED, Fate.TIMED_OUT, Fate.REFUSED})
ALIVE = frozenset({Fate.SURVIVED, Fate.NOT_RUN})


@dataclass(frozen=True, slots=True)
class Result:
    """A mutant and what became of it."""

    mutant: Mutant
    fate: Fate


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a run, and whether it passes."""

    package: Package
    results: Sequence[Result]
    stale: Sequence[Key]
    """Entries of the list of accepted mutants for which there is no such mutant, or it was killed."""

    @property
    def score(self) -> float:
        """Killed mutants in percent of those that count; accepted ones count as not killed."""
        counts = Counter(result.fate for result in self.results)
        counted = len(self.results) - counts[Fate.NOT_IMPORTED]
        return 100 * sum(counts[fate] for fate in DEAD) / counted if counted else 100.0

    @property
    def survivors(self) -> list[Result]:
        """Mutants that neither a test nor the type check noticed, and that are not listed."""
        return [result for result in self.results if result.fate in ALIVE]

    @property
    def passes(self) -> bool:
        """Whether the goal is reached, every survivor is listed, and every entry of the list is still needed."""
        return self.score >= self.package.goal and not self.survivors and not self.stale

    def text(self) -> str:
        """The figures, then each survivor."""
        counts = Counter(result.fate for result in self.results)
        lines = [
            f"{self.package.name}: {self.score:.1f} % of {len(self.results)} mutants (goal {self.package.goal:g} %)"
        ]
        lines += [f"  {counts[fate]:5} {fate.value}" for fate in Fate if counts[fate]]
        for result in self.survivors:
            mutant = result.mutant
            again = f", occurrence {mutant.occurrence}" if mutant.occurrence > 1 else ""
            lines += ["", f"{mutant.file}:{mutant.line} {mutant.scope}{again}: {result.fate.value}"]
            lines += [f"    {line}" for line in mutant.diff.splitlines()]
        for file, scope, diff, occurrence in self.stale:
            lines += [
                "",
                f"{file} {scope}, occurrence {occurrence}: accepted, but there is no such mutant, or it is killed",
            ]
            lines += [f"    {line}" for line in diff.splitlines()]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> Path:
        """Writes the text, and as JSON what became of each mutant; returns the path of the text."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = [
            {
                "file": result.mutant.file,
                "line": result.mutant.line,
                "scope": result.mutant.scope,
                "occurrence": result.mutant.occurrence,
                "diff": result.mutant.diff,
                "fate": result.fate.value,
            }
            for result in self.results
        ]
        (folder / f"{self.package.name}.json").write_text(json.dumps(rows, indent=1) + "\n")
        path = folder / f"{self.package.name}.txt"
        path.write_text(self.text())
        return path


def read_accepted(path: Path) -> dict[Key, str]:
    """The mutants that change nothing, each with the reason.

    :raises ValueError: for an entry without a reason, or one that is there twice.
    """
    accepted: dict[Key, str] = {}
    for entry in tomllib.loads(path.read_text())["accepted"]:
        key = entry["file"], entry["scope"], entry["diff"].strip(), entry.get("occurrence", 1)
        if key in accepted or not entry["why"].strip():
            raise ValueError(f"{path.name}: {entry['file']} {entry['scope']} is listed twice, or without a reason")
        accepted[key] = entry["why"]
    return accepted


def fates_before(folder: Path, package: Package) -> dict[Key, Fate]:
    """What became of each mutant in the last run that was written to the folder."""
    rows = json.loads((folder / f"{package.name}.json").read_text())
    return {(row["file"], row["scope"], row["diff"], row["occurrence"]): Fate(row["fate"]) for row in rows}


class Journal:
    """What became of the mutants of a run that has not ended, so that it can be resumed.

    :param resume: keep what an interrupted run left; otherwise start anew.
    """

    def __init__(self, folder: Path, package: Package, *, resume: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{package.name}.jsonl"
        lines = self._path.read_text().splitlines(keepends=True) if resume and self._path.exists() else []
        whole = [line for line in lines if line.endswith("]\n")]  # the last may have been cut short
        self._path.write_text("".join(whole))
        rows = map(json.loads, whole)
        self.fates: dict[Key, Fate] = {(row[0], row[1], row[2], row[3]): Fate(row[4]) for row in rows}

    def note(self, key: Key, fate: Fate) -> None:
        """Add what became of a mutant."""
        self.fates[key] = fate
        with self._path.open("a") as file:
            file.write(json.dumps([*key, fate.value]) + "\n")

    def close(self) -> None:
        """Remove the file: the run has ended."""
        self._path.unlink(missing_ok=True)
