"""Clearance for signature: the only way from the lint to a signing key."""

from __future__ import annotations

import threading

from smki.pki.certificate import read_tbs_certificate
from smki.pki.template import CertificateTemplate, CertificateTemplates
from smki.problem import Finding, SmkiError, errors_among
from smki.profile.forms import CertificateProfile, RevocationListProfile
from smki.profile.issuer import NOTHING_KNOWN, IssuerFacts
from smki.profile.lint_certificate import lint_tbs_structure
from smki.profile.lint_list import lint_tbs_list
from smki.sec.role import CertificateKind

_MADE_HERE = object()


class NotConformant(SmkiError):
    """Raised when a certificate or list about to be signed violates its profile.

    :ivar findings: the findings of the lint, those at error or above first.
    """

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(*(finding.as_problem() for finding in errors_among(findings)))
        self.findings = findings

    def __reduce__(self) -> tuple[type[NotConformant], tuple[list[Finding]]]:
        return type(self), (self.findings,)


class AlreadySigned(RuntimeError):
    """Raised when a cleared certificate or list is offered for signature again, which is a programming error."""


class Cleared:
    """Bytes that meet their profile and may be signed once, by the issuer for which they were linted.

    Only the functions below create instances.

    :ivar issuer: the issuer for which they were cleared. If its name or key is None, nobody can sign them.
    """

    __slots__ = ("_lock", "_redeemed", "_tbs", "issuer")

    def __init__(self, tbs: bytes, made_by: object, issuer: IssuerFacts = NOTHING_KNOWN) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError(f"only the lint can create a {type(self).__name__}")
        self.issuer = issuer
        self._tbs = tbs
        self._redeemed = False
        self._lock = threading.Lock()

    @property
    def tbs(self) -> bytes:
        """The bytes to be signed."""
        return self._tbs

    def redeem(self) -> bytes:
        """Return the bytes to be signed; works only once.

        :raises AlreadySigned: on the second call.
        """
        with self._lock:
            if self._redeemed:
                raise AlreadySigned("already handed to a signing key")
            self._redeemed = True
        return self._tbs


class ClearedCertificate(Cleared):
    """A TBSCertificate (DER) that meets its profile. Created only by :func:`clear_for_signature`."""

    __slots__ = ()


class ClearedList(Cleared):
    """A TBSCertList (DER) that meets its profile. Created only by :func:`clear_list_for_signature`."""

    __slots__ = ()


IssuingTemplates = CertificateTemplates[tuple[CertificateProfile, IssuerFacts, str]]
"""Templates of certificates that were cleared, each with its profile, issuer and policy."""


def clear_for_signature(
    tbs: bytes,
    profile: CertificateProfile,
    issuer: IssuerFacts,
    policy_oid: str,
    templates: IssuingTemplates | None = None,
) -> ClearedCertificate:
    """Lint a to-be-signed certificate against its profile and clear it for one signature.

    :param issuer: the issuer whose key may sign it. A root is its own issuer.
    :param templates: shorten the lint of Device Certificates; the result is the same without them.
    :raises NotConformant: if there are findings at error or above.
    """
    context = profile, issuer, policy_oid
    if templates is not None:
        for _, cleared_as in templates.covering(tbs):
            if cleared_as == context:
                return ClearedCertificate(tbs, _MADE_HERE, issuer)
    structure = read_tbs_certificate(tbs)
    findings = lint_tbs_structure(structure, profile, issuer, policy_oid)
    if errors_among(findings):
        raise NotConformant(findings)
    if templates is not None and profile.kind is CertificateKind.DEVICE:
        template_of = CertificateTemplate.of(structure)
        if template_of is not None:
            templates.add(template_of, context)
    return ClearedCertificate(tbs, _MADE_HERE, issuer)


def clear_list_for_signature(tbs: bytes, profile: RevocationListProfile, issuer: IssuerFacts) -> ClearedList:
    """Lint a to-be-signed revocation list against its profile and clear it for one signature.

    :param issuer: the issuer whose key may sign it.
    :raises NotConformant: if there are findings at error or above.
    """
    findings = lint_tbs_list(tbs, profile, issuer)
    if errors_among(findings):
        raise NotConformant(findings)
    return ClearedList(tbs, _MADE_HERE, issuer)
