"""The one gate to the signing keys. Whatever asks for a certificate asks here."""

from __future__ import annotations

from smki.authority.certification_authority import CertificationAuthority, SigningKey
from smki.authority.issuance import Issuance, Subject
from smki.csr import CertificationRequest, read_request
from smki.ledger import CertificateRecord
from smki.problem import Problem, errors_among
from smki.profile.clearance import NotConformant
from smki.profile.lint import lint_request_structure, looks_like_certificate
from smki.profile.tables import profile_of
from smki.registration.application import Application, Issued, Refusal, Refused
from smki.role import CertificateKind
from smki.x509 import Oid

MAX_REQUEST_OCTETS = 64 * 1024
"""Requests above this size are refused unread: ours have about 300 octets."""


class Registration:
    """Decides on applications and has the authorities issue what it grants.

    :param issuers: the issuing authority for each kind of end-entity certificate.
    """

    def __init__(self, issuance: Issuance, issuers: dict[CertificateKind, CertificationAuthority]) -> None:
        self._issuance = issuance
        self._issuers = issuers

    def apply(self, application: Application) -> Issued | Refusal:
        """Decide on an application and, if it is granted, issue the certificate.

        :raises LedgerUnavailable: when the certificate could not be recorded; none was handed out then.
        """
        data = application.request
        problem = _unfit(data)
        if problem is not None:
            return Refusal((problem,))
        structure = read_request(data)
        findings = lint_request_structure(structure, application.kind)
        errors = errors_among(findings)
        if errors:
            # A request of the other kind breaks every rule of this one; only the first reason helps.
            decisive = [finding for finding in errors if finding.code == "kind.unexpected"] or errors
            return Refusal(tuple(finding.as_problem(_remedy(finding.code, application.kind)) for finding in decisive))
        request = CertificationRequest.of(structure)
        profile = profile_of(application.kind, request.role)
        try:
            record = self._issuance.issue(
                profile,
                _subject(request),
                self._issuers[application.kind],
                interface=application.interface,
                applicant=application.applicant,
            )
        except NotConformant as error:
            return Refusal(tuple(error.problems))
        return Issued(record, tuple(findings))

    def issue(self, application: Application) -> Issued:
        """The same, with a refusal raised.

        :raises Refused: when the application is refused.
        :raises LedgerUnavailable: when the certificate could not be recorded.
        """
        outcome = self.apply(application)
        if isinstance(outcome, Refusal):
            raise Refused(*outcome.problems)
        return outcome


def establish_authority(
    issuance: Issuance,
    kind: CertificateKind,
    subject: Subject,
    signing_key: SigningKey,
    above: CertificationAuthority | None,
) -> CertificateRecord:
    """Have an authority's own certificate issued, on the application of the DCC.

    :param above: the authority that issues it; None for a root.
    :raises NotConformant: when it would break its profile.
    :raises LedgerUnavailable: when it could not be recorded.
    """
    profile = profile_of(kind)
    if above is None:
        return issuance.issue_root(profile, subject, signing_key, interface="init", applicant="DCC")
    return issuance.issue(profile, subject, above, interface="init", applicant="DCC")


def _unfit(data: bytes) -> Problem | None:
    expected = "a certification request (PKCS#10)"
    if len(data) > MAX_REQUEST_OCTETS:
        return Problem(
            "request.too-large",
            "certification request",
            f"{len(data)} octets",
            f"at most {MAX_REQUEST_OCTETS} octets",
            "SEC Appendix M",
        )
    if looks_like_certificate(data):
        return Problem(
            "request.is-certificate",
            "certification request",
            "a certificate",
            expected,
            "SEC Appendix M",
            "Hand in the request that was made for its key.",
        )
    return None


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
    return Subject(
        request.subject,
        request.public_key_info,
        request.entity_identifier,
        request.role,
        request.usage,
        carried_over,
        request.der,
    )
