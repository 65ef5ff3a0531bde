"""One certification authority: a name, a certificate and the key that signs for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.x509 import ECDSA_WITH_SHA256_ALGORITHM
from smki.profile import IssuerFacts
from smki.profile.clearance import Cleared

# Deterministic (RFC 6979): no signature depends on the quality of random numbers, a certificate signed
# again after a crash is the same certificate, and a seeded SMKI is the same octet for octet.
_ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


class SigningKey:
    """A private key that signs cleared certificates and cleared revocation lists, and nothing else.

    :param load: reads the key; called at the first signature, so that looking at an SMKI needs no passphrase.
    """

    def __init__(self, load: Callable[[], ec.EllipticCurvePrivateKey]) -> None:
        self._load = load

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return self._load()

    def sign(self, cleared: Cleared) -> bytes:
        """The certificate or list (DER), signed.

        :raises AlreadySigned: when *cleared* was signed before.
        """
        tbs = cleared.redeem()
        return der.sequence(tbs, ECDSA_WITH_SHA256_ALGORITHM, der.bit_string(self._key.sign(tbs, _ECDSA)))


class CertificationAuthority:
    """An authority that can issue.

    :ivar certificate: its certificate.
    :ivar facts: the same as the lint wants it.
    :ivar signing_key: the key that belongs to the certificate.
    """

    def __init__(self, certificate: Certificate, signing_key: SigningKey) -> None:
        self.certificate = certificate
        self.facts = IssuerFacts.of(certificate)
        self.signing_key = signing_key
