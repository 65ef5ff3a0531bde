"""Extracts and exports of a ledger with 100,000 certificates: how fast, and in how much memory."""

from __future__ import annotations

import io
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.generator import fill
from benchmarks.measurement import Measurement, peak_memory
from smki import Smki
from smki.interchange import write_archive
from smki.interchange.extracts import apply, verify
from smki.interchange.importing import find_certificates
from smki.interchange.selection import certificates_with_keys
from smki.interchange.table import write_json_lines
from smki.ledger import CertificateQuery

CERTIFICATES = 100_000
IMPORTED = 2_000


def run() -> list[Measurement]:
    """Certificates a second, each in a process of its own."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home = Path(directory) / "pki"
        fill(home, CERTIFICATES)
        steps = (
            ("full extract", _full, CERTIFICATES),
            ("delta of nothing", _delta, CERTIFICATES),
            ("apply a delta", _apply, CERTIFICATES),
            ("verify a chain", _verify, CERTIFICATES),
            ("export JSON Lines", _json_lines, CERTIFICATES),
            ("export a ZIP of PEM", _zip, CERTIFICATES),
            ("import, with lint", _import, IMPORTED),
        )
        return [_measured(name, step, home, count) for name, step, count in steps]


def _measured(name: str, step: Callable[[Smki], object], home: Path, count: int) -> Measurement:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, encoded = pool.apply(_timed, (step, home))
    note = f"{count} certificates in {seconds:.1f} s, {encoded / 1_000_000:.0f} MB at most"
    return Measurement(f"{name}, certificates", count / seconds, "/s", note=note)


def _timed(step: Callable[[Smki], object], home: Path) -> tuple[float, int]:
    with Smki.open(home) as smki:
        begin = time.perf_counter()
        step(smki)
        return time.perf_counter() - begin, peak_memory()


def _full(smki: Smki) -> None:
    smki.extracts.full()


def _delta(smki: Smki) -> None:
    smki.extracts.delta()


def _apply(smki: Smki) -> None:
    apply(smki.extracts.chain(), smki.path / "applied.jsonl")


def _verify(smki: Smki) -> None:
    if verify(smki.extracts.chain()):
        raise RuntimeError("an extract is wrong")


def _json_lines(smki: Smki) -> None:
    with (smki.path / "out.jsonl").open("wb") as file:
        write_json_lines(file, smki.ledger.search.all_certificates(CertificateQuery()), smki.clock.now())


def _zip(smki: Smki) -> None:
    with (smki.path / "out.zip").open("wb") as file:
        write_archive(
            file, certificates_with_keys(smki.ledger.search.all_certificates(CertificateQuery()), smki.clock.now())
        )


def _import(smki: Smki) -> None:
    """Into another SMKI, where none of them is known."""
    file = smki.path / "some.jsonl"
    content = io.BytesIO()
    write_json_lines(content, smki.ledger.certificates(CertificateQuery(), limit=IMPORTED), smki.clock.now())
    file.write_bytes(content.getvalue())
    with Smki.create(smki.path / "other") as other:
        taken = sum(1 for _ in other.importer().take(find_certificates(file)))
    if taken != IMPORTED:
        raise RuntimeError(f"{taken} taken")
