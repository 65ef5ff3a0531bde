"""A home that is read-only, or on a full disk: what only reads works, also while serving; the rest says why, and what to do."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smki import Smki
from smki.ledger.contract import LedgerUnavailable
from smki.os_errors import remedy_for
from smki.sec.role import CertificateKind
from tests.repository.support import Served, ask, serving
from tests.support import DEVICE, DS, run_cli

_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2


def bound_by_modes() -> None:
    """Let this process be bound by the modes of files once it runs another program, even if it is root's."""
    if os.geteuid() == 0:
        library = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


def without_room() -> None:
    """Let no file of this process grow, as on a full disk; what is there can be changed."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@contextmanager
def no_room() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    without_room()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def run(prepare: Callable[[], None], *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from smki.cli import main; main()", *map(str, words)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, preexec_fn=prepare)


def issued(home: Path) -> str:
    """The serial number of a new certificate in a home that has an extract."""
    with Smki.open(home) as smki:
        _, request = smki.make_device_request(DEVICE, DS)
        serial = smki.issue_device(request).record.serial_number
        smki.extracts.full()
    return serial.hex


@pytest.fixture
def read_only(home: Path) -> Iterator[tuple[Path, str]]:
    """A home that nobody may write to, and the serial number of a certificate in it."""
    serial = issued(home)
    subprocess.run(["chmod", "-R", "a-w", str(home)], check=True)
    yield home, serial
    subprocess.run(["chmod", "-R", "u+w", str(home)], check=True)


READING: tuple[tuple[str, ...], ...] = (
    ("list",),
    ("show", "SERIAL"),
    ("search", "SERIAL"),
    ("check",),
    ("audit", "events"),
    ("crl", "show"),
    ("crl", "list"),
    ("party", "list"),
    ("device", "list"),
    ("authority", "list"),
    ("applications", "list"),
    ("extract", "list"),
    ("extract", "verify"),
    ("export", "json-lines"),
    ("export", "authorities"),
    ("clock", "show"),
    ("tidy", "--dry-run"),
)
WRITING: tuple[tuple[str, ...], ...] = (
    ("crl", "publish"),
    ("apikey", "add", "x"),
    ("extract", "full"),
    ("clock", "set", "2030-01-01T00:00:00Z"),
    ("device", "raise-limit", DEVICE.hex, "150"),
    ("import", "IMPORT"),
)


def contents(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_a_read_only_home_is_read(read_only: tuple[Path, str]) -> None:
    home, serial = read_only
    before = contents(home)
    for words in READING:
        given = [serial if word == "SERIAL" else word for word in words]
        result = run(bound_by_modes, *given, "--home", home)
        assert result.returncode == 0, (words, result.stderr)
        # Nothing but the remark on exports and lists of authorities.
        assert all(b"Test Certificate" in line for line in result.stderr.splitlines()), (words, result.stderr)
    assert serial.encode() in run(bound_by_modes, "list", "--home", home).stdout
    assert contents(home) == before


def test_what_writes_says_why_it_cannot(read_only: tuple[Path, str], pairs_file: Path) -> None:
    home, _ = read_only
    before = contents(home)
    for words in WRITING:
        given = [str(pairs_file) if word == "IMPORT" else word for word in words]
        result = run(bound_by_modes, *given, "--home", home)
        assert result.returncode == 2, words
        assert b"Traceback" not in result.stderr
        assert b"(chown, chmod), or run smki as the user who owns it" in result.stderr, (words, result.stderr)
        assert b": taken" not in result.stdout
    assert contents(home) == before


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    """A certificate that was issued elsewhere."""
    with Smki.in_memory(seed="another") as smki:
        path = tmp_path / "another.pem"
        path.write_text(smki.authorities()[0].certificate.as_pem())
        return path


def search(served: Served) -> tuple[int, bytes]:
    body = f"<CertificateSearchRequest><CertificateSubjectAltName>{DEVICE}</CertificateSubjectAltName></CertificateSearchRequest>"
    answer = ask(f"{served.url}/services/certificatesearch", body.encode(), headers={"Content-Type": "application/xml"})
    return answer.status, answer.body


def require_look_ups(served: Served, serial: str) -> None:
    status, body = search(served)
    assert (status, serial.encode() in body) == (200, True)
    for path in (
        f"/api/v1/certificates/{serial}",
        f"/api/v1/certificates/{serial}.der",
        "/api/v1/certificates",
        "/crl/organisation.crl",
        "/crl/organisation.arl",
        "/extracts/",
        "/metrics",
        "/readyz",
        "/healthz",
        "/",
    ):
        answer = ask(f"{served.url}{path}")
        assert answer.status == 200, (path, answer.body)


def test_a_read_only_home_is_served(read_only: tuple[Path, str]) -> None:
    home, serial = read_only
    before = contents(home)
    with serving(home, prepare=bound_by_modes) as served:
        require_look_ups(served, serial)
    assert contents(home) == before


def test_a_home_without_room_is_read(home: Path, pairs_file: Path) -> None:
    serial = issued(home)
    for words in READING:
        given = [serial if word == "SERIAL" else word for word in words]
        result = run(without_room, *given, "--home", home)
        assert result.returncode == 0, (words, result.stderr)
        # Nothing but the remark on exports and lists of authorities.
        assert all(b"Test Certificate" in line for line in result.stderr.splitlines()), (words, result.stderr)
    for words in WRITING:
        given = [str(pairs_file) if word == "IMPORT" else word for word in words]
        result = run(without_room, *given, "--home", home)
        assert result.returncode == 2, words
        assert b"ulimit -f" in result.stderr, (words, result.stderr)
        assert b": taken" not in result.stdout
    # With room again, all is as it was.
    assert run_cli("check", "--home", home).returncode == 0
    assert run_cli("crl", "publish", "--home", home).returncode == 0


def mounted(directory: Path, size: str) -> bool:
    directory.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)]
    return shutil.which("mount") is not None and subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    directory = tmp_path / "disk"
    if not mounted(directory, "8m"):
        pytest.skip("nothing can be mounted here")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


def fill(disk: Path) -> Path:
    path = disk / "fill"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return path


def test_a_full_disk(home: Path, small_disk: Path, pairs_file: Path) -> None:
    serial = issued(home)
    there = small_disk / "pki"
    shutil.copytree(home, there)
    filler = fill(small_disk)
    for words in READING:
        given = [serial if word == "SERIAL" else word for word in words]
        result = run_cli(*given, "--home", there)
        assert result.returncode == 0, (words, result.stderr)
        # Nothing but the remark on exports and lists of authorities.
        assert all(b"Test Certificate" in line for line in result.stderr.splitlines()), (words, result.stderr)
    for words in (*WRITING, ("export", "pem", "--out", str(small_disk / "x.pem"))):
        given = [str(pairs_file) if word == "IMPORT" else word for word in words]
        result = run_cli(*given, "--home", there)
        assert result.returncode == 2, words
        assert b"Free some space on that disk" in result.stderr, (words, result.stderr)
        assert b": taken" not in result.stdout
    result = run_cli("init", "--home", small_disk / "another")
    assert (result.returncode, b"Free some space" in result.stderr) == (2, True)
    assert {path.name for path in small_disk.iterdir()} == {"fill", "pki"}
    filler.unlink()
    assert run_cli("crl", "publish", "--home", there).returncode == 0
    assert run_cli("check", "--home", there).returncode == 0


def test_a_disk_that_becomes_full_while_serving(home: Path, small_disk: Path) -> None:
    serial = issued(home)
    there, temporary = small_disk / "pki", small_disk / "temporary"
    temporary.mkdir()
    shutil.copytree(home, there)
    with serving(there, temporary=temporary) as served:
        filler = fill(small_disk)
        for _ in range(3):
            require_look_ups(served, serial)
        result = run_cli("list", "--home", there)
        assert (result.returncode, serial.encode() in result.stdout) == (0, True)
        assert b"Free some space" in run_cli("crl", "publish", "--home", there).stderr
        filler.unlink()
        assert run_cli("crl", "publish", "--home", there).returncode == 0
        require_look_ups(served, serial)
    assert "SIGBUS" not in served.output


def test_a_home_opened_without_room_is_written_once_there_is_room(home: Path) -> None:
    serial = issued(home)
    with no_room():
        smki = Smki.open(home)
        assert smki.ledger.count_certificates() > 4
        with pytest.raises(LedgerUnavailable, match="disk I/O"):
            smki.lists(CertificateKind.ISSUING_OCA).publish()
    with smki:
        # What another process writes is seen, too.
        with Smki.open(home) as other:
            _, request = other.make_device_request(DEVICE, DS)
            there = other.issue_device(request).record
            assert smki.ledger.certificate(there.serial_number) is not None
        _, request = smki.make_device_request(DEVICE, DS)
        here = smki.issue_device(request).record
        assert smki.ledger.certificate(here.serial_number) == here
        assert smki.ledger.certificate(there.serial_number) is not None
        assert serial
        assert smki.check().problems == ()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full here")
def test_output_that_nobody_can_take(home: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-c", "from smki.cli import main; main()", "list", "--home", str(home)]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(b"smki: output: No space left on device")
    assert b"Free some space" in result.stderr


def test_a_remedy_for_every_cause() -> None:
    remedies = {name: remedy_for(OSError(getattr(errno, name), "")) for name in
                ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EIO", "ENOENT")}  # fmt: skip
    assert len(set(remedies.values())) == len(remedies)
    assert remedy_for(OSError("without a number")) == remedies["ENOENT"]
