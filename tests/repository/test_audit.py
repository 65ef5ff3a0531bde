"""The audit reference of an answer leads back to what was asked."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smki import RemotePartyRole, Smki
from smki.home.audit_trail import AuditTrail
from smki.problem import Malformed, NotFound
from tests.commands import revoke
from tests.repository.support import Served
from tests.repository.test_certificate_service import retrieve, search, tree
from tests.support import DEVICE, DS, SUPPLIER, run_cli, run_here

MOMENT = datetime(2026, 2, 3, 23, 59, 59, tzinfo=UTC)


def test_an_answer_is_found_again_by_its_reference(served: Served) -> None:
    found = tree(search(served, CertificateSubjectName="90-B3-D5-1F-30-00-00-02", CertificateUsage="DS"))
    serial = found.findtext("Result/CertificateSerial")
    told = json.loads(
        run_cli("audit", "show", found.findtext("AuditReference"), "--json", "--home", served.home).stdout
    )
    assert told["asked"] == {"CertificateSubjectName": "90-B3-D5-1F-30-00-00-02", "CertificateUsage": "DS"}
    assert (told["service"], told["answer"], told["certificates"]) == ("/services/certificatesearch", 200, [serial])
    assert told["from"] == "127.0.0.1"
    nothing, wrong = tree(retrieve(served, "1234")), tree(retrieve(served, "xyz"))
    lines = [run_cli("audit", "show", root.findtext("AuditReference"), "--home", served.home).stdout.decode()
             for root in (nothing, wrong)]  # fmt: skip
    assert "answer        402" in lines[0]
    assert "serial-number" in lines[1]
    assert "answer        401" in lines[1]


def test_references_that_lead_nowhere(home: Path) -> None:
    for reference, code in (("1", b"audit.reference"), ("1234567890-abc123456", b"audit.unknown")):
        run = run_cli("audit", "show", reference, "--home", home)
        assert (run.returncode, code in run.stderr) == (2, True)


def test_a_day_after_the_other_from_several_threads_and_a_line_cut_short(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path / "audit")
    references: list[str] = []

    def write(number: int) -> None:
        for second in range(50):
            references.append(trail.record(MOMENT + timedelta(seconds=second % 3), {"by": number}))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(references)) == 400
    assert sorted(file.name for file in (tmp_path / "audit").iterdir()) == ["2026-02-03.jsonl", "2026-02-04.jsonl"]
    with (tmp_path / "audit" / "2026-02-03.jsonl").open("a") as file:
        file.write('{"reference": "1770163199-aaaaaaaaa", "at\n')
    assert all(trail.find(reference)["reference"] == reference for reference in references[::20])
    with pytest.raises(NotFound):
        trail.find("1770163199-aaaaaaaaa")
    with pytest.raises(Malformed):
        trail.find("../../etc/passwd")
    trail.close()


def test_what_was_done_with_a_certificate(home: Path) -> None:
    with Smki.open(home) as smki:
        _, request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)
        record = smki.issue_organisation(request).record
        revoke(smki, record.serial_number, "key-lost")
    serial = record.serial_number.hex
    assert run_cli("accept", "1234", "--party", "DCC", "--home", home).returncode == 2  # changes nothing, so no event
    assert run_cli("device", "raise-limit", DEVICE.hex, "150", "--home", home).returncode == 0

    def events(*words: str) -> list[dict[str, Any]]:
        run = run_here("audit", "events", *words, "--json", "--home", home)
        assert run.returncode == 0, run.stderr
        return [json.loads(line) for line in run.stdout.splitlines()]

    issued, revoked = events(serial)
    assert (issued["event"], issued["interface"]) == ("issued", "python")
    assert (revoked["event"], revoked["interface"]) == ("revoked", "test")
    assert revoked["detail"].startswith("key-lost, by ")
    assert {(event["party"], event["officer"]) for event in (issued, revoked)} == {
        ("LARGE-SUPPLIER", "Large Supplier Officer")
    }
    everything = events()
    assert [event["id"] for event in everything] == sorted(event["id"] for event in everything)
    (raised,) = events("--device", DEVICE.hex)
    assert raised == everything[-1]
    assert raised["content"] == {"threshold": {"from": None, "to": 150}}
    assert events("--party", "LARGE-SUPPLIER") == events("--officer", "Large Supplier Officer") == [issued, revoked]
    assert events("--party", "LARGE-SUPPLIER", "--kind", "revoked") == [revoked]
    assert events("--limit", "2") == everything[:2]
    assert events("--from", "2099-01-01") == events("--to", "1999-01-01") == []
    assert events("--from", "1999-01-01", "--to", "2099-01-01") == everything
    for words, code in ((("1234",), b"certificate.unknown"), (("--kind", "nonsense"), b"nonsense")):
        refused = run_cli("audit", "events", *words, "--home", home)
        assert (refused.returncode, code in refused.stderr) == (2, True)
    shown = run_cli("audit", "events", serial, "--home", home).stdout
    assert len(shown.splitlines()) == 2
    assert b"key-lost" in shown


def test_a_full_disk_does_not_keep_certificates_from_being_read(smki: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    from smki_repository.app import create_app

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AuditTrail, "record", full)
    body = b"<CertificateSearchRequest><CertificateSubjectName>90-B3-D5-1F-30-00-00-02</CertificateSubjectName></CertificateSearchRequest>"
    answer = create_app(smki).test_client().post("/services/certificatesearch", data=body)
    assert (answer.status_code, b"<CertificateSerial>" in answer.data) == (200, True)
