"""Templates that shorten the lint of Device Certificates and requests.

The requests and certificates of Devices differ only in the serial number, the key and its identifier, the Device ID and
the signature. If the full lint found nothing in one of them, another with the same bytes everywhere else is valid if
those values are, and only they are checked here, by the rules of the lint. Anything that matches no template gets the
full lint. ``smki check`` runs the full lint on everything that was issued.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smki.identity import SerialNumber
from smki.pki import der
from smki.pki.certificate import Certificate, CertificateStructure
from smki.pki.der import DerError, Node
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest, RequestStructure
from smki.pki.x509 import (
    ECDSA_WITH_SHA256_ALGORITHM,
    ExtensionNode,
    hardware_module_name,
    is_on_p256,
    key_identifier,
    p256_point,
    signature_verifies,
)
from smki.profile.catalogue import Report
from smki.profile.check_key import check_signature_form

KEPT = 4
"""Maximum number of templates kept at a time."""

Slot = tuple[int, int]
"""Where bytes may differ: (start, end)."""


class _Pattern:
    """Bytes that are fixed except in some slots."""

    __slots__ = ("_fixed", "_length")

    def __init__(self, content_bytes: bytes, slots: Iterable[Slot]) -> None:
        self._length = len(content_bytes)
        ends, starts = [0], []
        for start, end in sorted(slots):
            starts.append(start)
            ends.append(end)
        starts.append(len(content_bytes))
        self._fixed = tuple((start, end, content_bytes[start:end]) for start, end in zip(ends, starts, strict=True))

    def fits(self, content_bytes: bytes) -> bool:
        """Return whether other bytes are the same outside the slots."""
        return len(content_bytes) == self._length and all(
            content_bytes[start:end] == same for start, end, same in self._fixed
        )


class CertificateTemplate:
    """A template made from a Device's TBSCertificate in which the lint found nothing.

    :param structure: the result of :func:`~smki.pki.certificate.read_tbs_certificate`.
    :raises ValueError: if its structure is not the usual one of Device Certificates.
    """

    def __init__(self, structure: CertificateStructure) -> None:
        s: Any = structure  # the lint found nothing, so no part is missing
        self._serial = _exactly(s.serial_number, 16)
        self._key = s.public_key.start, s.public_key.end
        self._point = _point(s.public_key)
        self._identifier = _last(s.extension(Oid.SUBJECT_KEY_IDENTIFIER).value, 8, 10)
        self._alternative_name, device = _alternative_name(structure.extension(Oid.SUBJECT_ALT_NAME))
        self._pattern = _Pattern(structure.data, (self._serial, self._point, self._identifier, device))
        self._issuer, self._subject = s.issuer.encoded, s.subject.encoded
        self._not_before, self._not_after = der.decode_time(s.not_before), der.decode_time(s.not_after)
        self._extension_values = {extension.oid: extension.value.content for extension in structure.extensions}

    def covers(self, tbs: bytes) -> bool:
        """Return whether another TBSCertificate (DER) matches, so that the lint would find nothing in it either."""
        if not self._pattern.fits(tbs):
            return False
        point = _in(tbs, self._point)
        # Below 0x80 it is positive, and from 0x01 upwards 16 bytes are its shortest form.
        return (
            0 < tbs[self._serial[0]] < 0x80
            and is_on_p256(point)
            and _in(tbs, self._identifier) == key_identifier(point)
        )

    def certificate(self, tbs: bytes, signed: bytes) -> Certificate:
        """Return a certificate that matches, without parsing it.

        :param signed: the same *tbs* signed with ecdsa-with-SHA256, DER.
        """
        signature = der.read(signed, der.read(signed).body + len(tbs) + len(ECDSA_WITH_SHA256_ALGORITHM))
        return Certificate(
            der=signed,
            tbs=tbs,
            serial_number=SerialNumber(int.from_bytes(_in(tbs, self._serial), "big")),
            issuer=self._issuer,
            subject=self._subject,
            not_before=self._not_before,
            not_after=self._not_after,
            public_key_info=_in(tbs, self._key),
            extension_values={
                **self._extension_values,
                Oid.SUBJECT_KEY_IDENTIFIER: b"\x04\x08" + _in(tbs, self._identifier),
                Oid.SUBJECT_ALT_NAME: _in(tbs, self._alternative_name),
            },
            signature=signature.content[1:],
        )


class CertificateTemplates:
    """The latest templates of one profile and issuer: one for each usage, and a new one whenever notBefore changes.
    Safe for threads."""

    def __init__(self) -> None:
        self._latest: tuple[CertificateTemplate, ...] = ()

    def add(self, template: CertificateTemplate) -> None:
        """Add a template, replacing the oldest."""
        self._latest = (template, *self._latest[: KEPT - 1])

    def covering(self, tbs: bytes) -> CertificateTemplate | None:
        """Return the template that a TBSCertificate (DER) matches, if there is one."""
        return next((template for template in self._latest if template.covers(tbs)), None)


class RequestTemplate:
    """A template made from a Device's certification request in which the lint found nothing.

    :param structure: the result of :func:`~smki.pki.request.read_request`.
    :raises ValueError: if its structure is not the usual one of Device requests.
    """

    def __init__(self, structure: RequestStructure) -> None:
        s: Any = structure  # the lint found nothing, so no part is missing
        start = s.info.start
        self._key = s.public_key.start - start, s.public_key.end - start
        self._point = _shifted(_point(s.public_key), start)
        alternative_name, device = _alternative_name(structure.extension(Oid.SUBJECT_ALT_NAME))
        self._alternative_name = _shifted(alternative_name, start)
        self._pattern = _Pattern(s.info.encoded, (self._point, _shifted(device, start)))
        request = CertificationRequest.of(structure)
        self._subject, self._key_usage = request.subject, request.key_usage

    def request(self, data: bytes) -> CertificationRequest | None:
        """Return another request (DER) if it matches, so that the lint would find nothing in it; otherwise None."""
        try:
            outer = der.read(data)
            info = der.read(data, outer.body, outer.end).encoded
            if outer.tag != der.SEQUENCE or outer.end != len(data) or not outer.has_minimal_length:
                return None
            if not self._pattern.fits(info):
                return None
            at = outer.body + len(info) + len(ECDSA_WITH_SHA256_ALGORITHM)
            signature = der.read(data, at, outer.end)
            if data[outer.body + len(info) : at] != ECDSA_WITH_SHA256_ALGORITHM or signature.end != outer.end:
                return None
        except DerError:
            return None
        report, point = Report(), _in(info, self._point)
        if signature.tag != der.BIT_STRING or not signature.has_minimal_length:
            return None
        if not check_signature_form(report, signature, "signature") or report.findings:
            return None
        if not is_on_p256(point) or not signature_verifies(point, signature.content[1:], info):
            return None
        return CertificationRequest(
            data, self._subject, _in(info, self._key), self._key_usage, _in(info, self._alternative_name)
        )


class RequestTemplates:
    """The latest templates: one for each usage and encoding of a request. Safe for threads."""

    def __init__(self) -> None:
        self._latest: tuple[RequestTemplate, ...] = ()

    def add(self, template: RequestTemplate) -> None:
        """Add a template, replacing the oldest."""
        self._latest = (template, *self._latest[: KEPT - 1])

    def request(self, data: bytes) -> CertificationRequest | None:
        """Return a request (DER) if it matches one of the templates; otherwise None."""
        return next((found for template in self._latest if (found := template.request(data)) is not None), None)


def _in(content_bytes: bytes, slot: Slot) -> bytes:
    return content_bytes[slot[0] : slot[1]]


def _exactly(node: Node, length: int) -> Slot:
    if node.end - node.body != length:
        raise ValueError("unexpected length")
    return node.body, node.end


def _last(node: Node, count: int, of: int) -> Slot:
    _exactly(node, of)
    return node.end - count, node.end


def _point(key: Node) -> Slot:
    point = p256_point(key.encoded)
    if point is None:
        raise ValueError("not a P-256 key")
    return key.end - len(point), key.end


def _shifted(slot: Slot, start: int) -> Slot:
    return slot[0] - start, slot[1] - start


def _alternative_name(extension: ExtensionNode | None) -> tuple[Slot, Slot]:
    """Return the positions of the contents of subjectAltName and of hwSerialNum, which comes last in them."""
    if extension is None:
        raise ValueError("no subjectAltName")
    value = extension.value
    try:
        _, serial = hardware_module_name(value.content)
    except DerError as error:
        raise ValueError("unexpected subjectAltName") from error
    if len(serial) != 8 or not value.content.endswith(serial):
        raise ValueError("unexpected subjectAltName")
    return (value.body, value.end), (value.end - len(serial), value.end)
