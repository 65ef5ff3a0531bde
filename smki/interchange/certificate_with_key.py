"""A named certificate, with its private key if available."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from smki.pki.certificate import Certificate
from smki.pki.request import public_point
from smki.problem import Malformed, Problem


@dataclass(frozen=True)
class CertificateWithKey:
    """A certificate with its name and, if available, its private key.

    :raises Malformed: if the key does not belong to the certificate.
    """

    certificate: Certificate
    key: ec.EllipticCurvePrivateKey | None
    """None if only the certificate is available."""
    name: str
    """The name, in the form used by the published key store: ``Z1-supplier-ds``."""

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
        # Defined explicitly, so that a repr never puts a key into a log.
        return f"CertificateWithKey({self.name!r}, {self.certificate.serial_number}, {'with' if self.key else 'without'} key)"
