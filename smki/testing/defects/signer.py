"""Signs defects, with keys of their own and without a lint. No key of a home is ever used here."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from smki.pki import der

ECDSA_WITH_SHA384_ALGORITHM = der.sequence(der.oid("1.2.840.10045.4.3.3"))


def sign(key: ec.EllipticCurvePrivateKey, data: bytes, algorithm: bytes) -> bytes:
    """An Ecdsa-Sig-Value over *data*, deterministic (RFC 6979).

    With SHA-384 where *algorithm* says ecdsa-with-SHA384, so that only the choice is wrong; else with SHA-256.
    """
    digest: hashes.HashAlgorithm = hashes.SHA384() if algorithm == ECDSA_WITH_SHA384_ALGORITHM else hashes.SHA256()
    return key.sign(data, ec.ECDSA(digest, deterministic_signing=True))
