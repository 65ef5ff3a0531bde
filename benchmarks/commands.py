"""How long commands take, as whole processes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measurement import Measurement, milliseconds

_SMKI = [sys.executable, "-c", "from smki.cli import main; main()"]


def _run(*words: str) -> None:
    subprocess.run([*_SMKI, *words], check=True, capture_output=True)


def run() -> list[Measurement]:
    """`smki --help` and `smki init`."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "pki"

        def init() -> None:
            shutil.rmtree(home, ignore_errors=True)
            _run("init", "--home", str(home))

        return [
            Measurement(
                "python -c pass", milliseconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)), "ms"
            ),
            Measurement("smki --help", milliseconds(lambda: _run("--help")), "ms", 150),
            Measurement("smki init", milliseconds(init), "ms", 1000),
        ]
