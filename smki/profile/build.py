"""Builds to-be-signed certificates from the rows of a profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from smki.clock import NO_WELL_DEFINED_EXPIRY
from smki.identity import SerialNumber
from smki.pki import der
from smki.pki.x509 import encode_extension, key_identifier, key_usage_bit_string
from smki.profile.check_certificate import end_of_validity
from smki.profile.check_extensions import basic_constraints_value, policies_value
from smki.profile.forms import (
    AuthorityKeyIdentifierForm,
    BasicConstraintsForm,
    CertificateProfile,
    ContentForm,
    KeyIdentifierForm,
    KeyUsageForm,
    PoliciesForm,
    Validity,
)


@dataclass(frozen=True, slots=True)
class CertificateContents:
    """The content of one certificate that its profile does not determine."""

    serial_number: SerialNumber
    issuer: bytes
    """The issuer's Name, DER."""
    not_before: datetime
    not_after: datetime
    subject: bytes
    """The subject's Name, DER."""
    public_key_info: bytes
    """SubjectPublicKeyInfo, DER, 91 bytes."""
    issuer_key_identifier: bytes | None
    """The issuer's subjectKeyIdentifier, 8 bytes; None for a root, which then has no authorityKeyIdentifier."""
    policy_oid: str
    carried_over: dict[str, bytes] = field(default_factory=dict)
    """Extension contents copied from the request, by dotted object identifier."""


def validity_from(now: datetime, form: Validity) -> tuple[datetime, datetime]:
    """Return notBefore and notAfter of a certificate issued at *now* (UTC)."""
    not_before = now.replace(hour=0, minute=0, second=0, microsecond=0) if form.whole_days else now
    if form.years is None:
        return not_before, NO_WELL_DEFINED_EXPIRY
    return not_before, end_of_validity(not_before, form.years)


def build_tbs_certificate(profile: CertificateProfile, contents: CertificateContents) -> bytes:
    """Return the TBSCertificate (DER) of a certificate, with extensions in the profile's order."""
    extensions = []
    for row in profile.extensions:
        form = row.form
        value = contents.carried_over.get(form.oid)
        if value is None:
            value = _extension_value(form.content, contents)
        if value is not None:
            extensions.append(encode_extension(form.oid, value, critical=bool(form.critical)))
    return der.sequence(
        der.explicit(0, der.integer(profile.version.form.encoded)),
        der.integer(contents.serial_number.value),
        der.sequence(der.oid(profile.signature_algorithm.form.oid)),
        contents.issuer,
        der.sequence(der.time(contents.not_before), der.time(contents.not_after)),
        contents.subject,
        contents.public_key_info,
        der.explicit(3, der.sequence(*extensions)),
    )


def _extension_value(form: ContentForm, contents: CertificateContents) -> bytes | None:
    match form:
        case KeyUsageForm((usages,)):
            return key_usage_bit_string(*usages)
        case KeyIdentifierForm():
            return der.octet_string(key_identifier(contents.public_key_info[26:]))
        case AuthorityKeyIdentifierForm():
            if contents.issuer_key_identifier is None:
                return None
            return der.sequence(der.element(0x80, contents.issuer_key_identifier))
        case PoliciesForm():
            return policies_value(contents.policy_oid)
        case BasicConstraintsForm(path_length):
            return basic_constraints_value(path_length)
    return None
