"""The README is the first thing that is tried: its console examples, run, and its Python example, run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.support import serving
from tests.support import PROJECT, tool

README = (PROJECT / "README.md").read_text()
CONSOLE = re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    """(command, the output shown below it) of every console example."""
    found = []
    for block in CONSOLE:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown))
    return found


def masked(text: str) -> str:
    """With everything that differs between two runs masked."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"\b\d{10}-[0-9a-f]{9}\b", "REFERENCE", text)
    text = re.sub(r"\bin \d+\.\d+s", "in SECONDS", text)
    return re.sub(r"\b[0-9A-F]{32,}\b", "HEXADECIMAL", text).strip()


def test_it_has_an_example_for_each_kind_of_user() -> None:
    commands = [command.split()[0] for command, _ in examples()]
    assert {"smki", "openssl", "curl", "pytest"} <= set(commands)
    assert len(PYTHON) == 1


def test_every_example_prints_what_is_shown(made_home: Path, tmp_path: Path) -> None:
    tool("openssl")
    tool("curl")
    shutil.copytree(made_home, tmp_path / "pki")
    (tmp_path / "test_esme.py").write_text(PYTHON[0])
    (tmp_path / "bin").mkdir()
    smki = tmp_path / "bin" / "smki"
    smki.write_text(f"#!{sys.executable}\nfrom smki.cli import main\nmain()\n")
    smki.chmod(0o755)
    path = os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SMKI_", "PYTEST_"))} | {
        "PATH": path
    }
    with serving(tmp_path / "pki") as served:
        for command, shown in examples():
            words = command.replace("http://127.0.0.1:8083", served.url)
            result = subprocess.run(
                words,
                shell=True,
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            printed = result.stdout + result.stderr
            assert masked(printed) == masked(shown), command


@pytest.mark.parametrize("target", ["run", "test", "check", "bench"])
def test_the_promised_targets_are_there(target: str) -> None:
    assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert f"make {target}" in README


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (PROJECT / link).exists(), link
