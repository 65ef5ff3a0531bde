"""Requests whose end two readers could see in different places, and what comes around their bodies."""

from __future__ import annotations

import socket
import time

import pytest

from tests.repository.http_app import LIMITS
from tests.repository.test_http_server import answers, connect, everything, exchange, is_well, seen_by

POST = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /echo?next HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
        (b"Content-Length: 3\r\nContent-Length: 3", 400),
        (b"Content-Length: 3\r\nContent-Length: 4", 400),
        (b"Content-Length: 3, 3", 400),
        (b"Content-Length: +3", 400),
        (b"Content-Length: 0x3", 400),
        (b"Content-Length: 99999999999999999999", 400),
        (b"Content-Length:", 400),
        (b"Transfer-Encoding : chunked", 400),
        (b"Transfer-Encoding: chunked, chunked", 400),
        (b"Transfer-Encoding: chunked, identity", 400),
        (b"Transfer-Encoding: \x0bchunked", 400),
        (b"Transfer-Encoding: gzip, chunked", 501),
        (b"Transfer-Encoding: identity", 501),
        (b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", 501),
        (b"X: a\r\n b", 400),
        (b"X: a\rTransfer-Encoding: chunked", 400),
        (b"X: a\x00b", 400),
    ],
)
def test_lengths_that_can_be_read_in_two_ways(port: int, headers: bytes, status: int) -> None:
    """Refused, and nothing after them is taken for a request."""
    assert [each[0] for each in exchange(port, POST + headers + b"\r\n\r\n0\r\n\r\n" + NEXT)] == [status]


@pytest.mark.parametrize(
    "chunk", [b"0x3\r\nabc\r\n", b"-1\r\n", b"f" * 17 + b"\r\n", b"3\nabc\n", b"3\r\nabcd\r\n", b" 3\r\nabc\r\n", b"3;a\nb\r\nabc\r\n"]
)  # fmt: skip
def test_chunks_that_can_be_read_in_two_ways(port: int, chunk: bytes) -> None:
    assert [each[0] for each in exchange(port, CHUNKED + chunk + b"0\r\n\r\n" + NEXT)] == [400]


def test_http_1_0_has_no_chunks(port: int) -> None:
    head = CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
    assert [each[0] for each in exchange(port, head + b"0\r\n\r\n" + NEXT)] == [400]


def test_trailers_are_no_headers(port: int) -> None:
    """Whoever checks the headers of a request before it comes here has not seen them (RFC 9110 6.5.1)."""
    trailers = b"Authorization: Bearer x\r\nHost: evil.test\r\nOrigin: http://localhost\r\n"
    seen, following = exchange(port, CHUNKED + b"3\r\nabc\r\n0\r\n" + trailers + b"\r\n" + NEXT)
    assert [name for name, _ in seen_by(seen)["headers"]] == ["Content-Length", "Host", "Transfer-Encoding"]
    assert seen_by(seen)["body"] == "abc"
    assert seen_by(following)["query"] == "next"


@pytest.mark.parametrize("around", [b"0\r\nX: ", b"0\r\nX: y\r\n", b"1;x="])
def test_what_is_around_a_body_is_bounded(port: int, around: bytes) -> None:
    """A trailer was kept, however long it was, and each part copied all that came before."""
    with connect(port) as connection:
        connection.sendall(CHUNKED + around)
        more = b"Y: z\r\n" * 10_000 if around.endswith(b"\n") else b"a" * 60_000
        try:
            for _ in range(100):
                connection.sendall(more)
                time.sleep(0.001)
        except OSError:
            pass  # it is closed
        else:
            pytest.fail("6 MB were taken")
    assert is_well(port) < 1


def test_small_chunks_take_no_more_room_than_large_ones(port: int) -> None:
    body = b"2\r\nab\r\n" * 40_000
    assert seen_by(exchange(port, CHUNKED + body + b"0\r\n\r\n")[0])["body"] == "ab" * 40_000
    assert exchange(port, CHUNKED + b"1\r\na\r\n" * 130_000 + b"0\r\n\r\n")[0][0] == 413


@pytest.mark.parametrize(
    "headers", [b"X: " + b"a" * LIMITS.head_bytes, b"X: a\r\n" * 99 + b"Y: " + b"b" * LIMITS.head_bytes]
)
def test_a_long_head_that_arrives_at_once(port: int, headers: bytes) -> None:
    request = NEXT.replace(b"\r\n\r\n", b"\r\n" + headers + b"\r\n\r\n")
    assert exchange(port, request)[0][0] == 431
    assert exchange(port, NEXT.replace(b"?next", b"?" + b"n" * LIMITS.head_bytes))[0][0] == 431
    # A small head with a large body is none.
    body = b"z" * (LIMITS.head_bytes + 1)
    assert exchange(port, POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)[0][0] == 200


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
"""As the HTTP client of Java sends it."""


def test_a_request_that_offers_http_2_keeps_its_body(port: int) -> None:
    request = POST + UPGRADE + b"Content-Length: 3\r\n\r\nabc"
    found = exchange(port, request + request + NEXT)
    assert [seen_by(each)["body"] for each in found] == ["abc", "abc", ""]
    chunked = CHUNKED.replace(b"\r\n\r\n", b"\r\n" + UPGRADE + b"\r\n")
    (seen,) = exchange(port, chunked, b"3\r\nab", b"c\r\n0\r\n\r\n", pause=0.1)
    assert seen_by(seen)["body"] == "abc"
    many = NEXT.replace(b"\r\n\r\n", b"\r\n" + UPGRADE + b"\r\n") * 100
    assert len(exchange(port, many)) == 100


def test_a_client_that_asks_before_it_sends_its_body(port: int) -> None:
    """Also if it asks behind another request; but not one of HTTP/1.0, which knows no such answer (RFC 9110 10.1.1)."""
    asking = POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    with connect(port) as connection:
        connection.sendall(b"GET /sleep/0.2 HTTP/1.1\r\nHost: localhost\r\n\r\n" + asking)
        found = b""
        while b"100 Continue\r\n\r\n" not in found:
            part = connection.recv(1 << 16)
            assert part, found
            found += part
        connection.sendall(b"abc")
        connection.shutdown(socket.SHUT_WR)
        assert seen_by(answers(everything(connection))[0])["body"] == "abc"
    found_10 = exchange(port, asking.replace(b"HTTP/1.1", b"HTTP/1.0"), b"abc", pause=0.1)
    assert seen_by(found_10[0])["body"] == "abc"


def test_many_requests_sent_ahead(port: int) -> None:
    """Some are answered; thousands, which arrive at once, keep nobody else waiting."""
    most = LIMITS.pipelined
    assert len(exchange(port, NEXT * most)) == most
    assert most <= len(exchange(port, NEXT * 3000)) <= most + 2
    connections = [connect(port) for _ in range(40)]
    for connection in connections:
        connection.sendall(NEXT * 5000)
    assert is_well(port) < 2
    for connection in connections:
        connection.close()
