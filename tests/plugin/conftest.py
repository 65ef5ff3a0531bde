"""Runs pytest with the plugin on small test files, in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import smki.testing.assertions
import smki.testing.devices
import smki.testing.keep
import smki.testing.repository  # noqa: F401  (imported here, so that no inner run pays for it)

Run = Callable[..., pytest.RunResult]


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
