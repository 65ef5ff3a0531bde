"""Verification of ECDSA signatures over bytes with a certificate's key, in the two encodings used in messages."""

from __future__ import annotations

import enum

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from smki.pki.certificate import Certificate
from smki.pki.x509 import signature_verifies
from smki.problem import Problem, SmkiError
from smki.relying_party.verdict import Verdict
from smki.sec.role import KeyUsage

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class SignatureForm(enum.Enum):
    """The encoding of a signature."""

    RAW = "raw"
    """r || s, 32 bytes each, as GBCS messages carry it."""
    DER = "der"
    """Ecdsa-Sig-Value, DER, as certificates carry it (RFC 5480)."""


class NotTrusted(SmkiError):
    """Raised when a signature is to be verified with the key of a certificate that is not trusted."""


def verify_signature(verdict: Verdict, signed: bytes, signature: bytes, form: SignatureForm) -> bool:
    """Return whether the key of a trusted certificate made *signature* over *signed*, using SHA-256.

    :param verdict: a verdict that trusts the certificate, whose key must be for digital signatures.
    :raises NotTrusted: if it is not trusted, with the reason.
    """
    certificate = verdict.certificate
    if certificate is None or not verdict.trusted:
        reason = verdict.reason
        assert reason is not None or certificate is not None
        raise NotTrusted(
            reason or Problem(code="signature.not-trusted", subject=verdict.label, seen="not every check was made")
        )
    if certificate.usage is not KeyUsage.DIGITAL_SIGNATURE:
        seen = certificate.usage.label if certificate.usage else "no usage"
        raise NotTrusted(Problem(code="use.key-usage", subject=verdict.label, seen=seen, expected="digitalSignature"))
    return verify_untrusted_signature(certificate, signed, signature, form)


def verify_untrusted_signature(certificate: Certificate, signed: bytes, signature: bytes, form: SignatureForm) -> bool:
    """Return whether a certificate's key made *signature*, without requiring trust: for tests and diagnosis.

    A signature of the wrong length, with r or s out of range, or with invalid DER never verifies.
    """
    if certificate.point is None:
        return False
    encoded = _from_raw(signature) if form is SignatureForm.RAW else _strictly(signature)
    return encoded is not None and signature_verifies(certificate.point, encoded, signed)


def _from_raw(signature: bytes) -> bytes | None:
    if len(signature) != 64:
        return None
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return encode_dss_signature(r, s) if 0 < r < _ORDER and 0 < s < _ORDER else None


def _strictly(signature: bytes) -> bytes | None:
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        return None
    return signature if encode_dss_signature(r, s) == signature else None
