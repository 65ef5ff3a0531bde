"""`smki check` reads again what was issued and believes none of it: each kind of damage is found, and named in full."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

import pytest

from smki import CertificateKind, EntityIdentifier, Smki
from smki.authority.audit import CheckResult, check_ledger
from smki.clock import to_seconds
from smki.ledger import CertificateRecord, ListRecord
from smki.ledger.sqlite.memory import MemoryLedger
from smki.problem import Problem
from smki.registration.restoration import GoOnAfterRestore
from smki.registration.revocation import Revoke
from tests.registration.in_memory import START, TEST, Pending
from tests.support import DS, KA

OCA = CertificateKind.ISSUING_OCA


class Damaged:
    """An SMKI with a Device Certificate, two Organisation Certificates of which one is revoked, and its second list."""

    def __init__(self) -> None:
        self.pending = pending = Pending()
        self.smki: Smki = pending.smki
        self.registration = pending.registration
        self.device, self.revoked, self.good = pending.device(), pending.organisation(DS), pending.organisation(KA)
        pending.clock.set(START + timedelta(hours=1))
        revoke = Revoke(serial_number=self.revoked.serial_number, reason="key-compromised")
        pending.registration.execute(revoke, TEST)
        self.list: ListRecord = self.smki.lists(OCA).publish()
        self.issuer = pending.authority(OCA)

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        ledger = self.smki.ledger
        assert isinstance(ledger, MemoryLedger)
        return ledger._connection.execute(sql, parameters)

    def change(self, sql: str, *parameters: Any) -> None:
        assert self.execute(sql, *parameters).rowcount == 1

    def certificate(self, record: CertificateRecord, column: str, value: object) -> None:
        self.change(f"UPDATE certificate SET {column} = ? WHERE id = ?", value, record.id)

    def second_list(self, column: str, value: object) -> None:
        sql = f"UPDATE revocation_list SET {column} = ? WHERE number = 2"
        self.change(sql, value)

    def check(self) -> CheckResult:
        return check_ledger(self.smki.ledger)

    def found(self, *codes: str) -> list[Problem]:
        """The problems of those codes: whether it all fits together is another check's."""
        return [problem for problem in self.check().problems if problem.code in codes]


@pytest.fixture
def damaged() -> Damaged:
    return Damaged()


def of(record: CertificateRecord, code: str, seen: str, expected: str) -> Problem:
    return Problem(code=code, subject=f"certificate {record.serial_number}", seen=seen, expected=expected)


def test_nothing_is_found_in_a_sound_ledger(damaged: Damaged) -> None:
    assert damaged.check() == CheckResult(damaged.smki.ledger.count_certificates(), 0, ())


def test_damage_to_the_storage(damaged: Damaged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(damaged.smki.ledger), "damage", lambda _: ["page 7 is torn"])
    assert damaged.check().problems == (
        Problem(code="ledger.damaged", subject="ledger", seen="page 7 is torn", expected="a sound file"),
    )


def test_a_certificate_that_cannot_be_read(damaged: Damaged) -> None:
    damaged.certificate(damaged.device, "der", damaged.device.der[:-1])
    result = damaged.check()
    assert result.certificates == damaged.smki.ledger.count_certificates()
    expected = of(damaged.device, "certificate.unreadable", "its DER cannot be read", "a certificate")
    assert [each for each in result.problems if each.code.startswith("certificate.")] == [expected]


def test_an_issuer_that_is_not_there_or_cannot_be_read(damaged: Damaged) -> None:
    stranger = "00" * 14 + "1234"
    damaged.certificate(damaged.device, "issuer_serial_number", bytes.fromhex("1234"))
    (problem,) = damaged.found("certificate.issuer-missing")
    assert problem.subject == f"certificate {damaged.device.serial_number}"
    assert problem.seen == f"issued by {stranger}"
    assert problem.expected == "a certificate in the ledger"
    damaged.certificate(damaged.issuer, "der", b"\x30\x00")
    subjects = [problem.subject for problem in damaged.found("certificate.issuer-missing")]
    assert f"certificate {damaged.good.serial_number}" in subjects
    assert f"certificate {damaged.issuer.serial_number}" not in subjects


@pytest.mark.parametrize(
    ("column", "attribute", "value"),
    [
        ("entity_identifier", "entity_identifier", bytes(8)),
        ("role", "role", "networkOperator"),
        ("not_before", "not_before", to_seconds(START)),
        ("not_after", "not_after", to_seconds(START)),
    ],
)
def test_each_column_of_a_certificate(damaged: Damaged, column: str, attribute: str, value: object) -> None:
    if column == "role":
        other = damaged.smki.ledger.authorities()[0]
        (value,) = damaged.execute("SELECT role FROM certificate WHERE id = ?", other.id).fetchone()
    damaged.certificate(damaged.good, column, value)
    changed = damaged.smki.ledger.certificate(damaged.good.serial_number)
    stored, read = getattr(changed, attribute), getattr(damaged.good, attribute)
    assert stored != read
    assert damaged.found("ledger.column") == [
        of(damaged.good, "ledger.column", f"column {attribute} holds {stored}", f"{read}, as in the certificate")
    ]


def test_the_usage_of_a_certificate(damaged: Damaged) -> None:
    damaged.certificate(damaged.good, "usage", "DS")
    assert damaged.found("ledger.column") == [of(damaged.good, "ledger.column", f"column usage holds {DS}", f"{KA}")]


def test_each_certificate_of_one_form_is_checked(damaged: Damaged) -> None:
    """After the first of them the whole lint is not run, but the signature is verified."""
    alike = [
        damaged.device,
        *(damaged.pending.device(EntityIdentifier.parse(f"00DB1234567890A{n}")) for n in (1, 4, 5)),
    ]
    ledger = damaged.smki.ledger
    for page in (1, 2, 3, 100):
        assert check_ledger(ledger, page=page) == CheckResult(ledger.count_certificates(), 0, ())
    for record in alike:
        changed = bytearray(record.certificate.der)
        changed[-1] ^= 1
        damaged.certificate(record, "der", bytes(changed))
        for page in (2, 100):
            found = [each for each in check_ledger(ledger, page=page).problems if each.code.startswith("signature")]
            assert [problem.subject for problem in found] == [f"certificate {record.serial_number}"]
        damaged.certificate(record, "der", record.certificate.der)


def test_the_serial_number_and_kind_of_a_certificate(damaged: Damaged) -> None:
    damaged.certificate(damaged.good, "serial_number", bytes.fromhex("1234"))
    (problem,) = damaged.found("ledger.column")
    assert problem.seen.startswith("column serial_number holds ")
    assert problem.expected == f"{damaged.good.serial_number}, as in the certificate"
    damaged = Damaged()
    damaged.certificate(damaged.device, "kind", "organisation")
    assert [problem.seen for problem in damaged.found("ledger.column")] == [
        f"column kind holds {CertificateKind.ORGANISATION}"
    ]


def test_what_the_lint_finds_in_a_certificate(damaged: Damaged) -> None:
    changed = bytearray(damaged.good.der)
    changed[-1] ^= 1
    damaged.certificate(damaged.good, "der", bytes(changed))
    problems = [
        each for each in damaged.check().problems if each.subject == f"certificate {damaged.good.serial_number}"
    ]
    assert any(problem.code.startswith("signature") for problem in problems)
    assert all(problem.seen and problem.expected for problem in problems)


def test_the_numbers_of_lists_only_rise(damaged: Damaged) -> None:
    issuer = damaged.issuer.serial_number
    damaged.second_list("number", 3)
    assert damaged.found("list.order") == [
        Problem(
            code="list.order",
            subject=f"revocation list 3 of {issuer}",
            seen="number 3",
            expected="number 2",
        )
    ]
    (problem,) = damaged.found("list.column")
    assert problem.seen == "column number holds 3"


@pytest.mark.parametrize(
    ("sql", "numbers"),
    [
        ("UPDATE revocation_list SET this_update = this_update + ? WHERE number = 2", [2]),
        ("UPDATE revocation_list SET this_update = this_update - ? WHERE number = 2", [2]),
        ("UPDATE audit_event SET at = at - ? WHERE id = (SELECT max(id) FROM audit_event)", [2]),
        ("UPDATE revocation_list SET this_update = this_update - ? WHERE number = 1", [1]),
        (
            "UPDATE audit_event SET at = at + ? WHERE event = 'list issued' AND json_extract(content, '$.number') = 1",
            [1],
        ),
    ],
)
def test_the_time_of_a_list_is_that_of_its_event(damaged: Damaged, sql: str, numbers: list[int]) -> None:
    damaged.execute("DELETE FROM revocation_list WHERE issuer_serial_number != ?", damaged.list.issuer.encoded)
    damaged.execute(
        "DELETE FROM audit_event WHERE event = 'list issued' AND json_extract(content, '$.issuer') != ?",
        damaged.list.issuer.hex,
    )
    assert damaged.found("list.time") == []
    damaged.execute(sql, 1)
    found = damaged.found("list.time")
    assert [problem.subject for problem in found] == [
        f"revocation list {number} of {damaged.list.issuer.hex}" for number in numbers
    ]
    assert all(problem.expected == "the time of the event that records its issue" for problem in found)


def test_lists_of_version_0_1_are_dated_like_the_one_before_after_the_clock_was_set_back(damaged: Damaged) -> None:
    """Only until a later one has replaced it, because the latest list is the one that is served."""
    event = "event = 'list issued' AND json_extract(content, '$.issuer') = ? AND json_extract(content, '$.number') = 2"
    issuer = damaged.list.issuer.hex
    first = to_seconds(START)
    damaged.second_list("this_update", first)
    damaged.change(f"UPDATE audit_event SET at = ? WHERE {event}", first - 60, issuer)
    assert [problem.subject for problem in damaged.found("list.time")] == [f"revocation list 2 of {issuer}"]
    damaged.smki.lists(OCA).publish()
    assert damaged.found("list.time") == []
    # Without an event, as in that version, it must not be earlier.
    damaged.change(f"DELETE FROM audit_event WHERE {event}", issuer)
    assert damaged.found("list.time") == []
    damaged.second_list("this_update", first - 1)
    assert [problem.seen for problem in damaged.found("list.time")] == [
        f"thisUpdate {first - 1}, issued at a time that is not recorded"
    ]


def test_the_numbers_of_lists_may_go_on_after_a_restore_and_nowhere_else(damaged: Damaged) -> None:
    restore = GoOnAfterRestore(machine_microseconds=5_000, backup_made=START, backup_sha256="00" * 32)
    damaged.registration.execute(restore, TEST)
    lists = damaged.smki.lists(OCA)
    assert [lists.publish().number, lists.publish().number] == [5_001, 5_002]
    assert damaged.found("list.order") == []
    damaged.change("UPDATE revocation_list SET number = 5003 WHERE number = 5002")
    (problem,) = damaged.found("list.order")
    assert (problem.seen, problem.expected) == ("number 5003", "number 5002")


def test_lists_are_checked_although_an_authority_before_cannot_be_read(damaged: Damaged) -> None:
    root = next(each for each in damaged.smki.ledger.authorities() if each.kind is CertificateKind.ROOT_OCA)
    damaged.certificate(root, "der", b"not DER")
    damaged.second_list("entries", 2)
    assert [problem.seen for problem in damaged.found("list.column")] == ["column entries holds 2"]


def test_the_columns_of_the_latest_list(damaged: Damaged) -> None:
    made = damaged.list
    later = timedelta(seconds=1)
    for column, stored, told in (
        ("this_update", made.this_update + later, made.this_update),
        ("next_update", made.next_update + later, made.next_update),
        ("entries", 2, 1),
    ):
        damaged = Damaged()
        damaged.second_list(column, stored if isinstance(stored, int) else to_seconds(stored))
        assert damaged.found("list.column") == [
            Problem(
                code="list.column",
                subject=f"revocation list 2 of {made.issuer}",
                seen=f"column {column} holds {stored}",
                expected=f"{told}, as in the list",
            )
        ]


def test_a_list_that_cannot_be_read_or_is_not_the_issuers(damaged: Damaged) -> None:
    subject = f"revocation list 2 of {damaged.issuer.serial_number}"
    damaged.second_list("der", damaged.list.der[:-1])
    (problem,) = damaged.found("list.unreadable")
    assert problem == Problem(
        code="list.unreadable", subject=subject, seen="its DER cannot be read", expected="a revocation list"
    )
    damaged = Damaged()
    changed = bytearray(damaged.list.der)
    changed[-1] ^= 1
    damaged.second_list("der", bytes(changed))
    (problem,) = [each for each in damaged.check().problems if not each.code.startswith("record.")]
    assert problem.code.startswith("signature")
    assert problem.subject == "revocation list 2"
    assert problem.seen
    assert problem.expected
    assert problem.clause


def test_the_latest_list_names_what_was_revoked_and_nothing_else(damaged: Damaged) -> None:
    subject, serial = f"revocation list 2 of {damaged.issuer.serial_number}", damaged.revoked.serial_number
    codes = ("list.entry-differs", "list.entry-unfounded", "list.entry-missing")
    for reason, effective in (("superseded", START), ("key-compromised", START - timedelta(minutes=1))):
        damaged = Damaged()
        serial = damaged.revoked.serial_number
        damaged.change("UPDATE revocation SET reason = ?, effective = ?", reason, to_seconds(effective))
        assert damaged.found(*codes) == [
            Problem(
                code="list.entry-differs",
                subject=subject,
                seen=f"{serial} revoked at 2026-03-02T10:30:00Z",
                expected="the time and reason of the revocation",
            )
        ]
    damaged = Damaged()
    damaged.change("DELETE FROM revocation")
    assert damaged.found(*codes) == [
        Problem(
            code="list.entry-unfounded",
            subject=subject,
            seen=f"contains {damaged.revoked.serial_number}",
            expected="only certificates that were revoked at that time",
        )
    ]
    damaged = Damaged()
    damaged.change("UPDATE revocation SET certificate_id = ?, serial_number = ?", damaged.good.id,
                   damaged.good.serial_number.encoded)  # fmt: skip
    assert damaged.found(*codes) == [
        Problem(
            code="list.entry-unfounded",
            subject=subject,
            seen=f"contains {damaged.revoked.serial_number}",
            expected="only certificates that were revoked at that time",
        ),
        Problem(
            code="list.entry-missing",
            subject=subject,
            seen=f"does not contain {damaged.good.serial_number}",
            expected="every certificate that was revoked and not expired at that time",
        ),
    ]


def test_a_revocation_after_the_latest_list_within_its_second(damaged: Damaged) -> None:
    """It was made when the list was published already: the next list has it, and this one is right without it."""
    revoke = Revoke(serial_number=damaged.good.serial_number, reason="key-compromised")
    damaged.registration.execute(revoke, TEST)
    assert damaged.check().problems == ()


def test_a_public_key_that_is_not_in_the_index(damaged: Damaged) -> None:
    damaged.certificate(damaged.device, "public_key", damaged.good.certificate.public_key_info[:8])
    assert of(
        damaged.device, "ledger.column", "column public_key holds another key", "its public key"
    ) in damaged.found("ledger.column")


@pytest.mark.parametrize(
    ("sql", "seen"),
    [
        ("UPDATE certificate SET kind = 'nonsense' WHERE id = 5", "a row that cannot be read: "),
        ("UPDATE registrant SET id = 'A-B' WHERE rowid = 1", "a row that cannot be read: Party "),
        ("UPDATE device SET id = x'1234' WHERE rowid = 1", "a row that cannot be read: device 1234: "),
    ],
)
def test_a_row_that_cannot_be_read(damaged: Damaged, sql: str, seen: str) -> None:
    damaged.change(sql)
    result = damaged.check()
    problem = [each for each in result.problems if each.code == "ledger.damaged"][-1]
    assert (problem.subject, problem.expected) == ("ledger", "a sound file")
    assert problem.seen.startswith(seen)
    assert len(problem.seen) > len(seen)
    assert "None" not in problem.seen
    assert result.unfinished == 0
    assert result.certificates <= damaged.smki.ledger.count_certificates()


def test_what_is_said_of_a_row_that_cannot_be_read_is_bounded(damaged: Damaged) -> None:
    damaged.change("UPDATE certificate SET kind = ? WHERE id = 5", "x" * 300)
    found = [each.seen for each in damaged.found("ledger.damaged") if each.seen.startswith("a row that")]
    assert found
    assert {len(seen) for seen in found} == {200}
