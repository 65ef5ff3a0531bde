"""Checks of public keys, algorithm identifiers and signatures."""

from __future__ import annotations

from functools import lru_cache

from smki.pki import der
from smki.pki.der import DerError, IntegerTooLong, Node
from smki.pki.oid import Oid, oid_name
from smki.pki.x509 import ECDSA_WITH_SHA256_ALGORITHM, is_on_p256, p256_point, signature_verifies
from smki.profile.catalogue import Report
from smki.profile.check_bytes import check_bytes
from smki.profile.forms import Algorithm, PublicKey

_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def check_algorithm(report: Report, node: Node | None, form: Algorithm, location: str) -> None:
    """Report an AlgorithmIdentifier that is not the profile's, or has parameters."""
    if node is None or node.encoded == _algorithm(form.oid):
        return
    try:
        parts = node.children()
        oid = der.decode_oid(parts[0].content)
    except (DerError, IndexError):
        report("signature-algorithm.wrong", location, node.content.hex() or "nothing")
        return
    if oid != form.oid or parts[0].tag != der.OBJECT_IDENTIFIER:
        report("signature-algorithm.wrong", location, oid_name(oid), str(form))
    elif len(parts) > 1:
        report("signature-algorithm.parameters", location, ", ".join(der.tag_name(part.tag) for part in parts[1:]))


@lru_cache(maxsize=8)
def _algorithm(oid: str) -> bytes:
    return der.sequence(der.oid(oid))


def check_same_algorithm(report: Report, inner: Node | None, outer: Node | None) -> None:
    """Report an algorithm outside the signed part that differs from the one inside."""
    if inner is not None and outer is not None and inner.content != outer.content:
        report("signature-algorithm.mismatch", "signatureAlgorithm", outer.content.hex(), inner.content.hex())


def check_public_key(report: Report, node: Node | None, form: PublicKey, location: str) -> None:
    """Report a SubjectPublicKeyInfo that is not an uncompressed point on the profile's curve."""
    if node is None:
        return
    point = p256_point(node.encoded)
    if point is not None and form.curve == Oid.P256 and form.point_bytes == len(point) and is_on_p256(point):
        return
    try:
        algorithm, key = node.children()
        if algorithm.tag != der.SEQUENCE:
            raise DerError(der.tag_name(algorithm.tag), algorithm.start)
        oid = der.decode_oid(algorithm.children()[0].content)
    except (DerError, ValueError, IndexError):
        report("public-key.malformed", location, node.content[:32].hex() or "nothing")
        return
    if oid != Oid.EC_PUBLIC_KEY:
        size = f", {(key.end - key.body) * 8} bits encoded" if key.tag == der.BIT_STRING else ""
        report("public-key.algorithm", f"{location}.algorithm", oid_name(oid) + size)
        return
    if algorithm.content != der.oid(Oid.EC_PUBLIC_KEY) + der.oid(form.curve):
        report("public-key.curve", f"{location}.algorithm.parameters", _curve(algorithm), oid_name(form.curve))
        return
    if key.tag != der.BIT_STRING or key.content[:1] != b"\0":
        report("public-key.malformed", f"{location}.subjectPublicKey", key.encoded[:4].hex())
        return
    _check_point(report, key.content[1:], form, f"{location}.subjectPublicKey")


def public_key_bits(node: Node | None) -> bytes | None:
    """Return the bytes of subjectPublicKey, for any kind of key; None if they cannot be read."""
    if node is None:
        return None
    try:
        key = node.children()[-1]
    except (DerError, IndexError):
        return None
    return key.content[1:] if key.tag == der.BIT_STRING else None


def _curve(algorithm: Node) -> str:
    try:
        parameters = algorithm.children()[1:]
        if len(parameters) == 1 and parameters[0].tag == der.OBJECT_IDENTIFIER:
            return oid_name(der.decode_oid(parameters[0].content))
        return "explicit parameters" if parameters and parameters[0].tag == der.SEQUENCE else "no named curve"
    except DerError as error:
        return str(error)


def _check_point(report: Report, point: bytes, form: PublicKey, location: str) -> None:
    if point[:1] in (b"\x02", b"\x03"):
        report("public-key.point-form", location, f"a compressed point ({point[0]:02x}), {len(point)} bytes")
    elif point[:1] != b"\x04":
        report("public-key.point-form", location, f"a point that begins {point[:1].hex() or 'with nothing'}")
    elif len(point) != form.point_bytes:
        report("public-key.point-length", location, f"{len(point)} bytes", f"{form.point_bytes} bytes")
    elif not is_on_p256(point):
        report("public-key.not-on-curve", location, f"X = {point[1:33].hex()}, Y = {point[33:].hex()}")


def check_signature_form(report: Report, node: Node | None, location: str) -> bool:
    """Report a signature BIT STRING that does not contain an Ecdsa-Sig-Value with r and s in range.

    Its encoding is checked too, because OpenSSL and most other libraries require DER there.

    :returns: whether it is a signature that can be verified.
    """
    if node is None:
        return False
    try:
        if node.content[:1] != b"\0":
            raise DerError("unused bits", node.body)
        value = der.read(node.data, node.body + 1, node.end)
        parts = value.children() if value.tag == der.SEQUENCE and value.end == node.end else []
    except DerError as error:
        report("signature.malformed", location, str(error))
        return False
    if [part.tag for part in parts] != [der.INTEGER, der.INTEGER]:
        report("signature.malformed", location, node.content[:8].hex())
        return False
    check_bytes(report, value, lambda offset: f"{location} (byte {offset})")
    is_signature = True
    for name, part in zip("rs", parts, strict=True):
        try:
            number = der.decode_integer(part)
            seen = "zero" if not number else f"{number:x}"
        except IntegerTooLong as error:
            number, seen = -1, error.reason
        if not 0 < number < _N:
            is_signature = False
            report("signature.out-of-range", f"{location}.{name}", seen)
    return is_signature


def signature_holds(point: bytes, signature: Node, signed: bytes) -> bool:
    """Return whether a signature BIT STRING was made over *signed* by the key with that point; BER is accepted."""
    return signature_verifies(point, minimal_signature(signature.content[1:]), signed)


def can_be_judged(algorithm: Node | None) -> bool:
    """Return whether a signature algorithm is ecdsa-with-SHA256: others are reported and not verified."""
    if algorithm is None or algorithm.encoded == ECDSA_WITH_SHA256_ALGORITHM:
        return True
    try:
        return algorithm.children()[0].encoded == der.oid(Oid.ECDSA_WITH_SHA256)
    except (DerError, IndexError):
        return False


def minimal_signature(signature: bytes) -> bytes:
    """Return an Ecdsa-Sig-Value with its INTEGERs in the fewest bytes, as verification libraries require.

    A valid signature in BER is then reported for its encoding only.
    """
    try:
        r, s = der.read(signature).children()
        return der.sequence(*(der.integer(der.decode_integer(part)) for part in (r, s)))
    except (DerError, ValueError):
        return signature
