"""Serve the Repository with granian."""

from __future__ import annotations

import ipaddress
import logging
import socket
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

from smki.clock import TravellingClock, machine_seconds
from smki.home.smki import Smki
from smki.home.tidying import tidy
from smki.leftovers import temporary_directory
from smki.problem import KeyUnusable, NotReady, Problem, SmkiError
from smki_repository.faults import Faults
from smki_repository.options import DEFAULTS, Options, ReadAccess, TimeTravel
from smki_repository.shared_counts import reserve_counts, shared_counts
from smki_repository.slow_senders import BodyLimit

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8083
DEFAULT_WORKERS = 2

THREADS_PER_WORKER = 8
"""Number of threads in each worker's thread pool. Python runs one at a time; the others can wait for slow clients. With
more threads, each of which has its own connection to the ledger, a look-up takes 50 % longer."""

BODIES_PER_WORKER = 6
"""Maximum number of a worker's threads that wait for request bodies at a time. The rest handle requests without a body."""


STOP_SECONDS = 3
"""Seconds that a worker has to finish its requests when the server stops, before it is killed. A worker that is still
starting misses the signal and is always killed."""

HEADER_MILLISECONDS = 10_000
"""Maximum time in milliseconds for a client to send the header of a request."""

RENEWAL_SECONDS = 20.0
"""Seconds between a worker's checks whether a revocation list is due."""

_log = logging.getLogger("smki.server")


def default_read_access(host: str) -> ReadAccess:
    """Return the default access for a host: open on the loopback interface, API keys elsewhere."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    return ReadAccess.OPEN if is_loopback else ReadAccess.API_KEY


def check_port(host: str, port: int) -> None:
    """Check that a server can listen on an address and port.

    :raises NotReady: if the port is in use, or the host is not an address of this machine.
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


def require_keys(smki: Smki) -> None:
    """Check that every authority can sign: a server without keys could not renew its revocation lists.

    :raises KeyUnusable: if the private key of an authority that is not revoked cannot be used.
    """
    problems = smki.hierarchy.unusable_keys(smki.ledger)
    if problems:
        raise KeyUnusable(*problems)


def serve(
    home: Path,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    workers: int = DEFAULT_WORKERS,
    options: Options = DEFAULTS,
) -> None:
    """Serve the Repository of a home until SIGINT or SIGTERM.

    :raises NotReady: if there is no SMKI in *home*, or the server cannot listen on *host* and *port*.
    :raises IntegrityError: if one of the keys to publish was not made to be published.
    :raises KeyUnusable: if the private key of an authority cannot be used.
    """
    with Smki.open(home) as smki:
        require_keys(smki)
        if options.publish_test_keys:
            smki.published_keys.certificates()
    check_port(host, port)
    tidy(home, now=machine_seconds())
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
    with shared_counts(), _faults_file(options.faults) as faults_file:
        server.serve(target_loader=partial(_load, home, options, faults_file), wrap_loader=False)


@contextmanager
def _faults_file(wanted: bool) -> Iterator[Path | None]:
    """Create the file in which the workers share faults; it is removed when the server stops."""
    if not wanted:
        yield None
        return
    with temporary_directory("faults") as directory:
        file = directory / "faults.sqlite"
        Faults(file).close()
        yield file


def _load(home: Path, options: Options, faults_file: Path | None) -> Flask:
    # Imported in the worker because prometheus_client chooses where to count when it is imported.
    reserve_counts()
    from smki_repository.app import create_app

    smki = Smki.open(home)
    threading.Thread(target=_keep_lists_fresh, args=(smki,), name="revocation-lists", daemon=True).start()
    travel = options.time_travel
    if travel is not TimeTravel.OFF or faults_file is not None:
        clock = TravellingClock(
            smki.clock, by_header=travel is not TimeTravel.OFF, may_write=travel is TimeTravel.WRITE
        )
        smki = Smki.open(home, clock)
    app = create_app(smki, options, faults=None if faults_file is None else Faults(faults_file))
    app.wsgi_app = BodyLimit(app.wsgi_app, BODIES_PER_WORKER)  # type: ignore[method-assign]
    return app


def _keep_lists_fresh(smki: Smki) -> None:
    """Issue every revocation list before it expires, until the process ends. The first worker to notice issues it."""
    while True:
        try:
            renew_each_list(smki)
        except (SmkiError, OSError) as error:
            _log.error("cannot read the revocation lists: %s", error)
        time.sleep(RENEWAL_SECONDS)


def renew_each_list(smki: Smki) -> None:
    """Issue every list that is due. One that cannot be issued, for instance because the key of its authority cannot be
    used, is logged, and does not keep the others from being issued."""
    for lists in smki.all_lists(interface="serve"):
        try:
            lists.publish_if_due()
        except (SmkiError, OSError) as error:
            # The existing list is still served, and the next round tries again.
            _log.error("cannot issue the list of %s: %s", lists.issuer_name, error)
