"""smki init: what it makes, that it makes all of it or nothing, and that a seed makes it again."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from smki import CertificateKind, Smki
from smki.keys.private_key import read_key
from smki.ledger import CertificateQuery
from smki.problem import IntegrityError, NotReady
from tests.support import DEVICE, DS, KA, SUPPLIER, run_cli

EVERYTHING = CertificateQuery()

# What the DCC lodges before anyone else can start, SEC L3.12; written by hand.
LODGED = [
    ("root-oca", None, None), ("issuing-oca", None, None), ("root-dca", None, None), ("issuing-dca", None, None),
    ("organisation", "recovery", "DS"),
    ("organisation", "accessControlBroker", "DS"), ("organisation", "accessControlBroker", "KA"),
    ("organisation", "wanProvider", "DS"), ("organisation", "wanProvider", "KA"),
    ("organisation", "transitionalCoS", "DS"),
]  # fmt: skip


def test_what_is_lodged(smki: Smki) -> None:
    lodged = [
        (record.kind.value, record.role.label if record.role and not record.kind.is_authority else None,
         record.usage.code if record.usage else None)
        for record in smki.ledger.certificates(EVERYTHING)
    ]  # fmt: skip
    assert lodged == LODGED


def test_the_chain_verifies(smki: Smki, tmp_path: Path, openssl: Callable[..., CompletedProcess[str]]) -> None:
    records = list(smki.ledger.certificates(EVERYTHING))
    authorities = tmp_path / "authorities.pem"
    authorities.write_text("".join(record.certificate.as_pem() for record in smki.authorities()))
    for number, record in enumerate(records):
        file = tmp_path / f"{number}.pem"
        file.write_text(record.certificate.as_pem())
        result = openssl("verify", "-x509_strict", "-policy_check", "-CAfile", authorities, file)
        assert result.returncode == 0, result.stderr


def test_private_keys_are_for_their_owner_alone(home: Path) -> None:
    keys = sorted(home.rglob("*.key"))
    assert len(keys) == 11
    for path in [*keys, home / "smki.json", home / "ledger.sqlite"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    with Smki.open(home) as smki:
        points = {record.certificate.point for record in smki.ledger.certificates(EVERYTHING)}
    from smki.pki.request import public_point

    record = home / "keys" / "record.key"  # signs checkpoints, and has no certificate
    keys.remove(record)
    assert isinstance(load_pem_private_key(record.read_bytes(), None), Ed25519PrivateKey)
    assert {public_point(read_key(path).public_key()) for path in keys} == points


def test_a_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    """Keys, serial numbers and certificates, of the authorities and of what is issued afterwards."""
    for name in ("one", "two"):
        result = run_cli("init", "--home", tmp_path / name, "--seed", "a seed")
        assert result.returncode == 0, result.stderr
    files = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.key")}
    assert len(files) == 11
    for file in files | {Path("smki.json")}:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    made = []
    for name in ("one", "two"):
        from smki.clock import FixedClock

        with Smki.open(tmp_path / name, FixedClock(moment)) as smki:
            for usage in (DS, DS, KA):
                _, request = smki.make_device_request(DEVICE, usage)
                smki.issue_device(request)
            made.append([record.der for record in smki.ledger.certificates(EVERYTHING)])
    assert made[0] == made[1]
    assert len(set(made[0])) == 13


def test_another_seed_makes_other_bytes(tmp_path: Path) -> None:
    made: list[set[bytes | None]] = []
    for seed in ("a", "b", None, None):
        with Smki.create(tmp_path / f"{len(made)}", seed=seed) as smki:
            made.append({record.certificate.point for record in smki.ledger.certificates(EVERYTHING)})
    assert all(not made[one] & made[two] for one in range(4) for two in range(one))


def test_a_second_init_refuses_and_says_what_is_there(home: Path) -> None:
    def kept() -> dict[Path, bytes]:
        # Opening the ledger to look may leave its -wal and -shm files behind.
        return {path: path.read_bytes() for path in home.rglob("*") if path.suffix in (".key", ".json", ".sqlite")}

    before = kept()
    assert len(before) == 14
    result = run_cli("init", "--home", home)
    assert result.returncode == 2
    text = result.stderr.decode()
    assert "home.exists" in text
    assert "Root OCA TA" in text
    assert "10 certificates" in text
    assert before == kept()


def test_a_directory_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(NotReady) as caught:
        Smki.create(tmp_path)
    assert caught.value.code == "home.occupied"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_directory_will_do(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    Smki.create(tmp_path / "pki").close()
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]


def test_nothing_is_left_of_an_init_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import smki.home.population

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(smki.home.population, "dcc_key_name", fail)
    with pytest.raises(NotReady) as caught:
        Smki.create(tmp_path / "pki")
    assert "No space left" in caught.value.problems[0].seen
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run_cli("init", "--home", tmp_path / "file" / "pki")
    assert result.returncode == 2
    assert b"home.not-writable" in result.stderr


def test_a_file_system_that_cannot_be_written(tmp_path: Path) -> None:
    """/proc takes no directories, not even from root."""
    result = run_cli("init", "--home", "/proc/pki")
    assert result.returncode == 2
    assert b"home.not-writable" in result.stderr
    assert b"--home" in result.stderr


def test_keys_are_encrypted_with_a_passphrase(tmp_path: Path) -> None:
    secret = {"SMKI_KEY_PASSPHRASE": "correct horse"}
    home = tmp_path / "pki"
    assert run_cli("init", "--home", home, env=secret).returncode == 0
    for path in home.rglob("*.key"):
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    issue = ("issue", "device", "--home", home, "--eui", DEVICE.hex, "--usage", "ds", "--out", tmp_path / "d.pem")
    without = run_cli(*issue)
    assert without.returncode == 2
    assert b"Set SMKI_KEY_PASSPHRASE" in without.stderr
    wrong = run_cli(*issue, env={"SMKI_KEY_PASSPHRASE": "wrong"})
    assert wrong.returncode == 2
    assert b"key.unreadable" in wrong.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pki"]
    assert run_cli(*issue, env=secret).returncode == 0
    assert (tmp_path / "d.key").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    # Looking needs no passphrase.
    assert run_cli("list", "--home", home).returncode == 0
    assert b"correct horse" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_configuration_that_was_tampered_with(home: Path) -> None:
    path = home / "smki.json"
    for content, code in ((b"{", "home.unreadable"), (b"[]", "home.unreadable"), (b'{"x": 1}', "home.unreadable")):
        path.write_bytes(content)
        with pytest.raises(IntegrityError) as caught:
            Smki.open(home)
        assert caught.value.code == code
    path.write_text(json.dumps({"created": "2026-01-01T00:00:00Z", "format": 99}))
    with pytest.raises(IntegrityError) as caught:
        Smki.open(home)
    assert caught.value.code == "home.format"


def test_a_key_of_another_authority_is_noticed(home: Path) -> None:
    """A certificate signed with the wrong key must not be handed out."""
    (home / "keys" / "issuing-dca.key").write_bytes((home / "keys" / "root-dca.key").read_bytes())
    with Smki.open(home) as smki:
        _, request = smki.make_device_request(DEVICE, DS)
        with pytest.raises(IntegrityError) as caught:
            smki.issue_device(request)
        assert caught.value.code == "authority.key-mismatch"
        assert not list(smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.DEVICE,))))


def test_published_names_are_used_for_the_demonstration(smki: Smki) -> None:
    names = {
        str(record.entity_identifier) for record in smki.ledger.certificates(EVERYTHING) if record.entity_identifier
    }
    assert names == {
        "90-B3-D5-1F-30-00-00-01",
        "90-B3-D5-1F-30-00-00-02",
        "90-B3-D5-1F-30-00-00-04",
        "90-B3-D5-1F-30-00-00-07",
    }
    assert str(SUPPLIER) not in names
