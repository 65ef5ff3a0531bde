"""Checks of public keys, algorithm identifiers and signatures."""

from __future__ import annotations

from smki import der
from smki.der import DerError, Node
from smki.profile.catalogue import Report
from smki.x509 import (
    ECDSA_WITH_SHA256_ALGORITHM,
    P256_KEY_ALGORITHM,
    Oid,
    is_on_p256,
    oid_name,
    p256_point,
)

_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def check_algorithm(report: Report, node: Node | None, location: str) -> None:
    """Report an AlgorithmIdentifier that is not ecdsa-with-SHA256 without parameters."""
    if node is None or node.encoded == ECDSA_WITH_SHA256_ALGORITHM:
        return
    try:
        parts = node.children()
        oid = der.decode_oid(parts[0].content)
    except (DerError, IndexError):
        report("signature-algorithm.wrong", location, node.content.hex() or "nothing")
        return
    if oid != Oid.ECDSA_WITH_SHA256:
        report("signature-algorithm.wrong", location, oid_name(oid))
    elif len(parts) > 1:
        report("signature-algorithm.parameters", location, ", ".join(der.tag_name(part.tag) for part in parts[1:]))


def check_public_key(report: Report, node: Node | None, location: str) -> None:
    """Report a SubjectPublicKeyInfo that is not an uncompressed point of P-256."""
    if node is None:
        return
    point = p256_point(node.encoded)
    if point is not None and is_on_p256(point):
        return
    try:
        algorithm, key = node.children()
        oid = der.decode_oid(algorithm.children()[0].content)
    except (DerError, ValueError, IndexError):
        report("public-key.malformed", location, node.content[:32].hex() or "nothing")
        return
    if oid != Oid.EC_PUBLIC_KEY:
        size = f", {(key.end - key.body) * 8} bits encoded" if key.tag == der.BIT_STRING else ""
        report("public-key.algorithm", f"{location}.algorithm", oid_name(oid) + size)
        return
    if algorithm.encoded != P256_KEY_ALGORITHM:
        report("public-key.curve", f"{location}.algorithm.parameters", _curve(algorithm))
        return
    if key.tag != der.BIT_STRING or key.content[:1] != b"\0":
        report("public-key.malformed", f"{location}.subjectPublicKey", key.encoded[:4].hex())
        return
    _check_point(report, key.content[1:], f"{location}.subjectPublicKey")


def _curve(algorithm: Node) -> str:
    try:
        parameters = algorithm.children()[1:]
        if len(parameters) == 1 and parameters[0].tag == der.OBJECT_IDENTIFIER:
            return oid_name(der.decode_oid(parameters[0].content))
        return "explicit parameters" if parameters and parameters[0].tag == der.SEQUENCE else "no named curve"
    except DerError as error:
        return str(error)


def _check_point(report: Report, point: bytes, location: str) -> None:
    if point[:1] in (b"\x02", b"\x03"):
        report("public-key.point-form", location, f"a compressed point ({point[0]:02x}), {len(point)} octets")
    elif point[:1] != b"\x04":
        report("public-key.point-form", location, f"a point that begins {point[:1].hex() or 'with nothing'}")
    elif len(point) != 65:
        report("public-key.point-length", location, f"{len(point)} octets")
    elif not is_on_p256(point):
        report("public-key.not-on-curve", location, f"X = {point[1:33].hex()}, Y = {point[33:].hex()}")


def check_signature_form(report: Report, node: Node | None, location: str) -> None:
    """Report a signature BIT STRING that does not hold an Ecdsa-Sig-Value with r and s in range.

    Its INTEGERs are checked for minimal encoding too, which OpenSSL and most others do.
    """
    if node is None:
        return
    try:
        if node.content[:1] != b"\0":
            raise DerError("unused bits", node.body)
        value = der.read(node.data, node.body + 1, node.end)
        parts = value.children() if value.tag == der.SEQUENCE and value.end == node.end else []
    except DerError as error:
        report("signature.malformed", location, str(error))
        return
    if [part.tag for part in parts] != [der.INTEGER, der.INTEGER] or not value.has_minimal_length:
        report("signature.malformed", location, node.content[:8].hex())
        return
    for name, part in zip("rs", parts, strict=True):
        content = part.content
        number = int.from_bytes(content, "big", signed=True)
        if content != der.integer_content(number) or not part.has_minimal_length:
            report(
                "der.integer-not-minimal", f"{location}.{name}", f"{len(content)} octets beginning {content[:2].hex()}"
            )
        if not 0 < number < _N:
            report("signature.out-of-range", f"{location}.{name}", "nought" if not number else f"{number:x}")


def minimal_signature(signature: bytes) -> bytes:
    """An Ecdsa-Sig-Value with its INTEGERs in the fewest octets, which verification libraries insist on.

    So that a signature that is right but encoded in BER is found guilty of its encoding alone.
    """
    try:
        r, s = der.read(signature).children()
    except (DerError, ValueError):
        return signature
    return der.sequence(*(der.integer(int.from_bytes(part.content, "big", signed=True)) for part in (r, s)))
