"""Valid certificates, and views of the catalogue of defects: the same defect in certificates of both hierarchies, or in
both kinds of revocation list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.request import organisation_subject
from smki.pki.x509 import key_usage_bit_string
from smki.sec.role import ORGANISATION_ROLES, KeyUsage, RemotePartyRole
from smki.testing.defects import DEFECTS
from smki.testing.defects.case import TRUSTED, Case, case_of, in_place_of
from smki.testing.defects.edits import (
    added,
    appended,
    body,
    both,
    change,
    cut,
    extension,
    instead,
    long_length,
    only,
    put,
    whole,
    within,
)
from smki.testing.defects.sample_pki import ORGANISATION_EUI64, Base, Edit, SamplePki
from smki.testing.defects.signer import ECDSA_WITH_SHA384_ALGORITHM


class Variation(NamedTuple):
    """One defect that several certificates or lists have in turn."""

    name: str
    """What follows the prefix in the name of a case."""
    wrong: str
    edit: Edit
    expected: str


_DEFECTS = {defect.name: defect for defect in DEFECTS}


def _like(name: str, defect_name: str) -> Variation:
    """The defect of the catalogue, applied to something else."""
    defect = _DEFECTS[defect_name]
    return Variation(name, defect.wrong, defect.edit, defect.verdict.code)


_CERTIFICATE = (
    _like("version-1", "device-version-left-out"),
    _like("serial-zero", "device-serial-number-zero"),
    _like("serial-negative", "device-serial-number-negative"),
    Variation("serial-17-octets", "a serial number of 17 bytes", put(serial_number=der.integer(1 << 130)), "profile"),
    _like("serial-padded", "device-integer-padded-serial-number"),
    _like("algorithm-sha384", "device-algorithm-not-the-same"),
    _like("algorithm-null", "device-algorithm-null-inside"),
    Variation("issuer-ber-length", "a length that is not minimal", change(long_length, "issuer"), "profile"),
    _like("validity-reversed", "device-validity-reversed"),
    _like("validity-generalized", "device-not-before-generalized"),
    _like("key-compressed", "device-key-compressed"),
    _like("key-not-on-curve", "device-key-off-the-curve"),
    Variation("extensions-none", "no extensions", body(only(*range(7))), "profile"),
    _like("field-after-extensions", "device-element-after-extensions"),
    _like("key-usage-missing", "device-key-usage-missing"),
    _like("key-usage-not-critical", "device-key-usage-not-critical"),
    _like("key-usage-twice", "device-extension-twice"),
    _like("key-usage-both", "device-key-usage-both"),
    _like("key-usage-non-repudiation", "device-key-usage-non-repudiation"),
    _like("ski-missing", "device-subject-key-missing"),
    _like("ski-critical", "device-subject-key-critical"),
    _like("aki-missing", "device-authority-key-missing"),
    _like("aki-critical", "device-authority-key-critical"),
    _like("policies-missing", "device-policies-missing"),
    _like("policies-not-critical", "device-policies-not-critical"),
    _like("basic-constraints", "organisation-basic-constraints-authority"),
    _like("extension-unknown", "device-extension-unknown"),
    _like("extension-unknown-critical", "device-extension-unknown-critical"),
    Variation(
        "extension-eku-critical",
        "a critical extKeyUsage",
        added("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.1")), critical=True),
        "profile",
    ),
    Variation(
        "extension-name-constraints",
        "critical nameConstraints",
        added("2.5.29.30", der.sequence(), critical=True),
        "profile",
    ),
    _like("outer-algorithm-null", "device-algorithm-null-outside"),
    Variation(
        "outer-algorithm-sha384",
        "ecdsa-with-SHA384 in the algorithm identifier outside",
        whole(within((1,), instead(ECDSA_WITH_SHA384_ALGORITHM))),
        "profile",
    ),
    _like("signature-padded", "device-integer-padded-signature"),
    _like("signature-zero", "device-signature-of-zero"),
    Variation(
        "signature-unused-bits",
        "a signature BIT STRING with an unused bit",
        whole(within((2,), lambda bits: der.element(der.BIT_STRING, b"\x01", der.read(bits).content[1:]))),
        "profile",
    ),
    _like("signature-missing", "device-without-signature"),
    _like("fourth-part", "device-element-after-signature"),
    Variation("trailing-octet", "a byte after the end", whole(appended(b"\0")), "profile"),
    Variation("cut-short", "the last byte missing", whole(cut(1)), "profile"),
    Variation("empty", "no bytes at all", whole(instead(b"")), "profile"),
)
_ORGANISATION = (
    Variation(
        "unit-root",
        "the role of a root",
        put(subject=organisation_subject(RemotePartyRole.ROOT, ORGANISATION_EUI64)),
        "profile",
    ),
    _like("unit-unknown", "organisation-role-unknown"),
    _like("unit-printable", "organisation-role-printable"),
    _like("no-unit", "organisation-role-missing"),
    _like("recovery-ka", "organisation-role-without-key-agreement"),
)
_DEVICE = (
    _like("san-missing", "device-alternative-name-missing"),
    _like("san-not-critical", "device-alternative-name-not-critical"),
    _like("subject", "device-subject-not-empty"),
)
_PATH = (
    _like("signature-flipped", "device-signature-flipped"),
    _like("signed-by-another", "device-signed-by-another"),
    _like("aki-wrong", "device-authority-key-wrong"),
    _like("policy-other", "device-policies-other-environment"),
    _like("policy-any", "device-policies-any"),
)
_AUTHORITY = (
    _like("signature-flipped", "issuing-oca-signature-flipped"),
    _like("policy-other", "issuing-oca-other-environment"),
    _like("aki-wrong", "device-authority-key-wrong"),
    _like("no-key-cert-sign", "issuing-oca-without-cert-sign"),
    _like("not-ca", "issuing-oca-not-a-ca"),
    _like("no-basic-constraints", "issuing-oca-without-basic-constraints"),
    _like("constraints-not-critical", "issuing-oca-basic-constraints-not-critical"),
    _like("no-path-length", "issuing-oca-without-path-length"),
)
_LIST = (
    _like("signature-flipped", "organisation-crl-signature-flipped"),
    _like("version-1", "organisation-crl-version-left-out"),
    _like("no-next-update", "organisation-crl-next-update-missing"),
    _like("no-number", "organisation-crl-number-missing"),
    _like("number-critical", "organisation-crl-number-critical"),
    _like("no-key-identifier", "organisation-crl-authority-key-missing"),
    _like("unknown-critical", "organisation-crl-extension-unknown-critical"),
    Variation(
        "partitioned",
        "an issuingDistributionPoint, so that it is only a part of the list",
        added("2.5.29.28", der.sequence(der.element(0x81, b"\xff")), critical=True),
        "revocation.list-profile",
    ),
    _like("delta", "organisation-crl-delta"),
    _like("field-more", "organisation-crl-element-after-extensions"),
    _like("no-signature", "organisation-crl-without-signature"),
    Variation(
        "algorithm-outside",
        "another algorithm named outside",
        whole(within((1,), instead(ECDSA_WITH_SHA384_ALGORITHM))),
        "revocation.list-profile",
    ),
    _like("forged", "organisation-crl-signed-by-another"),
    _like("key-identifier", "organisation-crl-authority-key-wrong"),
    Variation("cut-short", "the end missing", whole(cut(20)), "revocation.list-profile"),
    _like("trailing", "organisation-crl-trailing-octets"),
    Variation("web-page", "a web page", whole(instead(b"<html>Not here</html>")), "revocation.list-profile"),
)

_VIEWS = (
    ("profile-organisation", Base.ORGANISATION, _CERTIFICATE + _ORGANISATION),
    ("profile-device", Base.DEVICE, _CERTIFICATE + _DEVICE),
    ("path-organisation", Base.ORGANISATION, (*_PATH, _like("self-signed", "organisation-self-signed"))),
    ("path-device", Base.DEVICE, (*_PATH, _like("self-signed", "device-self-signed"))),
    ("authority-oca", Base.ISSUING_OCA, _AUTHORITY),
    ("authority-dca", Base.ISSUING_DCA, _AUTHORITY),
    ("crl", Base.CRL, _LIST),
    ("arl", Base.ARL, _LIST),
)
"""Prefix of the names, what is made defective, and the defects."""


def variations(pki: SamplePki) -> Iterator[Case]:
    """Each defect in everything that can have it."""
    for prefix, base, rows in _VIEWS:
        for row in rows:
            fields = in_place_of(base, pki.make(base, row.edit))
            about = f"{prefix.rpartition('-')[2]}: {row.wrong}"
            yield case_of(pki, f"{prefix}-{row.name}", about, row.expected, base, **fields)


def defects(pki: SamplePki) -> Iterator[Case]:
    """Each defect of the catalogue that is not of a certification request, in what the catalogue has it in."""
    for defect in DEFECTS:
        case = defect.case(pki)
        if case is not None:
            use = "/".join(defect.wanted) if defect.wanted else ""
            yield replace(case, name=f"catalogue-{defect.name}", use=use)


def good(pki: SamplePki) -> Iterator[Case]:
    """Valid certificates of every role and key usage."""
    for role in ORGANISATION_ROLES:
        for usage in role.usages:
            edit = both(
                put(subject=organisation_subject(role, ORGANISATION_EUI64)),
                extension(Oid.KEY_USAGE, key_usage_bit_string(usage)),
            )
            yield _good(pki, f"{role.label}/{usage.code}", Base.ORGANISATION, edit)
    for usage in (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT):
        edit = extension(Oid.KEY_USAGE, key_usage_bit_string(usage))
        yield _good(pki, f"device/{usage.code}", Base.DEVICE, edit)


def _good(pki: SamplePki, use: str, base: Base, edit: Edit) -> Case:
    role, _, usage = use.partition("/")
    name = f"good-{role}-{usage.lower()}"
    return case_of(pki, name, f"good: {use}", TRUSTED, base, certificate=pki.make(base, edit), use=use)
