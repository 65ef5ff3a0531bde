"""Four processes run commands of every kind and are killed; nothing is half done, and every event is there, in order."""

from __future__ import annotations

from pathlib import Path

from smki import Smki
from smki.ledger import CertificateQuery
from tests.drills.commands import make_home
from tests.drills.processes import Told, judge, round_of
from tests.support import SOAK

ROUNDS = 8 * SOAK


def test_four_processes_and_every_kind_of_command(tmp_path: Path) -> None:
    home = tmp_path / "pki"
    make_home(home)
    with Smki.in_memory(seed="foreign") as other:
        foreign = tuple(record.der for record in other.ledger.certificates(CertificateQuery()))
    told: list[Told] = []
    for number in range(ROUNDS):
        told += round_of(home, number, processes=4, lifecycle=False, foreign=foreign, limit=20)
        if number % 10 == 0:
            judge(home, told)
    counts = judge(home, told)
    assert counts["done"] > 10 * ROUNDS
    assert counts["refused"] > ROUNDS
    assert counts["killed before"] + counts["killed after it took effect"] > ROUNDS / 2
