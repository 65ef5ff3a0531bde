"""The lint: reads certificates, requests and revocation lists, however malformed, and reports each rule violated."""

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
    """The input of a lint and its findings."""

    shape: Shape
    profile: Profile | None
    """The profile that it was checked against; None if the type of input was not recognised."""
    findings: list[Finding]

    @property
    def kind(self) -> str:
        """The profile's name: ``device``, ``organisation-crl``; ``unknown`` if there is none."""
        return self.profile.name if self.profile else "unknown"

    @property
    def title(self) -> str:
        """The profile's title, for people."""
        return self.profile.title if self.profile else "not a certificate, request or revocation list"


def lint(
    der: bytes,
    *,
    kind: str | None = None,
    issuer: Certificate | IssuerFacts | None = None,
    policy_oid: str = TEST_POLICY_OID,
) -> list[Finding]:
    """Return all findings for a certificate, a certification request or a revocation list.

    >>> [finding.code for finding in lint(certificate.der)] ['key-usage.not-critical']

    :param der: DER, however malformed; only an invalid *kind* makes this function raise.
    :param kind: the intended kind: the name of a profile (``smki profile list``); None to detect it.
    :param issuer: the issuer's certificate; its name, key identifier and signature are then checked too.
    :param policy_oid: the policy of the intended environment.
    :raises Malformed: if there is no profile with that name.
    """
    return lint_any(der, kind=kind, issuer=issuer, policy_oid=policy_oid).findings


def lint_any(
    der: bytes,
    *,
    kind: str | None = None,
    issuer: Certificate | IssuerFacts | None = None,
    policy_oid: str = TEST_POLICY_OID,
) -> Linted:
    """Return the findings as :func:`lint` does, along with the profile that was applied."""
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
    """Return the profile with that name.

    :raises Malformed: if there is none.
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
        # It would violate every rule of that kind; reporting its actual type is more helpful.
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
