"""Reads again what the ledger says was issued, trusting none of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from smki.ledger import CertificateQuery, CertificateRecord, Ledger
from smki.pki.certificate import Certificate
from smki.problem import Problem, SmkiError, errors_among
from smki.profile import IssuerFacts, lint_certificate
from smki.profile.lint_list import lint_revocation_list
from smki.profile.tables import profile_of


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the check of a ledger found."""

    certificates: int
    """How many certificates were read."""
    unfinished: int
    """Applications without a certificate: a crash came between, or they are under way. Nothing was handed out."""
    problems: tuple[Problem, ...]


def check_ledger(ledger: Ledger, policy_oid: str) -> CheckResult:
    """Check every certificate against its columns, its profile and its issuer, and the storage as a whole."""
    problems = [Problem("ledger.damaged", "ledger", text, "a sound file") for text in ledger.damage()]
    issuers = {record.serial_number: _read(record) for record in ledger.authorities()}
    count = 0
    for record in ledger.certificates(CertificateQuery()):
        count += 1
        certificate = _read(record)
        if certificate is None:
            problems.append(_problem("certificate.unreadable", record, "its DER cannot be read", "a certificate"))
            continue
        problems += _check_columns(record, certificate)
        above = record.issuer_serial_number
        issuer = issuers.get(above) if above else certificate
        if issuer is None:
            problems.append(
                _problem("certificate.issuer-missing", record, f"issued by {above}", "a certificate in the ledger")
            )
            continue
        findings = lint_certificate(
            record.der, profile_of(record.kind, record.role), IssuerFacts.of(issuer), policy_oid
        )
        problems += (
            _problem(finding.code, record, finding.seen, finding.expected) for finding in errors_among(findings)
        )
    for issuer in issuers.values():
        if issuer is not None:
            problems += _check_lists(ledger, issuer)
    return CheckResult(count, len(ledger.unfinished_applications()), tuple(problems))


def _check_lists(ledger: Ledger, issuer: Certificate) -> Iterator[Problem]:
    """Whether the numbers and times of an issuer's lists only rise, and its latest is what the ledger says."""
    expected, update = 1, None
    for record in ledger.revocations.lists(issuer.serial_number):
        subject = f"revocation list {record.number} of {issuer.serial_number}"
        if record.number != expected or (update is not None and record.this_update < update):
            yield Problem(
                "list.order",
                subject,
                f"number {record.number}, thisUpdate {record.this_update}",
                f"number {expected}, later",
            )
        expected, update = record.number + 1, record.this_update
    latest = ledger.revocations.latest(issuer.serial_number)
    if latest is not None:
        for finding in errors_among(lint_revocation_list(latest.der, None, IssuerFacts.of(issuer))):
            yield Problem(
                finding.code, f"revocation list {latest.number}", finding.seen, finding.expected, finding.clause
            )


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
    return Problem(code, f"certificate {record.serial_number}", seen, expected)
