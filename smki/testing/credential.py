"""A certificate with its private key, and what a test does with the two: sign, verify, agree on a secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from smki.home.smki import Smki
from smki.identity import EntityIdentifier, SerialNumber
from smki.interchange import Holding, certificate_name
from smki.keys.private_key import key_to_pem
from smki.pki.certificate import Certificate
from smki.problem import NotFound, Problem, SmkiError
from smki.relying_party.signature import SignatureForm, verify_untrusted_signature
from smki.sec.role import CertificateStatus, KeyUsage
from smki.testing.signature import make_signature

_CURVE = ec.SECP256R1()


class WrongKeyUsage(SmkiError):
    """A key was to be used for what its certificate does not allow."""


@dataclass(frozen=True, repr=False)
class Credential:
    """A certificate and the private key that belongs to it."""

    smki: Smki = field(compare=False)
    """Which issued it."""
    der: bytes
    """The certificate, DER."""
    key: ec.EllipticCurvePrivateKey = field(compare=False)
    """On P-256, as ``cryptography`` has it."""

    def __repr__(self) -> str:
        return f"<{self.usage.label} of {self.entity_identifier}, certificate {self.serial_number}>"

    @cached_property
    def certificate(self) -> Certificate:
        """The certificate. Read when it is first asked for: most Devices of a large test are never looked at."""
        return Certificate.from_der(self.der)

    @property
    def pem(self) -> str:
        """The certificate, PEM."""
        return self.certificate.as_pem()

    @property
    def serial_number(self) -> SerialNumber:
        """The certificate's."""
        return self.certificate.serial_number

    @property
    def entity_identifier(self) -> EntityIdentifier:
        """Whose it is."""
        entity = self.certificate.entity_identifier
        assert entity is not None  # the lint lets no end entity's certificate through without
        return entity

    @property
    def usage(self) -> KeyUsage:
        """digitalSignature or keyAgreement."""
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
            raise NotFound(Problem("certificate.unknown", subject, "not in the ledger", expected))
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
        """The private key as a number: 64 upper-case hexadecimal digits, most significant first."""
        return f"{self.key.private_numbers().private_value:064X}"

    @property
    def xy_hex(self) -> str:
        """The public key as X || Y: 128 upper-case hexadecimal digits, without the octet 04 of a point."""
        point = self.certificate.point
        assert point is not None
        return point[1:].hex().upper()

    @property
    def holding(self) -> Holding:
        """The two under their name, for :mod:`smki.interchange`: key store files, PKCS#12, archives."""
        return Holding(self.certificate, self.key, certificate_name(self.certificate))

    def sign(self, octets: bytes) -> bytes:
        """A signature with ECDSA and SHA-256 as GBCS messages carry it: r || s, 64 octets. Deterministic (RFC 6979).

        :raises WrongKeyUsage: when the key is for key agreement. To make such a signature all the same, there is
            :func:`smki.testing.signature.make_signature`.
        """
        self._require(KeyUsage.DIGITAL_SIGNATURE, "to sign with")
        return make_signature(self.key, octets, SignatureForm.RAW)

    def verify(self, octets: bytes, signature: bytes) -> bool:
        """Whether this key made *signature* (r || s, 64 octets) over *octets*; whatever the certificate is worth."""
        return verify_untrusted_signature(self.certificate, octets, signature, SignatureForm.RAW)

    def shared_secret(self, other: Credential | Certificate | bytes) -> bytes:
        """The shared secret Z of this private key and another's public key: 32 octets (ECDH, NIST SP 800-56A 5.7.1.2).

        :param other: whose; octets are a certificate in DER.
        :raises Malformed: when *other* is no certificate.
        :raises WrongKeyUsage: when either key is for signatures.
        """
        self._require(KeyUsage.KEY_AGREEMENT, "to agree with")
        theirs = Certificate.from_der(other) if isinstance(other, bytes) else other
        theirs = theirs.certificate if isinstance(theirs, Credential) else theirs
        _require_usage(theirs, KeyUsage.KEY_AGREEMENT, "to agree with")
        assert theirs.point is not None
        return self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, theirs.point))

    def _require(self, usage: KeyUsage, purpose: str) -> None:
        _require_usage(self.certificate, usage, purpose)


def _require_usage(certificate: Certificate, usage: KeyUsage, purpose: str) -> None:
    if certificate.usage is not usage:
        seen = certificate.usage.label if certificate.usage else "no key usage of an end entity"
        raise WrongKeyUsage(
            Problem(
                "use.key-usage",
                f"certificate {certificate.serial_number}",
                f"{seen}, {purpose}",
                usage.label,
                "RFC 5280 4.2.1.3",
                "Take the other certificate of the same Party or Device.",
            )
        )
