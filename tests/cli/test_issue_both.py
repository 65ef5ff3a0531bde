"""smki issue device --usage ds,ka: both certificates of a Device at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from smki import Smki
from smki.keys.private_key import read_key
from smki.ledger import CertificateQuery
from smki.pki.pem import decode_input
from smki.pki.request import public_point
from smki.pki.x509 import encode_public_key
from smki.registration import Registration
from smki.sec.role import CertificateKind
from tests.support import DEVICE, DS, KA, run_cli, run_here

BOTH = ("--eui", str(DEVICE), "--usage", "ds,ka")
DEVICES = CertificateQuery(kinds=(CertificateKind.DEVICE,))


@pytest.mark.parametrize("suffix", [".pem", ".der"])
def test_both_certificates_with_their_keys(home: Path, tmp_path: Path, suffix: str) -> None:
    result = run_cli("issue", "device", *BOTH, "--out", tmp_path / f"meter{suffix}", "--home", home)
    assert result.returncode == 0, result.stderr
    assert result.stdout == b""
    names = {f"meter-{usage}{end}" for usage in ("ds", "ka") for end in (suffix, ".key", ".csr")}
    assert {path.name for path in tmp_path.iterdir()} == {*names, "pki"}
    with Smki.open(home) as smki:
        records = list(smki.ledger.certificates(DEVICES))
        assert [record.usage for record in records] == [DS, KA]
        for record, usage in zip(records, ("ds", "ka"), strict=True):
            assert decode_input((tmp_path / f"meter-{usage}{suffix}").read_bytes())[0].der == record.der
            key = read_key(tmp_path / f"meter-{usage}.key")
            assert record.certificate.public_key_info == encode_public_key(public_point(key.public_key()))


def test_without_a_file_both_are_printed(home: Path, tmp_path: Path) -> None:
    result = run_cli("issue", "device", *BOTH, "--home", home, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(decode_input(result.stdout)) == 2
    stem = DEVICE.hex.lower()
    names = {f"{stem}-{usage}{end}" for usage in ("ds", "ka") for end in (".key", ".csr")}
    assert {path.name for path in tmp_path.iterdir()} == {*names, "pki"}


def test_both_are_one_command(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executed, execute = [], Registration.execute

    def counted(*given: object, **named: object) -> object:
        executed.append(1)
        return execute(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Registration, "execute", counted)
    words = ("--eui", "00-DB-12-34-56-78-BB-01", "--usage", "ds,ka", "--type", "ESME")
    result = run_here("issue", "device", *words, "--out", tmp_path / "m.pem", "--home", home)
    assert result.returncode == 0
    assert len(executed) == 1


def test_one_is_refused_and_the_other_kept(home: Path, tmp_path: Path) -> None:
    words = ("MANUFACTURER", "device-and-user-system-tests", "--quota", "1")
    assert run_cli("participant", "change-test", *words, "--home", home).returncode == 0
    result = run_cli(
        "issue", "device", *BOTH, "--applicant", "MANUFACTURER", "--out", tmp_path / "meter.pem", "--home", home
    )
    assert result.returncode == 2
    assert b"smki: " in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"meter-ds.pem", "meter-ds.key", "meter-ds.csr", "pki"}
    with Smki.open(home) as smki:
        assert [record.usage for record in smki.ledger.certificates(DEVICES)] == [DS]


def test_no_key_is_overwritten_and_nothing_left(home: Path, tmp_path: Path) -> None:
    (tmp_path / "meter-ka.key").write_text("precious")
    result = run_cli("issue", "device", *BOTH, "--out", tmp_path / "meter.pem", "--home", home)
    assert result.returncode == 2
    assert b"[file.exists]" in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"meter-ka.key", "pki"}
    assert (tmp_path / "meter-ka.key").read_text() == "precious"


def test_the_key_of_a_certificate_that_cannot_be_written_is_kept(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate is in the ledger: without its key it would be useless."""

    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("smki.cli.issue.encode_certificate", full)
    with pytest.raises(OSError, match="No space"):
        run_here(
            "issue", "device", "--eui", DEVICE.hex, "--usage", "ds", "--out", tmp_path / "meter.pem", "--home", home
        )
    assert {path.name for path in tmp_path.iterdir()} == {"meter.key", "meter.csr", "pki"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
def test_the_keys_of_both_are_kept_if_a_certificate_cannot_be_written(home: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        words = ["issue", "device", *BOTH, "--home", str(home)]
        result = subprocess.run(
            [sys.executable, "-c", "from smki.cli import main; main()", *words], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE,
            check=False, timeout=60,
        )  # fmt: skip
    assert result.returncode != 0
    with Smki.open(home) as smki:
        records = list(smki.ledger.certificates(DEVICES))
    assert [record.usage for record in records] == [DS, KA]
    for record, usage in zip(records, ("ds", "ka"), strict=True):
        key = read_key(tmp_path / f"{DEVICE.hex.lower()}-{usage}.key")
        assert record.certificate.public_key_info == encode_public_key(public_point(key.public_key()))
