"""Defects of authorities' certificates, and of certificates that only a Relying Party finds fault with."""

from __future__ import annotations

from datetime import datetime, timedelta

from smki.pki import der
from smki.pki.oid import Oid
from smki.pki.request import organisation_subject
from smki.pki.x509 import encode_attribute, key_usage_bit_string
from smki.profile.check_certificate import end_of_validity
from smki.profile.tables import ISSUING_OCA_YEARS, ORGANISATION_YEARS
from smki.sec.role import KeyUsage, RemotePartyRole
from smki.testing.defects.catalogue import defect
from smki.testing.defects.edits import (
    TRUE,
    both,
    extension,
    flipped,
    issued_by,
    put,
    signature,
    signed_by,
    time,
    without,
)
from smki.testing.defects.expected import Expected, Openssl
from smki.testing.defects.sample_pki import ORGANISATION_EUI64, ORGANISATION_NAME, Base, SamplePki, authority_name

_D, _O, _IO, _ID = Base.DEVICE, Base.ORGANISATION, Base.ISSUING_OCA, Base.ISSUING_DCA
_RO, _RD = Base.ROOT_OCA, Base.ROOT_DCA
_S, _B, _X = Openssl.SEES, Openssl.BLIND, Openssl.CANNOT_PARSE
_BC, _KU, _CP = Oid.BASIC_CONSTRAINTS, Oid.KEY_USAGE, Oid.CERTIFICATE_POLICIES

_CERT_SIGN, _CRL_SIGN = key_usage_bit_string(KeyUsage.KEY_CERT_SIGN), key_usage_bit_string(KeyUsage.CRL_SIGN)
_ANOTHER_ENVIRONMENT = der.sequence(der.sequence(der.oid("1.2.826.0.1.8641679.99.1")))
_UNIT = encode_attribute(Oid.ORGANIZATIONAL_UNIT_NAME, der.printable_string("07"))


def _expired_authority(pki: SamplePki) -> datetime:
    """notBefore of an Issuing OCA that expired within the last month."""
    return pki.today - timedelta(days=ISSUING_OCA_YEARS * 366)


AUTHORITIES = (
    defect(
        _IO,
        "without-basic-constraints",
        "an Issuing OCA without basicConstraints",
        without(_BC),
        "basic-constraints.missing",
        _S,
        below="issuer.not-authority",
    ),
    defect(
        _IO,
        "basic-constraints-not-critical",
        "basicConstraints not critical",
        extension(_BC, critical=b""),
        "basic-constraints.not-critical",
        _S,
    ),
    defect(
        _IO,
        "basic-constraints-malformed",
        "basicConstraints that is a BOOLEAN",
        extension(_BC, TRUE),
        "basic-constraints.malformed",
        _S,
        below="issuer.not-authority",
    ),
    defect(
        _IO,
        "not-a-ca",
        "basicConstraints that say no CA",
        extension(_BC, der.sequence(der.integer(0))),
        "basic-constraints.not-ca",
        _S,
        below="issuer.not-authority",
    ),
    defect(
        _ID,
        "not-a-ca",
        "an Issuing DCA whose basicConstraints say no CA",
        extension(_BC, der.sequence(der.integer(0))),
        "basic-constraints.not-ca",
        _S,
        below="issuer.not-authority",
    ),
    defect(
        _IO,
        "without-path-length",
        "an Issuing OCA without pathLenConstraint",
        extension(_BC, der.sequence(TRUE)),
        "basic-constraints.path-length",
        _B,
    ),
    defect(
        _IO,
        "path-length-1",
        "an Issuing OCA with pathLenConstraint 1",
        extension(_BC, der.sequence(TRUE, der.integer(1))),
        "basic-constraints.path-length",
        _B,
    ),
    defect(
        _RO,
        "path-length-0",
        "a Root OCA with pathLenConstraint 0, above an Issuing OCA that issues",
        extension(_BC, der.sequence(TRUE, der.integer(0))),
        "basic-constraints.path-length",
        _S,
        below="issuer.path-length",
    ),
    defect(
        _ID,
        "below-an-issuing-dca",
        "an authority below one whose pathLenConstraint is 0",
        both(
            issued_by(lambda pki: pki.name(Base.ISSUING_DCA), "issuing-dca"),
            put(subject=authority_name(None, "XD02")),
        ),
        "issuer.path-length",
        _S,
        Expected.PATH_LENGTH,
        issuer=_ID,
    ),
    defect(
        _IO,
        "without-cert-sign",
        "an Issuing OCA without keyCertSign",
        extension(_KU, _CRL_SIGN),
        "key-usage.wrong",
        _S,
        below="issuer.not-authority",
    ),
    defect(
        _ID,
        "without-cert-sign",
        "an Issuing DCA without keyCertSign",
        extension(_KU, _CRL_SIGN),
        "key-usage.wrong",
        _S,
        below="issuer.not-authority",
    ),
    defect(
        _IO,
        "without-crl-sign",
        "an Issuing OCA without cRLSign, whose lists are not to be trusted then",
        extension(_KU, _CERT_SIGN),
        "key-usage.wrong",
        _S,
        clause="RFC 10007",
        below="issuer.no-crl-sign",
    ),
    defect(
        _IO,
        "key-usage-not-critical",
        "an Issuing OCA whose keyUsage is not critical",
        extension(_KU, critical=b""),
        "key-usage.not-critical",
        _B,
    ),
    defect(
        _IO,
        "name-5-characters",
        "a common name of five characters",
        put(subject=der.sequence(_UNIT, encode_attribute(Oid.COMMON_NAME, der.printable_string("X1234")))),
        "common-name.length",
        _S,
        clause="GBCS 12",
        below="common-name.length",
    ),
    defect(
        _IO,
        "name-not-printable",
        "a PrintableString with a character that it cannot hold",
        put(subject=der.sequence(_UNIT, encode_attribute(Oid.COMMON_NAME, der.element(der.PRINTABLE_STRING, b"X@1")))),
        "name.string-malformed",
        _S,
        below="name.string-malformed",
    ),
    defect(
        _IO,
        "names-itself",
        "an Issuing OCA that names itself as its issuer",
        put(issuer=lambda pki: pki.name(_IO)),
        "issuer.is-subject role.wrong issuer.mismatch",
        _S,
    ),
    defect(
        _RO,
        "names-another",
        "a Root OCA that names another issuer",
        put(issuer=authority_name(RemotePartyRole.ROOT, "XB")),
        "issuer.not-subject",
        _S,
        issuer=None,
    ),
    defect(
        _IO,
        "signature-flipped",
        "the last bit of the signature flipped (as seen in a published certificate)",
        signature(flipped),
        "signature.does-not-verify",
        _S,
        Expected.SIGNATURE,
    ),
    defect(
        _IO,
        "other-environment",
        "an Issuing OCA of another environment",
        extension(_CP, _ANOTHER_ENVIRONMENT),
        "certificate-policies.other-environment",
        _B,
        Expected.POLICY,
    ),
    defect(
        _IO,
        "expired",
        "an Issuing OCA that has expired",
        put(
            not_before=lambda pki: der.time(_expired_authority(pki)),
            not_after=lambda pki: der.time(end_of_validity(_expired_authority(pki), ISSUING_OCA_YEARS)),
        ),
        "",
        _S,
        Expected.EXPIRED,
        clause="RFC 5280 6.1.3",
        below="validity.beyond-issuer",
    ),
    defect(
        _IO,
        "revoked",
        "an Issuing OCA that is on the ARL",
        put(serial_number=lambda pki: der.integer(pki.serial_number("organisation-arl revoked").value)),
        "",
        _S,
        Expected.REVOKED,
        clause="RFC 5280 6.3.3",
    ),
)


_YEARS = 365 * 10


def _last_second(pki: SamplePki, days: int) -> datetime:
    """notAfter of an Organisation Certificate with a notBefore that many days after the moment."""
    return end_of_validity(pki.today + timedelta(days=days), ORGANISATION_YEARS)


TRUST = (
    defect(
        _O,
        "expired",
        "a certificate that expired a month ago",
        put(not_before=time(-_YEARS - 33), not_after=lambda pki: der.time(_last_second(pki, -_YEARS - 33))),
        "",
        _S,
        Expected.EXPIRED,
        clause="RFC 5280 6.1.3",
    ),
    defect(
        _O,
        "not-yet-valid",
        "a certificate that becomes valid in a year",
        put(not_before=time(365), not_after=lambda pki: der.time(_last_second(pki, 365))),
        "",
        _S,
        Expected.NOT_YET_VALID,
        clause="RFC 5280 6.1.3",
    ),
    defect(
        _D,
        "not-yet-valid",
        "a certificate that becomes valid in a year",
        put(not_before=time(365)),
        "",
        _S,
        Expected.NOT_YET_VALID,
        clause="RFC 5280 6.1.3",
    ),
    defect(
        _O,
        "revoked",
        "a certificate that is on the CRL",
        put(serial_number=lambda pki: der.integer(pki.serial_number("organisation-crl revoked").value)),
        "",
        _S,
        Expected.REVOKED,
        clause="RFC 5280 6.3.3",
    ),
    defect(
        _O,
        "other-role",
        "a Network Operator's certificate where a Supplier's is wanted",
        put(subject=organisation_subject(RemotePartyRole.NETWORK_OPERATOR, ORGANISATION_EUI64, ORGANISATION_NAME)),
        "",
        _B,
        Expected.USE_ROLE,
        clause="SEC L12",
        wanted=("supplier", "digitalSignature"),
    ),
    defect(
        _O,
        "other-key-usage",
        "a key agreement certificate where one for signatures is wanted",
        extension(_KU, key_usage_bit_string(KeyUsage.KEY_AGREEMENT)),
        "",
        _B,
        Expected.USE_KEY_USAGE,
        clause="SEC L12",
        wanted=("supplier", "digitalSignature"),
    ),
    defect(
        _O,
        "role-without-key-agreement",
        "keyAgreement in the role of recovery, which only signs",
        both(
            put(subject=organisation_subject(RemotePartyRole.RECOVERY, ORGANISATION_EUI64, ORGANISATION_NAME)),
            extension(_KU, key_usage_bit_string(KeyUsage.KEY_AGREEMENT)),
        ),
        "key-usage.wrong",
        _B,
    ),
    defect(
        _O,
        "unknown-authority",
        "issued by an authority that nobody knows",
        issued_by(authority_name(RemotePartyRole.ISSUING_AUTHORITY, "XZ"), "stranger"),
        "",
        _S,
        Expected.ISSUER_UNKNOWN,
        clause="RFC 5280 6.1",
        issuer=None,
    ),
    defect(
        _D,
        "unknown-authority",
        "issued by an authority that nobody knows",
        issued_by(authority_name(None, "XZ01"), "stranger"),
        "",
        _S,
        Expected.ISSUER_UNKNOWN,
        clause="RFC 5280 6.1",
        issuer=None,
    ),
    defect(
        _O,
        "self-signed",
        "signed by its own key, yet naming the issuer (as seen in published certificates)",
        signed_by("organisation"),
        "signature.self-signed",
        _S,
        Expected.SIGNATURE,
    ),
    defect(
        _D,
        "self-signed",
        "signed by its own key, yet naming the issuer",
        signed_by("device"),
        "signature.self-signed",
        _S,
        Expected.SIGNATURE,
    ),
    defect(
        _D,
        "signed-by-another",
        "signed by another key than the issuer's",
        signed_by("stranger"),
        "signature.does-not-verify",
        _S,
        Expected.SIGNATURE,
    ),
    defect(
        _D,
        "signature-flipped",
        "the last bit of the signature flipped",
        signature(flipped),
        "signature.does-not-verify",
        _S,
        Expected.SIGNATURE,
    ),
    defect(
        _IO,
        "offered-as-end-entity",
        "an Issuing OCA where an Organisation Certificate is asked for",
        put(),
        "kind.unexpected",
        _B,
        Expected.AUTHORITY_OFFERED,
        asked="organisation",
    ),
)
