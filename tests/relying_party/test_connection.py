"""How one connection of a transport is made, and what becomes of its time; with connections that are told what to do."""

from __future__ import annotations

import http.client
import ssl
import threading
from types import SimpleNamespace
from urllib.parse import SplitResult

import pytest

from smki.problem import Malformed, Problem
from smki.relying_party import transport as transport_module
from smki.relying_party.transport import Limits, Reply, Transport, split_url
from tests.relying_party.test_transport import LIMITS, OK, answering, ask, redirect, refused

URL = "http://repository.test/a"
START = 1000.0


class Watch:
    """Stands in for the module ``time``: its time passes only when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Connection:
    """Stands in for a connection: connecting takes *seconds* and may fail; every request does."""

    def __init__(self, watch: Watch, seconds: float, error: Exception | None = None) -> None:
        self.timeouts: list[float | None] = []
        self.sock = SimpleNamespace(settimeout=self.timeouts.append, shutdown=lambda how: None)
        self._watch, self._seconds, self._error = watch, seconds, error

    def connect(self) -> None:
        self._watch.now += self._seconds
        if self._error is not None:
            raise self._error

    def request(self, *_: object, **__: object) -> None:
        raise OSError("no request is sent")

    def close(self) -> None:
        pass


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    one = Watch()
    monkeypatch.setattr(transport_module, "time", one)
    return one


def asked(monkeypatch: pytest.MonkeyPatch, connection: Connection, seconds: float = 4.0) -> tuple[Problem, list[float]]:
    """Why a single attempt failed, and the time that each connection was given."""
    given: list[float] = []

    def made(_: object, timeout: float) -> Connection:
        given.append(timeout)
        return connection

    monkeypatch.setattr(transport_module, "_connection", made)
    limits = Limits(seconds=seconds, connect_seconds=3.0, attempts=1)
    return refused(lambda: Transport("http://repository.test", limits).ask("a", max_bytes=9)), given


def timed_out(url: str, seconds: str) -> Problem:
    seen = f"no complete response within {seconds} s"
    return Problem(code="repository.timeout", subject=url, seen=seen, expected="a response in time")


def unreachable(seen: str) -> Problem:
    return Problem(code="repository.unreachable", subject=URL, seen=seen, expected="a complete HTTP response")


@pytest.mark.parametrize(("taken", "left"), [(0.0, 4.0), (1.5, 2.5), (3.995, 0.01), (5.0, 0.01)])
def test_what_connecting_leaves_is_for_the_response(
    monkeypatch: pytest.MonkeyPatch, watch: Watch, taken: float, left: float
) -> None:
    connection = Connection(watch, taken)
    problem, given = asked(monkeypatch, connection)
    assert connection.timeouts == [left]
    assert given == [3.0]
    assert problem == (timed_out(URL, "4") if taken >= 4 else unreachable("no request is sent"))


def test_connecting_gets_no_more_than_is_left(monkeypatch: pytest.MonkeyPatch, watch: Watch) -> None:
    _, given = asked(monkeypatch, Connection(watch, 0.0), seconds=1.25)
    assert given == [1.25]


@pytest.mark.parametrize(
    ("taken", "problem"), [(3.5, unreachable("OSError")), (4.0, timed_out(URL, "4")), (9.0, timed_out(URL, "4"))]
)
def test_a_failure_at_the_deadline_is_a_timeout(
    monkeypatch: pytest.MonkeyPatch, watch: Watch, taken: float, problem: Problem
) -> None:
    """Before it, an error without a text is named by its type."""
    assert asked(monkeypatch, Connection(watch, taken, OSError())) == (problem, [3.0])


@pytest.mark.parametrize("late", [0.0, 0.5])
def test_a_redirect_at_the_deadline_is_not_followed(monkeypatch: pytest.MonkeyPatch, watch: Watch, late: float) -> None:
    made: list[float] = []

    def read(url: str, *_: object) -> Reply:
        watch.now += LIMITS.seconds + late
        return Reply(302, {"location": "/b"}, b"")

    connect = transport_module._connection

    def counted(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
        made.append(timeout)
        return connect(parts, timeout)

    monkeypatch.setattr(transport_module, "_connection", counted)
    monkeypatch.setattr(transport_module, "_read", read)
    with answering(OK) as server:
        problem = refused(lambda: ask(server.url))
    assert problem == timed_out(f"{server.url}/b", "4")
    assert len(made) == 1


def test_no_request_keeps_the_program_from_ending() -> None:
    """The timers that end requests are daemons: one in another thread may still run when the program ends."""
    daemons: list[bool] = []

    with answering(OK) as server:
        serve = server.asked.append

        def note(question: bytes) -> None:
            daemons.extend(one.daemon for one in threading.enumerate() if isinstance(one, threading.Timer))
            serve(question)

        server.asked = SimpleNamespace(append=note)  # type: ignore[assignment]
        ask(server.url)
    assert daemons
    assert all(daemons)


@pytest.mark.parametrize(
    ("url", "kind", "port"),
    [
        ("http://host", http.client.HTTPConnection, 80),
        ("http://host:81/a", http.client.HTTPConnection, 81),
        ("https://host", http.client.HTTPSConnection, 443),
        ("https://host:444/a", http.client.HTTPSConnection, 444),
    ],
)
def test_the_connection_that_a_url_asks_for(url: str, kind: type, port: int) -> None:
    connection = transport_module._connection(split_url(url), 2.5)
    assert type(connection) is kind
    assert (connection.host, connection.port, connection.timeout) == ("host", port, 2.5)


def test_servers_are_verified_even_where_that_was_turned_off_for_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A well-known recipe against certificate errors replaces the default context of http.client."""
    monkeypatch.setattr(ssl, "_create_default_https_context", ssl._create_unverified_context)
    connection = transport_module._connection(split_url("https://host"), 1.0)
    context = connection._context  # type: ignore[attr-defined]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_redirect_to_a_host_without_a_path() -> None:
    with answering(OK) as last:
        for location, path in ((last.url, b"/"), (f"{last.url}?x=y", b"/?x=y")):
            with answering(redirect(location)) as first:
                assert ask(first.url).body == b"body"
            assert last.asked[-1].split(b" ")[1] == path


@pytest.mark.parametrize(
    ("url", "location", "expected"),
    [
        ("http://host/a", "/b", "http://host/b"),
        ("https://host/a", "/b", "https://host/b"),
        ("http://host/a", "https://other/", "https://other/"),
        ("http://host/a", "http://other/", "http://other/"),
        ("https://host/a", "http://host/b", None),
    ],
)
def test_no_redirect_leads_from_https_to_http(url: str, location: str, expected: str | None) -> None:
    if expected is not None:
        assert transport_module._redirected("http://first/", url, location) == expected
        return
    problem = refused(lambda: transport_module._redirected("http://first/", url, location))
    assert problem == Problem(
        code="repository.redirect",
        subject="http://first/",
        seen=f"a redirect to {location}",
        expected="https throughout",
        clause="RFC 9110 15.4",
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host",
        "ftp://host",
        "http://",
        "http://host:x",
        "http://host:99999",
        "http://[",
        "http://a b",
        "http://\xe9",
        f"http://host/{'x' * 2037}",
    ],
)
def test_what_is_no_url_of_a_repository(url: str) -> None:
    for action in (split_url, Transport):
        with pytest.raises(Malformed) as caught:
            action(url)
        given = url if action is split_url else f"{url.rstrip('/')}/"
        assert caught.value.problems == (
            Problem(
                code="url.malformed", subject="URL", seen=repr(given[:200]), expected="http://HOST:PORT or https://HOST"
            ),
        )


def test_the_longest_url() -> None:
    assert split_url(f"http://host/{'x' * 2036}").hostname == "host"


def test_what_is_said_of_a_failure_has_a_limit() -> None:
    with answering("é".encode("latin-1") * 300 + b"\r\n\r\n") as server:
        problem = refused(lambda: Transport(server.url, Limits(attempts=1)).ask("a", max_bytes=9))
    assert problem.code == "repository.unreachable"
    assert len(problem.seen) == 200
    assert problem.seen.startswith("\\xe9\\xe9")
