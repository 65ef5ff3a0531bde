"""Templates for certificates and requests that differ only in their values from one known to meet its profile.

The full lint takes longer than a signature, and nearly all certificates of an authority are alike: the same bytes except
for serial number, key and key identifier, EUI-64, a Device's notBefore and the signature. A template records the bytes
of one in which the lint found no error, and the positions of those values. Another with the same bytes everywhere else
has the same structure, so only the rules about those values remain to be checked, which is done here. Whatever matches
no template gets the full lint. ``smki check`` makes templates of its own, from certificates that it has linted in full.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from smki.identity import EntityIdentifier, SerialNumber
from smki.pki import der
from smki.pki.certificate import Certificate, CertificateStructure, read_certificate
from smki.pki.der import DerError, Node
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest, RequestStructure
from smki.pki.revocation_entry import usual_time
from smki.pki.x509 import (
    ECDSA_WITH_SHA256_ALGORITHM,
    ExtensionNode,
    hardware_module_name,
    is_on_p256,
    key_identifier,
    p256_point,
    signature_verifies,
)

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_UNIQUE_IDENTIFIER = der.oid(Oid.X500_UNIQUE_IDENTIFIER) + b"\x03\x09\x00"
"""What comes before the EUI-64 in an Organisation's x500UniqueIdentifier (GBCS 12.3)."""

_LONG = b"\x30\x82"
"""A SEQUENCE with a length of two bytes."""

_EMPTY_NAME = b"\x30\x00"

Span = tuple[int, int]
"""The position of a value: (start, end), in bytes."""
T = TypeVar("T")


class _Pattern:
    """Bytes that are fixed except in some spans."""

    __slots__ = ("_fixed", "_spans", "length")

    def __init__(self, encoded: bytes, spans: Iterable[Span]) -> None:
        self.length = len(encoded)
        fixed, at = [], 0
        ordered = sorted(spans)
        self._spans = {span[0]: span for span in ordered}
        for start, end in [*ordered, (len(encoded), len(encoded))]:
            fixed.append((at, start, encoded[at:start]))
            at = end
        self._fixed = tuple(fixed)

    def filled(self, values: Mapping[Span, bytes]) -> bytes:
        """Return the bytes with other values in the spans, each of the length of its span."""
        parts = []
        for _, end, same in self._fixed[:-1]:
            parts += [same, values[self._spans[end]]]
        return b"".join((*parts, self._fixed[-1][2]))

    def fits(self, encoded: bytes) -> bool:
        """Return whether other bytes are the same outside the spans."""
        if len(encoded) != self.length:
            return False
        return all(encoded[start:end] == same for start, end, same in self._fixed)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTemplate:
    """The positions of the values in the TBSCertificate of end-entity certificates that share a structure."""

    pattern: _Pattern
    serial: Span
    not_before: Span | None
    """In Device Certificates, which can be issued at any second; None where notBefore is among the fixed bytes."""
    point: Span
    identifier: Span
    """The 8 bytes of the subjectKeyIdentifier."""
    entity: Span
    """The 8 bytes of the Entity Identifier."""
    issuer: bytes
    subject: Span
    began: datetime
    ends: datetime
    key_info: Span
    extensions: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, structure: CertificateStructure) -> CertificateTemplate | None:
        """Return a template made from a certificate in which the lint found no error; None if it is unusual.

        :param structure: the certificate, or its TBSCertificate before it is signed.
        """
        s = structure
        if s.tbs is None or s.serial_number is None or s.issuer is None or s.subject is None or s.public_key is None:
            return None
        start = s.tbs.start
        key_id, name = s.extension(Oid.SUBJECT_KEY_IDENTIFIER), s.extension(Oid.SUBJECT_ALT_NAME)
        serial, point = _content(s.serial_number, start), p256_point(s.public_key.encoded)
        eui = _device_eui(name, start) if name is not None else _organisation_eui(s.subject, start)
        if point is None or eui is None or key_id is None or serial[1] - serial[0] != 16:
            return None
        if key_id.value.content != b"\x04\x08" + key_identifier(point):
            return None
        key_info, identifier = _shifted((s.public_key.start, s.public_key.end), start), _content(key_id.value, start)
        identifier = identifier[1] - 8, identifier[1]
        where = key_info[1] - len(point), key_info[1]
        assert s.not_before is not None
        assert s.not_after is not None
        any_second = name is not None and s.not_before.tag == der.UTC_TIME
        not_before = _content(s.not_before, start) if any_second else None
        spans = [span for span in (serial, not_before, where, identifier, eui) if span is not None]
        return cls(
            pattern=_Pattern(s.tbs.encoded, spans),
            serial=serial,
            not_before=not_before,
            point=where,
            identifier=identifier,
            entity=eui,
            issuer=s.issuer.encoded,
            subject=_shifted((s.subject.start, s.subject.end), start),
            began=der.decode_time(s.not_before),
            ends=der.decode_time(s.not_after),
            key_info=key_info,
            extensions=tuple((item.oid, *_content(item.value, start)) for item in s.extensions),
        )

    def filled(self, serial: int, not_before: bytes, point: bytes, entity: bytes) -> bytes | None:
        """Return the TBSCertificate (DER) with other values; None if they have other lengths.

        :param not_before: a time (DER).
        :param point: the public key (65 bytes).
        :param entity: the Entity Identifier (8 bytes).
        """
        if self.not_before is None or not_before[:2] != b"\x17\x0d" or len(point) != 65 or len(entity) != 8:
            return None
        number = serial.to_bytes(16, "big") if 0 < serial < 1 << 127 else b""
        if not number or not number[0]:
            return None
        return self.pattern.filled(
            {
                self.serial: number,
                self.not_before: not_before[2:],
                self.point: point,
                self.identifier: key_identifier(point),
                self.entity: entity,
            }
        )

    def covers(self, tbs: bytes) -> bool:
        """Return whether another TBSCertificate (DER) matches, so that the lint would find no error in it either."""
        if not self.pattern.fits(tbs):
            return False
        point = _in(tbs, self.point)
        # Below 0x80 the serial number is positive, and from 0x01 upwards 16 bytes are its shortest form.
        if not 0 < tbs[self.serial[0]] < 0x80 or not is_on_p256(point):
            return False
        return _in(tbs, self.identifier) == key_identifier(point) and self._began(tbs) is not None

    def certificate(self, tbs: bytes, encoded: bytes, signature: bytes) -> Certificate:
        """Return a certificate that is covered, without parsing it.

        :param tbs: its TBSCertificate, DER.
        :param encoded: the certificate, DER.
        :param signature: its Ecdsa-Sig-Value, DER.
        """
        began = self._began(tbs)
        assert began is not None
        return Certificate(
            der=encoded,
            tbs=tbs,
            serial_number=SerialNumber(int.from_bytes(_in(tbs, self.serial), "big")),
            issuer=self.issuer,
            subject=_in(tbs, self.subject),
            not_before=began,
            not_after=self.ends,
            public_key_info=_in(tbs, self.key_info),
            extension_values={oid: tbs[start:end] for oid, start, end in self.extensions},
            signature=signature,
        )

    def _began(self, tbs: bytes) -> datetime | None:
        if self.not_before is None:
            return self.began
        try:
            return usual_time(_in(tbs, self.not_before))
        except DerError:
            return None


class CertificateTemplates(Generic[T]):
    """A bounded number of templates, each with the context in which the lint found no error. Safe for threads.

    :param maximum: the number of templates that are kept; a new one replaces the oldest.
    """

    def __init__(self, maximum: int = 64) -> None:
        self._maximum = maximum
        self._newest: tuple[tuple[CertificateTemplate, T], ...] = ()
        self._by_length: dict[int, tuple[tuple[CertificateTemplate, T], ...]] = {}
        self._lock = threading.Lock()

    def add(self, template: CertificateTemplate, context: T) -> None:
        """Add a template."""
        with self._lock:
            self._newest = ((template, context), *self._newest)[: self._maximum]
            by_length: dict[int, tuple[tuple[CertificateTemplate, T], ...]] = {}
            for item in self._newest:
                length = item[0].pattern.length
                by_length[length] = (*by_length.get(length, ()), item)
            self._by_length = by_length  # a new dictionary, because other threads may be reading the old one

    def covering(self, tbs: bytes) -> Iterable[tuple[CertificateTemplate, T]]:
        """Iterate over the templates that cover a TBSCertificate (DER), each with its context, newest first."""
        return (item for item in self._by_length.get(len(tbs), ()) if item[0].covers(tbs))


class CertificateReader:
    """Reads certificates whose lint does not matter here. Device Certificates are mostly like one that was read before,
    and are then not parsed. Safe for threads."""

    def __init__(self) -> None:
        self._templates = CertificateTemplates[None]()

    def read(self, encoded: bytes) -> Certificate:
        """Return the same as :meth:`Certificate.from_der` (see there for errors), sooner.

        :param encoded: DER.
        """
        parts = signed_part(encoded)
        if parts is not None:
            for template, _ in self._templates.covering(parts[0]):
                return template.certificate(parts[0], encoded, parts[1])
        certificate = Certificate.from_der(encoded)
        if parts is not None and certificate.subject == _EMPTY_NAME:
            made = CertificateTemplate.of(read_certificate(encoded))
            if made is not None and made.covers(parts[0]):
                self._templates.add(made, None)
        return certificate


class RequestTemplate:
    """A template made from a Device's certification request in which the lint found nothing.

    :param structure: the result of :func:`~smki.pki.request.read_request`.
    :raises ValueError: if its structure is not the usual one of Device requests.
    """

    def __init__(self, structure: RequestStructure) -> None:
        s = structure
        name = s.extension(Oid.SUBJECT_ALT_NAME)
        if s.info is None or s.public_key is None or name is None:
            raise ValueError("a part is missing")
        start, point, eui = s.info.start, p256_point(s.public_key.encoded), _device_eui(name, s.info.start)
        if point is None or eui is None:
            raise ValueError("unexpected key or subjectAltName")
        self._key = _shifted((s.public_key.start, s.public_key.end), start)
        self._point = self._key[1] - len(point), self._key[1]
        self._alternative_name = _content(name.value, start)
        self._entity_identifier = eui
        self._pattern = _Pattern(s.info.encoded, (self._point, eui))
        self._first = CertificationRequest.of(structure)

    def request(self, data: bytes) -> CertificationRequest | None:
        """Return another request (DER) if it matches, so that the lint would find nothing in it; otherwise None."""
        found = signed_part(data)
        if found is None:
            return None
        info, signature = found
        if not self._pattern.fits(info):
            return None
        if not signature_verifies(_in(info, self._point), signature, info):
            return None
        first = self._first
        return CertificationRequest(
            der=data,
            subject=first.subject,
            public_key_info=_in(info, self._key),
            key_usage=first.key_usage,
            subject_alt_name=_in(info, self._alternative_name),
            usage=first.usage,
            role=first.role,
            entity_identifier=EntityIdentifier(_in(info, self._entity_identifier)),
        )


class RequestTemplates:
    """A few templates of requests: one for each usage and encoding. Safe for threads."""

    MAXIMUM = 8

    def __init__(self) -> None:
        self._newest: tuple[RequestTemplate, ...] = ()

    def add(self, template: RequestTemplate) -> None:
        """Add a template, replacing the oldest."""
        self._newest = (template, *self._newest[: self.MAXIMUM - 1])

    def request(self, data: bytes) -> CertificationRequest | None:
        """Return a request (DER) if it matches one of the templates; otherwise None."""
        return next((found for template in self._newest if (found := template.request(data)) is not None), None)


def signed_part(data: bytes) -> tuple[bytes, bytes] | None:
    """Return what is signed in a certificate or request, and the Ecdsa-Sig-Value; None if anything else is unusual.

    :param data: DER of a SEQUENCE of a SEQUENCE, ecdsa-with-SHA256 and a BIT STRING with r and s in range.
    """
    size = len(data)
    if data[:2] == data[4:6] == _LONG and int.from_bytes(data[2:4], "big") == size - 4 >= 256:
        body, end = 4, 8 + int.from_bytes(data[6:8], "big")  # every certificate
    else:
        try:
            outer = der.read(data)
            part = der.read(data, outer.body, outer.end)
        except DerError:
            return None
        if (outer.tag, part.tag) != (der.SEQUENCE,) * 2 or outer.end != size or not outer.has_minimal_length:
            return None
        body, end = outer.body, part.end
    at = end + len(ECDSA_WITH_SHA256_ALGORITHM)
    # BIT STRING, its length, no unused bits, then a SEQUENCE up to the end.
    head = bytes((der.BIT_STRING, (size - at - 2) & 0x7F, 0, der.SEQUENCE, (size - at - 5) & 0x7F))
    if not 5 < size - at <= 80 or data[end:at] != ECDSA_WITH_SHA256_ALGORITHM or data[at : at + 5] != head:
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
    return (data[body:end], data[at + 3 :]) if begin == size else None


def _in(encoded: bytes, span: Span) -> bytes:
    return encoded[span[0] : span[1]]


def _shifted(span: Span, start: int) -> Span:
    return span[0] - start, span[1] - start


def _content(node: Node, start: int) -> Span:
    return node.body - start, node.end - start


def _device_eui(extension: ExtensionNode, start: int) -> Span | None:
    """Return the position of the EUI-64 in a subjectAltName: hwSerialNum, which comes last."""
    value = extension.value
    try:
        _, serial = hardware_module_name(value.content)
    except DerError:
        return None
    is_usual = len(serial) == 8 and value.content.endswith(serial)
    return (value.end - 8 - start, value.end - start) if is_usual else None


def _organisation_eui(subject: Node, start: int) -> Span | None:
    """Return the position of the EUI-64 in a subject: that of x500UniqueIdentifier, which comes last."""
    is_usual = subject.content[-8 - len(_UNIQUE_IDENTIFIER) : -8] == _UNIQUE_IDENTIFIER
    return (subject.end - 8 - start, subject.end - start) if is_usual else None
