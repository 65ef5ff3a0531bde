"""One certification authority: a name, a certificate and the key that signs for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from smki.keys.private_key import key_to_pem
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.request import public_point
from smki.pki.x509 import ECDSA_WITH_SHA256_ALGORITHM
from smki.profile import IssuerFacts
from smki.profile.clearance import Cleared

# Deterministic (RFC 6979): signatures do not depend on the quality of random numbers, the same certificate signed again
# after a crash is identical, and a seeded SMKI is reproducible byte for byte.
_ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


class AuthorityMismatch(RuntimeError):
    """Something cleared for one authority was passed to the key of another: a programming error."""


class SigningKey:
    """A private key that only signs certificates and revocation lists that were cleared for its authority.

    :param name: the authority's name (DER).
    :param load: reads the key. It is called for the first signature, so that opening an SMKI needs no passphrase.
    """

    def __init__(self, name: bytes, load: Callable[[], ec.EllipticCurvePrivateKey]) -> None:
        self._name = name
        self._load = load

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return self._load()

    @cached_property
    def _point(self) -> bytes:
        return public_point(self._key.public_key())

    def read(self) -> None:
        """Read the key now, for whoever changes something else before the first signature.

        :raises SmkiError: when it cannot be read.
        """
        _ = self._key

    def exported(self) -> bytes:
        """Return the key as PKCS#8 in PEM, for the worker processes of this one.

        :raises SmkiError: when it cannot be read.
        """
        return key_to_pem(self._key)

    def sign(self, cleared: Cleared) -> bytes:
        """Sign a certificate or list and return it (DER).

        :raises AuthorityMismatch: if *cleared* was cleared for an authority with another name or key, which can still
            sign it.
        :raises AlreadySigned: if *cleared* was already signed.
        """
        if (cleared.issuer.name, cleared.issuer.point) != (self._name, self._point):
            raise AuthorityMismatch("cleared for another authority")
        tbs = cleared.redeem()
        return der.sequence(tbs, ECDSA_WITH_SHA256_ALGORITHM, der.bit_string(self._key.sign(tbs, _ECDSA)))


class CertificationAuthority:
    """An authority that can issue certificates.

    :ivar certificate: its certificate.
    :ivar facts: the certificate in the form that the lint needs.
    :ivar signing_key: the private key of the certificate.
    """

    def __init__(self, certificate: Certificate, signing_key: SigningKey) -> None:
        self.certificate = certificate
        self.facts = IssuerFacts.of(certificate)
        self.signing_key = signing_key
