"""smki export, list and search, as a person and as a program would use them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from smki import RemotePartyRole, Smki
from smki.interchange import read_key_store
from smki.keys.private_key import write_private_file
from smki.ledger import CertificateQuery
from smki.pki.pem import decode_input
from tests.support import DEVICE, DS, KA, SUPPLIER, run_cli, run_here

SUPPLIER_NAME = "T1-supplier-90b3d51f30010000-ds"


@pytest.fixture(scope="module")
def stocked(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a Supplier's and a Device's certificates, two of them for one usage; keys in ``mykeys`` beside it."""
    place = tmp_path_factory.mktemp("stocked")
    shutil.copytree(made_home, place / "pki")
    (place / "mykeys").mkdir()
    with Smki.open(place / "pki") as smki:
        key, request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS, "ACME METERS")
        smki.issue_organisation(request)
        write_private_file(place / "mykeys" / "supplier.key", smki.key_pem(key))
        for number, usage in enumerate((DS, KA, KA)):
            key, request = smki.make_device_request(DEVICE, usage)
            smki.issue_device(request)
            write_private_file(place / "mykeys" / f"device{number}.key", smki.key_pem(key))
    # An authority's key among mine is not mine to export.
    shutil.copy(place / "pki" / "keys" / "issuing-oca.key", place / "mykeys")
    (place / "mykeys" / "broken.key").write_text("-----BEGIN PRIVATE KEY-----\n")
    return place


def export(
    stocked: Path, *words: str | Path, status: int = 0, env: dict[str, str] | None = None
) -> CompletedProcess[bytes]:
    here = status == 0 and env is None
    words = ("export", *words, "--home", stocked / "pki")
    result = run_here(*words) if here else run_cli(*words, env=env)
    assert result.returncode == status, result.stderr
    assert b"Traceback" not in result.stderr
    return result


def issued(stocked: Path) -> list[bytes]:
    with Smki.open(stocked / "pki") as smki:
        return [record.der for record in smki.ledger.certificates(CertificateQuery())]


def test_json_lines_are_those_of_a_full_extract(stocked: Path, tmp_path: Path) -> None:
    shutil.copytree(stocked / "pki", tmp_path / "pki")
    with Smki.open(tmp_path / "pki") as smki:
        extract = smki.extracts.full().path.read_bytes()
    assert export(stocked, "json-lines").stdout == extract


def test_csv(stocked: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(export(stocked, "csv", "--kind", "device").stdout.decode())))
    assert [(row["entityIdentifier"], row["usage"], row["status"]) for row in rows] == [
        (str(DEVICE), "DS", "I"), (str(DEVICE), "KA", "N"), (str(DEVICE), "KA", "I"),
    ]  # fmt: skip
    assert [decode_input(row["certificate"].encode())[0].der for row in rows] == issued(stocked)[-3:]


def test_pem_and_zip(stocked: Path, tmp_path: Path) -> None:
    assert [piece.der for piece in decode_input(export(stocked, "pem").stdout)] == issued(stocked)
    for words, suffix in (([], "pem"), (["--der"], "der")):
        export(stocked, "zip", "--out", tmp_path / "all.zip", *words)
        with zipfile.ZipFile(tmp_path / "all.zip") as archive:
            names = set(archive.namelist())
            assert {decode_input(archive.read(name))[0].der for name in names} == set(issued(stocked))
        assert {f"00db1234567890a0-ds.{suffix}", f"00db1234567890a0-ka.{suffix}", f"{SUPPLIER_NAME}.{suffix}"} < names
        # The one that was replaced has its serial number in its name.
        assert sum(name.startswith("00db1234567890a0-ka-") for name in names) == 1


def test_a_folder(stocked: Path, tmp_path: Path) -> None:
    export(stocked, "folder", "--out", tmp_path / "plain")
    assert len(list((tmp_path / "plain").iterdir())) == len(issued(stocked))
    result = export(stocked, "folder", "--out", tmp_path / "with", "--keys", stocked / "mykeys")
    keys = sorted(path.name for path in (tmp_path / "with").glob("*.key"))
    assert len(keys) == 4
    assert f"{SUPPLIER_NAME}.key" in keys
    assert not [name for name in keys if "oca" in name]
    assert b"broken.key" in result.stderr
    assert b"folder.occupied" in export(stocked, "folder", "--out", tmp_path / "with", status=2).stderr
    assert b"file.missing" in export(stocked, "folder", "--out", tmp_path / "no" / "such", status=2).stderr


def test_a_key_store(stocked: Path, tmp_path: Path) -> None:
    out = tmp_path / "keystore.json"
    result = export(stocked, "keystore", "--keys", stocked / "mykeys", "--out", out)
    held = read_key_store(out.read_bytes())
    assert all(pair.key is not None for pair in held)
    assert {pair.certificate.der for pair in held} == set(issued(stocked)[4:])
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert b"left out" not in result.stderr
    without = export(stocked, "keystore", "--out", out, "--kind", "device")
    assert read_key_store(out.read_bytes()) == []
    assert b"0 certificates with their private keys\n3 left out" in without.stderr
    export(stocked, "keystore", "--out", out, "--kind", "device", "--keyless")
    assert [pair.key for pair in read_key_store(out.read_bytes())] == [None] * 3


def test_the_archive_of_a_test_pki(stocked: Path, tmp_path: Path) -> None:
    export(stocked, "org-crypto", "--keys", stocked / "mykeys", "--out", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        names = archive.namelist()
    assert f"org-crypto/cert/{SUPPLIER_NAME}.pem" in names
    assert f"org-crypto/key/{SUPPLIER_NAME}.key" in names
    assert not [name for name in names if "00db" in name or "oca" in name]


def test_pkcs12_for_each_party(stocked: Path, tmp_path: Path, openssl: Callable[..., CompletedProcess[str]]) -> None:
    words = ("pkcs12", "--keys", stocked / "mykeys", "--out")
    assert b"pkcs12.no-passphrase" in export(stocked, *words, tmp_path / "none", status=2).stderr
    assert not (tmp_path / "none").exists()
    export(stocked, *words, tmp_path / "p12", env={"SMKI_PKCS12_PASSPHRASE": "secret"})
    with Smki.open(stocked / "pki") as smki:
        parties = {
            application.application.subscriber
            for record in smki.ledger.certificates(CertificateQuery())
            if not record.kind.is_authority and (application := smki.ledger.application(record.application_id))
        }
    assert {path.name for path in (tmp_path / "p12").iterdir()} == {f"{party}.p12" for party in parties}
    for path in (tmp_path / "p12").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        result = openssl("pkcs12", "-in", path, "-passin", "pass:secret", "-nodes")
        assert result.returncode == 0, result.stderr
        assert "BEGIN PRIVATE KEY" in result.stdout
    total = b"".join(path.read_bytes() for path in (tmp_path / "p12").iterdir())
    assert b"PRIVATE KEY" not in total


def test_encrypted_keys_are_read_with_their_passphrase(made_home: Path, tmp_path: Path) -> None:
    shutil.copytree(made_home, tmp_path / "pki")
    (tmp_path / "mykeys").mkdir()
    environment = {"SMKI_KEY_PASSPHRASE": "secret"}
    result = run_cli("issue", "device", "--eui", str(DEVICE), "--usage", "ds", "--out", tmp_path / "mykeys" / "a.pem",
                     "--home", tmp_path / "pki", env=environment)  # fmt: skip
    assert result.returncode == 0, result.stderr
    (key_file,) = (tmp_path / "mykeys").glob("*.key")
    assert b"ENCRYPTED" in key_file.read_bytes()
    words = ("export", "keystore", "--home", tmp_path / "pki", "--keys", tmp_path / "mykeys", "--kind", "device")
    assert len(read_key_store(run_cli(*words, env=environment).stdout)) == 1
    without = run_cli(*words)
    assert b"SMKI_KEY_PASSPHRASE" in without.stderr
    assert b"1 left out" in without.stderr


def test_nothing_is_written_where_something_is_wrong(stocked: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.jsonl"
    out.write_text("before")
    assert export(stocked, "json-lines", "--out", out, "--role", "nonsense", status=2).returncode == 2
    assert export(stocked, "keystore", "--out", out, "--keys", tmp_path / "missing", status=2).stdout == b""
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]


def words_of(stocked: Path, *words: str) -> list[dict[str, object]]:
    result = run_here(*words, "--home", stocked / "pki", "--json")
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_search_by_whatever_is_at_hand(stocked: Path) -> None:
    with Smki.open(stocked / "pki") as smki:
        (record,) = smki.ledger.certificates(CertificateQuery(entity_identifier=SUPPLIER))
    serial, digest = record.serial_number, record.certificate.sha256.hex()
    pairs = ":".join(serial.hex[at : at + 2] for at in range(0, 32, 2))
    for text in (
        serial.hex, serial.hex.lower(), pairs, str(serial.value), serial.hex[:8], serial.hex[:9].lower(),
        digest, ":".join(digest[at : at + 2] for at in range(0, 64, 2)).upper(),
        "90-B3-D5-1F-30-01-00-00", "90b3d51f30010000", "acme", "ACME METERS",
    ):  # fmt: skip
        assert [each["serialNumber"] for each in words_of(stocked, "search", text)] == [serial.hex], text
    assert len(words_of(stocked, "search", str(DEVICE), "--usage", "ka")) == 2
    assert len(words_of(stocked, "search", str(DEVICE), "--usage", "ka", "--status", "I")) == 1
    assert len(words_of(stocked, "search", str(DEVICE), "--limit", "1")) == 1
    assert {each["role"] for each in words_of(stocked, "search", "large-supplier", "--kind", "organisation")} == {
        "supplier"
    }
    for text in ("no such thing", "ABCD", "0" * 64, "%", "90-B3-D5-1F-30-01-00-01"):
        result = run_here("search", text, "--home", stocked / "pki")
        assert (result.returncode, result.stdout) == (1, b"")
        assert b"nothing found" in result.stderr


def test_list_in_any_order(stocked: Path) -> None:
    for sort, field in (("serialNumber", "serialNumber"), ("notAfter", "notAfter"), ("issued", "issued")):
        listed = [str(each[field]) for each in words_of(stocked, "list", "--sort", sort)]
        assert listed == sorted(listed)
        backwards = [str(each[field]) for each in words_of(stocked, "list", "--sort", sort, "--descending")]
        assert backwards == sorted(listed, reverse=True)
    assert words_of(stocked, "list", "--issued-to", "2000-01-01") == []
    assert len(words_of(stocked, "list", "--expires-from", "9999-12-31T23:59:59Z", "--kind", "device")) == 3


def test_no_secret_is_in_an_export_that_was_not_asked_for_one(stocked: Path, tmp_path: Path) -> None:
    """Whatever is exported without keys, listed or extracted: no private key, in any form, and no passphrase."""
    secrets = []
    for place in ("pki/keys", "mykeys"):
        for path in (stocked / place).rglob("*.key"):
            text = path.read_text()
            if "END" in text:
                encoded = decode_input(text.encode())[0].der
                # The private value: after the version and the inner SEQUENCE, 32 bytes.
                at = encoded.index(b"\x04\x20") + 2
                value = encoded[at : at + 32]
                secrets += [value, value.hex().encode(), value.hex().upper().encode(), text.splitlines()[1].encode()]
    assert len(secrets) > 40
    shutil.copytree(stocked / "pki", tmp_path / "pki")
    with Smki.open(tmp_path / "pki") as smki:
        smki.extracts.full()
    environment = {"SMKI_KEY_PASSPHRASE": "quite-a-secret", "SMKI_PKCS12_PASSPHRASE": "quite-a-secret"}
    said = b""
    for words in (["json-lines"], ["csv"], ["pem"], ["zip"], ["authorities"]):
        result = export(stocked, *words, env=environment)
        said += result.stdout + result.stderr
    export(stocked, "folder", "--out", tmp_path / "folder", env=environment)
    result = export(
        stocked, "pkcs12", "--keys", stocked / "mykeys", "--out", tmp_path / "folder" / "p12", env=environment
    )
    said += result.stdout + result.stderr
    for words in (["list", "--json"], ["search", "LARGE-SUPPLIER", "--json"], ["extract", "list"]):
        said += run_cli(*words, "--home", tmp_path / "pki", env=environment).stdout
    for made in (tmp_path / "folder", tmp_path / "pki" / "extracts"):
        said += b"".join(path.read_bytes() for path in made.rglob("*") if path.is_file())
    assert len(said) > 50_000
    assert b"PRIVATE KEY" not in said
    assert b"quite-a-secret" not in said
    for secret in secrets:
        assert secret not in said


@pytest.mark.parametrize("words", [("keystore",), ("org-crypto",)])
def test_private_keys_are_not_written_through_links(made_home: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.symlink_to(elsewhere)
    result = run_cli("export", *words, "--home", made_home, "--out", out)
    assert result.returncode == 2
    assert b"symbolic link" in result.stderr
    assert not elsewhere.exists()
    # Certificates are no secret.
    assert run_cli("export", "pem", "--home", made_home, "--out", out).returncode == 0
    assert elsewhere.exists()
