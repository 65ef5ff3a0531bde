"""Examines the requests of applications: everything that needs no ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smki.pki.request import CertificationRequest
from smki.pki.template import RequestTemplates
from smki.problem import Finding, Problem, errors_among
from smki.profile.lint import examine_request, looks_like_certificate
from smki.registration.application import Application
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

MAX_REQUEST_BYTES = 64 * 1024
"""Maximum size of a certification request in bytes. Ordinary requests have about 300; a larger one is refused
unread."""


@dataclass(frozen=True, slots=True)
class ExaminedApplication:
    """An application whose request has been examined."""

    application: Application
    request: CertificationRequest | None
    notes: tuple[Finding, ...] = ()
    unfit: tuple[Problem, ...] = ()
    """Why no certificate can be issued for the request, whoever applies."""


def is_examined(application: Application) -> bool:
    """Return whether the request of an application is read at all: it is not if it is too large."""
    return len(application.request) <= MAX_REQUEST_BYTES


def examine(application: Application, templates: RequestTemplates | None) -> ExaminedApplication:
    """Parse, lint and verify the request of an application."""
    if not is_examined(application):
        return too_large(application)
    return examined(application, *examine_request(application.request, application.kind, templates))


def too_large(application: Application) -> ExaminedApplication:
    """Return an application with a request that is too large. The request is not recorded."""
    return ExaminedApplication(replace(application, request=b""), None, (), (_too_large(application.request),))


def examined(
    application: Application, request: CertificationRequest | None, findings: Sequence[Finding]
) -> ExaminedApplication:
    """Return an application with the result of :func:`~smki.profile.lint.examine_request`."""
    if request is None:
        return ExaminedApplication(application, None, (), tuple(_unfit(application, findings)))
    if application.top_up and (
        request.role is not RemotePartyRole.SUPPLIER or request.usage is not KeyUsage.KEY_AGREEMENT
    ):
        return ExaminedApplication(application, request, (), (_no_top_up(request),))
    return ExaminedApplication(application, request, tuple(findings))


def _too_large(data: bytes) -> Problem:
    expected = f"at most {MAX_REQUEST_BYTES} bytes"
    return Problem(
        code="request.too-large", subject="certification request", seen=f"{len(data)} bytes", expected=expected
    )


def _unfit(application: Application, findings: Sequence[Finding]) -> Sequence[Problem]:
    """Return why no certificate can be issued for the request: the errors that the lint found in it."""
    if looks_like_certificate(application.request):
        expected = "a certification request (PKCS#10)"
        remedy = "Submit the request that was made for its key."
        seen = "a certificate"
        return (
            Problem(
                code="request.is-certificate",
                subject="certification request",
                seen=seen,
                expected=expected,
                remedy=remedy,
            ),
        )
    errors = errors_among(findings)
    # A request of the other kind breaks every rule of this kind; only the first reason is useful.
    decisive = [finding for finding in errors if finding.code == "kind.unexpected"] or errors
    return [finding.as_problem(_remedy(finding.code, application.kind)) for finding in decisive]


def _no_top_up(request: CertificationRequest) -> Problem:
    seen = f"{request.role.label if request.role else 'no role'}, {request.usage.label}"
    return Problem(
        code="top-up.not-a-supplier",
        subject="prepayment top-up",
        seen=seen,
        expected="a Supplier's key agreement certificate",
    )


_OTHER_COMMAND = {
    CertificateKind.DEVICE: "kind.apply-for-organisation",
    CertificateKind.ORGANISATION: "kind.apply-for-device",
}


def _remedy(code: str, kind: CertificateKind) -> str:
    return _OTHER_COMMAND[kind] if code == "kind.unexpected" else ""
