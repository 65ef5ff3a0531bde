"""Defects of names and validity in end-entity certificates."""

from __future__ import annotations

from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.x509 import encode_attribute
from smki.testing.defects.catalogue import defect
from smki.testing.defects.edits import (
    Part,
    as_generalized,
    change,
    issued_by,
    only,
    put,
    retagged,
    time,
    within,
    without_seconds,
)
from smki.testing.defects.expected import Expected, Openssl
from smki.testing.defects.sample_pki import ORGANISATION_EUI64, Base, Edit, authority_name

_D, _O = Base.DEVICE, Base.ORGANISATION
_S, _B, _X = Openssl.SEES, Openssl.BLIND, Openssl.CANNOT_PARSE

_CN, _OU = Oid.COMMON_NAME, Oid.ORGANIZATIONAL_UNIT_NAME
_ORGANISATION = ("2.5.4.10", der.utf8_string("Supplier"))


def _subject(*attributes: tuple[str, bytes]) -> Part:
    return der.sequence(*(encode_attribute(oid, value) for oid, value in attributes))


_NAME = (_CN, der.utf8_string("Supplier"))
_ROLE = (_OU, der.utf8_string("02"))
_EUI = (Oid.X500_UNIQUE_IDENTIFIER, der.bit_string(ORGANISATION_EUI64.encoded))


def _with_role(text: str) -> Edit:
    return put(subject=_subject(_NAME, (_OU, der.utf8_string(text)), _EUI))


_TWO_IN_ONE = der.sequence(
    encode_attribute(*_NAME),
    der.set_of(der.sequence(der.oid(_ROLE[0]), _ROLE[1]), der.sequence(der.oid(_EUI[0]), _EUI[1])),
)

NAMES = (
    defect(
        _D,
        "subject-not-empty",
        "a subject with a common name",
        put(subject=_subject((_CN, der.utf8_string("Meter")))),
        "name.not-empty",
        _B,
    ),
    defect(
        _O,
        "subject-unreadable",
        "a subject whose RDNs are SEQUENCEs",
        change(within((1,), retagged(der.SEQUENCE)), "subject"),
        "name.unreadable",
        _X,
    ),
    defect(
        _O, "rdn-of-two", "role and Entity Identifier in one RDN", put(subject=_TWO_IN_ONE), "name.multi-valued", _B
    ),
    defect(
        _O,
        "rdn-of-two-out-of-order",
        "role and Entity Identifier in one RDN, its members in descending order",
        put(subject=within((1,), only(1, 0))(_TWO_IN_ONE)),
        "der.set-order name.multi-valued name.attribute-order",
        _B,
    ),
    defect(
        _O,
        "entity-identifier-missing",
        "a subject without Entity Identifier",
        put(subject=_subject(_NAME, _ROLE)),
        "name.attribute-missing",
        _B,
    ),
    defect(
        _O, "role-missing", "a subject without role", put(subject=_subject(_NAME, _EUI)), "name.attribute-missing", _B
    ),
    defect(
        _O,
        "organisation-name",
        "a subject with an organizationName",
        put(subject=_subject(_NAME, _ROLE, _EUI, _ORGANISATION)),
        "name.attribute-unexpected",
        _B,
    ),
    defect(
        _O,
        "role-twice",
        "the role twice",
        put(subject=_subject(_NAME, _ROLE, _ROLE, _EUI)),
        "name.attribute-repeated",
        _B,
    ),
    defect(
        _O,
        "subject-order",
        "the Entity Identifier before the role",
        put(subject=_subject(_NAME, _EUI, _ROLE)),
        "name.attribute-order",
        _B,
    ),
    defect(
        _O,
        "role-printable",
        "the role as PrintableString",
        put(subject=_subject(_NAME, (_OU, der.printable_string("02")), _EUI)),
        "name.string-type",
        _B,
    ),
    defect(
        _O,
        "entity-identifier-text",
        "the Entity Identifier as text",
        put(subject=_subject(_NAME, _ROLE, (_EUI[0], der.utf8_string("90B3D51F30010000")))),
        "name.string-type",
        _B,
    ),
    defect(
        _O,
        "name-not-utf8",
        "a common name that is not UTF-8",
        put(subject=_subject((_CN, der.element(der.UTF8_STRING, b"Supplier \xff")), _ROLE, _EUI)),
        "name.string-malformed",
        _X,
    ),
    defect(
        _O,
        "name-too-long",
        "a common name of 65 characters",
        put(subject=_subject((_CN, der.utf8_string("S" * 65)), _ROLE, _EUI)),
        "common-name.length",
        _B,
    ),
    defect(
        _O,
        "name-empty",
        "an empty common name",
        put(subject=_subject((_CN, der.utf8_string("")), _ROLE, _EUI)),
        "common-name.length",
        _B,
    ),
    defect(
        _O, "role-decimal", "the role in decimal, as in the Repository's XML", _with_role("137"), "role.malformed", _B
    ),
    defect(_O, "role-one-digit", "the role without its leading zero", _with_role("2"), "role.malformed", _B),
    defect(_O, "role-lower-case", "the role in lower case", _with_role("7f"), "role.malformed", _B),
    defect(_O, "role-unknown", "a role that does not exist (0A)", _with_role("0A"), "role.unknown", _B),
    defect(_O, "role-of-authority", "the role of an Issuing Authority (07)", _with_role("07"), "role.wrong", _B),
    defect(
        _O,
        "entity-identifier-7-octets",
        "an Entity Identifier of 7 bytes",
        put(subject=_subject(_NAME, _ROLE, (_EUI[0], der.bit_string(ORGANISATION_EUI64.encoded[:7])))),
        "entity-identifier.length",
        _B,
    ),
    defect(
        _O,
        "entity-identifier-63-bits",
        "an Entity Identifier of 63 bits",
        put(subject=_subject(_NAME, _ROLE, (_EUI[0], der.bit_string(ORGANISATION_EUI64.encoded, 1)))),
        "entity-identifier.length",
        _B,
    ),
    defect(
        _O,
        "issuer-utf8",
        "the issuer's names as UTF8String, unlike the issuer's certificate",
        put(
            issuer=der.sequence(
                encode_attribute(_OU, der.utf8_string("07")), encode_attribute(_CN, der.utf8_string("X1"))
            )
        ),
        "issuer.mismatch name.issuer-string-type",
        _B,
        Expected.ISSUER_UNKNOWN,
    ),
    defect(
        _O,
        "issuer-root",
        "named and signed as if by the Root OCA",
        issued_by(lambda pki: pki.name(Base.ROOT_OCA), Base.ROOT_OCA.value),
        "role.wrong",
        _B,
        issuer=Base.ROOT_OCA,
    ),
    defect(
        _O,
        "issuer-device-authority",
        "the Issuing DCA named as the issuer of an Organisation Certificate",
        put(issuer=lambda pki: pki.name(Base.ISSUING_DCA)),
        "name.attribute-missing issuer.mismatch",
        _S,
    ),
    defect(
        _D,
        "issuer-organisation-authority",
        "the Issuing OCA named as the issuer of a Device Certificate",
        put(issuer=lambda pki: pki.name(Base.ISSUING_OCA)),
        "name.attribute-unexpected issuer.mismatch",
        _S,
    ),
    defect(
        _D,
        "issuer-wrong",
        "another authority named as the issuer",
        put(issuer=authority_name(None, "XD09")),
        "issuer.mismatch",
        _S,
        Expected.ISSUER_UNKNOWN,
    ),
)

_BEFORE, _AFTER = 365 * 20, 365 * 14
VALIDITY = (
    defect(
        _D,
        "not-before-generalized",
        "notBefore as GeneralizedTime, though before 2050",
        change(as_generalized, "not_before"),
        "validity.encoding",
        _B,
    ),
    defect(
        _D,
        "not-before-without-seconds",
        "notBefore without seconds",
        change(without_seconds, "not_before"),
        "validity.malformed",
        _S,
    ),
    defect(
        _D,
        "not-before-with-zone",
        "notBefore with a time zone",
        put(not_before=der.element(der.UTC_TIME, b"260101000000+0100")),
        "validity.malformed",
        _S,
    ),
    defect(
        _D,
        "not-before-no-such-day",
        "notBefore on 31 February",
        put(not_before=der.element(der.UTC_TIME, b"260231000000Z")),
        "validity.malformed",
        _S,
    ),
    defect(
        _D,
        "not-after-fraction",
        "notAfter with a fraction of a second",
        put(not_after=der.element(der.GENERALIZED_TIME, b"99991231235959.9Z")),
        "validity.malformed",
        _S,
    ),
    defect(
        _D,
        "validity-reversed",
        "notBefore later than notAfter",
        put(not_before=time(-30), not_after=time(-60)),
        "validity.reversed",
        _S,
    ),
    defect(_D, "expires", "an expiry, 20 years on", put(not_after=time(_BEFORE)), "validity.expires", _B),
    defect(
        _O,
        "11-years",
        "a validity of eleven years",
        put(not_after=time(365 * 11)),
        "validity.length",
        _B,
        Expected.TRUSTED,
    ),
    defect(
        _O,
        "not-whole-days",
        "notBefore at noon",
        put(not_before=time(-30, hours=12)),
        "validity.whole-days",
        _B,
        Expected.TRUSTED,
    ),
    defect(
        _D,
        "older-than-issuer",
        "a notBefore earlier than the issuing authority's",
        put(not_before=time(-_BEFORE)),
        "validity.beyond-issuer",
        _B,
        Expected.TRUSTED,
    ),
    defect(
        _D,
        "serial-number-short",
        "a serial number of one byte",
        put(serial_number=der.integer(5)),
        "serial-number.short",
        _B,
        Expected.TRUSTED,
    ),
)
