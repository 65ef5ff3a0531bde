"""SMKI certificates, read from DER: leniently into a structure for the lint, strictly into a value for use."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from smki.clock import iso
from smki.identity import EntityIdentifier, SerialNumber
from smki.pki import der
from smki.pki.bounds import MAX_BYTES, MAX_INTEGER_BYTES
from smki.pki.der import DerError, IntegerTooLong, Node
from smki.pki.oid import Oid
from smki.pki.x509 import (
    ExtensionNode,
    StructureFault,
    attribute_of,
    hardware_module_name,
    key_usages,
    name_text,
    p256_point,
    parse_name,
    read_extensions,
    signature_verifies,
    unreadable,
)
from smki.problem import Malformed
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

HARDWARE_MODULE_NAME_LOCATION = "tbsCertificate.extensions.subjectAltName"


@dataclass(slots=True)
class CertificateStructure:
    """A certificate parsed as far as possible; parts that are missing or unreadable are None.

    Created by :func:`read_certificate` and :func:`read_tbs_certificate`. Values are not checked.
    """

    data: bytes
    faults: list[StructureFault] = field(default_factory=list)
    outer: Node | None = None
    tbs: Node | None = None
    version: Node | None = None
    serial_number: Node | None = None
    inner_algorithm: Node | None = None
    issuer: Node | None = None
    validity: Node | None = None
    not_before: Node | None = None
    not_after: Node | None = None
    subject: Node | None = None
    public_key: Node | None = None
    unique_identifiers: list[Node] = field(default_factory=list)
    extensions: list[ExtensionNode] = field(default_factory=list)
    outer_algorithm: Node | None = None
    signature: Node | None = None

    def extension(self, oid: str) -> ExtensionNode | None:
        """Return the first extension with that object identifier, or None."""
        for extension in self.extensions:
            if extension.oid == oid:
                return extension
        return None


def read_certificate(data: bytes) -> CertificateStructure:
    """Parse the DER of a certificate. Never raises; parts that cannot be read become faults."""
    structure = CertificateStructure(data)
    if len(data) > MAX_BYTES:
        structure.faults.append(too_large(data, "certificate"))
        return structure
    try:
        outer = der.read(data)
        if outer.tag != der.SEQUENCE:
            raise DerError(f"{der.tag_name(outer.tag)} where a SEQUENCE should be", outer.start)
        parts = outer.children()
    except DerError as error:
        structure.faults.append(StructureFault("structure.unreadable", "certificate", str(error), "a DER SEQUENCE"))
        return structure
    structure.outer = outer
    if [part.tag for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        found = ", ".join(der.tag_name(part.tag) for part in parts) or "nothing"
        structure.faults.append(
            StructureFault(
                "structure.certificate", "certificate", found, "tbsCertificate, signatureAlgorithm, signatureValue"
            )
        )
    if parts and parts[0].tag == der.SEQUENCE:
        structure.tbs = parts[0]
        _read_tbs(structure, parts[0])
    if len(parts) > 1 and parts[1].tag == der.SEQUENCE:
        structure.outer_algorithm = parts[1]
    if len(parts) > 2 and parts[2].tag == der.BIT_STRING:
        structure.signature = parts[2]
    return structure


def too_large(data: bytes, location: str) -> StructureFault:
    """Return the fault of an input above :data:`~smki.pki.bounds.MAX_BYTES`, which is not parsed."""
    return StructureFault("der.too-large", location, f"{len(data)} bytes", f"at most {MAX_BYTES} bytes")


def read_tbs_certificate(data: bytes) -> CertificateStructure:
    """Parse the DER of a TBSCertificate that has not been signed yet. Never raises."""
    structure = CertificateStructure(data)
    try:
        structure.tbs = der.read(data)
        _read_tbs(structure, structure.tbs)
    except DerError as error:
        structure.faults.append(StructureFault("structure.unreadable", "tbsCertificate", str(error), "a DER SEQUENCE"))
    return structure


_TBS_FIELDS = (
    ("serialNumber", "serial_number", der.INTEGER),
    ("signature", "inner_algorithm", der.SEQUENCE),
    ("issuer", "issuer", der.SEQUENCE),
    ("validity", "validity", der.SEQUENCE),
    ("subject", "subject", der.SEQUENCE),
    ("subjectPublicKeyInfo", "public_key", der.SEQUENCE),
)


def _read_tbs(structure: CertificateStructure, tbs: Node) -> None:
    try:
        parts = tbs.children() if tbs.tag == der.SEQUENCE else []
    except DerError as error:
        structure.faults.append(
            StructureFault("structure.unreadable", "tbsCertificate", str(error), "a sequence of elements")
        )
        return
    at = 0
    if parts and parts[0].tag == 0xA0:
        structure.version = parts[0]
        at = 1
    for name, attribute, tag in _TBS_FIELDS:
        if at < len(parts) and parts[at].tag == tag:
            setattr(structure, attribute, parts[at])
            at += 1
        else:
            found = der.tag_name(parts[at].tag) if at < len(parts) else "nothing"
            structure.faults.append(
                StructureFault("structure.field-missing", f"tbsCertificate.{name}", found, der.tag_name(tag))
            )
    _read_validity(structure)
    for part in parts[at:]:
        if part.tag in (0x81, 0x82):
            structure.unique_identifiers.append(part)
        elif part.tag == 0xA3:
            _read_extensions(structure, part)
        else:
            structure.faults.append(
                StructureFault(
                    "structure.field-unexpected", "tbsCertificate", der.tag_name(part.tag), "extensions, then the end"
                )
            )


def _read_validity(structure: CertificateStructure) -> None:
    if structure.validity is None:
        return
    try:
        structure.not_before, structure.not_after = structure.validity.children()
    except (DerError, ValueError):
        structure.faults.append(
            StructureFault(
                "structure.validity", "tbsCertificate.validity", structure.validity.content.hex(), "two times"
            )
        )


def _read_extensions(structure: CertificateStructure, part: Node) -> None:
    location = "tbsCertificate.extensions"
    try:
        container = part.inner()
    except DerError as error:
        structure.faults.append(StructureFault("structure.extensions", location, str(error), "a SEQUENCE of Extension"))
        return
    structure.extensions += read_extensions(container, location, structure.faults)


@dataclass(frozen=True)
class Certificate:
    """An SMKI certificate that could be read completely. Two are equal if their DER is.

    Reading checks the structure, but not the profile (see :mod:`smki.profile`) or any signature.
    """

    der: bytes
    tbs: bytes = field(repr=False, compare=False)
    """The signed bytes (TBSCertificate, DER)."""
    serial_number: SerialNumber = field(compare=False)
    issuer: bytes = field(repr=False, compare=False)
    """The issuer's Name, DER."""
    subject: bytes = field(repr=False, compare=False)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    public_key_info: bytes = field(repr=False, compare=False)
    """SubjectPublicKeyInfo, DER."""
    extension_values: dict[str, bytes] = field(repr=False, compare=False)
    """The contents of extnValue by dotted object identifier."""
    signature: bytes = field(repr=False, compare=False)
    """Ecdsa-Sig-Value, DER."""

    @classmethod
    def from_der(cls, data: bytes) -> Certificate:
        """Read a certificate.

        :raises Malformed: if a part of it cannot be read, naming that part.
        """
        return cls.from_structure(read_certificate(data))

    @classmethod
    def from_structure(cls, structure: CertificateStructure) -> Certificate:
        """Return the certificate in a structure that has already been parsed (:func:`read_certificate`).

        :raises Malformed: if a part of it cannot be read, naming that part.
        """
        extra = len(structure.data) - structure.outer.end if structure.outer is not None else 0
        if extra:
            fault = StructureFault("der.trailing-octets", "certificate", f"{extra} bytes after the end", "none")
            structure.faults.append(fault)
        try:
            return cls._of(structure)
        except (DerError, AttributeError) as error:
            code = error.code if isinstance(error, DerError) else "structure.unreadable"
            faults = structure.faults or [StructureFault(code, "certificate", str(error), "a certificate")]
            raise unreadable(faults, "RFC 5280 4.1") from None

    @classmethod
    def _of(cls, structure: CertificateStructure) -> Certificate:
        s: Any = structure  # a part that is None raises AttributeError, which from_der reports
        if structure.faults:
            raise DerError(structure.faults[0].seen, 0)
        serial = der.decode_integer(s.serial_number)
        if serial <= 0:
            raise DerError("a serial number that is not positive", s.serial_number.start)
        constraints = structure.extension(Oid.BASIC_CONSTRAINTS)
        if constraints is not None and len(constraints.value.content) > MAX_INTEGER_BYTES:
            # Checked so that path_length is bounded, whatever else it contains.
            raise IntegerTooLong(f"basicConstraints of {len(constraints.value.content)} bytes", constraints.node.start)
        return cls(
            der=structure.data,
            tbs=s.tbs.encoded,
            serial_number=SerialNumber(serial),
            issuer=s.issuer.encoded,
            subject=s.subject.encoded,
            not_before=der.decode_time(s.not_before),
            not_after=der.decode_time(s.not_after),
            public_key_info=s.public_key.encoded,
            extension_values={item.oid: item.value.content for item in structure.extensions},
            signature=s.signature.content[1:],
        )

    @cached_property
    def point(self) -> bytes | None:
        """The public key's point, 65 bytes 04 || X || Y; None unless the key is on P-256 and uncompressed."""
        return p256_point(self.public_key_info)

    @cached_property
    def key_usages(self) -> frozenset[KeyUsage]:
        """The bits of keyUsage; empty if there is none."""
        value = self.extension_values.get(Oid.KEY_USAGE, b"")
        return key_usages(value[2:]) if value[:1] == b"\x03" else frozenset()

    @property
    def usage(self) -> KeyUsage | None:
        """The single usage of an end entity (digitalSignature or keyAgreement); otherwise None."""
        return next(iter(self.key_usages)) if len(self.key_usages) == 1 else None

    @cached_property
    def role(self) -> RemotePartyRole | None:
        """The Remote Party Role Code in the subject's organizationalUnitName, or None."""
        text = self._subject_text(Oid.ORGANIZATIONAL_UNIT_NAME)
        return RemotePartyRole.of_hexadecimal(text) if text is not None else None

    @cached_property
    def common_name(self) -> str | None:
        """The subject's commonName, or None."""
        return self._subject_text(Oid.COMMON_NAME)

    def _subject_text(self, oid: str) -> str | None:
        try:
            attribute = attribute_of(parse_name(self.subject), oid)
        except DerError:
            return None
        return attribute.text if attribute is not None else None

    @cached_property
    def entity_identifier(self) -> EntityIdentifier | None:
        """The EUI-64 of the Organisation (x500UniqueIdentifier) or the Device (hwSerialNum), or None."""
        try:
            attribute = attribute_of(parse_name(self.subject), Oid.X500_UNIQUE_IDENTIFIER)
            if attribute is not None:
                content_bytes = attribute.content[1:]
            elif Oid.SUBJECT_ALT_NAME in self.extension_values:
                content_bytes = hardware_module_name(self.extension_values[Oid.SUBJECT_ALT_NAME])[1]
            else:
                return None
            return EntityIdentifier(content_bytes)
        except (DerError, Malformed):
            return None

    @property
    def is_authority(self) -> bool:
        """Whether basicConstraints marks it as a CA."""
        return self.extension_values.get(Oid.BASIC_CONSTRAINTS, b"")[2:5] == b"\x01\x01\xff"

    @property
    def path_length(self) -> int | None:
        """The pathLenConstraint of basicConstraints; None if there is none."""
        value = self.extension_values.get(Oid.BASIC_CONSTRAINTS, b"")
        return int.from_bytes(value[7:], "big") if value[5:6] == b"\x02" else None

    @cached_property
    def kind(self) -> CertificateKind:
        """The kind of certificate, judged by subject, basicConstraints and whether it is self-issued."""
        if self.is_authority or KeyUsage.KEY_CERT_SIGN in self.key_usages:
            is_organisation = self.role is not None
            if self.issuer == self.subject:
                return CertificateKind.ROOT_OCA if is_organisation else CertificateKind.ROOT_DCA
            return CertificateKind.ISSUING_OCA if is_organisation else CertificateKind.ISSUING_DCA
        if Oid.SUBJECT_ALT_NAME in self.extension_values or self.subject == b"\x30\x00":
            return CertificateKind.DEVICE
        return CertificateKind.ORGANISATION

    @property
    def subject_key_identifier(self) -> bytes | None:
        """The keyIdentifier bytes of the extension, or None."""
        value = self.extension_values.get(Oid.SUBJECT_KEY_IDENTIFIER)
        return value[2:] if value is not None else None

    @property
    def authority_key_identifier(self) -> bytes | None:
        """The [0] keyIdentifier bytes of the extension, or None."""
        value = self.extension_values.get(Oid.AUTHORITY_KEY_IDENTIFIER, b"")
        return value[4:] if value[2:3] == b"\x80" else None

    @cached_property
    def sha256(self) -> bytes:
        """SHA-256 over the DER, 32 bytes."""
        return hashlib.sha256(self.der).digest()

    def is_signed_by(self, point: bytes) -> bool:
        """Return whether the signature was made by the key with that point (65 bytes)."""
        return signature_verifies(point, self.signature, self.tbs)

    def as_pem(self) -> str:
        """Return the certificate in PEM, with a newline at the end (RFC 7468)."""
        return to_pem("CERTIFICATE", self.der)

    def as_json(self) -> dict[str, Any]:
        """Return its content as a JSON object: text, hexadecimal and ISO 8601."""
        return {
            "kind": self.kind.value,
            "serialNumber": self.serial_number.hex,
            "issuer": name_text(self.issuer),
            "subject": name_text(self.subject),
            "role": self.role.label if self.role else None,
            "roleCode": self.role.hexadecimal if self.role else None,
            "entityIdentifier": str(self.entity_identifier) if self.entity_identifier else None,
            "commonName": self.common_name,
            "keyUsage": sorted(usage.label for usage in self.key_usages),
            "notBefore": iso(self.not_before),
            "notAfter": iso(self.not_after),
            "publicKey": self.point.hex().upper() if self.point else None,
            "subjectKeyIdentifier": _hex(self.subject_key_identifier),
            "authorityKeyIdentifier": _hex(self.authority_key_identifier),
            "sha256": self.sha256.hex().upper(),
        }


def _hex(content_bytes: bytes | None) -> str | None:
    return content_bytes.hex().upper() if content_bytes is not None else None


def to_pem(label: str, data: bytes) -> str:
    """Return DER in PEM: 64 characters per line between BEGIN and END lines (RFC 7468)."""
    body = base64.b64encode(data).decode("ascii")
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
