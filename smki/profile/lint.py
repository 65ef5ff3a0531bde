"""The lint: reads certificates, requests and revocation lists however broken, and says which rule each breaks."""

from __future__ import annotations

from dataclasses import dataclass

from smki.pki.certificate import Certificate, read_certificate
from smki.pki.request import read_request
from smki.pki.revocation_list import read_revocation_list
from smki.problem import Finding, Malformed, Problem
from smki.profile.catalogue import Report
from smki.profile.check_bytes import check_size
from smki.profile.detect import (
    Shape,
    detect_list_profile,
    detect_profile,
    detect_request_profile,
    looks_like_certificate,
    shape_of,
)
from smki.profile.forms import CertificateProfile, Profile, RequestProfile, RevocationListProfile
from smki.profile.issuer import NOTHING_KNOWN, IssuerFacts
from smki.profile.lint_certificate import check_certificate, lint_certificate, lint_tbs_certificate
from smki.profile.lint_list import check_revocation_list, lint_revocation_list, lint_tbs_list
from smki.profile.lint_request import check_request, examine_request, lint_request
from smki.profile.tables import ALL_PROFILES, TEST_POLICY_OID

__all__ = [
    "IssuerFacts",
    "Linted",
    "examine_request",
    "lint",
    "lint_any",
    "lint_certificate",
    "lint_request",
    "lint_revocation_list",
    "lint_tbs_certificate",
    "lint_tbs_list",
    "looks_like_certificate",
    "profile_named",
]


@dataclass(frozen=True, slots=True)
class Linted:
    """What was linted, and what the lint found."""

    shape: Shape
    profile: Profile | None
    """What it was held against; None where it could not be told what it is."""
    findings: list[Finding]

    @property
    def kind(self) -> str:
        """The profile's name: ``device``, ``organisation-crl``; ``unknown`` for none."""
        return self.profile.name if self.profile else "unknown"

    @property
    def title(self) -> str:
        """The same in words."""
        return self.profile.title if self.profile else "not a certificate, request or revocation list"


def lint(
    der: bytes,
    *,
    kind: str | None = None,
    issuer: Certificate | IssuerFacts | None = None,
    policy_oid: str = TEST_POLICY_OID,
) -> list[Finding]:
    """Everything that is wrong with a certificate, a certification request or a revocation list.

        >>> [finding.code for finding in lint(certificate.der)]
        ['key-usage.not-critical']

    :param der: DER, however broken; nothing makes this function raise but a wrong *kind*.
    :param kind: what it is to be: the name of a profile (``smki profile list``); None to judge by itself.
    :param issuer: the issuer's certificate: then its name, key identifier and signature are checked too.
    :param policy_oid: the policy of the environment it is for.
    :raises Malformed: when there is no profile of that name.
    """
    return lint_any(der, kind=kind, issuer=issuer, policy_oid=policy_oid).findings


def lint_any(
    der: bytes,
    *,
    kind: str | None = None,
    issuer: Certificate | IssuerFacts | None = None,
    policy_oid: str = TEST_POLICY_OID,
) -> Linted:
    """The same as :func:`lint`, with what it was taken for."""
    wanted = profile_named(kind) if kind is not None else None
    facts = IssuerFacts.of(issuer) if isinstance(issuer, Certificate) else issuer or NOTHING_KNOWN
    shape = shape_of(der)
    report = Report()
    profile: Profile | None
    match shape:
        case Shape.REQUEST:
            profile = _lint_request(report, der, wanted)
        case Shape.LIST:
            profile = _lint_list(report, der, wanted, facts)
        case Shape.CERTIFICATE:
            profile = _lint_certificate(report, der, wanted, facts, policy_oid)
        case Shape.UNKNOWN:
            profile = None
            if check_size(report, der, "input"):
                check_certificate(report, read_certificate(der), None, facts, policy_oid)
    return Linted(shape, profile, report.findings)


def profile_named(name: str) -> Profile:
    """The profile of that name.

    :raises Malformed: when there is none.
    """
    profile = ALL_PROFILES.get(name)
    if profile is None:
        raise Malformed(
            Problem(
                code="profile.unknown",
                subject="profile",
                seen=f"{name[:64]!r}",
                expected="a profile",
                remedy=f"Use one of: {', '.join(ALL_PROFILES)}.",
            )
        )
    return profile


def _lint_certificate(
    report: Report, data: bytes, wanted: Profile | None, issuer: IssuerFacts, policy_oid: str
) -> CertificateProfile | None:
    if not check_size(report, data, "certificate"):
        return None
    structure = read_certificate(data)
    profile = detect_profile(structure)
    if isinstance(wanted, CertificateProfile) and wanted.kind is profile.kind:
        profile = wanted
    elif wanted is not None:
        # It would break every rule of that kind; that it is of another helps more.
        report("kind.unexpected", "certificate", profile.title, wanted.title)
    check_certificate(report, structure, profile, issuer, policy_oid)
    return profile


def _lint_request(report: Report, data: bytes, wanted: Profile | None) -> RequestProfile | None:
    if not check_size(report, data, "certificationRequest"):
        return None
    structure = read_request(data)
    profile = detect_request_profile(structure)
    if isinstance(wanted, RequestProfile) and wanted.kind is profile.kind:
        profile = wanted
    elif wanted is not None:
        report("kind.unexpected", "certificationRequest", profile.title, wanted.title)
    check_request(report, structure, profile.kind, profile)
    return profile


def _lint_list(report: Report, data: bytes, wanted: Profile | None, issuer: IssuerFacts) -> RevocationListProfile:
    structure = read_revocation_list(data)
    profile = detect_list_profile(structure)
    if wanted is not None and wanted is not profile:
        report("kind.unexpected", "certificateList", profile.title, wanted.title)
    check_revocation_list(report, structure, profile, issuer)
    return profile
