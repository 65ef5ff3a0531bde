"""PKCS#12 (RFC 7292) files with any number of certificates and their private keys, under a passphrase.

Written here because the available libraries support only one key per file, and a Party has several.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Sequence
from functools import cached_property

from smki.interchange.certificate_with_key import CertificateWithKey
from smki.keys.encryption import KEY_ROUNDS, KeyEncryption
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.problem import Malformed, Problem

MAC_ITERATIONS = KEY_ROUNDS
"""Iterations of the key derivation for the MAC of the file: as many as for the keys in it, because a passphrase could be
guessed with either."""

_SALT_BYTES = 16
_DATA = "1.2.840.113549.1.7.1"
_SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2"
_CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3"
_X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
_FRIENDLY_NAME = "1.2.840.113549.1.9.20"
_LOCAL_KEY_ID = "1.2.840.113549.1.9.21"
_SHA_256 = "2.16.840.1.101.3.4.2.1"
_BMP_STRING = 0x1E


class Pkcs12Encryption(KeyEncryption):
    """Encrypts the private keys of PKCS#12 files with one passphrase, and derives the key of their MAC, each only once."""

    @cached_property
    def mac(self) -> tuple[bytes, bytes]:
        """Salt and key of the MAC."""
        salt = os.urandom(_SALT_BYTES)
        password = self.passphrase.decode("utf-8", "replace").encode("utf-16-be") + b"\0\0"
        return salt, _derive(password, salt, MAC_ITERATIONS)


def pkcs12(
    pairs: Iterable[CertificateWithKey], passphrase: bytes | Pkcs12Encryption, chain: Sequence[Certificate] = ()
) -> bytes:
    """Return a PKCS#12 file (DER). A certificate and its encrypted private key (PBES2) have the same name and key id.

    :param pairs: at least one; for those without a private key, only the certificate is included.
    :param passphrase: UTF-8, not empty; for several files as a :class:`Pkcs12Encryption`.
    :param chain: additional certificates of authorities.
    :raises Malformed: if *pairs* or *passphrase* is empty.
    """
    held = list(pairs)
    if not held or not passphrase:
        seen = "no certificate" if not held else "an empty passphrase"
        raise Malformed(
            Problem(code="pkcs12.nothing", subject="PKCS#12", seen=seen, expected="a certificate and a passphrase")
        )
    encryption = passphrase if isinstance(passphrase, Pkcs12Encryption) else Pkcs12Encryption(passphrase)
    keys, certificates = [], []
    for pair in held:
        identity = _attributes(pair.name, pair.certificate.sha256 if pair.key else None)
        if pair.key is not None:
            keys.append(_bag(_SHROUDED_KEY_BAG, encryption.encrypt(pair.key), identity))
        certificates.append(_bag(_CERTIFICATE_BAG, _certificate(pair.certificate), identity))
    for authority in chain:
        certificates.append(_bag(_CERTIFICATE_BAG, _certificate(authority), _attributes("", None)))
    contents = [_data(der.sequence(*bags)) for bags in (keys, certificates) if bags]
    safe = der.sequence(*contents)
    return der.sequence(der.integer(3), _data(safe), _mac(safe, encryption))


def _data(content: bytes) -> bytes:
    return der.sequence(der.oid(_DATA), der.explicit(0, der.octet_string(content)))


def _bag(kind: str, value: bytes, attributes: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.explicit(0, value), attributes)


def _certificate(certificate: Certificate) -> bytes:
    return der.sequence(der.oid(_X509_CERTIFICATE), der.explicit(0, der.octet_string(certificate.der)))


def _attributes(name: str, key_id: bytes | None) -> bytes:
    found = []
    if name:
        found.append(_attribute(_FRIENDLY_NAME, der.element(_BMP_STRING, _bmp(name))))
    if key_id is not None:
        found.append(_attribute(_LOCAL_KEY_ID, der.octet_string(key_id)))
    return der.set_of(*found) if found else b""


def _attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.set_of(value))


def _bmp(text: str) -> bytes:
    # BMPString only supports characters in the first plane.
    return "".join(character if character <= "\uffff" else "?" for character in text).encode("utf-16-be", "replace")


def _mac(content: bytes, encryption: Pkcs12Encryption) -> bytes:
    salt, key = encryption.mac
    digest = hmac.digest(key, content, "sha256")
    algorithm = der.sequence(der.oid(_SHA_256), der.element(0x05))
    info = der.sequence(algorithm, der.octet_string(digest))
    return der.sequence(info, der.octet_string(salt), der.integer(MAC_ITERATIONS))


def _derive(passphrase: bytes, salt: bytes, iterations: int) -> bytes:
    """Derive the key for the MAC, 32 bytes (RFC 7292 Appendix B.2, with SHA-256: u = 32, v = 64, ID = 3)."""
    block = 64
    mixed = b"\x03" * block + _repeated(salt, block) + _repeated(passphrase, block)
    digest = hashlib.sha256(mixed).digest()
    for _ in range(iterations - 1):
        digest = hashlib.sha256(digest).digest()
    return digest


def _repeated(encoded: bytes, block: int) -> bytes:
    length = block * -(-len(encoded) // block)
    return (encoded * (length // len(encoded) + 1))[:length]
