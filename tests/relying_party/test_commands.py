"""smki verify and smki suspect, as they are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from smki.pki.certificate import to_pem
from smki.testing.defects import Base
from smki.testing.vectors import Case
from tests.relying_party.server import CRL, PKI, SUPPLIER, encoded, repository
from tests.support import run_cli


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A Supplier's certificate with its authorities and lists, as files."""
    (tmp_path / "supplier.pem").write_text(to_pem("CERTIFICATE", SUPPLIER))
    both = to_pem("CERTIFICATE", PKI.good_bytes(Base.ROOT_OCA)) + to_pem(
        "CERTIFICATE", PKI.good_bytes(Base.ISSUING_OCA)
    )
    (tmp_path / "authorities.pem").write_text(both)
    (tmp_path / "o.crl").write_bytes(PKI.good_bytes(Base.CRL))
    (tmp_path / "o.arl").write_text(to_pem("X509 CRL", PKI.good_bytes(Base.ARL)))
    return tmp_path


OFFLINE = ("--trust", "authorities.pem", "--crl", "o.crl", "--arl", "o.arl", "--at", "2026-06-15T12:00:00Z")


def verify(directory: Path, *words: str | Path) -> tuple[int, str, str]:
    result = run_cli("verify", *words, cwd=directory)
    assert b"Traceback" not in result.stderr
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def test_trusted_offline_with_every_check(files: Path) -> None:
    status, out, _ = verify(files, "supplier.pem", *OFFLINE, "--for", "supplier/ds")
    assert status == 0
    assert out.splitlines()[-1].endswith("trusted")
    for word in ("profile", "path", "time", "revocation", "suspicion", "use", "RFC 5280 6.1.3 (a)(1)", "held"):
        assert word in out


def test_not_trusted_says_why(files: Path) -> None:
    status, out, _ = verify(files, "supplier.pem", *OFFLINE, "--for", "networkOperator/ds", "--json")
    assert status == 1
    (verdict,) = json.loads(out)["verdicts"]
    assert verdict["trusted"] is False
    assert verdict["reason"]["code"] == "use.role"
    assert {check["outcome"] for check in verdict["checks"]} == {
        "held", "not held", "not applicable", "left out",
    }  # fmt: skip
    assert {check["check"] for check in verdict["checks"] if check["outcome"] == "left out"} == {"use.entity"}


def test_a_list_that_cannot_be_had_is_a_reason_not_to_trust(files: Path) -> None:
    status, out, _ = verify(files, "supplier.pem", *OFFLINE[:4], *OFFLINE[6:])
    assert status == 1
    assert "revocation.unavailable" in out


def test_time_can_be_left_out(files: Path) -> None:
    expired = (*OFFLINE[:6], "--at", "2036-06-15")
    assert "time.expired" in verify(files, "supplier.pem", *expired)[1]
    status, out, _ = verify(files, "supplier.pem", *expired, "--ignore-time")
    assert status == 1
    assert "revocation.list-overdue" in out
    assert "left out" in out


def test_many_at_once_and_junit(files: Path) -> None:
    (files / "bad.der").write_bytes(SUPPLIER[:-1] + bytes((SUPPLIER[-1] ^ 1,)))
    status, out, err = verify(files, "supplier.pem", "bad.der", "missing.pem", *OFFLINE, "--junit", "report.xml")
    assert status == 2
    assert "1 of 2 trusted" in out
    assert "missing.pem" in err
    suite = ElementTree.parse(files / "report.xml").getroot()[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "3", "failures": "1", "errors": "1",
    }  # fmt: skip
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "path.signature"


def test_whose_it_is_to_be(files: Path) -> None:
    for_supplier = ("supplier.pem", *OFFLINE, "--for", "supplier/ds", "--entity")
    status, out, _ = verify(files, *for_supplier, "90:b3:d5:1f:30:01:00:00")
    assert status == 0
    assert out.splitlines()[-1].endswith("for supplier/DS of 90-B3-D5-1F-30-01-00-00: trusted")
    status, out, _ = verify(files, *for_supplier, "90B3D51F30030000", "--json")
    assert status == 1
    (verdict,) = json.loads(out)["verdicts"]
    assert verdict["entity"] == "90-B3-D5-1F-30-03-00-00"
    assert verdict["reason"]["code"] == "use.entity"
    assert verdict["reason"]["seen"] == "90-B3-D5-1F-30-01-00-00"
    assert verify(files, *for_supplier, "90B3")[0] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("nothing.pem", *OFFLINE),
        ("supplier.pem", "--trust", "supplier.pem"),
        ("supplier.pem", "--home", "nowhere"),
        ("supplier.pem", *OFFLINE, "--for", "wizard/ds"),
        ("supplier.pem", *OFFLINE, "--at", "tomorrow"),
        ("supplier.pem", *OFFLINE, "--repository", "http://127.0.0.1:1"),
        ("supplier.pem", *OFFLINE[:2], "--repository", "gopher://x"),
    ],
)
def test_what_makes_no_sense(files: Path, words: tuple[str, ...]) -> None:
    assert verify(files, *words)[0] == 2


def test_against_a_repository(files: Path) -> None:
    with repository() as served:
        words = ("supplier.pem", *OFFLINE[:2], *OFFLINE[6:], "--repository", served.url, "--cache", "cache")
        assert verify(files, *words)[0] == 0
        served.answers[CRL] = encoded(b"", status=404)
        assert verify(files, *words)[0] == 0  # from the cache
    status, out, _ = verify(files, *words[:-2])
    assert status == 1
    assert "repository.unreachable" in out


def test_a_homes_authorities_are_the_default(home: Path) -> None:
    issued = run_cli(
        "issue",
        "device",
        "--eui",
        "00-DB-12-34-56-78-90-A0",
        "--usage",
        "ds",
        "--home",
        home,
        "--out",
        home / "d.pem",
    )
    assert issued.returncode == 0, issued.stderr
    status, out, _ = verify(home, "d.pem", "--home", home, "--for", "device/ds")
    assert status == 0, out
    lines = [line for line in out.splitlines() if "not revoked" in line]
    assert all("not applicable" in line for line in lines)
    assert "no list is published for Device Certificates" in lines[0]


def test_suspicions(files: Path, case_named: dict[str, Case]) -> None:
    serial = PKI.serial_number(Base.ORGANISATION.value).hex
    kept = ("--file", "s.json")
    added = run_cli("suspect", "add", serial, "--because", "seen in a car boot", *kept, cwd=files)
    assert added.returncode == 0, added.stderr
    status, out, _ = verify(files, "supplier.pem", *OFFLINE, "--suspicions", "s.json")
    assert status == 1
    assert "seen in a car boot" in out
    listed: list[dict[str, Any]] = json.loads(run_cli("suspect", "list", *kept, "--json", cwd=files).stdout)
    assert [row["serialNumber"] for row in listed] == [serial]
    assert run_cli("suspect", "clear", serial, *kept, cwd=files).returncode == 0
    assert verify(files, "supplier.pem", *OFFLINE, "--suspicions", "s.json")[0] == 0
    assert run_cli("suspect", "clear", serial, *kept, cwd=files).returncode == 2
    assert run_cli("suspect", "add", serial, "--because", " ", *kept, cwd=files).returncode == 2
    (files / "s.json").write_text("{}")
    assert verify(files, "supplier.pem", *OFFLINE, "--suspicions", "s.json")[0] == 2
