"""The one gate to the signing keys. Whatever asks for a certificate asks here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from smki.authority.certification_authority import CertificationAuthority, SigningKey
from smki.authority.issuance import ACCEPTED, Acceptance, Issuance, Subject
from smki.clock import Clock
from smki.eligibility import Applicant
from smki.ledger import CertificateRecord, Ledger, NewApplication, Overtaken
from smki.ledger.register_records import registrant_id
from smki.pki.request import CertificationRequest
from smki.pki.x509 import Oid
from smki.problem import Finding, Malformed, Problem, errors_among
from smki.profile.clearance import NotConformant
from smki.profile.lint import examine_request, looks_like_certificate
from smki.profile.tables import profile_of
from smki.registration.application import Application, Issued, Refusal, Refused
from smki.registration.inquiry import CannotBeJudged, Inquiry
from smki.sec.device import Device
from smki.sec.party import NonParty
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

MAX_REQUEST_OCTETS = 64 * 1024
"""Requests above this size are refused unread: ours have about 300 octets."""

MAX_DECISIONS = 8
"""So often a decision is made anew because another application came first; each time with fewer left to come."""


class Registration:
    """Decides on applications, records every decision, and has the authorities issue what it grants.

    :param issuers: the issuing authorities for each kind of end-entity certificate; they take turns.
    :param deemed_accepted_after: how long after its issue an Organisation Certificate counts as accepted.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        issuance: Issuance,
        issuers: dict[CertificateKind, list[CertificationAuthority]],
        deemed_accepted_after: timedelta,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._inquiry = Inquiry(ledger, clock)
        self._issuance = issuance
        self._issuers = issuers
        self._deemed_accepted_after = deemed_accepted_after
        self._turn = itertools.count()

    def apply(self, application: Application) -> Issued | Refusal:
        """Decide on an application and, if it is granted, issue the certificate.

        :raises LedgerUnavailable: when the decision could not be recorded; no certificate was handed out then.
        """
        received = self._clock.now()
        if len(application.request) > MAX_REQUEST_OCTETS:
            return self._refuse(application, received, (_too_large(application.request),))
        request, findings = examine_request(application.request, application.kind)
        if request is None:
            return self._refuse(application, received, _unfit(application, findings))
        if application.top_up and (
            request.role is not RemotePartyRole.SUPPLIER or request.usage is not KeyUsage.KEY_AGREEMENT
        ):
            return self._refuse(application, received, (_no_top_up(request),), request)
        try:
            applicant, device = self._inquiry.who(application, request.entity_identifier, received.date())
            return self._decide_and_issue(application, request, applicant, device, received, findings)
        except (NotConformant, CannotBeJudged) as error:
            return self._refuse(application, received, error.problems, request)

    def issue(self, application: Application) -> Issued:
        """The same, with a refusal raised.

        :raises Refused: when the application is refused.
        :raises LedgerUnavailable: when the decision could not be recorded.
        """
        outcome = self.apply(application)
        if isinstance(outcome, Refusal):
            raise Refused(*outcome.problems)
        return outcome

    def _decide_and_issue(
        self,
        application: Application,
        request: CertificationRequest,
        applicant: Applicant,
        device: Device | None,
        received: datetime,
        findings: list[Finding],
    ) -> Issued | Refusal:
        issuer = self._issuer(application)
        for _ in range(MAX_DECISIONS):
            decision, conditions = self._inquiry.decide(
                applicant,
                device,
                request.role,
                request.usage,
                request.entity_identifier,
                received.date(),
                request.public_key_info,
            )
            if not decision.eligible:
                return self._refuse(application, received, decision.problems, request, applicant)
            if device is not None and application.device_type is not None:
                judged, device = device, self._added(device)
                if device != judged:
                    continue  # somebody added it meanwhile, as something else
            new = _new_application(application, received, request, applicant)
            try:
                record = self._issuance.issue(
                    profile_of(application.kind, request.role),
                    _subject(request),
                    issuer,
                    new,
                    conditions,
                    self._acceptance(application.kind),
                )
            except Overtaken:
                continue
            return Issued(record, tuple(findings))
        busy = Problem(
            "application.overtaken",
            "application",
            "others came first each time",
            "a quieter moment",
            "",
            "Apply again.",
        )
        return self._refuse(application, received, (busy,), request, applicant)

    def _issuer(self, application: Application) -> CertificationAuthority:
        """The issuing authority that the application names, else the one whose turn it is.

        :raises CannotBeJudged: when there is none of that name.
        """
        issuers = self._issuers[application.kind]
        if not application.issuer:
            return issuers[next(self._turn) % len(issuers)]
        for issuer in issuers:
            if issuer.certificate.common_name == application.issuer:
                return issuer
        names = ", ".join(str(issuer.certificate.common_name) for issuer in issuers)
        raise CannotBeJudged(
            Problem("authority.unknown", f"authority {application.issuer[:16]}", "issues no such certificates", names, "SEC L3",
                    f"Name one of: {names}; or none.")
        )  # fmt: skip

    def _added(self, device: Device) -> Device:
        """The Device as the inventory has it, added where it was not there."""
        register = self._ledger.register
        if register.device(device.device_id) is None:
            with suppress(Malformed):  # somebody else was quicker
                register.add(device)
        return register.device(device.device_id) or device

    def _acceptance(self, kind: CertificateKind) -> Acceptance:
        # A Device Certificate counts as accepted unless it is rejected at once (SEC L11.7).
        if kind is CertificateKind.DEVICE or not self._deemed_accepted_after:
            return ACCEPTED
        return Acceptance(CertificateStatus.PENDING, self._deemed_accepted_after)

    def _refuse(
        self,
        application: Application,
        received: datetime,
        problems: Sequence[Problem],
        request: CertificationRequest | None = None,
        applicant: Applicant | None = None,
    ) -> Refusal:
        new = _new_application(application, received, request, applicant)
        return Refusal(tuple(problems), self._ledger.refuse(new, problems))


def establish_authority(
    issuance: Issuance,
    kind: CertificateKind,
    subject: Subject,
    signing_key: SigningKey,
    above: CertificationAuthority | None,
    received: datetime,
) -> CertificateRecord:
    """Have an authority's own certificate issued, on the application of the DCC.

    :param above: the authority that issues it; None for a root.
    :raises NotConformant: when it would break its profile.
    :raises LedgerUnavailable: when it could not be recorded.
    """
    profile = profile_of(kind)
    new = NewApplication(received, "init", "DCC", "", None, kind, None, None, None, None)
    if above is None:
        return issuance.issue_root(profile, subject, signing_key, new)
    return issuance.issue(profile, subject, above, new)


def _new_application(
    application: Application, received: datetime, request: CertificationRequest | None, applicant: Applicant | None
) -> NewApplication:
    """The application for the record: as much of it as is known."""
    who = applicant.who if applicant else None
    subscriber = applicant.subscriber if applicant else None
    acts_for_another = applicant is not None and applicant.on_behalf_of is not None
    new = NewApplication(
        received,
        application.interface,
        _id_of(subscriber) if subscriber else application.applicant,
        applicant.officer if applicant else application.officer,
        _id_of(who) if who and acts_for_another else None,
        application.kind,
        None,
        None,
        None,
        application.request if len(application.request) <= MAX_REQUEST_OCTETS else None,
        application.top_up,
    )
    if request is None:
        return new
    return replace(new, entity_identifier=request.entity_identifier, role=request.role, usage=request.usage)


def _id_of(who: object) -> str:
    return who.name if isinstance(who, NonParty) else registrant_id(who)  # type: ignore[arg-type]


def _too_large(data: bytes) -> Problem:
    expected = f"at most {MAX_REQUEST_OCTETS} octets"
    return Problem("request.too-large", "certification request", f"{len(data)} octets", expected, "SEC Appendix M")


def _unfit(application: Application, findings: Sequence[Finding]) -> Sequence[Problem]:
    """Why no certificate can be issued for the request: what the lint found in it."""
    if looks_like_certificate(application.request):
        expected = "a certification request (PKCS#10)"
        remedy = "Hand in the request that was made for its key."
        seen = "a certificate"
        return (Problem("request.is-certificate", "certification request", seen, expected, "SEC Appendix M", remedy),)
    errors = errors_among(findings)
    # A request of the other kind breaks every rule of this one; only the first reason helps.
    decisive = [finding for finding in errors if finding.code == "kind.unexpected"] or errors
    return [finding.as_problem(_remedy(finding.code, application.kind)) for finding in decisive]


def _no_top_up(request: CertificationRequest) -> Problem:
    seen = f"{request.role.label if request.role else 'no role'}, {request.usage.label}"
    return Problem("top-up.not-a-supplier", "prepayment top-up", seen, "a Supplier's key agreement certificate", "GBCS 12",
                   "Apply for it with the role supplier and the usage ka.")  # fmt: skip


_OTHER_COMMAND = {
    CertificateKind.DEVICE: "Apply for it with smki issue organisation.",
    CertificateKind.ORGANISATION: "Apply for it with smki issue device.",
}


def _remedy(code: str, kind: CertificateKind) -> str:
    return _OTHER_COMMAND[kind] if code == "kind.unexpected" else ""


def _subject(request: CertificationRequest) -> Subject:
    carried_over = {Oid.KEY_USAGE: request.key_usage}
    if request.subject_alt_name is not None:
        carried_over[Oid.SUBJECT_ALT_NAME] = request.subject_alt_name
    return Subject(request.subject, request.public_key_info, carried_over)
