"""Two processes accept, reject and revoke the same certificates while time moves, and are killed between any two statements."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.drills.commands import make_home
from tests.drills.processes import Told, judge, round_of
from tests.support import SOAK

ROUNDS = 12 * SOAK


def test_two_processes_on_the_same_certificates(tmp_path: Path) -> None:
    home = tmp_path / "pki"
    make_home(home)
    told: list[Told] = []
    counts: Counter[str] = Counter()
    for number in range(ROUNDS):
        told += round_of(home, number, processes=2, lifecycle=True)
        if number % 10 == 0:
            judge(home, told)
    counts = judge(home, told)
    assert counts["done"] > 3 * ROUNDS
    assert counts["refused"] > ROUNDS
    assert counts["killed before"] + counts["killed after it took effect"] > ROUNDS / 2
