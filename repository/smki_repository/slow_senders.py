"""Clients that send the head of a request and are slow with its body, or never send it, do not keep others waiting.

A thread waits for each of them, and the server offers no time limit for that. So only some of the threads may wait for
bodies at a time: whoever comes with a body beyond that is told to come again, and what needs none is answered as ever.
"""

from __future__ import annotations

import threading
from typing import IO, TYPE_CHECKING

from smki.problem import Problem, SmkiError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


PATIENCE_SECONDS = 0.05
"""So long whoever comes with a body waits for a place: under load all may be taken for a moment by bodies that are there."""


class TooManyBodies(SmkiError):
    """So many bodies are being waited for that none more can be: HTTP 503."""


class BodiesAtATime:
    """A layer around a WSGI application that lets so many of its threads wait for bodies at a time.

    :param most: so many.
    """

    def __init__(self, application: WSGIApplication, most: int) -> None:
        self._application = application
        self._places = threading.BoundedSemaphore(most)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"], self._places)
        return self._application(environ, start_response)


class _Body:
    """The body of a request, of which each reading takes a place.

    :raises TooManyBodies: when there is none.
    """

    def __init__(self, stream: IO[bytes], places: threading.BoundedSemaphore) -> None:
        self._stream = stream
        self._places = places

    def read(self, encoded: int = -1) -> bytes:
        """Read some bytes, or all of them."""
        if not self._places.acquire(timeout=PATIENCE_SECONDS):
            expected, remedy = "a body that can be read at once", "Send it again in a moment."
            raise TooManyBodies(
                Problem(
                    code="request.too-many-slow",
                    subject="request body",
                    seen="too many are being waited for",
                    expected=expected,
                    remedy=remedy,
                )
            )
        try:
            return self._stream.read(encoded)
        finally:
            self._places.release()
