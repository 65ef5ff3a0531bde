"""Faults on demand: each kind as a client meets it, counted exactly, over HTTP and in Python."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smki_repository.app import create_app

from smki import CertificateKind, RelyingParty, RepositoryClient, Smki, Verdict
from smki.clock import FixedClock, HomeClock, TravellingClock
from smki.home.smki import CLOCK_FILE
from smki.ledger import CertificateQuery, CertificateRecord
from smki.pki.revocation_list import RevocationList
from smki.problem import Malformed, NotFound, NotReady
from smki.profile.lint import lint
from smki.relying_party.transport import Limits
from smki.testing.faults import Fault, FaultKind, Faults, RemoteFaults
from tests.relying_party.test_transport import answer, answering
from tests.repository.support import Served, ask, serving
from tests.support import run_cli

CRL, ARL = "/crl/organisation.crl", "/crl/organisation.arl"
FIELDS = ("count", "seconds", "status", "delay", "contentType", "shiftSeconds")
LIMITS = Limits(seconds=1.5, connect_seconds=0.5, attempts=2, back_off=0.01)


@pytest.fixture(scope="module")
def faulty(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of two processes started with --faults."""
    home = tmp_path_factory.mktemp("faulty") / "pki"
    shutil.copytree(made_home, home)
    with serving(home, "--faults", "--workers", "2") as served, Smki.open(home) as smki:
        yield replace(served, smki=smki)


@pytest.fixture
def faults(faulty: Served) -> Iterator[RemoteFaults]:
    """Its faults, all clear before and after."""
    remote = RemoteFaults(faulty.url)
    remote.clear()
    yield remote
    remote.clear()


def organisation(smki: Smki | None) -> CertificateRecord:
    assert smki
    return next(smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.ORGANISATION,)), limit=1))


def verdict(faulty: Served) -> tuple[Verdict, RepositoryClient]:
    """What a Relying Party makes of a good certificate with the lists of this server, and its client."""
    assert faulty.smki
    client = RepositoryClient(faulty.url, limits=LIMITS, refresh=0.0)
    by_kind = {record.kind: record.certificate for record in faulty.smki.authorities()}
    party = RelyingParty([by_kind[CertificateKind.ROOT_OCA]], client, chain=[by_kind[CertificateKind.ISSUING_OCA]])
    return party.verify(organisation(faulty.smki).certificate), client


# What each fault of the CRL leads to in a Relying Party: the verdict's code, and the code of what was wrong with the
# Repository that its reason tells of.
VERDICTS = [
    (Fault(FaultKind.STALE_LIST, CRL), "revocation.unavailable", "repository.overdue"),
    (Fault(FaultKind.STALE_LIST, ARL), "revocation.unavailable", "repository.overdue"),
    (Fault(FaultKind.OTHER_AUTHORITY, CRL), "revocation.list-issuer", ""),
    (Fault(FaultKind.OTHER_AUTHORITY, ARL), "revocation.list-issuer", ""),
    (Fault(FaultKind.TRUNCATED_BODY, CRL), "revocation.unavailable", "repository.not-a-list"),
    (Fault(FaultKind.WRONG_CONTENT_TYPE, CRL), "revocation.unavailable", "repository.content-type"),
    (Fault(FaultKind.STATUS, CRL, status=401), "revocation.unavailable", "repository.status"),
    (Fault(FaultKind.STATUS, CRL, status=402), "revocation.unavailable", "repository.status"),
    (Fault(FaultKind.STATUS, CRL, status=500), "revocation.unavailable", "repository.status"),
    (Fault(FaultKind.SLOW, CRL, delay=2.0), "revocation.unavailable", "repository.timeout"),
    (Fault(FaultKind.DRIPPING, CRL, delay=2.0), "revocation.unavailable", "repository.timeout"),
    (Fault(FaultKind.DROPPED_CONNECTION, CRL), "revocation.unavailable", "repository.unreachable"),
    (Fault(FaultKind.WRONG_CLOCK, CRL, shift=-30 * 86400), "revocation.unavailable", "repository.status"),
]


@pytest.mark.parametrize(
    ("fault", "code", "within"),
    VERDICTS,
    ids=[f"{fault.kind}-{fault.path[-3:]}-{fault.status}" for fault, _, _ in VERDICTS],
)
def test_what_a_relying_party_makes_of_it(
    faulty: Served, faults: RemoteFaults, fault: Fault, code: str, within: str
) -> None:
    assert verdict(faulty)[0].trusted
    with faults.during(fault) as one:
        found, client = verdict(faulty)
        assert faults.get(one.id).struck >= 1
    assert found.reason is not None
    assert not found.trusted
    assert found.reason.code == code
    assert within in found.reason.seen
    if within:
        assert [problem.code for problem in client.problems()] in ([within], [])
    assert verdict(faulty)[0].trusted


def test_every_kind_has_a_verdict() -> None:
    assert {fault.kind for fault, _, _ in VERDICTS} == set(FaultKind)


def test_a_fault_that_passes_is_borne(faulty: Served, faults: RemoteFaults) -> None:
    """One failure, and the client's second attempt is answered."""
    one = faults.set(Fault(FaultKind.STATUS, CRL, count=1, status=500))
    assert verdict(faulty)[0].trusted
    assert (faults.get(one.id).struck, faults.get(one.id).is_over) == (1, True)


@pytest.mark.parametrize("path", [CRL, ARL])
def test_the_stale_list_is_a_real_one(
    faulty: Served,
    faults: RemoteFaults,
    path: str,
    tmp_path: Path,
    openssl: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert faulty.smki
    kind = {CRL: CertificateKind.ISSUING_OCA, ARL: CertificateKind.ROOT_OCA}[path]
    before = [record.number for record in faulty.smki.lists(kind).all()]
    with faults.during(Fault(FaultKind.STALE_LIST, f"{path}*")):
        first, again = ask(faulty.url + path), ask(faulty.url + path)
        pem = ask(f"{faulty.url}{path}.pem")
    stale = RevocationList.from_der(first.body)
    assert first.body == again.body
    assert stale.next_update is not None
    assert stale.next_update < faulty.smki.clock.now()
    assert stale.number is not None
    assert stale.number < before[0]
    assert lint(first.body) == []
    # The ledger is as it was: the list is not the latest, and none takes its number.
    assert [record.number for record in faulty.smki.lists(kind).all()] == before
    authority = faulty.smki.hierarchy.newest(faulty.smki.ledger, kind).certificate
    (tmp_path / "list.pem").write_bytes(pem.body)
    (tmp_path / "authority.pem").write_text(authority.as_pem())
    result = openssl("crl", "-in", tmp_path / "list.pem", "-CAfile", tmp_path / "authority.pem", "-noout", "-verify")
    assert "verify OK" in result.stderr


def test_who_has_seen_the_current_list_tells_the_stale_one_by_its_number(faulty: Served, faults: RemoteFaults) -> None:
    assert faulty.smki
    _, client = verdict(faulty)
    with faults.during(Fault(FaultKind.STALE_LIST, CRL)):
        client.revocation_lists(faulty.smki.clock.now())
    assert [problem.code for problem in client.problems()] == ["repository.rolled-back"]


def test_the_lists_of_an_authority_by_its_name(faulty: Served, faults: RemoteFaults) -> None:
    path = "/crl/organisation/T1.crl"
    good = ask(faulty.url + path)
    with faults.during(Fault(FaultKind.STALE_LIST, "/crl/organisation/T*")) as one:
        assert RevocationList.from_der(ask(faulty.url + path).body).number == 0
        assert RevocationList.from_der(ask(faulty.url + CRL).body).number != 0
        assert faults.get(one.id).struck == 1
    with faults.during(Fault(FaultKind.OTHER_AUTHORITY, path)):
        assert ask(faulty.url + path).body == ask(faulty.url + ARL).body
    with faults.during(Fault(FaultKind.STALE_LIST)):
        assert ask(f"{faulty.url}/crl/organisation/nobody.crl").status == 404
        # A list of the past is that one, and no other.
        assert ask(f"{faulty.url}/crl/organisation/1.crl").body == good.body
        assert ask(f"{faulty.url}/crl/organisation/T1/1.crl").body == good.body


def test_the_stale_list_of_an_older_home_is_of_its_past(smki: Smki) -> None:
    assert isinstance(smki.clock, HomeClock)
    lists = smki.lists(CertificateKind.ISSUING_OCA)
    first = lists.all()[0]
    smki.clock.shift(timedelta(hours=49))
    second = lists.publish()
    assert (lists.overdue().number, lists.current().number) == (first.number, second.number)
    smki.clock.shift(timedelta(hours=100))
    assert lists.overdue().number == second.number


def test_there_is_no_overdue_list_before_the_first(smki: Smki) -> None:
    assert isinstance(smki.clock, HomeClock)
    smki.clock.shift(timedelta(days=-30))
    with pytest.raises(NotReady) as caught:
        smki.lists(CertificateKind.ISSUING_OCA).overdue()
    assert caught.value.code == "revocation-list.none-overdue"


def raw(address: str, path: str, method: str = "GET") -> tuple[bytes, list[float], bool]:
    """The bytes that come over a bare socket, when each piece came (seconds), and whether the server closed it."""
    host, port = address.split(":")
    pieces: list[bytes] = []
    moments: list[float] = []
    with socket.create_connection((host, int(port)), timeout=1.0) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
        start = time.monotonic()
        try:
            while piece := connection.recv(65536):
                pieces.append(piece)
                moments.append(time.monotonic() - start)
        except TimeoutError:
            return b"".join(pieces), moments, False
    return b"".join(pieces), moments, True


def test_a_dropped_connection_is_closed_in_the_middle(faulty: Served, faults: RemoteFaults) -> None:
    whole = ask(faulty.url + CRL)
    with faults.during(Fault(FaultKind.DROPPED_CONNECTION, CRL)):
        for _ in range(5):
            encoded, _, closed = raw(faulty.address, CRL)
            head, _, body = encoded.partition(b"\r\n\r\n")
            assert closed
            assert f"content-length: {len(whole.body)}".encode() in head.lower()
            assert body == whole.body[: len(whole.body) // 2]
    assert not raw(faulty.address, "/healthz")[2], "kept open for the next request where nothing is wrong"


def test_a_dripping_body_comes_in_pieces(faulty: Served, faults: RemoteFaults) -> None:
    with faults.during(Fault(FaultKind.DRIPPING, CRL, delay=0.5)):
        encoded, moments, _ = raw(faulty.address, CRL)
    assert encoded.endswith(ask(faulty.url + CRL).body)
    assert len(moments) >= 4
    assert moments[-1] >= 0.35


def test_a_slow_answer_is_the_right_one(faulty: Served, faults: RemoteFaults) -> None:
    with faults.during(Fault(FaultKind.SLOW, "/healthz", delay=0.4)):
        start = time.monotonic()
        answer = ask(f"{faulty.url}/healthz")
        assert time.monotonic() - start >= 0.4
    assert json.loads(answer.body) == {"status": "ok"}


def test_a_wrong_clock(faulty: Served, faults: RemoteFaults) -> None:
    assert faulty.smki
    record = organisation(faulty.smki)
    body = f"<CertificateDataRequest><CertificateSerial>{record.serial_number.hex}</CertificateSerial></CertificateDataRequest>"
    right = ask(f"{faulty.url}/services/retrievecertificate", body.encode())
    assert b"<CertificateStatus>I<" in right.body
    assert "x-smki-time" not in right.headers
    shift = timedelta(days=12 * 365)
    with faults.during(Fault(FaultKind.WRONG_CLOCK, shift=int(shift.total_seconds()))):
        wrong = ask(f"{faulty.url}/services/retrievecertificate", body.encode())
        list_ = ask(faulty.url + CRL)
    ahead = parsedate_to_datetime(wrong.headers["date"]) - faulty.smki.clock.now()
    assert abs(ahead - shift) < timedelta(seconds=5)
    assert wrong.headers["x-smki-time"].startswith(f"{(faulty.smki.clock.now() + shift):%Y-%m-%d}")
    assert b"<CertificateStatus>E<" in wrong.body
    # Looking from another time issues nothing: the list has fallen overdue there.
    assert RevocationList.from_der(list_.body).number == faulty.smki.lists(CertificateKind.ISSUING_OCA).current().number
    assert "x-smki-time" not in ask(f"{faulty.url}/healthz").headers


def test_the_time_is_not_for_clients_to_set(faulty: Served) -> None:
    answer = ask(f"{faulty.url}/healthz", headers={"X-SMKI-Time": "2040-01-01"})
    assert "x-smki-time" not in answer.headers


@pytest.mark.parametrize(
    ("status", "message"), [(401, "Invalid search parameters"), (402, "Nothing found"), (500, "Internal Server Error")]
)
def test_a_status_speaks_as_the_service_does(faulty: Served, faults: RemoteFaults, status: int, message: str) -> None:
    with faults.during(Fault(FaultKind.STATUS, "/services/*", status=status)):
        answer = ask(f"{faulty.url}/services/certificatesearch", b"<x/>")
        page = ask(faulty.url)
    with faults.during(Fault(FaultKind.STATUS, "/api/*", status=status)):
        problem = ask(f"{faulty.url}/api/v1/certificates")
    assert (problem.status, json.loads(problem.body)["status"]) == (status, status)
    assert problem.headers["content-type"] == "application/problem+json"
    assert answer.status == status
    assert answer.headers["content-type"].startswith("application/xml")
    assert f"<ResponseCode>{status}</ResponseCode><ResponseMessage>{message}<".encode() in answer.body
    assert page.status == 200


def test_who_has_the_good_list_gets_the_fault_too(faulty: Served, faults: RemoteFaults) -> None:
    good = ask(faulty.url + CRL)
    known = {"If-None-Match": good.headers["etag"]}
    assert ask(faulty.url + CRL, headers=known).status == 304
    for kind in (FaultKind.STALE_LIST, FaultKind.TRUNCATED_BODY, FaultKind.WRONG_CONTENT_TYPE):
        with faults.during(Fault(kind, CRL)):
            bad = ask(faulty.url + CRL, headers=known)
        assert bad.status == 200
        assert bad.headers["cache-control"] == "no-store"
        assert bad.headers.get("etag") != good.headers["etag"]


def test_answers_without_a_body_are_not_cut(faulty: Served, faults: RemoteFaults) -> None:
    for kind in (FaultKind.TRUNCATED_BODY, FaultKind.DRIPPING, FaultKind.DROPPED_CONNECTION):
        with faults.during(Fault(kind, count=1)) as one:
            assert ask(faulty.url + CRL, method="HEAD").headers["x-smki-faults"] == "on"
            assert faults.get(one.id).struck == 0


def test_every_answer_says_that_faults_are_on(faulty: Served, faults: RemoteFaults) -> None:
    for path in ("/", "/healthz", "/nowhere", CRL, "/faults"):
        assert ask(faulty.url + path).headers["x-smki-faults"] == "on"
    with faults.during(Fault(FaultKind.STATUS, "/healthz", status=503)) as one:
        assert ask(f"{faulty.url}/healthz").headers["x-smki-faults"] == f"on; fault=status; id={one.id}"
        assert b"Fault injection is on" in ask(faulty.url).body
        assert b"1 set at present" in ask(faulty.url).body


def test_a_count_is_exact_over_processes(faulty: Served, faults: RemoteFaults) -> None:
    one = faults.set(Fault(FaultKind.STATUS, "/healthz", count=37, status=503))
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: ask(f"{faulty.url}/healthz").status, range(200)))
    assert sorted(statuses, reverse=True) == [503] * 37 + [200] * 163
    assert faults.get(one.id).struck == 37


def test_a_time_ends(faulty: Served, faults: RemoteFaults) -> None:
    faults.set(Fault(FaultKind.STATUS, "/healthz", seconds=0.8, status=503))
    assert ask(f"{faulty.url}/healthz").status == 503
    time.sleep(0.85)
    assert ask(f"{faulty.url}/healthz").status == 200
    assert [one.is_over for one in faults.all()] == [True]


def test_faults_with_counts_follow_one_another(faulty: Served, faults: RemoteFaults) -> None:
    for status in (500, 402):
        faults.set(Fault(FaultKind.STATUS, "/healthz", count=2, status=status))
    assert [ask(f"{faulty.url}/healthz").status for _ in range(5)] == [500, 500, 402, 402, 200]


def test_over_http(faulty: Served, faults: RemoteFaults) -> None:
    url = f"{faulty.url}/faults"
    fault = Fault(FaultKind.WRONG_CONTENT_TYPE, "/crl/*", count=3, seconds=60.0, content_type="text/plain")
    headers = {"Content-Type": "application/json"}
    made = ask(url, json.dumps(fault.as_json()).encode(), headers=headers)
    assert made.status == 201
    value = json.loads(made.body)
    assert value == {
        "id": value["id"],
        "kind": "wrong-content-type",
        "path": "/crl/*",
        "count": 3,
        "seconds": 60.0,
        "contentType": "text/plain",
        "struck": 0,
        "over": False,
    }
    assert made.headers["location"] == f"/faults/{value['id']}"
    assert json.loads(ask(faulty.url + made.headers["location"]).body) == value
    listed = json.loads(ask(url).body)
    assert listed["faults"] == [value]
    assert listed["kinds"] == list(FaultKind)
    assert ask(faulty.url + made.headers["location"], method="DELETE").status == 204
    assert json.loads(ask(url).body)["faults"] == []
    # Whatever is set, it can be cleared.
    assert ask(url, b'{"kind": "status", "path": "*"}', headers=headers).status == 201
    assert ask(f"{faulty.url}/healthz").status == 500
    assert ask(url, method="DELETE").status == 204
    assert ask(f"{faulty.url}/healthz").status == 200


NONSENSE: list[tuple[bytes, str, int]] = [
    (b"", "fault.malformed", 400),
    (b"[]", "fault.malformed", 400),
    (b"{", "fault.malformed", 400),
    (b"{}", "fault.malformed", 400),
    (b'{"kind": "unkind"}', "fault.malformed", 400),
    (b'{"kind": ["status"]}', "fault.malformed", 400),
    (b'{"kind": "status", "colour": "red"}', "fault.malformed", 400),
    (b'{"kind": "status", "status": 200}', "fault.malformed", 400),
    (b'{"kind": "status", "status": true}', "fault.malformed", 400),
    (b'{"kind": "status", "delay": 3}', "fault.malformed", 400),
    (b'{"kind": "status", "count": 0}', "fault.malformed", 400),
    (b'{"kind": "status", "count": 1e3}', "fault.malformed", 400),
    (b'{"kind": "status", "seconds": -1}', "fault.malformed", 400),
    (b'{"kind": "status", "seconds": NaN}', "fault.malformed", 400),
    (b'{"kind": "status", "path": "healthz"}', "fault.malformed", 400),
    (b'{"kind": "slow", "delay": 3600}', "fault.malformed", 400),
    (b'{"kind": "wrong-content-type", "contentType": "a\\r\\nb"}', "fault.malformed", 400),
    (b'{"kind": "wrong-clock", "shiftSeconds": 1000000000000}', "fault.malformed", 400),
    (b'{"kind": "stale-list", "path": "/services/*"}', "fault.malformed", 400),
]


@pytest.mark.parametrize(("body", "code", "status"), NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_refused_with_its_reason(
    faulty: Served, faults: RemoteFaults, body: bytes, code: str, status: int
) -> None:
    answer = ask(f"{faulty.url}/faults", body, "POST", {"Content-Type": "application/json"})
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    value = json.loads(answer.body)
    assert (value["status"], value["type"]) == (status, f"urn:smki:problem:{code}")
    assert {"code", "subject", "seen", "expected", "remedy"} <= set(value["problems"][0])
    assert faults.all() == []


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text("*/?[]!x", max_size=8)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {"kind": st.sampled_from([*FaultKind, "unkind", 3])},
        optional={name: ANYTHING | st.integers(1, 500) for name in ("path", *FIELDS)},
    )
)
def test_whatever_is_no_fault_is_refused_and_what_is_one_says_the_same_again(value: dict[str, object]) -> None:
    try:
        fault = Fault.from_json(value)
    except Malformed as error:
        assert all(problem.subject and problem.seen and problem.expected for problem in error.problems)
    else:
        assert Fault.from_json(json.loads(json.dumps(fault.as_json()))) == fault
        fault.strikes("GET", "/crl/organisation.crl")


def test_no_web_page_can_set_a_fault(faulty: Served, faults: RemoteFaults) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = ask(f"{faulty.url}/faults", b'{"kind": "status"}', "POST", {"Content-Type": content_type})
        assert answer.status == 415
    assert faults.all() == []


def test_an_unknown_fault(faulty: Served, faults: RemoteFaults) -> None:
    with pytest.raises(NotFound) as caught:
        faults.clear(10**30)
    assert caught.value.code == "fault.unknown"
    with pytest.raises(NotFound):
        faults.get(4711)


def test_off_unless_switched_on(served: Served) -> None:
    """Nothing that a client says switches them on."""
    headers = {"Content-Type": "application/json", "X-SMKI-Faults": "on"}
    for method in ("GET", "POST", "DELETE", "PUT"):
        answer = ask(f"{served.url}/faults?faults=on", b'{"kind": "status"}', method, headers)
        assert answer.status == 404
        assert "x-smki-faults" not in answer.headers
    assert b"Fault injection is on" not in ask(served.url).body
    with pytest.raises(NotReady) as caught:
        RemoteFaults(served.url).set(Fault(FaultKind.STATUS))
    assert caught.value.code == "faults.off"
    assert "smki serve --faults" in caught.value.problems[0].remedy


def test_below_a_path_and_with_an_api_key(made_home: Path, tmp_path: Path) -> None:
    """Who may not read may set no fault; and what a proxy has before the path is no part of a pattern."""
    home = tmp_path / "pki"
    shutil.copytree(made_home, home)
    key = run_cli("apikey", "add", "tester", "--home", home).stdout.decode().split()[-1]
    with serving(home, "--faults", "--read", "api-key", "--base-path", "/smki") as served:
        url = served.url
        for credential in ("", "nonsense"):
            with pytest.raises(NotReady) as caught:
                RemoteFaults(url, credential).set(Fault(FaultKind.STATUS))
            assert caught.value.code == "access.refused"
        faults = RemoteFaults(url, key)
        with faults.during(Fault(FaultKind.STATUS, "/healthz", status=503)) as one:
            assert ask(f"{url}/healthz").status == 503
            assert faults.get(one.id).struck == 1
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        made = ask(f"{url}/faults", b'{"kind": "slow"}', headers=headers)
        assert made.headers["location"].startswith("/smki/faults/")
        shown = run_cli("faults", "list", "--repository", url, env={"SMKI_API_KEY": key})
        assert b"slow *, delay 5.0; struck 0" in shown.stdout, shown.stderr


def test_nobody_there() -> None:
    with pytest.raises(NotReady) as caught:
        RemoteFaults("http://127.0.0.1:1").all()
    assert caught.value.code == "repository.unreachable"
    with pytest.raises(Malformed):
        RemoteFaults("127.0.0.1:8083")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{}", b"[]", b"null", b'{"faults": [1]}', b'{"faults": [{}]}', b"[" * 100_000, b"\xff"],
)
@pytest.mark.parametrize("status", [200, 204, 400, 404, 500])
def test_the_answers_of_another_server(status: int, body: bytes) -> None:
    with answering(answer(body, status)) as server:
        faults = RemoteFaults(server.url)
        for question in (faults.all, lambda: faults.get(1)):
            with pytest.raises(NotReady) as caught:
                question()
            assert caught.value.code == "faults.off"


def test_the_command(faulty: Served, faults: RemoteFaults) -> None:
    def faults_command(*words: str) -> str:
        result = run_cli("faults", *words, "--repository", faulty.url)
        assert result.returncode == 0, result.stderr
        return result.stdout.decode()

    words = ("wrong-clock", "--path", "/healthz", "--shift=-12h", "--count", "1")
    shown = faults_command("set", *words)
    (one,) = faults.all()
    assert one.fault == Fault(FaultKind.WRONG_CLOCK, "/healthz", count=1, shift=-12 * 3600)
    assert shown == f"{one.id}: wrong-clock /healthz, count 1, shiftSeconds -43200; struck 0\n"
    assert "x-smki-time" in ask(f"{faulty.url}/healthz").headers
    assert faults_command("list").endswith("; struck 1, over\n")
    assert json.loads(faults_command("list", "--json"))["struck"] == 1
    faults_command("clear", str(one.id))
    assert faults.all() == []
    faults_command("set", "stale-list")
    faults_command("clear")
    assert faults.all() == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("clear", "4711"), "fault.unknown"),
        (("clear", "x"), "fault.malformed"),
        (("set", "slow", "--status", "500"), "fault.malformed"),
        (("list", "--repository", "http://127.0.0.1:1"), "repository.unreachable"),
        (("list", "--repository", "http://["), "url.malformed"),
        (("list", "--repository", "http://127.0.0.1:99999"), "url.malformed"),
        (("list", "--api-key", "a\nX-Other: b"), "api-key.malformed"),
        (("list", "--api-key", "\u00e9" * 300), "api-key.malformed"),
    ],
)
def test_the_command_refuses_with_a_reason(faulty: Served, words: tuple[str, ...], code: str) -> None:
    result = run_cli("faults", words[0], "--repository", faulty.url, *words[1:])
    assert result.returncode == 2
    assert f"[{code}]".encode() in result.stderr
    assert b"Traceback" not in result.stderr


def travelling(home: Path) -> Smki:
    return Smki.open(home, TravellingClock(HomeClock(home / CLOCK_FILE), by_header=False))


def test_in_this_process(home: Path) -> None:
    faults = Faults()
    with travelling(home) as smki:
        client = create_app(smki, faults=faults).test_client()
        with faults.during(Fault(FaultKind.STATUS, "/healthz", count=1, status=402)) as one:
            assert [client.get("/healthz").status_code for _ in range(2)] == [402, 200]
            assert faults.get(one.id).is_over
        faults.set(Fault(FaultKind.OTHER_AUTHORITY))
        root = smki.hierarchy.newest(smki.ledger, CertificateKind.ROOT_OCA).certificate
        assert RevocationList.from_der(client.get(CRL).data).issuer == root.subject
        faults.clear()
        assert RevocationList.from_der(client.get(CRL).data).issuer != root.subject
    faults.close()


def test_a_kind_by_its_name() -> None:
    assert Fault("stale-list") == Fault(FaultKind.STALE_LIST)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "stale"}, "kind: 'stale'; expected one of stale-list, other-authority"),
        ({"kind": None}, "kind: None; expected one of stale-list"),
        ({"kind": "status", "count": "2"}, "count: 2; expected 1 to"),
        ({"kind": "slow", "delay": "long"}, "delay: long; expected 0.0 to 60"),
    ],
)
def test_nonsense_in_python_is_refused_too(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Malformed, match=message):
        Fault(**fields)


def test_what_was_cleared_in_the_block_is_no_error_at_its_end(faults: RemoteFaults) -> None:
    with closing(Faults()) as here:
        for each in (here, faults):
            with each.during(Fault(FaultKind.STATUS)):
                each.clear()
            assert each.all() == []


def test_what_is_struck_first_is_what_was_set_first_in_every_thread() -> None:
    faults = Faults()
    for count in (5, 7):
        faults.set(Fault(FaultKind.STATUS, count=count))
    struck: list[int] = []

    def strike() -> None:
        while (one := faults.strike("GET", "/")) is not None:
            struck.append(one.id)

    threads = [threading.Thread(target=strike) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(struck) == [1] * 5 + [2] * 7
    faults.close()


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    first, second = Faults(tmp_path / "faults"), Faults(tmp_path / "faults")
    first.set(Fault(FaultKind.STATUS, count=3))
    struck = [one.strike("GET", "/") is not None for one in itertools.islice(itertools.cycle((first, second)), 5)]
    assert struck == [True, True, True, False, False]
    first.close()
    second.close()


def test_a_clock_that_cannot_be_wrong_is_refused(smki: Smki) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match="TravellingClock"):
        create_app(smki, faults=faults)
    faults.close()


def test_a_stale_list_that_there_is_not_yet_is_an_answer(home: Path) -> None:
    faults = Faults()
    faults.set(Fault(FaultKind.STALE_LIST))
    with travelling(home) as smki:
        long_ago = TravellingClock(FixedClock(smki.clock.now() - timedelta(days=3)), by_header=False)
        with Smki.open(home, long_ago) as earlier:
            answer = create_app(earlier, faults=faults).test_client().get(CRL)
    assert answer.status_code == 503
    assert b"revocation-list.none-overdue" in answer.data
    faults.close()
