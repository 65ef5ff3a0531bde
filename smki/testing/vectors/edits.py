"""Ways to spoil a certificate or a list."""

from __future__ import annotations

from collections.abc import Callable

from smki.pki import der
from smki.pki.x509 import Oid, encode_extension, key_identifier
from smki.testing.vectors.world import Edit

VERSION, SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, KEY, EXTENSIONS = range(8)
"""Where the fields of a TBSCertificate stand."""
_ECDSA_SHA384 = der.sequence(der.oid("1.2.840.10045.4.3.3"))
_WITH_NULL = der.sequence(der.oid(Oid.ECDSA_WITH_SHA256), der.element(der.NULL))
UNKNOWN = "1.2.826.0.1.8641679.99.1"
"""An extension that nobody knows."""


def put(at: int, octets: bytes) -> Edit:
    """Another field in that place."""
    return lambda parts: [*parts[:at], octets, *parts[at + 1 :]]


def without(at: int) -> Edit:
    """No field in that place."""
    return lambda parts: [*parts[:at], *parts[at + 1 :]]


def flipped(at: int) -> Edit:
    """The last bit of that element turned over."""
    return lambda parts: [*parts[:at], parts[at][:-1] + bytes((parts[at][-1] ^ 1,)), *parts[at + 1 :]]


def appended(octets: bytes) -> Edit:
    """A field more at the end."""
    return lambda parts: [*parts, octets]


def in_extensions(edit: Edit, at: int = EXTENSIONS) -> Edit:
    """The extensions, each encoded, changed."""

    def change(parts: list[bytes]) -> list[bytes]:
        container = der.read(parts[at])
        extensions = [node.encoded for node in container.inner().children()]
        return [*parts[:at], der.element(container.tag, der.sequence(*edit(extensions))), *parts[at + 1 :]]

    return change


def _is(extension: bytes, oid: str) -> bool:
    return der.oid(oid) in extension[:12]


def dropped(oid: str, at: int = EXTENSIONS) -> Edit:
    """An extension left out."""
    return in_extensions(lambda extensions: [item for item in extensions if not _is(item, oid)], at)


def doubled(oid: str, at: int = EXTENSIONS) -> Edit:
    """An extension twice."""
    return in_extensions(lambda extensions: [*extensions, *(item for item in extensions if _is(item, oid))], at)


def turned(oid: str, at: int = EXTENSIONS) -> Edit:
    """The criticality of an extension turned over."""

    def turn(extension: bytes) -> bytes:
        parts = der.read(extension).children()
        critical = len(parts) == 3
        return encode_extension(oid, parts[-1].content, critical=not critical)

    return in_extensions(lambda extensions: [turn(item) if _is(item, oid) else item for item in extensions], at)


def added(oid: str, value: bytes, *, critical: bool, at: int = EXTENSIONS) -> Edit:
    """An extension more."""
    return in_extensions(lambda extensions: [*extensions, encode_extension(oid, value, critical=critical)], at)


def point(change: Callable[[bytes], bytes]) -> Edit:
    """Another public key in place of the point, with the subjectKeyIdentifier that belongs to it."""

    def edit(parts: list[bytes]) -> list[bytes]:
        algorithm, bits = der.read(parts[KEY]).children()
        octets = change(bits.content[1:])
        identifier = encode_extension(
            Oid.SUBJECT_KEY_IDENTIFIER, der.octet_string(key_identifier(octets)), critical=False
        )
        parts = put(KEY, der.sequence(algorithm.encoded, der.bit_string(octets)))(parts)
        return in_extensions(
            lambda items: [identifier if _is(item, Oid.SUBJECT_KEY_IDENTIFIER) else item for item in items]
        )(parts)

    return edit


def generalized_not_before(parts: list[bytes]) -> list[bytes]:
    """The same notBefore as GeneralizedTime, though it is before 2050."""
    begins, ends = der.read(parts[VALIDITY]).children()
    generalized = der.element(der.GENERALIZED_TIME, b"20", begins.content)
    return put(VALIDITY, der.sequence(generalized, ends.encoded))(parts)


ALGORITHM_SHA384 = put(ALGORITHM, _ECDSA_SHA384)
ALGORITHM_NULL = put(ALGORITHM, _WITH_NULL)
OUTER_NULL = put(1, _WITH_NULL)
OUTER_SHA384 = put(1, _ECDSA_SHA384)


def long_length(parts: list[bytes]) -> list[bytes]:
    """The issuer's length in an octet more than it needs: BER."""
    node = der.read(parts[ISSUER])
    octets = bytes((node.tag, 0x81, node.end - node.body)) + node.content
    return [*parts[:ISSUER], octets, *parts[ISSUER + 1 :]]


def padded_signature(parts: list[bytes]) -> list[bytes]:
    """A signature INTEGER with a needless zero octet: BER, as seen in a published certificate."""
    signature = der.read(parts[2]).content[1:]
    r, s = der.read(signature).children()
    longer = der.sequence(der.element(der.INTEGER, b"\0" + r.content), s.encoded)
    return [*parts[:2], der.bit_string(longer)]
