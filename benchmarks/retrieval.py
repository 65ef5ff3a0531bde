"""Retrieving certificates over HTTP from a Repository with 100,000 of them.

The load comes from the same machine and shares its processors with the server.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path

from benchmarks.generator import fill
from benchmarks.load import closed
from benchmarks.measurement import Measurement
from benchmarks.million import retrieve, sample
from benchmarks.serving import served

CERTIFICATES = 100_000
SECONDS = 4.0


def run() -> list[Measurement]:
    """Retrievals a second by serial number."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home = Path(directory) / "pki"
        fill(home, CERTIFICATES)
        serials = sample(home, CERTIFICATES // 5)
        with served(home) as port, multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.apply(closed, (port, serials, retrieve, 1.0))
            answers = pool.apply(closed, (port, serials, retrieve, SECONDS))
        size = (home / "ledger.sqlite").stat().st_size / CERTIFICATES
    note = f"{CERTIFICATES} certificates, {size:.0f} bytes each in the ledger; load from the same {multiprocessing.cpu_count()} processors"
    return [Measurement("retrieve a certificate over HTTP (XML)", answers / SECONDS, "/s", 5000, note=note)]
