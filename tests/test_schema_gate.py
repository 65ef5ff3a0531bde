"""A ledger of another version, or one that was altered, is refused before anything is written; an old one is migrated once."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smki import Smki
from smki.ledger.sqlite.gate import LedgerRefused
from smki.ledger.sqlite.schema import MIGRATIONS
from tests.support import PROJECT, run_here

FORK = multiprocessing.get_context("fork")
ROUNDS, PROCESSES = 40, 4

ALTERED = {
    "a column dropped": "ALTER TABLE application DROP COLUMN officer",
    "a column added": "ALTER TABLE certificate ADD COLUMN note TEXT",
    "a column renamed": "ALTER TABLE revocation RENAME COLUMN reason TO because",
    "a table dropped": "DROP TABLE imported_certificate",
    "a table added": "CREATE TABLE note (id INTEGER PRIMARY KEY)",
    "a view added": "CREATE VIEW note AS SELECT 1",
    "an index dropped": "DROP INDEX certificate_public_key",
    "an index no longer unique": "DROP INDEX certificate_public_key; CREATE INDEX certificate_public_key ON certificate (public_key)",
    "a trigger dropped": "DROP TRIGGER certificate_counted",
    "a trigger changed": "DROP TRIGGER refusal_counted; CREATE TRIGGER refusal_counted AFTER INSERT ON application BEGIN "
    "DELETE FROM refusal_count; END",
    "a trigger added": "CREATE TRIGGER quietly AFTER INSERT ON revocation BEGIN DELETE FROM revocation; END",
    "a trigger on the record of migrations": "CREATE TRIGGER quietly AFTER INSERT ON _sqlite_migrations BEGIN "
    "DELETE FROM revocation; END",
    "a migration forgotten": "DELETE FROM _sqlite_migrations WHERE name = 'm020_search'",
}
NEWER = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('smki', 'm999_to_come', '2027-01-01')"


def altered(home: Path, script: str) -> None:
    """Alter the ledger of a home that is not open."""
    connection = sqlite3.connect(home / "ledger.sqlite", isolation_level=None)
    connection.executescript(script)
    connection.close()


def contents(home: Path) -> dict[str, bytes]:
    """Every file of a home. SQLite's -shm is an index in shared memory and holds nothing of the ledger."""
    files = [path for path in sorted(home.rglob("*")) if path.is_file() and not path.name.endswith("-shm")]
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def refused(home: Path, code: str) -> LedgerRefused:
    """Check that the home is refused with a remedy, to readers and writers, and that nothing in it changes."""
    before = contents(home)
    commands: tuple[Callable[[], Any], ...] = (
        lambda: Smki.open(home),
        lambda: run_here("list", "--home", home),
        lambda: run_here("check", "--home", home),
        lambda: run_here("crl", "publish", "--home", home),
    )
    for command in commands:
        with pytest.raises(LedgerRefused) as caught:
            command()
        assert {problem.code for problem in caught.value.problems} == {code}
        assert all(problem.remedy for problem in caught.value.problems)
        assert contents(home) == before
    return caught.value


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_ledger_is_refused(home: Path, name: str) -> None:
    altered(home, ALTERED[name])
    refused(home, "ledger.altered")


def test_whatever_is_dropped_is_named(home: Path) -> None:
    """Each table, index and trigger that the migrations make."""
    connection = sqlite3.connect(home / "ledger.sqlite")
    sql = "SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name NOT LIKE '\\_%' ESCAPE '\\'"
    items = connection.execute(sql).fetchall()
    connection.close()
    assert len(items) > 30
    whole = (home / "ledger.sqlite").read_bytes()
    for kind, name in items:
        altered(home, f"PRAGMA foreign_keys = OFF; DROP {kind} {name}")
        with pytest.raises(LedgerRefused, match=f"{kind} {name}: missing"):
            Smki.open(home)
        (home / "ledger.sqlite").write_bytes(whole)
    Smki.open(home).close()


def test_a_changed_column_is_named(home: Path) -> None:
    altered(home, "ALTER TABLE audit_event DROP COLUMN content; ALTER TABLE audit_event ADD COLUMN contents TEXT")
    (problem,) = refused(home, "ledger.altered").problems
    assert problem.subject.endswith("table audit_event")
    assert problem.seen == "column content missing, column contents added"


def test_a_newer_ledger_is_refused(home: Path) -> None:
    altered(home, NEWER)
    error = refused(home, "ledger.too-new")
    assert "m999_to_come" in str(error)


@pytest.mark.parametrize("script", [NEWER, ALTERED["a trigger changed"]])
def test_the_log_of_a_refused_ledger_is_left_as_it_is(home: Path, script: str) -> None:
    """A process was killed after its commit, which is only in the write-ahead log."""

    def killed() -> None:
        connection = sqlite3.connect(home / "ledger.sqlite", isolation_level=None)
        connection.executescript(script)
        os.kill(os.getpid(), signal.SIGKILL)

    process = FORK.Process(target=killed)
    process.start()
    process.join()
    assert (home / "ledger.sqlite-wal").stat().st_size > 0
    refused(home, "ledger.too-new" if script is NEWER else "ledger.altered")
    assert (home / "ledger.sqlite-wal").stat().st_size > 0


def test_another_database_is_refused(home: Path) -> None:
    (home / "ledger.sqlite").unlink()
    altered(home, "CREATE TABLE note (id INTEGER PRIMARY KEY)")
    refused(home, "ledger.too-old")
    altered(home, "DROP TABLE note")
    refused(home, "ledger.too-old")


def test_an_empty_file_is_not_taken_for_a_new_ledger(home: Path) -> None:
    """Otherwise all numbers would begin again."""
    (home / "ledger.sqlite").write_bytes(b"")
    refused(home, "ledger.too-old")


def test_statistics_for_the_query_planner_are_no_alteration(home: Path) -> None:
    altered(home, "ANALYZE; VACUUM")
    with Smki.open(home) as smki:
        assert smki.check().problems == ()


def opened(home: Path, barrier: Any, results: Any) -> None:
    try:
        barrier.wait(30)
        with Smki.open(home) as smki:
            results.put(str(smki.ledger.count_certificates()))
    except BaseException as error:
        results.put(repr(error))


def test_one_of_four_processes_migrates_and_the_others_wait(tmp_path: Path) -> None:
    with tarfile.open(PROJECT / "fixtures" / "home-0.1.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    home = tmp_path / "home"
    for _ in range(ROUNDS):
        shutil.copytree(tmp_path / "home-0.1", home)
        barrier, results = FORK.Barrier(PROCESSES), FORK.Queue()
        processes = [FORK.Process(target=opened, args=(home, barrier, results)) for _ in range(PROCESSES)]
        for process in processes:
            process.start()
        assert [results.get(timeout=60) for _ in processes] == ["21"] * PROCESSES
        for process in processes:
            process.join()
        connection = sqlite3.connect(home / "ledger.sqlite")
        applied = [name for (name,) in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]
        connection.close()
        assert len(applied) == len(set(applied))
        assert applied[-1] == list(MIGRATIONS._migrations)[-1].name
        shutil.rmtree(home)


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All migrations are one transaction: a ledger is never left between two versions."""
    with tarfile.open(PROJECT / "fixtures" / "home-0.1.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    home = tmp_path / "home-0.1"

    def shape() -> list[Any]:
        connection = sqlite3.connect(home / "ledger.sqlite")
        found = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall()
        connection.close()
        return found

    before = shape()

    def failing(db: Any) -> None:
        raise RuntimeError("the power failed")

    with monkeypatch.context() as patch:
        patch.setattr(MIGRATIONS._migrations[-1], "fn", failing)
        with pytest.raises(RuntimeError, match="power"):
            Smki.open(home)
    assert shape() == before
    Smki.open(home).close()
    assert shape() != before
