"""Private keys that cannot be used: found when a server starts and by /readyz; nothing is counted, and no path is told."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from smki_repository.app import create_app
from smki_repository.server import renew_each_list

from smki import Application, CertificateKind, FixedClock, HomeClock, Issued, Smki
from smki.identity import PartyId
from smki.keys.private_key import PASSPHRASE_VARIABLE
from smki.ledger import ApplicationQuery
from smki.pki.certificate import to_pem
from smki.problem import KeyUnusable
from smki.registration import Actor
from smki.registration.participation import ChangeTest
from tests.commands import TEST, apply, make_token
from tests.repository.support import free_port, serve_command
from tests.support import DEVICE, DS, run_cli

API = "/api/v1"


def replaced_by_directory(key: Path) -> None:
    key.unlink()
    key.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda key: key.unlink(),
    "not a key": lambda key: key.write_bytes(b"-----BEGIN PRIVATE KEY-----"),
    "a directory": replaced_by_directory,
    "of another authority": lambda key: shutil.copy(key.with_name("root-dca.key"), key),
}


@pytest.fixture(scope="module")
def made_encrypted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("encrypted") / "pki"
    assert run_cli("init", "--home", home, env={PASSPHRASE_VARIABLE: "right"}).returncode == 0
    return home


@pytest.fixture
def encrypted(made_encrypted: Path, tmp_path: Path) -> Path:
    """A home whose keys are under a passphrase."""
    return Path(shutil.copytree(made_encrypted, tmp_path / "encrypted"))


@pytest.fixture(params=["", "wrong"], ids=["no passphrase", "wrong passphrase"])
def locked(encrypted: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Smki]:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, request.param)
    with Smki.open(encrypted) as smki:
        yield smki


def counts(smki: Smki) -> dict[str, Any]:
    """All that is counted or recorded."""
    ledger = smki.ledger
    return {
        "certificates": ledger.count_certificates(),
        "participant": ledger.certificates_issued_to("MANUFACTURER"),
        "device": ledger.certificates_for_device(DEVICE),
        "applications": len(list(ledger.applications(ApplicationQuery()))),
        "events": len(list(ledger.events())),
        "statistics": ledger.search.statistics(0),
        "lists": [len(lists.all()) for lists in smki.all_lists()],
    }


def is_silent(smki: Smki, body: bytes) -> bool:
    """Whether an answer names no path of the home."""
    paths = (str(smki.path).encode(), b"-oca.key", b"-dca.key", b"keys/", b"Traceback")
    return not any(path in body for path in paths)


def client_of(smki: Smki) -> FlaskClient:
    app = create_app(smki)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app.test_client()


def test_nothing_is_counted_that_was_not_issued(locked: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Testing Participant with a quota of one, and a Device that may have one more certificate."""
    locked.registration.execute(
        ChangeTest(participant=PartyId("MANUFACTURER"), test="device-and-user-system-tests", quota=1), TEST
    )
    locked.ledger.transact(lambda tx: tx.set_threshold(DEVICE, 1))  # less than the command allows
    request = locked.make_device_request(DEVICE, DS)[1]
    application, actor = (
        Application(kind=CertificateKind.DEVICE, request=request),
        Actor(interface="test", party="MANUFACTURER"),
    )
    before = counts(locked)
    for _ in range(3):
        with pytest.raises(KeyUnusable):
            apply(locked, application, actor)
        with pytest.raises(KeyUnusable):
            locked.lists(CertificateKind.ISSUING_OCA).publish()
    assert counts(locked) == before
    assert [problem.code for problem in locked.check().problems] == ["record.row-changed"]  # the threshold
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "right")
    with Smki.open(locked.path) as smki:
        assert isinstance(apply(smki, application, actor), Issued)


def test_an_application_over_http(locked: Smki) -> None:
    before = counts(locked)
    request = locked.make_device_request(DEVICE, DS)[1]
    token = make_token(locked, "MANUFACTURER")
    events = counts(locked)["events"]
    answer = client_of(locked).post(
        f"{API}/applications",
        data=to_pem("CERTIFICATE REQUEST", request),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/x-pem-file"},
    )
    assert answer.status_code == 503, answer.data
    (problem,) = answer.get_json()["problems"]
    assert problem["code"] == "key.unreadable"
    assert problem["subject"] == "private key of Issuing DCA TD01"
    assert "passphrase" in problem["remedy"]
    assert is_silent(locked, answer.data)
    assert counts(locked) == before | {"events": events}


def test_the_command_line_names_the_file(encrypted: Path, tmp_path: Path) -> None:
    words = ("issue", "device", "--home", encrypted, "--eui", DEVICE.hex, "--usage", "ds", "--out", tmp_path / "d.pem")
    result = run_cli(*words)
    assert result.returncode == 2
    assert b"private key of Issuing DCA TD01" in result.stderr
    assert f"Set SMKI_KEY_PASSPHRASE to the passphrase that was set when {encrypted}/keys/issuing-dca.key".encode() in (
        result.stderr
    )


def test_ready_means_that_the_keys_can_be_used(locked: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = client_of(locked).get("/readyz")
    assert answer.status_code == 503
    for name in ("Root OCA TA", "Issuing OCA T1", "Root DCA TD", "Issuing DCA TD01"):
        assert f"private key of {name}" in answer.get_json()["reason"]
    assert is_silent(locked, answer.data)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "right")
    with Smki.open(locked.path) as smki:
        assert client_of(smki).get("/readyz").status_code == 200


@pytest.mark.parametrize("damage", DAMAGE)
def test_keys_that_are_damaged(home: Path, damage: str) -> None:
    DAMAGE[damage](home / "keys" / "issuing-oca.key")
    now = HomeClock(home / "clock.json").now()
    with Smki.open(home, FixedClock(now + timedelta(days=3))) as smki:  # the CRL is overdue
        client = client_of(smki)
        for path, status in (("/readyz", 503), ("/crl/organisation.crl", 503), ("/crl/organisation.arl", 200)):
            answer = client.get(path)
            assert (answer.status_code, is_silent(smki, answer.data)) == (status, True), answer.data
        assert b"Issuing OCA T1" in client.get("/crl/organisation.crl").data
        issuer = smki.hierarchy.newest(smki.ledger, CertificateKind.ISSUING_OCA).certificate.serial_number
        answer = client.post(
            f"{API}/revocation-lists", json={"issuer": issuer.hex},
            headers={"Authorization": f"Bearer {make_token(smki, 'DCC')}"},
        )  # fmt: skip
        assert (answer.status_code, is_silent(smki, answer.data)) == (503, True)


def test_one_key_that_is_missing_does_not_make_the_lists_of_others_stale(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "keys" / "root-oca.key").unlink()
    now = HomeClock(home / "clock.json").now()
    with Smki.open(home, FixedClock(now + timedelta(days=200))) as smki:
        renew_each_list(smki)
        numbers = {lists.issuer_name: latest.number for lists in smki.all_lists() if (latest := lists.latest())}
    assert numbers == {"TA": 1, "T1": 2}
    assert "cannot issue the list of TA: private key of Root OCA TA" in caplog.text


def test_the_key_of_a_revoked_authority_is_not_needed(home: Path) -> None:
    assert run_cli("authority", "renew", "issuing-oca", "--home", home).returncode == 0
    assert run_cli("authority", "revoke", "T1", "--reason", "superseded", "--home", home).returncode == 0
    (home / "keys" / "issuing-oca.key").unlink()
    with Smki.open(home) as smki:
        assert smki.hierarchy.unusable_keys(smki.ledger) == []


@pytest.mark.parametrize("passphrase", ["", "wrong"])
def test_a_server_does_not_start(encrypted: Path, passphrase: str) -> None:
    port = free_port()
    words = serve_command(encrypted, port)[3:]
    result = run_cli(*words, env={PASSPHRASE_VARIABLE: passphrase})
    assert result.returncode == 2
    assert result.stdout == b""
    assert result.stderr.count(b"[key.unreadable]") == 4
    assert f"{encrypted}/keys/root-oca.key".encode() in result.stderr
    assert b"Traceback" not in result.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
