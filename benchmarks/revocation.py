"""Revocation lists with very many entries, and a revocation beside them."""

from __future__ import annotations

import resource
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

from benchmarks.measurement import Measurement
from benchmarks.serving import served
from smki import CertificateKind, RemotePartyRole, Smki
from smki.clock import to_seconds
from smki.csr import make_organisation_request
from smki.identity import EntityIdentifier
from smki.key import SystemRandomness
from smki.ledger import SqliteLedger
from smki.registration.revocation import revoke
from smki.role import KeyUsage

OCA = CertificateKind.ISSUING_OCA
SUPPLIER = EntityIdentifier.parse("90B3D51F30010000")
REASONS = ("key-compromised", "superseded", "no-longer-eligible", "information-wrong")
SECONDS = 3.0


def _fill(smki: Smki, count: int) -> None:
    """Put revocations of certificates that were never made into the ledger: what a list is built from."""
    issuer = smki.hierarchy.newest(OCA).certificate.serial_number.octets
    now = to_seconds(smki.clock.now() - timedelta(days=1))
    draw = SystemRandomness()
    assert isinstance(smki.ledger, SqliteLedger)
    writer = smki.ledger._connections[0]
    writer.execute("PRAGMA foreign_keys = OFF")
    writer.execute("BEGIN")
    writer.executemany(
        """INSERT INTO revocation (certificate_id, serial_number, issuer_serial_number, not_after, revoked, effective, reason,
            asked_by) VALUES (?, ?, ?, ?, ?, ?, ?, 'benchmark')""",
        (
            (
                10**9 + n,
                draw.serial_number(b"", n).octets,
                issuer,
                now + 10**8,
                now + n % 80000,
                now + n % 80000,
                REASONS[n % 4],
            )
            for n in range(count)
        ),
    )
    writer.execute("COMMIT")


def _build(count: int) -> tuple[float, float]:
    """Seconds to build, sign and store a list of so many, and by how many MB the process grew at most."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory, Smki.create(Path(directory) / "pki") as smki:
        _fill(smki, count)
        smki.lists(OCA).current()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        made = smki.lists(OCA).publish()
        spent = time.perf_counter() - start
        assert made.entries == count
        return spent, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def _revocation(count: int) -> float:
    """Milliseconds of a revocation while so many are revoked already."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory, Smki.create(Path(directory) / "pki") as smki:
        _fill(smki, count)
        serials = []
        for _ in range(40):
            key = SystemRandomness().private_key("")
            request = make_organisation_request(key, SUPPLIER, RemotePartyRole.SUPPLIER, KeyUsage.DIGITAL_SIGNATURE)
            serials.append(smki.issue_organisation(request).record.serial_number)
        times = []
        for serial in serials:
            start = time.perf_counter()
            revoke(smki.ledger, serial, "superseded", smki.clock.now())
            times.append((time.perf_counter() - start) * 1000)
        return sorted(times)[len(times) // 2]


def _ask(port: int) -> int:
    count = 0
    request = "GET /crl/organisation.crl HTTP/1.1\r\nHost: x\r\n{}\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request.format("Connection: keep-alive\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head or not head.endswith(b"END"):
            head += connection.recv(1 << 20)
            if b"\r\n\r\n" in head:
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                while len(head.split(b"\r\n\r\n", 1)[1]) < length:
                    head += connection.recv(1 << 20)
                break
        etag = head.lower().split(b"etag: ")[1].split(b"\r\n")[0].decode()
        again = request.format(f"If-None-Match: {etag.upper().replace('-PEM', '-pem')}\r\n").encode()
        until = time.perf_counter() + SECONDS
        while time.perf_counter() < until:
            connection.sendall(again)
            if not connection.recv(4096).startswith(b"HTTP/1.1 304"):
                raise RuntimeError("not a 304")
            count += 1
    return count


def _load(port: int) -> int:
    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(_ask, [port] * 8))


def _conditional_gets(count: int) -> float:
    """Conditional GETs a second of a list of so many entries."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home = Path(directory) / "pki"
        with Smki.create(home) as smki:
            _fill(smki, count)
            smki.lists(OCA).publish()
        with served(home) as port, get_context("spawn").Pool(1) as pool:
            return pool.apply(_load, (port,)) / SECONDS


def run() -> list[Measurement]:
    """Building, serving and adding to large lists."""
    small, memory = _in_its_own_process(100_000)
    large, _ = _in_its_own_process(1_000_000)
    return [
        Measurement(
            "issue a CRL of 100,000 entries",
            small * 1000,
            "ms",
            500,
            note=f"and {memory:.0f} MB more at its peak; the goal is 200 MB",
        ),
        Measurement("issue a CRL of 1,000,000 entries", large * 1000, "ms", 5000),
        Measurement("revoke with 100,000 revoked", _revocation(100_000), "ms", 2),
        Measurement("GET of a CRL of 100,000 entries, answered 304", _conditional_gets(100_000), "/s", 5000),
    ]


def _in_its_own_process(count: int) -> tuple[float, float]:
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_build, (count,))
