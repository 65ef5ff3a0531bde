"""Encryption of private keys with a passphrase: PKCS#8 EncryptedPrivateKeyInfo with PBES2 (RFC 5958 3, RFC 8018 6.2).

New keys are encrypted with AES-256-CBC, under a key that PBKDF2 with HMAC-SHA-256 derives in :data:`KEY_ROUNDS` rounds.
PBKDF2 rather than scrypt, because Java reads no scrypt, and OpenSSL none that takes more than 32 MiB. Keys with fewer
rounds or other algorithms are still read; the cost of reading an untrusted one is bounded.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from smki.bounds import MAX_KEY_MEMORY_BYTES, MAX_KEY_ROUNDS, MAX_KEY_SCRYPT_WORK
from smki.pki import der
from smki.pki.der import DerError, Node

KEY_ROUNDS = 600_000
"""Rounds of PBKDF2 with HMAC-SHA-256 for a new key, as OWASP recommends: about a quarter of a second."""

_SALT_BYTES = 16
_KEY_BYTES = 32
_BLOCK_BYTES = 16

_PBES2 = "1.2.840.113549.1.5.13"
_PBKDF2 = "1.2.840.113549.1.5.12"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"
_HMAC_SHA_256 = "1.2.840.113549.2.9"
_AES_256_CBC = "2.16.840.1.101.3.4.1.42"


class TooCostly(Exception):
    """Raised for an encrypted key whose key derivation takes more time or memory than :mod:`smki.bounds` allows."""


class KeyEncryption:
    """Encrypts and decrypts private keys with one passphrase.

    The key that a salt leads to is derived once and then remembered, and all keys that one object encrypts share a salt,
    so that a thousand keys take no longer than one. The salt makes no difference between files with the same passphrase:
    whoever guesses it for one has it for all. Each key has its own initialisation vector.

    :ivar passphrase: the passphrase, not empty; UTF-8 by convention.
    """

    def __init__(self, passphrase: bytes) -> None:
        self.passphrase = passphrase
        self._salt = os.urandom(_SALT_BYTES)
        self._derived: dict[tuple[bytes, int], bytes] = {}

    def __repr__(self) -> str:
        # Defined explicitly, so that a repr never puts a secret into a log.
        return "KeyEncryption(…)"

    def use_salt_of(self, encrypted: bytes) -> None:
        """Encrypt with the salt of an EncryptedPrivateKeyInfo (DER), if it was encrypted in the same way."""
        try:
            parameters = _usual_parameters(der.read(encrypted))
        except DerError:
            return
        if parameters is not None and parameters[1] == KEY_ROUNDS and len(parameters[0]) == _SALT_BYTES:
            self._salt = parameters[0]

    def encrypt(self, key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
        """Return the key as an EncryptedPrivateKeyInfo (DER)."""
        plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        padder = PKCS7(_BLOCK_BYTES * 8).padder()
        vector = os.urandom(_BLOCK_BYTES)
        encryptor = Cipher(algorithms.AES(self._key(self._salt, KEY_ROUNDS)), modes.CBC(vector)).encryptor()
        content = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
        hmac = der.sequence(der.oid(_HMAC_SHA_256), der.element(der.NULL))
        pbkdf2 = der.sequence(der.octet_string(self._salt), der.integer(KEY_ROUNDS), hmac)
        aes = der.sequence(der.oid(_AES_256_CBC), der.octet_string(vector))
        pbes2 = der.sequence(der.sequence(der.oid(_PBKDF2), pbkdf2), aes)
        return der.sequence(der.sequence(der.oid(_PBES2), pbes2), der.octet_string(content))

    def decrypt(self, encrypted: bytes) -> object:
        """Return the private key in an EncryptedPrivateKeyInfo (DER), of any kind.

        :raises ValueError: if it cannot be read with this passphrase.
        :raises TooCostly: if deriving its key is too costly.
        """
        require_bounded_cost(encrypted)
        parameters = _usual_parameters(der.read(encrypted))
        if parameters is None:
            return load_der_private_key(encrypted, self.passphrase)
        salt, rounds, vector, content = parameters
        decryptor = Cipher(algorithms.AES(self._key(salt, rounds)), modes.CBC(vector)).decryptor()
        unpadder = PKCS7(_BLOCK_BYTES * 8).unpadder()
        padded = decryptor.update(content) + decryptor.finalize()
        return load_der_private_key(unpadder.update(padded) + unpadder.finalize(), None)

    def _key(self, salt: bytes, rounds: int) -> bytes:
        derived = self._derived.get((salt, rounds))
        if derived is None:
            derived = hashlib.pbkdf2_hmac("sha256", self.passphrase, salt, rounds, _KEY_BYTES)
            self._derived[salt, rounds] = derived
        return derived


def _usual_parameters(encrypted: Node) -> tuple[bytes, int, bytes, bytes] | None:
    """Return salt, rounds, initialisation vector and content if it is encrypted in the way of :class:`KeyEncryption`."""
    try:
        algorithm, content = encrypted.children()
        scheme, pbes2 = algorithm.children()
        derivation, cipher = pbes2.children()
        derivation_kind, pbkdf2 = derivation.children()
        cipher_kind, vector = cipher.children()
        salt, rounds, hmac = pbkdf2.children()  # with a key length, or without the HMAC, it is another way
        kinds = [_oid(scheme), _oid(derivation_kind), _oid(cipher_kind), _oid(hmac.children()[0])]
    except (DerError, IndexError, ValueError):
        return None
    if kinds != [_PBES2, _PBKDF2, _AES_256_CBC, _HMAC_SHA_256] or len(vector.content) != _BLOCK_BYTES:
        return None
    return salt.content, der.decode_integer(rounds), vector.content, content.content


def require_bounded_cost(encrypted: bytes) -> None:
    """Check that deriving the key of an EncryptedPrivateKeyInfo (DER) takes bounded time and memory.

    :raises TooCostly: if it does not.
    :raises ValueError: if that cannot be told.
    """
    try:
        algorithm = der.read(encrypted).children()[0].children()
        parameters = algorithm[1].children()
        if _oid(algorithm[0]) == _PBES2:
            derivation = parameters[0].children()
            if _oid(derivation[0]) == _SCRYPT:
                _require_bounded_scrypt(derivation[1].children())
                return
            parameters = derivation[1].children()
        # PBKDF2 as well as the schemes of PKCS#5 v1.5 and PKCS#12: salt, then rounds.
        rounds = der.decode_integer(parameters[1])
    except (DerError, IndexError) as error:
        raise ValueError("not an EncryptedPrivateKeyInfo") from error
    if rounds > MAX_KEY_ROUNDS:
        raise TooCostly(f"a key derivation of {rounds} rounds")


def _require_bounded_scrypt(parameters: list[Node]) -> None:
    cost, block, parallel = (der.decode_integer(node) for node in parameters[1:4])
    if 128 * cost * block > MAX_KEY_MEMORY_BYTES or cost * block * parallel > MAX_KEY_SCRYPT_WORK:
        raise TooCostly(f"a key derivation with scrypt, N = {cost}, r = {block}, p = {parallel}")


def _oid(node: Node) -> str:
    return der.decode_oid(node.content)
