"""The HTTP server: what it understands and refuses, and clients that send or read slowly or not at all."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import time
from http.client import HTTPConnection
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smki_repository.http.answer import answer
from smki_repository.http.limits import DEFAULT_LIMITS, limits_for

from tests.repository.http_app import LIMITS, PIECE, PIECES

GET = b"GET /echo?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(port: int, *, small: bool = False) -> socket.socket:
    """A connection; with a small receive buffer if wanted."""
    connection = socket.socket()
    if small:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", port))
    return connection


def everything(connection: socket.socket) -> bytes:
    """What comes until the connection ends."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 20):
            found += part
    return found


def answers(encoded: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each of several responses with a Content-Length."""
    found = []
    while encoded:
        head, _, rest = encoded.partition(b"\r\n\r\n")
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        found.append((int(head.split()[1]), rest[:length]))
        encoded = rest[length:]
    return found


def exchange(port: int, *parts: bytes, pause: float = 0.0) -> list[tuple[int, bytes]]:
    """Send parts, close the sending side, and read the responses."""
    with connect(port) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        connection.shutdown(socket.SHUT_WR)
        return answers(everything(connection))


def seen_by(answer: tuple[int, bytes]) -> Any:
    """What the application saw of a request."""
    assert answer[0] == 200, answer
    return json.loads(answer[1])


def is_well(port: int) -> float:
    """Seconds in which a health check, a quick request and an upload are answered."""
    began = time.monotonic()
    post = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
    for request in (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", GET.replace(b"/echo", b"/quick/echo"), post):
        assert exchange(port, request)[0][0] == 200
    return time.monotonic() - began


# What it understands


def test_a_request_is_passed_on(port: int) -> None:
    head = b"POST /echo?b=%20 HTTP/1.1\r\nHost: localhost\r\nX-Twice: 1\r\nx-twice: 2\r\nX_Under: no\r\nContent-Length: 3\r\n\r\n"
    seen = seen_by(exchange(port, head + b"abc")[0])
    assert (seen["method"], seen["query"], seen["body"], seen["from"]) == ("POST", "b=%20", "abc", "127.0.0.1")
    assert ["X-Twice", "1,2"] in seen["headers"]
    assert not any("Under" in name for name, _ in seen["headers"])


def test_chunked_bodies(port: int) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert seen_by(exchange(port, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")[0])["body"] == "abcde"


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    requests = [GET.replace(b"a=1", b"n=%d" % number) for number in range(200)]
    found = exchange(port, b"".join(requests))
    assert [seen_by(each)["query"] for each in found] == [f"n={number}" for number in range(200)]


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(1, 400), max_size=6), quick=st.booleans())
def test_it_does_not_matter_how_the_bytes_arrive(port: int, cuts: list[int], quick: bool) -> None:
    post = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
    chunked = b"PUT /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    stream = (post + GET + chunked + GET).replace(b"/echo", b"/quick/echo") if quick else post + GET + chunked + GET
    stream = stream.replace(b"PUT", b"POST") if quick else stream
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    parts = [stream[begin:end] for begin, end in itertools.pairwise(places)]
    found = [seen_by(each) for each in exchange(port, *parts, pause=0.002)]
    assert [each["body"] for each in found] == ["abc", "", "abc", ""]


def test_http_1_0_and_connection_close(port: int) -> None:
    for head in (
        b"GET /echo HTTP/1.0\r\nHost: localhost\r\n\r\n",
        GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    ):
        with connect(port) as connection:
            connection.sendall(head)
            assert answers(everything(connection))[0][0] == 200
    with connect(port) as connection:
        connection.sendall(b"GET /big HTTP/1.0\r\nHost: localhost\r\n\r\n")
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert len(body) == len(PIECE) * PIECES
    assert b"chunked" not in head


@pytest.mark.parametrize("path", ["/big", "/known-length"])
def test_long_responses_are_whole(port: int, path: str) -> None:
    client = HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(2):
        client.request("GET", path)
        assert client.getresponse().read() == PIECE * PIECES
    client.request("HEAD", path)
    answer = client.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    client.request("GET", "/echo")
    assert client.getresponse().status == 200
    client.close()


def test_a_response_that_ends_early_ends_the_connection(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"GET /short HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert everything(connection).endswith(b"\r\n\r\nhalf")
    with connect(port) as connection:
        connection.sendall(b"GET /fails-late HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert not everything(connection).endswith(b"0\r\n\r\n")


def test_the_client_is_told_to_continue(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_target_in_absolute_form(port: int) -> None:
    line = b"GET http://localhost/echo?q HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert seen_by(exchange(port, line)[0])["query"] == "q"
    assert exchange(port, line.replace(b"//localhost", b"//elsewhere"))[0][0] == 400


# What it refuses


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /echo HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        (b"GET /echo HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n", 400),
        (b"GET /ec\x00ho HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -3\r\n\r\nabcd", 400),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400),
        (b"GET /echo HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000, 431),
        (b"GET /" + b"x" * 100_000, 431),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n" + bytes(500_000), 413),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n" + bytes(1_500_000), 413),
    ],
)  # fmt: skip
def test_what_is_refused(port: int, request_: bytes, status: int) -> None:
    with connect(port) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(request_)
        head = everything(connection) if status != 413 else connection.recv(100)
    assert head.startswith(b"HTTP/1.1 %d " % status), head[:100]
    assert is_well(port) < 5


def test_connections_leave_room_for_other_files() -> None:
    assert limits_for(1024).connections == 824
    assert limits_for(20_000) == DEFAULT_LIMITS


# Slow clients


def test_deadlines_for_heads_and_bodies(port: int) -> None:
    for sent, due in (
        (b"", LIMITS.head_seconds),
        (b"GET /echo HTTP/1.1\r\nHost:", LIMITS.head_seconds),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc", LIMITS.body_seconds),
    ):
        began = time.monotonic()
        with connect(port) as connection:
            connection.sendall(sent)
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
            assert everything(connection) is not None
        assert due <= time.monotonic() - began < due + 3.5  # two seconds in which the client may read the refusal


def test_a_sender_of_single_bytes_does_not_extend_its_deadline(port: int) -> None:
    began = time.monotonic()
    with connect(port) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 8:
                connection.sendall(b"x")
                time.sleep(0.1)
    assert time.monotonic() - began < 6


@pytest.mark.parametrize("read", [0, 4096])
def test_a_client_that_does_not_read_or_reads_slowly_is_disconnected(port: int, read: int) -> None:
    began = time.monotonic()
    with connect(port, small=True) as connection:
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = 0
        while time.monotonic() - began < 6.5:
            time.sleep(0.1)
            received += len(connection.recv(read)) if read else 0
        rest = len(everything(connection))
    assert received + rest < len(PIECE) * PIECES
    assert time.monotonic() - began < 9


def test_an_idle_connection_is_closed(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(GET)
        connection.recv(10000)
        began = time.monotonic()
        assert connection.recv(1) == b""
    assert LIMITS.idle_seconds - 0.5 < time.monotonic() - began < LIMITS.idle_seconds + 2


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /echo HTTP/1.1\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n" + bytes(80_000),
        b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3,
    ],
)
def test_more_slow_clients_than_connections(port: int, sent: bytes) -> None:
    """Those that have kept it waiting longest are closed for new ones, which are answered at once."""
    with contextlib.ExitStack() as stack:
        for _ in range(LIMITS.connections * 3):
            connection = stack.enter_context(connect(port, small=True))
            with contextlib.suppress(OSError):
                connection.sendall(sent)
        assert is_well(port) < 5


def test_health_is_answered_while_every_thread_is_busy(port: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connect(port)).sendall(b"GET /sleep/1.0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.2)
        began = time.monotonic()
        assert exchange(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == (200, b"ok")
        assert time.monotonic() - began < 0.7


def test_what_an_application_writes_comes_first() -> None:
    """PEP 3333: pieces passed to write() come before those of the iterable that is returned."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [("Content-Length", "11")])
        write(b"first ")
        return [b"then", b"!"]

    environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1"}
    made = answer(application, environ, keep_alive=True, date=lambda: "date: now")
    assert made.is_whole
    assert made.first.endswith(b"\r\n\r\nfirst then!")
