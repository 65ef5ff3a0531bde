"""Examination of single certificates: reading them and checking them against their profile."""

from __future__ import annotations

from dataclasses import dataclass, field

from smki.pki.certificate import Certificate, CertificateStructure, read_certificate
from smki.pki.template import CertificateTemplate, CertificateTemplates, signed_part
from smki.pki.x509 import name_text
from smki.problem import Finding, Malformed, errors_among
from smki.profile.catalogue import Report
from smki.profile.check_bytes import check_size
from smki.profile.detect import detect_profile
from smki.profile.issuer import NOTHING_KNOWN
from smki.profile.lint_certificate import check_certificate
from smki.profile.tables import TEST_POLICY_OID
from smki.relying_party.requirements import PROFILE
from smki.relying_party.verdict import Check, Outcome, held, not_held
from smki.sec.role import CertificateKind


@dataclass(frozen=True, slots=True)
class Examined:
    """A certificate that was offered, and what can be determined from it alone."""

    encoded: bytes
    certificate: Certificate | None
    """None if it cannot be read."""
    kind: CertificateKind
    """The kind of certificate it is intended to be."""
    label: str
    """A label for people: ``Device Certificate 4DF5…``, ``Issuing OCA OU=07, CN=T1``."""
    profile: Check
    """Step 1."""
    critical: tuple[str, ...]
    """Critical extensions that are not in its profile, by name or dotted object identifier."""
    structure: CertificateStructure | None = field(default=None, compare=False, repr=False)
    """Its parsed structure; None if it was read using a template, or cannot be read."""


class Examiner:
    """Examines certificates, using templates for speed where possible. Safe for threads.

    The result is the same with or without a template. Templates are learnt only from certificates that the caller has
    verified up to a trusted authority, so that nobody else can choose them.
    """

    def __init__(self) -> None:
        self._templates = CertificateTemplates[CertificateKind]()

    def examine(self, encoded: bytes) -> Examined:
        """Read a certificate (DER) and check it against its profile; never raises."""
        found = signed_part(encoded)
        if found is not None:
            tbs, signature = found
            for template, kind in self._templates.covering(tbs):
                certificate = template.certificate(tbs, encoded, signature)
                label = _label(kind, certificate)
                return Examined(encoded, certificate, kind, label, _profile_check(label, []), ())
        return examine(encoded)

    def learn(self, examined: Examined) -> None:
        """Learn a template from a certificate signed by a trusted authority, discarding the oldest if necessary."""
        if examined.structure is None or examined.profile.outcome is not Outcome.HELD or examined.critical:
            return
        template = CertificateTemplate.of(examined.structure)
        if template is not None:
            self._templates.add(template, examined.kind)


def examine(encoded: bytes) -> Examined:
    """Examine one certificate (DER) without templates; never raises."""
    report = Report()
    if not check_size(report, encoded, "certificate"):
        label = "certificate"
        return Examined(encoded, None, CertificateKind.DEVICE, label, _profile_check(label, report.findings), ())
    structure = read_certificate(encoded)
    profile = detect_profile(structure)
    check_certificate(report, structure, profile, NOTHING_KNOWN, TEST_POLICY_OID)
    try:
        certificate = Certificate.from_structure(structure)
    except Malformed:
        certificate = None
    label = _label(profile.kind, certificate)
    known = {row.form.oid for row in profile.extensions}
    critical = tuple(item.name for item in structure.extensions if item.oid not in known and item.critical)
    check = _profile_check(label, report.findings)
    return Examined(encoded, certificate, profile.kind, label, check, critical, structure)


def _label(kind: CertificateKind, certificate: Certificate | None) -> str:
    if certificate is None:
        return f"unreadable {kind.title}"
    if kind.is_authority:
        return f"{kind.title} {name_text(certificate.subject)}"
    return f"{kind.title} {certificate.serial_number.hex}"


def _profile_check(label: str, findings: list[Finding]) -> Check:
    errors = errors_among(findings)
    if not errors:
        return held(PROFILE, label, "no finding at error or above")
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    seen = f"{first.code} at {first.location}: {first.seen}{more}"
    return not_held(PROFILE, label, "profile", seen, first.expected)
