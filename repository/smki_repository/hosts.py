"""Checks of the headers Host and Origin, against web pages of other sites.

A service on the loopback interface can be reached from every web page that its user opens: by a name that the page's owner
makes resolve to 127.0.0.1 (DNS rebinding), or by a request to another site. Therefore only requests for a known host name
are answered, and only the server's own pages may write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, Response, request

from smki.home.smki import Smki
from smki.problem import Problem, SmkiError, problem_text
from smki.remedies import Interface
from smki_repository.allowed_hosts import HOST, AllowedHosts, is_loopback
from smki_repository.certificate_service import RETRIEVE, SEARCH, answer_without_result
from smki_repository.problem_details import problem_details

_READING = frozenset(("GET", "HEAD", "OPTIONS"))
_KEPT_DECISIONS = 256


class HostRefused(SmkiError):
    """Raised for a request for another host (HTTP 421), without one (400), or from a page of another site (403)."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return {"host.malformed": 400, "host.not-allowed": 421}.get(self.code, 403)


def check_hosts(app: Flask, smki: Smki, allowed: AllowedHosts) -> Callable[[str | None], bool]:
    """Refuse requests for a host that is not allowed, and requests to write that a page of another site makes.

    :returns: whether a Host header is allowed.
    """

    @lru_cache(maxsize=_KEPT_DECISIONS)
    def refusal(host: str | None) -> HostRefused | None:
        try:
            _check_host(host, allowed)
        except HostRefused as error:
            return error
        return None

    @app.before_request
    def check() -> Response | None:
        environ = request.environ
        host = environ.get("HTTP_HOST")
        refused = refusal(host)
        origin = environ.get("HTTP_ORIGIN")
        if refused is None and origin is not None and environ["REQUEST_METHOD"] not in _READING:
            refused = _check_origin(origin, host, allowed)
        return None if refused is None else _answer(smki, refused)

    return lambda host: refusal(host) is None


def _check_host(host: str | None, allowed: AllowedHosts) -> None:
    found = HOST.match(host) if host else None
    if found is None:
        seen = "none" if not host else f"{host[:64]!r}"
        raise HostRefused(
            Problem(code="host.malformed", subject="Host", seen=seen, expected="one Host header with a name or address")
        )
    name = (found["v6"] or found["name"]).lower().rstrip(".")
    if not allowed.allows(name):
        raise HostRefused(
            Problem(
                code="host.not-allowed",
                subject="Host",
                seen=f"{name[:64]!r}",
                expected="localhost, an address of this server, or a name given with --allow-host",
            )
        )


def _check_origin(origin: str, host: str | None, allowed: AllowedHosts) -> HostRefused | None:
    """Return a refusal unless the origin is this server, or a host named with ``--allow-host``."""
    try:
        parts = urlsplit(origin)
        name, authority = parts.hostname or "", parts.netloc.lower()
    except ValueError:
        name = authority = ""
    if authority and (authority == (host or "").lower() or (name in allowed.origins and not is_loopback(name))):
        return None
    return HostRefused(
        Problem(
            code="origin.not-allowed",
            subject="Origin",
            seen=f"{origin[:64]!r}",
            expected="a page of this server, or none: no web page of another site may write",
        )
    )


def _answer(smki: Smki, refused: HostRefused) -> Response:
    """Return the response in the format of the service that was called."""
    problem = refused.problems[0]
    if request.path in (SEARCH, RETRIEVE):
        return answer_without_result(smki, refused.status, problem_text(problem, Interface.REST))
    if request.path.startswith(("/api/", "/faults")):
        return problem_details([problem], refused.status)
    return Response(f"{refused.text(Interface.REST)}\n", refused.status, mimetype="text/plain")
