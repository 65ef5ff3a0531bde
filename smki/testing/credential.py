"""A certificate with its private key: sign, verify, agree on a shared secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from smki.home.smki import Smki
from smki.identity import EntityIdentifier, SerialNumber
from smki.interchange import CertificateWithKey, certificate_name
from smki.keys.private_key import key_to_pem
from smki.pki.certificate import Certificate
from smki.problem import NotFound, Problem, SmkiError
from smki.relying_party.signature import SignatureForm, verify_untrusted_signature
from smki.sec.role import CertificateStatus, KeyUsage
from smki.testing.signature import make_signature

_CURVE = ec.SECP256R1()


class WrongKeyUsage(SmkiError):
    """A key was to be used for a purpose that its certificate does not allow."""


@dataclass(frozen=True, repr=False)
class Credential:
    """A certificate and its private key."""

    smki: Smki = field(compare=False)
    """The SMKI that issued the certificate."""
    der: bytes
    """The certificate, DER."""
    key: ec.EllipticCurvePrivateKey = field(compare=False)
    """The private key, on P-256."""

    def __repr__(self) -> str:
        return f"<{self.usage.label} of {self.entity_identifier}, certificate {self.serial_number}>"

    @cached_property
    def certificate(self) -> Certificate:
        """The certificate."""
        return Certificate.from_der(self.der)

    @property
    def pem(self) -> str:
        """The certificate as PEM."""
        return self.certificate.as_pem()

    @property
    def serial_number(self) -> SerialNumber:
        """The serial number of the certificate."""
        return self.certificate.serial_number

    @property
    def entity_identifier(self) -> EntityIdentifier:
        """The Device ID or Entity Identifier in the certificate."""
        entity = self.certificate.entity_identifier
        assert entity is not None  # the lint requires one in every certificate of an end entity
        return entity

    @property
    def usage(self) -> KeyUsage:
        """The key usage: digitalSignature or keyAgreement."""
        usage = self.certificate.usage
        assert usage is not None
        return usage

    @property
    def status(self) -> CertificateStatus:
        """The status of the certificate in the SMKI, at the present moment there.

        :raises NotFound: when it is not a certificate of that SMKI.
        """
        record = self.smki.ledger.certificate(self.serial_number)
        if record is None:
            subject, expected = f"certificate {self.serial_number}", "one that this SMKI issued"
            raise NotFound(
                Problem(code="certificate.unknown", subject=subject, seen="not in the ledger", expected=expected)
            )
        return record.status_at(self.smki.clock.now())

    @property
    def pkcs8(self) -> bytes:
        """The private key as PKCS#8, DER, unencrypted (RFC 5958)."""
        return self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pkcs8_pem(self) -> str:
        """The private key as PKCS#8, PEM, unencrypted."""
        return key_to_pem(self.key).decode("ascii")

    @property
    def d_hex(self) -> str:
        """The private key d as a big-endian number: 64 upper-case hexadecimal digits."""
        return f"{self.key.private_numbers().private_value:064X}"

    @property
    def xy_hex(self) -> str:
        """The public key as X || Y: 128 upper-case hexadecimal digits, without the leading 04 of an encoded point."""
        point = self.certificate.point
        assert point is not None
        return point[1:].hex().upper()

    @property
    def certificate_with_key(self) -> CertificateWithKey:
        """Certificate and key for :mod:`smki.interchange`: key store files, PKCS#12, archives."""
        return CertificateWithKey(self.certificate, self.key, certificate_name(self.certificate))

    def sign(self, data: bytes) -> bytes:
        """Sign *data* with ECDSA and SHA-256, deterministically (RFC 6979).

        :returns: r || s, 64 bytes, as in GBCS messages.
        :raises WrongKeyUsage: when the key is for key agreement; :func:`smki.testing.signature.make_signature` signs
            with any key.
        """
        self._require(KeyUsage.DIGITAL_SIGNATURE, "used to sign")
        return make_signature(self.key, data, SignatureForm.RAW)

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Verify a signature (r || s, 64 bytes) over *data* with the public key, without validating the certificate."""
        return verify_untrusted_signature(self.certificate, data, signature, SignatureForm.RAW)

    def shared_secret(self, other: Credential | Certificate | bytes) -> bytes:
        """Return the shared secret Z of this private key and another public key (ECDH, NIST SP 800-56A 5.7.1.2).

        :param other: the other side: a credential or a certificate; bytes are a certificate in DER.
        :returns: 32 bytes.
        :raises Malformed: when *other* is not a certificate.
        :raises WrongKeyUsage: when either key is for signatures.
        """
        self._require(KeyUsage.KEY_AGREEMENT, "used for key agreement")
        theirs = Certificate.from_der(other) if isinstance(other, bytes) else other
        theirs = theirs.certificate if isinstance(theirs, Credential) else theirs
        _require_usage(theirs, KeyUsage.KEY_AGREEMENT, "used for key agreement")
        assert theirs.point is not None
        return self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, theirs.point))

    def _require(self, usage: KeyUsage, purpose: str) -> None:
        _require_usage(self.certificate, usage, purpose)


def _require_usage(certificate: Certificate, usage: KeyUsage, purpose: str) -> None:
    if certificate.usage is not usage:
        seen = certificate.usage.label if certificate.usage else "no key usage of an end entity"
        raise WrongKeyUsage(
            Problem(
                code="use.key-usage",
                subject=f"certificate {certificate.serial_number}",
                seen=f"{seen}, {purpose}",
                expected=usage.label,
                remedy="Use the other certificate of the same Party or Device.",
            )
        )
