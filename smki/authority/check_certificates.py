"""Checks issued certificates against their columns, their profile and their issuer's signature."""

from __future__ import annotations

from collections.abc import Iterator

from smki.identity import SerialNumber
from smki.ledger import CertificateQuery, CertificateRecord, Ledger
from smki.pki.certificate import Certificate, read_certificate
from smki.pki.template import CertificateTemplate, CertificateTemplates, signed_part
from smki.pki.x509 import verifying_key
from smki.problem import Problem, SmkiError, errors_among
from smki.profile import IssuerFacts, lint_certificate

PAGE = 5000
"""Number of certificates that are checked with the same templates."""


class _Issuer:
    """An authority, with what its certificates are compared with."""

    def __init__(self, certificate: Certificate) -> None:
        self.facts = IssuerFacts.of(certificate)
        self._verifies = verifying_key(certificate.point) if certificate.point is not None else None
        self._templates = CertificateTemplates[None]()

    def usual(self, encoded: bytes) -> Certificate | None:
        """Return a certificate that differs from one in which the lint found no error in nothing but its values, and
        whose signature verifies. None for any other: it needs the whole lint."""
        found = signed_part(encoded)
        if found is None or self._verifies is None:
            return None
        tbs, signature = found
        for template, _ in self._templates.covering(tbs):
            certificate = template.certificate(tbs, encoded, signature)
            above = self.facts.certificate
            if above is None or not above.not_before <= certificate.not_before:
                return None
            return certificate if self._verifies(signature, tbs) else None
        return None

    def learn(self, encoded: bytes) -> None:
        """Learn from a certificate in which the lint found no error."""
        template = CertificateTemplate.of(read_certificate(encoded))
        if template is not None:
            self._templates.add(template, None)


def check_certificates(ledger: Ledger, after: int, limit: int) -> Iterator[Problem | None]:
    """Yield what is wrong with a page of certificates, and None once for each certificate that was read.

    The whole lint takes longer than a signature, so it is run on the first certificate of each form; others of an issuer
    are compared with it (:mod:`smki.pki.template`), and their signatures verified.

    :param after: the id after which the page begins.
    """
    authorities = {record.serial_number: _read(record) for record in ledger.authorities()}
    issuers: dict[SerialNumber, _Issuer] = {}
    for record in ledger.certificates(CertificateQuery(), after, limit):
        yield None
        above = record.issuer_serial_number
        known = issuers.get(above) if above is not None else None
        usual = known.usual(record.der) if known is not None else None
        certificate = usual or _read(record)
        if certificate is None:
            yield _problem("certificate.unreadable", record, "its DER cannot be read", "a certificate")
            continue
        yield from _check_columns(record, certificate)
        if not ledger.is_certified(certificate.public_key_info):
            yield _problem("ledger.column", record, "column public_key holds another key", "its public key")
        if usual is not None:
            continue
        issuer = authorities.get(above) if above else certificate
        if issuer is None:
            yield _problem("certificate.issuer-missing", record, f"issued by {above}", "a certificate in the ledger")
            continue
        # Kind and role were compared with the columns above: the lint may choose the profile by the certificate.
        findings = errors_among(lint_certificate(record.der, None, IssuerFacts.of(issuer)))
        for finding in findings:
            yield _problem(finding.code, record, finding.seen, finding.expected)
        if above is not None and not findings and not record.kind.is_authority:
            issuers.setdefault(above, _Issuer(issuer)).learn(record.der)


def _read(record: CertificateRecord) -> Certificate | None:
    try:
        return record.certificate
    except SmkiError:
        return None


_COLUMNS = ("serial_number", "kind", "entity_identifier", "role", "not_before", "not_after")


def _check_columns(record: CertificateRecord, certificate: Certificate) -> Iterator[Problem]:
    for column in _COLUMNS:
        stored, read = getattr(record, column), getattr(certificate, column)
        if stored != read:
            yield _problem("ledger.column", record, f"column {column} holds {stored}", f"{read}, as in the certificate")
    if not record.kind.is_authority and record.usage != certificate.usage:
        yield _problem("ledger.column", record, f"column usage holds {record.usage}", f"{certificate.usage}")


def _problem(code: str, record: CertificateRecord, seen: str, expected: str) -> Problem:
    return Problem(code=code, subject=f"certificate {record.serial_number}", seen=seen, expected=expected)
