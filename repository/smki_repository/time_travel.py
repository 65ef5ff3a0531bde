"""The header X-SMKI-Time: the time of the SMKI on responses, and the time at which to answer on requests."""

from __future__ import annotations

from flask import Flask, Response, request

from smki.clock import AdjustableClock, Clock, HomeClock, RealClock, TravellingClock, iso, parse_moment
from smki.problem import Malformed
from smki.remedies import Interface

TIME_HEADER = "X-SMKI-Time"


def is_real(clock: Clock) -> bool:
    """Return whether a clock shows the real time, so that responses need no header."""
    if isinstance(clock, TravellingClock) and not clock.by_header:
        return not clock.is_travelling and is_real(clock.base)
    return isinstance(clock, RealClock) or (isinstance(clock, HomeClock | AdjustableClock) and clock.setting == "real")


def add_time_header(app: Flask, clock: Clock) -> None:
    """Send the time on every response unless it is real, and with a TravellingClock read it from every request."""

    @app.before_request
    def travel() -> Response | None:
        if not isinstance(clock, TravellingClock):
            return None
        clock.travel(None)
        wanted = request.headers.get(TIME_HEADER) if clock.by_header else None
        try:
            clock.travel(parse_moment(wanted) if wanted is not None else None)
        except Malformed as error:
            return Response(f"{TIME_HEADER}: {error.text(Interface.REST)}\n", 400, mimetype="text/plain")
        return None

    @app.after_request
    def add_header(response: Response) -> Response:
        if not is_real(clock):
            response.headers[TIME_HEADER] = iso(clock.now())
        if isinstance(clock, TravellingClock) and clock.by_header:
            response.vary.add(TIME_HEADER)  # a cache must not give one time's response at another
        return response
