"""Certificates, requests and revocation lists in parts that can be replaced one by one.

Each part is an encoded element, so that a defect can be anything from a wrong value to bytes that are not DER.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

from smki.pki import der
from smki.pki.certificate import read_tbs_certificate
from smki.pki.der import Node
from smki.pki.request import read_request
from smki.pki.revocation_list import read_tbs_list
from smki.pki.x509 import ECDSA_WITH_SHA256_ALGORITHM, ExtensionNode
from smki.testing.defects.signer import sign

BytesEdit = Callable[[bytes], bytes]
"""Changes an encoded element, or whatever bytes it is given."""


def unchanged(data: bytes) -> bytes:
    """Return the bytes as they are."""
    return data


@dataclass(frozen=True, slots=True)
class ExtensionPart:
    """One extension."""

    oid: str
    value: bytes
    """extnValue contents."""
    critical: bytes = b""
    """The encoded BOOLEAN; empty where it is left out."""
    element: bytes | None = None
    """The whole extension, where it is not made from the fields above."""

    def encoded(self) -> bytes:
        """The Extension."""
        if self.element is not None:
            return self.element
        return der.sequence(der.oid(self.oid), self.critical, der.octet_string(self.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(ABC):
    """What certificates, requests and lists have in common."""

    signer: ec.EllipticCurvePrivateKey
    outer_algorithm: bytes = ECDSA_WITH_SHA256_ALGORITHM
    extensions: tuple[ExtensionPart, ...]
    extension_list: bytes | None = None
    """The element inside the tag of the extensions, where it is not a SEQUENCE of them."""
    body_edit: BytesEdit = unchanged
    """Changes what is signed, as a whole, before it is signed."""
    signature_edit: BytesEdit = unchanged
    """Changes the Ecdsa-Sig-Value."""
    whole_edit: BytesEdit = unchanged
    """Changes the whole, signed."""

    @abstractmethod
    def body(self) -> bytes:
        """What is signed."""

    def encoded(self) -> bytes:
        """The whole, signed."""
        body = self.body_edit(self.body())
        signature = self.signature_edit(sign(self.signer, body, self.outer_algorithm))
        return self.whole_edit(der.sequence(body, self.outer_algorithm, der.bit_string(signature)))

    def _extension_list(self) -> bytes:
        if self.extension_list is not None:
            return self.extension_list
        return der.sequence(*(extension.encoded() for extension in self.extensions))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateParts(Signed):
    """A certificate."""

    version: bytes
    serial_number: bytes
    algorithm: bytes
    issuer: bytes
    not_before: bytes
    not_after: bytes
    subject: bytes
    public_key: bytes
    after_key: bytes = b""
    """Between the key and the extensions: where unique identifiers would be."""
    after_extensions: bytes = b""

    @classmethod
    def of(cls, tbs: bytes, signer: ec.EllipticCurvePrivateKey) -> CertificateParts:
        """Take a to-be-signed certificate, made by the profile's builder, apart."""
        structure = read_tbs_certificate(tbs)
        return cls(
            signer=signer,
            extensions=_extension_parts(structure.extensions),
            version=_encoded(structure.version),
            serial_number=_encoded(structure.serial_number),
            algorithm=_encoded(structure.inner_algorithm),
            issuer=_encoded(structure.issuer),
            not_before=_encoded(structure.not_before),
            not_after=_encoded(structure.not_after),
            subject=_encoded(structure.subject),
            public_key=_encoded(structure.public_key),
        )

    def body(self) -> bytes:
        """The TBSCertificate."""
        return der.sequence(
            self.version,
            self.serial_number,
            self.algorithm,
            self.issuer,
            der.sequence(self.not_before, self.not_after),
            self.subject,
            self.public_key,
            self.after_key,
            der.explicit(3, self._extension_list()),
            self.after_extensions,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestParts(Signed):
    """A certification request."""

    version: bytes
    subject: bytes
    public_key: bytes
    other_attributes: bytes = b""
    """After the extensionRequest."""
    after_attributes: bytes = b""

    @classmethod
    def of(cls, request: bytes, signer: ec.EllipticCurvePrivateKey) -> RequestParts:
        """Take a request apart."""
        structure = read_request(request)
        return cls(
            signer=signer,
            extensions=_extension_parts(structure.extensions),
            version=_encoded(structure.version),
            subject=_encoded(structure.subject),
            public_key=_encoded(structure.public_key),
        )

    def body(self) -> bytes:
        """The CertificationRequestInfo."""
        requested = der.sequence(der.oid("1.2.840.113549.1.9.14"), der.element(der.SET, self._extension_list()))
        attributes = der.explicit(0, requested, self.other_attributes)
        return der.sequence(self.version, self.subject, self.public_key, attributes, self.after_attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListParts(Signed):
    """A revocation list."""

    version: bytes
    algorithm: bytes
    issuer: bytes
    this_update: bytes
    next_update: bytes
    entries: tuple[bytes, ...] = field(repr=False)
    entry_list: bytes | None = None
    """revokedCertificates, where it is not a SEQUENCE of the entries."""
    after_extensions: bytes = b""

    @classmethod
    def of(cls, tbs: bytes, signer: ec.EllipticCurvePrivateKey) -> ListParts:
        """Take a to-be-signed list, made by the profile's builder, apart."""
        structure = read_tbs_list(tbs)
        entries = structure.entries.children() if structure.entries is not None else []
        return cls(
            signer=signer,
            extensions=_extension_parts(structure.extensions),
            version=_encoded(structure.version),
            algorithm=_encoded(structure.inner_algorithm),
            issuer=_encoded(structure.issuer),
            this_update=_encoded(structure.this_update),
            next_update=_encoded(structure.next_update),
            entries=tuple(entry.encoded for entry in entries),
            entry_list=None if structure.entries is not None else b"",
        )

    def body(self) -> bytes:
        """The TBSCertList."""
        return der.sequence(
            self.version,
            self.algorithm,
            self.issuer,
            self.this_update,
            self.next_update,
            der.sequence(*self.entries) if self.entry_list is None else self.entry_list,
            der.explicit(0, self._extension_list()),
            self.after_extensions,
        )


def _encoded(node: Node | None) -> bytes:
    return node.encoded if node is not None else b""


def _extension_parts(extensions: list[ExtensionNode]) -> tuple[ExtensionPart, ...]:
    return tuple(
        ExtensionPart(extension.oid, extension.value.content, _encoded(extension.critical_node))
        for extension in extensions
    )
