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
    """`smki --help`, `smki init` and `smki demo z1`."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "pki"

        def init() -> None:
            shutil.rmtree(home, ignore_errors=True)
            _run("init", "--home", str(home))

        demo_home, demo_out = home.with_name("demo"), home.with_name("z1")

        def demo() -> None:
            for made in (demo_home, demo_out):
                shutil.rmtree(made, ignore_errors=True)
            _run("demo", "z1", "--home", str(demo_home), "--out", str(demo_out))

        return [
            Measurement(
                "python -c pass", milliseconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)), "ms"
            ),
            Measurement("smki --help", milliseconds(lambda: _run("--help")), "ms", 150),
            Measurement("smki init", milliseconds(init), "ms", 1000),
            Measurement("smki demo z1", milliseconds(demo), "ms", 3000),
        ]
