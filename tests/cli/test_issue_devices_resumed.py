"""smki issue devices, killed or interrupted and started again: nothing is issued twice, nothing is lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smki import Smki
from smki.cli import issue_devices
from smki.home import device_issuing
from smki.interchange import device_certificates
from smki.interchange.key_files import KeyFiles
from smki.keys.private_key import read_key
from smki.ledger import CertificateQuery
from smki.pki.pem import decode_input
from smki.pki.request import public_point
from smki.pki.x509 import encode_public_key
from smki.registration import Registration, batches
from smki.sec.role import CertificateKind
from tests.cli.device_inputs import device, request_of, zip_of
from tests.support import DS, KA, run_cli, run_here

FORK = multiprocessing.get_context("fork")
COUNT = 6
"""Number of Devices, in chunks and batches of four certificates."""


def _at(owner: Any, name: str, number: int, *, after: bool = False) -> Callable[[], None]:
    """Return what makes a process kill itself at the call with that number, before or after it."""

    def arm() -> None:
        original = getattr(owner, name)
        calls = [0]

        def killing(*given: Any, **named: Any) -> Any:
            calls[0] += 1
            if calls[0] == number and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(*given, **named)
            if calls[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, killing)

    return arm


MOMENTS: dict[str, Callable[[], None]] = {
    "while keys are written": _at(os, "fsync", 3),
    "when keys are written": _at(KeyFiles, "write_staged", 1, after=True),
    "when more keys are written": _at(KeyFiles, "write_staged", 3, after=True),
    "before the first commit": _at(Registration, "execute", 1),
    "after the first commit": _at(Registration, "execute", 1, after=True),
    "after the second commit": _at(Registration, "execute", 2, after=True),
    "while certificates are written": _at(device_issuing.DeviceIssuing, "_done", 5, after=True),
    "when all is issued": _at(issue_devices, "_issue", 1, after=True),
    "before the output is in place": _at(Path, "replace", 1),
    "when the output is in place": _at(device_certificates, "make_durable", 1),
    "while its keys are removed": _at(shutil, "rmtree", 1),
    "when its keys are removed": _at(KeyFiles, "remove_all", 1, after=True),
}
SOURCES = {
    "keys": ("--from", device(0).hex, "--count", str(COUNT)),
    "requests": ("requests.zip",),
}


def _run_and_die(words: tuple[str, ...], place: Path, arm: Callable[[], None]) -> None:
    os.chdir(place)
    batches.BATCH = device_issuing.CHUNK = 4
    device_issuing.MAX_HELD = 8
    arm()
    run_here(*words)


def certified(home: Path) -> Counter[tuple[str, str]]:
    """The number of certificates for each Device and usage."""
    with Smki.open(home) as smki:
        assert smki.check().problems == ()
        records = smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.DEVICE,)))
        return Counter((str(record.entity_identifier), str(record.usage)) for record in records)


def unpacked(out: Path, into: Path) -> dict[str, tuple[bytes, Path | None]]:
    """The certificates (DER) in an output by their names, with their key files."""
    shutil.rmtree(into, ignore_errors=True)
    folder = out
    if out.suffix == ".zip":
        with zipfile.ZipFile(out) as archive:
            archive.extractall(into)
        folder = into
    elif out.suffix == ".jsonl":
        into.mkdir()
        folder = into
        for line in map(json.loads, out.read_text().splitlines()):
            (into / f"{line['name']}.pem").write_text(line["certificate"])
            if "privateKey" in line:
                (into / f"{line['name']}.key").write_text(line["privateKey"])
    found = {}
    for path in folder.glob("*.pem"):
        key = path.with_suffix(".key")
        found[path.stem] = decode_input(path.read_bytes())[0].der, key if key.exists() else None
    return found


def check_complete(home: Path, out: Path, into: Path, source: str, count: int) -> None:
    """There is one certificate for each request, in the output and in the ledger, with its key if that was made."""
    usages = (DS, KA) if source == "keys" else (DS,)
    assert certified(home) == {(str(device(number)), str(usage)): 1 for number in range(count) for usage in usages}
    found = unpacked(out, into)
    with Smki.open(home) as smki:
        for name, (der, key) in found.items():
            if source == "keys":
                assert key is not None
                public_key = encode_public_key(public_point(read_key(key).public_key()))
            else:
                public_key = next(request_of(n) for n in range(count) if f"{n:04d}" in name)
                at = public_key.index(b"\x30\x59\x30\x13")
                public_key = public_key[at : at + 91]
            (record,) = smki.ledger.certificates_of_key(public_key)
            assert record.der == der
    assert len(found) == count * len(usages)
    left = [path.name for path in out.parent.iterdir() if ".new-" in path.name or path.name.endswith(".keys")]
    assert left == []
    if out.is_dir():
        assert {path.suffix for path in out.iterdir()} == ({".pem", ".key"} if source == "keys" else {".pem"})


CASES = [
    (moment, source, out)
    for moment in MOMENTS
    for source, out in (("keys", "out"), ("keys", "out.zip"), ("requests", "out.jsonl"))
    if out != "out" or ("output" not in moment and "removed" not in moment)
    if source == "keys" or "keys" not in moment
]


@pytest.mark.parametrize(("moment", "source", "out"), CASES)
def test_killed_and_started_again(home: Path, tmp_path: Path, moment: str, source: str, out: str) -> None:
    place = tmp_path / "work"
    place.mkdir()
    zip_of(place / "requests.zip", COUNT)
    words = ("issue", "devices", *SOURCES[source], "--type", "ESME", "--out", out, "--home", str(home))
    process = FORK.Process(target=_run_and_die, args=(words, place, MOMENTS[moment]))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    again = run_cli(*words, cwd=place)
    if (place / out).is_file() and again.returncode == 2:
        # It was complete: then it is left alone.
        assert b"[output.complete]" in again.stderr
        assert moment in ("while its keys are removed", "when its keys are removed", "when the output is in place")
    else:
        assert again.returncode == 0, again.stderr
    check_complete(home, place / out, tmp_path / "unpacked", source, COUNT)


@pytest.mark.parametrize(("sent", "out"), [(signal.SIGKILL, "out.zip"), (signal.SIGINT, "out")])
def test_interrupted_at_any_time(home: Path, tmp_path: Path, sent: signal.Signals, out: str) -> None:
    place = tmp_path / "work"
    place.mkdir()
    keys = place / (out if out == "out" else f"{out}.keys")
    words = ("issue", "devices", "--from", device(0).hex, "--count", "400", "--type", "ESME", "--out", out)
    command = [sys.executable, "-c", "from smki.cli import main; main()", *words, "--home", str(home)]
    for wanted in (1, 600, 790):
        with subprocess.Popen(command, cwd=place, stderr=subprocess.PIPE) as process:
            until = time.monotonic() + 60
            while len(list(keys.glob("*.key"))) < wanted and process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            process.send_signal(sent)
            _, errors = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        if sent is signal.SIGINT:
            assert process.returncode == 130
            assert b"Run the same command again to go on" in errors
        else:
            assert process.returncode == -signal.SIGKILL
    again = run_cli(*words, "--home", home, cwd=place)
    assert again.returncode == 0, again.stderr
    check_complete(home, place / out, tmp_path / "unpacked", "keys", 400)


def test_two_at_once(home: Path, tmp_path: Path) -> None:
    words = ("issue", "devices", *SOURCES["keys"], "--type", "ESME", "--out", "out", "--home", str(home))
    (tmp_path / "out").mkdir()
    used = KeyFiles(tmp_path / "out")
    try:
        result = run_cli(*words, cwd=tmp_path)
        assert result.returncode == 2
        assert b"[output.in-use]" in result.stderr
    finally:
        used.close()
    assert run_cli(*words, cwd=tmp_path).returncode == 0


def test_a_run_that_has_nothing_to_do(home: Path, tmp_path: Path) -> None:
    words = ("issue", "devices", *SOURCES["keys"], "--type", "ESME", "--out", "out", "--home", str(home))
    assert run_cli(*words, cwd=tmp_path).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    again = run_cli(*words, cwd=tmp_path)
    assert again.returncode == 0
    assert b"0 certificates issued, 12 issued before" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    (tmp_path / "out" / f"{device(0).hex.lower()}-ds.pem").write_bytes(b"")
    (tmp_path / "out" / f"{device(1).hex.lower()}-ds.pem").unlink()
    assert run_cli(*words, cwd=tmp_path).returncode == 0
    assert all(path.stat().st_size for path in (tmp_path / "out").iterdir())
    check_complete(home, tmp_path / "out", tmp_path / "unpacked", "keys", COUNT)


def test_another_passphrase_is_noticed(home: Path, tmp_path: Path) -> None:
    words = ("issue", "devices", *SOURCES["keys"], "--type", "ESME", "--out", "out", "--home", str(home))
    assert run_cli(*words, cwd=tmp_path, env={"SMKI_KEY_PASSPHRASE": "one"}).returncode == 0
    assert run_cli(*words, cwd=tmp_path, env={"SMKI_KEY_PASSPHRASE": "one"}).returncode == 0
    for env in ({"SMKI_KEY_PASSPHRASE": "two"}, {}):
        result = run_cli(*words, cwd=tmp_path, env=env)
        assert result.returncode == 2
        assert b"[key.unreadable]" in result.stderr
    assert sum(certified(home).values()) == 2 * COUNT


def test_a_request_with_which_another_process_applied_meanwhile(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, because its key is certified since it was looked up: the certificate is taken all the same."""
    source = zip_of(tmp_path / "requests.zip", 3)
    words = ("issue", "devices", source, "--type", "ESME", "--home", home)
    assert run_here(*words, "--out", tmp_path / "a.jsonl").returncode == 0
    monkeypatch.setattr(device_issuing.DeviceIssuing, "_look_up", lambda self, items: None)
    again = run_here(*words, "--out", tmp_path / "b.jsonl")
    assert again.returncode == 0, again.stderr
    assert b"0 certificates issued, 3 issued before, 0 refused" in again.stderr
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert sum(certified(home).values()) == 3
