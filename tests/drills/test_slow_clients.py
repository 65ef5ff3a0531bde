"""Clients that send or read slowly or not at all, beside others, on the real server.

In the long form, 500 requests a second are answered for ten minutes on 100,000 certificates, with 40 clients that do not
read, 500 that send nothing and 50 that send slowly beside them.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.generator import fill
from benchmarks.load import paced
from benchmarks.million import get_der, get_json, retrieve, sample
from tests.repository.support import Served, ask, serving
from tests.support import SOAK

IDLE = 2300
LARGE = "/api/openapi.json"
STALLED = b"POST /services/certificatesearch HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n\r\n<"
SEARCH = b"<CertificateSearchRequest><CertificateSubjectAltName>00-DB-12-34-56-78-90-A0</CertificateSubjectAltName></CertificateSearchRequest>"
SECONDS = 600 if SOAK > 1 else 4
CERTIFICATES = 100_000 if SOAK > 1 else 400
RATE = 500.0


@pytest.fixture(autouse=True)
def open_files() -> Iterator[None]:
    """Enough files for the connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * IDLE:
        if hard < 2 * IDLE:
            pytest.skip("too few files may be open")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2 * IDLE, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def clients(served: Served, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Connections that have sent something, read nothing, and stay."""
    host, port = served.address.split(":")
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(10)
            connection.connect((host, int(port)))
            with contextlib.suppress(OSError):  # the server may already have closed it
                connection.sendall(sent)
            found.append(connection)
        time.sleep(0.5)
        yield found


def assert_well(served: Served) -> None:
    """Every kind of request is answered at once."""
    for path in ("/healthz", "/readyz", "/crl/organisation.crl", "/api/v1/statistics", "/api/v1/certificates"):
        began = time.monotonic()
        assert ask(served.url + path).status == 200, path
        assert time.monotonic() - began < 5, path
    began = time.monotonic()
    assert ask(f"{served.url}/services/certificatesearch", SEARCH).status == 402
    assert (
        ask(f"{served.url}/api/v1/eligibility/device", b"{}", headers={"Content-Type": "application/json"}).status
        == 400
    )
    assert time.monotonic() - began < 5


def not_reading() -> bytes:
    """Requests for more than the buffers of a connection hold."""
    return f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 60


@pytest.mark.parametrize(
    ("count", "sent"), [(40, not_reading()), (IDLE, b""), (200, STALLED), (200, b"GET / HTTP/1.1\r\nHost:")]
)
def test_slow_clients_do_not_keep_others_waiting(home: Path, count: int, sent: bytes) -> None:
    with serving(home) as served, clients(served, count, sent):
        assert_well(served)


def test_load_beside_slow_clients(tmp_path: Path) -> None:
    home = tmp_path / "pki"
    fill(home, CERTIFICATES)
    serials = sample(home, CERTIFICATES // 5)
    with (
        serving(home) as served,
        clients(served, 40, not_reading()),
        clients(served, 500, b""),
        clients(served, 50, STALLED[:20]) as slow,
    ):
        port = int(served.address.split(":")[1])
        ended = threading.Event()
        dripping = threading.Thread(target=drip, args=(slow, ended))
        dripping.start()
        try:
            first = min(60, SECONDS / 4)
            times = paced(port, serials, get_json, first, RATE)
            settled = memory_of(served)
            for make in (get_der, retrieve, get_json):
                times += paced(port, serials, make, (SECONDS - first) / 3, RATE)
            grown = memory_of(served) - settled
        finally:
            ended.set()
            dripping.join()
        assert_well(served)
    times.sort()
    slowest = times[len(times) * 99 // 100]
    print(f"{len(times)} requests: slowest in a hundred {slowest * 1000:.0f} ms, memory grown by {grown / 1e6:.1f} MB")
    assert len(times) >= (SECONDS - 1) * RATE * 0.95
    if SOAK > 1:
        assert slowest < 0.05
        assert grown < 20_000_000


def drip(connections: list[socket.socket], ended: threading.Event) -> None:
    """Send a byte a second on each connection."""
    while not ended.wait(1.0):
        for connection in connections:
            with contextlib.suppress(OSError):  # closed: it took too long
                connection.sendall(b"x")


def memory_of(served: Served) -> int:
    """The resident memory of the workers, in bytes, without mapped files."""
    pid = served.process.pid
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = 0
    for worker in workers:
        status = Path(f"/proc/{worker}/status").read_text()
        found += int(status.split("RssAnon:")[1].split()[0]) * 1024
    return found
