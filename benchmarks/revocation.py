"""Revocation lists with very many entries, and a revocation beside them."""

from __future__ import annotations

import tempfile
import time
import urllib.request
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

from benchmarks.load import closed
from benchmarks.measurement import Measurement, peak_memory
from benchmarks.serving import served
from smki import CertificateKind, RemotePartyRole, Smki
from smki.clock import to_seconds
from smki.identity import EntityIdentifier
from smki.keys.private_key import SystemRandomness
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.pki.request import make_organisation_request
from smki.registration import Actor
from smki.registration.revocation import Revoke
from smki.sec.role import KeyUsage

OCA = CertificateKind.ISSUING_OCA
SUPPLIER = EntityIdentifier.parse("90B3D51F30010000")
REASONS = ("key-compromised", "superseded", "no-longer-eligible", "information-wrong")
SECONDS = 3.0


def _fill(smki: Smki, count: int) -> None:
    """Put revocations of certificates that were never made into the ledger: what a list is built from."""
    issuer = smki.hierarchy.newest(smki.ledger, OCA).certificate.serial_number.encoded
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
                number.encoded,
                issuer,
                now + 10**8,
                now + n % 80000,
                now + n % 80000,
                REASONS[n % 4],
            )
            for n, number in enumerate(draw.serial_numbers([b""] * count, 0))
        ),
    )
    writer.execute("COMMIT")


def _build(count: int) -> tuple[float, float]:
    """Seconds to build, sign and store a list of so many, and by how many MB the process grew at most."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory, Smki.create(Path(directory) / "pki") as smki:
        _fill(smki, count)
        smki.lists(OCA).current()
        before = peak_memory()
        start = time.perf_counter()
        made = smki.lists(OCA).publish()
        spent = time.perf_counter() - start
        assert made.entries == count
        return spent, (peak_memory() - before) / 1e6


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
            smki.registration.execute(Revoke(serial_number=serial, reason="superseded"), Actor(interface="benchmark"))
            times.append((time.perf_counter() - start) * 1000)
        return sorted(times)[len(times) // 2]


def _again(etag: str) -> bytes:
    """A request of whoever has the list already."""
    return f"GET /crl/organisation.crl HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {etag}\r\n\r\n".encode()


def _conditional_gets(count: int) -> float:
    """Conditional GETs a second of a list of so many entries."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home = Path(directory) / "pki"
        with Smki.create(home) as smki:
            _fill(smki, count)
            smki.lists(OCA).publish()
        with served(home) as port, get_context("spawn").Pool(1) as pool:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/crl/organisation.crl") as answer:
                etag = answer.headers["ETag"]
            return pool.apply(closed, (port, [etag], _again, SECONDS, 304)) / SECONDS


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
