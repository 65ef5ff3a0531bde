"""What a benchmark measures, and how a function is timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure."""

    name: str
    value: float | None
    """None if it could not be measured; the note says why."""
    unit: str
    """``/s`` (more is better), ``ms`` or ``µs`` (less is better)."""
    goal: float | None = None
    raw: float | None = None
    """The raw limit of this machine in the same unit, measured in the same run."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure as a part of the raw limit."""
        return self.value / self.raw if self.raw and self.value is not None else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal was reached; None where there is none."""
        if self.goal is None or self.value is None:
            return None
        return self.value <= self.goal if self.unit == "ms" else self.value >= self.goal


def rate(function: Callable[[], object], *, seconds: float = 0.6, rounds: int = 5) -> float:
    """How often a second *function* can be called, one after the other: the median of several rounds."""
    function()
    rates = []
    for _ in range(rounds):
        count, start = 0, time.perf_counter()
        end = start + seconds / rounds
        while (now := time.perf_counter()) < end:
            function()
            count += 1
        rates.append(count / (now - start))
    return statistics.median(rates)


def milliseconds(function: Callable[[], object], *, rounds: int = 9) -> float:
    """How long one call takes: the median of several, after one that does not count."""
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def peak_memory() -> int:
    """The most memory that this process has had at once, in bytes, without files that are mapped (the ledger is): those
    the system takes back when it wants to.

    From /proc: what getrusage says includes that of the process which started this one.
    """
    status = Path("/proc/self/status").read_text()
    highest, mapped = (int(status.split(f"{name}:")[1].split()[0]) for name in ("VmHWM", "RssFile"))
    return (highest - mapped) * 1024
