"""A ledger from before is read as one of today; requests are kept in fewer bytes and lose none."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from smki import Smki
from smki.clock import to_seconds
from smki.keys.private_key import SystemRandomness
from smki.ledger import ApplicationQuery, CertificateQuery
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.ledger.sqlite.packing import pack, unpack
from smki.ledger.sqlite.schema import MIGRATIONS
from smki.pki.request import make_device_request
from tests.support import DEVICE, DS


def test_a_ledger_of_the_first_form(smki: Smki, tmp_path: Path) -> None:
    """Everything in a ledger, written as it was before any of the later migrations, comes out the same."""
    smki.issue_device(make_device_request(SystemRandomness().private_key(""), DEVICE, DS))
    path = tmp_path / "old.sqlite"
    MIGRATIONS.apply(Database(path), stop_before="m004_credentials")
    write_as_before(sqlite3.connect(path, isolation_level=None), smki)
    ledger, now = SqliteLedger(path), to_seconds(smki.clock.now())
    everything = CertificateQuery()
    assert list(ledger.certificates(everything)) == list(smki.ledger.certificates(everything))
    # Which test an application is for, and what was stated, was not recorded then.
    expected = [
        replace(each, application=replace(each.application, test=None, statement=None))
        for each in smki.ledger.applications(ApplicationQuery())
    ]
    assert list(ledger.applications(ApplicationQuery())) == expected
    assert ledger.search.statistics(now) == smki.ledger.search.statistics(now)
    assert ledger.damage() == []
    for record in ledger.certificates(everything):
        assert ledger.is_certified(record.certificate.public_key_info)
        by_digest = CertificateQuery(sha256=hashlib.sha256(record.der).digest())
        assert ledger.search.certificates(by_digest).records == [record]
    ledger.close()


def write_as_before(connection: sqlite3.Connection, smki: Smki) -> None:
    """Write the applications and certificates of an SMKI into the tables of an early version, and close the connection."""
    for kept in smki.ledger.applications(ApplicationQuery()):
        new = kept.application
        assert kept.serial_number
        connection.execute(
            """INSERT INTO application (id, received, interface, subscriber, officer, applied_by, kind, entity_identifier, role,
                usage, request, granted, serial_number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)""",
            (
                kept.id, to_seconds(new.received), new.interface, new.subscriber, new.officer, new.applied_by, new.kind.value,
                new.entity_identifier.encoded if new.entity_identifier else None, new.role.decimal if new.role else None,
                new.usage.code if new.usage else None, new.request, kept.serial_number.encoded,
            ),
        )  # fmt: skip
    for record in smki.ledger.certificates(CertificateQuery()):
        key = hashlib.sha256(record.certificate.public_key_info).digest()
        issuer = record.issuer_serial_number.encoded if record.issuer_serial_number else None
        issued = to_seconds(record.issued)
        connection.execute(
            """INSERT INTO certificate (id, serial_number, kind, entity_identifier, role, usage, public_key_sha256, not_before,
                not_after, status, status_since, issued, issuer_serial_number, application_id, der)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                record.id, record.serial_number.encoded, record.kind.value,
                record.entity_identifier.encoded if record.entity_identifier else None,
                record.role.decimal if record.role else None, record.usage.code if record.usage else None, key,
                to_seconds(record.not_before), to_seconds(record.not_after), record.stored_status.value, issued, issued, issuer,
                record.application_id, record.der,
            ),
        )  # fmt: skip
        sql = "INSERT INTO audit_event (at, event, application_id, certificate_id) VALUES (?, 'issued', ?, ?)"
        connection.execute(sql, (issued, record.application_id, record.id))
    connection.close()


@given(st.binary(max_size=2000))
def test_whatever_was_handed_in_is_kept_byte_for_byte(request: bytes) -> None:
    assert unpack(pack(request)) == request
    assert len(pack(request)) <= len(request) + 1


def test_a_request_is_kept_in_little_more_than_its_random_bytes() -> None:
    request = make_device_request(SystemRandomness().private_key(""), DEVICE, DS)
    assert unpack(pack(request)) == request
    assert len(pack(request)) < 65 + 64 + 40
