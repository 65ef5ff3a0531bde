"""Trust anchors, and untrusted authority certificates from which paths to them are built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from smki.pki.certificate import Certificate
from smki.pki.x509 import attribute_of, name_text, parse_name
from smki.problem import Malformed, Problem
from smki.relying_party.examine import Examined, examine
from smki.sec.role import CertificateKind, RemotePartyRole

_CURVE = ec.SECP256R1()
_ECDSA = ec.ECDSA(hashes.SHA256())
_ECDSA_OF_DIGEST = ec.ECDSA(Prehashed(hashes.SHA256()))
_ORGANIZATIONAL_UNIT = "2.5.4.11"


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """An authority that the Relying Party has chosen to trust (RFC 5280 6.1.1 (d))."""

    name: bytes
    """Its subject Name, DER."""
    point: bytes
    """Its public key, 65 bytes."""
    key_identifier: bytes | None = None
    """Its subjectKeyIdentifier; None if unknown, in which case it is not checked."""
    certificate: bytes | None = field(default=None, repr=False)
    """Its certificate (DER), if available: its profile, validity, policy and constraints are then checked too."""

    @classmethod
    def of(cls, certificate: Certificate) -> TrustAnchor:
        """Return a trust anchor made from an authority's certificate.

        :raises Malformed: if its key is not on P-256 or it is not an authority's certificate.
        """
        if certificate.point is None or not certificate.is_authority:
            seen = "no key on P-256" if certificate.point is None else "not an authority's certificate"
            name = name_text(certificate.subject)
            raise Malformed(
                Problem(
                    code="trust-anchor.unusable", subject=name, seen=seen, expected="the certificate of an authority"
                )
            )
        return cls(certificate.subject, certificate.point, certificate.subject_key_identifier, certificate.der)


@dataclass(frozen=True)
class Authority:
    """An authority that may be part of a path."""

    name: bytes
    """Its subject Name, DER."""
    key_identifier: bytes | None
    point: bytes | None
    """Its public key, 65 bytes; None if it has no key on P-256."""
    examined: Examined | None
    """Its certificate; None for an anchor given by name and key only."""
    is_anchor: bool
    kind: CertificateKind
    label: str
    encoded: bytes
    """Its certificate (DER), or its name and key."""

    def __hash__(self) -> int:
        return hash(self.encoded)  # Python caches the hash of a bytes object

    @property
    def certificate(self) -> Certificate | None:
        """Its certificate, parsed; None if there is none."""
        return self.examined.certificate if self.examined else None

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        """Return whether its key made *signature* (Ecdsa-Sig-Value, DER) over *signed*."""
        return self._verifies(signature, signed, _ECDSA)

    def verifies_digest(self, signature: bytes, digest: bytes) -> bool:
        """Return whether its key made *signature* over something of which *digest* is the SHA-256 (32 bytes)."""
        return self._verifies(signature, digest, _ECDSA_OF_DIGEST)

    def _verifies(self, signature: bytes, signed: bytes, algorithm: ec.ECDSA) -> bool:
        if self.point is None:
            return False
        key = self.__dict__.get("_key")
        try:
            if key is None:
                # Cached because decoding and checking the point takes a sixth of the time of a verification.
                key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, self.point)
                self.__dict__["_key"] = key
            key.verify(signature, signed, algorithm)
        except (ValueError, InvalidSignature):
            return False
        return True


def authority_of_anchor(anchor: TrustAnchor) -> Authority:
    """Return a trust anchor as the end of a path."""
    if anchor.certificate is not None:
        found = authority_of_certificate(anchor.certificate, is_anchor=True)
        if found is not None:
            return found
    kind = _kind_by_name(anchor.name)
    label = f"trust anchor {name_text(anchor.name)}"
    encoded = anchor.name + anchor.point
    return Authority(anchor.name, anchor.key_identifier, anchor.point, None, True, kind, label, encoded)


def authority_of_certificate(encoded: bytes, *, is_anchor: bool = False) -> Authority | None:
    """Return the authority with this certificate (DER), or None if the certificate cannot be read."""
    examined = examine(encoded)
    certificate = examined.certificate
    if certificate is None:
        return None
    return Authority(
        certificate.subject,
        certificate.subject_key_identifier,
        certificate.point,
        examined,
        is_anchor,
        examined.kind,
        examined.label,
        encoded,
    )


def _kind_by_name(name: bytes) -> CertificateKind:
    # Only the name of an anchor without a certificate is known. A DCA's name does not reveal its place in the
    # hierarchy, so such an anchor is accepted as either kind of DCA: see the hierarchy check.
    attribute = attribute_of(parse_name(name), _ORGANIZATIONAL_UNIT)
    if attribute is None:
        return CertificateKind.ISSUING_DCA
    is_root = RemotePartyRole.of_hexadecimal(attribute.text) is RemotePartyRole.ROOT
    return CertificateKind.ROOT_OCA if is_root else CertificateKind.ISSUING_OCA


def anchors_among(certificates: Iterable[Certificate]) -> tuple[list[TrustAnchor], list[Certificate]]:
    """Split trusted authorities into trust anchors and certificates that only help to build paths to one.

    A root is an anchor. So is an authority whose issuer is not among *certificates*: there is nothing above it to check
    it against, and no revocation list from its issuer is required. Every other authority must be verified by its
    issuer.

    :raises Malformed: if one of them is not an authority's certificate, or has no usable key.
    """
    authorities = list(dict.fromkeys(certificates))
    subjects = {certificate.subject for certificate in authorities if certificate.subject == certificate.issuer}
    anchors, others = [], []
    for certificate in authorities:
        anchor = TrustAnchor.of(certificate)
        if certificate.issuer == certificate.subject or certificate.issuer not in subjects:
            anchors.append(anchor)
        else:
            others.append(certificate)
    return anchors, others
