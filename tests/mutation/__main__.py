"""``python -m tests.mutation PACKAGE...``: mutates a package and runs its tests against each mutant."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.mutation.coverage_map import CoverageMap
from tests.mutation.packages import ACCEPTED, PACKAGES, PROJECT, Package
from tests.mutation.processes import TIMED_OUT
from tests.mutation.report import ALIVE, Fate, Journal, Key, Result, Summary, fates_before, read_accepted
from tests.mutation.source import Mutant, mutants_of, unchanged
from tests.mutation.type_check import prepare, refused
from tests.mutation.workers import (
    NOT_IMPORTED,
    NOT_REPLACED,
    REFUSED,
    SURVIVED,
    Trial,
    by_import,
    in_functions,
    measure,
)

_FATES = {
    SURVIVED: Fate.SURVIVED,
    NOT_IMPORTED: Fate.NOT_IMPORTED,
    TIMED_OUT: Fate.TIMED_OUT,
    REFUSED: Fate.REFUSED,
}


def main() -> int:
    """Exit status 0 if every package reaches its goal and has no survivor that is not listed; 1 if not."""
    options = _options()
    passes = True
    for name in options.packages or PACKAGES:
        package, started = PACKAGES[name], time.monotonic()
        if options.tests:
            package = replace(package, tests=tuple(options.tests))
        summary = _run(package, options)
        path = summary.write(options.output)
        Journal(options.output, package, resume=True).close()
        sys.stdout.write(summary.text())
        sys.stdout.write(f"{time.monotonic() - started:.0f} s; written to {path}\n\n")
        passes = passes and summary.passes
    return 0 if passes else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"any of {', '.join(PACKAGES)}; default: all")
    parser.add_argument("--sample", type=int, help="only that many mutants of each package, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws another sample (default 0)")
    parser.add_argument("--file", action="append", default=[], help="only mutants of this module, e.g. judge.py")
    parser.add_argument("--tests", action="append", help="only these tests, instead of those of the package")
    parser.add_argument(
        "--again",
        action="store_true",
        help="only those that survived the last run or could not be imported, or that are new; the others count as then",
    )
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default 2)")
    parser.add_argument(
        "--bound",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="judge a mutant by those of its tests that can be run in that time, the quick ones first (default 10)",
    )
    parser.add_argument("--output", type=Path, default=PROJECT / "build" / "mutation", help="folder for the results")
    options = parser.parse_args()
    for name in options.packages:
        if name not in PACKAGES:
            parser.error(f"{name} is none of {', '.join(PACKAGES)}")
    return options


def _run(package: Package, options: argparse.Namespace) -> Summary:
    accepted = read_accepted(ACCEPTED)
    every = [mutant for file in package.files for mutant in mutants_of(file)]
    before = fates_before(options.output, package) if options.again else {}
    chosen = _chosen(every, before, options)
    journal = Journal(options.output, package, resume=options.resume)
    with tempfile.TemporaryDirectory() as folder:
        _run_tests(
            package,
            [mutant for mutant in chosen if mutant.key not in journal.fates],
            Path(folder),
            options,
            journal,
        )
    fates = {mutant.key: journal.fates[mutant.key] for mutant in chosen}
    alive = [mutant for mutant in chosen if fates[mutant.key] in ALIVE]
    for mutant in refused(alive, options.jobs):
        fates[mutant.key] = Fate.REFUSED
    for mutant in alive:
        if fates[mutant.key] in ALIVE and mutant.key in accepted:
            fates[mutant.key] = Fate.ACCEPTED
    possible = {mutant.key for mutant in every} - {key for key, fate in fates.items() if fate is not Fate.ACCEPTED}
    stale = [key for key in accepted if key[0].startswith(f"smki/{package.name}/") and key not in possible]
    # After --again, the others count as they did in the run before.
    known = before | fates
    return Summary(package, [Result(mutant, known[mutant.key]) for mutant in every if mutant.key in known], stale)


def _chosen(every: Sequence[Mutant], before: Mapping[Key, Fate], options: argparse.Namespace) -> list[Mutant]:
    chosen = [mutant for mutant in every if not options.file or Path(mutant.file).name in options.file]
    if options.again:
        chosen = [mutant for mutant in chosen if before.get(mutant.key, Fate.NOT_RUN) in {*ALIVE, Fate.NOT_IMPORTED}]
    if options.sample is not None and options.sample < len(chosen):
        chosen = random.Random(options.seed).sample(chosen, options.sample)
    return chosen


def _run_tests(
    package: Package, mutants: Sequence[Mutant], folder: Path, options: argparse.Namespace, journal: Journal
) -> None:
    """Runs the tests against each mutant and notes what became of it."""
    jobs, bound = options.jobs, options.bound
    prepare()
    covered, foreign = measure(package, options.output)
    quick: list[Trial] = []
    slow: list[Trial] = []
    for mutant in mutants:
        lines = range(mutant.first, mutant.last + 1)
        tests = covered.of(mutant.file, lines, mutant.line, bound)
        if mutant.in_function and tests:
            quick.append(_trial(mutant, tests, covered))
        elif mutant.in_function and not covered.on_import[mutant.file].intersection(lines):
            journal.note(mutant.key, Fate.NOT_RUN)
        else:
            slow.append(_every(mutant, covered, bound))
    control = _every(unchanged(package.files[0]), covered, bound)
    show = _progress(len(quick), "in functions")
    for trial, status in in_functions(package, control, quick, folder, jobs):
        mutant = trial.mutant
        on_import = covered.on_import[mutant.file].intersection(range(mutant.first, mutant.last + 1))
        if status == NOT_REPLACED or (status == SURVIVED and on_import):
            slow.append(_every(mutant, covered, bound))
        else:
            journal.note(mutant.key, _FATES.get(status, Fate.KILLED))
        show()
    show = _progress(len(slow), "by import")
    for trial, status in by_import(control, slow, covered.seconds, foreign, folder, jobs):
        journal.note(trial.mutant.key, _FATES.get(status, Fate.KILLED))
        show()


def _trial(mutant: Mutant, tests: list[str], covered: CoverageMap) -> Trial:
    return Trial(mutant, tests, sum(covered.seconds[test] for test in tests))


def _every(mutant: Mutant, covered: CoverageMap, bound: float) -> Trial:
    return _trial(mutant, covered.every(mutant.file, bound), covered)


def _progress(total: int, what: str) -> Callable[[], None]:
    """Writes to standard error how many are done, from time to time."""
    done, step = 0, max(1, total // 20)

    def show() -> None:
        nonlocal done
        done += 1
        if done % step == 0 or done == total:
            sys.stderr.write(f"{what}: {done} of {total}\n")

    return show


sys.exit(main())
