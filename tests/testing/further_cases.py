"""Things that are wrong beyond the catalogue of defects: too broken, or too odd, to be one thing wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from smki import Certificate, SmkiError, lint
from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.revocation_list import RevocationList
from smki.pki.x509 import P256_KEY_ALGORITHM
from smki.profile import lint_request, lint_revocation_list
from smki.profile.issuer import IssuerFacts
from smki.profile.lint import lint_tbs_certificate, lint_tbs_list
from smki.profile.tables import LIST_PROFILES, PROFILES, TEST_POLICY_OID
from smki.sec.role import CertificateKind
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.edits import appended, body, change, extension, only, put, signature, whole
from smki.testing.defects.sample_pki import Edit
from tests.profile.support import codes

_GARBAGE = der.element(der.SEQUENCE, b"\x30\x05\x01")

_RDN = der.set_of(der.sequence(der.oid(Oid.COMMON_NAME), der.utf8_string("Name")))
_ATTRIBUTE = der.sequence(der.oid("1.2.3.4"), der.set_of(der.integer(1)))
_EXTENSION = der.sequence(der.oid("1.2.3.4"), der.octet_string(b""))


def _entry(extensions: bytes, serial_number: bytes = b"\x01") -> bytes:
    when = der.element(der.UTC_TIME, b"260101000000Z")
    return der.sequence(der.sequence(der.element(der.INTEGER, serial_number), when, extensions))


EDITS: dict[str, tuple[Base, Edit]] = {
    "a tbsCertificate of no elements": (Base.DEVICE, body(lambda _: _GARBAGE)),
    "two elements of extensions": (Base.DEVICE, put(extension_list=der.sequence() + der.integer(1))),
    "notBefore an INTEGER": (Base.DEVICE, put(not_before=der.integer(1))),
    "cA FALSE written": (Base.ISSUING_OCA, extension(Oid.BASIC_CONSTRAINTS, der.sequence(der.boolean(False)))),
    "signature cut short": (Base.DEVICE, signature(lambda data: data[:-1])),
    "algorithm without identifier": (Base.DEVICE, put(outer_algorithm=der.sequence())),
    "key with unused bits": (
        Base.DEVICE,
        put(public_key=der.sequence(P256_KEY_ALGORITHM, der.bit_string(bytes(65), 1))),
    ),
    "empty BIT STRING": (Base.DEVICE, extension(Oid.KEY_USAGE, b"\x03\x00")),
    "empty INTEGER": (Base.DEVICE, put(serial_number=b"\x02\x00")),
    "request of two elements": (Base.DEVICE_REQUEST, whole(only(0, 1))),
    "list without issuer": (Base.CRL, put(issuer=b"")),
    "list with two elements of extensions": (Base.CRL, put(extension_list=der.sequence() + der.integer(1))),
    "entries that end in rubbish": (
        Base.CRL,
        lambda parts, pki: put(entry_list=der.sequence(*parts.entries, b"\x30\x05\x01"))(parts, pki),
    ),
    "list and a byte": (Base.CRL, whole(appended(b"\x05"))),
    "a serial number of 2,001 bytes": (Base.DEVICE, put(serial_number=der.element(der.INTEGER, b"\x7f" * 2001))),
    "a subject of 5,000 bytes": (Base.ORGANISATION, put(subject=der.sequence(*[_RDN] * 300))),
    "a request of 17 attributes": (Base.DEVICE_REQUEST, put(other_attributes=_ATTRIBUTE * 17)),
    "an entry of 5,000 bytes": (Base.CRL, put(entry_list=_entry(der.octet_string(bytes(5000))))),
    "an entry of 17 extensions": (Base.CRL, put(entry_list=_entry(der.sequence(_EXTENSION * 17)))),
    "an entry's serial number of 65 bytes": (Base.CRL, put(entry_list=_entry(b"", b"\x7f" * 65))),
    "issuer with padded lengths": (Base.DEVICE, change(lambda data: b"\x30\x81" + data[1:], "issuer")),
}


def _problem_codes(read: Callable[[bytes], object], data: bytes) -> set[str]:
    try:
        read(data)
    except SmkiError as error:
        return {problem.code for problem in error.problems}
    return set()


def further_cases(pki: SamplePki) -> Iterator[tuple[str, Callable[[], set[str]]]]:
    """(name, what gives the codes that are found)."""
    for name, (base, edit) in EDITS.items():
        yield name, partial(_codes, edit(pki.good(base), pki).encoded())
    request, crl = pki.good_bytes(Base.DEVICE_REQUEST), pki.good_bytes(Base.CRL)
    device: Any = pki.good_bytes(Base.DEVICE)
    yield "a request for something else", lambda: codes(lint(request, kind="device"))
    yield "a list for something else", lambda: codes(lint(crl, kind="device"))
    yield "a request for an Organisation", lambda: codes(lint_request(request, CertificateKind.ORGANISATION))
    yield "an INTEGER for a list", lambda: codes(lint_revocation_list(b"\x02\x01\x01"))
    yield "a certificate and a byte", lambda: _problem_codes(Certificate.from_der, device + b"\0")
    yield "70,000 bytes for a certificate", lambda: _problem_codes(Certificate.from_der, bytes(70_000))
    yield "a request for a certificate", lambda: _problem_codes(Certificate.from_der, _bad_serial(pki))
    yield "a list with a date that is none", lambda: _problem_codes(RevocationList.from_der, _bad_date(pki))
    yield from _before_signing(pki)


def _codes(data: bytes) -> set[str]:
    return codes(lint(data))


def _before_signing(pki: SamplePki) -> Iterator[tuple[str, Callable[[], set[str]]]]:
    facts = IssuerFacts.of(Certificate.from_der(pki.good_bytes(Base.ISSUING_DCA)))
    tbs = Certificate.from_der(pki.good_bytes(Base.DEVICE)).tbs
    tbs_list = RevocationList.from_der(pki.good_bytes(Base.CRL)).tbs

    def certificate(data: bytes) -> set[str]:
        return codes(lint_tbs_certificate(data, PROFILES["device"], facts, TEST_POLICY_OID))

    def revoked(data: bytes) -> set[str]:
        return codes(lint_tbs_list(data, LIST_PROFILES["organisation-crl"], IssuerFacts()))

    for function, good in ((certificate, tbs), (revoked, tbs_list)):
        for data in (good + b"\0", good[:-1], b"\x02\x01\x01", _GARBAGE):
            yield "before signing", partial(function, data)


def _bad_serial(pki: SamplePki) -> bytes:
    data: bytes = put(serial_number=der.integer(0))(pki.good(Base.DEVICE), pki).encoded()
    return data


def _bad_date(pki: SamplePki) -> bytes:
    edit = put(this_update=der.element(der.UTC_TIME, b"260231000000Z"))
    data: bytes = edit(pki.good(Base.CRL), pki).encoded()
    return data
