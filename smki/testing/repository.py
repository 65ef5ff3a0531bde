"""A Repository for a test: served over HTTP by a thread of the test's own process, from the SMKI in its memory."""

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
"""So long a Repository that is said to be running has to take a connection."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A Repository that is being served."""

    url: str
    """``http://127.0.0.1:PORT``, without a slash at the end."""
    smki: Smki | None = None
    """What it serves; None for one that somebody else started."""
    faults: Faults | RemoteFaults | None = None
    """Has it misbehave; of one that somebody else started, where that was with ``--faults``."""

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``."""
        return self.url.partition("://")[2]

    def client(self, **options: Any) -> RepositoryClient:
        """A client of it that asks for lists each time.

        :param options: of :class:`~smki.relying_party.RepositoryClient`.
        """
        return RepositoryClient(self.url, **{"refresh": 0.0, **options})


def reachable(url: str) -> str:
    """Why nothing answers at a URL; empty where something does."""
    target = urlsplit(url)
    try:
        port = target.port or (443 if target.scheme == "https" else 80)
        socket.create_connection((target.hostname or "", port), CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        return f"nothing answers there ({error})"
    return ""


@contextlib.contextmanager
def serving(smki: Smki) -> Iterator[Repository]:
    """Serve the Repository of an SMKI on a free port of the loopback address, until the block ends.

    By threads of this process, because what is in its memory is to be seen at once, and because a process of its own
    would take a second to start. It misbehaves where its faults say so. When the block ends every connection is closed, every thread has ended.
    """
    from smki_repository.app import create_app
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    class Handler(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:
            """Nothing: the output of a test is its own."""

    class Server(ThreadedWSGIServer):
        daemon_threads = False  # closing the server then waits for them
        connections: set[socket.socket]

        def process_request(self, request: Any, client_address: Any) -> None:
            self.connections.add(request)
            super().process_request(request, client_address)

        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            self.connections.discard(request)

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Nothing: whoever asked went away."""

    # The faults shift the clock of a request; whoever holds the SMKI keeps its own.
    faults = Faults()
    served = smki.with_clock(TravellingClock(smki.clock, by_header=False))
    server = Server(LOOPBACK, 0, create_app(served, faults=faults), Handler)
    server.connections = set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="smki-repository")
    thread.start()
    try:
        yield Repository(f"http://{LOOPBACK}:{server.server_port}", smki, faults)
    finally:
        server.shutdown()
        thread.join()
        faults.clear()  # nobody is kept waiting
        for connection in list(server.connections):
            with contextlib.suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        server.server_close()
        faults.close()
        served.audit_trail.close()
