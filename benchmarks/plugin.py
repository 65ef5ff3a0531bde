"""The pytest plugin: the cost for tests that do not use it, and for its fixtures."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measurement import Measurement, milliseconds
from benchmarks.raw import limits

# Imports pytest, then the plugin, in a new process; prints the milliseconds that the plugin takes.
_IMPORT = """
import time, pytest
start = time.perf_counter()
import smki.testing.plugin
print((time.perf_counter() - start) * 1000)
"""
# What the first fixture smki of a process does, and the imports before it.
_FIRST = """
import time
start = time.perf_counter()
import smki.home.smki, smki.testing.template
imported = time.perf_counter()
smki.testing.template.SmkiFactory("benchmark")().close()
print((time.perf_counter() - imported) * 1000, (imported - start) * 1000)
"""

EMPTY_TESTS = 200
# Prints the processor time from the start of the session, when all plugins are imported, to the end of the run.
_CONFTEST = """
import time
start = 0.0
def pytest_sessionstart():
    global start
    start = time.process_time()
def pytest_unconfigure():
    print(f"\\nTIME {(time.process_time() - start) * 1000}")
"""
_OTHER_PLUGINS = ("cacheprovider", "schemathesis", "hypothesispytest", "anyio", "xdist")
_ROUNDS = 15


def run() -> list[Measurement]:
    """Every figure in milliseconds; raw is what the cryptography of the same work takes alone."""
    from smki.home.smki import Smki
    from smki.testing import DeviceUnderTest, SmkiFactory

    limit = limits()
    signature, verification, key = 1000 / limit["sign"], 1000 / limit["verify"], 1000 / limit["generate"]
    # Authorities, the DCC's six certificates with their requests, two lists.
    of_smki = (10 + 6 + 2) * signature + 6 * verification + 10 * key
    # Two requests made and verified, two certificates.
    of_device = 4 * signature + 2 * verification + 2 * key
    imports = sorted(float(_process(_IMPORT)) for _ in range(7))
    firsts = sorted(tuple(map(float, _process(_FIRST).split())) for _ in range(5))

    factory, making = SmkiFactory("benchmark"), []
    fixture = milliseconds(lambda: factory().close(), rounds=200) * 1000
    for _ in range(200):
        # As in a run of tests: each has a new SMKI and makes a Device.
        with factory() as smki:
            start = time.perf_counter()
            DeviceUnderTest.make(smki, "ESME")
            making.append((time.perf_counter() - start) * 1e6)
    with Smki.in_memory(seed="benchmark") as smki:
        up = milliseconds(lambda: _up(smki), rounds=7)
    return [
        Measurement("plugin: import on top of pytest", imports[3], "ms", 60),
        *_empty_tests(),
        Measurement("plugin: the fixture smki", fixture, "µs"),
        Measurement(
            "plugin: the fixture smki, the first of a process", firsts[2][0], "ms", 50, of_smki,
            f"after {firsts[2][1]:.0f} ms in which smki itself is imported",
        ),
        Measurement("plugin: the first Device of a test, both certificates", statistics.median(making), "µs", None,
                    of_device * 1000),
        Measurement("plugin: smki_repository up, asked and stopped", up, "ms", 500),
    ]  # fmt: skip


def _empty_tests() -> list[Measurement]:
    """Collect, and run, tests that use no fixture: with the plugin, and (as raw) with ``-p no:smki``."""
    measurements = []
    with tempfile.TemporaryDirectory(prefix="smki-benchmark-") as directory:
        folder = Path(directory)
        (folder / "conftest.py").write_text(_CONFTEST)
        (folder / "test_empty.py").write_text("".join(f"def test_{n}(): pass\n" for n in range(EMPTY_TESTS)))
        for what, options in (("collected", ["--collect-only"]), ("run", [])):
            times: dict[bool, list[float]] = {True: [], False: []}
            for _ in range(_ROUNDS):
                for is_loaded, found in times.items():  # in turn, so that both see the same load of the machine
                    found.append(_session(folder, [*options, *([] if is_loaded else ["-pno:smki"])]))
            loaded, without = statistics.median(times[True]), statistics.median(times[False])
            spread = statistics.quantiles(times[False], n=4)
            measurements.append(
                Measurement(
                    f"plugin: {EMPTY_TESTS} empty tests {what}", loaded, "ms", None, without,
                    f"processor time after imports; raw is without the plugin, half of those runs took "
                    f"{spread[0]:.1f} to {spread[2]:.1f} ms",
                )
            )  # fmt: skip
    return measurements


def _session(folder: Path, options: list[str]) -> float:
    command = [sys.executable, "-m", "pytest", "-q", "-s", *(f"-pno:{name}" for name in _OTHER_PLUGINS), *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    result = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return float(result.stdout.rpartition("TIME ")[2])


def _process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def _up(smki: object) -> None:
    import urllib.request

    from smki.home.smki import Smki
    from smki.testing import serving

    assert isinstance(smki, Smki)
    with serving(smki) as served, urllib.request.urlopen(f"{served.url}/healthz", timeout=10) as answer:
        assert answer.status == 200
