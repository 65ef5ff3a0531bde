"""Defects of algorithm identifiers, keys, names and validity in end-entity certificates."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.x509 import P256_KEY_ALGORITHM, encode_public_key
from smki.testing.defects.catalogue import defect
from smki.testing.defects.edits import (
    also,
    put,
    subject_key,
)
from smki.testing.defects.expected import Openssl
from smki.testing.defects.sample_pki import Base, SamplePki
from smki.testing.defects.signer import ECDSA_WITH_SHA384_ALGORITHM

_D, _O = Base.DEVICE, Base.ORGANISATION
_S, _B, _X = Openssl.SEES, Openssl.BLIND, Openssl.CANNOT_PARSE

_WITH_NULL = der.sequence(der.oid(Oid.ECDSA_WITH_SHA256), der.element(der.NULL))

ALGORITHMS = (
    defect(
        _D,
        "algorithm-sha384",
        "ecdsa-with-SHA384, said and done",
        put(algorithm=ECDSA_WITH_SHA384_ALGORITHM, outer_algorithm=ECDSA_WITH_SHA384_ALGORITHM),
        "signature-algorithm.wrong",
        _B,
    ),
    defect(
        _D,
        "algorithm-null",
        "NULL parameters in both algorithm identifiers",
        put(algorithm=_WITH_NULL, outer_algorithm=_WITH_NULL),
        "signature-algorithm.parameters",
        _B,
    ),
    defect(
        _D,
        "algorithm-null-inside",
        "NULL parameters in the signed algorithm identifier",
        put(algorithm=_WITH_NULL),
        "signature-algorithm.parameters signature-algorithm.mismatch",
        _S,
    ),
    defect(
        _D,
        "algorithm-null-outside",
        "NULL parameters in the algorithm identifier outside",
        put(outer_algorithm=_WITH_NULL),
        "signature-algorithm.parameters signature-algorithm.mismatch",
        _S,
    ),
    defect(
        _D,
        "algorithm-not-the-same",
        "ecdsa-with-SHA384 inside, ecdsa-with-SHA256 outside",
        put(algorithm=ECDSA_WITH_SHA384_ALGORITHM),
        "signature-algorithm.wrong signature-algorithm.mismatch",
        _S,
    ),
)


def _key_info(algorithm: bytes, bits: bytes) -> bytes:
    return der.sequence(algorithm, der.bit_string(bits))


def p384_key(pki: SamplePki) -> bytes:
    # Derived from the private number of the good key, so that a seed always makes the same key.
    number = pki.key(Base.DEVICE.value).private_numbers().private_value
    key = ec.derive_private_key(number, ec.SECP384R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def rsa_key(pki: SamplePki) -> bytes:
    # Not a product of two primes: it only has to look like a modulus, because nobody needs the private key.
    point = pki.point(Base.DEVICE.value)
    modulus = int.from_bytes(b"\xc0" + (point * 4)[:254] + b"\x01", "big")
    algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.element(der.NULL))
    return _key_info(algorithm, der.sequence(der.integer(modulus), der.integer(65537)))


def _explicit_curve(pki: SamplePki) -> bytes:
    p = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    generator = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    parameters = der.sequence(
        der.integer(1),
        der.sequence(der.oid("1.2.840.10045.1.1"), der.integer(p)),
        der.sequence(der.octet_string((p - 3).to_bytes(32, "big")), der.octet_string(b.to_bytes(32, "big"))),
        der.octet_string(generator.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
        der.integer(n),
        der.integer(1),
    )
    return _key_info(der.sequence(der.oid(Oid.EC_PUBLIC_KEY), parameters), pki.point(Base.DEVICE.value))


def _ecdh(pki: SamplePki) -> bytes:
    return _key_info(der.sequence(der.oid("1.3.132.1.12"), der.oid(Oid.P256)), pki.point(Base.DEVICE.value))


def compressed_key(pki: SamplePki) -> bytes:
    point = pki.point(Base.DEVICE.value)
    return _key_info(P256_KEY_ALGORITHM, bytes((2 + (point[-1] & 1),)) + point[1:33])


def _hybrid(pki: SamplePki) -> bytes:
    point = pki.point(Base.DEVICE.value)
    return _key_info(P256_KEY_ALGORITHM, bytes((6 + (point[-1] & 1),)) + point[1:])


def off_the_curve_key(pki: SamplePki) -> bytes:
    point = pki.point(Base.DEVICE.value)
    return encode_public_key(point[:-1] + bytes((point[-1] ^ 1,)))


def _short_point(pki: SamplePki) -> bytes:
    return _key_info(P256_KEY_ALGORITHM, pki.point(Base.DEVICE.value)[:-1])


def _three_elements(pki: SamplePki) -> bytes:
    return also(der.integer(1))(encode_public_key(pki.point(Base.DEVICE.value)))


PUBLIC_KEYS = (
    defect(_D, "key-p384", "a key on P-384", subject_key(p384_key), "public-key.curve", _B),
    defect(
        _D,
        "key-explicit-curve",
        "a P-256 key with explicit curve parameters",
        subject_key(_explicit_curve),
        "public-key.curve",
        _S,
    ),
    defect(_D, "key-rsa", "an RSA key of 2,048 bits", subject_key(rsa_key), "public-key.algorithm", _B),
    defect(_D, "key-ecdh", "a key restricted to ECDH (id-ecDH)", subject_key(_ecdh), "public-key.algorithm", _S),
    defect(_D, "key-compressed", "a compressed point", subject_key(compressed_key), "public-key.point-form", _B),
    defect(_D, "key-hybrid", "a point in hybrid form", subject_key(_hybrid), "public-key.point-form", _B),
    defect(_D, "key-point-short", "a point of 64 bytes", subject_key(_short_point), "public-key.point-length", _S),
    defect(
        _D,
        "key-off-the-curve",
        "a point that is not on the curve",
        subject_key(off_the_curve_key),
        "public-key.not-on-curve",
        _S,
    ),
    defect(
        _D,
        "key-at-infinity",
        "the point at infinity",
        subject_key(_key_info(P256_KEY_ALGORITHM, b"\0")),
        "public-key.point-form",
        _B,
    ),
    defect(
        _D,
        "key-of-three-elements",
        "a subjectPublicKeyInfo with an element after the key",
        put(public_key=_three_elements),
        "public-key.malformed",
        _X,
    ),
)
