"""What the DCC's published client, unmodified, makes of each fault."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from smki import Smki
from smki.testing.faults import Fault, FaultKind
from tests.repository.support import serving
from tests.support import DEVICE, DS, INTEROP, published_client, tool

SERVICES = "/services/*"
OUTCOMES: list[tuple[Fault, object]] = [
    (Fault(FaultKind.STATUS, SERVICES, status=401), "invalid search parameters"),
    (Fault(FaultKind.STATUS, SERVICES, status=402), 0),
    (Fault(FaultKind.STATUS, SERVICES, status=500), "unknown error 500: application/xml; charset=utf-8"),
    (Fault(FaultKind.TRUNCATED_BODY, SERVICES), "Closing Tag is not closed."),
    (Fault(FaultKind.WRONG_CONTENT_TYPE, SERVICES), "unknown error 200: text/html"),
    (Fault(FaultKind.DROPPED_CONNECTION, SERVICES), "The server aborted pending request"),
    # Slow, but within its patience of 4 s.
    (Fault(FaultKind.SLOW, SERVICES, delay=0.3), 1),
    (Fault(FaultKind.DRIPPING, SERVICES, delay=0.3), 1),
    # One service fails once: the search fails, or its retrieval does.
    (Fault(FaultKind.STATUS, "/services/retrieve*", count=1, status=401), "invalid search parameters"),
]


@pytest.fixture(scope="module")
def outcomes(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """How many certificates the client found under each fault, or what it complained of; and then with none set."""
    published_client()
    home = tmp_path_factory.mktemp("faults") / "pki"
    shutil.copytree(made_home, home)
    with Smki.open(home) as smki:
        _, request = smki.make_device_request(DEVICE, DS)
        smki.issue_device(request)
    faults = [json.dumps(fault.as_json()) for fault, _ in OUTCOMES]
    with serving(home, "--faults", "--workers", "1") as served:
        words = [tool("node"), str(INTEROP / "faults.mjs"), served.address, str(DEVICE), *faults]
        result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    found: list[object] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("index", range(len(OUTCOMES)), ids=[f"{fault.kind}-{fault.status}" for fault, _ in OUTCOMES])
def test_a_search_under_a_fault(outcomes: list[object], index: int) -> None:
    assert outcomes[index] == OUTCOMES[index][1]


def test_a_search_after_them_all(outcomes: list[object]) -> None:
    assert outcomes[len(OUTCOMES) :] == [1]
