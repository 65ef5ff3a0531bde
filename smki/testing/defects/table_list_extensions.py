"""Defects of the extensions of revocation lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from smki.pki import der
from smki.pki.bounds import MAX_FINDINGS
from smki.pki.oid import Oid
from smki.pki.x509 import encode_extension
from smki.testing.defects.catalogue import defect
from smki.testing.defects.edits import (
    TRUE,
    added,
    entry,
    extension,
    instead,
    put,
    reversed_extensions,
    within,
    without,
)
from smki.testing.defects.expected import Expected, Openssl
from smki.testing.defects.sample_pki import Base, SamplePki

_L, _A = Base.CRL, Base.ARL
_S, _B, _X = Openssl.SEES, Openssl.BLIND, Openssl.CANNOT_PARSE

_AKI, _NUMBER = Oid.AUTHORITY_KEY_IDENTIFIER, Oid.CRL_NUMBER


def _with_two_warnings(count: int) -> Callable[[SamplePki], bytes]:
    def entries(pki: SamplePki) -> bytes:
        when = der.time(pki.today + timedelta(days=2))
        unspecified = der.element(der.ENUMERATED, b"\0")
        extensions = der.sequence(encode_extension(Oid.REASON_CODE, unspecified, critical=False))
        return der.sequence(*(der.sequence(der.integer((1 << 126) + at), when, extensions) for at in range(count)))

    return entries


LIST_EXTENSIONS = (
    defect(
        _L,
        "authority-key-missing",
        "a list without authorityKeyIdentifier",
        without(_AKI),
        "authority-key-identifier.missing",
        _B,
    ),
    defect(
        _L,
        "authority-key-wrong",
        "the authorityKeyIdentifier of another key",
        extension(_AKI, der.sequence(der.element(0x80, bytes.fromhex("4000000000000002")))),
        "authority-key-identifier.mismatch",
        _S,
        Expected.LIST_ISSUER,
    ),
    defect(_L, "number-missing", "a list without cRLNumber", without(_NUMBER), "crl-number.missing", _B),
    defect(_L, "number-critical", "a critical cRLNumber", extension(_NUMBER, critical=TRUE), "crl-number.critical", _S),
    defect(
        _L,
        "number-malformed",
        "a cRLNumber as OCTET STRING",
        extension(_NUMBER, der.octet_string(b"\x01")),
        "crl-number.malformed",
        _B,
    ),
    defect(
        _L, "number-negative", "a negative cRLNumber", extension(_NUMBER, der.integer(-1)), "crl-number.malformed", _B
    ),
    defect(
        _L,
        "number-21-octets",
        "a cRLNumber of 21 bytes",
        extension(_NUMBER, der.integer(1 << 166)),
        "crl-number.too-long",
        _B,
    ),
    defect(
        _L,
        "extension-order",
        "the extensions in the opposite order",
        reversed_extensions,
        "extension.order",
        _B,
        Expected.TRUSTED,
    ),
    defect(
        _L,
        "extension-unknown-critical",
        "an unknown critical extension",
        added("1.2.826.0.1.8641679.99", der.element(der.NULL), critical=True),
        "extension.unexpected-critical",
        _S,
    ),
    defect(
        _L,
        "delta",
        "a deltaCRLIndicator",
        added("2.5.29.27", der.integer(999), critical=True),
        "extension.unexpected-critical",
        _B,
    ),
    defect(
        _L,
        "version-2001-octets",
        "a version of 2,001 bytes",
        put(version=der.element(der.INTEGER, b"\x7f" + bytes(2000))),
        "der.integer-too-long version.list-wrong",
        _B,
    ),
    defect(
        _L,
        "number-2001-octets",
        "a cRLNumber of 2,001 bytes",
        extension(_NUMBER, der.element(der.INTEGER, b"\x7f" + bytes(2000))),
        "der.integer-too-long crl-number.too-long",
        _B,
    ),
    defect(
        _L,
        "entry-extensions-empty",
        "an entry with empty crlEntryExtensions",
        entry(within((2,), instead(der.sequence()))),
        "entry.extensions-empty",
        _B,
    ),
    defect(
        _L,
        "entries-with-a-thousand-warnings",
        "a date in the future and reasonCode unspecified in more entries than a report holds findings",
        put(entry_list=_with_two_warnings(MAX_FINDINGS + 1)),
        "entry.date-in-future reason-code.unspecified findings.left-out",
        _B,
        Expected.TRUSTED,
    ),
)
