"""Installs peers below ``build/peers``, never into the environment of the project; what is there is used again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.peer import NotMeasuredError

WHERE = Path("build/peers")
SECONDS = 600
"""Seconds after which an installation is given up."""


def run(command: Sequence[str | Path], *, folder: Path | None = None, seconds: float = SECONDS) -> str:
    """Run a command to its end; return its standard output.

    :raises NotMeasuredError: with the last line it wrote, if it is missing, fails or takes longer.
    """
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=seconds, check=False
        )
    except FileNotFoundError:
        raise NotMeasuredError(f"{name} is not installed") from None
    except subprocess.TimeoutExpired:
        raise NotMeasuredError(f"{name} took more than {seconds:.0f} s") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        raise NotMeasuredError(f"{name} failed: {lines[-1]}")
    return done.stdout


def environment(name: str, requirement: str) -> Path:
    """Install a requirement into a virtual environment of its own; return the path of its Python."""
    folder = (WHERE / name).absolute()
    marker = folder / "installed"
    if not (marker.is_file() and marker.read_text() == requirement):
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", folder])
        pip: list[str | Path] = [
            folder / "bin" / "python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--quiet",
            "install",
        ]
        run([*pip, requirement])
        marker.write_text(requirement)
    return folder / "bin" / "python"


def version(python: Path, package: str) -> str:
    """Return the version of a package in a virtual environment."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    return run([python, "-I", "-c", code, package]).strip()


def debian_program(package: str, program: str) -> Path:
    """Return the path of a program: the one that is installed, or the one in Debian's package, unpacked."""
    installed = shutil.which(program)
    if installed:
        return Path(installed)
    folder = (WHERE / package).absolute()
    unpacked = folder / "unpacked"
    if not unpacked.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run(["apt-get", "download", package], folder=folder)
        partial = folder / "partial"
        run(["dpkg-deb", "-x", *folder.glob("*.deb"), partial])
        partial.rename(unpacked)
    return unpacked / "usr" / "bin" / program


def _environment() -> dict[str, str]:
    """The variables of this process, without those that would lead a peer's Python to the project."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
