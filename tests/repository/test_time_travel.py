"""Requests that say when they are made: they read; a command only does what the server allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from smki_repository.app import create_app
from smki_repository.faults import Faults
from smki_repository.faults.fault import Fault, FaultKind
from smki_repository.options import Options
from smki_repository.rest.service import API, OPERATIONS

from smki import CertificateKind, HomeClock, Smki
from smki.clock import TravellingClock
from smki.home.smki import CLOCK_FILE
from tests.commands import make_token
from tests.repository.support import Answer, Served, ask, serving
from tests.support import run_cli

OCA = CertificateKind.ISSUING_OCA
AHEAD = {"X-SMKI-Time": "2040-01-01T00:00:00Z"}


@dataclass
class Travelling:
    """A server with time travel, and a token of the DCC."""

    served: Served
    smki: Smki
    token: str

    def post(self, path: str, body: object, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | headers
        return ask(f"{self.served.url}{API}{path}", json.dumps(body).encode(), headers=sent)

    def publish(self, **headers: str) -> Answer:
        issuer = self.smki.hierarchy.newest(self.smki.ledger, OCA).certificate.serial_number
        return self.post("/revocation-lists", {"issuer": issuer.hex}, **headers)


def travelling(home: Path, *options: str) -> Iterator[Travelling]:
    with Smki.open(home) as smki, serving(home, *options) as served:
        yield Travelling(served, smki, make_token(smki, "DCC"))


@pytest.fixture
def reading(home: Path) -> Iterator[Travelling]:
    yield from travelling(home, "--time-travel")


@pytest.fixture
def writing(home: Path) -> Iterator[Travelling]:
    yield from travelling(home, "--time-travel=write")


def test_a_command_dated_by_a_header_is_refused(reading: Travelling) -> None:
    before = len(list(reading.smki.ledger.events()))
    answer = reading.publish(**AHEAD)
    assert answer.status == 409
    (problem,) = json.loads(answer.body)["problems"]
    assert problem["code"] == "clock.travelling"
    assert "2040-01-01T00:00:00Z" in problem["seen"]
    assert "without the header X-SMKI-Time" in problem["remedy"]
    assert len(list(reading.smki.ledger.events())) == before
    assert reading.publish().status == 201
    latest = reading.smki.lists(OCA).latest()
    assert latest is not None
    assert latest.this_update <= datetime.now(UTC)
    # Reading as of another time goes on.
    listed = ask(f"{reading.served.url}/crl/organisation.crl", headers=AHEAD)
    assert (listed.status, listed.headers["x-smki-time"]) == (200, AHEAD["X-SMKI-Time"])


def test_a_command_dated_by_a_header_where_the_server_allows_it(writing: Travelling) -> None:
    answer = writing.publish(**AHEAD)
    assert (answer.status, json.loads(answer.body)["thisUpdate"]) == (201, AHEAD["X-SMKI-Time"])
    # The list that is served is then replaced by one of the present.
    ask(f"{writing.served.url}/crl/organisation.crl")
    latest = writing.smki.lists(OCA).latest()
    assert latest is not None
    assert latest.this_update <= datetime.now(UTC)
    assert writing.smki.check().problems == ()


def test_time_travel_is_only_off_read_or_write(home: Path) -> None:
    assert run_cli("serve", "--home", home, "--time-travel=perhaps").returncode == 2


@pytest.fixture
def smki_at_another_time(home: Path) -> Iterator[Smki]:
    with Smki.open(home, TravellingClock(HomeClock(home / CLOCK_FILE))) as smki:
        yield smki


def test_no_operation_that_writes_has_the_time_of_a_header(smki_at_another_time: Smki) -> None:
    """Every operation for officers that is not a GET, with whatever body: no event is dated by the header."""
    smki = smki_at_another_time
    token, client = make_token(smki, "DCC"), create_app(smki).test_client()
    serial = next(record.serial_number.hex for record in smki.authorities() if record.kind is OCA)
    bodies = {
        "addAuthority": {"kind": "issuing-dca"},
        "publishRevocationList": {"issuer": serial},
        "setClock": {},
    }
    before = len(list(smki.ledger.events()))
    refused = set()
    for operation in OPERATIONS:
        if operation.method == "GET" or not operation.for_officers:
            continue
        path = operation.path.replace("{serial}", serial).replace("{party}", "DCC").replace("{eui}", "90B3D51F30010000")
        answer = client.open(
            API + urlsplit(path).path, method=operation.method, json=bodies.get(operation.name, {}),
            headers={"Authorization": f"Bearer {token}", **AHEAD},
        )  # fmt: skip
        assert 400 <= answer.status_code < 500, (operation.name, answer.data)
        if b"clock.travelling" in answer.data:
            refused.add(operation.name)
    assert refused >= set(bodies)
    assert len(list(smki.ledger.events())) == before


def test_a_fault_that_sets_the_time_dates_no_command(home: Path) -> None:
    with (
        Smki.open(home, TravellingClock(HomeClock(home / CLOCK_FILE), by_header=False)) as smki,
        closing(Faults()) as faults,
    ):
        client = create_app(smki, Options(faults=True), faults=faults).test_client()
        faults.set(Fault(FaultKind.WRONG_CLOCK, shift=86400 * 365))
        issuer = smki.hierarchy.newest(smki.ledger, OCA).certificate.serial_number
        headers = {"Authorization": f"Bearer {make_token(smki, 'DCC')}"}
        answer = client.post(f"{API}/revocation-lists", json={"issuer": issuer.hex}, headers=headers)
        assert (answer.status_code, answer.get_json()["problems"][0]["code"]) == (409, "clock.travelling")
        latest = smki.lists(OCA).latest()
        assert latest is not None
        assert latest.number == 1
        assert latest.this_update < datetime.now(UTC) + timedelta(days=1)


def test_a_cache_keeps_the_responses_of_each_time_apart(reading: Travelling) -> None:
    for path in ("/crl/organisation.crl", f"{API}/statistics", f"{API}/certificates?limit=1"):
        for headers in ({}, AHEAD):
            assert "X-SMKI-Time" in ask(f"{reading.served.url}{path}", headers=headers).headers.get("vary", "")
