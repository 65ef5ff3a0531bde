"""The access log: one line per request with its time, client, method, path, status and duration.

The query string is left out because it may contain an API key.
"""

from __future__ import annotations

import sys
import time
from urllib.parse import quote

from flask import Flask, Response, g, request

from smki.clock import RealClock, iso


def log_requests(app: Flask) -> None:
    """Write a line to standard output for each request.

    ``2026-11-21T09:30:00Z 127.0.0.1 "GET /crl/organisation.crl" 200 0.8 ms``
    """

    @app.before_request
    def begin() -> None:
        g.log_began = time.perf_counter()

    @app.after_request
    def log(response: Response) -> Response:
        spent = (time.perf_counter() - g.get("log_began", time.perf_counter())) * 1000
        path = quote(request.script_root + request.path)  # a line break in the path could forge a log line
        when = iso(RealClock().now())
        line = f'{when} {request.remote_addr} "{quote(request.method)} {path}" {response.status_code} {spent:.1f} ms\n'
        sys.stdout.write(line)
        sys.stdout.flush()
        return response
