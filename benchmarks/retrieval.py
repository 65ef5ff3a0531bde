"""Retrieving certificates over HTTP from a Repository with 100,000 of them.

The load comes from the same machine and shares its processors with the server. The raw limit is an answer of the same size
from an empty Flask application on the same server, measured in turns with the look-ups.
"""

from __future__ import annotations

import multiprocessing
import socket
import tempfile
from multiprocessing.pool import Pool
from pathlib import Path

from benchmarks.empty import get_empty
from benchmarks.generator import fill
from benchmarks.load import Make, closed
from benchmarks.measurement import Measurement
from benchmarks.million import get_der, get_json, retrieve, sample
from benchmarks.serving import served, served_empty

CERTIFICATES = 100_000
SECONDS, TURNS = 1.5, 3
LOOK_UPS: tuple[tuple[str, Make, float], ...] = (
    ("retrieve a certificate over HTTP (XML)", retrieve, 5000),
    ("GET a certificate over HTTP (DER)", get_der, 6000),
    ("GET a certificate over HTTP (JSON)", get_json, 6000),
)


def run() -> list[Measurement]:
    """Look-ups a second by serial number."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home = Path(directory) / "pki"
        fill(home, CERTIFICATES)
        serials = sample(home, CERTIFICATES // 5)
        size = (home / "ledger.sqlite").stat().st_size / CERTIFICATES
        with served(home) as port, multiprocessing.get_context("spawn").Pool(1) as pool:
            measured = [_measure(pool, port, serials, name, make, goal) for name, make, goal in LOOK_UPS]
    print(
        f"    {CERTIFICATES} certificates, {size:.0f} bytes each in the ledger; raw: an empty Flask answer of the same size"
    )
    return measured


def _measure(pool: Pool, port: int, serials: list[str], name: str, make: Make, goal: float) -> Measurement:
    pool.apply(closed, (port, serials, make, 1.0))
    answers = empty = 0
    with served_empty(_size_of(port, make(serials[0]))) as other:
        pool.apply(closed, (other, serials[:1], get_empty, 1.0))
        for _ in range(TURNS):
            answers += pool.apply(closed, (port, serials, make, SECONDS))
            empty += pool.apply(closed, (other, serials[:1], get_empty, SECONDS))
    return Measurement(name, answers / SECONDS / TURNS, "/s", goal, raw=empty / SECONDS / TURNS)


def _size_of(port: int, request: bytes) -> int:
    """The size of the body of a response."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        head = connection.recv(1 << 16).lower()
    return int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
