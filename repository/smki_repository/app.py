"""The Repository as a Flask application over one open SMKI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response, render_template, request
from flask.sessions import NullSession, SessionInterface
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import IntegerConverter, MapAdapter

from smki import __version__
from smki.clock import iso
from smki.home.smki import Smki
from smki.ledger import CertificateQuery
from smki.problem import Problem, SmkiError, problem_text
from smki.profile.designation import policy_text
from smki.remedies import Interface
from smki.sec.role import CertificateKind
from smki.text import visible
from smki_repository.access import admit_readers
from smki_repository.access_log import log_requests
from smki_repository.certificate_service import (
    RETRIEVE,
    SEARCH,
    answer_without_result,
    certificate_service,
    invalid_request,
)
from smki_repository.extracts import extracts
from smki_repository.faults import Faults
from smki_repository.faults.misbehaviour import misbehave
from smki_repository.health import add_health_checks
from smki_repository.hosts import check_hosts
from smki_repository.look_ups import LookUps
from smki_repository.metrics import count_requests
from smki_repository.options import DEFAULTS, Options, ReadAccess
from smki_repository.org_crypto import org_crypto
from smki_repository.problem_details import problem_details
from smki_repository.rest import rest_service
from smki_repository.revocation_lists import revocation_lists
from smki_repository.security_headers import SecurityHeaders
from smki_repository.time_travel import add_time_header, is_real

MAX_BODY_BYTES = 64 * 1024
"""Maximum size of a request body, unless an operation allows more. A search request has some 150 bytes."""

MAX_DRAINED_BYTES = 32 * 1024 * 1024
"""Maximum number of bytes read and discarded of a body that is too large, so that the client receives the response."""


def create_app(smki: Smki, options: Options = DEFAULTS, *, faults: Faults | None = None) -> Flask:
    """Create the Flask application for an open SMKI.

    If the clock of the SMKI is a :class:`~smki.clock.TravellingClock`, a request can name the time at which it is answered.

    :param faults: the faults to inject; None to disable fault injection and the service at ``/faults``.
    :raises ValueError: if faults are enabled and the SMKI's clock is not a TravellingClock.
    """
    app = _Application(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    count_requests(app, smki)
    add_time_header(app, smki.clock)
    is_allowed = check_hosts(app, smki, options.hosts)
    admit_readers(app, smki, options.read_access)
    app.register_blueprint(certificate_service(smki))
    app.register_blueprint(rest_service(smki))
    app.register_blueprint(revocation_lists(smki))
    app.register_blueprint(extracts(smki))
    app.register_blueprint(org_crypto(smki, publish_test_keys=options.publish_test_keys))

    # Every page says what the certificates are (SEC H14.11).
    app.jinja_env.globals["policy"] = policy_text(smki.configuration.policy_oid)

    @app.get("/")
    def index() -> str:
        return render_template(
            "index.html",
            version=__version__,
            authorities=smki.authorities(),
            example=next(
                smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.ORGANISATION,)), limit=1), None
            ),
            certificates=smki.ledger.count_certificates(),
            base=request.url_root,
            other_time=None if is_real(smki.clock) else iso(smki.clock.now()),
            publish_test_keys=options.publish_test_keys,
            faults=None if faults is None else sum(not one.is_over for one in faults.all()),
        )

    add_health_checks(app, smki)
    if options.access_log:
        log_requests(app)
    if faults is not None:
        misbehave(app, smki, faults)

    _handle_errors(app, smki)
    if options.read_access is ReadAccess.OPEN and faults is None and not options.access_log:
        app.wsgi_app = LookUps(app.wsgi_app, smki, is_allowed, MAX_BODY_BYTES)  # type: ignore[method-assign]
    app.wsgi_app = SecurityHeaders(app.wsgi_app)  # type: ignore[method-assign]
    if options.base_path:
        elsewhere = SecurityHeaders(_outside_base_path(options.base_path))
        app.wsgi_app = DispatcherMiddleware(elsewhere, {options.base_path: app.wsgi_app})  # type: ignore[method-assign]
    return app


_MAX_DIGITS = 18
_MAX_NUMBER = 2**63 - 1


class _BoundedInteger(IntegerConverter):
    """A number in a path. One that is too large for the ledger becomes the largest possible, which identifies nothing."""

    def to_python(self, value: str) -> int:
        """Convert decimal digits to a number."""
        return int(value) if len(value) <= _MAX_DIGITS else _MAX_NUMBER


class _NoSessions(SessionInterface):
    """The Repository has no sessions."""

    def __init__(self) -> None:
        self._session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the empty session, which nobody can write to."""
        return self._session


class _Application(Flask):
    """A Flask application that bounds numbers in paths and escapes untrusted text in pages and in the log."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.url_map.converters["int"] = _BoundedInteger
        self.jinja_env.finalize = _visible_in_page
        self.session_interface = _NoSessions()

    # The following three take a third of the time of Flask's own part in a look-up.

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view or hook as it is: none of them is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the adapter that matches a request's path; no route depends on the host, which is checked elsewhere."""
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        return MapAdapter(
            self.url_map,
            environ.get("HTTP_HOST") or environ["SERVER_NAME"],
            environ["SCRIPT_NAME"],
            "",
            environ["wsgi.url_scheme"],
            environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),
            environ["REQUEST_METHOD"],
            environ["QUERY_STRING"],
        )

    def log_exception(self, exc_info: Any) -> None:
        """Log an unexpected error, with the path escaped: a line break in it could forge a log line."""
        self.logger.error("Exception on %s [%s]", visible(request.path), visible(request.method), exc_info=exc_info)


def _visible_in_page(value: object) -> object:
    """Escape control, invisible and bidirectional characters in a text that a template inserts."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _handle_errors(app: Flask, smki: Smki) -> None:
    """Answer errors in the format of the service that was called."""

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        is_api = request.path.startswith("/api/")
        if status == 413:
            _drain()
            seen, expected, remedy = (
                "a body that is too large",
                f"at most {request.max_content_length} bytes",
                "Send less at a time.",
            )
        else:
            seen, expected = f"{error.name} ({request.method} {request.path})", ""
            remedy = f"see {'/api/docs' if is_api else '/'} for the available services"
        problem = Problem(
            code=f"http.{status}", subject="request", seen=seen, expected=expected, clause="RFC 9110", remedy=remedy
        )
        if request.path in (SEARCH, RETRIEVE) and status == 413:
            return invalid_request(smki, problem)
        if is_api:
            response = problem_details([problem], status, error.name)
        else:
            response = Response(f"{visible(seen)}; {expected or remedy}\n", status, mimetype="text/plain")
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    @app.errorhandler(SmkiError)
    def unavailable(error: SmkiError) -> Response:
        # The services handle their own errors. This is for errors raised before they are called, and for other pages.
        if request.path in (SEARCH, RETRIEVE):
            return answer_without_result(smki, 503, problem_text(error.problems[0], Interface.REST))
        if request.path.startswith("/api/"):
            return problem_details(error.problems, 503)
        return Response(f"{error.text(Interface.REST)}\n", 503, mimetype="text/plain")


def _outside_base_path(base_path: str) -> Response:
    """Return the response to a request outside the base path."""
    return Response(f"everything is served below {base_path}/\n", 404, mimetype="text/plain")


def _drain() -> None:
    stream = request.environ["wsgi.input"]
    left = MAX_DRAINED_BYTES
    while left > 0 and (chunk := stream.read(1 << 16)):
        left -= len(chunk)
