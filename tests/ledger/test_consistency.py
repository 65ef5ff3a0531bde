"""`smki check` finds what contradicts itself in the ledger, and finds nothing after any legitimate history."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from smki import RemotePartyRole, Smki
from smki.clock import AdjustableClock
from smki.ledger.sqlite.schema import fingerprint_prefix
from smki.registration import Actor
from smki.registration.acceptance import Reject
from tests.drills.commands import START, Commands, make_home, run
from tests.older_ledger import WITHOUT_A_RECORD
from tests.support import DS, SOAK, SUPPLIER

ACTOR = Actor(interface="test")


def changed(home: Path, *statements: str) -> None:
    """Tamper with the ledger of a home that is not open; the counters' triggers do not notice."""
    connection = sqlite3.connect(home / "ledger.sqlite", isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        cursor = connection.execute(statement)
        assert cursor.rowcount != 0, statement
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


PLANTED = (
    ("UPDATE certificate SET status = 'N' WHERE id = 11", "certificate.status"),
    ("UPDATE certificate SET deemed_accepted = NULL WHERE id = 16", "certificate.status"),
    ("UPDATE certificate SET status_since = status_since + 1 WHERE id = 17", "certificate.status-since"),
    ("UPDATE certificate SET status_since = status_since + 1 WHERE id = 16", "certificate.status-since"),
    ("UPDATE certificate SET status = 'R' WHERE id = 12", "certificate.revocation-missing"),
    ("DELETE FROM revocation WHERE certificate_id = 15", "certificate.revocation-missing"),
    ("UPDATE certificate SET status = 'I' WHERE id = 14", "revocation.status"),
    ("UPDATE certificate SET status_since = status_since + 1 WHERE id = 14", "revocation.status"),
    ("UPDATE revocation SET effective = effective - 1 WHERE certificate_id = 14", "revocation.status"),
    ("UPDATE revocation SET serial_number = x'01' WHERE certificate_id = 14", "revocation.column"),
    ("UPDATE revocation SET issuer_serial_number = x'01' WHERE certificate_id = 14", "revocation.column"),
    ("UPDATE revocation SET not_after = not_after - 1 WHERE certificate_id = 14", "revocation.column"),
    ("UPDATE certificate SET status = 'I' WHERE id = 12", "certificate.acceptance-missing"),
    ("UPDATE certificate SET status_since = status_since + 1 WHERE id = 11", "certificate.acceptance-missing"),
    ("UPDATE audit_event SET event = 'changed' WHERE event = 'revoked' AND certificate_id = 14", "revocation.event-missing"),
    ("DELETE FROM audit_event WHERE event = 'rejected' AND certificate_id = 13", "revocation.event-missing"),
    ("UPDATE audit_event SET at = at + 1 WHERE event = 'issued' AND certificate_id = 11", "event.issued"),
    ("UPDATE audit_event SET application_id = 3 WHERE event = 'issued' AND certificate_id = 11", "event.issued"),
    ("UPDATE certificate SET status = 'P' WHERE id = 11", "event.accepted"),
    ("UPDATE audit_event SET certificate_id = 17 WHERE event = 'accepted' AND certificate_id = 11", "event.accepted"),
    ("UPDATE audit_event SET certificate_id = 17 WHERE event = 'revoked' AND certificate_id = 14", "event.revoked"),
    ("UPDATE audit_event SET certificate_id = 12 WHERE event = 'rejected' AND certificate_id = 13", "event.revoked"),
    ("UPDATE revocation SET reason = 'key-lost' WHERE certificate_id = 13", "event.revoked"),
    ("UPDATE audit_event SET event = 'issued' WHERE event = 'accepted' AND certificate_id = 11", "event.repeated"),
    ("UPDATE audit_event SET application_id = (SELECT min(application_id) FROM audit_event WHERE event = 'refused') "
     "WHERE event = 'refused'", "event.repeated"),
    ("INSERT INTO audit_event (at, event, interface, certificate_id) SELECT at, 'accepted', 'x', 13 FROM audit_event "
     "WHERE event = 'rejected' AND certificate_id = 13", "event.contradiction"),
    ("UPDATE audit_event SET id = -id WHERE event = 'accepted' AND certificate_id = 11", "event.order"),
    ("UPDATE audit_event SET id = -id WHERE event = 'revoked' AND certificate_id = 14", "event.order"),
    ("UPDATE audit_event SET certificate_id = 99 WHERE event = 'refused'", "event.subject-missing"),
    ("UPDATE audit_event SET application_id = 99 WHERE event = 'refused'", "event.subject-missing"),
    ("UPDATE audit_event SET device = x'0000000000000000' WHERE event = 'imported'", "event.subject-missing"),
    ("UPDATE audit_event SET concerns = 'NOBODY' WHERE event = 'imported'", "event.subject-missing"),
    ("DELETE FROM audit_event WHERE event = 'accepted' AND certificate_id = 11", "event.gap"),
    ("DELETE FROM audit_event WHERE event = 'registered'", "event.gap"),
    ("DELETE FROM application WHERE id = (SELECT min(id) FROM application WHERE NOT granted)", "application.gap"),
    ("UPDATE certificate SET id = 99 WHERE id = 16", "certificate.gap"),
    ("DELETE FROM revocation WHERE id = 1", "revocation.gap"),
    ("DELETE FROM certificate WHERE id = 17", "application.certificate-missing"),
    ("UPDATE application SET reasons = '[{\"code\": \"x\"}]' WHERE id = 12", "application.refusal"),
    ("UPDATE application SET granted = 0 WHERE id = 12", "application.refusal"),
    ("UPDATE audit_event SET event = 'changed' WHERE id = (SELECT max(id) FROM audit_event WHERE event = 'refused')",
     "application.event-missing"),
    ("UPDATE audit_event SET application_id = 12 WHERE event = 'refused'", "event.refused"),
    ("UPDATE audit_event SET at = at + 1 WHERE event = 'refused'", "event.refused"),
    ("UPDATE certificate SET replaced = NULL, replaced_by = NULL WHERE id = 11", "certificate.replaced"),
    ("UPDATE certificate SET replaced = replaced + 1 WHERE id = 12", "certificate.replaced"),
    ("UPDATE certificate SET replaced = 1, replaced_by = 18 WHERE id = 17", "certificate.replaced"),
    ("UPDATE certificate SET replaced_by = NULL WHERE id = 12", "certificate.replaced-by"),
    ("UPDATE certificate SET replaced_by = 13 WHERE id = 12", "certificate.replaced-by"),
    ("UPDATE certificate SET replaced_by = 11 WHERE id = 12", "certificate.replaced-by"),
    ("UPDATE certificate SET replaced_by = 99 WHERE id = 12", "certificate.replaced-by"),
    ("UPDATE certificate SET replaced = 1, replaced_by = 3 WHERE id = 2", "certificate.replaced-authority"),
    ("UPDATE subscriber SET certificates = certificates + 1 WHERE id = 'DCC'", "ledger.counter"),
    ("DELETE FROM subscriber WHERE id = 'LARGE-SUPPLIER'", "ledger.counter"),
    ("UPDATE certificate_count SET certificates = certificates - 1 WHERE kind = 'device'", "ledger.counter"),
    ("UPDATE application_count SET applications = applications + 1 WHERE granted = 0", "ledger.counter"),
    ("UPDATE refusal_count SET refusals = refusals + 1", "ledger.counter"),
    ("DELETE FROM fingerprint WHERE certificate_id = 17", "ledger.fingerprint"),
    ("INSERT INTO fingerprint VALUES (1, 17)", "ledger.fingerprint"),
    ("UPDATE credential SET party = 'NOBODY' WHERE kind = 'officer-token'", "credential.party-unknown"),
    ("UPDATE credential SET party = NULL WHERE kind = 'officer-token'", "credential.party-unknown"),
    ("UPDATE audit_event SET event = 'changed' WHERE event = 'credential made'", "credential.event-missing"),
    ("UPDATE audit_event SET event = 'changed' WHERE event = 'credential revoked'", "credential.event-missing"),
    ("DELETE FROM credential WHERE kind = 'officer-token'", "event.credential"),
    ("UPDATE credential SET revoked = NULL", "event.credential"),
    ("UPDATE audit_event SET event = 'changed' WHERE id = (SELECT max(id) FROM audit_event WHERE event = 'list issued')",
     "list.event-missing"),
    ("DELETE FROM revocation_list WHERE number = 2", "event.list"),
    ("UPDATE revocation_list SET entries = entries + 1 WHERE number = 2", "event.list"),
    ("UPDATE revocation_list SET this_update = this_update + 1 WHERE number = 2", "list.time"),
    ("UPDATE revocation_list SET entries = entries + 1 WHERE number = 2", "list.column"),
    ("UPDATE revocation_list SET next_update = next_update + 1 WHERE number = 2", "list.column"),
    ("UPDATE revocation_list SET last_revocation = 0 WHERE number = 2", "list.entry-unfounded"),
    ("UPDATE revocation SET effective = effective + 864000 WHERE certificate_id = 14", "list.entry-unfounded"),
    ("UPDATE revocation SET reason = 'superseded' WHERE certificate_id = 14", "list.entry-differs"),
    ("UPDATE revocation SET effective = effective - 3600 WHERE certificate_id = 14", "list.entry-differs"),
    ("UPDATE revocation SET effective = effective - 864000 WHERE certificate_id = 15", "list.entry-missing"),
    ("DELETE FROM imported_certificate WHERE id = 1", "event.imported"),
    ("UPDATE audit_event SET event = 'changed' WHERE event = 'imported'", "import.event-missing"),
    ("UPDATE audit_event SET detail = 'x' WHERE event = 'revoked' AND certificate_id = 14", "event.revocation"),
    ("UPDATE audit_event SET officer = 'Mallory' WHERE event = 'rejected' AND certificate_id = 13", "event.revocation"),
    ("UPDATE revocation SET reason = 'superseded' WHERE certificate_id = 14", "event.revocation"),
    ("UPDATE revocation SET reason = 'nonsense' WHERE certificate_id = 15", "event.revocation"),
    ("UPDATE revocation SET asked_by = 'Mallory' WHERE certificate_id = 13", "event.revocation"),
    ("UPDATE audit_event SET content = '{' WHERE event = 'registered'", "ledger.json"),
    ("UPDATE audit_event SET content = '{' WHERE event = 'imported'", "ledger.json"),
    ("UPDATE registrant SET record = '{' WHERE id = 'DCC'", "ledger.json"),
    ("UPDATE device SET record = '{'", "ledger.json"),
    ("UPDATE application SET reasons = '{' WHERE NOT granted", "ledger.json"),
    ("UPDATE application SET usage = 'KA' WHERE id = 12", "application.column"),
    ("UPDATE application SET entity_identifier = x'0102030405060708' WHERE id = 12", "application.column"),
    ("UPDATE registrant SET record = replace(record, 'LARGE-SUPPLIER', 'ZZZ') WHERE id = 'LARGE-SUPPLIER'", "register.id"),
    ("UPDATE registrant SET record = '[]' WHERE id = 'DCC'", "register.id"),
    ("UPDATE device SET id = x'0102030405060708' WHERE rowid = (SELECT max(rowid) FROM device)", "register.id"),
    ("DELETE FROM entity_identifier WHERE registrant = 'LARGE-SUPPLIER'", "register.identifier"),
    ("UPDATE entity_identifier SET registrant = 'DCC' WHERE registrant = 'LARGE-SUPPLIER'", "register.identifier"),
    ("UPDATE certificate SET public_key = randomblob(16) WHERE id = 12", "ledger.column"),
    ("UPDATE certificate SET kind = 'zzz' WHERE id = 12", "ledger.damaged"),
    ("UPDATE certificate SET role = 77 WHERE id = 12", "ledger.damaged"),
    ("UPDATE certificate SET usage = 'XX' WHERE id = 12", "ledger.damaged"),
    ("UPDATE certificate SET issued = 'abc' WHERE id = 12", "ledger.damaged"),
    ("UPDATE certificate SET not_after = 99999999999999 WHERE id = 12", "ledger.damaged"),
    ("UPDATE certificate SET der = 'abc' WHERE id = 12", "ledger.damaged"),
    ("UPDATE certificate SET entity_identifier = x'01' WHERE id = 12", "ledger.damaged"),
    ("UPDATE revocation_list SET this_update = 99999999999999", "ledger.damaged"),
    ("UPDATE registrant SET record = replace(record, '\"category\":\"', '\"category\":\"z')", "ledger.damaged"),
    ("UPDATE device SET record = replace(record, '\"status\":\"', '\"status\":\"z')", "ledger.damaged"),
)  # fmt: skip


@pytest.mark.parametrize(("statement", "code"), PLANTED)
def test_what_contradicts_itself_is_found(lived_in: Path, tmp_path: Path, statement: str, code: str) -> None:
    home = tmp_path / "pki"
    shutil.copytree(lived_in, home)
    changed(home, statement)
    with Smki.open(home) as smki:
        found = [problem for problem in smki.check().problems if problem.code == code]
    assert found
    assert all(problem.subject and problem.seen and problem.expected for problem in found)


def test_every_rule_is_planted() -> None:
    from smki.ledger.sqlite.consistency import RULES

    assert {rule.code for rule in RULES} <= {code for _, code in PLANTED}


@pytest.mark.parametrize("seed", range(3 * SOAK))
def test_nothing_is_found_after_any_history(tmp_path: Path, foreign: tuple[bytes, ...], seed: int) -> None:
    home = tmp_path / "pki"
    make_home(home)
    with Smki.open(home) as smki:
        commands = Commands.of_home(smki, random.Random(seed), foreign)
        for number in range(150):
            run(smki, *(commands.any() if seed % 3 else commands.lifecycle()), f"history {number}")
        assert smki.check().problems == ()


def test_a_rejection_leaves_what_yet_another_certificate_takes_over_from(tmp_path: Path) -> None:
    make_home(tmp_path / "pki")
    clock = AdjustableClock(START)
    with Smki.open(tmp_path / "pki", clock=clock) as smki:
        serial_numbers = []
        for _ in range(3):
            request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]
            serial_numbers.append(smki.issue_organisation(request).record.serial_number)
            clock.set(clock.now() + timedelta(hours=1))
        smki.registration.execute(Reject(serial_numbers[1], "wrong"), ACTOR)
        first, _, last = (smki.ledger.certificate(serial_number) for serial_number in serial_numbers)
        assert first is not None
        assert last is not None
        assert first.replaced == last.deemed_accepted
        assert smki.check().problems == ()


MANY = """
    CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1)
        SELECT i, (SELECT max(id) FROM certificate) + 1 + i AS id, (SELECT max(id) FROM application) + 1 + i AS application_id,
        (SELECT max(id) FROM audit_event) + 1 + i AS event_id, randomblob(16) AS serial_number,
        CASE WHEN i % 10 = 0 THEN 'organisation' ELSE 'device' END AS kind FROM n;
    INSERT INTO application (id, received, interface, subscriber, officer, kind, granted, serial_number,
        entity_identifier, usage)
        SELECT application_id, 1, 'x', 'MANUFACTURER', 'x', kind, 1, serial_number, CAST(printf('%08d', i / 2) AS BLOB),
        CASE i % 2 WHEN 0 THEN 'DS' ELSE 'KA' END FROM n;
    UPDATE subscriber SET certificates = certificates + {count} WHERE id = 'MANUFACTURER';
    INSERT INTO certificate (id, serial_number, kind, entity_identifier, usage, public_key, not_before, not_after, status,
        status_since, issued, issuer_serial_number, application_id, der)
        SELECT id, serial_number, kind, CAST(printf('%08d', i / 2) AS BLOB), CASE i % 2 WHEN 0 THEN 'DS' ELSE 'KA' END,
        randomblob(16), 1, 9, CASE kind WHEN 'organisation' THEN 'R' ELSE 'I' END, 1, 1, x'01', application_id,
        randomblob(300) FROM n;
    INSERT INTO fingerprint SELECT fingerprint(c.der), n.id FROM n JOIN certificate c ON c.id = n.id;
    INSERT INTO audit_event (id, at, event, application_id, certificate_id)
        SELECT event_id, 1, 'issued', application_id, id FROM n;
    INSERT INTO revocation (certificate_id, serial_number, issuer_serial_number, not_after, revoked, effective, reason,
        asked_by) SELECT id, serial_number, x'01', 9, 1, 1, 'key-lost', 'x' FROM n WHERE kind = 'organisation';
    INSERT INTO audit_event (at, event, interface, officer, detail, certificate_id)
        SELECT 1, 'revoked', 'x', 'x', 'key-lost, by x', id FROM n WHERE kind = 'organisation';
"""


def test_a_hundred_thousand_certificates_are_compared_in_seconds(lived_in: Path, tmp_path: Path) -> None:
    """So many in `make soak`; in the suite five thousand, which show that nothing takes the square of the time."""
    home = tmp_path / "pki"
    shutil.copytree(lived_in, home)
    connection = sqlite3.connect(home / "ledger.sqlite")
    connection.create_function("fingerprint", 1, lambda der: fingerprint_prefix(hashlib.sha256(der).digest()))
    connection.executescript(MANY.replace("{count}", str(5000 * SOAK)))
    # A ledger without a record gets one when it is opened.
    connection.executescript(";".join(WITHOUT_A_RECORD))
    connection.close()
    with Smki.open(home) as smki:
        begin = time.process_time()
        found = [*smki.ledger.inconsistencies(), *smki.ledger.unrecorded()]
        taken = time.process_time() - begin
    assert found == []
    assert taken < (1 if SOAK == 1 else 10)
