"""A certificate as somebody holds it: with its private key where that is at hand, and under a name."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from smki.pki.certificate import Certificate
from smki.pki.request import public_point
from smki.problem import Malformed, Problem


@dataclass(frozen=True)
class CertificateWithKey:
    """A certificate, the private key to it, and what the two are called.

    :raises Malformed: when the key is that of another certificate.
    """

    certificate: Certificate
    key: ec.EllipticCurvePrivateKey | None
    """None where only the certificate is at hand."""
    name: str
    """As the published key store has it: ``Z1-supplier-ds``."""

    def __post_init__(self) -> None:
        if self.key is not None and public_point(self.key.public_key()) != self.certificate.point:
            raise Malformed(
                Problem(
                    code="key.of-another-certificate",
                    subject=f"private key of {self.name or self.certificate.serial_number}",
                    seen="does not belong to the certificate",
                    expected="the private key whose public key the certificate holds",
                )
            )

    def __repr__(self) -> str:
        # Written out, so that no key gets into a log by way of a repr.
        return f"CertificateWithKey({self.name!r}, {self.certificate.serial_number}, {'with' if self.key else 'without'} key)"
