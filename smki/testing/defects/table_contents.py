"""Defects of the policies and alternative names of end-entity certificates."""

from __future__ import annotations

from smki.identity import EntityIdentifier
from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.request import HARDWARE_TYPE, hardware_module_alt_name
from smki.profile.tables import TEST_POLICY_OID
from smki.testing.defects.catalogue import defect
from smki.testing.defects.edits import extension, only, within, without
from smki.testing.defects.expected import Expected, Openssl
from smki.testing.defects.sample_pki import DEVICE_EUI64, Base

_D = Base.DEVICE
_S, _B, _X = Openssl.SEES, Openssl.BLIND, Openssl.CANNOT_PARSE

_CP = Oid.CERTIFICATE_POLICIES
_POLICY = der.oid(TEST_POLICY_OID)
_QUALIFIER = der.sequence(
    der.sequence(der.oid("1.3.6.1.5.5.7.2.1"), der.element(der.IA5_STRING, b"http://example.test/policy"))
)

POLICIES = (
    defect(_D, "policies-missing", "no certificatePolicies", without(_CP), "certificate-policies.missing", _B),
    defect(
        _D,
        "policies-not-critical",
        "certificatePolicies not critical (as seen in a published certificate)",
        extension(_CP, critical=b""),
        "certificate-policies.not-critical",
        _B,
    ),
    defect(
        _D,
        "policies-malformed",
        "certificatePolicies that is an object identifier",
        extension(_CP, _POLICY),
        "certificate-policies.malformed",
        _S,
    ),
    defect(
        _D,
        "policies-empty",
        "certificatePolicies without any",
        extension(_CP, der.sequence()),
        "certificate-policies.malformed",
        _B,
    ),
    defect(
        _D,
        "policies-two",
        "two policies",
        extension(_CP, der.sequence(der.sequence(_POLICY), der.sequence(der.oid("1.2.826.0.1.8641679.99.1")))),
        "certificate-policies.count",
        _B,
    ),
    defect(
        _D,
        "policies-with-qualifier",
        "a policy with a qualifier",
        extension(_CP, der.sequence(der.sequence(_POLICY, _QUALIFIER))),
        "certificate-policies.qualifiers",
        _B,
    ),
    defect(
        _D,
        "policies-other-environment",
        "the policy of another environment",
        extension(_CP, der.sequence(der.sequence(der.oid("1.2.826.0.1.8641679.99.1")))),
        "certificate-policies.other-environment",
        _B,
        Expected.POLICY,
    ),
    defect(
        _D,
        "policies-any",
        "anyPolicy",
        extension(_CP, der.sequence(der.sequence(der.oid("2.5.29.32.0")))),
        "certificate-policies.other-environment",
        _B,
        Expected.POLICY,
    ),
)

_SAN = Oid.SUBJECT_ALT_NAME
_ALT_NAME = hardware_module_alt_name(DEVICE_EUI64)


def _module_name(serial: bytes) -> bytes:
    name = der.sequence(der.oid(HARDWARE_TYPE), der.octet_string(serial))
    return der.sequence(der.element(0xA0, der.oid(Oid.HARDWARE_MODULE_NAME), der.explicit(0, name)))


_OTHER = hardware_module_alt_name(EntityIdentifier.parse("00-DB-12-34-56-78-90-A1"))

ALTERNATIVE_NAMES = (
    defect(_D, "alternative-name-missing", "no subjectAltName", without(_SAN), "subject-alt-name.missing", _S),
    defect(
        _D,
        "alternative-name-not-critical",
        "a subjectAltName that is not critical, beside an empty subject",
        extension(_SAN, critical=b""),
        "subject-alt-name.not-critical",
        _S,
    ),
    defect(
        _D,
        "alternative-name-malformed",
        "a subjectAltName that is an OCTET STRING",
        extension(_SAN, der.octet_string(DEVICE_EUI64.encoded)),
        "subject-alt-name.malformed",
        _S,
    ),
    defect(
        _D,
        "alternative-name-empty",
        "a subjectAltName without any name",
        extension(_SAN, der.sequence()),
        "subject-alt-name.malformed",
        _S,
    ),
    defect(
        _D,
        "alternative-names-two",
        "the names of two Devices",
        extension(_SAN, der.sequence(der.read(_ALT_NAME).content, der.read(_OTHER).content)),
        "subject-alt-name.count",
        _B,
    ),
    defect(
        _D,
        "alternative-name-dns",
        "a dNSName",
        extension(_SAN, der.sequence(der.element(0x82, b"meter.example.test"))),
        "subject-alt-name.name-type",
        _B,
    ),
    defect(
        _D,
        "alternative-name-other",
        "an otherName of another type (a user principal name)",
        extension(
            _SAN,
            der.sequence(
                der.element(0xA0, der.oid("1.3.6.1.4.1.311.20.2.3"), der.explicit(0, der.utf8_string("meter")))
            ),
        ),
        "subject-alt-name.name-type",
        _B,
    ),
    defect(
        _D,
        "hardware-module-name-malformed",
        "a HardwareModuleName without hwSerialNum",
        extension(_SAN, change_value=within((0, 1, 0), only(0))),
        "hardware-module-name.malformed",
        _B,
    ),
    defect(
        _D,
        "hardware-serial-number-7-octets",
        "an hwSerialNum of 7 bytes",
        extension(_SAN, _module_name(DEVICE_EUI64.encoded[:7])),
        "hardware-module-name.serial-length",
        _B,
    ),
    defect(
        _D,
        "hardware-serial-number-text",
        "an hwSerialNum that is the EUI-64 as text",
        extension(_SAN, _module_name(DEVICE_EUI64.hex.encode())),
        "hardware-module-name.serial-length",
        _B,
    ),
)
