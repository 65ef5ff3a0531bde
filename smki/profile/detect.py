"""Detection of the intended type of a DER input: a certificate, a request or a list, and of which kind."""

from __future__ import annotations

import enum

from smki.pki import der
from smki.pki.certificate import CertificateStructure
from smki.pki.der import DerError, Node
from smki.pki.oid import Oid
from smki.pki.request import RequestStructure
from smki.pki.revocation_list import ListStructure
from smki.pki.x509 import Name, attribute_of, key_usages, parse_name
from smki.profile.forms import CertificateProfile, RequestProfile, RevocationListProfile
from smki.profile.tables import ORGANISATION_ARL, ORGANISATION_CRL, profile_of, request_profile_of
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole


class Shape(enum.Enum):
    """The type of an input, even if it is malformed."""

    CERTIFICATE = "certificate"
    REQUEST = "certification request"
    LIST = "revocation list"
    UNKNOWN = "unknown"


_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)


def shape_of(data: bytes) -> Shape:
    """Return the type of *data* judged by its first elements; UNKNOWN if it is not a SEQUENCE in a SEQUENCE."""
    try:
        outer = der.read(data)
        parts = der.first_children(outer, 1) if outer.tag == der.SEQUENCE else []
        first = der.first_children(parts[0], 5) if parts and parts[0].tag == der.SEQUENCE else []
    except DerError:
        return Shape.UNKNOWN
    tags = [part.tag for part in first]
    if 0xA0 in tags[:1]:
        return Shape.CERTIFICATE
    if any(tag in _TIMES for tag in tags[2:]):
        return Shape.LIST
    if tags[:1] == [der.INTEGER] and (0xA0 in tags[:4] or len(tags) < 4 or any(map(_is_public_key, first[1:3]))):
        return Shape.REQUEST
    return Shape.CERTIFICATE if der.SEQUENCE in tags else Shape.UNKNOWN


def _is_public_key(node: Node) -> bool:
    try:
        parts = der.first_children(node, 3) if node.tag == der.SEQUENCE else []
        return [part.tag for part in parts] == [der.SEQUENCE, der.BIT_STRING]
    except DerError:
        return False


def split(data: bytes) -> list[bytes]:
    """Split *data* into its objects if it is a concatenation of several; otherwise return it whole.

    Unrecognised bytes after a certificate stay with it, so that the lint reports them.
    """
    found = []
    at = 0
    try:
        while at < len(data):
            node = der.read(data, at)
            if shape_of(node.encoded) is Shape.UNKNOWN:
                return [data]
            found.append(node.encoded)
            at = node.end
    except DerError:
        return [data]
    return found or [data]


def looks_like_certificate(data: bytes) -> bool:
    """Return whether DER resembles a certificate: its first SEQUENCE begins with a version [0] and a serial number."""
    try:
        (first,) = der.first_children(der.read(data), 1)
        parts = der.first_children(first, 2)
    except (DerError, ValueError):
        return False
    return [part.tag for part in parts] == [0xA0, der.INTEGER]


def detect_profile(structure: CertificateStructure) -> CertificateProfile:
    """Return the intended profile of a certificate, judged by its content."""
    return profile_of(detect_kind(structure), role_of(structure.subject))


def detect_kind(structure: CertificateStructure) -> CertificateKind:
    """Return the intended kind of a certificate.

    The subject is considered first, so that an extra or missing extension does not change the result.
    """
    subject = _name(structure.subject)
    if subject is not None and attribute_of(subject, Oid.X500_UNIQUE_IDENTIFIER):
        return CertificateKind.ORGANISATION
    if structure.extension(Oid.SUBJECT_ALT_NAME) or subject == ():
        return CertificateKind.DEVICE
    if subject is None:
        of_oca = role_of(structure.issuer) is RemotePartyRole.ISSUING_AUTHORITY
        return CertificateKind.ORGANISATION if of_oca else CertificateKind.DEVICE
    usage = structure.extension(Oid.KEY_USAGE)
    certifies = usage is not None and KeyUsage.KEY_CERT_SIGN in key_usages(usage.value.content[2:])
    is_authority = certifies or structure.extension(Oid.BASIC_CONSTRAINTS) is not None
    names_itself = structure.issuer is not None and structure.subject is not None
    names_itself = names_itself and structure.issuer.encoded == structure.subject.encoded  # type: ignore[union-attr]
    role = role_of(structure.subject)
    if role is RemotePartyRole.ROOT:
        return CertificateKind.ROOT_OCA
    if role is RemotePartyRole.ISSUING_AUTHORITY:
        return CertificateKind.ISSUING_OCA
    if attribute_of(subject, Oid.ORGANIZATIONAL_UNIT_NAME):
        if not is_authority:
            return CertificateKind.ORGANISATION
        return CertificateKind.ROOT_OCA if names_itself else CertificateKind.ISSUING_OCA
    if not is_authority and role_of(structure.issuer) is RemotePartyRole.ISSUING_AUTHORITY:
        return CertificateKind.ORGANISATION
    return CertificateKind.ROOT_DCA if names_itself else CertificateKind.ISSUING_DCA


def detect_request_kind(structure: RequestStructure) -> CertificateKind:
    """Return the intended kind of a request: Organisation if it has a subject name, otherwise Device."""
    subject = structure.subject.encoded if structure.subject else b""
    if structure.extension(Oid.SUBJECT_ALT_NAME) or subject == b"\x30\x00":
        return CertificateKind.DEVICE
    return CertificateKind.ORGANISATION


def detect_request_profile(structure: RequestStructure) -> RequestProfile:
    """Return the intended profile of a request, judged by its content."""
    return request_profile_of(detect_request_kind(structure), role_of(structure.subject))


def detect_list_profile(structure: ListStructure) -> RevocationListProfile:
    """Return the intended profile of a list, ARL or CRL, judged by the role of the issuer."""
    return ORGANISATION_ARL if role_of(structure.issuer) is RemotePartyRole.ROOT else ORGANISATION_CRL


def role_of(name: Node | None) -> RemotePartyRole | None:
    """Return the Remote Party Role Code in a Name, or None."""
    attributes = _name(name)
    attribute = attribute_of(attributes, Oid.ORGANIZATIONAL_UNIT_NAME) if attributes else None
    return RemotePartyRole.of_hexadecimal(attribute.text) if attribute else None


def _name(node: Node | None) -> Name | None:
    try:
        return parse_name(node.encoded) if node is not None else None
    except DerError:
        return None
