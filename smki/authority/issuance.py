"""The order of writes in which a certificate comes to be; docs/issuance-cycle.md tells it on one page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from smki.authority.certification_authority import CertificationAuthority, SigningKey
from smki.certificate import Certificate
from smki.clock import Clock
from smki.identity import EntityIdentifier, SerialNumber
from smki.key import Randomness
from smki.ledger import CertificateRecord, Ledger, NewApplication, SerialTaken
from smki.problem import IntegrityError, Problem
from smki.profile import IssuerFacts
from smki.profile.build import CertificateContents, build_tbs_certificate, validity_from
from smki.profile.clearance import ClearedCertificate, clear_for_signature
from smki.profile.forms import CertificateProfile
from smki.role import CertificateStatus, KeyUsage, RemotePartyRole

MAX_SERIAL_ATTEMPTS = 64
"""So often a serial number is drawn anew when the one drawn is taken; with random ones that never happens."""


@dataclass(frozen=True, slots=True)
class Subject:
    """For whom and for which key a certificate is to be issued."""

    name: bytes
    """Name, DER."""
    public_key_info: bytes
    """SubjectPublicKeyInfo, DER."""
    entity_identifier: EntityIdentifier | None = None
    role: RemotePartyRole | None = None
    usage: KeyUsage | None = None
    carried_over: dict[str, bytes] = field(default_factory=dict)
    """Extension contents taken over from the request, by dotted object identifier."""
    request: bytes | None = None
    """The certification request, DER."""


class Issuance:
    """Issues certificates: build, lint, commit, sign, commit.

    :param policy_oid: certificatePolicies of everything issued.
    """

    def __init__(self, ledger: Ledger, clock: Clock, randomness: Randomness, policy_oid: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._randomness = randomness
        self._policy_oid = policy_oid

    def issue(
        self,
        profile: CertificateProfile,
        subject: Subject,
        authority: CertificationAuthority,
        *,
        interface: str,
        applicant: str,
        status: CertificateStatus = CertificateStatus.IN_USE,
    ) -> CertificateRecord:
        """Issue a certificate under an authority.

        :raises NotConformant: when it would break its profile; nothing is written then.
        :raises LedgerUnavailable: when it could not be recorded; it is not handed out then.
        """
        return self._issue(profile, subject, authority.facts, authority.signing_key, interface, applicant, status)

    def issue_root(
        self, profile: CertificateProfile, subject: Subject, key: SigningKey, *, interface: str, applicant: str
    ) -> CertificateRecord:
        """Issue a self-signed root; raises as :meth:`issue`."""
        facts = IssuerFacts(name=subject.name)
        return self._issue(profile, subject, facts, key, interface, applicant, CertificateStatus.IN_USE)

    def _issue(
        self,
        profile: CertificateProfile,
        subject: Subject,
        issuer: IssuerFacts,
        key: SigningKey,
        interface: str,
        applicant: str,
        status: CertificateStatus,
    ) -> CertificateRecord:
        for attempt in range(MAX_SERIAL_ATTEMPTS):
            now = self._clock.now()
            serial_number = self._randomness.serial_number(subject.public_key_info, attempt)
            validity = validity_from(now, profile.validity.form)
            cleared = self._clear(profile, subject, issuer, serial_number, validity)
            new = NewApplication(
                now,
                interface,
                applicant,
                profile.kind,
                subject.entity_identifier,
                subject.role,
                subject.usage,
                subject.request,
                serial_number,
                cleared.tbs,
            )
            try:
                application_id = self._ledger.reserve(new)
            except SerialTaken:
                continue
            certificate = Certificate.from_der(key.sign(cleared))
            issuer_serial = issuer.certificate.serial_number if issuer.certificate else None
            return self._ledger.store(application_id, certificate, status, now, issuer_serial)
        raise IntegrityError(
            Problem(
                "serial-number.exhausted",
                "serial number",
                f"{MAX_SERIAL_ATTEMPTS} drawn, all taken",
                "a free one",
                "",
                "A seeded SMKI runs out when one key is certified that often: use another key or an SMKI without seed.",
            )
        )

    def _clear(
        self,
        profile: CertificateProfile,
        subject: Subject,
        issuer: IssuerFacts,
        serial_number: SerialNumber,
        validity: tuple[datetime, datetime],
    ) -> ClearedCertificate:
        contents = CertificateContents(
            serial_number=serial_number,
            issuer=issuer.name or b"",
            not_before=validity[0],
            not_after=validity[1],
            subject=subject.name,
            public_key_info=subject.public_key_info,
            issuer_key_identifier=issuer.key_identifier,
            policy_oid=self._policy_oid,
            carried_over=subject.carried_over,
        )
        return clear_for_signature(build_tbs_certificate(profile, contents), profile, issuer, self._policy_oid)
