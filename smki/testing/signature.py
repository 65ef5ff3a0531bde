"""Make signatures for tests; :mod:`smki.relying_party.signature` verifies them."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from smki.relying_party.signature import SignatureForm

_ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


def make_signature(key: ec.EllipticCurvePrivateKey, data: bytes, form: SignatureForm) -> bytes:
    """Sign *data* with ECDSA and SHA-256, deterministically (RFC 6979)."""
    signature = key.sign(data, _ECDSA)
    if form is SignatureForm.DER:
        return signature
    r, s = decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
