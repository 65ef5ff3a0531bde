"""Serve the Repository: worker processes with one ledger, on one port."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from flask import Flask

from smki.clock import TravellingClock, machine_seconds
from smki.home.smki import Smki
from smki.home.tidying import tidy
from smki.leftovers import temporary_directory
from smki.problem import KeyUnusable, NotReady, Problem, SmkiError
from smki_repository.certificate_service import XML_SERVICES
from smki_repository.faults import Faults
from smki_repository.http.limits import ServerLimits
from smki_repository.http.port_holder import holder_of
from smki_repository.http.processes import listen, run_workers
from smki_repository.http.worker import Worker
from smki_repository.options import DEFAULTS, Options, ReadAccess, TimeTravel
from smki_repository.shared_counts import reserve_counts, shared_counts

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8083
DEFAULT_WORKERS = 2

STOP_SECONDS = 3.0
"""Seconds that a worker has to finish its requests when the server stops, before it is killed."""

PORT_SECONDS = 1.0
"""Seconds to wait for a port that is in use."""

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
    _listen(host, port).close()


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, for which it waits a moment: the workers of a server that was killed are just ending.

    :raises NotReady: if the port is in use, or the host is not an address of this machine.
    """
    until = time.monotonic() + PORT_SECONDS
    while True:
        try:
            return listen(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < until:
                time.sleep(0.05)
                continue
            holder = holder_of(port) if error.errno == errno.EADDRINUSE else ""
            raise NotReady(
                Problem(
                    code="port.unusable",
                    subject=f"{host}:{port}",
                    seen=f"{error.strerror or error}{holder and f': {holder} has it'}",
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
    listener = _listen(host, port)
    tidy(home, now=machine_seconds())
    with shared_counts(), _faults_file(options.faults) as faults_file:
        run_workers(listener, workers, partial(_run, home, options, faults_file), STOP_SECONDS)


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


def _run(home: Path, options: Options, faults_file: Path | None, listener: socket.socket, limits: ServerLimits) -> None:
    """Serve on a socket: the main function of a worker."""
    Worker(
        _load(home, options, faults_file),
        listener,
        is_quick=_look_ups(options),
        health=f"{options.base_path}/healthz",
        stop_seconds=STOP_SECONDS,
        limits=limits,
    ).run()


def _look_ups(options: Options) -> Callable[[str, bytes], bool]:
    """Return which requests are look-ups: of one certificate, and those of the XML services.

    They read some rows of the ledger, for which they wait for nobody. With faults, every response can be delayed.
    """
    services = f"{options.base_path}{XML_SERVICES}".encode()
    certificates = f"{options.base_path}/api/v1/certificates/".encode()

    def is_quick(method: str, target: bytes) -> bool:
        if method == "POST":
            return target.startswith(services)
        return method == "GET" and target.startswith(certificates) and b"/" not in target[len(certificates) :]

    return (lambda method, target: False) if options.faults else is_quick


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
    return create_app(smki, options, faults=None if faults_file is None else Faults(faults_file))


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
