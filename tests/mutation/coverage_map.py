"""Finds out which tests run a line, by running them once with coverage.py."""

from __future__ import annotations

import functools
import gc
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

_FIXTURE = "fixture "
_IMPORT = ""


@dataclass(slots=True)
class CoverageMap:
    """What the tests run, and how long each of them takes."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Of each test, with the fixtures that it was the first to use; in the order in which they ran."""
    tests: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    """For each file and line, the tests that run it, or that use a fixture whose making runs it."""
    on_import: dict[str, set[int]] = field(default_factory=dict)
    """For each file, the lines that run while modules are imported and tests are collected."""

    def of(self, file: str, lines: Iterable[int], line: int, bound: float) -> list[str]:
        """The tests that run any of the *lines*, those that run *line* first, the quick ones before the slow ones.

        :param bound: in seconds: no more tests than can be run in that time, but always the first.
        """
        by_line = self.tests.get(file, {})
        chosen = {test for each in lines for test in by_line.get(each, ())}
        near = by_line.get(line, set())
        return self._within(sorted(chosen, key=lambda test: (test not in near, self.seconds[test])), bound)

    def every(self, file: str, bound: float) -> list[str]:
        """All tests, those that run any line of the file first, the quick ones before the slow ones.

        :param bound: as in :meth:`of`.
        """
        near = {test for tests in self.tests.get(file, {}).values() for test in tests}
        return self._within(sorted(self.seconds, key=lambda test: (test not in near, self.seconds[test])), bound)

    def _within(self, tests: list[str], bound: float) -> list[str]:
        sums = accumulate(self.seconds[test] for test in tests)
        return [
            test for index, (test, total) in enumerate(zip(tests, sums, strict=True)) if not index or total <= bound
        ]


class Recorder:
    """A pytest plugin that notes what each test runs."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._coverage = Coverage(data_file=None, config_file=False, include=[str(file) for file in files])
        self._contexts: list[str] = [_IMPORT]
        self._users: dict[str, set[str]] = defaultdict(set)
        self._caches: list[Any] = []
        self._seconds: dict[str, float] = {}
        self._coverage.start()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learns who uses which fixture. Caches are emptied before each test, or only the first would be seen."""
        for item in session.items:
            for name in getattr(item, "fixturenames", ()):
                self._users[_FIXTURE + name].add(item.nodeid)
        self._caches = [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """One test."""
        for cached in self._caches:
            if str(cached.__module__).startswith("smki"):
                cached.cache_clear()
        self._seconds[item.nodeid] = 0.0
        return (yield from self._within(item.nodeid))

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """A fixture that several tests share counts for all of them."""
        if fixturedef.scope == "function":
            return (yield)
        name = _FIXTURE + fixturedef.argname
        self._users[name].add(next(each for each in reversed(self._contexts) if not each.startswith(_FIXTURE)))
        return (yield from self._within(name))

    def _within(self, context: str) -> Generator[None, object, object]:
        self._contexts.append(context)
        self._coverage.switch_context(context)
        try:
            return (yield)
        finally:
            self._contexts.pop()
            self._coverage.switch_context(self._contexts[-1])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How long it took."""
        self._seconds[report.nodeid] += report.duration

    def result(self, project: Path) -> CoverageMap:
        """What was noted."""
        self._coverage.stop()
        data = self._coverage.get_data()
        found = CoverageMap(seconds=self._seconds)
        for path in self._files:
            name = path.relative_to(project).as_posix()
            found.tests[name], found.on_import[name] = {}, set()
            for line, contexts in data.contexts_by_lineno(str(path)).items():
                if _IMPORT in contexts:
                    found.on_import[name].add(line)
                found.tests[name][line] = {
                    test
                    for context in contexts
                    if context
                    for test in (self._users[context] if context.startswith(_FIXTURE) else (context,))
                    if test in self._seconds
                }
        return found
