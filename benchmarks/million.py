"""A Repository with a million certificates: looked up, searched, listed, and the room that they take.

The ledger is filled once, in minutes, and kept in benchmarks/.million for the next run. The load comes from the same
machine and shares its processors with the server.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.generator import USAGES, device_id, fill
from benchmarks.load import look_up
from benchmarks.measurement import Measurement, milliseconds
from benchmarks.serving import served
from smki import EntityIdentifier, Smki
from smki.ledger import CertificateQuery, Order

CERTIFICATES, FEW = 1_000_000, 1_000
WHERE = Path(__file__).with_name(".million")
PAGE = 100


def get_json(serial: str) -> bytes:
    """A certificate with everything that is known of it."""
    return f"GET /api/v1/certificates/{serial} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def get_der(serial: str) -> bytes:
    """A certificate's bytes."""
    return f"GET /api/v1/certificates/{serial}.der HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def retrieve(serial: str) -> bytes:
    """A certificate by the XML service."""
    body = f"<CertificateDataRequest><CertificateSerial>{serial}</CertificateSerial></CertificateDataRequest>"
    head = f"POST /services/retrievecertificate?apikey=x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
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


def _look_ups(port: int, serials: list[str]) -> list[Measurement]:
    measured = []
    with get_context("spawn").Pool(1) as pool:
        for name, make, goal in (
            ("GET by serial number, JSON", get_json, 6000.0),
            ("GET by serial number, DER", get_der, 6000.0),
            ("retrieve by serial number, XML", retrieve, 4000.0),
        ):
            measured += pool.apply(look_up, (port, serials, name, make, goal))
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
    """The first page and the thousandth, in each order."""
    measured = []
    with Smki.open(home) as smki:
        search, everything = smki.ledger.search, CertificateQuery()
        for order in Order:
            after = None
            for _ in range(999):
                after = search.certificates(everything, order, after=after, limit=PAGE).last
            page = partial(search.certificates, everything, order, limit=PAGE)
            first, late = milliseconds(page, rounds=51), milliseconds(partial(page, after=after), rounds=51)
            note = f"page 1 in {first:.2f} ms, page 1,000 in {late:.2f} ms: {late / first:.2f} times"
            measured.append(Measurement(f"list {PAGE} by {order.value}, page 1,000", 1000 / late, "/s", note=note))
    return measured


def run() -> list[Measurement]:
    """Everything with a million certificates."""
    began = time.perf_counter()
    many, few = filled(CERTIFICATES), filled(FEW)
    print(f"    a million certificates are there after {time.perf_counter() - began:.0f} s")
    serials = sample(many, 20_000)
    encoded = (many / "ledger.sqlite").stat().st_size / CERTIFICATES
    with served(many) as port:
        measured = _look_ups(port, serials)
    measured += _searches(few, many)
    measured += _listing(many)
    note = f"{encoded:.0f} bytes each; the goal is 1,200"
    return [*measured, Measurement("certificates in a gigabyte of disk", 1e9 / encoded, "", 1e9 / 1200, note=note)]
