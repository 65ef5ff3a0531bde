"""The examples of the guide, run as they stand, and the guide itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.conftest import SLOW_TO_LOAD
from tests.support import PROJECT

EXAMPLE = PROJECT / "docs" / "examples" / "device-tests"
GUIDE = (PROJECT / "docs" / "testing-devices.md").read_text()


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SMKI_", "PYTEST_"))}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-W", "error", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


WITHOUT = [f"-pno:{plugin}" for plugin in ("cacheprovider", *SLOW_TO_LOAD)]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example project, so that a run leaves nothing in ours."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("__pycache__", ".*")))


def test_the_example_project(example: Path) -> None:
    result = run(example, "-m", "pytest", "-q", *WITHOUT)
    assert result.returncode == 0, result.stdout
    assert re.search(r"^\d\d passed in", result.stdout, re.M)


def test_with_unittest(example: Path) -> None:
    result = run(example, "-m", "unittest")
    assert result.returncode == 0, result.stderr
    assert "Ran 3 tests" in result.stderr


def test_the_first_example_is_short() -> None:
    lines = (EXAMPLE / "test_esme.py").read_text().splitlines()
    assert len(lines) <= 10
    assert "\n".join(lines) in GUIDE


def test_the_fixtures_of_wider_scope_in_the_guide(example: Path) -> None:
    shown = re.search(r"^```python\n(import pytest\n.*?smki_factory.*?)^```", GUIDE, re.M | re.S)
    assert shown
    (example / "test_shared.py").write_text(
        shown[1]
        + """
def test_all_fixtures_use_it(supplier, esme, smki):
    assert supplier.smki is esme.smki is smki


def test_it_is_shared(smki):
    assert smki.ledger.count_certificates() == 10 + 3 + 2
"""
    )
    result = run(example, "-m", "pytest", "-q", *WITHOUT, "test_shared.py")
    assert result.returncode == 0, result.stdout
    assert "2 passed" in result.stdout


def test_the_toy_meter_is_not_perfect_and_the_guide_shows_it(example: Path) -> None:
    """The failure that the guide shows is what comes out."""
    shown = re.search(r"^```console\n\$ pytest (-q .*?)\n(.*?)^```", GUIDE, re.M | re.S)
    assert shown
    source = re.search(r"^```python\n# test_why\.py\n(.*?)^```", GUIDE, re.M | re.S)
    assert source
    (example / "test_why.py").write_text(source[1])
    result = run(example, "-m", "pytest", *WITHOUT, *shown[1].split())
    assert result.returncode == 1
    printed = [line.rstrip() for line in result.stdout.splitlines()]
    wanted = [line.rstrip() for line in shown[2].splitlines() if not line.startswith("...") and " in " not in line]
    assert len(wanted) > 5
    assert [line for line in wanted if line not in printed] == []


def test_the_number_of_defects_in_the_guide() -> None:
    from smki.testing import select_defects

    assert f"{len(list(select_defects()))} of them" in GUIDE


def test_every_fixture_marker_and_option_is_in_the_guide() -> None:
    from tests.plugin.test_fixtures import FIXTURES

    words = [
        *FIXTURES,
        "@pytest.mark.smki(",
        "@pytest.mark.smki_defects(",
        "--smki-seed",
        "--smki-keep",
        "--smki-repository",
    ]
    import smki.testing

    words += [name for name in smki.testing.__all__ if name.islower()]
    assert [word for word in words if word not in GUIDE] == []
