"""Folders, ZIP archives and PKCS#12, read again with the tools that people have."""

from __future__ import annotations

import io
import re
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12 as library
from hypothesis import given, settings
from hypothesis import strategies as st

from smki import Certificate, Smki
from smki.interchange import CertificateWithKey, certificate_name, org_crypto_zip, pkcs12, write_archive, write_folder
from smki.interchange.zip_file import ZipWriter
from smki.keys.private_key import key_from_pem
from smki.pki import der
from smki.pki.pem import decode_input
from smki.problem import Malformed, NotReady
from tests.interchange.conftest import organisations

PASSPHRASE = "pässword"


def test_names_are_those_of_the_published_ones(vectors: list[dict[str, str]], smki: Smki) -> None:
    for row in vectors:
        if row["kind"] == "device" and row["file"].startswith("device/"):
            certificate = Certificate.from_der(row["der"])  # type: ignore[arg-type]
            assert f"device/{certificate_name(certificate)}.pem" == row["file"]
    authorities = [certificate_name(record.certificate) for record in smki.authorities()]
    assert authorities == ["TA-root-oca", "T1-issuing-oca", "TD-root-dca", "TD01-issuing-dca"]


def test_names_tell_certificates_apart(pairs: list[CertificateWithKey]) -> None:
    names = [pair.name for pair in pairs]
    assert "T1-supplier-90b3d51f30010000-ds" in names
    assert "00db1234567890a0-ka" in names
    assert len(set(names)) == len(names)
    certificate = pairs[0].certificate
    serial = certificate.serial_number.hex.lower()
    assert certificate_name(certificate, plain=False) == f"{certificate_name(certificate)}-{serial}"


def test_a_folder(pairs: list[CertificateWithKey], tmp_path: Path) -> None:
    path = tmp_path / "out"
    assert (
        write_folder(path, [*pairs, CertificateWithKey(pairs[0].certificate, None, pairs[0].name.upper())])
        == len(pairs) + 1
    )
    for pair in pairs:
        assert decode_input((path / f"{pair.name}.pem").read_bytes())[0].der == pair.certificate.der
        key_file = path / f"{pair.name}.key"
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        assert pair.key is not None
        assert key_from_pem(key_file.read_bytes(), None, "").private_numbers() == pair.key.private_numbers()
    assert len(list(path.glob("*.pem"))) == len(pairs) + 1
    with pytest.raises(NotReady):
        write_folder(path, pairs)


def test_a_folder_with_encrypted_keys(pairs: list[CertificateWithKey], tmp_path: Path) -> None:
    write_folder(tmp_path / "out", pairs[:1], b"secret")
    content = (tmp_path / "out" / f"{pairs[0].name}.key").read_bytes()
    assert b"ENCRYPTED" in content
    assert key_from_pem(content, b"secret", "")


def test_nothing_is_left_of_a_folder_that_was_broken_off(pairs: list[CertificateWithKey], tmp_path: Path) -> None:
    def until_interrupted() -> Iterator[CertificateWithKey]:
        yield pairs[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "out", until_interrupted())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", ".", "", "a\0b", "C:\\x", "-rf ~;$(x)", "é" * 300]
)
def test_a_name_stays_within_its_folder(pairs: list[CertificateWithKey], tmp_path: Path, name: str) -> None:
    held = [CertificateWithKey(pairs[0].certificate, pairs[0].key, name)]
    write_folder(tmp_path / "out", held)
    assert len(list(tmp_path.rglob("*.pem"))) == 1
    assert len(list((tmp_path / "out").glob("*.pem"))) == 1
    content = io.BytesIO()
    write_archive(content, held)
    (inside,) = zipfile.ZipFile(content).namelist()
    assert "/" not in inside
    assert not inside.startswith(".")


@pytest.mark.parametrize("der", [False, True])
def test_an_archive(pairs: list[CertificateWithKey], tmp_path: Path, der: bool) -> None:
    path = tmp_path / "out.zip"
    with path.open("wb") as file:
        assert write_archive(file, pairs, der=der) == len(pairs)
    assert b"PRIVATE" not in path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        found = {info.filename: decode_input(archive.read(info))[0].der for info in archive.infolist()}
    suffix = "der" if der else "pem"
    assert found == {f"{pair.name}.{suffix}": pair.certificate.der for pair in pairs}


def test_the_archive_of_a_test_pki(pairs: list[CertificateWithKey]) -> None:
    held = organisations(pairs)
    content = org_crypto_zip(held)
    assert content == org_crypto_zip(held)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for pair in held:
            assert pair.key is not None
            pem = archive.read(f"org-crypto/cert/{pair.name}.pem")
            key = archive.read(f"org-crypto/key/{pair.name}.key")
            assert decode_input(pem)[0].der == pair.certificate.der
            assert key_from_pem(key, None, "").private_numbers() == pair.key.private_numbers()
        assert len(archive.namelist()) == 2 * len(held)


def test_only_organisations_with_keys_are_in_it(pairs: list[CertificateWithKey], smki: Smki) -> None:
    device = next(pair for pair in pairs if pair.certificate.role is None)
    authority = CertificateWithKey(smki.authorities()[1].certificate, None, "T1")
    keyless = CertificateWithKey(pairs[0].certificate, None, "x")
    for unfit in (device, authority, keyless):
        with pytest.raises(Malformed) as caught:
            org_crypto_zip([unfit])
        assert caught.value.code == "org-crypto.unfit"


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.from_regex(r"[a-z0-9]{1,8}(/[a-z]{1,3})?", fullmatch=True), st.binary(max_size=300), max_size=20)
)
def test_the_library_reads_what_is_written(entries: dict[str, bytes]) -> None:
    content = io.BytesIO()
    with ZipWriter(content) as archive:
        for name, encoded in entries.items():
            archive.add(name, encoded)
    with zipfile.ZipFile(content) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == entries


def test_more_entries_than_sixteen_bits_count() -> None:
    content = io.BytesIO()
    with ZipWriter(content) as archive:
        for number in range(70_000):
            archive.add(f"{number}.pem", b"x")
    with zipfile.ZipFile(content) as read:
        assert len(read.namelist()) == 70_000
        assert read.read("69999.pem") == b"x"


class _Far(io.RawIOBase):
    """A file of which only the end is kept, behind four gigabytes of nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.tail = bytearray()

    def write(self, encoded: bytes) -> int:  # type: ignore[override]
        self.tail += encoded
        return len(encoded)


def test_entries_beyond_four_gigabytes(tmp_path: Path) -> None:
    far = _Far()
    archive = ZipWriter(far)  # type: ignore[arg-type]
    archive._offset = 5 << 30
    with archive:
        archive.add("far.pem", b"content")
    path = tmp_path / "far.zip"
    with path.open("wb") as file:
        file.seek(5 << 30)  # a sparse file: it takes no room
        file.write(far.tail)
    with zipfile.ZipFile(path) as read:
        assert read.read("far.pem") == b"content"
        assert read.infolist()[0].header_offset == 5 << 30


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "", "a\\b", "é"])
def test_names_that_leave_the_archive_are_not_written(name: str) -> None:
    with pytest.raises(ValueError, match="not the name"), ZipWriter(io.BytesIO()) as archive:
        archive.add(name, b"")


def test_openssl_reads_pkcs12(
    pairs: list[CertificateWithKey], smki: Smki, tmp_path: Path, openssl: Callable[..., CompletedProcess[str]]
) -> None:
    path = tmp_path / "party.p12"
    authorities = [record.certificate for record in smki.authorities()[:2]]
    path.write_bytes(pkcs12(pairs, PASSPHRASE.encode(), authorities))
    pass_file = tmp_path / "passphrase"
    pass_file.write_text(PASSPHRASE)
    result = openssl("pkcs12", "-in", path, "-passin", f"file:{pass_file}", "-nodes")
    assert result.returncode == 0, result.stderr
    keys = [
        key_from_pem(pem.encode(), None, "")
        for pem in re.findall(r"-----BEGIN PRIVATE KEY.*?END PRIVATE KEY-----\n", result.stdout, re.DOTALL)
    ]
    found = {key.private_numbers().private_value for key in keys}
    assert found == {pair.key.private_numbers().private_value for pair in pairs if pair.key}
    pems = "".join(re.findall(r"-----BEGIN CERTIFICATE.*?END CERTIFICATE-----\n", result.stdout, re.DOTALL))
    assert {piece.der for piece in decode_input(pems.encode())} == {
        certificate.der for certificate in [*(pair.certificate for pair in pairs), *authorities]
    }
    for pair in pairs:
        assert f"friendlyName: {pair.name}" in result.stdout
    wrong = openssl("pkcs12", "-in", path, "-passin", "pass:wrong", "-noout")
    assert wrong.returncode != 0
    assert "mac" in wrong.stderr.lower()


def test_the_library_reads_pkcs12(pairs: list[CertificateWithKey]) -> None:
    (pair,) = pairs[-1:]
    read = library.load_pkcs12(pkcs12([pair], b"secret"), b"secret")
    assert pair.key is not None
    assert read.key is not None
    assert read.key.private_numbers() == pair.key.private_numbers()  # type: ignore[union-attr]
    assert read.cert is not None
    assert read.cert.friendly_name == pair.name.encode()


def test_guessing_the_passphrase_of_pkcs12_costs_what_it_does_today(pairs: list[CertificateWithKey]) -> None:
    """By the keys, which took 2,048 rounds, or by the MAC, which took 10,000."""
    encoded = pkcs12(pairs[:2], b"secret")
    kdf = der.oid("1.2.840.113549.1.5.12")
    found = [at for at in range(len(encoded)) if encoded.startswith(kdf, at)]
    assert len(found) == 2
    for at in found:
        assert der.decode_integer(der.read(encoded, at + len(kdf)).children()[1]) >= 600_000
    mac = der.read(encoded).children()[2].children()
    assert der.decode_integer(mac[2]) >= 600_000


def test_java_reads_pkcs12(pairs: list[CertificateWithKey], tmp_path: Path) -> None:
    path = tmp_path / "party.p12"
    path.write_bytes(pkcs12(pairs, b"secret"))
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip("keytool is not installed here, and a whole Java for one more opinion is not asked for")
    words = [keytool, "-list", "-keystore", str(path), "-storepass", "secret", "-storetype", "PKCS12"]
    result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert f"contains {len(pairs)} entries" in result.stdout


def test_pkcs12_of_nothing(pairs: list[CertificateWithKey]) -> None:
    for arguments in (([], b"secret"), (pairs, b"")):
        with pytest.raises(Malformed) as caught:
            pkcs12(*arguments)
        assert caught.value.code == "pkcs12.nothing"
