"""Defects of the extensions of end-entity certificates."""

from __future__ import annotations

from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.request import hardware_module_alt_name
from smki.pki.x509 import key_identifier, key_usage_bit_string
from smki.sec.role import KeyUsage
from smki.testing.defects.catalogue import defect
from smki.testing.defects.edits import TRUE, added, extension, repeated, reversed_extensions, without
from smki.testing.defects.expected import Expected, Openssl
from smki.testing.defects.sample_pki import DEVICE_EUI64, Base, SamplePki

_D, _O = Base.DEVICE, Base.ORGANISATION
_S, _B, _X = Openssl.SEES, Openssl.BLIND, Openssl.CANNOT_PARSE

_SERVER_AUTHENTICATION = der.sequence(der.oid("1.3.6.1.5.5.7.3.1"))
_DISTRIBUTION_POINT = der.sequence(
    der.sequence(der.explicit(0, der.element(0xA0, der.element(0x86, b"http://example.test/list.crl"))))
)
_ACCESS = der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.48.1"), der.element(0x86, b"http://example.test/")))

WHICH = (
    defect(_D, "extension-twice", "keyUsage twice", repeated(Oid.KEY_USAGE), "extension.duplicate", _S),
    defect(
        _D,
        "extended-key-usage",
        "an extKeyUsage",
        added("2.5.29.37", _SERVER_AUTHENTICATION),
        "extension.unexpected",
        _B,
    ),
    defect(
        _O,
        "distribution-points",
        "a cRLDistributionPoints",
        added("2.5.29.31", _DISTRIBUTION_POINT),
        "extension.unexpected",
        _B,
    ),
    defect(
        _O,
        "authority-information",
        "an authorityInfoAccess",
        added("1.3.6.1.5.5.7.1.1", _ACCESS),
        "extension.unexpected",
        _B,
    ),
    defect(
        _D,
        "extension-unknown",
        "an unknown extension, not critical",
        added("1.2.826.0.1.8641679.99", der.element(der.NULL)),
        "extension.unexpected",
        _B,
    ),
    defect(
        _D,
        "extension-unknown-critical",
        "an unknown critical extension",
        added("1.2.826.0.1.8641679.99", der.element(der.NULL), critical=True),
        "extension.unexpected-critical",
        _S,
    ),
    defect(
        _O,
        "basic-constraints-end-entity",
        "basicConstraints in an end entity, not a CA",
        added(Oid.BASIC_CONSTRAINTS, der.sequence(), critical=True),
        "extension.unexpected-critical",
        _B,
    ),
    defect(
        _O,
        "basic-constraints-authority",
        "basicConstraints in an end entity that make it a CA",
        added(Oid.BASIC_CONSTRAINTS, der.sequence(TRUE), critical=True),
        "extension.unexpected-critical",
        _B,
    ),
    defect(
        _O,
        "alternative-name",
        "a subjectAltName",
        added(Oid.SUBJECT_ALT_NAME, hardware_module_alt_name(DEVICE_EUI64)),
        "extension.unexpected",
        _B,
    ),
    defect(
        _D,
        "extension-order",
        "the extensions in the opposite order",
        reversed_extensions,
        "extension.order",
        _B,
        Expected.TRUSTED,
    ),
)

_DS, _KA = KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT
_KU = Oid.KEY_USAGE

KEY_USAGE = (
    defect(_D, "key-usage-missing", "no keyUsage", without(_KU), "key-usage.missing", _B),
    defect(
        _D,
        "key-usage-not-critical",
        "keyUsage not critical",
        extension(_KU, critical=b""),
        "key-usage.not-critical",
        _B,
    ),
    defect(
        _D, "key-usage-malformed", "keyUsage as an INTEGER", extension(_KU, der.integer(128)), "key-usage.malformed", _S
    ),
    defect(
        _D,
        "key-usage-empty",
        "keyUsage without any usage",
        extension(_KU, der.bit_string(b"")),
        "key-usage.malformed",
        _S,
    ),
    defect(
        _D,
        "key-usage-non-repudiation",
        "keyUsage nonRepudiation (as seen in a published certificate)",
        extension(_KU, key_usage_bit_string(KeyUsage.NON_REPUDIATION)),
        "key-usage.wrong",
        _B,
    ),
    defect(
        _D,
        "key-usage-both",
        "keyUsage digitalSignature and keyAgreement",
        extension(_KU, key_usage_bit_string(_DS, _KA)),
        "key-usage.wrong",
        _B,
    ),
    defect(
        _D,
        "key-usage-cert-sign",
        "keyUsage keyCertSign in an end entity",
        extension(_KU, key_usage_bit_string(KeyUsage.KEY_CERT_SIGN)),
        "key-usage.wrong",
        _S,
    ),
    defect(
        _O,
        "key-usage-not-of-role",
        "keyUsage cRLSign in an Organisation Certificate",
        extension(_KU, key_usage_bit_string(KeyUsage.CRL_SIGN)),
        "key-usage.wrong",
        _B,
    ),
)

_SKI, _AKI = Oid.SUBJECT_KEY_IDENTIFIER, Oid.AUTHORITY_KEY_IDENTIFIER


def _issuer_and_serial(pki: SamplePki) -> bytes:
    name = der.explicit(4, pki.name(Base.ROOT_DCA))
    serial = pki.serial_number(Base.ISSUING_DCA.value).encoded
    return der.sequence(
        der.element(0x80, key_identifier(pki.point(Base.ISSUING_DCA.value))),
        der.element(0xA1, name),
        der.element(0x82, serial),
    )


KEY_IDENTIFIERS = (
    defect(_D, "subject-key-missing", "no subjectKeyIdentifier", without(_SKI), "subject-key-identifier.missing", _B),
    defect(
        _D,
        "subject-key-critical",
        "a critical subjectKeyIdentifier",
        extension(_SKI, critical=TRUE),
        "subject-key-identifier.critical",
        _S,
    ),
    defect(
        _D,
        "subject-key-malformed",
        "a subjectKeyIdentifier without its OCTET STRING",
        extension(_SKI, change_value=lambda value: der.read(value).content),
        "subject-key-identifier.malformed",
        _S,
    ),
    defect(
        _D,
        "subject-key-20-octets",
        "a subjectKeyIdentifier of 20 bytes",
        extension(_SKI, der.octet_string(bytes(range(20)))),
        "subject-key-identifier.length",
        _B,
    ),
    defect(
        _D,
        "subject-key-method",
        "a subjectKeyIdentifier that is not method (2)",
        extension(_SKI, der.octet_string(bytes.fromhex("4000000000000001"))),
        "subject-key-identifier.method",
        _B,
    ),
    defect(
        _D, "authority-key-missing", "no authorityKeyIdentifier", without(_AKI), "authority-key-identifier.missing", _S
    ),
    defect(
        _D,
        "authority-key-critical",
        "a critical authorityKeyIdentifier",
        extension(_AKI, critical=TRUE),
        "authority-key-identifier.critical",
        _S,
    ),
    defect(
        _D,
        "authority-key-malformed",
        "an authorityKeyIdentifier that is an OCTET STRING",
        extension(_AKI, der.octet_string(bytes(8))),
        "authority-key-identifier.malformed",
        _S,
    ),
    defect(
        _D,
        "authority-key-with-serial-number",
        "an authorityKeyIdentifier with issuer and serial number too",
        extension(_AKI, _issuer_and_serial),
        "authority-key-identifier.form",
        _B,
    ),
    defect(
        _D,
        "authority-key-empty",
        "an empty authorityKeyIdentifier",
        extension(_AKI, der.sequence()),
        "authority-key-identifier.form",
        _S,
    ),
    defect(
        _D,
        "authority-key-20-octets",
        "an authorityKeyIdentifier of 20 bytes",
        extension(_AKI, der.sequence(der.element(0x80, bytes(range(20))))),
        "authority-key-identifier.length",
        _S,
    ),
    defect(
        _D,
        "authority-key-wrong",
        "the authorityKeyIdentifier of another key",
        extension(_AKI, der.sequence(der.element(0x80, bytes.fromhex("4000000000000002")))),
        "authority-key-identifier.mismatch",
        _S,
        Expected.KEY_IDENTIFIER,
    ),
)
