"""Starts and stops the real server."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from smki import Smki


@dataclass
class Served:
    """A Repository that is being served."""

    url: str
    home: Path
    smki: Smki | None
    process: subprocess.Popen[bytes]
    output: str = ""
    """What it wrote, once it has ended."""

    @property
    def address(self) -> str:
        """host:port"""
        return self.url.removeprefix("http://")


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve_command(home: Path, port: int, *options: str) -> list[str]:
    """``smki serve`` over a home."""
    smki = [sys.executable, "-c", "from smki.cli import main; main()"]
    return [*smki, "serve", "--home", str(home), "--port", str(port), *options]


@contextlib.contextmanager
def serving(
    home: Path, *options: str, prepare: Callable[[], None] | None = None, temporary: Path | None = None
) -> Iterator[Served]:
    """Runs ``smki serve`` over a home until the block ends; checks that it stops by itself when told to.

    :param prepare: run in the process of the server before it begins.
    :param temporary: its directory for temporary files.
    """
    port = free_port()
    command = serve_command(home, port, *options)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMKI_")}
    if temporary is not None:
        environment["TMPDIR"] = str(temporary)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, preexec_fn=prepare
    )
    base = options[options.index("--base-path") + 1] if "--base-path" in options else ""
    served = Served(f"http://127.0.0.1:{port}{base}", home, None, process)
    try:
        wait_until_ready(served)
        yield served
    finally:
        process.terminate()
        try:
            served.output = process.communicate(timeout=15)[0].decode()
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert "Traceback" not in served.output, served.output


def wait_until_ready(served: Served) -> None:
    """Wait until it answers /healthz, for at most 15 seconds."""
    for _ in range(300):
        if served.process.poll() is not None:
            output, _ = served.process.communicate()
            raise AssertionError(f"the server ended: {output.decode()}")
        with contextlib.suppress(OSError):
            if ask(f"{served.url}/healthz").status == 200:
                return
        time.sleep(0.05)
    raise AssertionError("the server does not answer")


def ask(
    url: str, body: bytes | None = None, method: str | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One HTTP request; an answer of any status is an answer."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return Answer(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())
