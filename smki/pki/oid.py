"""Object identifiers of the structures that certificates, requests and lists are made of, and their names."""

from __future__ import annotations


class Oid:
    """Object identifiers in dotted form."""

    ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
    EC_PUBLIC_KEY = "1.2.840.10045.2.1"
    P256 = "1.2.840.10045.3.1.7"
    COMMON_NAME = "2.5.4.3"
    ORGANIZATIONAL_UNIT_NAME = "2.5.4.11"
    X500_UNIQUE_IDENTIFIER = "2.5.4.45"
    SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
    KEY_USAGE = "2.5.29.15"
    SUBJECT_ALT_NAME = "2.5.29.17"
    BASIC_CONSTRAINTS = "2.5.29.19"
    CRL_NUMBER = "2.5.29.20"
    REASON_CODE = "2.5.29.21"
    CERTIFICATE_POLICIES = "2.5.29.32"
    AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
    HARDWARE_MODULE_NAME = "1.3.6.1.5.5.7.8.4"
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14"


OID_NAMES = {
    Oid.ECDSA_WITH_SHA256: "ecdsa-with-SHA256",
    Oid.EC_PUBLIC_KEY: "id-ecPublicKey",
    Oid.P256: "P-256",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
    "1.3.132.0.10": "secp256k1",
    "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.113549.1.1.1": "rsaEncryption",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.3.101.112": "Ed25519",
    Oid.COMMON_NAME: "commonName",
    "2.5.4.6": "countryName",
    "2.5.4.5": "serialNumber",
    "2.5.4.10": "organizationName",
    Oid.ORGANIZATIONAL_UNIT_NAME: "organizationalUnitName",
    Oid.X500_UNIQUE_IDENTIFIER: "x500UniqueIdentifier",
    Oid.SUBJECT_KEY_IDENTIFIER: "subjectKeyIdentifier",
    Oid.KEY_USAGE: "keyUsage",
    Oid.SUBJECT_ALT_NAME: "subjectAltName",
    "2.5.29.18": "issuerAltName",
    Oid.BASIC_CONSTRAINTS: "basicConstraints",
    Oid.CRL_NUMBER: "cRLNumber",
    Oid.REASON_CODE: "reasonCode",
    "2.5.29.30": "nameConstraints",
    "2.5.29.31": "cRLDistributionPoints",
    Oid.CERTIFICATE_POLICIES: "certificatePolicies",
    Oid.AUTHORITY_KEY_IDENTIFIER: "authorityKeyIdentifier",
    "2.5.29.36": "policyConstraints",
    "2.5.29.37": "extKeyUsage",
    "1.3.6.1.5.5.7.1.1": "authorityInfoAccess",
    Oid.HARDWARE_MODULE_NAME: "id-on-hardwareModuleName",
    Oid.EXTENSION_REQUEST: "extensionRequest",
}


def oid_name(dotted: str) -> str:
    """Return the name of an object identifier if it is known, else its dotted form."""
    return OID_NAMES.get(dotted, dotted)
