"""What an attacker does to the record itself: leaves, the files of checkpoints, and exports."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smki import CertificateKind, Smki
from smki.clock import AdjustableClock
from smki.ledger.record import Columns, RecordedRow, WrittenRow, pack_rows, text_hash, unpack_rows
from smki.ledger.sqlite.record_reader import SqliteRecord
from smki.ledger.sqlite.recording import REGISTRANT, column_names, leaf_of, rows_of, write_leaf
from smki.problem import IntegrityError, Malformed
from smki.registration import Actor
from smki.registration.devices import SetThreshold
from tests.support import DEVICE, DS, run_here

ACTOR = Actor(interface="test")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATEST = "000000000015.checkpoint"
"""The newest checkpoint of the home."""


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


def change(home: Path, number: int) -> None:
    """Append one event."""
    with Smki.open(home, AdjustableClock(START)) as smki:
        smki.registration.execute(SetThreshold(DEVICE, number), ACTOR)


@pytest.mark.parametrize("name", ["999999999999", "9" * 26, "\u00b2", "x"])
def test_a_checkpoint_under_the_name_of_a_later_one(home: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is genuine. If it were taken for the latest, no other would ever be made again."""
    shutil.copyfile(home / "checkpoints" / LATEST, home / "checkpoints" / f"{name}.checkpoint")
    change(home, 101)
    with Smki.open(home, AdjustableClock(START)) as smki:
        smki.lists(CertificateKind.ISSUING_OCA).publish()
        assert "no checkpoint of the record could be made" in caplog.text
        with pytest.raises(IntegrityError, match="the checkpoint of 15 events"):
            smki.checkpoints.make()
    assert verdict("--home", home) == ["checkpoint.name"]
    assert run_here("check", "--home", home).returncode == 1


def test_something_else_under_the_name_of_a_checkpoint(home: Path) -> None:
    """A directory, a pipe that nobody writes to, and a file of any size."""
    odd = home / "checkpoints" / "x.checkpoint"
    for kind in ("directory", "pipe", "link"):
        if kind == "directory":
            odd.mkdir()
        elif kind == "pipe":
            os.mkfifo(odd)
        else:
            odd.symlink_to("/dev/zero")
        change(home, 101)
        assert verdict("--home", home) == ["note.malformed"]
        if kind == "directory":
            odd.rmdir()
        else:
            odd.unlink()
    odd.write_bytes(b"")
    os.truncate(odd, 1 << 34)
    assert verdict("--home", home) == ["note.malformed"]


def test_all_checkpoints_removed(home: Path) -> None:
    shutil.rmtree(home / "checkpoints")
    assert verdict("--home", home) == ["checkpoint.missing"]
    assert run_here("check", "--home", home).returncode == 1


def test_a_ledger_put_back_behind_its_checkpoints(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The next command says so at once, not only after as many events as were lost."""
    older = shutil.copyfile(home / "ledger.sqlite", home.with_name("older"))
    for number in range(3):
        change(home, 101 + number)
    run_here("audit", "checkpoint", "--home", home)
    shutil.copyfile(older, home / "ledger.sqlite")
    with Smki.open(home, AdjustableClock(START)) as smki:
        smki.lists(CertificateKind.ISSUING_OCA).publish()
    assert "expected the 18 events that were signed" in caplog.text


def test_a_list_is_signed_as_soon_as_that_is_possible_again(home: Path) -> None:
    key = (home / "keys" / "record.key").read_bytes()
    with Smki.open(home, AdjustableClock(START)) as smki:
        lists = smki.lists(CertificateKind.ISSUING_OCA)
        (home / "keys" / "record.key").write_text("nothing")
        lists.publish()
        (home / "keys" / "record.key").write_bytes(key)
        lists.publish()
        latest = smki.checkpoints.latest()
        assert latest is not None
        assert latest.size == smki.ledger.record.size() == 17


def test_an_export_without_checkpoints(home: Path, tmp_path: Path) -> None:
    """Without one, every line could have been made up, even if the key that should have signed is given."""
    exported = tmp_path / "e.jsonl"
    run_here("audit", "export", exported, "--home", home)
    key = (home / "checkpoints" / "key.txt").read_text().strip()
    kept = home / "checkpoints" / "000000000013.checkpoint"
    lines = [line for line in exported.read_text().splitlines(keepends=True) if '"checkpoint"' not in line]
    exported.write_text("".join(lines))
    for words in ((), ("--key", key), ("--key", key, "--since", kept)):
        assert verdict("--export", exported, *words) == ["checkpoint.missing"]


def test_an_export_tells_how_many_events_are_not_signed(home: Path, tmp_path: Path) -> None:
    exported = tmp_path / "e.jsonl"
    change(home, 101)
    run_here("audit", "export", exported, "--home", home)
    lines = [line for line in exported.read_text().splitlines(keepends=True) if '"000000000016.checkpoint"' not in line]
    exported.write_text("".join(lines))
    result = run_here("audit", "verify", "--export", exported)
    assert b"1 event after the latest checkpoint of the export" in result.stdout
    assert b"16 events, 3 checkpoints, 0 problems" in result.stdout


def test_an_export_is_of_one_moment(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written meanwhile."""
    exported = tmp_path / "e.jsonl"
    rows = SqliteRecord.rows

    def late(record: SqliteRecord) -> Iterator[RecordedRow]:
        change(home, 101)
        yield from rows(record)

    monkeypatch.setattr(SqliteRecord, "rows", late)
    run_here("audit", "export", exported, "--home", home)
    monkeypatch.undo()
    assert verdict("--export", exported) == []
    assert verdict("--home", home) == []


def test_a_leaf_that_cannot_be_read(home: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(home / "ledger.sqlite", isolation_level=None)
    connection.execute("UPDATE leaf SET written = x'0102' WHERE event_id = 5")
    connection.close()
    with pytest.raises(IntegrityError, match="its leaf cannot be read"):
        run_here("audit", "export", tmp_path / "e.jsonl", "--home", home)
    assert not (tmp_path / "e.jsonl").exists()


def test_one_is_not_many(home: Path) -> None:
    (home / "checkpoints" / LATEST).rename(home / "checkpoints" / "000000000099.checkpoint")
    assert run_here("audit", "verify", "--home", home).stdout.endswith(b"15 events, 3 checkpoints, 1 problem\n")
    assert run_here("check", "--home", home).stdout.endswith(b"0 unfinished applications, 1 problem\n")


@pytest.mark.parametrize(
    "line", [{"checkpoint": 5, "name": "a"}, {"checkpoint": "\ud800", "name": "a"}, {"checkpoint": []}]
)
def test_an_export_with_something_else_for_a_checkpoint(home: Path, tmp_path: Path, line: dict[str, object]) -> None:
    exported = tmp_path / "e.jsonl"
    run_here("audit", "export", exported, "--home", home)
    exported.write_text(exported.read_text() + json.dumps(line) + "\n")
    with pytest.raises(Malformed, match="a file written by smki audit export"):
        run_here("audit", "verify", "--export", exported)


def test_a_row_its_event_and_its_leaf_changed_together(home: Path, tmp_path: Path) -> None:
    """Tables and events agree. A checkpoint of the event does not, one of earlier events cannot."""
    run_here("party", "expel", "GAS-NETWORK", "--home", home)
    shutil.copyfile(home / "checkpoints" / LATEST, tmp_path / "before")
    run_here("audit", "checkpoint", "--home", home, "--out", tmp_path / "after")
    connection = sqlite3.connect(home / "ledger.sqlite", isolation_level=None)
    connection.execute("UPDATE registrant SET record = replace(record, 'expelled', 'withdrawn')")
    connection.execute("UPDATE audit_event SET detail = 'withdrawn' WHERE id = 16")
    ((row,),) = [
        list(unpack_rows(written)) for (written,) in connection.execute("SELECT written FROM leaf WHERE event_id = 16")
    ]
    texts = dict(rows_of(connection, REGISTRANT))
    event = connection.execute("SELECT * FROM audit_event WHERE id = 16")
    columns = Columns(column_names(event)).text(event.fetchone())
    connection.execute("DELETE FROM leaf WHERE event_id = 16")
    write_leaf(connection, leaf_of(16, columns, [row._replace(hash=text_hash(texts[row.key]))]))
    connection.close()
    assert verdict("--home", home) == ["checkpoint.inconsistent"]
    (home / "checkpoints" / "000000000016.checkpoint").unlink()
    assert verdict("--home", home) == []
    assert verdict("--home", home, "--since", tmp_path / "before") == []
    assert verdict("--home", home, "--since", tmp_path / "after") == ["checkpoint.inconsistent"]
