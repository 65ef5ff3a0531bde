"""An SMKI with a Device and a Supplier, and pytest with the plugin run on small test files, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import smki.testing.assertions
import smki.testing.devices
import smki.testing.keep
import smki.testing.repository  # noqa: F401  (imported here, so that no inner run pays for it)
from smki import Smki
from smki.testing import DeviceUnderTest, Organisation

Run = Callable[..., pytest.RunResult]

SLOW_TO_LOAD = ("schemathesis", "hypothesispytest", "anyio")
"""Plugins that come with the tools of these tests: most of the time of a run in a process of its own."""


@pytest.fixture
def only_this_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other plugins would be imported, and rewritten, once more in each run. Whole processes load them all."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "smki.testing.plugin")


@pytest.fixture
def run(pytester: pytest.Pytester, only_this_plugin: None) -> Run:
    """Writes a test file and runs it: ``run(source, *options)``. A warning is an error there."""

    def run(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_inner=source)
        # This process has imported smki and others long ago, which pytest would have liked to do itself.
        imported = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
        strictly = ("-W", "error", "-W", imported, "-p", "no:randomly", "--strict-markers")
        return pytester.runpytest_inprocess(*strictly, *options)

    return run


@pytest.fixture(scope="module")
def world() -> Iterator[Smki]:
    with Smki.in_memory(seed="helpers") as made:
        yield made


@pytest.fixture(scope="module")
def meter(world: Smki) -> DeviceUnderTest:
    return DeviceUnderTest.make(world, "esme")


@pytest.fixture(scope="module")
def large_supplier(world: Smki) -> Organisation:
    return Organisation.make(world, "supplier")
