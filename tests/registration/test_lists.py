"""When a revocation list is issued, what it and the ledger then say, and the list that is overdue."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from smki import CertificateKind
from smki.authority.revocation_lists import POLICIES
from smki.ledger import CertificateRecord, EventKind, ListRecord
from smki.pki.revocation_list import RevocationList
from smki.problem import NotReady, Problem
from smki.registration import Actor
from smki.registration.revocation import PMA, Revoke
from smki.registration.revocation_lists import IssuedLists, PublishList
from tests.registration.in_memory import START, TEST, Pending

OCA, ROOT = CertificateKind.ISSUING_OCA, CertificateKind.ROOT_OCA
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def pending() -> Pending:
    return Pending()


def lists_of(pending: Pending, kind: CertificateKind = OCA) -> IssuedLists:
    smki = pending.smki
    authority = smki.hierarchy.newest(smki.ledger, kind)
    return IssuedLists(pending.registration, smki.ledger, pending.clock, authority, Actor(interface="lists"))


def revoke(pending: Pending, record: CertificateRecord, not_before: datetime | None = None) -> None:
    command = Revoke(serial_number=record.serial_number, reason="key-compromised", not_before=not_before)
    pending.registration.execute(command, Actor(interface="test", officer=PMA))


def test_a_new_list_and_its_event(pending: Pending) -> None:
    lists, record = lists_of(pending), pending.organisation()
    issuer = pending.authority(OCA)
    first = lists.latest()
    assert first is not None
    assert (first.number, first.this_update, first.next_update) == (1, START, START + 48 * HOUR)
    revoke(pending, record)
    pending.clock.set(START + HOUR)
    made = lists.publish()
    assert made == lists.latest() == lists.numbered(2) == lists.current()
    assert made == ListRecord(
        issuer=issuer.serial_number,
        number=2,
        this_update=START + HOUR,
        next_update=START + 49 * HOUR,
        entries=1,
        der=made.der,
        last_revocation=pending.smki.ledger.revocations.last_id(),
    )
    read = RevocationList.from_der(made.der)
    assert (read.number, read.this_update, read.next_update) == (2, made.this_update, made.next_update)
    (entry,) = read.entries()
    assert (entry.serial_number, entry.revoked_at) == (record.serial_number, START)
    event = pending.event()
    assert (event.at, event.kind, event.interface) == (START + HOUR, EventKind.LIST_ISSUED, "lists")
    assert event.detail == "Organisation CRL 2 of T1"
    assert event.content == {"issuer": issuer.serial_number.hex, "number": 2, "entries": 1}
    assert lists.issuer_name == "T1"
    assert lists_of(pending, ROOT).issuer_name == "TA"
    assert [each.number for each in lists.all()] == [1, 2]
    assert lists.as_of(START + HOUR - SECOND) == first
    assert lists.as_of(START + HOUR) == made
    assert lists.as_of(START - SECOND) is None
    assert lists.numbered(3) is None


def number_at(pending: Pending, kind: CertificateKind, later: timedelta) -> int:
    """The number of the latest list so long after the start, once what is due was issued."""
    pending.clock.set(START + later)
    lists = lists_of(pending, kind)
    before = lists.latest()
    made = lists.publish_if_due()
    latest = lists.latest()
    assert latest is not None
    assert made == (None if latest == before else latest)
    return latest.number


def test_a_list_is_renewed_at_half_of_its_time(pending: Pending) -> None:
    for kind, half in ((OCA, 6 * HOUR), (ROOT, timedelta(days=182.5))):
        assert number_at(pending, kind, half - SECOND) == 1
        assert number_at(pending, kind, half) == 2
        assert number_at(pending, kind, half) == 2


def test_a_revocation_makes_the_next_list_due(pending: Pending) -> None:
    lists, latest = lists_of(pending), lists_of(pending).latest()
    assert latest is not None
    assert lists.due(latest, START) == START + 12 * HOUR
    pending.clock.set(START + 2 * HOUR)
    revoke(pending, pending.organisation())
    assert lists.due(latest, START + 2 * HOUR) == START + 3 * HOUR
    # Half of the three hours has passed.
    assert number_at(pending, OCA, 2 * HOUR) == 2
    newer = lists.latest()
    assert newer is not None
    assert lists.due(newer, START + 2 * HOUR) == START + 14 * HOUR


def test_a_revocation_that_the_interval_precedes_changes_nothing(pending: Pending) -> None:
    lists, latest = lists_of(pending), lists_of(pending).latest()
    assert latest is not None
    pending.clock.set(START + 11 * HOUR + 30 * timedelta(minutes=1))
    revoke(pending, pending.organisation())
    assert lists.due(latest, pending.clock.now()) == START + 12 * HOUR


def test_the_revocation_of_an_authority_is_on_the_arl_at_once(pending: Pending) -> None:
    lists, latest = lists_of(pending, ROOT), lists_of(pending, ROOT).latest()
    assert latest is not None
    pending.clock.set(START + HOUR)
    revoke(pending, pending.authority(OCA))
    assert lists.due(latest, START + HOUR) == START + HOUR
    assert number_at(pending, ROOT, HOUR) == 2


def test_only_one_is_issued_however_many_find_it_due(pending: Pending) -> None:
    lists = lists_of(pending)
    authority = pending.smki.hierarchy.newest(pending.smki.ledger, OCA)
    command = PublishList(authority, only_if_due=True)
    pending.clock.set(START + 6 * HOUR)
    assert pending.registration.execute(command, TEST) == lists.latest()
    before = len(list(pending.smki.ledger.events()))
    assert pending.registration.execute(command, TEST) is None
    assert len(list(pending.smki.ledger.events())) == before
    assert pending.registration.execute(PublishList(authority), TEST) == lists.numbered(3)


def test_current_issues_a_new_one_from_next_update_on(pending: Pending) -> None:
    lists = lists_of(pending)
    pending.clock.set(START + 48 * HOUR - SECOND)
    assert lists.current().number == 1
    pending.clock.set(START + 48 * HOUR)
    assert lists.current().number == 2
    assert lists.current().number == 2


def test_current_issues_none_where_somebody_else_just_did(pending: Pending, monkeypatch: pytest.MonkeyPatch) -> None:
    lists, authority = lists_of(pending), pending.smki.hierarchy.newest(pending.smki.ledger, OCA)
    pending.clock.set(START + 48 * HOUR)
    find_due = IssuedLists.publish_if_due

    def somebody_first(self: IssuedLists) -> ListRecord | None:
        pending.registration.execute(PublishList(authority), TEST)
        return find_due(self)

    monkeypatch.setattr(IssuedLists, "publish_if_due", somebody_first)
    assert lists.current().number == 2
    assert [each.number for each in lists.all()] == [1, 2]


def test_a_clock_that_was_set_back(pending: Pending, caplog: pytest.LogCaptureFixture) -> None:
    lists, record = lists_of(pending), pending.organisation()
    with caplog.at_level(logging.WARNING, "smki.revocation-lists"):
        same = lists.publish()
        assert (same.number, same.this_update, caplog.messages) == (2, START, [])
        pending.clock.set(START - HOUR)
        revoke(pending, record)
        back = lists.publish()
    assert (back.number, back.this_update, back.entries) == (3, START - HOUR, 1)
    assert caplog.messages == [
        "list 3 of T1 is dated 2026-03-02T08:30:00Z, before list 2 of 2026-03-02T09:30:00Z: the clock was set back"
    ]


def test_a_list_dated_after_the_present_is_replaced_at_once(pending: Pending) -> None:
    lists = lists_of(pending)
    pending.clock.set(START - SECOND)
    made = lists.publish_if_due()
    assert made is not None
    assert (made.number, made.this_update) == (2, START - SECOND)
    assert lists.publish_if_due() is None
    pending.clock.set(START - 2 * SECOND)
    current = lists.current()
    assert (current.number, current.this_update) == (3, START - 2 * SECOND)
    assert lists.current() == current


def test_the_overdue_list(pending: Pending) -> None:
    lists = lists_of(pending)
    lifetime = 48 * HOUR
    assert POLICIES[OCA].lifetime == lifetime
    before = lists.overdue()
    assert (before.number, before.this_update, before.next_update, before.entries) == (
        0, START - lifetime - SECOND, START - SECOND, 0,
    )  # fmt: skip
    assert lists.overdue() == before
    assert lists.numbered(0) is None
    # Its nextUpdate has to have passed.
    pending.clock.set(START)
    assert lists.overdue() == before
    pending.clock.set(START - SECOND)
    with pytest.raises(NotReady) as caught:
        lists.overdue()
    assert caught.value.problems == (
        Problem(
            code="revocation-list.none-overdue",
            subject="the clock",
            seen="2026-03-02T09:29:59Z, before the first list of 2026-03-02T09:30:00Z",
            expected="a time after it",
        ),
    )
    pending.clock.set(START + lifetime)
    assert lists.overdue().number == 0
    pending.clock.set(START + lifetime + SECOND)
    assert lists.overdue() == lists.numbered(1)
    second = lists.publish()
    pending.clock.set(second.next_update + SECOND)
    third = lists.publish()
    assert lists.overdue() == second
    assert third.number == 3
