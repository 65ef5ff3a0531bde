"""What the lint may know about the issuer, and the checks that depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smki.clock import iso
from smki.pki.certificate import Certificate
from smki.pki.der import Node
from smki.pki.x509 import name_text, p256_point
from smki.profile.catalogue import Report
from smki.profile.check_key import can_be_judged, signature_holds
from smki.profile.forms import CertificateProfile
from smki.sec.role import KeyUsage


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """Facts about the issuer; a fact that is None is not checked."""

    name: bytes | None = None
    """Its subject Name, DER."""
    point: bytes | None = None
    """Its public key, 65 bytes."""
    key_identifier: bytes | None = None
    """Its subjectKeyIdentifier, 8 bytes."""
    certificate: Certificate | None = None

    @classmethod
    def of(cls, certificate: Certificate) -> IssuerFacts:
        """Return the facts in the issuing certificate."""
        return cls(certificate.subject, certificate.point, certificate.subject_key_identifier, certificate)


NOTHING_KNOWN = IssuerFacts()


def check_issuer_name(report: Report, node: Node | None, issuer: IssuerFacts, location: str) -> None:
    """Report an issuer field that is not byte for byte the subject of the issuing certificate."""
    if issuer.name is not None and node is not None and node.encoded != issuer.name:
        seen = f"{name_text(node.encoded)} ({node.encoded.hex()})"
        report("issuer.mismatch", location, seen, f"{name_text(issuer.name)} ({issuer.name.hex()})")


def check_signature(
    report: Report,
    issuer: IssuerFacts,
    signed: Node | None,
    signature: Node | None,
    algorithm: Node | None,
    subject_key: Node | None = None,
) -> None:
    """Report a signature that was not made by the issuer's key.

    :param subject_key: the certificate's SubjectPublicKeyInfo, used to detect that it signed itself.
    """
    if issuer.point is None or signed is None or signature is None or not can_be_judged(algorithm):
        return
    if signature_holds(issuer.point, signature, signed.encoded):
        return
    own = p256_point(subject_key.encoded) if subject_key is not None else None
    if own is not None and signature_holds(own, signature, signed.encoded):
        report("signature.self-signed", "signatureValue", "signed by its own key")
    else:
        report("signature.does-not-verify", "signatureValue", "it does not verify")


def check_authority_above(
    report: Report,
    profile: CertificateProfile,
    issuer: IssuerFacts,
    moments: tuple[datetime, datetime] | None,
    location: str,
) -> None:
    """Report a certificate that its issuer may not issue: not a CA, path length exceeded, or validity too long."""
    above = issuer.certificate
    if above is None:
        return
    if not above.is_authority or KeyUsage.KEY_CERT_SIGN not in above.key_usages:
        usages = ", ".join(sorted(usage.label for usage in above.key_usages)) or "none"
        report("issuer.not-authority", "issuer", f"CA {above.is_authority}, keyUsage {usages}")
    if profile.kind.is_authority and above.path_length == 0:
        report("issuer.path-length", "issuer", f"an authority below {name_text(above.subject)}, pathLenConstraint 0")
    if moments is not None and (moments[0] < above.not_before or moments[1] > above.not_after):
        seen = f"{iso(moments[0])} to {iso(moments[1])}"
        report("validity.beyond-issuer", location, seen, f"{iso(above.not_before)} to {iso(above.not_after)}")


def check_crl_sign(report: Report, issuer: IssuerFacts) -> None:
    """Report a list whose issuer may not sign lists (RFC 10007)."""
    above = issuer.certificate
    if above is not None and KeyUsage.CRL_SIGN not in above.key_usages:
        usages = ", ".join(sorted(usage.label for usage in above.key_usages)) or "none"
        report("issuer.no-crl-sign", "issuer", f"keyUsage {usages}")
