"""A Repository that misbehaves as told, and a party that asks it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from smki.pki.certificate import Certificate
from smki.relying_party import RelyingParty, RepositoryClient, Verdict
from smki.relying_party.transport import Limits
from smki.testing.defects import Base, SamplePki
from smki.testing.vectors import MOMENT

PKI = SamplePki(MOMENT, "server")
SUPPLIER = PKI.good_bytes(Base.ORGANISATION)
LIMITS = Limits(seconds=2.0, connect_seconds=0.5, attempts=3, back_off=0.05)
CRL, ARL = "/crl/organisation.crl", "/crl/organisation.arl"

Misbehaviour = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Served:
    """The server, and what it was asked."""

    url: str
    answers: dict[str, Misbehaviour]
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(path, If-None-Match) of every question."""


def encoded(body: bytes, content_type: str = "application/pkix-crl", status: int = 200, etag: str = "") -> Misbehaviour:
    """An answer as it should be, but perhaps for what is said."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if etag and handler.headers.get("If-None-Match") == etag:
            handler.send_response(304)
            handler.end_headers()
            return
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        if etag:
            handler.send_header("ETag", etag)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def then(*answers: Misbehaviour) -> Misbehaviour:
    """One answer after the other, the last for ever."""
    left = list(answers)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer


def promising(size: int) -> Misbehaviour:
    """A body of that many bytes is promised, and as many sent as anybody will read."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/pkix-crl")
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(size // 65536):
                handler.wfile.write(bytes(65536))

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A body without end, its length not said."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/pkix-crl")
    handler.end_headers()
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(bytes(65536))


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, so that no timeout of a socket ever strikes."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/pkix-crl")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(100):
            handler.wfile.write(b"0")
            handler.wfile.flush()
            time.sleep(0.1)


def dripping_headers(handler: BaseHTTPRequestHandler) -> None:
    """The same before the headers end."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
        for number in range(90):
            handler.wfile.write(b"X-%d: y\r\n" % number)
            handler.wfile.flush()
            time.sleep(0.1)


def redirecting(handler: BaseHTTPRequestHandler) -> None:
    """Round and round."""
    handler.send_response(302)
    handler.send_header("Location", handler.path + "x")
    handler.end_headers()


def raw(answer: bytes) -> Misbehaviour:
    """These bytes in the place of an answer, whatever they are."""

    def misbehave(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(answer)
        handler.close_connection = True

    return misbehave


def redirecting_to(location: bytes) -> Misbehaviour:
    """A redirect to anything."""
    return raw(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")


def cut_short(body: bytes) -> Misbehaviour:
    """The connection ends in the middle of the body."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/pkix-crl")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])

    return answer


@contextlib.contextmanager
def repository(crl: Misbehaviour | None = None, arl: Misbehaviour | None = None) -> Iterator[Served]:
    """A server on a port of its own; good lists where nothing else is said."""
    served = Served("", {CRL: crl or encoded(PKI.good_bytes(Base.CRL)), ARL: arl or encoded(PKI.good_bytes(Base.ARL))})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, self.headers.get("If-None-Match", "")))
            answer = served.answers.get(self.path)
            if answer is None and self.path.rstrip("x") in served.answers:
                answer = redirecting
            with contextlib.suppress(OSError):
                (answer or encoded(b"", status=404))(self)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            served.asked.append((self.path, ""))
            with contextlib.suppress(OSError):
                served.answers.get(self.path, encoded(b"", status=404))(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def client_of(url: str, cache: Path | None = None, refresh: float = 0.0) -> RepositoryClient:
    """A client with little patience, that asks every time."""
    return RepositoryClient(url, cache=cache, limits=LIMITS, refresh=refresh)


def party_with(client: RepositoryClient) -> RelyingParty:
    """A Relying Party that gets its lists there."""
    root = Certificate.from_der(PKI.good_bytes(Base.ROOT_OCA))
    return RelyingParty([root], client, chain=[PKI.good_bytes(Base.ISSUING_OCA)])


def judge(client: RepositoryClient, at: datetime = MOMENT) -> Verdict:
    """What a party makes of a good Supplier's certificate with the lists of that client."""
    return party_with(client).verify(SUPPLIER, at=at)
