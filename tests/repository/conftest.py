"""A real Repository on a free loopback port."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smki import Smki
from tests.repository.rest_support import Api, api_of
from tests.repository.support import Served, free_port, serving
from tests.support import PROJECT


@pytest.fixture(scope="module")
def served(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Repository served by the real command, over a home with a few certificates in it."""
    import shutil

    home = tmp_path_factory.mktemp("served") / "pki"
    shutil.copytree(made_home, home)
    with serving(home) as served, Smki.open(home) as smki:
        yield Served(served.url, home, smki, served.process)


@pytest.fixture(scope="module")
def api(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The REST interface of a home of the module's own."""
    import shutil

    home = tmp_path_factory.mktemp("rest") / "pki"
    shutil.copytree(made_home, home)
    opened = api_of(home)
    with opened.smki:
        yield opened


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the application with short deadlines."""
    port, log = free_port(), tmp_path_factory.mktemp("http") / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "tests.repository.http_app", str(port)]
        process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=output)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            assert process.wait(10) == 0
    logged = log.read_text()
    assert logged.count("Traceback") == logged.count("OSError: the disk is gone"), logged
