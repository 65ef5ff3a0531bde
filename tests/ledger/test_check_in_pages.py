"""`smki check` in pages, with templates and in several processes finds what it finds in one, with the whole lint."""

from __future__ import annotations

import shutil
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smki import DeviceType, EntityIdentifier, Smki
from smki.authority import check_certificates
from smki.authority.audit import CheckResult, check_ledger
from smki.ledger import CertificateQuery
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.problem import errors_among
from smki.profile import IssuerFacts, lint_certificate
from tests.support import DEVICE, DS, KA, run_here

DEVICES = 8


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pages") / "pki"
    with Smki.create(home) as smki:
        for number in range(DEVICES):
            meter = EntityIdentifier(DEVICE.encoded[:7] + bytes([number + 1]))
            for usage in (DS, KA):
                smki.issue_device(smki.make_device_request(meter, usage)[1], device_type=DeviceType.ESME)
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "pki"))


def check(home: Path, **options: Any) -> CheckResult:
    with Smki.open(home) as smki:
        return check_ledger(smki.ledger, smki.checkpoints.problems, **options)


def again(home: Path) -> partial[SqliteLedger]:
    return partial(SqliteLedger, home / "ledger.sqlite")


def test_several_processes_find_the_same(home: Path) -> None:
    steps: list[tuple[int, int]] = []
    sound = check(home, again=again(home), page=7, report=lambda done, total: steps.append((done, total)))
    assert sound == check(home) == check(home, page=3) == CheckResult(10 + 2 * DEVICES, 0, ())
    assert steps == [(number, steps[-1][1]) for number in range(1, len(steps) + 1)]
    assert steps[-1][0] == steps[-1][1] > 4
    connection = sqlite3.connect(home / "ledger.sqlite")
    connection.execute("UPDATE certificate SET der = (SELECT der FROM certificate WHERE id = 13) WHERE id = 14")
    connection.execute("UPDATE certificate SET not_after = not_after - 1 WHERE id = 20")
    connection.execute("UPDATE certificate SET status = 'P' WHERE id = 26")
    connection.commit()
    connection.close()
    found = check(home, again=again(home), page=7)
    assert len(found.problems) > 4
    assert set(found.problems) == set(check(home).problems)
    assert found.certificates == sound.certificates


def test_the_whole_lint_is_run_once_for_each_form(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linted = []

    def counted(encoded: bytes, *others: Any) -> Any:
        linted.append(encoded)
        return lint_certificate(encoded, *others)

    monkeypatch.setattr(check_certificates, "lint_certificate", counted)
    assert check(home).problems == ()
    assert len(linted) == 10 + 2  # the authorities and the DCC's, and one for each usage of Devices


@pytest.fixture(scope="module")
def alike(prepared: Path) -> tuple[Any, bytes]:
    """What was learnt from a Device Certificate, and another one of the same form."""
    with Smki.open(prepared) as smki:
        *_, first, _, second, _ = smki.ledger.certificates(CertificateQuery())
        above = smki.ledger.certificate(first.issuer_serial_number or first.serial_number)
        assert above is not None
        issuer = check_certificates._Issuer(above.certificate)
        issuer.learn(first.der)
        return issuer, second.der


def test_one_that_is_alike_needs_no_lint(alike: tuple[Any, bytes]) -> None:
    issuer, encoded = alike
    assert issuer.usual(encoded) is not None


@given(st.data())
def test_what_is_changed_is_never_usual(alike: tuple[Any, bytes], data: st.DataObject) -> None:
    issuer, encoded = alike
    at = data.draw(st.integers(0, len(encoded) - 1))
    changed = bytearray(encoded)
    changed[at] ^= data.draw(st.integers(1, 255))
    kind = data.draw(st.sampled_from(["changed", "cut", "longer"]))
    tampered = {"changed": bytes(changed), "cut": encoded[:at], "longer": encoded + encoded[at:]}[kind]
    # Whatever passes without the whole lint passes with it.
    facts: IssuerFacts = issuer.facts
    assert issuer.usual(tampered) is None or not errors_among(lint_certificate(tampered, None, facts))


def test_since_a_checkpoint_only_what_is_newer_is_linted(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    run_here("audit", "checkpoint", "--out", kept, "--home", home)
    assert (
        b"0 certificates, 0 unfinished applications, 0 problems"
        in run_here("check", "--since", kept, "--home", home).stdout
    )
    with Smki.open(home) as smki:
        smki.issue_device(smki.make_device_request(DEVICE, DS)[1])
    assert b"1 certificate," in run_here("check", "--since", kept, "--home", home).stdout
    connection = sqlite3.connect(home / "ledger.sqlite")
    connection.execute("UPDATE certificate SET issued = issued + 1 WHERE id = 12")
    connection.commit()
    connection.close()
    result = run_here("check", "--since", kept, "--home", home)  # a row that was changed is found all the same
    assert (result.returncode, b"record.row-changed" in result.stdout) == (1, True)
