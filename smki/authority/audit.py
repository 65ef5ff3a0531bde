"""Checks everything that was issued by reading it again, without trusting the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from smki.clock import iso, to_seconds
from smki.identity import PartyId, SerialNumber
from smki.ledger import CertificateQuery, CertificateRecord, Ledger, ListRecord
from smki.pki.certificate import Certificate
from smki.pki.revocation_entry import encode_entry_rows
from smki.pki.revocation_list import RevocationList, read_revocation_list
from smki.problem import Problem, SmkiError, errors_among
from smki.profile import IssuerFacts, lint_certificate
from smki.profile.lint_list import lint_revocation_list
from smki.profile.revocation_reasons import CRL_REASONS
from smki.sec.registry_fields import registrant_id


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of checking a ledger."""

    certificates: int
    """The number of certificates that were checked."""
    unfinished: int
    """Applications without a certificate: a crash intervened, or they are in progress. Nothing was handed out."""
    problems: tuple[Problem, ...]


def check_ledger(ledger: Ledger, checkpoint_problems: Callable[[], Sequence[Problem]] = tuple) -> CheckResult:
    """Check every certificate against its columns, profile and issuer, the latest lists against the revocations, and
    the storage for damage and contradictions.

    :param checkpoint_problems: returns what is wrong with the checkpoints of the record.
    """
    problems = [
        Problem(code="ledger.damaged", subject="ledger", seen=text, expected="a sound file") for text in ledger.damage()
    ]
    problems += ledger.inconsistencies()
    problems += checkpoint_problems()
    count = 0
    try:
        for found in _check_rows(ledger):
            count += found is None
            problems += [found] if found is not None else []
        unfinished = len(ledger.unfinished_applications())
    except (ValueError, TypeError, LookupError, OverflowError, SmkiError) as error:
        # A row that does not hold what its columns are for: whatever comes after it is not read.
        seen = f"a row that cannot be read: {error}"[:200]
        problems.append(Problem(code="ledger.damaged", subject="ledger", seen=seen, expected="a sound file"))
        unfinished = 0
    return CheckResult(count, unfinished, tuple(problems))


def _check_rows(ledger: Ledger) -> Iterator[Problem | None]:
    """What is wrong with authorities, certificates, lists and register; None once for each certificate that was read."""
    issuers = {record.serial_number: _read(record) for record in ledger.authorities()}
    for record in ledger.certificates(CertificateQuery()):
        yield None
        certificate = _read(record)
        if certificate is None:
            yield _problem("certificate.unreadable", record, "its DER cannot be read", "a certificate")
            continue
        yield from _check_columns(record, certificate)
        if not ledger.is_certified(certificate.public_key_info):
            yield _problem("ledger.column", record, "column public_key holds another key", "its public key")
        above = record.issuer_serial_number
        issuer = issuers.get(above) if above else certificate
        if issuer is None:
            yield _problem("certificate.issuer-missing", record, f"issued by {above}", "a certificate in the ledger")
            continue
        # Kind and role were compared with the columns above: the lint may choose the profile by the certificate.
        for finding in errors_among(lint_certificate(record.der, None, IssuerFacts.of(issuer))):
            yield _problem(finding.code, record, finding.seen, finding.expected)
    for issuer in issuers.values():
        if issuer is not None:
            yield from _check_lists(ledger, issuer)
    for registrant in ledger.register.registrants():
        if ledger.register.registrant(PartyId.parse(registrant_id(registrant))) is None:
            raise LookupError(f"Party {registrant_id(registrant)}")
    for device in ledger.register.devices():
        if ledger.register.device(device.device_id) is None:
            raise LookupError(f"Device {device.device_id}")


def _check_lists(ledger: Ledger, issuer: Certificate) -> Iterator[Problem]:
    """Check that the numbers and times of an issuer's lists only increase, and that the latest one matches the
    ledger."""
    expected, update = 1, None
    for record in ledger.revocations.lists(issuer.serial_number):
        subject = f"revocation list {record.number} of {issuer.serial_number}"
        if record.number != expected or (update is not None and record.this_update < update):
            yield Problem(
                code="list.order",
                subject=subject,
                seen=f"number {record.number}, thisUpdate {record.this_update}",
                expected=f"number {expected}, later",
            )
        expected, update = record.number + 1, record.this_update
    latest = ledger.revocations.latest(issuer.serial_number)
    if latest is not None:
        for finding in errors_among(lint_revocation_list(latest.der, None, IssuerFacts.of(issuer))):
            yield Problem(
                code=finding.code,
                subject=f"revocation list {latest.number}",
                seen=finding.seen,
                expected=finding.expected,
                clause=finding.clause,
            )
        yield from _check_latest(ledger, latest)


def _check_latest(ledger: Ledger, latest: ListRecord) -> Iterator[Problem]:
    """Check that a list matches its columns, and has exactly the entries that were revoked when it was made."""
    subject = f"revocation list {latest.number} of {latest.issuer}"
    try:
        made = RevocationList.from_der(latest.der)
    except SmkiError:
        yield Problem(
            code="list.unreadable", subject=subject, seen="its DER cannot be read", expected="a revocation list"
        )
        return
    columns = {
        "number": (latest.number, made.number),
        "this_update": (latest.this_update, made.this_update),
        "next_update": (latest.next_update, made.next_update),
        "entries": (latest.entries, len(made)),
    }
    for column, (stored, read) in columns.items():
        if stored != read:
            yield Problem(
                code="list.column",
                subject=subject,
                seen=f"column {column} holds {stored}",
                expected=f"{read}, as in the list",
            )
    revoked = list(ledger.revocations.entries(latest.issuer, latest.this_update, last=latest.last_revocation))
    rows = [(entry.serial_number, entry.effective, CRL_REASONS.get(entry.reason) or None) for entry in revoked]
    structure = read_revocation_list(latest.der)
    named = structure.entries.content if structure.entries is not None else b""
    # The entries are encoded again and compared as bytes, which is much faster than parsing a hundred thousand of them.
    if named == encode_entry_rows(rows):
        return
    expected = {SerialNumber.from_bytes(row[0]): row[1:] for row in rows}
    for entry in made.entries():
        listed = expected.pop(entry.serial_number, None)
        if listed is None:
            yield Problem(
                code="list.entry-unfounded",
                subject=subject,
                seen=f"contains {entry.serial_number}",
                expected="only certificates that were revoked at that time",
            )
        elif listed != (to_seconds(entry.revoked_at), entry.reason):
            seen = f"{entry.serial_number} revoked at {iso(entry.revoked_at)}"
            yield Problem(
                code="list.entry-differs", subject=subject, seen=seen, expected="the time and reason of the revocation"
            )
    for serial_number in expected:
        seen = f"does not contain {serial_number}"
        yield Problem(
            code="list.entry-missing",
            subject=subject,
            seen=seen,
            expected="every certificate that was revoked and not expired at that time",
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
    return Problem(code=code, subject=f"certificate {record.serial_number}", seen=seen, expected=expected)
