"""Templates for reading certificates that differ only in their values from one known to meet its profile.

The lint takes longer than verifying a signature, and nearly all certificates of an authority are alike: the same bytes
except for serial number, key, identities and signature. A template records the bytes of a certificate in which the lint
found no error, and the positions of those values. Another certificate with the same bytes everywhere else has the same
structure, so only the lint's rules about those values remain to be checked, which is done here. Every other certificate
is read and linted in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smki.identity import SerialNumber
from smki.pki import der
from smki.pki.certificate import Certificate, CertificateStructure
from smki.pki.der import DerError
from smki.pki.oid import Oid
from smki.pki.revocation_entry import usual_time
from smki.pki.x509 import ECDSA_WITH_SHA256_ALGORITHM, is_on_p256, key_identifier, p256_point
from smki.sec.role import CertificateKind

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_LONG = b"\x30\x82"
"""A SEQUENCE with a two-byte length, as in every SMKI certificate and TBSCertificate."""
_START = 4
"""Offset of the TBSCertificate."""
_ALGORITHM = ECDSA_WITH_SHA256_ALGORITHM
MAX_TEMPLATES = 64

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Template:
    """The positions of the fields in certificates that share a structure, as offsets from the first byte."""

    kind: CertificateKind
    end: int
    """Offset of the end of the TBSCertificate."""
    fixed: tuple[tuple[int, int, bytes], ...]
    """The bytes that the certificates share: (start, end, bytes)."""
    serial: Span
    not_before: Span | None
    """The position of notBefore in Device Certificates, which can be issued at any second; None where it is among the
    fixed bytes."""
    point: Span
    identifier: Span
    """The 8 bytes of the subjectKeyIdentifier."""
    issuer: bytes
    subject: Span
    began: datetime
    ends: datetime
    key_info: Span
    extensions: tuple[tuple[str, int, int], ...]

    def read(self, data: bytes, signature: bytes) -> Certificate | None:
        """Return the certificate if it matches the template and its values meet the profile, else None.

        :param signature: its Ecdsa-Sig-Value, already checked by :func:`signature_of`.
        """
        for start, end, encoded in self.fixed:
            if data[start:end] != encoded:
                return None
        serial = data[self.serial[0] : self.serial[1]]
        point = data[self.point[0] : self.point[1]]
        # 16 bytes, positive and minimal; a point on the curve; the identifier of this key.
        if not 0 < serial[0] < 0x80 or not is_on_p256(point):
            return None
        if data[self.identifier[0] : self.identifier[1]] != key_identifier(point):
            return None
        began = self.began
        if self.not_before is not None:
            try:
                began = usual_time(data[self.not_before[0] : self.not_before[1]])
            except DerError:
                return None
        return Certificate(
            der=data,
            tbs=data[_START : self.end],
            serial_number=SerialNumber(int.from_bytes(serial, "big")),
            issuer=self.issuer,
            subject=data[self.subject[0] : self.subject[1]],
            not_before=began,
            not_after=self.ends,
            public_key_info=data[self.key_info[0] : self.key_info[1]],
            extension_values={oid: data[start:end] for oid, start, end in self.extensions},
            signature=signature,
        )


def signature_of(data: bytes) -> tuple[int, bytes] | None:
    """Return the end of the TBSCertificate and the Ecdsa-Sig-Value; None if anything about them is unusual."""
    size = len(data)
    if data[:2] != _LONG or size < 260 or int.from_bytes(data[2:4], "big") != size - 4 or data[4:6] != _LONG:
        return None
    end = 8 + int.from_bytes(data[6:8], "big")
    at = end + len(_ALGORITHM)
    # BIT STRING, its length, no unused bits, then a SEQUENCE up to the end.
    head = bytes((der.BIT_STRING, (size - at - 2) & 0x7F, 0, der.SEQUENCE, (size - at - 5) & 0x7F))
    if size - at > 80 or data[end:at] != _ALGORITHM or data[at : at + 5] != head:
        return None
    begin = at + 5
    for _ in range(2):
        stop = begin + 2 + data[begin + 1] if begin + 2 < size else size + 1
        number = data[begin + 2 : stop]
        if stop > size or data[begin] != der.INTEGER or not number or number[0] > 0x7F:
            return None
        if number[0] == 0 and (len(number) == 1 or number[1] < 0x80):
            return None
        if int.from_bytes(number, "big") >= _ORDER:
            return None
        begin = stop
    return (end, data[at + 3 :]) if begin == size else None


def template_of(structure: CertificateStructure, certificate: Certificate, kind: CertificateKind) -> Template | None:
    """Return a template for an end-entity certificate in which the lint found no error; None if it is unusual."""
    found = signature_of(structure.data)
    s = structure
    if found is None or kind.is_authority or p256_point(certificate.public_key_info) is None:
        return None
    assert s.serial_number is not None
    assert s.not_before is not None
    assert s.subject is not None
    assert s.public_key is not None
    if len(s.serial_number.content) != 16 or not 0 < s.serial_number.content[0] < 0x80:
        return None
    identity = _identity(structure, kind)
    key_id = s.extension(Oid.SUBJECT_KEY_IDENTIFIER)
    if identity is None or key_id is None or certificate.subject_key_identifier is None:
        return None
    of_device = kind is CertificateKind.DEVICE and s.not_before.tag == der.UTC_TIME
    serial = s.serial_number.body, s.serial_number.end
    not_before = (s.not_before.body, s.not_before.end) if of_device else None
    point = s.public_key.end - 65, s.public_key.end
    identifier = key_id.value.end - 8, key_id.value.end
    spans = sorted(filter(None, (serial, not_before, point, identifier, identity)))
    fixed, at = [], _START
    for start, stop in [*spans, (found[0], found[0])]:
        fixed.append((at, start, structure.data[at:start]))
        at = stop
    return Template(
        kind=kind,
        end=found[0],
        fixed=tuple(fixed),
        serial=serial,
        not_before=not_before,
        point=point,
        identifier=identifier,
        issuer=certificate.issuer,
        subject=(s.subject.start, s.subject.end),
        began=certificate.not_before,
        ends=certificate.not_after,
        key_info=(s.public_key.start, s.public_key.end),
        extensions=tuple((item.oid, item.value.body, item.value.end) for item in s.extensions),
    )


def _identity(structure: CertificateStructure, kind: CertificateKind) -> Span | None:
    """Return the position of the EUI-64: the last 8 bytes of hwSerialNum, or of x500UniqueIdentifier."""
    if kind is CertificateKind.DEVICE:
        name = structure.extension(Oid.SUBJECT_ALT_NAME)
        return (name.value.end - 8, name.value.end) if name is not None else None
    subject = structure.subject
    assert subject is not None
    identifier = der.oid(Oid.X500_UNIQUE_IDENTIFIER) + b"\x03\x09\x00"
    return (subject.end - 8, subject.end) if subject.content[-8 - len(identifier) : -8] == identifier else None
