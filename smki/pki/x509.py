"""Structures shared by certificates, certification requests and revocation lists (RFC 5280, RFC 2986)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from smki.pki import der
from smki.pki.bounds import MAX_BYTES, MAX_EXTENSIONS, MAX_NAME_ATTRIBUTES, MAX_NAME_BYTES
from smki.pki.der import DerError, Node, TooLarge, TooMany
from smki.pki.oid import Oid, oid_name
from smki.problem import Malformed, Problem
from smki.sec.role import KeyUsage

ECDSA_WITH_SHA256_ALGORITHM = der.sequence(der.oid(Oid.ECDSA_WITH_SHA256))
"""AlgorithmIdentifier of every signature, parameters absent (RFC 5758 3.2)."""

P256_KEY_ALGORITHM = der.sequence(der.oid(Oid.EC_PUBLIC_KEY), der.oid(Oid.P256))
"""AlgorithmIdentifier of every subject key (RFC 5480 2.1.1)."""

P256_KEY_INFO = bytes.fromhex("3059") + P256_KEY_ALGORITHM + bytes.fromhex("034200")
"""The bytes with which the SubjectPublicKeyInfo of every uncompressed P-256 key begins; the point follows."""
P256_KEY_INFO_BYTES = len(P256_KEY_INFO) + 65

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_CURVE = ec.SECP256R1()
_ECDSA = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a distinguished name."""

    oid: str
    tag: int
    """Identifier byte of the value, which tells the string type."""
    content: bytes
    """Content bytes of the value."""

    @property
    def text(self) -> str:
        """Return the value as text, or as hexadecimal if it is not text (x500UniqueIdentifier)."""
        try:
            return der.decode_text(Node(self.content, self.tag, 0, 0, len(self.content)))
        except DerError:
            return self.content.hex().upper()


Name = tuple[tuple[Attribute, ...], ...]
"""A distinguished name: RDNs in order, each a tuple of attributes."""


def parse_name(encoded: bytes) -> Name:
    """Parse an encoded Name (RFC 5280 4.1.2.4).

    :raises DerError: if it is not a SEQUENCE of SETs of attributes, or exceeds the limits on names.
    """
    if len(encoded) > MAX_NAME_BYTES:
        # Checked before the cache, so that nothing too large is cached.
        raise TooLarge(f"a name of {len(encoded)} bytes where at most {MAX_NAME_BYTES} are read", 0)
    return _parse_name(encoded)


@lru_cache(maxsize=2048)
def _parse_name(encoded: bytes) -> Name:
    name = der.read(encoded)
    if name.tag != der.SEQUENCE or name.end != len(encoded):
        raise DerError("not a Name", 0)
    parsed = tuple(tuple(_attribute(item) for item in _members(rdn)) for rdn in name.children())
    if sum(map(len, parsed)) > MAX_NAME_ATTRIBUTES:
        raise TooMany(f"a name of more than {MAX_NAME_ATTRIBUTES} attributes", 0)
    return parsed


def _members(rdn: Node) -> list[Node]:
    if rdn.tag != der.SET or rdn.body == rdn.end:
        raise DerError("a relative name that is not a SET of at least one attribute", rdn.start)
    return rdn.children()


def _attribute(node: Node) -> Attribute:
    parts = node.children() if node.tag == der.SEQUENCE else []
    if len(parts) != 2 or parts[0].tag != der.OBJECT_IDENTIFIER:
        raise DerError("an attribute that is not a type and a value", node.start)
    return Attribute(der.decode_oid(parts[0].content), parts[1].tag, parts[1].content)


def name_text(encoded: bytes) -> str:
    """Return a Name for people: ``OU=07, CN=Z1``; ``(empty)`` for the empty one."""
    # The names of authorities are written again and again; nothing too large is cached.
    return _name_text(encoded) if len(encoded) <= MAX_NAME_BYTES else "(unreadable)"


@lru_cache(maxsize=2048)
def _name_text(encoded: bytes) -> str:
    short = {Oid.COMMON_NAME: "CN", Oid.ORGANIZATIONAL_UNIT_NAME: "OU", "2.5.4.10": "O", "2.5.4.6": "C"}
    try:
        rdns = parse_name(encoded)
    except DerError:
        return "(unreadable)"
    texts = []
    for rdn in rdns:
        for attribute in rdn:
            value = attribute.text
            if attribute.oid == Oid.X500_UNIQUE_IDENTIFIER and attribute.tag == der.BIT_STRING:
                value = attribute.content[1:].hex("-").upper()
            texts.append(f"{short.get(attribute.oid, oid_name(attribute.oid))}={value}")
    return ", ".join(texts) or "(empty)"


def issuer_of(data: bytes) -> bytes | None:
    """Return the issuer's Name (DER) in a certificate or revocation list without reading the rest; None if absent."""
    try:
        (first,) = der.first_children(der.read(data), 1)
        # version (optional), serial number (certificates), signature, issuer
        parts = der.first_children(first, 4)
    except (DerError, ValueError):
        return None
    names = [part for part in parts if part.tag == der.SEQUENCE]
    return names[1].encoded if len(names) > 1 else None


def attribute_of(name: Name, oid: str) -> Attribute | None:
    """Return the first attribute of that type, or None."""
    return next((attribute for rdn in name for attribute in rdn if attribute.oid == oid), None)


def encode_attribute(oid: str, value: bytes) -> bytes:
    """Return a relative distinguished name with one attribute, whose value is already encoded."""
    return der.set_of(der.sequence(der.oid(oid), value))


@lru_cache(maxsize=256)
def encode_extension(oid: str, value: bytes, *, critical: bool) -> bytes:
    """Return an Extension (DER); critical is omitted if false, which is its default (X.690 11.5)."""
    flag = der.boolean(True) if critical else b""
    return der.sequence(der.oid(oid), flag, der.octet_string(value))


@dataclass(slots=True)
class ExtensionNode:
    """One extension as found in a certificate, a request or a list."""

    oid: str
    node: Node
    critical_node: Node | None
    value: Node
    """The extnValue OCTET STRING."""

    @property
    def critical(self) -> bool:
        """Whether it is marked critical; as in BER, any byte but 0 means true."""
        return self.critical_node is not None and self.critical_node.content != b"\x00"

    @property
    def name(self) -> str:
        """Its name, such as ``keyUsage``; the dotted form if unknown."""
        return oid_name(self.oid)


@dataclass(frozen=True, slots=True)
class StructureFault:
    """Something that prevented part of a structure from being read."""

    code: str
    location: str
    seen: str
    expected: str = ""


def unreadable(faults: list[StructureFault], clause: str) -> Malformed:
    """Return the error for a structure that cannot be read, with a problem for each fault.

    :param clause: the clause that defines the structure.
    """
    return Malformed(
        *(
            Problem(
                code=fault.code,
                subject=fault.location,
                seen=fault.seen,
                expected=fault.expected,
                clause=clause,
                remedy="Run smki lint on it to see everything that is wrong.",
            )
            for fault in faults
        )
    )


def read_extensions(container: Node, location: str, faults: list[StructureFault]) -> list[ExtensionNode]:
    """Return the extensions in an ``Extensions`` SEQUENCE; unreadable or excess ones become faults."""
    extensions: list[ExtensionNode] = []
    try:
        if container.tag != der.SEQUENCE:
            raise DerError(f"{der.tag_name(container.tag)} where a SEQUENCE of extensions should be", container.start)
        nodes = bounded_children(container, MAX_EXTENSIONS, "extensions")
    except TooMany as error:
        faults.append(StructureFault("der.too-many", location, str(error), f"at most {MAX_EXTENSIONS} extensions"))
        return extensions
    except DerError as error:
        faults.append(StructureFault("structure.extensions", location, str(error), "a SEQUENCE of Extension"))
        return extensions
    for index, node in enumerate(nodes):
        try:
            extensions.append(_extension(node))
        except DerError as error:
            faults.append(
                StructureFault(
                    "structure.extension", f"{location}[{index}]", str(error), "an extnID, critical, extnValue"
                )
            )
    return extensions


def _extension(node: Node) -> ExtensionNode:
    # One more than expected, to detect extra elements; an extension of a list, which may be large, can have many.
    parts = first_or_all_children(node, 4) if node.tag == der.SEQUENCE else []
    if parts and parts[0].tag == der.OBJECT_IDENTIFIER and parts[-1].tag == der.OCTET_STRING:
        if len(parts) == 2:
            return ExtensionNode(der.decode_oid(parts[0].content), node, None, parts[1])
        if len(parts) == 3 and parts[1].tag == der.BOOLEAN:
            return ExtensionNode(der.decode_oid(parts[0].content), node, parts[1], parts[2])
    found = ", ".join(der.tag_name(part.tag) for part in parts) or der.tag_name(node.tag)
    raise DerError(f"an extension made of {found}", node.start)


def key_usages(content: bytes) -> frozenset[KeyUsage]:
    """Return the usages in the content bytes of a keyUsage BIT STRING; the number of unused bits is ignored."""
    # The usages are in the first nine bits; the rest is cut off so that nothing large is cached.
    return _key_usages(content if len(content) <= 3 else b"\0" + content[1:3])


@lru_cache(maxsize=256)
def _key_usages(content: bytes) -> frozenset[KeyUsage]:
    size = (len(content) - 1) * 8 - content[0] if content else 0
    return frozenset(
        usage for usage in KeyUsage if usage.value < size and content[1 + usage.value // 8] & 0x80 >> usage.value % 8
    )


def key_usage_bit_string(*usages: KeyUsage) -> bytes:
    """Return a keyUsage BIT STRING without trailing zero bits (X.690 11.2.2)."""
    bits = 0
    for usage in usages:
        bits |= 0x8000 >> usage.value
    content_bytes = bits.to_bytes(2, "big").rstrip(b"\0")
    unused = (content_bytes[-1] & -content_bytes[-1]).bit_length() - 1 if content_bytes else 0
    return der.bit_string(content_bytes, unused)


def key_identifier(point: bytes) -> bytes:
    """Return the 8-byte key identifier of a public key, RFC 5280 4.2.1.2 method (2).

    The nibble 0100, then the low 60 bits of SHA-1 over the subjectPublicKey bits.
    """
    digest = hashlib.sha1(point, usedforsecurity=False).digest()
    return bytes((0x40 | digest[12] & 0x0F,)) + digest[13:]


def encode_public_key(point: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo (91 bytes) of an uncompressed P-256 point (65 bytes)."""
    return P256_KEY_INFO + point


def is_on_p256(point: bytes) -> bool:
    """Return whether 65 bytes 04 || X || Y are a point on the curve P-256."""
    if len(point) != 65 or point[0] != 4:
        return False
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return x < _P and y < _P and (y * y - x * x * x + 3 * x - _B) % _P == 0


def p256_point(public_key_info: bytes) -> bytes | None:
    """Return the 65-byte point in a SubjectPublicKeyInfo that meets the profile, else None."""
    if len(public_key_info) == 91 and public_key_info.startswith(P256_KEY_INFO) and public_key_info[26] == 4:
        return public_key_info[26:]
    return None


def signature_verifies(point: bytes, signature: bytes, signed: bytes) -> bool:
    """Return whether *signature* (Ecdsa-Sig-Value, DER) over *signed* verifies under the key with that point (65
    bytes)."""
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
        key.verify(signature, signed, _ECDSA)
    except (ValueError, InvalidSignature):
        return False
    return True


def verifying_key(point: bytes) -> Callable[[bytes, bytes], bool]:
    """Return :func:`signature_verifies` for one point, for many signatures: making the key takes as long as a third of a
    verification. It returns False for every signature if there is no such point.
    """
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
    except ValueError:
        return lambda signature, signed: False

    def verifies(signature: bytes, signed: bytes) -> bool:
        try:
            key.verify(signature, signed, _ECDSA)
        except (ValueError, InvalidSignature):
            return False
        return True

    return verifies


def first_or_all_children(node: Node, count: int) -> list[Node]:
    """Return the elements inside a constructed one: all of a small one, the first *count* of a large one.

    :raises DerError: if these are not elements.
    """
    # children() is faster and caches its result for later checks of the elements.
    return node.children() if node.end - node.body <= MAX_BYTES else der.first_children(node, count)


def bounded_children(node: Node, maximum: int, what: str) -> list[Node]:
    """Return the elements inside a constructed one, which must not be too many.

    :param what: the plural noun for them in the error.
    :raises TooMany: if there are more than *maximum*.
    :raises DerError: if they are not elements.
    """
    children = first_or_all_children(node, maximum + 1)
    if len(children) > maximum:
        raise TooMany(f"more than {maximum} {what}", node.start)
    return children


def hardware_module_name(subject_alt_name: bytes) -> tuple[str, bytes]:
    """Return hwType (dotted) and hwSerialNum (bytes) from the DER of a subjectAltName with one HardwareModuleName.

    :raises DerError: if it contains anything else (RFC 4108 5), or exceeds the limits on names.
    """
    if len(subject_alt_name) > MAX_NAME_BYTES:
        # Checked before the cache, so that nothing too large is cached.
        raise TooLarge(f"a name of {len(subject_alt_name)} bytes where at most {MAX_NAME_BYTES} are read", 0)
    return _hardware_module_name(subject_alt_name)


@lru_cache(maxsize=1024)
def _hardware_module_name(subject_alt_name: bytes) -> tuple[str, bytes]:
    names = der.read(subject_alt_name)
    if names.tag != der.SEQUENCE or names.end != len(subject_alt_name):
        raise DerError("not a SEQUENCE of names", 0)
    (general_name, *others) = names.children() or [names]
    if others:
        raise DerError(f"{len(others) + 1} names", names.start)
    if general_name.tag != 0xA0:
        raise DerError(f"a name of type {der.tag_name(general_name.tag)}, not an otherName [0]", general_name.start)
    type_id, value = _two(general_name)
    if der.decode_oid(type_id.content) != Oid.HARDWARE_MODULE_NAME:
        raise DerError(f"an otherName of type {der.decode_oid(type_id.content)}", type_id.start)
    hardware_type, serial = _two(value.inner())
    if hardware_type.tag != der.OBJECT_IDENTIFIER or serial.tag != der.OCTET_STRING:
        raise DerError("not an OBJECT IDENTIFIER and an OCTET STRING", hardware_type.start)
    return der.decode_oid(hardware_type.content), serial.content


def _two(node: Node) -> tuple[Node, Node]:
    parts = node.children()
    if len(parts) != 2:
        raise DerError(f"{len(parts)} elements where two should be", node.start)
    return parts[0], parts[1]
