"""A home that version 0.1 made opens, and nothing of it is lost.

``fixtures/home-0.1.tar.gz`` was made by the command line of version 0.1 on a clock that was set from day to day. Its ``home-0.1``
holds certificates of every kind and status, a revocation that is delayed, rejections, imports, credentials, a raised limit, and
an application whose certificate was never stored, because signing failed. ``told`` is what that version's commands printed of it
with ``--json``, and the secrets of its credentials. All keys are for this test alone.
"""

from __future__ import annotations

import json
import sqlite3
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smki import CertificateKind, CertificateStatus, DeviceType, EntityIdentifier, RemotePartyRole, SerialNumber, Smki
from smki.identity import PartyId
from smki.ledger import CertificateQuery, CredentialKind, EventKind, EventQuery
from smki.pki.revocation_list import RevocationList
from smki.registration.participation import ChangeTest
from tests.commands import TEST, accept, revoke
from tests.support import DEVICE, DS, KA, PROJECT, SUPPLIER, run_here

ARCHIVE = PROJECT / "fixtures" / "home-0.1.tar.gz"
OCA = CertificateKind.ISSUING_OCA


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The home, as version 0.1 left it."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "home-0.1"


def told(old: Path, name: str) -> Any:
    """What version 0.1 printed: JSON, or one object a line."""
    text = (old.parent / "told" / f"{name}.json").read_text()
    return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]


def rows(old: Path) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """The columns and rows of every table."""
    with sqlite3.connect(old / "ledger.sqlite") as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        tables = {}
        for name in names:
            cursor = connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2")
            tables[name] = [column[0] for column in cursor.description], cursor.fetchall()
    connection.close()
    return tables


def test_every_row_is_still_there(old: Path) -> None:
    before = rows(old)
    counted = {name: len(content) for name, (_, content) in before.items()}
    for name in ("application", "certificate", "audit_event", "registrant", "device", "revocation", "revocation_list"):
        assert counted[name] > 1, name
    assert counted["imported_certificate"] == 1
    assert counted["credential"] == 3
    Smki.open(old).close()
    after = rows(old)
    for name, (columns, content) in before.items():
        if name.startswith("_"):  # the record of migrations itself
            continue
        now = [after[name][0].index(column) for column in columns]
        there = [tuple(row[index] for index in now) for row in after[name][1]]
        if name == "audit_event":  # one more covers all that was there
            assert there.pop()[2] == "migrated"
        assert there == content, name
    Smki.open(old).close()  # migrated once
    assert rows(old) == after


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("certificates", ("list",)),
        ("applications", ("applications", "list")),
        ("parties", ("party", "list")),
        ("devices", ("device", "list")),
        ("crls", ("crl", "list")),
        ("arls", ("arl", "list")),
        ("api-keys", ("apikey", "list")),
        ("tokens", ("officer", "list")),
    ],
)
def test_it_is_told_as_it_was(old: Path, name: str, words: tuple[str, ...]) -> None:
    text = run_here(*words, "--json", "--home", old).stdout.decode()
    found = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    expected = told(old, name)
    assert [{key: each.get(key) for key in was} for each, was in zip(found, expected, strict=True)] == expected


def test_the_check_is_clean(old: Path) -> None:
    with Smki.open(old) as smki:
        result = smki.check()
        assert (result.certificates, result.unfinished, result.problems) == (21, 1, ())
        (unfinished,) = smki.ledger.unfinished_applications()
        assert unfinished.tbs is not None
        assert unfinished.serial_number is not None
        assert smki.ledger.certificate(unfinished.serial_number) is None
    assert run_here("check", "--home", old).returncode == 0


def test_statuses_credentials_and_the_register(old: Path) -> None:
    with Smki.open(old) as smki:
        now = smki.clock.now()
        assert now == datetime(2026, 3, 4, 12, tzinfo=UTC)
        statuses = {
            record.serial_number.hex: record.status_at(now).value
            for record in smki.ledger.certificates(CertificateQuery())
        }
        assert statuses == {
            each["serialNumber"]: each["status"] for each in told(old, "certificates") if each["issuedHere"]
        }
        assert set(statuses.values()) == {"P", "I", "N", "R"}
        secrets = told(old, "secrets")[0]
        key, token = (smki.ledger.credentials.of(secrets[name]) for name in ("api-key", "token"))
        assert key is not None
        assert (key.name, key.kind, key.is_valid_at(now)) == ("head-end", CredentialKind.API_KEY, True)
        assert token is not None
        assert (token.name, token.party) == ("Large Supplier Officer", "LARGE-SUPPLIER")
        assert smki.ledger.register.threshold(DEVICE) == 150
        assert smki.ledger.register.device(EntityIdentifier(b"\x11" * 8)) is not None
        assert smki.ledger.imports.count() == 1


def test_its_events_are_read_and_new_ones_follow(old: Path) -> None:
    with Smki.open(old) as smki:
        events = list(smki.ledger.events())
        with sqlite3.connect(old / "ledger.sqlite") as connection:
            kept = connection.execute("SELECT id, at, event FROM audit_event ORDER BY id").fetchall()
        connection.close()
        assert [(event.id, int(event.at.timestamp()), event.kind.value) for event in events] == kept
        assert {EventKind.ISSUED, EventKind.ACCEPTED, EventKind.REJECTED, EventKind.REVOKED} <= {e.kind for e in events}
        for event in events:
            if event.kind is EventKind.ISSUED:
                assert event.interface in ("init", "cli")
                assert event.serial_number is not None
        pending = pending_certificate(smki)
        accept(smki, pending)
        (issued, accepted) = smki.ledger.events(EventQuery(serial_number=pending))
        assert (issued.kind, accepted.kind) == (EventKind.ISSUED, EventKind.ACCEPTED)
        assert accepted.id == events[-1].id + 1


def pending_certificate(smki: Smki) -> SerialNumber:
    query = CertificateQuery(status=CertificateStatus.PENDING, moment=smki.clock.now())
    return list(smki.ledger.certificates(query))[-1].serial_number


def test_everything_goes_on(old: Path) -> None:
    """Lists with the next number, certificates by the same authorities, and no serial number twice."""
    with Smki.open(old) as smki:
        revoked = {entry.serial_number.hex for entry in entries(smki)}
        assert len(revoked) == 2
        last = smki.lists(OCA).latest()
        assert last is not None
        serial = pending_certificate(smki)
        revoke(smki, serial, "key-lost")
        made = smki.lists(OCA).publish()
        assert (made.number, made.entries) == (last.number + 1, 3)
        assert {entry.serial_number.hex for entry in entries(smki)} == revoked | {serial.hex}
        (unfinished,) = smki.ledger.unfinished_applications()
        for usage in (DS, KA):
            smki.issue_device(smki.make_device_request(DEVICE, usage)[1])
            smki.issue_device(
                smki.make_device_request(EntityIdentifier(b"\x12" * 8), usage)[1], device_type=DeviceType.ESME
            )
            request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, usage)[1]
            accept(smki, smki.issue_organisation(request).record.serial_number)
        serials = [record.serial_number for record in smki.ledger.certificates(CertificateQuery())]
        assert len(serials) == len(set(serials)) == 21 + 6
        assert unfinished.serial_number not in serials
        result = smki.check()
        assert (result.unfinished, result.problems) == (1, ())


def entries(smki: Smki) -> list[Any]:
    latest = smki.lists(OCA).latest()
    assert latest is not None
    return list(RevocationList.from_der(latest.der).entries())


def test_the_purpose_of_a_participant_is_its_one_test(old: Path) -> None:
    """Its quota is that of the test, and the certificates that it had before count towards it."""
    with Smki.open(old) as smki:
        maker = smki.ledger.register.registrant(PartyId("MANUFACTURER"))
        assert maker is not None
        making = "device-and-user-system-tests"
        assert [test.fields for test in maker.tests] == [{"test": making, "purpose": making, "quota": "100000"}]
        had = smki.ledger.certificates_issued_to("MANUFACTURER")
        assert had > 0
        assert smki.ledger.certificates_by_test("MANUFACTURER") == {"": had}
        smki.registration.execute(ChangeTest(participant=PartyId("MANUFACTURER"), test=making, quota=had + 1), TEST)
        request = smki.make_device_request(EntityIdentifier(b"\x13" * 8), DS)[1]
        for expected in ([], ["participant.quota-reached"]):
            decision = smki.inquiry.device(EntityIdentifier(b"\x13" * 8), DeviceType.ESME, applicant="MANUFACTURER")
            assert [problem.code for problem in decision.problems] == expected
            if decision.eligible:
                smki.issue_device(request, device_type=DeviceType.ESME, applicant="MANUFACTURER")
        assert smki.ledger.certificates_by_test("MANUFACTURER") == {making: 1, "": had}
        assert smki.check().problems == ()
