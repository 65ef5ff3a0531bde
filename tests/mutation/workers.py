"""Runs tests against mutants, each in a forked process.

A change in the body of a function is made in a process that has already imported everything and collected the tests:
the functions in memory get the code of the mutant (``__code__``), and the tests that run it follow. That takes
hundredths of a second. A change at module level takes effect by importing again, which takes about a second. So does
a change in a function that runs during the import, once it has survived the first way.

Not seen: what a test does in a process of its own, which imports the code as it is.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest

from tests.mutation.coverage_map import CoverageMap, Recorder
from tests.mutation.packages import PROJECT, Package
from tests.mutation.processes import in_processes
from tests.mutation.source import Mutant
from tests.mutation.type_check import is_refused

SURVIVED, KILLED, NOT_IMPORTED, NOT_REPLACED, BROKEN, REFUSED = 0, 1, 90, 91, 92, 93
"""Exit statuses of a process that ran a mutant, beside those of ``processes``."""
_FIRST = 5
"""Number of tests that are tried before the type check, which takes half a second, and all the other tests."""
_FAILED = frozenset({pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR})
"""Not among them: that a test named does not exist, as where a mutant changes the parameters of tests."""

_SHOW = bool(os.environ.get("MUTATE_SHOW"))
_ARGUMENTS = (
    *("-q", "-s", "-x", "-p", "no:cacheprovider", "--no-header"),
    # To explain why two long texts differ takes pytest longer than all the rest.
    *(("--tb=short",) if _SHOW else ("--tb=no", "--assert=plain")),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant and the tests that are to kill it, in that order."""

    mutant: Mutant
    tests: Sequence[str]
    seconds: float
    """How long the tests take in the ordinary case."""


class _Settings:
    """Hypothesis neither shrinks nor remembers what failed, and draws the same examples each time."""

    def pytest_configure(self) -> None:
        """Before the tests are imported, as their own settings derive from the profile."""
        from hypothesis import HealthCheck, Phase, settings

        phases = (Phase.explicit, Phase.generate)
        checks = list(HealthCheck)
        settings.register_profile(
            "mutation", database=None, deadline=None, derandomize=True, phases=phases, suppress_health_check=checks
        )
        settings.load_profile("mutation")


class _Killers:
    """Which tests killed how many mutants, in a file that the processes of a run share: those are tried first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    def first(self, tests: Sequence[str]) -> list[str]:
        """The same tests, the three that killed most of late before the others."""
        counts = Counter(self._path.read_text().splitlines()[-200:])
        best = [test for test, _ in counts.most_common() if test in tests][:3]
        return [*best, *(test for test in tests if test not in best)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes the test that failed."""
        if report.failed:
            with self._path.open("a") as file:
                file.write(f"{report.nodeid}\n")


def _pytest(arguments: Sequence[str], *plugins: object) -> int:
    os.chdir(PROJECT)
    return int(pytest.main([*_ARGUMENTS, *arguments], plugins=[_Settings(), *plugins]))


# Which test runs what


def measure(package: Package, folder: Path) -> tuple[CoverageMap, list[str]]:
    """Runs the tests of a package once; what each runs, and the modules that they import from elsewhere.

    What was found is kept in the folder, for as long as neither the code nor the tests change.

    :raises RuntimeError: when a test fails.
    """
    path = folder / f"{package.name}-{_digest(package)}.coverage"

    def run(_: Package) -> int:
        recorder = Recorder(package.files)
        status = _pytest(package.tests, recorder)
        if status == 0:
            path.write_bytes(pickle.dumps((recorder.result(PROJECT), _foreign_modules())))
        return status

    if not path.exists():
        for old in folder.glob(f"{package.name}-*.coverage"):
            old.unlink()
        if [status for _, status in in_processes([package], run, lambda _: 900.0, 1)] != [0]:
            raise RuntimeError(
                f"the tests of {package.name} fail without a mutant: see `pytest {' '.join(package.tests)}`"
            )
    found: tuple[CoverageMap, list[str]] = pickle.loads(path.read_bytes())
    return found


def _digest(package: Package) -> str:
    """Changes with the code, its tests, and the list of those that judge the package."""
    found = hashlib.sha256(repr(package.tests).encode())
    for folder in ("smki", "repository", "tests"):
        for path in sorted((PROJECT / folder).rglob("*.*")):
            if path.is_file() and not {"__pycache__", "node_modules", "mutation"}.intersection(path.parts[:-1]):
                found.update(f"{path.relative_to(PROJECT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()[:16]


def _foreign_modules() -> list[str]:
    """Modules from outside of the project, which a process that runs a mutant need not import again."""
    names = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is not None and ("site-packages" in file or not file.startswith(str(PROJECT))):
            names.append(name)
    return names


def _checked(trials: Iterator[tuple[Trial, int]]) -> Iterator[tuple[Trial, int]]:
    """Without the trial of the unchanged code, which has to survive: or every mutant would seem to be killed."""
    for trial, status in trials:
        if status == BROKEN:
            raise RuntimeError(
                f"{trial.mutant.file} cannot be imported without a mutant: did it change during the run?"
            )
        if trial.mutant.diff:
            yield trial, status
        elif status != SURVIVED:
            raise RuntimeError(f"the tests fail in a fork without a mutant (status {status}); set MUTATE_SHOW=1 to see")


# Changes in functions


def in_functions(
    package: Package, control: Trial, trials: Sequence[Trial], folder: Path, parallel: int
) -> Iterator[tuple[Trial, int]]:
    """Each trial with its exit status. NOT_REPLACED: it has to be imported to take effect."""
    killers = _Killers(folder / "killers")
    return _checked(_in_functions(package, [control, *trials], killers, parallel))


def _in_functions(
    package: Package, trials: Sequence[Trial], killers: _Killers, parallel: int
) -> Iterator[tuple[Trial, int]]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as output:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            loop = _Loop(trials, killers, parallel, lambda index, status: print(index, status, file=output, flush=True))
            _pytest(package.tests, loop, killers)
        os._exit(0)
    os.close(writing)
    answered = 0
    with os.fdopen(reading) as answers:
        for line in answers:
            index, status = map(int, line.split())
            answered += 1
            yield trials[index], status
    os.waitpid(pid, 0)
    if answered != len(trials):
        raise RuntimeError(f"only {answered} of {len(trials)} mutants were run: the tests could not be collected")


class _Loop:
    """Takes the place of pytest's loop over the tests: a loop over mutants."""

    def __init__(
        self, trials: Sequence[Trial], killers: _Killers, parallel: int, answer: Callable[[int, int], None]
    ) -> None:
        self._trials = trials
        self._killers = killers
        self._parallel = parallel
        self._answer = answer

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Each mutant in a fork of this process."""
        items = {item.nodeid: item for item in session.items}
        functions: dict[str, list[FunctionType]] = {}
        for each in gc.get_objects():
            if isinstance(each, FunctionType):
                functions.setdefault(each.__code__.co_filename, []).append(each)
        gc.collect()
        gc.freeze()

        def run(index: int) -> int:
            trial = self._trials[index]
            path = PROJECT / trial.mutant.file
            if trial.mutant.diff and not _replace(functions.get(str(path), []), path, trial.mutant):
                return NOT_REPLACED
            ordered = [items[test] for test in self._killers.first(trial.tests)]
            if _run_items(session, ordered[:_FIRST], ordered[_FIRST:]) != SURVIVED:
                return KILLED
            if trial.mutant.diff and is_refused(trial.mutant):
                return REFUSED
            return _run_items(session, ordered[_FIRST:], [])

        for index, status in in_processes(
            range(len(self._trials)), run, lambda index: self._trials[index].seconds, self._parallel
        ):
            self._answer(index, status)
        return True


def _run_items(session: pytest.Session, items: Sequence[pytest.Item], later: Sequence[pytest.Item]) -> int:
    """Those *later* may use the same fixtures, which are kept for them."""
    for item, following in zip(items, [*items[1:], later[0] if later else None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed or session.shouldfail:
            return KILLED
    return SURVIVED


def _replace(functions: Sequence[FunctionType], path: Path, mutant: Mutant) -> bool:
    """Gives the functions in memory the code of the mutant; False where that cannot be done."""
    changed: dict[tuple[str, int], CodeType | None] = {}
    before = compile(path.read_text(), str(path), "exec", dont_inherit=True)
    after = compile(mutant.source, str(path), "exec", dont_inherit=True)
    if not _pair(before, after, changed):
        return False
    replaced = False
    for function in functions:
        code = function.__code__
        key = code.co_qualname, code.co_firstlineno
        if key in changed:
            new = changed[key]
            if new is None or new.co_freevars != code.co_freevars:
                return False
            function.__code__ = new
            replaced = True
    return replaced


def _pair(before: CodeType, after: CodeType, changed: dict[tuple[str, int], CodeType | None]) -> bool:
    """Which code takes the place of which; None where two are on one line. False if there are more or fewer."""
    inner, new_inner = _inner(before), _inner(after)
    if [code.co_name for code in inner] != [code.co_name for code in new_inner]:
        return False
    for old, new in zip(inner, new_inner, strict=True):
        if old != new:
            key = old.co_qualname, old.co_firstlineno
            changed[key] = None if key in changed else new
        if not _pair(old, new, changed):
            return False
    return True


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


# Changes at module level


def by_import(
    control: Trial, trials: Sequence[Trial], every: Container[str], foreign: Sequence[str], folder: Path, parallel: int
) -> Iterator[tuple[Trial, int]]:
    """Each trial with its exit status. NOT_IMPORTED: the mutant cannot even be imported.

    :param every: the names of all tests.
    :param foreign: modules to import beforehand, none of them mutated.
    """
    killers = _Killers(folder / "killers")
    return _checked(_by_import([control, *trials], every, foreign, killers, parallel))


def _by_import(
    trials: Sequence[Trial], every: Container[str], foreign: Sequence[str], killers: _Killers, parallel: int
) -> Iterator[tuple[Trial, int]]:
    for name in foreign:
        if name not in sys.modules:
            _import_quietly(name)
    gc.freeze()

    def run(trial: Trial) -> int:
        path = PROJECT / trial.mutant.file
        name = ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        status = _import_mutant(name, path, trial.mutant.source)
        if status != SURVIVED:
            return status
        # Most are killed by the first tests; to collect all of them takes longer than to run those.
        ordered = killers.first(trial.tests)
        if _selected(ordered[:_FIRST], ordered[:_FIRST], every, killers) in _FAILED:
            return KILLED
        if trial.mutant.diff and is_refused(trial.mutant):
            return REFUSED
        files = dict.fromkeys(test.partition("::")[0] for test in ordered)
        return KILLED if _selected(list(files), ordered, every, killers) in _FAILED else SURVIVED

    yield from in_processes(trials, run, lambda trial: 5 + trial.seconds, parallel)


def _selected(arguments: Sequence[str], tests: Sequence[str], every: Container[str], killers: _Killers) -> int:
    # pytest would have rewritten the assertions of smki, had it been the first to import it.
    return _pytest(["-Wignore::pytest.PytestAssertRewriteWarning", *arguments], _Order(tests, every), killers)


def _import_mutant(name: str, path: Path, source: str) -> int:
    """Imports a mutant in the place of its module. BROKEN: neither can the module itself be imported."""
    finder = _MutantFinder(name, path, source)
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module(name)
    except Exception:
        sys.meta_path.remove(finder)
        package = name.partition(".")[0]
        for each in [each for each in sys.modules if each.partition(".")[0] == package]:
            del sys.modules[each]
        try:
            importlib.import_module(name)
        except Exception:
            return BROKEN
        return NOT_IMPORTED
    return SURVIVED


def _import_quietly(name: str) -> None:
    """What cannot be imported by itself is left to the tests that import it in their own way."""
    try:
        importlib.import_module(name)
    except Exception:
        sys.modules.pop(name, None)


class _MutantFinder(importlib.abc.MetaPathFinder):
    """Finds a mutant in the place of its module."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path = name, path
        self._loader = _MutantLoader(name, str(path))
        self._loader.mutant = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Only for that one module."""
        if fullname != self._name:
            return None
        package = [str(self._path.parent)] if self._path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            fullname, self._path, loader=self._loader, submodule_search_locations=package
        )


class _MutantLoader(importlib.machinery.SourceFileLoader):
    """Loads a mutant as if it were the file."""

    mutant = ""

    def get_code(self, fullname: str) -> CodeType:
        """Compiled anew: no cached bytecode can be right."""
        return compile(self.mutant, self.get_filename(fullname), "exec", dont_inherit=True)


class _Order:
    """Runs the tests chosen, in their order.

    :param tests: those chosen.
    :param every: the names of all tests of the code without a mutant.
    """

    def __init__(self, tests: Sequence[str], every: Container[str]) -> None:
        self._rank = {test: rank for rank, test in enumerate(tests)}
        self._every = every

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Those that were not chosen are left out; those that there are only with the mutant come last."""
        items[:] = [item for item in items if item.nodeid in self._rank or item.nodeid not in self._every]
        items.sort(key=lambda item: self._rank.get(item.nodeid, len(self._rank)))
