"""Runs the benchmarks, prints a table and writes benchmarks/results.json."""

from __future__ import annotations

import importlib
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.measurement import Measurement

BENCHMARKS = (
    "raw",
    "issuance",
    "eligibility",
    "retrieval",
    "lint",
    "revocation",
    "verification",
    "extracts",
    "plugin",
    "commands",
)
ON_REQUEST = ("million", "checking", "peers")
"""Those that take minutes, or install programs."""


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all of them."""
    unknown = [name for name in names if name not in (*BENCHMARKS, *ON_REQUEST)]
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join((*BENCHMARKS, *ON_REQUEST))}")
    measured: list[Measurement] = []
    print(f"{'':<62}{'':>12} {'raw':>7} {'goal':>12}")
    for name in names or BENCHMARKS:
        for measurement in importlib.import_module(f"benchmarks.{name}").run():
            measured.append(measurement)
            print(_line(measurement), flush=True)
    results = {
        "python": platform.python_version(),
        "machine": platform.processor() or platform.machine(),
        "measurements": [asdict(one) | {"ratio": one.ratio, "reached": one.reached} for one in measured],
    }
    file = Path(__file__).with_name("results.json")
    file.write_text(json.dumps(results, indent=2) + "\n")
    print(
        f"\nraw: the figure as a part of the raw limit measured in the same run. JSON in {file.relative_to(Path.cwd())}"
    )


def _line(measurement: Measurement) -> str:
    value = "skipped" if measurement.value is None else f"{measurement.value:,.0f} {measurement.unit}"
    ratio = f"{measurement.ratio:.2f}" if measurement.ratio is not None else ""
    goal = ""
    if measurement.goal is not None:
        goal = f"{measurement.goal:,.0f} {'yes' if measurement.reached else 'NO'}"
    note = f"\n    {measurement.note}" if measurement.note else ""
    return f"{measurement.name:<62}{value:>12} {ratio:>7} {goal:>12}{note}"


if __name__ == "__main__":
    main(sys.argv[1:])
