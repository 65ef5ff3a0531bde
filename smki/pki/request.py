"""Certification requests (PKCS#10, RFC 2986): parsing, reading and creation."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smki.identity import EntityIdentifier
from smki.pki import der
from smki.pki.bounds import MAX_ATTRIBUTE_VALUES, MAX_BYTES, MAX_REQUEST_ATTRIBUTES
from smki.pki.certificate import too_large
from smki.pki.der import DerError, Node, TooMany
from smki.pki.oid import Oid
from smki.pki.pem import decode_input
from smki.pki.x509 import (
    ECDSA_WITH_SHA256_ALGORITHM,
    Attribute,
    ExtensionNode,
    StructureFault,
    attribute_of,
    bounded_children,
    encode_attribute,
    encode_extension,
    encode_public_key,
    hardware_module_name,
    key_usage_bit_string,
    key_usages,
    p256_point,
    parse_name,
    read_extensions,
    signature_verifies,
)
from smki.problem import Malformed, Problem
from smki.sec.role import KeyUsage, RemotePartyRole

PEM_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")

HARDWARE_TYPE = "1.2.826.0.1.8641679.1.2.2.1"
"""hwType in the Device requests made here, as in the published Device Certificates; readers ignore it."""


@dataclass(slots=True)
class RequestStructure:
    """A certification request parsed as far as possible; parts that are missing or unreadable are None."""

    data: bytes
    faults: list[StructureFault] = field(default_factory=list)
    outer: Node | None = None
    info: Node | None = None
    version: Node | None = None
    subject: Node | None = None
    public_key: Node | None = None
    attributes: Node | None = None
    extensions: list[ExtensionNode] = field(default_factory=list)
    algorithm: Node | None = None
    signature: Node | None = None

    def extension(self, oid: str) -> ExtensionNode | None:
        """Return the first requested extension with that object identifier, or None."""
        for extension in self.extensions:
            if extension.oid == oid:
                return extension
        return None


def read_request(data: bytes) -> RequestStructure:
    """Parse the DER of a certification request. Never raises; parts that cannot be read become faults."""
    structure = RequestStructure(data)
    if len(data) > MAX_BYTES:
        structure.faults.append(too_large(data, "certificationRequest"))
        return structure
    try:
        outer = der.read(data)
        if outer.tag != der.SEQUENCE:
            raise DerError(f"{der.tag_name(outer.tag)} where a SEQUENCE should be", outer.start)
        parts = outer.children()
        if [part.tag for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
            found = ", ".join(der.tag_name(part.tag) for part in parts) or "nothing"
            raise DerError(f"a SEQUENCE of {found}", outer.start)
        info = parts[0].children()
    except DerError as error:
        expected = "certificationRequestInfo, signatureAlgorithm, signature"
        structure.faults.append(StructureFault("structure.unreadable", "certificationRequest", str(error), expected))
        return structure
    structure.outer, structure.info, structure.algorithm, structure.signature = outer, *parts
    expected_tags = [der.INTEGER, der.SEQUENCE, der.SEQUENCE, 0xA0]
    tags = [part.tag for part in info]
    if tags not in (expected_tags, expected_tags[:3]):
        found = ", ".join(der.tag_name(tag) for tag in tags) or "nothing"
        structure.faults.append(
            StructureFault(
                "structure.request",
                "certificationRequestInfo",
                found,
                "version, subject, subjectPKInfo, attributes [0]",
            )
        )
    if tags[:3] == expected_tags[:3]:
        structure.version, structure.subject, structure.public_key = info[:3]
        if tags[3:4] == expected_tags[3:]:
            structure.attributes = info[3]
            _read_attributes(structure, info[3])
    return structure


def _read_attributes(structure: RequestStructure, container: Node) -> None:
    location = "certificationRequestInfo.attributes"
    times = 0
    try:
        for attribute in bounded_children(container, MAX_REQUEST_ATTRIBUTES, "attributes"):
            parts = attribute.children() if attribute.tag == der.SEQUENCE else []
            if len(parts) != 2 or parts[0].tag != der.OBJECT_IDENTIFIER or parts[1].tag != der.SET:
                raise DerError("an attribute that is not a type and a SET of values", attribute.start)
            if der.decode_oid(parts[0].content) == Oid.EXTENSION_REQUEST:
                times += 1
                values = bounded_children(parts[1], MAX_ATTRIBUTE_VALUES, "values")
                if times > 1 or len(values) != 1:
                    seen = "a second extensionRequest" if times > 1 else f"{len(values)} values"
                    structure.faults.append(
                        StructureFault("extension-request.not-single", f"{location}.extensionRequest", seen)
                    )
                if times == 1 and values:
                    structure.extensions += read_extensions(values[0], f"{location}.extensionRequest", structure.faults)
    except TooMany as error:
        structure.faults.append(StructureFault("der.too-many", location, str(error)))
    except DerError as error:
        structure.faults.append(StructureFault("structure.attributes", location, str(error), "a SET of attributes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationRequest:
    """The parts of a linted certification request that are copied into the certificate byte for byte, and what they
    say."""

    der: bytes
    subject: bytes
    """Name, DER."""
    public_key_info: bytes
    """SubjectPublicKeyInfo, DER (91 bytes)."""
    key_usage: bytes
    """Contents of the requested keyUsage extension, DER."""
    subject_alt_name: bytes | None
    """Contents of the requested subjectAltName extension, DER; None for an Organisation."""
    usage: KeyUsage
    """digitalSignature or keyAgreement."""
    role: RemotePartyRole | None
    """The requested role; None in a Device's request."""
    entity_identifier: EntityIdentifier
    """The Entity Identifier of the intended holder."""

    @classmethod
    def of(cls, structure: RequestStructure) -> CertificationRequest:
        """Return the values in a structure in which the lint found no error."""
        subject, key, usage = structure.subject, structure.public_key, structure.extension(Oid.KEY_USAGE)
        if subject is None or key is None or usage is None:
            raise ValueError("this structure has not passed the lint of certification requests")
        extension = structure.extension(Oid.SUBJECT_ALT_NAME)
        alt_name = extension.value.content if extension else None
        names = parse_name(subject.encoded)
        role = attribute_of(names, Oid.ORGANIZATIONAL_UNIT_NAME)
        (key_usage,) = key_usages(usage.value.content[2:])
        return cls(
            der=structure.data,
            subject=subject.encoded,
            public_key_info=key.encoded,
            key_usage=usage.value.content,
            subject_alt_name=alt_name,
            usage=key_usage,
            role=RemotePartyRole.of_hexadecimal(role.text) if role else None,
            entity_identifier=_entity_identifier(attribute_of(names, Oid.X500_UNIQUE_IDENTIFIER), alt_name),
        )


def _entity_identifier(attribute: Attribute | None, subject_alt_name: bytes | None) -> EntityIdentifier:
    if attribute is not None:
        return EntityIdentifier(attribute.content[1:])
    return EntityIdentifier(hardware_module_name(subject_alt_name or b"")[1])


def self_signature_verifies(structure: RequestStructure) -> bool:
    """Return whether the request is signed by the key that it contains (RFC 2986 4.2)."""
    if structure.public_key is None or structure.signature is None or structure.info is None:
        return False
    point = p256_point(structure.public_key.encoded)
    return point is not None and signature_verifies(point, structure.signature.content[1:], structure.info.encoded)


def public_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the uncompressed point (65 bytes) of a public key."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def organisation_subject(role: RemotePartyRole, entity: EntityIdentifier, common_name: str | None = None) -> bytes:
    """Return the subject Name (DER) of an Organisation: [CN,] OU = role, x500UniqueIdentifier = EUI-64 (GBCS 12)."""
    rdns = [
        encode_attribute(Oid.ORGANIZATIONAL_UNIT_NAME, der.utf8_string(role.hexadecimal)),
        encode_attribute(Oid.X500_UNIQUE_IDENTIFIER, der.bit_string(entity.encoded)),
    ]
    if common_name is not None:
        rdns.insert(0, encode_attribute(Oid.COMMON_NAME, der.utf8_string(common_name)))
    return der.sequence(*rdns)


def hardware_module_alt_name(entity: EntityIdentifier, hardware_type: str = HARDWARE_TYPE) -> bytes:
    """Return the subjectAltName contents (DER) of a Device: one HardwareModuleName with its EUI-64 (RFC 4108 5)."""
    module_name = der.sequence(der.oid(hardware_type), der.octet_string(entity.encoded))
    other_name = der.element(0xA0, der.oid(Oid.HARDWARE_MODULE_NAME), der.explicit(0, module_name))
    return der.sequence(other_name)


def make_device_request(key: ec.EllipticCurvePrivateKey, entity: EntityIdentifier, usage: KeyUsage) -> bytes:
    """Return a Device's certification request (DER): empty subject, keyUsage and subjectAltName critical."""
    extensions = [
        encode_extension(Oid.KEY_USAGE, key_usage_bit_string(usage), critical=True),
        encode_extension(Oid.SUBJECT_ALT_NAME, hardware_module_alt_name(entity), critical=True),
    ]
    return make_request(key, der.sequence(), extensions)


def make_organisation_request(
    key: ec.EllipticCurvePrivateKey,
    entity: EntityIdentifier,
    role: RemotePartyRole,
    usage: KeyUsage,
    common_name: str | None = None,
) -> bytes:
    """Return an Organisation's certification request (DER) for *key*."""
    extensions = [encode_extension(Oid.KEY_USAGE, key_usage_bit_string(usage), critical=True)]
    return make_request(key, organisation_subject(role, entity, common_name), extensions)


def make_request(key: ec.EllipticCurvePrivateKey, subject: bytes, extensions: list[bytes]) -> bytes:
    """Return a certification request (DER), version 0, signed with ecdsa-with-SHA256.

    :param subject: the encoded Name.
    :param extensions: encoded Extensions.
    """
    attribute = der.sequence(der.oid(Oid.EXTENSION_REQUEST), der.set_of(der.sequence(*extensions)))
    info = der.sequence(
        der.integer(0), subject, encode_public_key(public_point(key.public_key())), der.explicit(0, attribute)
    )
    # Deterministic (RFC 6979), so that a seeded SMKI makes the same request again.
    signature = key.sign(info, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return der.sequence(info, ECDSA_WITH_SHA256_ALGORITHM, der.bit_string(signature))


def single_request(data: bytes, name: str) -> bytes:
    """Return the DER of the one certification request in a text or file (PEM, base64, hexadecimal or DER).

    :param name: the name of the input in messages.
    :raises Malformed: if it contains no request or several objects.
    """
    pieces = decode_input(data, name)
    if len(pieces) != 1:
        raise Malformed(
            Problem(
                code="input.several", subject=name, seen=f"{len(pieces)} objects", expected="one certification request"
            )
        )
    if pieces[0].label and pieces[0].label not in PEM_LABELS:
        raise Malformed(
            Problem(
                code="request.is-other",
                subject=name,
                seen=f"a {pieces[0].label} in PEM",
                expected="a CERTIFICATE REQUEST",
            )
        )
    return pieces[0].der
