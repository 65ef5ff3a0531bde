"""Which mutants mypy refuses: they could not be committed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mypy import api

from tests.mutation.packages import PROJECT
from tests.mutation.processes import in_processes
from tests.mutation.source import Mutant


def refused(mutants: Sequence[Mutant], cache: Path, parallel: int) -> Iterator[Mutant]:
    """Those in whose module mypy finds an error, by the project's own settings."""
    os.chdir(PROJECT)

    def run(mutant: Mutant) -> int:
        with tempfile.NamedTemporaryFile("w", suffix=".py") as changed:
            changed.write(mutant.source)
            changed.flush()
            shadow = ["--shadow-file", mutant.file, changed.name]
            return api.run([*shadow, "--cache-dir", str(cache), mutant.file])[2]

    for mutant, status in in_processes(mutants, run, lambda _: 60.0, parallel):
        if status == 1:
            yield mutant
