"""What the pytest plugin costs: its import, an SMKI, a Device, a Repository that is up."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.measurement import Measurement, milliseconds
from benchmarks.raw import limits

# Imports pytest, then the plugin, in a new process; prints the milliseconds of the second.
_IMPORT = """
import time, pytest
start = time.perf_counter()
import smki.testing.plugin
print((time.perf_counter() - start) * 1000)
"""
# What the fixture does, first time in a process: with the imports, and without.
_FIRST = """
import time
start = time.perf_counter()
import smki.home.smki, smki.testing.undo
imported = time.perf_counter()
smki.testing.undo.Undo(smki.home.smki.Smki.in_memory(seed="benchmark"))
print((time.perf_counter() - imported) * 1000, (imported - start) * 1000)
"""


def run() -> list[Measurement]:
    """Every figure in milliseconds; raw is what the cryptography of the same work takes alone."""
    from smki.home.smki import Smki
    from smki.testing import Device, Undo

    limit = limits()
    signature, verification, key = 1000 / limit["sign"], 1000 / limit["verify"], 1000 / limit["generate"]
    # Authorities, the DCC's six certificates with their requests, two lists.
    of_smki = (10 + 6 + 2) * signature + 6 * verification + 10 * key
    # Two requests made and verified, two certificates.
    of_device = 4 * signature + 2 * verification + 2 * key
    imports = sorted(float(_process(_IMPORT)) for _ in range(7))
    firsts = sorted(tuple(map(float, _process(_FIRST).split())) for _ in range(5))

    def fixture() -> None:
        with Smki.in_memory(seed="benchmark") as smki:
            Undo(smki)

    with Smki.in_memory(seed="benchmark") as smki:
        # As in a run of tests: each makes a Device, and what it did is undone.
        undo, making, undoing = Undo(smki), [], []
        for _ in range(200):
            start = time.perf_counter()
            Device.make(smki, "ESME")
            made = time.perf_counter()
            undo.undo()
            making.append((made - start) * 1e6)
            undoing.append((time.perf_counter() - made) * 1e6)
        up = milliseconds(lambda: _up(smki), rounds=7)
    return [
        Measurement("plugin: import on top of pytest", imports[3], "ms", 60),
        Measurement("plugin: the fixture smki", milliseconds(fixture), "ms", 50, of_smki),
        Measurement(
            "plugin: the fixture smki, the first of a process", firsts[2][0], "ms", 50, of_smki,
            f"after {firsts[2][1]:.0f} ms in which smki itself is imported",
        ),
        Measurement("plugin: a Device with both certificates", statistics.median(making), "µs", 1000, of_device * 1000),
        Measurement("plugin: what a test did undone", statistics.median(undoing), "µs"),
        Measurement("plugin: smki_repository up, asked and stopped", up, "ms", 500),
    ]  # fmt: skip


def _process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def _up(smki: object) -> None:
    import urllib.request

    from smki.home.smki import Smki
    from smki.testing import serving

    assert isinstance(smki, Smki)
    with serving(smki) as served, urllib.request.urlopen(f"{served.url}/healthz", timeout=10) as answer:
        assert answer.status == 200
