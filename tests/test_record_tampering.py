"""What an attacker does to the record itself: leaves, the files of checkpoints, and exports."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smki import Smki
from smki.clock import AdjustableClock
from smki.ledger.record import WrittenRow, pack_rows, unpack_rows
from tests.support import DEVICE, DS, run_here

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("record") / "pki"
    with Smki.create(home, at=START):
        pass
    with Smki.open(home, AdjustableClock(START)) as smki:
        smki.issue_device(smki.make_device_request(DEVICE, DS)[1])
        smki.checkpoints.make()
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "pki"))


def verdict(*words: str | Path) -> list[str]:
    result = run_here("audit", "verify", "--json", *words)
    codes = [problem["code"] for problem in json.loads(result.stdout)["problems"]]
    assert result.returncode == (1 if codes else 0)
    return codes


def test_a_row_put_back_while_its_hash_is_given_to_another_row(home: Path, tmp_path: Path) -> None:
    """The text of a row that was written again is gone: without its key, its hash could be any row's."""
    for words in (("expel", "GAS-NETWORK"), ("suspend", "OTHER-USER")):
        if words[0] == "expel":
            connection = sqlite3.connect(home / "ledger.sqlite")
            (before,) = connection.execute("SELECT record FROM registrant WHERE id = 'GAS-NETWORK'").fetchone()
            connection.close()
        assert run_here("party", *words, "--home", home).returncode == 0
    run_here("audit", "checkpoint", "--home", home, "--out", tmp_path / "kept")
    assert verdict("--home", home) == []
    connection = sqlite3.connect(home / "ledger.sqlite", isolation_level=None)
    connection.execute("UPDATE registrant SET record = ? WHERE id = 'GAS-NETWORK'", (before,))
    ((part, key, row_hash),) = unpack_rows(
        connection.execute("SELECT written FROM leaf WHERE event_id = 16").fetchone()[0]
    )
    assert key == b'"GAS-NETWORK"'
    forged = pack_rows([WrittenRow(part, b'"OTHER-USER"', row_hash)])
    connection.execute("UPDATE leaf SET written = ? WHERE event_id = 16", (forged,))
    connection.close()
    assert "record.event-changed" in verdict("--home", home)
    run_here("audit", "export", tmp_path / "e.jsonl", "--home", home)
    assert verdict("--export", tmp_path / "e.jsonl") != []


def test_an_export_with_a_hash_given_to_another_row(home: Path, tmp_path: Path) -> None:
    for words in (("expel", "GAS-NETWORK"), ("suspend", "OTHER-USER")):
        run_here("party", *words, "--home", home)
    run_here("audit", "export", tmp_path / "e.jsonl", "--home", home)
    text = (tmp_path / "e.jsonl").read_text()
    assert verdict("--export", tmp_path / "e.jsonl") == []
    lines = text.splitlines()
    (at,) = [at for at, line in enumerate(lines) if '"rows": [[6, "\\"GAS-NETWORK\\""' in line]
    lines[at] = lines[at].replace('"rows": [[6, "\\"GAS-NETWORK\\""', '"rows": [[6, "\\"OTHER-USER\\""')
    (tmp_path / "e.jsonl").write_text("\n".join(lines) + "\n")
    assert "record.event-changed" in verdict("--export", tmp_path / "e.jsonl")
