"""Very many certificates: extracts and exports in memory that does not grow. A million of them under `make soak`."""

from __future__ import annotations

import signal
import subprocess
import sys
import zipfile
from pathlib import Path

from benchmarks.generator import fill
from smki import CertificateStatus, EntityIdentifier, KeyUsage, RemotePartyRole, Smki
from smki.interchange.extracts import verify
from tests.commands import revoke
from tests.support import PROJECT, SOAK, SUPPLIER

MANY = 1_000_000 if SOAK > 1 else 6_000
MAX_BYTES = 300_000_000
"""What a process may need at most, whatever the number of certificates; the interpreter alone needs some 30 MB."""

SCRIPT = """
import os, sys
from pathlib import Path
from benchmarks.measurement import peak_memory
from smki import Smki
from smki.interchange.extracts import Extracts, apply
from smki.interchange.selection import certificates_with_keys
from smki.interchange import write_archive
from smki.interchange.table import write_csv
from smki.ledger import CertificateQuery

def die_half_way(done, total):
    if done > total // 2:
        os.kill(os.getpid(), 9)

home, what, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
with Smki.open(home) as smki:
    extracts = Extracts(smki.path / "extracts", smki.ledger, smki.clock, part_certificates=int(sys.argv[4]))
    records = smki.ledger.search.all_certificates(CertificateQuery())
    match what:
        case "killed":
            extracts.full(die_half_way)
        case "full":
            extracts.full()
        case "delta":
            extracts.delta()
        case "apply":
            apply(extracts.chain(), out)
        case "zip":
            with out.open("wb") as file:
                write_archive(file, certificates_with_keys(records, smki.clock.now()))
        case "csv":
            with out.open("wb") as file:
                write_csv(file, records, smki.clock.now())
    print(peak_memory())
"""


def run(home: Path, what: str, out: Path, status: int = 0) -> None:
    """Do something in a process of its own, and see how much memory it took."""
    words = [sys.executable, "-c", SCRIPT, str(home), what, str(out), str(max(1_000, MANY // 100))]
    result = subprocess.run(words, cwd=PROJECT, capture_output=True, check=False, timeout=3600)
    assert result.returncode == status, result.stderr
    if status == 0:
        assert int(result.stdout) < MAX_BYTES, what


def digest_file(path: Path) -> str:
    return subprocess.run(["sha256sum", str(path)], capture_output=True, check=True).stdout.decode().split()[0]


def test_extracts_of_very_many(tmp_path: Path) -> None:
    home, out = tmp_path / "pki", tmp_path / "out"
    fill(home, MANY)
    run(home, "killed", out, status=-signal.SIGKILL)
    with Smki.open(home) as smki:
        assert smki.extracts.all() == []
        parts = len(list((smki.extracts.directory / ".making").glob("*.part")))
        assert parts >= 3
        # Between the interruption and the next try the world goes on.
        device = EntityIdentifier.parse("00DB123400000000")
        renewed = smki.issue_device(smki.make_device_request(device, KeyUsage.KEY_AGREEMENT)[1])
    run(home, "full", out)
    with Smki.open(home) as smki:
        (full,) = smki.extracts.all()
        assert full.contents.certificates == smki.ledger.count_certificates() > MANY
        _, request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, KeyUsage.DIGITAL_SIGNATURE)
        serial_number = smki.issue_organisation(request).record.serial_number
        revoke(smki, serial_number, "key-lost")
        smki.issue_device(smki.make_device_request(device, KeyUsage.KEY_AGREEMENT)[1])
        replaced = smki.ledger.certificate(renewed.record.serial_number)
        assert replaced is not None
        assert replaced.status_at(smki.clock.now()) is CertificateStatus.NOT_IN_USE
    run(home, "delta", out)
    run(home, "apply", out)
    run(home, "full", out)
    with Smki.open(home) as smki:
        delta, again = smki.extracts.all()[1:]
        assert (delta.added, delta.changed) == (2, 1)
        assert digest_file(out) == again.contents.sha256 == delta.result.sha256 == digest_file(again.path)
        assert verify(smki.extracts.all()[:2]) == []
        certificates = smki.ledger.count_certificates()
    run(home, "zip", out)
    with zipfile.ZipFile(out) as archive:
        assert len(archive.namelist()) == certificates
    run(home, "csv", out)
    with out.open("rb") as file:
        assert sum(1 for _ in file) == certificates + 1
    assert out.stat().st_size > 500 * certificates
