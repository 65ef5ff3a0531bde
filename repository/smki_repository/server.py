"""Runs the Repository under granian."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from flask import Flask
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from smki.clock import TravellingClock
from smki.home.smki import Smki
from smki.problem import NotReady, Problem, SmkiError
from smki_repository.faults import Faults
from smki_repository.options import DEFAULTS, SHARED_COUNTS, Options, ReadAccess
from smki_repository.slow_senders import BodiesAtATime

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8083
DEFAULT_WORKERS = 2

THREADS_PER_WORKER = 8
"""Python runs one at a time; the others wait for clients that send slowly. More of them, each with its own connection to the
ledger, make a look-up take half as long again."""

BODIES_PER_WORKER = 6
"""So many of them at most: the rest answer whoever needs no body."""


STOP_SECONDS = 3
"""So long a worker has to finish what it is doing when the server is told to stop. One that is told while it is still
starting misses it, and is stopped after this time."""

HEADER_MILLISECONDS = 10_000
"""So long a client may take to send the head of a request."""

RENEWAL_SECONDS = 20.0
"""How often a worker looks whether a list is due."""

_log = logging.getLogger("smki.server")


def default_read_access(host: str) -> ReadAccess:
    """Open where only this machine can connect, with API keys elsewhere."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    return ReadAccess.OPEN if is_loopback else ReadAccess.API_KEY


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
                code="port.unusable",
                subject=f"{host}:{port}",
                seen=error.strerror or str(error),
                expected="an address and port to listen on",
            )
        ) from error


def serve(
    home: Path,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    workers: int = DEFAULT_WORKERS,
    options: Options = DEFAULTS,
) -> None:
    """Serve the Repository of a home until SIGINT or SIGTERM.

    :raises NotReady: when there is no SMKI in *home* or nothing can listen there.
    :raises IntegrityError: when among the keys to hand out there is one that was not made for it.
    """
    with Smki.open(home) as smki:
        if options.publish_test_keys:
            smki.published_keys.certificates()
    refuse_taken_port(host, port)
    server = Server(
        "smki_repository",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS_PER_WORKER,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
    )
    with _counting_together(), _faults_file(options.faults) as faults_file:
        server.serve(target_loader=partial(_load, home, options, faults_file), wrap_loader=False)


@contextmanager
def _counting_together() -> Iterator[None]:
    """Have the workers that are started meanwhile count together; whichever is asked tells of all."""
    with tempfile.TemporaryDirectory(prefix="smki-metrics-", ignore_cleanup_errors=True) as directory:
        os.environ[SHARED_COUNTS] = directory
        try:
            yield
        finally:
            del os.environ[SHARED_COUNTS]


@contextmanager
def _faults_file(wanted: bool) -> Iterator[Path | None]:
    """Where the workers share the faults: of this server alone, and gone with it."""
    if not wanted:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="smki-faults-") as directory:
        file = Path(directory) / "faults.sqlite"
        Faults(file).close()
        yield file


def _load(home: Path, options: Options, faults_file: Path | None) -> Flask:
    # Imported by the worker: prometheus_client looks where to count when it is imported.
    from smki_repository.app import create_app

    smki = Smki.open(home)
    threading.Thread(target=_keep_lists_fresh, args=(smki,), name="revocation-lists", daemon=True).start()
    if options.time_travel or faults_file is not None:
        smki = Smki.open(home, TravellingClock(smki.clock, by_header=options.time_travel))
    app = create_app(smki, options, faults=None if faults_file is None else Faults(faults_file))
    app.wsgi_app = BodiesAtATime(app.wsgi_app, BODIES_PER_WORKER)  # type: ignore[method-assign]
    return app


def _keep_lists_fresh(smki: Smki) -> None:
    """Issue every list before it falls due, for as long as the process lives; whichever worker asks first does it."""
    while True:
        try:
            smki.renew_lists(interface="serve")
        except SmkiError as error:
            # The lists that there are go on being served; the next round tries again.
            _log.error("a revocation list could not be issued: %s", error)
        time.sleep(RENEWAL_SECONDS)
