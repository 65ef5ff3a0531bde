"""The order of writes in which a certificate comes to be; docs/issuance-cycle.md tells it on one page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smki.authority.certification_authority import CertificationAuthority, SigningKey
from smki.identity import SerialNumber
from smki.keys.private_key import Randomness
from smki.ledger import CertificateRecord, Conditions, Ledger, NewApplication, SerialTaken
from smki.problem import IntegrityError, Problem
from smki.profile import IssuerFacts
from smki.profile.build import CertificateContents, build_tbs_certificate, validity_from
from smki.profile.clearance import ClearedCertificate, clear_for_signature
from smki.profile.forms import CertificateProfile
from smki.sec.role import CertificateStatus

MAX_SERIAL_ATTEMPTS = 64
"""So often a serial number is drawn anew when the one drawn is taken; with random ones that never happens."""

NO_CONDITIONS = Conditions()


@dataclass(frozen=True, slots=True)
class Subject:
    """What a certificate is to be issued for."""

    name: bytes
    """Name, DER."""
    public_key_info: bytes
    """SubjectPublicKeyInfo, DER."""
    carried_over: dict[str, bytes] = field(default_factory=dict)
    """Extension contents taken over from the request, by dotted object identifier."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """With which status a certificate begins (SEC L11)."""

    status: CertificateStatus = CertificateStatus.IN_USE
    deemed_after: timedelta | None = None
    """How long after its issue a pending certificate counts as accepted; None for those that need not be accepted."""


ACCEPTED = Acceptance()


class Issuance:
    """Issues certificates: build, lint, commit, sign, commit.

    :param policy_oid: certificatePolicies of everything issued.
    """

    def __init__(self, ledger: Ledger, randomness: Randomness, policy_oid: str) -> None:
        self._ledger = ledger
        self._randomness = randomness
        self._policy_oid = policy_oid

    def issue(
        self,
        profile: CertificateProfile,
        subject: Subject,
        authority: CertificationAuthority,
        application: NewApplication,
        conditions: Conditions = NO_CONDITIONS,
        acceptance: Acceptance = ACCEPTED,
    ) -> CertificateRecord:
        """Issue a certificate under an authority.

        :param conditions: what must still hold when the application is committed.
        :raises NotConformant: when it would break its profile; nothing is written then.
        :raises Overtaken: when a condition does not hold any more; no certificate is handed out then.
        :raises LedgerUnavailable: when it could not be recorded; it is not handed out then.
        """
        key = authority.signing_key
        return self._issue(profile, subject, authority.facts, key, application, conditions, acceptance)

    def issue_root(
        self, profile: CertificateProfile, subject: Subject, key: SigningKey, application: NewApplication
    ) -> CertificateRecord:
        """Issue a self-signed root; raises as :meth:`issue`."""
        facts = IssuerFacts(name=subject.name)
        return self._issue(profile, subject, facts, key, application, NO_CONDITIONS, ACCEPTED)

    def _issue(
        self,
        profile: CertificateProfile,
        subject: Subject,
        issuer: IssuerFacts,
        key: SigningKey,
        application: NewApplication,
        conditions: Conditions,
        acceptance: Acceptance,
    ) -> CertificateRecord:
        now = application.received
        for attempt in range(MAX_SERIAL_ATTEMPTS):
            serial_number = self._randomness.serial_number(subject.public_key_info, attempt)
            validity = validity_from(now, profile.validity.form)
            cleared = self._clear(profile, subject, issuer, serial_number, validity)
            try:
                application_id = self._ledger.reserve(application, serial_number, cleared.tbs, conditions)
            except SerialTaken:
                continue
            certificate = cleared.read(key.sign(cleared))
            above = issuer.certificate.serial_number if issuer.certificate else None
            deemed = now + acceptance.deemed_after if acceptance.deemed_after is not None else None
            return self._ledger.store(
                application_id, certificate, acceptance.status, now, above, deemed, top_up=application.top_up
            )
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
