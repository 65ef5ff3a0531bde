"""Runs the real server for a benchmark."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def served(home: Path) -> Iterator[int]:
    """Serve a home on a free loopback port until the block ends; the port."""
    with _running("-c", "from smki.cli import main; main()", "serve", "--home", str(home), "--port") as port:
        yield port


@contextlib.contextmanager
def served_empty(size: int) -> Iterator[int]:
    """Serve an empty Flask application that answers with some bytes, on the same server; the port."""
    with _running("-m", "benchmarks.empty", str(size)) as port:
        yield port


@contextlib.contextmanager
def _running(*arguments: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = subprocess.Popen([sys.executable, *arguments, str(port)], stdout=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server does not listen")
