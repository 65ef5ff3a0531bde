"""Retrieving certificates over HTTP from a Repository with 100,000 of them.

The load comes from the same machine and shares its processors with the server.
"""

from __future__ import annotations

import multiprocessing
import random
import shutil
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.measurement import Measurement
from benchmarks.serving import served
from smki import CertificateKind, DeviceType, EntityIdentifier, KeyUsage, Smki
from smki.csr import make_device_request
from smki.key import SystemRandomness
from smki.ledger import CertificateQuery, SqliteLedger

CERTIFICATES = 100_000
SECONDS = 4.0
CONNECTIONS = 8


def fill(home: Path, count: int) -> list[str]:
    """A home with that many Device Certificates, really issued, for as many Devices; their serial numbers."""
    with Smki.create(home) as smki:
        assert isinstance(smki.ledger, SqliteLedger)
        for connection in smki.ledger._connections:
            connection.execute("PRAGMA synchronous = OFF")  # what is lost in a crash here is a benchmark
        randomness = SystemRandomness()
        for number in range(count):
            key, entity = randomness.private_key(""), EntityIdentifier(number.to_bytes(8, "big"))
            request = make_device_request(key, entity, KeyUsage.DIGITAL_SIGNATURE)
            smki.issue_device(request, applicant="LARGE-SUPPLIER", device_type=DeviceType.ESME)
        devices = CertificateQuery(kinds=(CertificateKind.DEVICE,))
        return [record.serial_number.hex for record in smki.ledger.certificates(devices)]


def _request(serial: str) -> bytes:
    body = f"<CertificateDataRequest><CertificateSerial>{serial}</CertificateSerial></CertificateDataRequest>"
    head = f"POST /services/retrievecertificate?apikey=x HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def _ask(port: int, serials: list[str], seconds: float) -> int:
    """Ask over one connection for that long; how many answers came."""
    count, choose = 0, random.Random()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            connection.sendall(_request(choose.choice(serials)))
            answer = connection.recv(65536)
            while not answer.endswith(b"</CertificateDataResponse>"):
                answer += connection.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200") or b"<CertificateBody>" not in answer:
                raise RuntimeError(answer[:200])
            count += 1
    return count


def load(port: int, serials: list[str], seconds: float, connections: int) -> int:
    """Ask over that many connections at once; how many answers came."""
    with ThreadPoolExecutor(connections) as pool:
        return sum(pool.map(lambda _: _ask(port, serials, seconds), range(connections)))


def run() -> list[Measurement]:
    """Retrievals a second by serial number."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home = Path(directory) / "pki"
        serials = fill(home, CERTIFICATES)
        with served(home) as port:
            load(port, serials, 1.0, CONNECTIONS)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                answers = pool.apply(load, (port, serials, SECONDS, CONNECTIONS))
        size = (home / "ledger.sqlite").stat().st_size / CERTIFICATES
        shutil.rmtree(home)
    note = f"{CERTIFICATES} certificates, {size:.0f} octets each in the ledger; load from the same {multiprocessing.cpu_count()} processors"
    return [Measurement("retrieve a certificate over HTTP (XML)", answers / SECONDS, "/s", 5000, note=note)]
