"""``smki demo z1``: the published identities, fresh, in every form, whole or not at all, the same again from a seed."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smki import CertificateKind, CertificateStatus, Severity, Smki, lint
from smki.clock import FixedClock
from smki.home.configuration import Configuration
from smki.interchange import CertificateWithKey, read_key_store
from smki.ledger import CertificateQuery
from smki.pki.certificate import Certificate
from smki.pki.pem import decode_input
from smki.problem import NotReady
from smki.registration import Refused
from smki.sec.role import RemotePartyRole
from smki.testing.demo import make_z1
from smki.testing.published_identities import PUBLISHED_IDENTITIES
from tests.support import INTEROP, published_client, run_cli, tool

Identity = tuple[str, RemotePartyRole | None, str, str | None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which ``smki demo z1 --home pki --out z1`` was run."""
    directory = tmp_path_factory.mktemp("demo")
    result = run_cli("demo", "z1", "--home", "pki", "--out", "z1", cwd=directory)
    assert result.returncode == 0, result.stderr
    assert b"23 Organisation Certificates in z1" in result.stdout
    return directory


@pytest.fixture(scope="module")
def pairs(made: Path) -> list[CertificateWithKey]:
    return read_key_store((made / "z1" / "keystore.json").read_bytes())


def identity(certificate: Certificate) -> Identity:
    assert certificate.entity_identifier is not None
    assert certificate.usage is not None
    return certificate.entity_identifier.hex, certificate.role, certificate.usage.code, certificate.common_name


def identities(files: Path) -> set[Identity]:
    return {identity(Certificate.from_der(decode_input(file.read_bytes())[0].der)) for file in files.glob("*.pem")}


def test_the_identities_of_the_published_certificates(made: Path, vectors: list[dict[str, Any]]) -> None:
    published = {
        identity(Certificate.from_der(row["der"]))
        for row in vectors
        if row["kind"] == "organisation" and row["expect"] == "conformant"
    }
    assert len(published) == 9
    assert published <= identities(made / "z1" / "certificates")


def test_the_identities_of_the_published_key_store(made: Path) -> None:
    """The same set: Entity Identifier, role, usage, common name; and the same names."""
    store = json.loads((published_client() / "keystore.json").read_text())
    published: set[Identity] = set()
    names = set()
    for eui, usages in store.items():
        for usage, serials in usages.items():
            for entry in serials.values():
                certificate = Certificate.from_der(decode_input(entry["certificate"].encode())[0].der)
                role = RemotePartyRole.of_decimal(entry["role"])
                code = {"digitalSignature": "DS", "keyAgreement": "KA"}[usage]
                published.add((eui.upper(), role, code, certificate.common_name))
                names.add(entry["name"].replace("Z1b-", "Z1-"))
    assert identities(made / "z1" / "certificates") == published
    assert {file.stem for file in (made / "z1" / "certificates").glob("*.pem")} == names


def test_every_form_holds_the_same(made: Path, pairs: list[CertificateWithKey]) -> None:
    certificates = {pair.name: pair.certificate.as_pem().encode() for pair in pairs}
    assert len(certificates) == len(PUBLISHED_IDENTITIES) == 23
    folder = made / "z1" / "certificates"
    assert {file.stem: file.read_bytes() for file in folder.glob("*.pem")} == certificates
    with zipfile.ZipFile(made / "z1" / "org-crypto.zip") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    for name, pem in certificates.items():
        assert content.pop(f"org-crypto/cert/{name}.pem") == pem
        assert content.pop(f"org-crypto/key/{name}.key") == (folder / f"{name}.key").read_bytes()
    assert content == {}
    for file in (made / "z1").rglob("*"):
        if file.suffix in (".key", ".json", ".zip"):
            assert file.stat().st_mode & 0o077 == 0, file


def test_they_are_conformant_in_use_and_valid_from_today(made: Path, pairs: list[CertificateWithKey]) -> None:
    with Smki.open(made / "pki") as smki:
        now = smki.clock.now()
        for pair in pairs:
            certificate = pair.certificate
            assert [finding for finding in lint(certificate.der) if finding.severity >= Severity.WARNING] == []
            record = smki.ledger.certificate(certificate.serial_number)
            assert record is not None
            assert record.status_at(now) is CertificateStatus.IN_USE
            assert now - timedelta(days=2) < certificate.not_before <= now
            assert certificate.not_after > now + timedelta(days=365 * 9)
            # Through the gate, by a Party that owns the Entity Identifier.
            application = smki.ledger.application(record.application_id)
            assert application is not None
            assert application.application.interface == "demo"
            assert application.application.subscriber
        assert (smki.check().problems, smki.check().lodged) == ((), ())


def test_every_key_is_new(made: Path, pairs: list[CertificateWithKey]) -> None:
    published = keys_of(json.loads((published_client() / "keystore.json").read_text()))
    ours = {pair.certificate.public_key_info for pair in pairs}
    assert len(ours) == len(pairs)
    assert not ours & published


def keys_of(store: dict[str, Any]) -> set[bytes]:
    return {
        Certificate.from_der(decode_input(entry["certificate"].encode())[0].der).public_key_info
        for usages in store.values()
        for serials in usages.values()
        for entry in serials.values()
    }


def test_openssl_verifies_every_chain(made: Path, openssl: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    authorities = made / "z1" / "authorities"
    (root,), (issuing,) = authorities.glob("*-root-oca.pem"), authorities.glob("*-issuing-oca.pem")
    files = sorted((made / "z1" / "certificates").glob("*.pem"))
    result = openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", issuing, *files)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(": OK") == 23


def test_the_published_client_reads_the_key_store(made: Path, pairs: list[CertificateWithKey]) -> None:
    published_client()
    words = [tool("node"), str(INTEROP / "key_store.mjs"), str(made / "z1" / "keystore.json")]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert {entry["serial"] for entry in found} == {pair.certificate.serial_number.hex for pair in pairs}
    assert all(entry["keyFits"] and entry["alsoByEui"] for entry in found)


def encoded(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    for number, seed in enumerate(("one", "one", "another")):
        words = ("demo", "z1", "--home", f"pki{number}", "--out", f"z{number}", "--seed", seed)
        result = run_cli(*words, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    first, again, other = (encoded(tmp_path / f"z{number}") for number in range(3))
    assert first == again
    assert set(first) == set(other)
    assert not set(first.values()) & set(other.values())
    (certificate,) = decode_input(first["certificates/Z1-supplier-ds.pem"])
    assert Certificate.from_der(certificate.der).not_before == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_moment_to_begin_at(tmp_path: Path) -> None:
    result = run_cli("demo", "z1", "--home", "pki", "--out", "z1", "--at", "2030-06-01", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert b"valid from 2030-06-01T00:00:00Z" in result.stdout


def test_in_a_home_that_is_there(made: Path, tmp_path: Path) -> None:
    """The certificates of before are replaced by the new ones, in the archive that is handed out too."""
    shutil.copytree(made / "pki", tmp_path / "pki")
    with Smki.open(tmp_path / "pki") as smki:
        before = smki.published_keys.certificates()
        smki.clock.shift(timedelta(days=400))  # type: ignore[attr-defined]
        renewed = make_z1(smki, tmp_path / "again")
        assert [one.certificate for one in smki.published_keys.certificates()] == [
            one.certificate for one in sorted(renewed, key=lambda pair: pair.name)
        ]
        now = smki.clock.now()
        for pair in before:
            record = smki.ledger.certificate(pair.certificate.serial_number)
            assert record is not None
            assert record.status_at(now) is CertificateStatus.NOT_IN_USE
    result = run_cli("demo", "z1", "--home", "pki", "--out", "z2", "--seed", "s", cwd=tmp_path)
    assert result.returncode == 2
    assert b"--seed and --at are for a new SMKI" in result.stderr
    assert not (tmp_path / "z2").exists()


def test_pending_ones_are_accepted(tmp_path: Path) -> None:
    with Smki.create(tmp_path / "pki", deemed_accepted_after=timedelta(days=5)) as smki:
        for pair in make_z1(smki, tmp_path / "z1"):
            record = smki.ledger.certificate(pair.certificate.serial_number)
            assert record is not None
            assert record.status_at(smki.clock.now()) is CertificateStatus.IN_USE


def test_what_is_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "z1").mkdir()
    (tmp_path / "z1" / "mine").write_text("precious")
    result = run_cli("demo", "z1", "--home", "pki", "--out", "z1", cwd=tmp_path)
    assert result.returncode == 2
    assert b"[folder.occupied]" in result.stderr
    assert encoded(tmp_path) == {"z1/mine": b"precious"}
    result = run_cli("demo", "z1", "--home", "pki", "--out", "nowhere/z1", cwd=tmp_path)
    assert result.returncode == 2
    assert not (tmp_path / "pki").exists()


def test_a_refusal_leaves_nothing_behind(home: Path, tmp_path: Path) -> None:
    result = run_cli("party", "suspend", "LARGE-SUPPLIER", "--home", home)
    assert result.returncode == 0, result.stderr
    with Smki.open(home) as smki:
        with pytest.raises(Refused):
            make_z1(smki, tmp_path / "z1")
        assert smki.published_keys.certificates() == []
    assert not (tmp_path / "z1").exists()
    assert not list(tmp_path.glob(".z1*"))


def test_nothing_is_issued_where_there_is_no_place(smki: Smki, tmp_path: Path) -> None:
    (tmp_path / "z1").write_text("a file")
    before = smki.ledger.count_certificates()
    with pytest.raises(NotReady) as caught:
        make_z1(smki, tmp_path / "z1")
    assert caught.value.code == "folder.occupied"
    assert smki.ledger.count_certificates() == before


def test_no_other_key_was_published(made: Path, pairs: list[CertificateWithKey]) -> None:
    """The authorities' keys, and those that the DCC's own certificates have had before, are in none of it."""
    keys = made / "pki" / "keys"
    secret = {file.read_bytes() for file in keys.rglob("*.key") if file.parent != keys / "published"}
    assert len(secret) > 4
    handed_out = encoded(made / "z1")
    with Smki.open(made / "pki", FixedClock(datetime(2027, 1, 1, tzinfo=UTC))) as smki:
        assert {one.name for one in smki.published_keys.certificates()} == {one.name for one in pairs}
        assert Configuration.read(made / "pki").seed is None
        kinds = {record.kind for record in smki.ledger.certificates(CertificateQuery())}
    assert CertificateKind.ROOT_OCA in kinds
    for content in handed_out.values():
        assert not any(key in content for key in secret)
