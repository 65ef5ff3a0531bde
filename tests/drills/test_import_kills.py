"""`smki import` that is killed, or runs out of room: what it told as taken is stored."""

from __future__ import annotations

import base64
import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smki import Smki
from smki.ledger import CertificateQuery
from tests.support import SOAK, run_cli

CERTIFICATES = 1_600
COMMAND = (sys.executable, "-c", "from smki.cli import main; main()", "import")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates that were issued elsewhere: one, with as many signatures."""
    path = tmp_path_factory.mktemp("many") / "certificates.jsonl"
    with Smki.in_memory(seed="elsewhere") as smki:
        encoded = next(smki.ledger.certificates(CertificateQuery())).der
    with path.open("w") as file:
        for number in range(CERTIFICATES):
            variant = encoded[:-2] + number.to_bytes(2, "big")
            file.write(json.dumps({"certificate": base64.b64encode(variant).decode()}) + "\n")
    return path


def told(home: Path, many: Path, *, kill_after: int | None, prepare: Callable[[], None] | None = None) -> set[str]:
    """The digests of what an import told as taken, until it was killed or ended."""
    found = set()
    words = [*COMMAND, str(many), "--home", str(home), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=prepare) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout):
            if line.endswith(b"\n") and line.startswith(b'{"source"'):
                values = json.loads(line)
                assert values["outcome"] in ("taken", "already here")
                found.add(values["sha256"])
            if number == kill_after:
                os.kill(process.pid, signal.SIGKILL)
    return found


def stored(home: Path) -> set[str]:
    with Smki.open(home) as smki:
        records = smki.ledger.imports.certificates(CertificateQuery())
        return {found.record.certificate.sha256.hex().upper() for found in records}


def test_killed(home: Path, many: Path) -> None:
    """Up to 499 were told and not stored."""
    draw = random.Random(1)
    for _ in range(3 * SOAK):
        found = told(home, many, kill_after=draw.randrange(CERTIFICATES))
        assert found <= stored(home)
        assert found
    assert run_cli("check", "--home", home).returncode == 0
    assert len(told(home, many, kill_after=None)) == len(stored(home)) == CERTIFICATES


@pytest.mark.parametrize("room", [0, 300_000, 900_000, 1_500_000])
def test_out_of_room(home: Path, many: Path, room: int) -> None:
    """No file of the process may become larger."""
    size = (home / "ledger.sqlite").stat().st_size + room
    found = told(home, many, kill_after=None, prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    assert found <= stored(home)
    assert len(found) < CERTIFICATES
    assert run_cli("check", "--home", home).returncode == 0
