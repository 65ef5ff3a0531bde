"""What the tests share: a home made once a session, published vectors, real tools."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from smki import Smki
from smki.pki.pem import decode_input
from tests.support import VECTORS, tool


@pytest.fixture(scope="session")
def openssl() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs openssl with the arguments given and returns what it said."""
    program = tool("openssl")

    def run(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        words = [program, *map(str, arguments)]
        return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=60, check=False)

    return run


@pytest.fixture(scope="session")
def vectors() -> list[dict[str, Any]]:
    """The rows of the index of published certificates, each with its DER under ``der``."""
    if not (VECTORS / "index.json").exists():
        pytest.skip("the published certificates are not beside the project (set SMKI_VECTORS)")
    rows: list[dict[str, Any]] = json.loads((VECTORS / "index.json").read_text())
    for row in rows:
        row["der"] = decode_input((VECTORS / row["file"]).read_bytes())[0].der
    return rows


@pytest.fixture(scope="session")
def published_request() -> bytes:
    """The certification request (DER) that a Device made, published beside its certificate."""
    path = VECTORS / "csr" / "00db1234567890a0-ds.csr"
    if not path.exists():
        pytest.skip("the published certificates are not beside the project (set SMKI_VECTORS)")
    return decode_input(path.read_bytes())[0].der


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home made once; not to be written to: copy it (fixture ``home``)."""
    path = tmp_path_factory.mktemp("made") / "pki"
    Smki.create(path).close()
    return path


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    """A home of the test's own."""
    path = tmp_path / "pki"
    shutil.copytree(made_home, path)
    return path


@pytest.fixture
def smki(home: Path) -> Iterator[Smki]:
    """The same, open."""
    with Smki.open(home) as opened:
        yield opened
