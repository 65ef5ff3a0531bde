"""Checks of a certificate's basic fields: version, serial number, issuer, validity."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from smki.clock import NO_WELL_DEFINED_EXPIRY, iso
from smki.pki import der
from smki.pki.certificate import CertificateStructure
from smki.pki.der import DerError, IntegerTooLong, Node
from smki.pki.x509 import name_text
from smki.profile.catalogue import Report
from smki.profile.forms import CertificateProfile, Serial, Validity, Version
from smki.sec.role import CertificateKind

TBS = "tbsCertificate"
_SECOND = timedelta(seconds=1)
_ROOTS = (CertificateKind.ROOT_OCA, CertificateKind.ROOT_DCA)


def check_version(report: Report, node: Node | None, form: Version) -> None:
    """Report a version other than the profile's."""
    if node is None:
        report("version.wrong", f"{TBS}.version", "no version, meaning v1", str(form))
        return
    if node.encoded == _version(form):
        return
    try:
        inner = node.inner()
        if inner.tag != der.INTEGER:
            raise DerError(der.tag_name(inner.tag), inner.start)
        number = der.decode_integer(inner)
        seen = f"v{number + 1}"
    except DerError as error:
        number, seen = -1, str(error)
    if number != form.encoded:
        report("version.wrong", f"{TBS}.version", seen, str(form))
        if number == 0:
            report("der.default-encoded", f"{TBS}.version", "v1 encoded explicitly")


@lru_cache(maxsize=4)
def _version(form: Version) -> bytes:
    return der.explicit(0, der.integer(form.encoded))


def check_plain_version(report: Report, node: Node | None, form: Version, code: str, location: str) -> None:
    """Report a wrong version of a request or revocation list, which is an INTEGER without a tag around it."""
    try:
        number = der.decode_integer(node) if node is not None else None
        seen = "no version" if number is None else f"{number}"
    except IntegerTooLong as error:
        number, seen = -1, error.reason
    if number != form.encoded:
        report(code, location, seen, f"{form.encoded} ({form})")


def check_serial_number(report: Report, node: Node | None, form: Serial) -> None:
    """Report a serial number that is not positive, or is too long or too short."""
    if node is None:
        return
    location = f"{TBS}.serialNumber"
    try:
        number = der.decode_integer(node)
    except IntegerTooLong as error:
        report("serial-number.too-long", location, error.reason, f"at most {form.max_bytes} bytes")
        return
    length = (number.bit_length() + 7) // 8
    if number <= 0:
        report("serial-number.not-positive", location, "zero" if number == 0 else f"-{-number:X}"[:64])
    elif length > form.max_bytes:
        seen = f"{length} bytes: {number:X}"[:80]
        report("serial-number.too-long", location, seen, f"at most {form.max_bytes} bytes")
    elif length <= form.made_bytes // 2:
        report("serial-number.short", location, f"{length} bytes: {number:X}", f"{form.made_bytes} bytes")


def check_issuer(report: Report, structure: CertificateStructure, profile: CertificateProfile) -> None:
    """Report a self-issued certificate that is not a root, or a root that is not self-issued."""
    if structure.issuer is None or structure.subject is None:
        return
    issuer, subject = structure.issuer.encoded, structure.subject.encoded
    if profile.kind in _ROOTS and issuer != subject:
        report("issuer.not-subject", f"{TBS}.issuer", name_text(issuer), name_text(subject))
    elif profile.kind not in _ROOTS and issuer == subject:
        report("issuer.is-subject", f"{TBS}.issuer", name_text(issuer))


def check_validity(report: Report, structure: CertificateStructure, form: Validity) -> tuple[datetime, datetime] | None:
    """Report a validity that is malformed, reversed or of the wrong length; return the two moments if readable."""
    moments = []
    for name, node in (("notBefore", structure.not_before), ("notAfter", structure.not_after)):
        if node is None:
            return None
        moment = check_time(report, node, "validity.", f"{TBS}.validity.{name}")
        if moment is None:
            return None
        moments.append(moment)
    not_before, not_after = moments
    location = f"{TBS}.validity"
    if not_before > not_after:
        report("validity.reversed", location, f"{iso(not_before)} to {iso(not_after)}")
    elif form.years is None:
        if not_after != NO_WELL_DEFINED_EXPIRY:
            report("validity.expires", f"{location}.notAfter", iso(not_after))
    else:
        expected = end_of_validity(not_before, form.years)
        if not_after != expected:
            report("validity.length", location, f"{iso(not_before)} to {iso(not_after)}", f"{form.years} years")
    if form.whole_days and (not_before.hour, not_before.minute, not_before.second) != (0, 0, 0):
        report("validity.whole-days", f"{location}.notBefore", iso(not_before))
    return not_before, not_after


def end_of_validity(not_before: datetime, years: int) -> datetime:
    """Return 23:59:59Z of the day before the anniversary, *years* after the day of *not_before* (GBCS 12).

    If that would be later, the last moment that can be encoded (RFC 5280 4.1.2.5.2).
    """
    if not_before.year + years > NO_WELL_DEFINED_EXPIRY.year:
        return NO_WELL_DEFINED_EXPIRY
    if (not_before.month, not_before.day) == (2, 29):
        not_before = not_before.replace(day=28)
        return not_before.replace(year=not_before.year + years, hour=23, minute=59, second=59)
    midnight = not_before.replace(year=not_before.year + years, hour=0, minute=0, second=0)
    return midnight - _SECOND


def check_time(report: Report, node: Node, prefix: str, location: str) -> datetime | None:
    """Report a Time in the wrong form or encoding, with code *prefix*-encoding or -malformed; return it if readable."""
    try:
        moment = der.decode_time(node)
    except DerError as error:
        if node.tag in (der.UTC_TIME, der.GENERALIZED_TIME):
            report(f"{prefix}malformed", location, f"{node.content[:40]!r}: {error.reason}")
        else:
            report(f"{prefix}encoding", location, der.tag_name(node.tag))
        return None
    if (node.tag == der.UTC_TIME) != (moment.year < 2050):
        report(f"{prefix}encoding", location, f"{der.tag_name(node.tag)} for the year {moment.year}")
    return moment
