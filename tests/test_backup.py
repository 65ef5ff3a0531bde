"""Backups of a home, and homes restored from them: complete, verified, and without using a number twice."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from smki_repository.app import create_app

from smki import Application, CertificateKind, DeviceType, EntityIdentifier, Issued, RemotePartyRole, Smki
from smki.clock import FixedClock, RealClock
from smki.home.backup import making, restoring
from smki.home.backup.making import make_backup
from smki.home.backup.restoring import Restored, restore_backup
from smki.identity import PartyId, SerialNumber
from smki.ledger import ApplicationQuery, CertificateQuery, CredentialKind, EventKind, EventQuery
from smki.pki.revocation_list import RevocationList
from smki.problem import SmkiError
from smki.registration import Actor
from smki.registration.authorities import EstablishAuthority
from smki.registration.credentials import MakeToken
from tests.commands import TEST, apply, make_api_key, make_token, revoke
from tests.support import DEVICE, DRILLS, DS, KA, PROJECT, SUPPLIER, run_here

FORK = multiprocessing.get_context("fork")
OCA, ROOT = CertificateKind.ISSUING_OCA, CertificateKind.ROOT_OCA
CLI = Actor(interface="cli")


def restored(file: Path, home: Path, **options: Any) -> Restored:
    """Restore a backup as the operator."""
    return restore_backup(file, home, CLI, **options)


def refusal(work: Callable[[], Any]) -> str:
    """The code with which something is refused."""
    with pytest.raises(SmkiError) as caught:
        work()
    return caught.value.code


def rows(home: Path) -> dict[str, list[Any]]:
    """The rows of every table."""
    connection = sqlite3.connect(home / "ledger.sqlite")
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
    tables = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    connection.close()
    return tables


def issue(smki: Smki, number: int = 0) -> SerialNumber:
    """Issue a Device Certificate."""
    entity = EntityIdentifier(b"\x00\xdb\x12\x34\x00\x00" + number.to_bytes(2, "big"))
    request = smki.make_device_request(entity, DS)[1]
    return smki.issue_device(request, device_type=DeviceType.ESME).record.serial_number


def test_everything_comes_back(smki: Smki, tmp_path: Path) -> None:
    issue(smki)
    smki.lists(OCA).publish()
    smki.extracts.full()
    (smki.path / "of another kind").mkdir()
    (smki.path / "of another kind" / "checkpoint").write_bytes(os.urandom(3_000_000))
    (smki.path / ".hidden").write_text("a temporary file")
    file, home = tmp_path / "backup.zip", tmp_path / "restored"
    done: list[tuple[int, int]] = []
    manifest, _ = make_backup(smki.path, file, lambda *progress: done.append(progress))
    assert done == sorted(done)
    assert done[-1][0] == done[-1][1] > 3_000_000
    assert {total for _, total in done} == {done[-1][1]}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    names = {str(path.relative_to(smki.path)) for path in smki.path.rglob("*") if path.is_file()}
    hidden = {name for name in names if name.startswith((".", "extracts/.")) or name.endswith(("-wal", "-shm"))}
    assert {each.name for each in manifest.files} == names - hidden
    result = restored(file, home)
    assert result.problems == ()
    for name in names - hidden - {"ledger.sqlite"}:
        assert (home / name).read_bytes() == (smki.path / name).read_bytes(), name
        assert (home / name).stat().st_mode == (smki.path / name).stat().st_mode, name
    before, after = rows(smki.path), rows(home)
    assert [
        name for name in before if after[name][: len(before[name])] != before[name]
    ] == []  # at most, rows were added
    assert [name for name in ("application", "certificate", "revocation_list") if after[name] != before[name]] == []
    assert len(after["audit_event"]) == len(before["audit_event"]) + 1
    with Smki.open(home) as again:
        assert again.check().problems == ()
        (event,) = again.ledger.events(EventQuery(kind=EventKind.RESTORED))
        assert event.content is not None
        assert event.content["numbersAbove"] == result.numbers_above
        assert [each.id for each in again.ledger.events()] == list(range(1, event.id + 1))
        assert event.interface == "cli"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.zip", "pki", "restored"]


def numbers(smki: Smki) -> dict[str, set[Any]]:
    """Every number that was handed out, by what it counts."""
    ledger = smki.ledger
    lists = [lists for kind in (OCA, ROOT) for lists in smki.all_lists(kind)]
    return {
        "serial number": {record.serial_number for record in ledger.certificates(CertificateQuery())},
        "certificate": {record.id for record in ledger.certificates(CertificateQuery())},
        "application": {record.id for record in ledger.applications(ApplicationQuery())},
        "credential": {each.id for kind in CredentialKind for each in ledger.credentials.all(kind)},
        "extract": {extract.number for extract in smki.extracts.all()},
        **{lists.issuer_name: {record.number for record in lists.all()} for lists in lists},
    }


def use(smki: Smki) -> bytes:
    """Hand out a number of every kind; return the key of a new authority."""
    for usage in (DS, KA):
        smki.issue_organisation(smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, usage)[1])
    apply(smki, Application(kind=CertificateKind.DEVICE, request=b"refused"))
    issue(smki, 7)
    smki.registration.execute(MakeToken(party=PartyId.parse("LARGE-SUPPLIER"), created=RealClock().now()), TEST)
    smki.extracts.full()
    for lists in smki.all_lists(OCA, ROOT):
        lists.publish()
    return smki.registration.execute(EstablishAuthority(OCA), TEST).certificate.public_key_info


@pytest.mark.parametrize("seed", ["a seed", None])
def test_no_number_is_used_twice(tmp_path: Path, seed: str | None) -> None:
    """Not in the lost time and after a restore, nor after two restores of the same backup."""
    with Smki.create(tmp_path / "lost", seed=seed) as smki:
        use(smki)
        make_backup(smki.path, tmp_path / "backup")
        before = numbers(smki)
        keys = [use(smki)]
        histories = [numbers(smki)]
    for name in ("first", "second"):
        restored(tmp_path / "backup", tmp_path / name)
        with Smki.open(tmp_path / name) as smki:
            keys.append(use(smki))
            use(smki)
            histories.append(numbers(smki))
            assert smki.check().problems == ()
    # Restored from a backup of a home that was restored before.
    make_backup(tmp_path / "second", tmp_path / "later")
    restored(tmp_path / "later", tmp_path / "third")
    with Smki.open(tmp_path / "third") as smki:
        keys.append(use(smki))
        third = numbers(smki)
        assert smki.check().problems == ()
    assert len(set(keys)) == len(keys)
    for what, old in before.items():
        handed_out = [history[what] - old for history in histories] + [third[what] - histories[-1][what]]
        assert all(handed_out), what
        assert len(set.union(*handed_out)) == sum(map(len, handed_out)), what


def test_the_same_request_gets_another_serial_number(tmp_path: Path) -> None:
    with Smki.create(tmp_path / "lost", seed="a seed") as smki:
        make_backup(smki.path, tmp_path / "backup")
        request = smki.make_device_request(DEVICE, DS)[1]
        lost = smki.issue_device(request, device_type=DeviceType.ESME).record
    restored(tmp_path / "backup", tmp_path / "restored")
    with Smki.open(tmp_path / "restored") as smki:
        again = smki.issue_device(request, device_type=DeviceType.ESME).record
    assert again.serial_number != lost.serial_number
    assert again.certificate.public_key_info == lost.certificate.public_key_info


def test_a_list_after_a_restore_is_a_valid_list(smki: Smki, tmp_path: Path) -> None:
    """With the next number after the gap, the present time, and every revocation."""
    lists = smki.lists(OCA)
    last = lists.publish()
    request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]
    serial = smki.issue_organisation(request).record.serial_number
    revoke(smki, serial, "key-lost")
    make_backup(smki.path, tmp_path / "backup")
    lost = lists.publish()
    result = restored(tmp_path / "backup", tmp_path / "restored")
    with Smki.open(tmp_path / "restored") as again:
        made = again.lists(OCA).publish()
        assert made.number == result.numbers_above + 1 > lost.number == last.number + 1
        assert [entry.serial_number for entry in RevocationList.from_der(made.der).entries()] == [serial]
        assert again.lists(OCA).publish().number == made.number + 1
        assert again.check().problems == ()
    listed = run_here("crl", "list", "--home", tmp_path / "restored").stdout.decode()
    assert str(made.number) in listed


def test_a_gap_that_no_restore_left_is_found(smki: Smki, tmp_path: Path) -> None:
    make_backup(smki.path, tmp_path / "backup")
    restored(tmp_path / "backup", tmp_path / "restored")
    with Smki.open(tmp_path / "restored") as again:
        for _ in range(3):
            again.lists(OCA).publish()
    connection = sqlite3.connect(tmp_path / "restored" / "ledger.sqlite")
    with connection:
        last = connection.execute("SELECT max(number) FROM revocation_list").fetchone()[0]
        connection.execute("DELETE FROM revocation_list WHERE number = ?", (last - 1,))
    connection.close()
    with Smki.open(tmp_path / "restored") as again:
        assert "list.order" in {problem.code for problem in again.check().problems}


def test_deltas_begin_again_with_a_full_extract(smki: Smki, tmp_path: Path) -> None:
    """Whoever followed the extracts of the lost time cannot apply a delta to what they have."""
    issue(smki, 1)
    smki.extracts.full()
    make_backup(smki.path, tmp_path / "backup")
    issue(smki, 2)
    lost = smki.extracts.delta()
    restored(tmp_path / "backup", tmp_path / "restored")
    with Smki.open(tmp_path / "restored") as again:
        issue(again, 3)
        assert refusal(again.extracts.delta) == "extract.before-restore"
        full = again.extracts.full()
        issue(again, 4)
        delta = again.extracts.delta()
        assert delta.number == full.number + 1 > lost.number + 1
        assert delta.added == 1
    for words in (("extract", "list"), ("extract", "verify")):
        assert run_here(*words, "--home", tmp_path / "restored").returncode == 0


def test_credentials_are_revoked_unless_they_are_to_be_kept(smki: Smki, tmp_path: Path) -> None:
    key, token = make_api_key(smki, "head-end"), make_token(smki, "LARGE-SUPPLIER")
    make_backup(smki.path, tmp_path / "backup")
    assert restored(tmp_path / "backup", tmp_path / "revoked").credentials_revoked == 2
    assert restored(tmp_path / "backup", tmp_path / "kept", keep_credentials=True).credentials_revoked == 0
    for name, is_valid in (("revoked", False), ("kept", True)):
        with Smki.open(tmp_path / name) as again:
            found = [again.ledger.credentials.of(secret) for secret in (key, token)]
            assert [each is not None and each.revoked is None for each in found] == [is_valid] * 2
            assert again.check().problems == ()


def test_a_home_of_version_0_1(tmp_path: Path) -> None:
    """It is backed up as it is, before an upgrade, and migrated when it is restored."""
    with tarfile.open(PROJECT / "fixtures" / "home-0.1.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    home = tmp_path / "home-0.1"
    before = (home / "ledger.sqlite").read_bytes()
    make_backup(home, tmp_path / "backup")
    assert (home / "ledger.sqlite").read_bytes() == before
    result = restored(tmp_path / "backup", tmp_path / "restored")
    assert (result.problems, result.clock) == ((), "fixed")
    with Smki.open(tmp_path / "restored") as smki:
        issue(smki)
        smki.lists(OCA).publish()
        assert smki.check().problems == ()


def test_keys_stay_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMKI_KEY_PASSPHRASE", "a passphrase")
    Smki.create(tmp_path / "pki").close()
    monkeypatch.delenv("SMKI_KEY_PASSPHRASE")
    make_backup(tmp_path / "pki", tmp_path / "backup")
    assert restored(tmp_path / "backup", tmp_path / "restored").problems == ()
    assert b"ENCRYPTED" in (tmp_path / "restored" / "keys" / "issuing-oca.key").read_bytes()
    monkeypatch.setenv("SMKI_KEY_PASSPHRASE", "another")
    codes = {problem.code for problem in restored(tmp_path / "backup", tmp_path / "other").problems}
    assert codes == {"key.unreadable"}


def test_a_missing_key_is_reported(home: Path, tmp_path: Path) -> None:
    (home / "keys" / "issuing-dca.key").unlink()
    make_backup(home, tmp_path / "backup")
    result = run_here("restore", tmp_path / "backup", "--home", tmp_path / "restored")
    assert result.returncode == 1
    assert b"[key.missing]" in result.stdout


def test_what_a_killed_process_committed_is_in_the_backup(home: Path, tmp_path: Path) -> None:
    """It is in the write-ahead log alone."""

    def killed() -> None:
        smki = Smki.open(home)
        issue(smki)
        os.kill(os.getpid(), signal.SIGKILL)

    process = FORK.Process(target=killed)
    process.start()
    process.join()
    assert (home / "ledger.sqlite-wal").stat().st_size > 0
    manifest, _ = make_backup(home, tmp_path / "backup")
    with Smki.open(home) as smki:
        assert manifest.certificates == smki.ledger.count_certificates() == 11


def test_numbers_after_a_restore_over_rest(smki: Smki, tmp_path: Path) -> None:
    """They have 16 digits, which JSON parsers read exactly."""
    make_backup(smki.path, tmp_path / "backup")
    above = restored(tmp_path / "backup", tmp_path / "restored").numbers_above
    assert 10**15 < above < 2**53 - 1
    with Smki.open(tmp_path / "restored") as again:
        serial, made = issue(again), again.lists(OCA).publish()
        client = create_app(again).test_client()
        authorised = {"Authorization": f"Bearer {make_token(again, 'DCC')}"}
        found = client.get(f"/api/v1/revocation-lists/{made.issuer.hex}/{made.number}", headers=authorised)
        assert (found.status_code, found.json["number"] if found.json else None) == (200, made.number)
        assert client.get(f"/crl/organisation/{made.number}.crl").data == made.der
        (token,) = again.ledger.credentials.all(CredentialKind.OFFICER_TOKEN)
        answer = client.post(f"/api/v1/tokens/{token.id}/revoke", headers=authorised)
        assert answer.status_code == 200, answer.text
        record = again.ledger.certificate(serial)
        assert record is not None
        application = again.ledger.application(record.application_id)
        assert application is not None
        authorised = {"Authorization": f"Bearer {make_token(again, application.application.subscriber)}"}
        answer = client.get(f"/api/v1/applications/{record.application_id}", headers=authorised)
        assert (answer.status_code, (answer.json or {}).get("id")) == (200, record.application_id)
        assert record.application_id == record.id == above + 1 == made.number == token.id


def test_the_drill_in_the_documentation(home: Path, tmp_path: Path) -> None:
    text = (PROJECT / "docs" / "backup.md").read_text()
    (drill,) = re.findall(r"^```sh\n(set -e\n.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "smki"
    program.write_text(f"#!{sys.executable}\nfrom smki.cli import main\nmain()\n")
    program.chmod(0o755)
    before = rows(home)
    environment = {"PATH": os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]), "TMPDIR": str(tmp_path)}
    result = subprocess.run(
        ["/bin/sh", "-c", drill],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert rows(home) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "pki"]


class TestRefusedBackups:
    """Nothing is left of a backup that is refused."""

    def refused(self, home: Path, file: Path) -> str:
        before = sorted(file.parent.iterdir())
        code = refusal(lambda: make_backup(home, file))
        assert sorted(file.parent.iterdir()) == before
        return code

    def test_where_something_is_already(self, home: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("something else")
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        (tmp_path / "folder").mkdir()
        for name in ("file", "link", "folder"):
            assert self.refused(home, tmp_path / name) == "backup.exists"
        assert (tmp_path / "file").read_text() == "something else"
        assert not (tmp_path / "nowhere").exists()

    def test_inside_the_home(self, home: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(home, target_is_directory=True)
        assert self.refused(home, home / "backup") == "backup.inside-home"
        assert self.refused(home, tmp_path / "link" / "backup") == "backup.inside-home"

    def test_of_no_home(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path / "nothing", tmp_path / "backup") == "home.not-initialised"

    @pytest.mark.parametrize("place", ["link.key", "keys/link.key", "keys/dcc/link.key"])
    def test_of_a_home_with_links(self, home: Path, tmp_path: Path, place: str) -> None:
        (home / place).symlink_to("/etc/hostname")
        assert self.refused(home, tmp_path / "backup") == "backup.not-a-file"

    def test_of_a_home_whose_keys_are_elsewhere(self, home: Path, tmp_path: Path) -> None:
        (home / "keys").rename(tmp_path / "elsewhere")
        (home / "keys").symlink_to(tmp_path / "elsewhere")
        assert self.refused(home, tmp_path / "backup") == "backup.not-a-file"

    def test_of_a_home_with_a_pipe(self, home: Path, tmp_path: Path) -> None:
        os.mkfifo(home / "pipe")
        assert self.refused(home, tmp_path / "backup") == "backup.not-a-file"

    def test_of_an_altered_ledger(self, home: Path, tmp_path: Path) -> None:
        connection = sqlite3.connect(home / "ledger.sqlite")
        connection.execute("DROP TRIGGER certificate_counted")
        connection.close()
        assert self.refused(home, tmp_path / "backup") == "ledger.altered"

    def test_of_a_damaged_ledger(self, home: Path, tmp_path: Path) -> None:
        content = bytearray((home / "ledger.sqlite").read_bytes())
        content[4096 * 20 : 4096 * 30] = bytes(4096 * 10)
        (home / "ledger.sqlite").write_bytes(content)
        assert self.refused(home, tmp_path / "backup") in ("ledger.damaged", "ledger.unavailable")


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_restore_overwrites_nothing(home: Path, tmp_path: Path, kind: str) -> None:
    make_backup(home, tmp_path / "backup")
    target = tmp_path / "target"
    if kind == "folder":
        shutil.copytree(home, target)
    elif kind == "file":
        target.write_text("something else")
    else:
        (tmp_path / "empty").mkdir()
        target.symlink_to(tmp_path / "empty", target_is_directory=True)
    before = sorted(tmp_path.rglob("*"))
    assert refusal(lambda: restored(tmp_path / "backup", target)) == "home.occupied"
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_directory_is_used(home: Path, tmp_path: Path) -> None:
    make_backup(home, tmp_path / "backup")
    (tmp_path / "target").mkdir()
    assert restored(tmp_path / "backup", tmp_path / "target").problems == ()


def test_a_clock_that_is_behind(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers after the gap would not be above those of an earlier restore."""
    make_backup(home, tmp_path / "backup")
    restored(tmp_path / "backup", tmp_path / "restored")
    make_backup(tmp_path / "restored", tmp_path / "later")
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "machine_microseconds", lambda: 1_700_000_000_000_000)
        assert refusal(lambda: restored(tmp_path / "later", tmp_path / "again")) == "restore.clock-behind"
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "RealClock", lambda: FixedClock(datetime(2020, 1, 1, tzinfo=UTC)))
        assert refusal(lambda: restored(tmp_path / "later", tmp_path / "again")) == "restore.clock-behind"
    assert not (tmp_path / "again").exists()


def test_too_little_space(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_backup(home, tmp_path / "backup")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    assert refusal(lambda: restored(tmp_path / "backup", tmp_path / "restored")) == "restore.no-space"


STEPS = ("os.", "open", "shutil.", "tempfile.", "fcntl.", "sqlite3.")
"""Beginnings of the names of Python's audit events by which a process is killed: whatever it does to files."""


def until_killed(work: Callable[[], Any], step: int, seen: Any) -> None:
    """Work in a process of its own, which is killed just before that step; 0 to let it finish."""

    def hook(event: str, _: Any) -> None:
        if event.startswith(STEPS):
            seen.value += 1
            if seen.value == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    work()
    os._exit(0)


def killed_at(work: Callable[[], Any], step: int, delay: float | None = None) -> int:
    """Kill a process at a step, or after a time in seconds; return how many steps it did."""
    seen = FORK.Value("i", 0)
    process = FORK.Process(target=until_killed, args=(work, step, seen))
    process.start()
    process.join(delay)
    process.kill()
    process.join()
    return int(seen.value)


def moments(steps: int) -> list[tuple[int, float | None]]:
    """The steps and times at which to kill something that takes so many steps: also while SQLite writes."""
    choice = random.Random(5)
    chosen = choice.sample(range(1, steps + 1), min(steps, DRILLS))
    return [*((step, None) for step in chosen), *((0, choice.uniform(0, 1)) for _ in range(DRILLS // 5)), (0, None)]


def staged(directory: Path) -> list[Path]:
    return list(directory.glob(".smki-staging-*"))


@pytest.fixture
def filled(home: Path) -> Path:
    """A home with some certificates."""
    with Smki.open(home) as smki:
        for number in range(50):
            issue(smki, number)
    return home


def test_a_killed_restore_leaves_no_home_or_a_complete_one(filled: Path, tmp_path: Path) -> None:
    make_backup(filled, tmp_path / "backup")
    work = tmp_path / "work"
    work.mkdir()
    target, complete, left = work / "restored", 0, 0
    steps = killed_at(lambda: restored(tmp_path / "backup", target), 0)
    assert steps > 50
    shutil.rmtree(target)
    for step, delay in moments(steps):
        killed_at(lambda: restored(tmp_path / "backup", target), step, delay)
        left += len(staged(work))
        if target.exists():
            complete += 1
            with Smki.open(target) as smki:
                assert [event.kind for event in smki.ledger.events()][-1] is EventKind.RESTORED
                assert smki.ledger.inconsistencies() == []
                assert smki.ledger.damage() == []
                assert smki.ledger.count_certificates() == 60
            assert {path.name for path in target.iterdir()} == {path.name for path in filled.iterdir()}
            shutil.rmtree(target)
    assert complete > 0
    assert left > 0
    restored(tmp_path / "backup", target)
    assert staged(work) == []


def test_a_killed_backup_leaves_no_file_or_a_complete_one(filled: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    file, target, complete, left = work / "backup", tmp_path / "restored", 0, 0
    steps = killed_at(lambda: make_backup(filled, file), 0)
    assert steps > 50
    file.unlink()
    for step, delay in moments(steps):
        killed_at(lambda: make_backup(filled, file), step, delay)
        left += len(staged(work))
        if file.exists():
            complete += 1
            assert restored(file, target).problems == ()
            shutil.rmtree(target)
            file.unlink()
    assert complete > 0
    assert left > 0
    make_backup(filled, file)
    assert staged(work) == []


def test_a_full_disk_leaves_nothing(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(making._Writer, "add_manifest", full)
        with pytest.raises(OSError, match="No space"):
            make_backup(home, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]
    make_backup(home, tmp_path / "backup")
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "sync_directory", full)
        with pytest.raises(OSError, match="No space"):
            restored(tmp_path / "backup", tmp_path / "restored")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "pki"]


def test_the_application_is_not_forgotten(smki: Smki, tmp_path: Path) -> None:
    """A Device's certificates before the backup still count after it."""
    issued = apply(smki, Application(kind=CertificateKind.DEVICE, request=smki.make_device_request(DEVICE, DS)[1]))
    assert isinstance(issued, Issued)
    make_backup(smki.path, tmp_path / "backup")
    restored(tmp_path / "backup", tmp_path / "restored")
    with Smki.open(tmp_path / "restored") as again:
        assert again.ledger.certificates_for_device(DEVICE) == 1
        found = again.ledger.application(issued.record.application_id)
        assert found is not None
        assert found.serial_number == issued.record.serial_number
