"""The ledger: unique serial numbers, indexed look-ups, the order of writes, several writers at once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smki import CertificateKind, CertificateStatus, DeviceType, EntityIdentifier, SerialNumber, Smki
from smki.authority.issuance import CertificateMaker, Issuance
from smki.clock import FixedClock
from smki.keys.private_key import SystemRandomness
from smki.ledger import CertificateQuery, LedgerUnavailable
from smki.ledger.sqlite import reader
from smki.ledger.sqlite.group_commit import GroupCommit
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.problem import IntegrityError, NotFound
from tests.support import DEVICE, DS, KA, SUPPLIER

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def plan(home: Path, sql: str) -> str:
    with sqlite3.connect(home / "ledger.sqlite") as connection:
        return " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}"))


def test_it_is_durable(home: Path) -> None:
    ledger = SqliteLedger(home / "ledger.sqlite")
    connection = ledger._connections[0]
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    ledger.close()


@pytest.mark.parametrize("condition", ["serial_number = x'00'", "entity_identifier = x'00'", "public_key = x'00'"])
def test_look_ups_are_indexed(home: Path, condition: str) -> None:
    assert "USING INDEX" in plan(home, f"SELECT der FROM certificate WHERE {condition}")
    assert "SCAN certificate" not in plan(
        home, f"SELECT der FROM certificate WHERE id > 0 AND {condition} ORDER BY id LIMIT 9"
    )


class Repeating(SystemRandomness):
    """Draws every serial number twice."""

    def __init__(self) -> None:
        self.drawn = 0

    def serial_number(self, material: bytes, attempt: int) -> SerialNumber:
        self.drawn += 1
        return SerialNumber((1 << 126) + self.drawn // 2)


def test_a_taken_serial_number_is_drawn_anew(smki: Smki) -> None:
    randomness = Repeating()
    smki.registration._issuance._randomness = randomness
    for _ in range(5):
        _, request = smki.make_device_request(DEVICE, DS)
        smki.issue_device(request)
    serials = [
        record.serial_number for record in smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.DEVICE,)))
    ]
    assert len(serials) == len(set(serials)) == 5
    assert smki.check().problems == ()


def test_running_out_of_serial_numbers_is_an_error_not_a_loop(smki: Smki) -> None:
    class Stuck(SystemRandomness):
        def serial_numbers(self, materials: Sequence[bytes], attempt: int) -> list[SerialNumber]:
            return [smki.authorities()[0].serial_number] * len(materials)

    smki.registration._issuance._randomness = Stuck()
    _, request = smki.make_device_request(DEVICE, DS)
    with pytest.raises(IntegrityError) as caught:
        smki.issue_device(request)
    assert caught.value.code == "serial-number.exhausted"
    assert list(smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.DEVICE,)))) == []


def test_queries(smki: Smki) -> None:
    entity = EntityIdentifier(b"12345678")
    for usage in (DS, KA, DS):
        _, request = smki.make_device_request(entity, usage)
        smki.issue_device(request, device_type=DeviceType.PPMID)

    def found(**wanted: object) -> list[int]:
        return [record.id for record in smki.ledger.certificates(CertificateQuery(moment=NOW, **wanted))]  # type: ignore[arg-type]

    assert len(found()) == 13
    assert found(entity_identifier=entity) == [11, 12, 13]
    assert found(entity_identifier=entity, usage=KA) == [12]
    assert found(kinds=(CertificateKind.ROOT_DCA, CertificateKind.ROOT_OCA)) == [1, 3]
    assert found(entity_identifier=SUPPLIER) == []
    assert found(entity_identifier=entity, status=CertificateStatus.IN_USE) == [11, 12, 13]
    assert found(status=CertificateStatus.REVOKED) == []
    pages = [record.id for record in smki.ledger.certificates(CertificateQuery(), after=4, limit=3)]
    assert pages == [5, 6, 7]
    record = next(smki.ledger.certificates(CertificateQuery(entity_identifier=entity)))
    assert [found.id for found in smki.ledger.certificates_of_key(record.certificate.public_key_info)] == [record.id]


def test_long_listings_are_read_in_pages(smki: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PAGE", 3)
    assert [record.id for record in smki.ledger.certificates(CertificateQuery())] == list(range(1, 11))
    assert [record.id for record in smki.ledger.certificates(CertificateQuery(), limit=7)] == list(range(1, 8))


def test_expiry_follows_from_the_time(home: Path) -> None:
    with Smki.open(home, FixedClock(datetime(2099, 1, 1, tzinfo=UTC))) as smki:
        now = smki.clock.now()
        expired = CertificateQuery(status=CertificateStatus.EXPIRED, moment=now)
        kinds = {record.kind.value for record in smki.ledger.certificates(expired)}
        assert kinds == {"root-oca", "issuing-oca", "organisation"}
        current = CertificateQuery(status=CertificateStatus.IN_USE, moment=now)
        assert {record.kind.value for record in smki.ledger.certificates(current)} == {"root-dca", "issuing-dca"}
        for record in smki.ledger.certificates(CertificateQuery()):
            expected = CertificateStatus.EXPIRED if record.not_after < now else CertificateStatus.IN_USE
            assert record.status_at(now) is expected


def test_threads_share_commits_and_lose_nothing(smki: Smki) -> None:
    requests = [smki.make_device_request(DEVICE, DS)[1] for _ in range(60)]
    registration = smki.registration
    failures: list[BaseException] = []

    def issue(part: int) -> None:
        try:
            for request in requests[part::6]:
                smki.issue_device(request)
        except BaseException as error:
            failures.append(error)

    assert registration
    threads = [threading.Thread(target=issue, args=(part,)) for part in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    records = list(smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.DEVICE,))))
    assert len({record.serial_number for record in records}) == 60
    assert smki.check().problems == ()


def test_one_write_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE t (n INTEGER UNIQUE)")
    commits = GroupCommit(connection)
    outcomes: dict[int, object] = {}
    gate = threading.Barrier(8)

    def write(number: int) -> None:
        gate.wait()
        try:
            commits.run(lambda db: db.execute("INSERT INTO t VALUES (?)", (number // 2,)))
            outcomes[number] = "written"
        except sqlite3.IntegrityError:
            outcomes[number] = "refused"

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes.values(), key=str) == ["refused"] * 4 + ["written"] * 4
    assert sorted(connection.execute("SELECT n FROM t").fetchall()) == [(0,), (1,), (2,), (3,)]
    connection.close()


def test_a_disk_that_is_full(smki: Smki) -> None:
    """SQLite told to use no more pages behaves as on a full disk."""
    writer = smki.ledger._connections[0]  # type: ignore[attr-defined]
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerUnavailable) as caught:
        for _ in range(200):
            _, request = smki.make_device_request(DEVICE, DS)
            smki.issue_device(request)
    assert "full" in caught.value.problems[0].seen
    assert "Free some space" in caught.value.problems[0].remedy
    writer.execute("PRAGMA max_page_count = 1073741823")
    _, request = smki.make_device_request(DEVICE, DS)
    smki.issue_device(request)
    assert smki.check().problems == ()


def test_what_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        SqliteLedger(tmp_path / "ledger.sqlite")
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(LedgerUnavailable) as caught:
        SqliteLedger(tmp_path / "ledger.sqlite")
    assert "Restore" in caught.value.problems[0].remedy


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("UPDATE certificate SET entity_identifier = x'0000000000000000' WHERE id = 5", "ledger.column"),
        ("UPDATE certificate SET usage = 'KA' WHERE id = 5", "ledger.column"),
        ("UPDATE certificate SET serial_number = x'01' WHERE id = 5", "ledger.column"),
        ("UPDATE certificate SET der = substr(der, 1, 100) WHERE id = 5", "certificate.unreadable"),
        ("UPDATE certificate SET der = (SELECT der FROM certificate WHERE id = 6) WHERE id = 5", "ledger.column"),
        ("UPDATE certificate SET issuer_serial_number = (SELECT serial_number FROM certificate WHERE id = 4) WHERE id = 5", "issuer.mismatch"),
        ("UPDATE certificate SET issuer_serial_number = x'77' WHERE id = 5", "certificate.issuer-missing"),
        ("DELETE FROM audit_event WHERE certificate_id = 5", "ledger.damaged"),
        ("DELETE FROM application WHERE id = 5", "ledger.damaged"),
    ],
)  # fmt: skip
def test_the_check_finds_what_was_tampered_with(home: Path, damage: str, expected: str) -> None:
    with sqlite3.connect(home / "ledger.sqlite") as connection:
        connection.execute(damage)
    connection.close()
    with Smki.open(home) as smki:
        problems = smki.check().problems
    assert expected in {problem.code for problem in problems}


def test_the_check_finds_a_signature_that_does_not_verify(home: Path) -> None:
    with Smki.open(home) as smki:
        data = bytearray(smki.authorities()[1].der)
    data[-1] ^= 1
    with sqlite3.connect(home / "ledger.sqlite") as connection:
        connection.execute("UPDATE certificate SET der = ? WHERE id = 2", (bytes(data),))
    connection.close()
    with Smki.open(home) as smki:
        assert "signature.does-not-verify" in {problem.code for problem in smki.check().problems}


def test_issuance_has_no_other_door() -> None:
    assert [name for name in dir(Issuance) if not name.startswith("_")] == ["serial_numbers"]
    assert [name for name in dir(CertificateMaker) if not name.startswith("_")] == ["make"]
