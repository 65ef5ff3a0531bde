"""A Repository with a million certificates: looked up, searched, listed, and the room that they take.

The ledger is filled once, in minutes, and kept in benchmarks/.million for the next run. The load comes from the same
machine and shares its processors with the server.
"""

from __future__ import annotations

import random
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.generator import USAGES, device_id, fill
from benchmarks.measurement import Measurement, milliseconds
from benchmarks.serving import served
from smki import EntityIdentifier, Smki
from smki.ledger import CertificateQuery, Order

CERTIFICATES, FEW = 1_000_000, 1_000
CONNECTIONS = 8
SECONDS = 5.0
WHERE = Path(__file__).with_name(".million")
PAGE = 100

Make = Callable[[str], bytes]


def get_json(serial: str) -> bytes:
    """A certificate with everything that is known of it."""
    return f"GET /api/v1/certificates/{serial} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def get_der(serial: str) -> bytes:
    """A certificate's octets."""
    return f"GET /api/v1/certificates/{serial}.der HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def retrieve(serial: str) -> bytes:
    """A certificate by the XML service."""
    body = f"<CertificateDataRequest><CertificateSerial>{serial}</CertificateSerial></CertificateDataRequest>"
    head = f"POST /services/retrievecertificate?apikey=x HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def filled(count: int) -> Path:
    """The home with that many certificates; made where it is not there yet."""
    home = WHERE / str(count)
    if not (home / "smki.json").is_file():
        WHERE.mkdir(exist_ok=True)
        workshop = WHERE / f"{count}.partial"
        shutil.rmtree(workshop, ignore_errors=True)
        fill(workshop, count)
        workshop.rename(home)
    Smki.open(home).close()
    return home


def sample(home: Path, count: int) -> list[str]:
    """Serial numbers from all over the ledger, hexadecimal."""
    with sqlite3.connect(home / "ledger.sqlite") as connection:
        step = max(1, connection.execute("SELECT max(id) FROM certificate").fetchone()[0] // count)
        rows = connection.execute("SELECT serial_number FROM certificate WHERE id % ? = 0 AND kind = 'device'", (step,))
        return [row[0].hex().upper() for row in rows]


def _exchange(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    answer = connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    left = length - len(body)
    while left > 0:
        left -= len(connection.recv(65536))
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer[:200])


def _worker(port: int, serials: list[str], make: Make, interval: float | None) -> list[float]:
    """Ask over one connection: without a pause, or at every interval. Seconds to each answer from when it was due."""
    choose, times = random.Random(), []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = due = time.perf_counter()
        while due < began + SECONDS:
            _exchange(connection, make(choose.choice(serials)))
            times.append(time.perf_counter() - due)
            if interval is None:
                due = time.perf_counter()
            else:
                due += interval
                time.sleep(max(0.0, due - time.perf_counter()))
    return times


def load(port: int, serials: list[str], make: Make, rate: float | None) -> list[float]:
    """Ask over several connections, together at that rate or as fast as they can; seconds to each answer."""
    interval = CONNECTIONS / rate if rate else None
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = pool.map(lambda _: _worker(port, serials, make, interval), range(CONNECTIONS))
        return sorted(second for part in parts for second in part)


def _look_ups(port: int, serials: list[str]) -> list[Measurement]:
    measured = []
    with get_context("spawn").Pool(1) as pool:
        for name, make, goal in (
            ("GET by serial number, JSON", get_json, 6000),
            ("GET by serial number, DER", get_der, 6000),
            ("retrieve by serial number, XML", retrieve, 4000),
        ):
            pool.apply(load, (port, serials[:1000], make, 1000.0))
            full = len(pool.apply(load, (port, serials, make, None))) / SECONDS
            measured.append(Measurement(name, full, "/s", goal))
            half = pool.apply(load, (port, serials, make, goal / 2))
            p99 = half[len(half) * 99 // 100] * 1000
            measured.append(Measurement(f"  the slowest in a hundred, at {goal // 2:,} a second", p99, "ms", 20))
    return measured


def _searches(few: Path, many: Path) -> list[Measurement]:
    """A search by Entity Identifier among few and among many."""
    times = []
    for home, count in ((few, FEW), (many, CERTIFICATES)):
        devices = [device_id(random.randrange(count // len(USAGES))) for _ in range(2000)]
        with Smki.open(home) as smki:
            times.append(milliseconds(partial(_find, smki, devices), rounds=3) / len(devices) * 1000)
    note = f"{times[0]:.0f} us among {FEW:,}, {times[1]:.0f} us among {CERTIFICATES:,}: {times[1] / times[0]:.2f} times"
    return [Measurement("search by Entity Identifier", 1e6 / times[1], "/s", note=note)]


def _find(smki: Smki, devices: list[EntityIdentifier]) -> None:
    for device in devices:
        found = smki.ledger.search.certificates(CertificateQuery(entity_identifier=device))
        if len(found.records) != len(USAGES):
            raise RuntimeError(f"{len(found.records)} certificates of {device}")


def _listing(home: Path) -> list[Measurement]:
    """The first page and the thousandth, by the order of issue."""
    with Smki.open(home) as smki:
        search, everything = smki.ledger.search, CertificateQuery()
        after = None
        for _ in range(999):
            after = search.certificates(everything, Order.SERIAL_NUMBER, after=after, limit=PAGE).last
        first = milliseconds(lambda: search.certificates(everything, Order.SERIAL_NUMBER, limit=PAGE), rounds=51)
        late = milliseconds(
            lambda: search.certificates(everything, Order.SERIAL_NUMBER, after=after, limit=PAGE), rounds=51
        )
    note = f"page 1 in {first:.2f} ms, page 1,000 in {late:.2f} ms: {late / first:.2f} times"
    return [Measurement(f"list {PAGE} certificates, page 1,000", 1000 / late, "/s", note=note)]


def run() -> list[Measurement]:
    """Everything with a million certificates."""
    began = time.perf_counter()
    many, few = filled(CERTIFICATES), filled(FEW)
    print(f"    a million certificates are there after {time.perf_counter() - began:.0f} s")
    serials = sample(many, 20_000)
    octets = (many / "ledger.sqlite").stat().st_size / CERTIFICATES
    with served(many) as port:
        measured = _look_ups(port, serials)
    measured += _searches(few, many)
    measured += _listing(many)
    note = f"{octets:.0f} octets each; the goal is 1,200"
    return [*measured, Measurement("certificates in a gigabyte of disk", 1e9 / octets, "", 1e9 / 1200, note=note)]
