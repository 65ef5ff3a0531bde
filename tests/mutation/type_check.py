"""Which mutants mypy refuses: they could not be committed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence

from mypy import api

from tests.mutation.packages import PROJECT
from tests.mutation.processes import in_processes
from tests.mutation.source import Mutant

_CACHE = PROJECT / "build" / "mutation" / "mypy"


def prepare() -> None:
    """Checks the project without a mutant, so that each mutant is then checked in half a second.

    :raises RuntimeError: when mypy finds an error.
    """
    os.chdir(PROJECT)
    said, errors, status = api.run(["--cache-dir", str(_CACHE), "smki"])
    if status != 0:
        raise RuntimeError(f"mypy refuses the code without a mutant: {said}{errors}")


def is_refused(mutant: Mutant) -> bool:
    """Whether mypy finds an error in its module, by the project's own settings."""
    os.chdir(PROJECT)
    with tempfile.NamedTemporaryFile("w", suffix=".py") as changed:
        changed.write(mutant.source)
        changed.flush()
        shadow = ["--shadow-file", mutant.file, changed.name]
        return api.run([*shadow, "--cache-dir", str(_CACHE), mutant.file])[2] == 1


def refused(mutants: Sequence[Mutant], parallel: int) -> Iterator[Mutant]:
    """Those that mypy refuses."""
    for mutant, status in in_processes(mutants, lambda mutant: int(is_refused(mutant)), lambda _: 60.0, parallel):
        if status == 1:
            yield mutant
