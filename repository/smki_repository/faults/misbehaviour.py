"""Inject the configured faults into an application's responses, and announce them in a header."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import Flask, Response, g, request
from werkzeug.http import http_date

from smki.clock import NO_WELL_DEFINED_EXPIRY, TravellingClock
from smki.home.smki import Smki
from smki.problem import NotFound, NotReady, Problem, problem_text
from smki.remedies import Interface
from smki_repository.certificate_service import RETRIEVE, SEARCH, answer_without_result
from smki_repository.faults.fault import Fault, FaultKind, current_list
from smki_repository.faults.register import Faults
from smki_repository.faults.service import FAULTS, faults_service
from smki_repository.problem_details import problem_details
from smki_repository.revocation_lists import KINDS, answer_list, current_list_of, missing_list

FAULTS_HEADER = "X-SMKI-Faults"
"""Header of every response: ``on``, or ``on; fault=KIND; id=NUMBER`` if a fault was injected."""

DRIP_SECONDS = 0.1
"""Seconds between the pieces of a dripping body."""

_SECONDS_BEFORE_CUT = 0.1
"""Seconds to wait after half of the body before the connection is closed, so that the server has sent that half."""

_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_RANGE", "HTTP_RANGE")
_PHRASES = {401: "Invalid search parameters", 402: "Nothing found"}


def misbehave(app: Flask, smki: Smki, faults: Faults) -> None:
    """Inject faults into the application's responses, and add the service at ``/faults``.

    :param smki: the SMKI that the application serves. Its clock must be a TravellingClock.
    :raises ValueError: if it is not.
    """
    clock = smki.clock
    if not isinstance(clock, TravellingClock):
        raise ValueError("faults require a TravellingClock")
    app.register_blueprint(faults_service(faults))

    @app.before_request
    def strike() -> Response | None:
        g.fault = None
        if request.path == FAULTS or request.path.startswith(f"{FAULTS}/"):
            return None
        g.fault = faults.strike(request.method, request.path)
        return _before(g.fault.fault, smki, clock, faults) if g.fault is not None else None

    @app.after_request
    def announce(response: Response) -> Response:
        one = g.get("fault")
        response.headers[FAULTS_HEADER] = "on" if one is None else f"on; fault={one.fault.kind}; id={one.id}"
        if one is not None:
            _after(one.fault, response, clock, faults)
        return response


def _before(fault: Fault, smki: Smki, clock: TravellingClock, faults: Faults) -> Response | None:
    """Apply the part of a fault that precedes the handling of the request; return a response if that replaces it."""
    if fault.kind.is_of_lists or fault.kind.is_of_bodies or fault.kind is FaultKind.WRONG_CONTENT_TYPE:
        # Otherwise a client with a cached copy would receive 304 and never see the fault.
        for name in _CONDITIONS:
            request.environ.pop(name, None)
    match fault.kind:
        case FaultKind.STATUS:
            assert fault.status is not None
            return _status(smki, fault.status)
        case FaultKind.SLOW:
            faults.pause(fault.delay or 0)
        case FaultKind.WRONG_CLOCK:
            clock.travel(_shifted(clock.now(), fault.shift or 0))
        case FaultKind.STALE_LIST | FaultKind.OTHER_AUTHORITY:
            return _list(fault.kind, smki)
    return None


def _list(wanted: FaultKind, smki: Smki) -> Response:
    """Return a revocation list other than the requested one."""
    asked_for = current_list(request.path)
    assert asked_for is not None
    suffix, issuer = asked_for
    if wanted is FaultKind.OTHER_AUTHORITY:
        other = smki.lists(next(kind for name, kind in KINDS.items() if name != suffix))
        record = current_list_of(other, smki.clock)
        return missing_list() if record is None else answer_list(record, "no-store")
    try:
        return answer_list(smki.lists(KINDS[suffix], issuer).overdue(), "no-store")
    except (NotReady, NotFound) as error:
        status = 404 if isinstance(error, NotFound) else 503
        return Response(f"{problem_text(error.problems[0], Interface.REST)}\n", status, mimetype="text/plain")


def _status(smki: Smki, status: int) -> Response:
    standard = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "No standard status"
    if request.path in (SEARCH, RETRIEVE):
        return answer_without_result(smki, status, _PHRASES.get(status, standard))
    if request.path.startswith("/api/"):
        return problem_details(
            [Problem(code=f"http.{status}", subject="request", seen=f"{standard}: an injected fault")], status
        )
    return Response(f"{status} {standard}: an injected fault\n", status, mimetype="text/plain")


def _after(fault: Fault, response: Response, clock: TravellingClock, faults: Faults) -> None:
    """Apply a fault to the response."""
    # The effect must end when the fault is cleared: nothing may be cached, and without validators no client can later be
    # told that its truncated or mislabelled copy is still current.
    response.headers["Cache-Control"] = "no-store"
    if fault.kind in (FaultKind.TRUNCATED_BODY, FaultKind.WRONG_CONTENT_TYPE):
        response.headers.pop("ETag", None)
        response.headers.pop("Last-Modified", None)
    if fault.kind.is_of_bodies:
        response.direct_passthrough = False
        body = response.get_data()
        match fault.kind:
            case FaultKind.TRUNCATED_BODY:
                response.set_data(body[: len(body) // 2])
            case FaultKind.DRIPPING:
                response.response = _dripping(body, fault.delay or 0, faults)
                response.content_length = len(body)
            case FaultKind.DROPPED_CONNECTION:
                # At least 1, so that something is missing even from an empty body.
                response.response = _half(body)
                response.content_length = len(body) or 1
    elif fault.kind is FaultKind.WRONG_CONTENT_TYPE:
        response.headers["Content-Type"] = fault.content_type or ""
    elif fault.kind is FaultKind.WRONG_CLOCK:
        response.headers["Date"] = http_date(clock.now())


def _half(body: bytes) -> Iterator[bytes]:
    """Yield half of a body. The Content-Length is that of the whole, so the server must then close the connection."""
    yield body[: len(body) // 2]
    time.sleep(_SECONDS_BEFORE_CUT)


def _dripping(body: bytes, seconds: float, faults: Faults) -> Iterator[bytes]:
    pieces = max(1, min(len(body), int(seconds / DRIP_SECONDS)))
    for number in range(pieces):
        yield body[len(body) * number // pieces : len(body) * (number + 1) // pieces]
        faults.pause(seconds / pieces)


def _shifted(moment: datetime, seconds: int) -> datetime:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return NO_WELL_DEFINED_EXPIRY
