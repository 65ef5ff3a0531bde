"""Defects of certification requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.request import organisation_subject
from smki.pki.x509 import encode_attribute, key_usage_bit_string
from smki.sec.role import KeyUsage, RemotePartyRole
from smki.testing.defects.catalogue import defect
from smki.testing.defects.edits import (
    added,
    appended,
    body,
    extension,
    flipped,
    instead,
    long_length,
    put,
    retagged,
    signature,
    signed_by,
    subject_key,
    whole,
    within,
    without,
)
from smki.testing.defects.expected import Openssl
from smki.testing.defects.sample_pki import DEVICE_EUI64, ORGANISATION_EUI64, ORGANISATION_NAME, Base, SamplePki
from smki.testing.defects.table_fields import compressed_key, off_the_curve_key, p384_key, rsa_key

_DR, _OR = Base.DEVICE_REQUEST, Base.ORGANISATION_REQUEST
_S, _B, _X = Openssl.SEES, Openssl.BLIND, Openssl.CANNOT_PARSE

_CHALLENGE = der.sequence(der.oid("1.2.840.113549.1.9.7"), der.element(der.SET, der.utf8_string("secret")))
_NESTED = der.sequence()
for _ in range(100):
    _NESTED = der.sequence(_NESTED)
_DEEP = der.sequence(der.oid("1.2.826.0.1.8641679.99"), der.element(der.SET, _NESTED))
_NO_ATTRIBUTE = der.element(der.SET)


def _two_values(parts: Any, pki: SamplePki) -> Any:
    value = der.sequence(*(part.encoded() for part in parts.extensions))
    return replace(parts, extension_list=value + value)


def _two_attributes(parts: Any, pki: SamplePki) -> Any:
    value = der.sequence(*(part.encoded() for part in parts.extensions))
    return replace(parts, other_attributes=der.sequence(der.oid(Oid.EXTENSION_REQUEST), der.set_of(value)))


REQUESTS = (
    defect(
        _DR,
        "trailing-octets",
        "a byte after the end of the request",
        whole(appended(b"\0")),
        "der.trailing-octets",
        _B,
    ),
    defect(
        _DR,
        "length-long",
        "the length of the signed part encoded in one byte too many",
        body(long_length),
        "der.length-not-minimal",
        _B,
    ),
    defect(
        _DR,
        "attributes-out-of-order",
        "attributes in descending order",
        put(other_attributes=_CHALLENGE),
        "der.set-order",
        _B,
    ),
    defect(
        _DR, "nested-deeply", "an attribute nested 100 levels deep", put(other_attributes=_DEEP), "der.unreadable", _B
    ),
    defect(
        _DR,
        "element-after-attributes",
        "an element after the attributes",
        put(after_attributes=der.explicit(1)),
        "structure.request",
        _X,
    ),
    defect(
        _DR,
        "attribute-malformed",
        "an attribute that is a SET",
        put(other_attributes=_NO_ATTRIBUTE),
        "structure.attributes",
        _X,
    ),
    defect(_DR, "version-1", "version 1", put(version=der.integer(1)), "version.request-wrong", _B),
    defect(
        _DR,
        "subject-not-empty",
        "a Device's request with a subject",
        put(subject=der.sequence(encode_attribute(Oid.COMMON_NAME, der.utf8_string("Meter")))),
        "name.not-empty",
        _B,
    ),
    defect(
        _OR,
        "role-decimal",
        "the role in decimal",
        put(
            subject=der.sequence(
                encode_attribute(Oid.COMMON_NAME, der.utf8_string(ORGANISATION_NAME)),
                encode_attribute(Oid.ORGANIZATIONAL_UNIT_NAME, der.utf8_string("137")),
                encode_attribute(Oid.X500_UNIQUE_IDENTIFIER, der.bit_string(ORGANISATION_EUI64.encoded)),
            )
        ),
        "role.malformed",
        _B,
    ),
    defect(
        _OR,
        "entity-identifier-missing",
        "a subject without Entity Identifier",
        put(subject=der.sequence(encode_attribute(Oid.ORGANIZATIONAL_UNIT_NAME, der.utf8_string("02")))),
        "name.attribute-missing",
        _B,
    ),
    defect(
        _OR,
        "role-of-root",
        "the role of the Root OCA",
        put(subject=organisation_subject(RemotePartyRole.ROOT, ORGANISATION_EUI64, ORGANISATION_NAME)),
        "role.wrong",
        _B,
    ),
    defect(_DR, "key-p384", "a key on P-384", subject_key(p384_key), "public-key.curve", _S),
    defect(_DR, "key-rsa", "an RSA key of 2,048 bits", subject_key(rsa_key), "public-key.algorithm", _S),
    defect(_DR, "key-compressed", "a compressed point", subject_key(compressed_key), "public-key.point-form", _S),
    defect(
        _DR,
        "key-off-the-curve",
        "a point that is not on the curve",
        subject_key(off_the_curve_key),
        "public-key.not-on-curve signature.request-does-not-verify",
        _S,
    ),
    defect(_DR, "key-usage-missing", "no keyUsage asked for", without(Oid.KEY_USAGE), "key-usage.missing", _B),
    defect(
        _DR,
        "key-usage-both",
        "digitalSignature and keyAgreement asked for",
        extension(Oid.KEY_USAGE, key_usage_bit_string(KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)),
        "key-usage.wrong",
        _B,
    ),
    defect(
        _OR,
        "key-usage-cert-sign",
        "keyCertSign asked for",
        extension(Oid.KEY_USAGE, key_usage_bit_string(KeyUsage.KEY_CERT_SIGN)),
        "key-usage.wrong",
        _B,
    ),
    defect(
        _DR,
        "hardware-serial-number-7-octets",
        "an hwSerialNum of 7 bytes",
        extension(
            Oid.SUBJECT_ALT_NAME, change_value=within((0, 1, 0, 1), instead(der.octet_string(DEVICE_EUI64.encoded[:7])))
        ),
        "hardware-module-name.serial-length",
        _B,
    ),
    defect(
        _DR,
        "basic-constraints",
        "basicConstraints asked for, which no certificate takes over",
        added(Oid.BASIC_CONSTRAINTS, der.sequence(der.boolean(True)), critical=True),
        "extension.not-carried-over",
        _B,
    ),
    defect(
        _DR,
        "algorithm-null",
        "NULL parameters in the signature algorithm",
        put(outer_algorithm=der.sequence(der.oid(Oid.ECDSA_WITH_SHA256), der.element(der.NULL))),
        "signature-algorithm.parameters",
        _B,
    ),
    defect(
        _DR,
        "signature-flipped",
        "the last bit of the signature flipped",
        signature(flipped),
        "signature.request-does-not-verify",
        _S,
    ),
    defect(
        _DR,
        "signed-by-another",
        "signed by another key than the one in the request",
        signed_by("stranger"),
        "signature.request-does-not-verify",
        _S,
    ),
    defect(
        _DR,
        "signature-malformed",
        "a signature that is an INTEGER",
        signature(retagged(der.INTEGER)),
        "signature.malformed",
        _S,
    ),
    defect(
        _DR,
        "version-2001-octets",
        "a version of 2,001 bytes",
        put(version=der.element(der.INTEGER, b"\x7f" + bytes(2000))),
        "der.integer-too-long version.request-wrong",
        _B,
    ),
    defect(
        _DR,
        "extension-request-of-two-values",
        "an extensionRequest of two values",
        _two_values,
        "extension-request.not-single",
        _B,
    ),
    defect(
        _DR,
        "extension-request-twice",
        "two extensionRequest attributes",
        _two_attributes,
        "extension-request.not-single",
        _B,
    ),
)
