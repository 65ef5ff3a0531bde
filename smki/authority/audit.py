"""Checks everything that was issued by reading it again, without trusting the ledger."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from multiprocessing import get_context

from smki.authority.check_certificates import PAGE, check_certificates
from smki.authority.lodged import lodged_problems
from smki.clock import iso, to_seconds
from smki.identity import PartyId, SerialNumber
from smki.ledger import EventKind, EventQuery, Ledger, ListRecord
from smki.pki.certificate import Certificate
from smki.pki.revocation_entry import encode_entry_rows
from smki.pki.revocation_list import RevocationList, read_revocation_list
from smki.problem import Problem, SmkiError, errors_among
from smki.profile import IssuerFacts
from smki.profile.lint_list import lint_revocation_list
from smki.profile.revocation_reasons import CRL_REASONS
from smki.sec.registry_fields import registrant_id

Found = tuple[int, int, list[Problem]]
"""The result of a task: certificates that were checked, unfinished applications, and problems."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of checking a ledger."""

    certificates: int
    """The number of certificates that were checked."""
    unfinished: int
    """Applications without a certificate: a crash intervened, or they are in progress. Nothing was handed out."""
    problems: tuple[Problem, ...]
    """What is wrong with the ledger."""
    lodged: tuple[Problem, ...] = ()
    """What the DCC has to lodge (SEC L3.12) and is not in use. The ledger can be sound all the same."""


def check_ledger(
    ledger: Ledger,
    checkpoint_problems: Callable[[], Sequence[Problem]] = tuple,
    *,
    again: Callable[[], Ledger] | None = None,
    since: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,
    page: int = PAGE,
    now: datetime | None = None,
) -> CheckResult:
    """Check every certificate against its columns, profile and issuer, the latest lists against the revocations, the
    storage for damage and contradictions, and everything against the record.

    :param checkpoint_problems: returns what is wrong with the checkpoints of the record.
    :param again: opens the ledger once more, in another process; None to use this process alone.
    :param since: the number of an event. Certificates that were recorded until then are not linted again.
    :param report: called with the number of tasks that are done, and of all.
    :param page: the number of certificates of one task.
    :param now: when the certificates that the DCC lodges (SEC L3.12) have to be in use; None not to check that.
    """
    pages = ledger.record.certificate_pages(since, page)
    tasks: list[Callable[[Ledger], Found]] = [_damage, _inconsistencies, _unrecorded]
    tasks += [partial(_certificates, after=after, limit=page) for after in pages]
    tasks.append(_lists_and_register)
    found: list[Found] = []
    if again is None or len(pages) < 2:
        for task in tasks:
            found.append(task(ledger))
            report(len(found), len(tasks))
    else:
        # New processes, not forked ones: those would share the open database.
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
            futures: list[Future[Found]] = [pool.submit(_perform, task, again) for task in tasks]
            for future in futures:
                found.append(future.result())
                report(len(found), len(tasks))
    problems = [problem for _, _, each in found for problem in each]
    problems[len(found[0][2]) : len(found[0][2])] = checkpoint_problems()
    lodged = _lodged(ledger, now) if now is not None else ()
    return CheckResult(sum(each[0] for each in found), sum(each[1] for each in found), tuple(problems), lodged)


def _perform(task: Callable[[Ledger], Found], again: Callable[[], Ledger]) -> Found:
    ledger = again()
    try:
        return task(ledger)
    finally:
        ledger.close()


def _damage(ledger: Ledger) -> Found:
    texts = ledger.damage()
    return 0, 0, [_damaged(text) for text in texts]


def _inconsistencies(ledger: Ledger) -> Found:
    return 0, 0, ledger.inconsistencies()


def _unrecorded(ledger: Ledger) -> Found:
    return 0, 0, ledger.unrecorded()


def _certificates(ledger: Ledger, *, after: int, limit: int) -> Found:
    count, problems = 0, []
    try:
        for found in check_certificates(ledger, after, limit):
            count += found is None
            problems += [found] if found is not None else []
    except (ValueError, TypeError, LookupError, OverflowError, SmkiError) as error:
        # A row that does not hold what its columns are for: whatever comes after it in the page is not read.
        problems.append(_damaged(f"a row that cannot be read: {error}"[:200]))
    return count, 0, problems


def _lists_and_register(ledger: Ledger) -> Found:
    problems: list[Problem] = []
    try:
        for record in ledger.authorities():
            try:
                issuer = record.certificate
            except SmkiError:
                continue
            problems += _check_lists(ledger, issuer)
        for registrant in ledger.register.registrants():
            if ledger.register.registrant(PartyId.parse(registrant_id(registrant))) is None:
                raise LookupError(f"Party {registrant_id(registrant)}")
        for device in ledger.register.devices():
            if ledger.register.device(device.device_id) is None:
                raise LookupError(f"Device {device.device_id}")
        return 0, len(ledger.unfinished_applications()), problems
    except (ValueError, TypeError, LookupError, OverflowError, SmkiError) as error:
        return 0, 0, [*problems, _damaged(f"a row that cannot be read: {error}"[:200])]


def _lodged(ledger: Ledger, now: datetime) -> tuple[Problem, ...]:
    try:
        return tuple(lodged_problems(ledger, now))
    except (ValueError, TypeError, LookupError, OverflowError, SmkiError) as error:
        return (_damaged(f"a row that cannot be read: {error}"[:200]),)


def _damaged(seen: str) -> Problem:
    return Problem(code="ledger.damaged", subject="ledger", seen=seen, expected="a sound file")


def _check_lists(ledger: Ledger, issuer: Certificate) -> Iterator[Problem]:
    """Check that the numbers of an issuer's lists are consecutive but for the gaps of restores, and that the latest list
    matches the ledger.

    The ledger itself compares the times of the lists with its events (list.time).
    """
    restored = ledger.events(EventQuery(kind=EventKind.RESTORED))
    gaps = {int(event.content["numbersAbove"]) + 1 for event in restored if event.content}
    expected = 1
    for record in ledger.revocations.lists(issuer.serial_number):
        if record.number in gaps:
            expected = max(expected, record.number)
        if record.number != expected:
            subject = f"revocation list {record.number} of {issuer.serial_number}"
            yield Problem(
                code="list.order", subject=subject, seen=f"number {record.number}", expected=f"number {expected}"
            )
        expected = record.number + 1
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
