"""Private keys under a passphrase: at a present-day cost, read by others, old ones read, and none too costly to read."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from hashlib import pbkdf2_hmac
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from smki.interchange.key_ring import KeyRing
from smki.keys import encryption
from smki.keys.private_key import KeyDirectory, SeededRandomness, key_from_pem, key_to_pem
from smki.pki import der
from smki.pki.certificate import to_pem
from smki.pki.pem import decode_input
from smki.problem import Malformed
from tests.support import DEVICE, run_cli

KEY = SeededRandomness("keys").private_key("one")
LEAST_ROUNDS = 600_000

Openssl = Callable[..., CompletedProcess[str]]


def rounds_in(encoded: bytes) -> list[int]:
    """The numbers of rounds that PBKDF2 in it has."""
    oid, found = der.oid("1.2.840.113549.1.5.12"), []
    at = encoded.find(oid)
    while at >= 0:
        parameters = der.read(encoded, at + len(oid)).children()
        found.append(der.decode_integer(parameters[1]))
        at = encoded.find(oid, at + 1)
    return found


def number(key: ec.EllipticCurvePrivateKey) -> int:
    return key.private_numbers().private_value


def test_a_guess_costs_what_it_does_today(tmp_path: Path) -> None:
    """It took 2,048 rounds, less than a millisecond."""
    (piece,) = decode_input(key_to_pem(KEY, b"secret"))
    assert rounds_in(piece.der) == [encryption.KEY_ROUNDS]
    assert encryption.KEY_ROUNDS >= LEAST_ROUNDS
    home = tmp_path / "pki"
    begun = time.monotonic()
    assert run_cli("init", "--home", home, env={"SMKI_KEY_PASSPHRASE": "secret"}).returncode == 0
    assert (
        time.monotonic() - begun < 10
    )  # one derivation for all keys, not one for each of ten, when written and when read
    files = list(home.rglob("*.key"))
    assert len(files) == 11  # with that of the record
    for file in files:
        (piece,) = decode_input(file.read_bytes())
        assert min(rounds_in(piece.der)) >= LEAST_ROUNDS


def test_other_programs_read_it(tmp_path: Path, openssl: Openssl) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(key_to_pem(KEY, "pässword".encode()))
    result = openssl("pkcs8", "-in", path, "-passin", "pass:pässword")
    assert result.returncode == 0, result.stderr
    assert number(key_from_pem(result.stdout.encode(), None, "")) == number(KEY)
    read = load_pem_private_key(path.read_bytes(), "pässword".encode())
    assert isinstance(read, ec.EllipticCurvePrivateKey)
    assert number(read) == number(KEY)


@pytest.mark.parametrize(
    "options",
    [
        ("-v2", "aes256", "-v2prf", "hmacWithSHA256"),
        ("-v2", "aes128", "-v2prf", "hmacWithSHA1", "-iter", "1"),
        ("-v2", "des3"),
        ("-v1", "PBE-SHA1-3DES"),
        ("-scrypt",),
        ("-scrypt", "-scrypt_N", "16384", "-scrypt_p", "2"),
    ],
    ids=" ".join,
)
def test_keys_of_other_programs_are_read(tmp_path: Path, openssl: Openssl, options: tuple[str, ...]) -> None:
    plain, encrypted = tmp_path / "plain.key", tmp_path / "encrypted.key"
    plain.write_bytes(key_to_pem(KEY))
    result = openssl("pkcs8", "-topk8", "-in", plain, "-out", encrypted, "-passout", "pass:secret", *options)
    assert result.returncode == 0, result.stderr
    assert number(key_from_pem(encrypted.read_bytes(), b"secret", "")) == number(KEY)
    with pytest.raises(Malformed, match="with this passphrase"):
        key_from_pem(encrypted.read_bytes(), b"wrong", "")


def test_old_keys_are_read(tmp_path: Path) -> None:
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        old = KEY.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"secret"))
        (tmp_path / "old.key").write_bytes(old)
        keys = KeyDirectory(tmp_path, b"secret")
        assert number(keys.read("old")) == number(KEY)
        with pytest.raises(Malformed, match="no passphrase"):
            key_from_pem(old, None, "")


def counted_derivations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A list to which each derivation of a key is added."""
    derived = []

    def derive(*given: Any) -> bytes:
        derived.append(given)
        return pbkdf2_hmac(*given)

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", derive)
    return derived


def test_many_keys_cost_one_derivation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    derived = counted_derivations(monkeypatch)
    keys = KeyDirectory(tmp_path, b"secret")
    for index in range(50):
        keys.write(str(index), KEY)
        assert number(keys.read(str(index))) == number(KEY)
    assert len(derived) == 1
    contents = {file.read_bytes() for file in tmp_path.iterdir()}
    assert len(contents) == 50  # each with its own initialisation vector


def test_keys_of_one_home_cost_one_derivation(home_with_passphrase: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever process wrote them; else exporting a thousand would take minutes."""
    secret = {"SMKI_KEY_PASSPHRASE": "secret"}
    folder = home_with_passphrase.parent / "keys"
    folder.mkdir()
    for usage in ("ds", "ka"):
        out = folder / f"{usage}.pem"
        words = (
            "issue",
            "device",
            "--eui",
            str(DEVICE),
            "--usage",
            usage,
            "--out",
            out,
            "--home",
            home_with_passphrase,
        )
        assert run_cli(*words, env=secret).returncode == 0
    derived = counted_derivations(monkeypatch)
    ring = KeyRing([folder, home_with_passphrase / "keys"], encryption.KeyEncryption(b"secret"))
    assert (len(list(ring)), ring.problems, len(derived)) == (12, [], 1)


@pytest.fixture
def home_with_passphrase(tmp_path: Path) -> Path:
    home = tmp_path / "pki"
    assert run_cli("init", "--home", home, env={"SMKI_KEY_PASSPHRASE": "secret"}).returncode == 0
    return home


def pbes2(kdf: str, *parameters: bytes) -> bytes:
    """An encrypted key with such a key derivation, and nothing that could be decrypted."""
    derivation = der.sequence(der.oid(kdf), der.sequence(der.octet_string(bytes(16)), *parameters))
    cipher = der.sequence(der.oid("2.16.840.1.101.3.4.1.42"), der.octet_string(bytes(16)))
    scheme = der.sequence(der.oid("1.2.840.113549.1.5.13"), der.sequence(derivation, cipher))
    return der.sequence(scheme, der.octet_string(bytes(160)))


PBKDF2, SCRYPT = "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"
PBE_SHA1_3DES = "1.2.840.113549.1.12.1.3"
COSTLY = {
    "pbkdf2": pbes2(PBKDF2, der.integer(2**31 - 1), der.sequence(der.oid("1.2.840.113549.2.9"), der.element(der.NULL))),
    "pbkdf2-sha1": pbes2(PBKDF2, der.integer(2**31 - 1)),
    "pbkdf2-key-length": pbes2(PBKDF2, der.integer(2**31 - 1), der.integer(32)),
    "scrypt-memory": pbes2(SCRYPT, der.integer(2**24), der.integer(8), der.integer(1)),
    "scrypt-time": pbes2(SCRYPT, der.integer(2**14), der.integer(8), der.integer(2**20)),
    "pkcs12": der.sequence(
        der.sequence(der.oid(PBE_SHA1_3DES), der.sequence(der.octet_string(bytes(8)), der.integer(2**31 - 1))),
        der.octet_string(bytes(160)),
    ),
}


@pytest.mark.parametrize("encoded", COSTLY.values(), ids=COSTLY)
def test_reading_a_key_has_bounded_cost(encoded: bytes) -> None:
    """A key of 300 bytes could take hours, or all memory, where a passphrase is set."""
    begun = time.process_time()
    with pytest.raises(Malformed, match="key derivation") as caught:
        key_from_pem(to_pem("ENCRYPTED PRIVATE KEY", encoded).encode(), b"secret", "a.key")
    assert time.process_time() - begun < 1
    assert caught.value.code == "key.unreadable"


ENCRYPTED = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


@settings(max_examples=100, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, len(ENCRYPTED) - 1), st.integers(0, 255)), max_size=4))
def test_whatever_is_in_it_is_a_key_or_an_error(changes: list[tuple[int, int]]) -> None:
    content = bytearray(ENCRYPTED)
    for at, value in changes:
        content[at] = value
    try:
        key_from_pem(to_pem("ENCRYPTED PRIVATE KEY", bytes(content)).encode(), b"secret", "a.key")
    except Malformed as error:
        assert error.code == "key.unreadable"
