"""A small application on the server's own HTTP server with short deadlines: ``python -m tests.repository.http_app PORT``."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator

from flask import Flask, Response, request
from smki_repository.http.limits import ServerLimits
from smki_repository.http.processes import listen, run_workers
from smki_repository.http.worker import Worker

LIMITS = ServerLimits(
    head_seconds=1.0,
    body_seconds=1.5,
    stall_seconds=1.5,
    grace_seconds=3.0,
    least_rate=1 << 20,
    idle_seconds=2.0,
    body_bytes=100_000,
    framing_bytes=600_000,
    discarded_bytes=1_000_000,
    connections=60,
    connections_per_client=50,
    bodies_bytes=2_000_000,
    unsent_bytes=30_000_000,
)
PIECE, PIECES = b"y" * 65536, 400


def application() -> Flask:
    """What the tests ask for."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LIMITS.body_bytes

    @app.route("/echo", methods=["GET", "POST", "PUT", "OPTIONS"])
    @app.route("/quick/echo", methods=["GET", "POST"])
    def echo() -> Response:
        body = request.get_data()
        seen = {"method": request.method, "query": request.query_string.decode(), "body": body.decode("latin-1"),
                "headers": sorted(request.headers.items()), "from": request.remote_addr}  # fmt: skip
        return Response(json.dumps(seen), mimetype="application/json")

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok")

    @app.get("/sleep/<float:seconds>")
    def sleep(seconds: float) -> Response:
        time.sleep(seconds)
        return Response("slept")

    @app.get("/big")
    def big() -> Response:
        return Response((PIECE for _ in range(PIECES)), mimetype="text/plain")

    @app.get("/known-length")
    def known_length() -> Response:
        return Response((PIECE for _ in range(PIECES)), headers={"Content-Length": str(len(PIECE) * PIECES)})

    @app.get("/short")
    def short() -> Response:
        return Response(iter([b"half"]), headers={"Content-Length": "8"})

    @app.get("/fails-late")
    def fails_late() -> Response:
        def pieces() -> Iterator[bytes]:
            yield PIECE * 8
            raise OSError("the disk is gone")

        return Response(pieces())

    return app


def main(port: int) -> None:
    """Serve until SIGTERM."""

    def run(listener: socket.socket, _: ServerLimits) -> None:
        Worker(application(), listener, is_quick=lambda _, target: target.startswith(b"/quick/"), health="/healthz",
               stop_seconds=2.0, limits=LIMITS).run()  # fmt: skip

    run_workers(listen("127.0.0.1", port), 1, run, 2.0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
