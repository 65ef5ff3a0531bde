"""Backups that somebody has altered, or made to do harm: nothing is restored from them, and nothing is left of the attempt."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sqlite3
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smki import Smki
from smki.home.backup import archive
from smki.home.backup.archive import is_safe_name
from smki.home.backup.making import make_backup
from smki.home.backup.restoring import restore_backup
from smki.problem import SmkiError
from smki.registration import Actor
from tests.support import DRILLS

CLI = Actor(interface="cli")


@pytest.fixture(scope="module")
def backup(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup, not to be written to."""
    home, file = tmp_path_factory.mktemp("hostile") / "pki", tmp_path_factory.mktemp("backup") / "backup"
    shutil.copytree(made_home, home)
    make_backup(home, file)
    return file


def refused(file: Path) -> str:
    """The code with which a backup is refused; nothing may be left."""
    directory = file.parent / "restored"
    directory.mkdir()
    with pytest.raises(SmkiError) as caught:
        restore_backup(file, directory / "home", CLI)
    assert list(directory.iterdir()) == []
    directory.rmdir()
    assert caught.value.problems[0].remedy or caught.value.code == "backup.missing"
    return caught.value.code


class Rewritten:
    """The entries of a backup, to be changed and written again, with a manifest that matches unless it is changed too."""

    def __init__(self, backup: Path) -> None:
        with zipfile.ZipFile(backup) as source:
            self.files = {name: source.read(name) for name in source.namelist() if name != "manifest.json"}
            self.manifest = json.loads(source.read("manifest.json"))
        self.fields: dict[str, dict[str, int]] = {}
        """Fields of the entries in the archive's table of contents, by name."""
        self.listed: list[dict[str, Any]] | None = None
        self.twice: list[str] = []

    def write(self, file: Path) -> Path:
        """Write the archive."""
        listed = self.listed if self.listed is not None else self.list()
        manifest = self.manifest if self.manifest is None else {**self.manifest, "files": listed}
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
            for name in [*self.files, *self.twice]:
                info = zipfile.ZipInfo(name)
                info.compress_type = zipfile.ZIP_DEFLATED
                for field, value in self.fields.get(name, {}).items():
                    setattr(info, field, value)
                target.writestr(info, self.files[name])
            if manifest is not None:
                target.writestr("manifest.json", json.dumps(manifest))
        return file

    def list(self) -> list[dict[str, Any]]:
        """What a manifest says of the files."""
        return [
            {
                "name": name.removeprefix("home/"),
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "mode": "0600",
            }
            for name, content in self.files.items()
        ]


@pytest.fixture
def rewritten(backup: Path) -> Rewritten:
    """The entries of the backup."""
    return Rewritten(backup)


def test_written_again_it_is_restored(rewritten: Rewritten, tmp_path: Path) -> None:
    """The tests below change one thing each."""
    restore_backup(rewritten.write(tmp_path / "backup"), tmp_path / "home", CLI)
    with Smki.open(tmp_path / "home") as smki:
        assert smki.check().problems == ()


NAMES = (
    "../outside", "home/../outside", "home/../../outside", "/tmp/outside", "home//outside", "home/", "home/a/",
    "home/.hidden", "home/a/../b", "home/a\\b", "home/..", "home/.", "other/file", "home/" + "x" * 201,
    "home/" + "/".join("x" * 20), "home/line\nbreak", "home/smki.json/below", "home/ledger.sqlite-wal",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names(rewritten: Rewritten, tmp_path: Path, name: str) -> None:
    rewritten.files[name] = b"content"
    assert refused(rewritten.write(tmp_path / "backup")) in ("backup.entry", "backup.manifest")
    assert not (tmp_path / "outside").exists()


@given(st.text(max_size=40))
def test_a_safe_name_stays_below_the_directory(name: str) -> None:
    if is_safe_name(name):
        place = Path("/home/somewhere")
        assert place in Path(f"{place}/{name}").parents
        assert ".." not in Path(name).parts


def test_links_and_devices(rewritten: Rewritten, tmp_path: Path) -> None:
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR):
        rewritten.files["home/extra"] = b"/etc/passwd"
        rewritten.fields["home/extra"] = {"external_attr": (kind | 0o644) << 16}
        assert refused(rewritten.write(tmp_path / "backup")) == "backup.entry"


def test_other_compressions(rewritten: Rewritten, tmp_path: Path) -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        rewritten.fields["home/smki.json"] = {"compress_type": method}
        assert refused(rewritten.write(tmp_path / "backup")) == "backup.entry"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(rewritten: Rewritten, tmp_path: Path) -> None:
    rewritten.twice = ["home/smki.json"]
    assert refused(rewritten.write(tmp_path / "backup")) == "backup.entry"


def test_an_encrypted_entry(rewritten: Rewritten, tmp_path: Path) -> None:
    file = rewritten.write(tmp_path / "backup")
    content = bytearray(file.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    file.write_bytes(content)
    assert refused(file) == "backup.entry"


def test_more_bytes_than_a_home_has(rewritten: Rewritten, tmp_path: Path) -> None:
    rewritten.files["home/zeros"] = bytes(100_000_000)
    assert refused(rewritten.write(tmp_path / "backup")) == "backup.expands"


def test_a_manifest_that_hides_how_large_a_file_is(rewritten: Rewritten, tmp_path: Path) -> None:
    rewritten.files["home/zeros"] = bytes(50_000_000)
    rewritten.listed = rewritten.list()
    rewritten.listed[-1]["bytes"] = 1000
    assert refused(rewritten.write(tmp_path / "backup")) == "backup.altered"


def test_too_many_files(rewritten: Rewritten, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = rewritten.write(tmp_path / "backup")
    monkeypatch.setattr(archive, "MAX_FILES", 5)
    assert refused(file) == "backup.too-large"


def test_a_large_table_of_contents(rewritten: Rewritten, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = rewritten.write(tmp_path / "backup")
    monkeypatch.setattr(archive, "MAX_DIRECTORY_BYTES", 500)
    assert refused(file) == "backup.too-large"


MANIFESTS: dict[str, Any] = {
    "of a later format": {"format": 2},
    "without a format": {"format": None},
    "with another time": {"made": "yesterday"},
    "with no time": {"made": None},
    "from the future": {"made": "2999-01-01T00:00:00Z"},
    "with a number that is none": {"certificates": "many"},
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests(rewritten: Rewritten, tmp_path: Path, name: str) -> None:
    rewritten.manifest |= MANIFESTS[name]
    codes = ("backup.manifest", "backup.format", "time.malformed", "restore.clock-behind")
    assert refused(rewritten.write(tmp_path / "backup")) in codes


FILES: dict[str, Any] = {
    "another digest": {"sha256": "0" * 64},
    "fewer bytes": {"bytes": 3},
    "more bytes": {"bytes": 300},
    "a negative size": {"bytes": -1},
    "no size": {"bytes": "147"},
    "set-user-id": {"mode": "4755"},
    "another name": {"name": "../smki.json"},
    "a field too many": {"owner": "root"},
    "a name that is none": {"name": None},
}


@pytest.mark.parametrize("name", FILES)
def test_what_a_manifest_says_of_a_file(rewritten: Rewritten, tmp_path: Path, name: str) -> None:
    rewritten.listed = rewritten.list()
    rewritten.listed[0] |= FILES[name]
    assert refused(rewritten.write(tmp_path / "backup")) in ("backup.manifest", "backup.altered")


def test_files_that_are_missing(rewritten: Rewritten, tmp_path: Path) -> None:
    whole = dict(rewritten.files)
    for name in ("home/smki.json", "home/ledger.sqlite"):
        rewritten.files = {each: content for each, content in whole.items() if each != name}
        assert refused(rewritten.write(tmp_path / "backup")) == "backup.manifest"
    rewritten.files, rewritten.listed = whole, rewritten.list()
    rewritten.listed.pop()
    assert refused(rewritten.write(tmp_path / "backup")) == "backup.manifest"
    rewritten.listed, rewritten.manifest = None, None
    assert refused(rewritten.write(tmp_path / "backup")) == "backup.unreadable"


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"[" * 100_000, bytes(1000)])
def test_other_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "backup").write_bytes(content)
    assert refused(tmp_path / "backup") == "backup.unreadable"


def test_a_manifest_with_deep_nesting(rewritten: Rewritten, tmp_path: Path) -> None:
    rewritten.manifest = None
    rewritten.write(tmp_path / "backup")
    with zipfile.ZipFile(tmp_path / "backup", "a") as target:
        target.writestr("manifest.json", "[" * 200_000)
    assert refused(tmp_path / "backup") == "backup.manifest"


def test_no_file_and_a_directory(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing") == "backup.missing"
    (tmp_path / "folder").mkdir()
    assert refused(tmp_path / "folder") == "backup.missing"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("DROP TRIGGER certificate_counted", "ledger.altered"),
        ("CREATE TRIGGER quietly AFTER INSERT ON audit_event BEGIN DELETE FROM revocation; END", "ledger.altered"),
        ("INSERT INTO _sqlite_migrations VALUES (99, 'smki', 'm999_to_come', '')", "ledger.too-new"),
    ],
)
def test_an_altered_ledger(rewritten: Rewritten, tmp_path: Path, script: str, code: str) -> None:
    ledger = tmp_path / "ledger"
    ledger.write_bytes(rewritten.files["home/ledger.sqlite"])
    connection = sqlite3.connect(ledger, isolation_level=None)
    connection.executescript(script)
    connection.close()
    rewritten.files["home/ledger.sqlite"] = ledger.read_bytes()
    assert refused(rewritten.write(tmp_path / "backup")) == code


def test_a_damaged_ledger(rewritten: Rewritten, tmp_path: Path) -> None:
    content = bytearray(rewritten.files["home/ledger.sqlite"])
    content[4096 * 20 : 4096 * 30] = bytes(4096 * 10)
    rewritten.files["home/ledger.sqlite"] = bytes(content)
    assert refused(rewritten.write(tmp_path / "backup")) in ("ledger.damaged", "ledger.unavailable")


def test_any_changed_byte_and_any_end(backup: Path, tmp_path: Path) -> None:
    """Either it is refused, or the byte was one that says nothing, such as a time in the archive."""
    whole, choice = backup.read_bytes(), random.Random(8)
    count = 0
    for number in range(2 * DRILLS):
        content = bytearray(whole)
        if number % 4 == 0:
            del content[choice.randrange(len(content)) :]
        else:
            content[choice.randrange(len(content))] ^= 1 << choice.randrange(8)
        file, home = tmp_path / "backup", tmp_path / "home"
        file.write_bytes(content)
        try:
            restore_backup(file, home, CLI)
        except SmkiError as error:
            count += 1
            assert error.code.startswith("backup."), error
            assert not home.exists()
        else:
            with Smki.open(home) as smki:
                assert smki.ledger.inconsistencies() == []
            shutil.rmtree(home)
    assert count > DRILLS
