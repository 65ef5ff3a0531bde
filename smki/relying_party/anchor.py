"""What a Relying Party starts from: trust anchors, and loose certificates of authorities for paths to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from smki.pki.certificate import Certificate
from smki.pki.x509 import attribute_of, name_text, parse_name
from smki.problem import Malformed, Problem
from smki.relying_party.examine import Examined, examine
from smki.sec.role import CertificateKind, RemotePartyRole

_CURVE = ec.SECP256R1()
_ECDSA = ec.ECDSA(hashes.SHA256())
_ORGANIZATIONAL_UNIT = "2.5.4.11"


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """An authority that is trusted because the Relying Party says so (RFC 5280 6.1.1 (d))."""

    name: bytes
    """Its subject Name, DER."""
    point: bytes
    """Its public key, 65 bytes."""
    key_identifier: bytes | None = None
    """Its subjectKeyIdentifier; None where it is not known and not checked."""
    certificate: bytes | None = field(default=None, repr=False)
    """Its certificate (DER) where there is one: profile, validity, policy and constraints are then checked too."""

    @classmethod
    def of(cls, certificate: Certificate) -> TrustAnchor:
        """An anchor from an authority's certificate.

        :raises Malformed: when it has no key on P-256 or is no authority's.
        """
        if certificate.point is None or not certificate.is_authority:
            seen = "no key on P-256" if certificate.point is None else "no authority's certificate"
            name = name_text(certificate.subject)
            raise Malformed(
                Problem(
                    code="trust-anchor.unusable", subject=name, seen=seen, expected="the certificate of an authority"
                )
            )
        return cls(certificate.subject, certificate.point, certificate.subject_key_identifier, certificate.der)


@dataclass(frozen=True)
class Authority:
    """An authority that may stand in a path. Equal by everything that a judgement of it depends on."""

    name: bytes = field(compare=False)
    """Its subject Name, DER."""
    key_identifier: bytes | None
    point: bytes | None = field(compare=False)
    """Its public key, 65 bytes; None where it has none that we could use."""
    examined: Examined | None = field(compare=False)
    """Its certificate; None for an anchor that is a name and a key alone."""
    is_anchor: bool
    kind: CertificateKind = field(compare=False)
    label: str = field(compare=False)
    encoded: bytes
    """Its certificate (DER), or its name and key."""

    def __hash__(self) -> int:
        return hash(self.encoded)  # which Python remembers with the bytes

    @property
    def certificate(self) -> Certificate | None:
        """Its certificate, read."""
        return self.examined.certificate if self.examined else None

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        """Whether its key made *signature* (Ecdsa-Sig-Value, DER) over *signed*."""
        if self.point is None:
            return False
        key = self.__dict__.get("_key")
        try:
            if key is None:
                # Kept, because to decode and check the point takes a sixth of the time of a verification.
                key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, self.point)
                self.__dict__["_key"] = key
            key.verify(signature, signed, _ECDSA)
        except (ValueError, InvalidSignature):
            return False
        return True


def authority_of_anchor(anchor: TrustAnchor) -> Authority:
    """A trust anchor as the end of a path."""
    if anchor.certificate is not None:
        found = authority_of_certificate(anchor.certificate, is_anchor=True)
        if found is not None:
            return found
    kind = _kind_by_name(anchor.name)
    label = f"trust anchor {name_text(anchor.name)}"
    encoded = anchor.name + anchor.point
    return Authority(anchor.name, anchor.key_identifier, anchor.point, None, True, kind, label, encoded)


def authority_of_certificate(encoded: bytes, *, is_anchor: bool = False) -> Authority | None:
    """An authority by its certificate (DER); None where that cannot be read, for then it names nobody."""
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
    # Of an anchor without a certificate no more than its name is known. A DCA's says nothing of its place, so it is
    # taken for whichever is wanted: see hierarchy.
    attribute = attribute_of(parse_name(name), _ORGANIZATIONAL_UNIT)
    if attribute is None:
        return CertificateKind.ISSUING_DCA
    is_root = RemotePartyRole.of_hexadecimal(attribute.text) is RemotePartyRole.ROOT
    return CertificateKind.ROOT_OCA if is_root else CertificateKind.ISSUING_OCA


def anchors_among(certificates: Iterable[Certificate]) -> tuple[list[TrustAnchor], list[Certificate]]:
    """Which of the authorities that are to be trusted are anchors, and which only help to build a path to one.

    A root is an anchor. So is an authority whose own issuer is not among them: there is nothing above it to check
    it against, and no list of the authority above it is asked for. Every other one must be found good by its issuer.

    :raises Malformed: when one of them is no authority's, or has no usable key.
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
