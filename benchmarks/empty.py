"""An empty Flask application on the server of the Repository, as the raw limit of what the Repository can answer.

Run as ``python -m benchmarks.empty BYTES PORT``.
"""

from __future__ import annotations

import socket
import sys

from flask import Flask, Response
from smki_repository.http.limits import ServerLimits
from smki_repository.http.processes import listen, run_workers
from smki_repository.http.worker import Worker
from smki_repository.server import DEFAULT_WORKERS, STOP_SECONDS

PATH = "/empty"


def get_empty(_: str) -> bytes:
    """The request."""
    return f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def main(size: int, port: int) -> None:
    """Serve an answer of a size until SIGTERM."""
    app, body = Flask("empty"), b"x" * size

    @app.get(PATH)
    def empty() -> Response:
        return Response(body, mimetype="text/plain")

    def run(listener: socket.socket, limits: ServerLimits) -> None:
        Worker(app, listener, is_quick=lambda *_: True, health="", stop_seconds=STOP_SECONDS, limits=limits).run()

    run_workers(listen("127.0.0.1", port), DEFAULT_WORKERS, run, STOP_SECONDS)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
