"""Makes certificates: build, lint, sign. Nothing here is stored; docs/issuance-cycle.md explains the following
steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from smki.authority.certification_authority import SigningKey
from smki.identity import SerialNumber
from smki.keys.private_key import Randomness
from smki.pki.certificate import Certificate
from smki.profile import IssuerFacts
from smki.profile.build import CertificateContents, build_tbs_certificate, validity_from
from smki.profile.clearance import IssuingTemplates, clear_for_signature
from smki.profile.forms import CertificateProfile


@dataclass(frozen=True, slots=True)
class Subject:
    """The holder-specific contents of a certificate."""

    name: bytes
    """The subject name (DER)."""
    public_key_info: bytes
    """SubjectPublicKeyInfo (DER)."""
    carried_over: dict[str, bytes] = field(default_factory=dict)
    """Contents of extensions copied from the request, by dotted object identifier."""


class Issuance:
    """Makes certificates that conform to their profile.
    :param policy_oid: the certificatePolicies of all certificates.
    """

    def __init__(self, randomness: Randomness, policy_oid: str) -> None:
        self._randomness = randomness
        self._policy_oid = policy_oid
        self._templates = IssuingTemplates()

    def serial_number(self, subject: Subject, attempt: int, above: int) -> SerialNumber:
        """Draw a serial number for a certificate.

        :param above: the number of the last restore (:meth:`~smki.ledger.Reader.numbers_above`): with a seed, other
            serial numbers are drawn after each restore.
        :param attempt: how many numbers were drawn before for this certificate and were already in use.
        """
        material = subject.public_key_info + (above.to_bytes(8, "big") if above else b"")
        return self._randomness.serial_number(material, attempt)

    def make(
        self,
        profile: CertificateProfile,
        subject: Subject,
        issuer: IssuerFacts,
        key: SigningKey,
        serial_number: SerialNumber,
        now: datetime,
    ) -> Certificate:
        """Build a certificate, lint it, and sign it.

        The signature is deterministic, and a certificate counts as issued only when it is stored. One that is lost
        before that was never issued.

        :param now: the time from which the validity is calculated.
        :raises NotConformant: if it would break its profile; nothing is signed then.
        """
        not_before, not_after = validity_from(now, profile.validity.form)
        contents = CertificateContents(
            serial_number=serial_number,
            issuer=issuer.name or b"",
            not_before=not_before,
            not_after=not_after,
            subject=subject.name,
            public_key_info=subject.public_key_info,
            issuer_key_identifier=issuer.key_identifier,
            policy_oid=self._policy_oid,
            carried_over=subject.carried_over,
        )
        tbs = build_tbs_certificate(profile, contents)
        cleared = clear_for_signature(tbs, profile, issuer, self._policy_oid, self._templates)
        return cleared.read(key.sign(cleared))
