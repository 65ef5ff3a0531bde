"""`smki check` of 100,000 certificates: every row, event, signature and counter, with all processors.

The home is filled once, in minutes, and kept in benchmarks/.million for the next run.
"""

from __future__ import annotations

import time

from benchmarks.measurement import Measurement
from benchmarks.million import filled
from smki import Smki

CERTIFICATES = 100_000
GOAL = 25_000
"""Milliseconds."""


def run() -> list[Measurement]:
    """Everything, and only what is newer than the last event."""
    home = filled(CERTIFICATES)
    figures = []
    with Smki.open(home) as smki:
        for name, since in (("everything", 0), ("--since the latest event", smki.ledger.record.size())):
            begin = time.perf_counter()
            result = smki.check(since=since)
            taken = time.perf_counter() - begin
            assert result.problems == ()
            figures.append(Measurement(f"check {CERTIFICATES:,} certificates, {name}", 1000 * taken, "ms", GOAL))
    return figures
