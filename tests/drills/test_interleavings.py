"""Two processes accept, reject and revoke the same certificates while time moves, and are killed between any two statements."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drills.commands import make_home
from tests.drills.processes import Told, judge, round_of
from tests.support import SOAK

ROUNDS = 12
"""Rounds on one home; `make soak` takes more homes."""


@pytest.mark.parametrize("first", range(0, ROUNDS * SOAK, ROUNDS))
def test_two_processes_on_the_same_certificates(tmp_path: Path, first: int) -> None:
    home = tmp_path / "pki"
    make_home(home)
    told: list[Told] = []
    for number in range(first, first + ROUNDS):
        told += round_of(home, number, processes=2, lifecycle=True)
    counts = judge(home, told)
    assert counts["done"] > 3 * ROUNDS
    assert counts["refused"] > ROUNDS
    assert counts["killed before"] + counts["killed after it took effect"] > ROUNDS / 4
