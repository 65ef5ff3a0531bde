"""What time it is, on every answer where it is not the present; and requests that say when they are asked."""

from __future__ import annotations

from flask import Flask, Response, request

from smki.clock import AdjustableClock, Clock, HomeClock, RealClock, TravellingClock, iso, parse_moment
from smki.problem import Malformed
from smki.remedies import Interface

TIME_HEADER = "X-SMKI-Time"


def is_real(clock: Clock) -> bool:
    """Whether a clock tells the present, so that there is nothing to say about it."""
    if isinstance(clock, TravellingClock) and not clock.by_header:
        return not clock.is_travelling and is_real(clock.base)
    return isinstance(clock, RealClock) or (isinstance(clock, HomeClock | AdjustableClock) and clock.setting == "real")


def tell_the_time(app: Flask, clock: Clock) -> None:
    """Have the application tell the time on every answer, and, with a TravellingClock, take it from every request."""

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
    def tell(response: Response) -> Response:
        if not is_real(clock):
            response.headers[TIME_HEADER] = iso(clock.now())
        return response
