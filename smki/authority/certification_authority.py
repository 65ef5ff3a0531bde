"""One certification authority: a name, a certificate and the key that signs for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.request import public_point
from smki.pki.x509 import ECDSA_WITH_SHA256_ALGORITHM
from smki.profile import IssuerFacts
from smki.profile.clearance import Cleared

# Deterministic (RFC 6979): no signature depends on the quality of random numbers, a certificate signed
# again after a crash is the same certificate, and a seeded SMKI is the same byte for byte.
_ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


class AuthorityMismatch(RuntimeError):
    """What was cleared for one authority was offered to the key of another: a mistake in the program."""


class SigningKey:
    """A private key that signs certificates and revocation lists cleared for its authority, and nothing else.

    :param name: the authority's name, DER.
    :param load: reads the key; called at the first signature, so that looking at an SMKI needs no passphrase.
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

    def sign(self, cleared: Cleared) -> bytes:
        """The certificate or list (DER), signed.

        :raises AuthorityMismatch: when *cleared* was cleared for an authority of another name or key; it can still be
            signed by that one.
        :raises AlreadySigned: when *cleared* was signed before.
        """
        if (cleared.issuer.name, cleared.issuer.point) != (self._name, self._point):
            raise AuthorityMismatch("cleared for another authority than the one whose key this is")
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
