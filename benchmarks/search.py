"""Searching over REST: in ledgers of 1,000 and of very many certificates, the first page and the thousandth.

SMKI_CERTIFICATES says how many very many are.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.generator import device_id, fill
from benchmarks.measurement import Measurement, milliseconds
from benchmarks.serving import served
from repository.app import create_app
from smki import Smki
from smki.ledger import CertificateQuery, Order

MANY = int(os.environ.get("SMKI_CERTIFICATES", "110000"))
FEW = 1000
PAGE = 100
SECONDS = 4.0
CONNECTIONS = 8


def _get(port: int, serials: list[str], seconds: float) -> int:
    """GET over one connection for that long; how many answers came."""
    count, choose = 0, random.Random()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            path = f"/api/v1/certificates/{choose.choice(serials)}"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = connection.recv(65536)
            while not answer.endswith(b"}"):
                answer += connection.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer[:200])
            count += 1
    return count


def load(port: int, serials: list[str], seconds: float, connections: int) -> int:
    """The same over that many connections at once."""
    with ThreadPoolExecutor(connections) as pool:
        return sum(pool.map(lambda _: _get(port, serials, seconds), range(connections)))


def _pages(smki: Smki, many: int) -> list[Measurement]:
    """A page of each order from the beginning, and the thousandth (or the last but one)."""
    search, measured = smki.ledger.search, []
    for order in Order:
        after: int | None = None
        for _ in range(min(999, many // PAGE - 2)):
            after = search.certificates(CertificateQuery(), order, after=after, limit=PAGE).last
        page = partial(search.certificates, CertificateQuery(), order, limit=PAGE)
        first, late = milliseconds(page, rounds=25), milliseconds(partial(page, after=after), rounds=25)
        measured.append(
            Measurement(
                f"page 1,000 of {PAGE} by {order.value}", late, "ms", raw=first, note=f"raw: page 1, {first:.2f} ms"
            )
        )
    return measured


def _by_entity(home: Path, many: int) -> float:
    with Smki.open(home) as smki:
        client, numbers = create_app(smki).test_client(), random.Random(1)

        def ask() -> None:
            entity = device_id(numbers.randrange(many // 2))
            answer = client.get(f"/api/v1/certificates?entityIdentifier={entity}")
            if len((answer.json or {})["items"]) != 2:
                raise RuntimeError(answer.text)

        return milliseconds(ask, rounds=200)


def measure(home: Path, small: Path) -> list[Measurement]:
    """Everything over two homes that are filled already."""
    with Smki.open(home) as smki:
        many = smki.ledger.count_certificates() - 12
        measured = _pages(smki, many)
        # From all over the ledger, without reading the whole of it first.
        serials = [
            record.serial_number.hex
            for begin in range(0, many, many // 100)
            for record in smki.ledger.search.certificates(CertificateQuery(), after=begin + 1, limit=50).records
        ]
    few = _by_entity(small, FEW)
    flat = _by_entity(home, many)
    note = f"raw: among {FEW:,}, {few:.2f} ms"
    measured.append(Measurement(f"certificates of an Entity Identifier among {many:,}", flat, "ms", raw=few, note=note))
    with served(home) as port:
        load(port, serials, 1.0, CONNECTIONS)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            answers = pool.apply(load, (port, serials, SECONDS, CONNECTIONS))
    size = (home / "ledger.sqlite").stat().st_size / many
    note = f"{many:,} certificates, {size:.0f} octets each in the ledger; load from the same {multiprocessing.cpu_count()} processors"
    measured.append(Measurement("get a certificate over HTTP (REST, JSON)", answers / SECONDS, "/s", 6000, note=note))
    return measured


def run() -> list[Measurement]:
    """Pages, searches and retrievals."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home, small = Path(directory) / "many", Path(directory) / "few"
        fill(home, MANY)
        fill(small, FEW)
        return measure(home, small)
