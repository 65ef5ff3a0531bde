"""Defects of revocation lists."""

from __future__ import annotations

from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.x509 import encode_extension
from smki.testing.defects.catalogue import defect
from smki.testing.defects.edits import (
    FALSE,
    TRUE,
    also,
    appended,
    as_generalized,
    change,
    entry,
    entry_twice,
    flipped,
    instead,
    issued_by,
    long_length,
    no_entries,
    only,
    padded,
    put,
    signature,
    signed_by,
    time,
    whole,
    within,
    without_seconds,
)
from smki.testing.defects.expected import Expected, Openssl
from smki.testing.defects.sample_pki import Base

_L, _A = Base.CRL, Base.ARL
_S, _B, _X = Openssl.SEES, Openssl.BLIND, Openssl.CANNOT_PARSE

_WITH_NULL = der.sequence(der.oid(Oid.ECDSA_WITH_SHA256), der.element(der.NULL))
_REASON = (2, 0)
"""Path to the reasonCode extension in an entry."""


def _reason(value: bytes, critical: bytes = b"") -> bytes:
    return der.sequence(der.oid(Oid.REASON_CODE), critical, der.octet_string(value))


def _reason_number(number: int) -> bytes:
    return _reason(der.element(der.ENUMERATED, bytes((number,))))


_KEY_COMPROMISE = _reason_number(1)
_INVALIDITY = encode_extension("2.5.29.24", der.element(der.GENERALIZED_TIME, b"20260101000000Z"), critical=False)


LIST_FIELDS = (
    defect(
        _L, "trailing-octets", "a byte after the end of the list", whole(appended(b"\0")), "der.trailing-octets", _B
    ),
    defect(
        _L,
        "length-long",
        "the length of the issuer encoded in one byte too many",
        change(long_length, "issuer"),
        "der.length-not-minimal issuer.mismatch",
        _B,
    ),
    defect(_L, "without-signature", "no signatureValue", whole(only(0, 1)), "structure.list", _X),
    defect(
        _L,
        "element-after-extensions",
        "a field after the extensions",
        put(after_extensions=der.integer(1)),
        "structure.list-field",
        _X,
    ),
    defect(
        _L,
        "version-left-out",
        "no version, which means v1, though there are extensions",
        put(version=b""),
        "version.list-wrong",
        _B,
    ),
    defect(_L, "version-3", "version 3", put(version=der.integer(2)), "version.list-wrong", _B),
    defect(
        _L,
        "algorithm-null",
        "NULL parameters in both algorithm identifiers",
        put(algorithm=_WITH_NULL, outer_algorithm=_WITH_NULL),
        "signature-algorithm.parameters",
        _B,
    ),
    defect(
        _L,
        "this-update-generalized",
        "thisUpdate as GeneralizedTime, though before 2050",
        change(as_generalized, "this_update"),
        "update.encoding",
        _B,
    ),
    defect(
        _L,
        "this-update-without-seconds",
        "thisUpdate without seconds",
        change(without_seconds, "this_update"),
        "update.malformed",
        _S,
    ),
    defect(
        _L, "next-update-before", "nextUpdate a day before thisUpdate", put(next_update=time(-2)), "update.reversed", _S
    ),
    defect(_L, "next-update-missing", "no nextUpdate", put(next_update=b""), "next-update.missing", _B),
    defect(
        _L,
        "next-update-late",
        "nextUpdate after 30 days",
        put(next_update=time(30)),
        "next-update.late",
        _B,
        Expected.TRUSTED,
    ),
    defect(
        _L,
        "overdue",
        "a list whose nextUpdate is past",
        put(this_update=time(-4), next_update=time(-2)),
        "",
        _S,
        Expected.LIST_OVERDUE,
        clause="RFC 5280 6.3.3",
    ),
    defect(
        _L,
        "not-yet-current",
        "a list whose thisUpdate is to come",
        put(this_update=time(2), next_update=time(4)),
        "",
        _S,
        Expected.LIST_NOT_YET,
        clause="RFC 5280 6.3.3",
    ),
    defect(
        _A,
        "overdue",
        "an ARL whose nextUpdate is past",
        put(this_update=time(-400), next_update=time(-40)),
        "",
        _S,
        Expected.LIST_OVERDUE,
        clause="RFC 5280 6.3.3",
    ),
    defect(
        _L,
        "of-another-authority",
        "named and signed by the Root OCA, where the Issuing OCA's list is wanted",
        issued_by(lambda pki: pki.name(Base.ROOT_OCA), "root-oca"),
        "",
        _S,
        Expected.LIST_ISSUER,
        clause="RFC 5280 6.3.3",
        issuer=Base.ROOT_OCA,
    ),
    defect(
        _L,
        "signature-flipped",
        "the last bit of the signature flipped",
        signature(flipped),
        "signature.does-not-verify",
        _S,
        Expected.LIST_SIGNATURE,
    ),
    defect(
        _L,
        "signed-by-another",
        "signed by another key than the issuer's",
        signed_by("stranger"),
        "signature.does-not-verify",
        _S,
        Expected.LIST_SIGNATURE,
    ),
    defect(
        _A,
        "signed-by-another",
        "an ARL signed by another key than the Root OCA's",
        signed_by("stranger"),
        "signature.does-not-verify",
        _S,
        Expected.LIST_SIGNATURE,
    ),
)


LIST_ENTRIES = (
    defect(_L, "entries-empty", "an empty revokedCertificates", no_entries, "entries.empty", _B),
    defect(_L, "entry-without-date", "an entry without revocationDate", entry(only(0)), "structure.list-entry", _X),
    defect(
        _L,
        "entry-serial-number-zero",
        "serial number 0 revoked",
        entry(within((0,), instead(der.integer(0)))),
        "entry.serial-number",
        _B,
    ),
    defect(
        _L,
        "entry-serial-number-20-octets",
        "a serial number of 20 bytes revoked",
        entry(within((0,), instead(der.integer(1 << 158)))),
        "entry.serial-number",
        _B,
    ),
    defect(
        _L,
        "entry-serial-number-padded",
        "a revoked serial number with a needless zero byte in front",
        entry(within((0,), padded)),
        "der.integer-not-minimal",
        _X,
    ),
    defect(_L, "entry-twice", "a certificate revoked twice", entry_twice, "entry.repeated", _B),
    defect(
        _L,
        "entry-date-generalized",
        "a revocationDate as GeneralizedTime, though before 2050",
        entry(within((1,), as_generalized)),
        "entry.date-encoding",
        _B,
    ),
    defect(
        _L,
        "entry-date-no-such-day",
        "a revocationDate on 31 February",
        entry(within((1,), instead(der.element(der.UTC_TIME, b"260231000000Z")))),
        "entry.date-malformed",
        _B,
    ),
    defect(
        _L,
        "entry-date-in-future",
        "a revocationDate after thisUpdate",
        lambda parts, pki: entry(within((1,), instead(time(20)(pki))))(parts, pki),
        "entry.date-in-future",
        _B,
        Expected.TRUSTED,
    ),
    defect(
        _L,
        "entry-invalidity-date",
        "an entry with an invalidityDate",
        entry(within((2,), also(_INVALIDITY))),
        "entry.extension-unexpected",
        _B,
    ),
    defect(
        _L,
        "entry-reason-twice",
        "an entry with two reasonCodes",
        entry(within((2,), also(_KEY_COMPROMISE))),
        "entry.extension-repeated",
        _B,
    ),
    defect(
        _L,
        "entry-reason-critical",
        "a critical reasonCode",
        entry(within(_REASON, instead(_reason(bytes.fromhex("0a0101"), TRUE)))),
        "reason-code.critical",
        _S,
    ),
    defect(
        _L,
        "entry-reason-critical-false",
        "critical FALSE of a reasonCode written out",
        entry(within(_REASON, instead(_reason(bytes.fromhex("0a0101"), FALSE)))),
        "der.default-encoded",
        _B,
    ),
    defect(
        _L,
        "entry-reason-7",
        "reasonCode 7, which does not exist",
        entry(within(_REASON, instead(_reason_number(7)))),
        "reason-code.malformed",
        _B,
    ),
    defect(
        _L,
        "entry-reason-integer",
        "a reasonCode as INTEGER",
        entry(within(_REASON, instead(_reason(der.integer(1))))),
        "reason-code.malformed",
        _B,
    ),
    defect(
        _L,
        "entry-reason-unspecified",
        "reasonCode unspecified",
        entry(within(_REASON, instead(_reason_number(0)))),
        "reason-code.unspecified",
        _B,
        Expected.TRUSTED,
    ),
    defect(
        _L,
        "entry-reason-remove",
        "reasonCode removeFromCRL in a list that is no delta",
        entry(within(_REASON, instead(_reason_number(8)))),
        "reason-code.remove-from-crl",
        _B,
    ),
)
