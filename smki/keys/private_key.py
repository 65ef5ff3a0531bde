"""Private keys: generated or derived from a seed, and kept as PKCS#8 files that only their owner can read."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from smki.identity import MAX_SERIAL_BYTES, SerialNumber
from smki.keys.encryption import KeyEncryption, TooCostly
from smki.pki.certificate import to_pem
from smki.pki.pem import decode_input
from smki.problem import IntegrityError, Malformed, NotFound, Problem

PASSPHRASE_VARIABLE = "SMKI_KEY_PASSPHRASE"  # noqa: S105  (the name of the variable)

PrivateKey = ec.EllipticCurvePrivateKey | Ed25519PrivateKey
"""A P-256 key, or the Ed25519 key that signs the record's checkpoints."""

RECORD_KEY = "record"
"""Name of the key that signs checkpoints, in the key store."""

K = TypeVar("K", ec.EllipticCurvePrivateKey, Ed25519PrivateKey)

_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Randomness(Protocol):
    """A source of keys and serial numbers."""

    def private_key(self, label: str) -> ec.EllipticCurvePrivateKey:
        """Return a P-256 key. With a seed, the label determines the key."""

    def note_key(self, label: str) -> Ed25519PrivateKey:
        """Return an Ed25519 key. With a seed, the label determines the key."""

    def serial_numbers(self, materials: Sequence[bytes], attempt: int) -> list[SerialNumber]:
        """Return positive serial numbers of 16 bytes. With a seed, its material and *attempt* determine each."""


class SystemRandomness:
    """Keys and serial numbers drawn from the operating system's random number generator."""

    def private_key(self, label: str) -> ec.EllipticCurvePrivateKey:
        """Return a new P-256 key."""
        return ec.generate_private_key(_CURVE)

    def note_key(self, label: str) -> Ed25519PrivateKey:
        """Return a new Ed25519 key."""
        return Ed25519PrivateKey.generate()

    def serial_numbers(self, materials: Sequence[bytes], attempt: int) -> list[SerialNumber]:
        """Return numbers of 16 bytes, all but the two highest bits random."""
        drawn = secrets.token_bytes(MAX_SERIAL_BYTES * len(materials))  # a system call for all of them
        return [
            _serial_number(drawn[start : start + MAX_SERIAL_BYTES]) for start in range(0, len(drawn), MAX_SERIAL_BYTES)
        ]


class SeededRandomness:
    """Keys and serial numbers derived from a seed with HMAC-SHA-512, so that the same seed gives the same ones.

    Only for reproducible tests: anyone who knows the seed can derive every key.
    """

    def __init__(self, seed: str) -> None:
        self._key = hashlib.sha256(b"smki seed\0" + seed.encode()).digest()

    def private_key(self, label: str) -> ec.EllipticCurvePrivateKey:
        """Return the P-256 key of a label."""
        digits = int.from_bytes(self._derive(b"private key", label.encode()), "big")
        return ec.derive_private_key(digits % (_ORDER - 1) + 1, _CURVE)

    def note_key(self, label: str) -> Ed25519PrivateKey:
        """Return the Ed25519 key of a label."""
        return Ed25519PrivateKey.from_private_bytes(self._derive(b"note key", label.encode())[:32])

    def serial_numbers(self, materials: Sequence[bytes], attempt: int) -> list[SerialNumber]:
        """Return the serial number for each material; a different one for each attempt."""
        return [
            _serial_number(self._derive(b"serial number", material, str(attempt).encode())[:MAX_SERIAL_BYTES])
            for material in materials
        ]

    def _derive(self, *parts: bytes) -> bytes:
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha512")


def _serial_number(encoded: bytes) -> SerialNumber:
    # Highest bit clear (positive), the next one set: always 16 bytes when encoded, as in the published certificates.
    top = 1 << MAX_SERIAL_BYTES * 8 - 2
    return SerialNumber(int.from_bytes(encoded, "big") % top | top)


def passphrase_from_environment() -> bytes | None:
    """Return the passphrase in SMKI_KEY_PASSPHRASE, or None if it is not set or empty."""
    return os.environ.get(PASSPHRASE_VARIABLE, "").encode() or None


Passphrase = bytes | KeyEncryption
"""A passphrase; for several keys as a :class:`KeyEncryption`, which derives a key from it only once."""

_ENCRYPTED_LABEL = "ENCRYPTED PRIVATE KEY"


def encryption_from_environment(keys: Path | None = None) -> KeyEncryption | None:
    """Return the encryption with the passphrase in SMKI_KEY_PASSPHRASE, or None if it is not set or empty.

    :param keys: the directory of the keys of a home. New keys have the same salt as these, so that a thousand of them,
        each written by another process, are read in the time of one.
    """
    passphrase = passphrase_from_environment()
    if passphrase is None:
        return None
    encryption = KeyEncryption(passphrase)
    first = min(keys.glob("*.key"), default=None) if keys is not None else None
    if first is not None:
        with contextlib.suppress(OSError, Malformed):  # reading that key tells what is wrong with it
            encryption.use_salt_of(decode_input(first.read_bytes(), str(first))[0].der)
    return encryption


def key_to_pem(key: PrivateKey, passphrase: Passphrase | None = None) -> bytes:
    """Return the key as PKCS#8 in PEM, encrypted if there is a passphrase (see :class:`KeyEncryption`)."""
    if not passphrase:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return to_pem(_ENCRYPTED_LABEL, _encryption(passphrase).encrypt(key)).encode()


def _encryption(passphrase: Passphrase) -> KeyEncryption:
    return passphrase if isinstance(passphrase, KeyEncryption) else KeyEncryption(passphrase)


def write_private_file(path: Path, content: bytes) -> None:
    """Write a new file with mode 0600.

    :raises FileExistsError: if the file already exists; it is left unchanged.
    :raises OSError: with *path* as file name, if it cannot be written; nothing remains then.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        path.unlink()
        error.filename = str(path)
        raise


def read_key(path: Path, passphrase: Passphrase | None = None) -> ec.EllipticCurvePrivateKey:
    """Read a P-256 key from a PKCS#8 file.

    :raises NotFound: if there is no such file.
    :raises IntegrityError: if it contains something else, or the passphrase is missing or wrong.
    """
    return _read_file(path, passphrase, key_from_pem)


def _read_file(path: Path, passphrase: Passphrase | None, read: Callable[[bytes, Passphrase | None, str], K]) -> K:
    try:
        return read(path.read_bytes(), passphrase, str(path))
    except FileNotFoundError:
        raise NotFound(
            Problem(code="key.missing", subject=str(path), seen="no such file", expected="a private key in PKCS#8")
        ) from None
    except OSError as error:
        seen = error.strerror or str(error)
        raise IntegrityError(
            Problem(code="key.unreadable", subject=str(path), seen=seen, expected="a private key in PKCS#8")
        ) from None
    except Malformed as error:
        raise IntegrityError(*error.problems) from None


class KeyStore(Protocol):
    """A store of the private keys of an SMKI, by name: ``root-oca``, ``dcc/recovery-ds``."""

    def write(self, name: str, key: PrivateKey) -> None:
        """Store a new key.

        :raises FileExistsError: if there is already one with that name; it is left unchanged.
        """

    def read(self, name: str) -> ec.EllipticCurvePrivateKey:
        """Return the key with a name.

        :raises NotFound: if there is none.
        :raises IntegrityError: if it cannot be read.
        """

    def read_note_key(self, name: str) -> Ed25519PrivateKey:
        """Return the Ed25519 key with a name.

        :raises NotFound: if there is none.
        :raises IntegrityError: if it cannot be read.
        """

    def place(self, name: str) -> str:
        """Return the location of a key, for messages."""


class KeyDirectory:
    """Keys as PKCS#8 files of mode 0600 in a directory.

    :param passphrase: the passphrase to encrypt them with; None to leave them unencrypted.
    """

    def __init__(self, path: Path, passphrase: Passphrase | None) -> None:
        self._path = path
        self._passphrase = _encryption(passphrase) if passphrase else None

    def write(self, name: str, key: PrivateKey) -> None:
        """Write a new key file; see :class:`KeyStore`."""
        write_private_file(self._file(name), key_to_pem(key, self._passphrase))

    def read(self, name: str) -> ec.EllipticCurvePrivateKey:
        """Read a key file; see :class:`KeyStore`."""
        return read_key(self._file(name), self._passphrase)

    def read_note_key(self, name: str) -> Ed25519PrivateKey:
        """Read the file of an Ed25519 key; see :class:`KeyStore`."""
        return _read_file(self._file(name), self._passphrase, _note_key_from_pem)

    def place(self, name: str) -> str:
        """Return the path of the file."""
        return str(self._file(name))

    def _file(self, name: str) -> Path:
        return self._path / f"{name}.key"


class KeysInMemory:
    """Keys in memory, which are lost when the process ends."""

    def __init__(self) -> None:
        self._keys: dict[str, PrivateKey] = {}

    def write(self, name: str, key: PrivateKey) -> None:
        """Store a new key; see :class:`KeyStore`."""
        if self._keys.setdefault(name, key) is not key:
            raise FileExistsError(self.place(name))

    def read(self, name: str) -> ec.EllipticCurvePrivateKey:
        """Return a key; see :class:`KeyStore`."""
        key = self._keys.get(name)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise self._missing(name)
        return key

    def read_note_key(self, name: str) -> Ed25519PrivateKey:
        """Return an Ed25519 key; see :class:`KeyStore`."""
        key = self._keys.get(name)
        if not isinstance(key, Ed25519PrivateKey):
            raise self._missing(name)
        return key

    def _missing(self, name: str) -> NotFound:
        return NotFound(
            Problem(code="key.missing", subject=self.place(name), seen="no such key", expected="a private key")
        )

    def place(self, name: str) -> str:
        """Return a name for the key, for messages."""
        return f"key {name} in memory"

    def copy(self) -> KeysInMemory:
        """Return a new store with the same keys; keys added later are not shared."""
        other = KeysInMemory()
        other._keys = dict(self._keys)
        return other


def key_from_pem(content: bytes, passphrase: Passphrase | None, name: str) -> ec.EllipticCurvePrivateKey:
    """Read a P-256 key from PEM.

    :raises Malformed: if it is something else, or the passphrase is missing or wrong.
    """
    key = _from_pem(content, passphrase, name, _is_p256, "a P-256 private key in PKCS#8")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _note_key_from_pem(content: bytes, passphrase: Passphrase | None, name: str) -> Ed25519PrivateKey:
    key = _from_pem(content, passphrase, name, _is_ed25519, "an Ed25519 private key in PKCS#8")
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _is_p256(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)


def _is_ed25519(key: object) -> bool:
    return isinstance(key, Ed25519PrivateKey)


def _from_pem(
    content: bytes, passphrase: Passphrase | None, name: str, is_suitable: Callable[[object], bool], expected: str
) -> object:
    remedy = ""
    # Unencrypted files are read even if a passphrase is set, because keys may be older than the passphrase.
    is_encrypted = b"ENCRYPTED" in content
    try:
        key = _load(content, passphrase if is_encrypted else None, name)
        if is_suitable(key):
            return key
        seen = f"a key of another kind ({type(key).__name__})"
    except TypeError:
        seen, remedy = "an encrypted key and no passphrase", f"Set {PASSPHRASE_VARIABLE} to its passphrase."
    except TooCostly as error:
        seen, remedy = str(error), "Encrypt it again with fewer rounds, for instance with openssl pkcs8 -topk8."
    except UnsupportedAlgorithm:
        seen, remedy = "an algorithm that is not supported", "Encrypt it with AES-256: openssl pkcs8 -topk8 -v2 aes256."
    except (ValueError, Malformed):
        seen = "bytes that cannot be read" + (" with this passphrase" if is_encrypted else "")
        remedy = (
            f"Set {PASSPHRASE_VARIABLE} to the passphrase that was set when the key was made." if is_encrypted else ""
        )
    raise Malformed(Problem(code="key.unreadable", subject=name, seen=seen, expected=expected, remedy=remedy))


def _load(content: bytes, passphrase: Passphrase | None, name: str) -> object:
    label = f"-----BEGIN {_ENCRYPTED_LABEL}-----".encode()
    if label not in content:
        secret = passphrase.passphrase if isinstance(passphrase, KeyEncryption) else passphrase
        return load_pem_private_key(content, secret)
    if not passphrase:
        raise TypeError("an encrypted key and no passphrase")
    (piece, *_) = decode_input(content[content.index(label) :], name)
    return _encryption(passphrase).decrypt(piece.der)
