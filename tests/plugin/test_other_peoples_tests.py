"""Tests that use none of the fixtures: the plugin does nothing while they run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import smki
from tests.plugin.conftest import SLOW_TO_LOAD

# Records every call of a Python function of smki, by the test during whose setup, call or teardown it was made. Outside
# of tests, what runs when a module is imported is left out.
RECORDER = """
import json, pathlib, sys, threading
import pytest

OURS = tuple(map(str, map(pathlib.Path, {folders!r})))
calls, current = {{}}, [""]

def is_ours(frame):
    return frame.f_code.co_filename.startswith(OURS)

def is_import(frame):
    while frame is not None and not (is_ours(frame) and frame.f_code.co_name == "<module>"):
        frame = frame.f_back
    return frame is not None

def profile(frame, event, argument):
    if event == "call" and is_ours(frame) and (current[0] or not is_import(frame)):
        calls.setdefault(current[0], []).append(frame.f_code.co_name)

sys.setprofile(profile)
threading.setprofile(profile)

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    current[0] = item.name
    calls[item.name] = []
    result = yield
    current[0] = ""
    return result

def pytest_unconfigure():
    sys.setprofile(None)
    pathlib.Path("calls.json").write_text(json.dumps(calls))
"""

TESTS_OF_OTHERS = """
    import unittest
    import pytest

    @pytest.fixture(scope="module", params=[1, 2])
    def of_the_module(request):
        yield request.param

    @pytest.fixture(autouse=True)
    def of_every_test(tmp_path):
        yield

    def test_without_fixtures():
        pass

    @pytest.mark.parametrize("number", range(3))
    def test_with_fixtures(number, of_the_module, monkeypatch):
        assert of_the_module

    @pytest.mark.xfail(strict=True)
    def test_that_fails():
        raise AssertionError

    class TestOfUnittest(unittest.TestCase):
        def test_method(self):
            pass
"""

Calls = dict[str, list[str]]


def recorded(folder: Path, source: str, *options: str) -> Calls:
    """Run a test file in a process of its own and return the functions of smki that were called, by test."""
    packages = [str(Path(module).parent) for module in (smki.__file__, _path("smki_repository"))]
    (folder / "recorder.py").write_text(RECORDER.format(folders=packages))
    lines = source.splitlines()
    (folder / "test_it.py").write_text("\n".join(line[4:] for line in lines) + "\n")
    command = [sys.executable, "-m", "pytest", "-p", "recorder", "-p", "no:cacheprovider", *options]
    command += [f"-pno:{plugin}" for plugin in ("randomly", *SLOW_TO_LOAD)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    found: Calls = json.loads((folder / "calls.json").read_text())
    return found


def _path(module: str) -> str:
    import importlib

    path = importlib.import_module(module).__file__
    assert path is not None
    return path


def test_no_function_is_called_while_tests_of_others_run(tmp_path: Path) -> None:
    calls = recorded(tmp_path, TESTS_OF_OTHERS)
    in_no_test = calls.pop("")
    assert len(calls) == 1 + 6 + 1 + 1
    assert [test for test, names in calls.items() if names] == []
    # Once a run: the options, the seed, the header. For each test function that is collected (pytest has no such hook for
    # unittest), one comparison: whether it uses defective_certificate.
    assert sorted(in_no_test) == [
        "pytest_addoption",
        "pytest_configure",
        *["pytest_generate_tests"] * 3,
        "pytest_report_header",
        "reproduce",
    ]


def test_tests_that_use_fixtures_leave_no_hook_behind(tmp_path: Path) -> None:
    calls = recorded(
        tmp_path,
        """
    def test_with(smki_repository, smki_home, supplier, revoke): revoke(supplier)
    def test_without(tmp_path): pass
    def test_with_again(esme): pass
    """,
    )
    assert len(calls["test_with"]) > 1000
    assert len(calls["test_with_again"]) > 100
    assert calls["test_without"] == []
