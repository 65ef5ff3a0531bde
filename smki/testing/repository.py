"""A Repository for tests: served over HTTP by threads of the test process, from an SMKI in memory or in a directory."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from smki.clock import TravellingClock
from smki.home.smki import Smki
from smki.relying_party import RepositoryClient
from smki.testing.faults import Faults, RemoteFaults

LOOPBACK = "127.0.0.1"

CONNECT_SECONDS = 3.0
"""Maximum time to connect to a Repository that is expected to be running."""

LONGEST_WAIT_SECONDS = 0.5
"""Maximum time that the server waits for a connection before it looks whether it is to end."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A Repository that is running."""

    url: str
    """``http://127.0.0.1:PORT``, without a slash at the end."""
    smki: Smki | None = None
    """The SMKI that it serves; None for a Repository given by ``--smki-repository``."""
    faults: Faults | RemoteFaults | None = None
    """Makes it misbehave. A Repository given by ``--smki-repository`` has faults if it was started with ``--faults``."""

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``."""
        return self.url.partition("://")[2]

    def client(self, **options: Any) -> RepositoryClient:
        """Return a client of it that fetches the lists each time it needs them.

        :param options: options of :class:`~smki.relying_party.RepositoryClient`.
        """
        return RepositoryClient(self.url, **{"refresh": 0.0, **options})


def reachable(url: str) -> str:
    """Connect to a URL; return an empty string, or why it cannot be reached."""
    target = urlsplit(url)
    try:
        port = target.port or (443 if target.scheme == "https" else 80)
        socket.create_connection((target.hostname or "", port), CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        return f"nothing answers there ({error})"
    return ""


@contextlib.contextmanager
def serving(smki: Smki) -> Iterator[Repository]:
    """Serve the Repository of an SMKI on a free port of the loopback address, until the ``with`` block ends.

    Threads of this process serve it, so that an SMKI in memory can be served and a test sees its own changes at once. At
    the end of the block all connections are closed and all threads have ended.
    """
    from smki_repository.app import create_app
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    class Handler(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:
            """Log nothing: it would be mixed with the output of the test."""

    class Server(ThreadedWSGIServer):
        daemon_threads = False  # so that closing the server waits for them
        connections: set[socket.socket]

        def process_request(self, request: Any, client_address: Any) -> None:
            self.connections.add(request)
            super().process_request(request, client_address)

        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            self.connections.discard(request)

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Ignore the error: the client has closed the connection."""

    # A fault may shift the clock for one request; the SMKI itself keeps its clock.
    faults = Faults()
    served = smki.with_clock(TravellingClock(smki.clock, by_header=False))
    server = Server(LOOPBACK, 0, create_app(served, faults=faults), Handler)
    server.connections = set()
    server.timeout = LONGEST_WAIT_SECONDS
    closing = threading.Event()

    def serve() -> None:
        while not closing.is_set():
            server.handle_request()  # waits for a connection

    thread = threading.Thread(target=serve, name="smki-repository")
    thread.start()
    try:
        yield Repository(f"http://{LOOPBACK}:{server.server_port}", smki, faults)
    finally:
        closing.set()
        with contextlib.suppress(OSError):  # a connection ends the wait at once; without one it takes longer
            socket.create_connection((LOOPBACK, server.server_port), LONGEST_WAIT_SECONDS).close()
        thread.join()
        faults.clear()  # ends the delay of a slow answer
        for connection in list(server.connections):
            with contextlib.suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        server.server_close()
        faults.close()
        served.audit_trail.close()
