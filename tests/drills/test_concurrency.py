"""Four processes run commands of every kind and are killed; nothing is half done, and every event is there, in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from smki import Smki
from smki.ledger import CertificateQuery
from tests.drills.commands import make_home
from tests.drills.processes import Told, judge, round_of
from tests.support import SOAK

ROUNDS = 8
"""Rounds on one home; `make soak` takes more homes."""


@pytest.mark.parametrize("first", range(0, ROUNDS * SOAK, ROUNDS))
def test_four_processes_and_every_kind_of_command(tmp_path: Path, first: int) -> None:
    home = tmp_path / "pki"
    make_home(home)
    with Smki.in_memory(seed="foreign") as other:
        foreign = tuple(record.der for record in other.ledger.certificates(CertificateQuery()))
    told: list[Told] = []
    for number in range(first, first + ROUNDS):
        told += round_of(home, number, processes=4, lifecycle=False, foreign=foreign, limit=20)
    counts = judge(home, told)
    assert counts["done"] > 10 * ROUNDS
    assert counts["refused"] > ROUNDS
    assert counts["killed before"] + counts["killed after it took effect"] > ROUNDS / 4
