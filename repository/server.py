"""Runs the Repository under granian."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from repository.app import create_app
from smki.home import Smki
from smki.problem import NotReady, Problem

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8083
DEFAULT_WORKERS = 2

THREADS_PER_WORKER = 4
"""More would only wait for one another: Python runs one at a time."""


def refuse_taken_port(host: str, port: int) -> None:
    """Find out in time that nothing can listen there.

    :raises NotReady: when the port is in use, or the host is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise NotReady(
            Problem(
                "port.unusable",
                f"{host}:{port}",
                error.strerror or str(error),
                "an address and port to listen on",
                "",
                "Choose another with --host and --port, or stop what listens there.",
            )
        ) from error


def serve(home: Path, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, workers: int = DEFAULT_WORKERS) -> None:
    """Serve the Repository of a home until SIGINT or SIGTERM.

    :raises NotReady: when there is no SMKI in *home* or nothing can listen there.
    """
    Smki.open(home).close()
    refuse_taken_port(host, port)
    server = Server(
        "repository",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS_PER_WORKER,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
    )
    server.serve(target_loader=partial(_load, home), wrap_loader=False)


def _load(home: Path) -> Flask:
    return create_app(Smki.open(home))
