"""What kills leave behind is removed by the next start or by `smki tidy`, and nothing that is still in use."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smki import Smki
from smki.bounds import MAX_TRAIL_DAYS
from smki.home.tidying import tidy
from smki.leftovers import left_among_temporary_files, left_beside, left_in, temporary_directory, temporary_name
from tests.support import run_here

NOW = time.time()


def ended() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def killed(script: str, *arguments: object, env: dict[str, str] | None = None) -> None:
    """Run a script until it prints a line, then kill it as with kill -9."""
    words = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ | (env or {})) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"now"
        os.kill(process.pid, signal.SIGKILL)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's directory for temporary files, for this test alone."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield directory
    tempfile.tempdir = None


KILLED_INIT = """
import sys, time
from smki.home import smki
def stand_still(*_):
    print("now", flush=True)
    time.sleep(60)
smki.populate = stand_still
smki.Smki.create(sys.argv[1])
"""


def test_a_home_that_was_never_finished_goes_with_the_next_init(tmp_path: Path) -> None:
    """It has private keys in it."""
    home = tmp_path / "pki"
    killed(KILLED_INIT, home)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".pki.new-")
    assert (left / "keys").is_dir()
    Smki.create(home).close()
    assert list(tmp_path.iterdir()) == [home]


def test_or_with_tidy(home: Path, temporary: Path) -> None:
    left = home.with_name(f".{home.name}.new-{ended()}")  # as version 0.1 named it
    (left / "keys").mkdir(parents=True)
    (left / "keys" / "root-oca.key").write_text("key")
    other = home.with_name(f".other.new-{ended()}-00000000")
    other.mkdir()
    result = run_here("tidy", "--dry-run", "--home", home)
    assert f"{left}: would be removed" in result.stdout.decode()
    assert left.is_dir()
    result = run_here("tidy", "--home", home, "--json")
    (found,) = json.loads(result.stdout)["found"]
    assert found["path"] == str(left)
    assert not left.exists()
    assert other.is_dir()  # of another home
    assert b"nothing to remove" in run_here("tidy", "--home", home).stdout
    assert str(other) in run_here("tidy", home.parent, "--home", home).stdout.decode()
    assert not other.exists()


KILLED_EXTRACT = """
import sys, time
from pathlib import Path
from smki import Smki
from smki.interchange.extracts import making
def stand_still(*_):
    print("now", flush=True)
    time.sleep(60)
making.line_of = stand_still
Smki.open(Path(sys.argv[1])).extracts.full()
"""


def test_what_a_killed_extract_leaves_goes_with_the_next(home: Path) -> None:
    killed(KILLED_EXTRACT, home)
    (left,) = (home / "extracts" / ".making").glob(".*")
    assert ".new-" in left.name
    (home / "extracts" / f".000001-full-20261121T000000Z.jsonl.new-{ended()}-12345678").write_text("")
    with Smki.open(home) as smki:
        made = smki.extracts.full()
    assert {path.name for path in (home / "extracts").iterdir()} == {".lock", made.path.name, made.manifest_path.name}


KILLED_SERVER = """
import sys, time
from smki_repository.shared_counts import shared_counts
with shared_counts():
    print("now", flush=True)
    time.sleep(60)
"""


def test_folders_of_metrics(home: Path, temporary: Path) -> None:
    killed(KILLED_SERVER)
    (left,) = temporary.iterdir()
    (left / f"counter_{os.getpid()}.db").write_text("")  # of a worker that outlives its server
    assert tidy(home, now=NOW) == []
    (left / f"counter_{os.getpid()}.db").rename(left / f"counter_{ended()}.db")
    with temporary_directory("metrics") as mine:
        assert [each.path for each in tidy(home, now=NOW)] == [left]
        assert list(temporary.iterdir()) == [mine]
    assert list(temporary.iterdir()) == []


def test_what_a_running_process_uses_stays(home: Path, temporary: Path) -> None:
    with temporary_directory("faults"):
        mine = home / temporary_name("clock.json")
        mine.write_text("")
        theirs = home / f".clock.json.new-{os.getppid()}-12345678"
        theirs.write_text("")
        # The same id in another container: that process has ended here, but the lock is held.
        locked = home / f".clock.json.new-{ended()}-12345678"
        script = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print('now', flush=True); time.sleep(60)"
        with subprocess.Popen([sys.executable, "-c", script, locked], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert tidy(home, now=NOW) == []
            process.kill()
        assert {path.name for path in home.glob(".clock*")} == {mine.name, theirs.name, locked.name}
        assert [each.path for each in tidy(home, now=NOW)] == [locked]


def test_an_id_that_was_given_to_a_later_process(home: Path) -> None:
    """After a restart of the machine, or in a container, where a server always has the same id."""
    left = home / f".clock.json.new-{os.getpid()}-12345678"
    left.write_text("")
    os.utime(left, (1e9, 1e9))
    assert left_in(home) == [left]


def test_files_of_version_0_1_have_to_be_old(home: Path, temporary: Path) -> None:
    left = [
        home / "keys" / ".root-oca.key.abcd_123",
        temporary / "smki-metrics-abcdefgh",
        temporary / "smki-faults-abcdefgh",
    ]
    left[0].write_text("")
    left[1].mkdir()
    (left[1] / "counter_1234567.db").write_text("")
    left[2].mkdir()
    (left[2] / "faults.sqlite").write_text("")
    others = [
        home / ".vimrc.original",
        home / "keys" / ".hidden",
        temporary / "smki-testhome",
        temporary / "smki-metrics-archived",
    ]
    for other in others[:2]:
        other.write_text("")
    for other in others[2:]:
        other.mkdir()
        (other / "smki.json").write_text("")
    assert tidy(home, now=NOW) == []
    day = tidy(home, now=time.time() + 86_500)
    assert sorted(each.path for each in day) == sorted(left)
    assert all(other.exists() for other in others)


def test_links_are_not_followed(home: Path, temporary: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f".x.new-{ended()}-12345678").write_text("")
    (outside / "file").write_text("kept")
    (home / "elsewhere").symlink_to(outside)
    (home / f".link.new-{ended()}-12345678").symlink_to(outside)
    (temporary / f"smki-metrics-{ended()}-abcdefgh").symlink_to(outside)
    left = home / f".y.new-{ended()}-12345678"
    left.mkdir()
    (left / "link").symlink_to(outside)
    assert [each.path for each in tidy(home, now=NOW)] == [left]
    assert len(list(outside.iterdir())) == 2
    assert not left.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of other users")
def test_what_belongs_to_others_is_left_alone(home: Path) -> None:
    other = home / f".x.new-{ended()}-12345678"
    other.write_text("")
    os.chown(other, 65_534, 65_534)
    assert tidy(home, now=NOW) == []


def test_the_audit_trail_is_shortened(home: Path) -> None:
    trail = home / "audit"
    trail.mkdir()
    for number in range(MAX_TRAIL_DAYS + 5):
        path = trail / f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}.jsonl"
        path.write_text("{}\n")
        os.utime(path, (1e9 + number, 1e9 + number))
    assert len(json.loads(run_here("tidy", "--home", home, "--json", "--dry-run").stdout)["found"]) == 5
    assert run_here("tidy", "--home", home).returncode == 0
    assert len(list(trail.iterdir())) == MAX_TRAIL_DAYS
    assert run_here("tidy", "--home", home, "--audit-days", "2").returncode == 0
    assert sorted(path.name for path in trail.iterdir()) == ["2026-02-06.jsonl", "2026-02-07.jsonl"]


def test_long_names(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    left = tmp_path / temporary_name(path.name).replace(str(os.getpid()), str(ended()))
    left.write_text("")
    assert left_beside(path) == [left]
    assert left_beside(tmp_path / "nnn") == []


def test_what_its_own_process_removes_at_the_same_time(home: Path, temporary: Path) -> None:
    """Another server that ends removes its directories while this one starts and looks for those that are left."""
    own, others = os.getpid(), ended()
    is_done = threading.Event()

    def come_and_go() -> None:
        while not is_done.is_set():
            for process in (own, others):
                directory = temporary / f"smki-metrics-{process}-abcdefgh"
                directory.mkdir(exist_ok=True)
                (directory / f"counter_{process}.db").touch()
                shutil.rmtree(directory, ignore_errors=True)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            left_among_temporary_files(now=NOW)
    finally:
        is_done.set()
        thread.join()
