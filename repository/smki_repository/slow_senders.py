"""Protection against clients that send a request body slowly, or not at all.

Each of them occupies a thread, and the server has no timeout for request bodies. Therefore only some of the threads may
wait for bodies at a time. Further requests with a body are answered with 503; those without a body are not affected.
"""

from __future__ import annotations

import threading
from typing import IO, TYPE_CHECKING

from smki.problem import Problem, SmkiError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


PATIENCE_SECONDS = 0.05
"""Seconds that a request with a body waits before it is refused: under load, bodies that have already arrived may briefly
use up the limit."""


class TooManyBodies(SmkiError):
    """Raised if too many threads are waiting for request bodies: HTTP 503."""


class BodyLimit:
    """WSGI middleware that limits how many threads wait for request bodies at a time.

    :param most: the maximum number of threads.
    """

    def __init__(self, application: WSGIApplication, most: int) -> None:
        self._application = application
        self._places = threading.BoundedSemaphore(most)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"], self._places)
        return self._application(environ, start_response)


class _Body:
    """A request body whose reads count towards the limit.

    :raises TooManyBodies: if the limit has been reached.
    """

    def __init__(self, stream: IO[bytes], places: threading.BoundedSemaphore) -> None:
        self._stream = stream
        self._places = places

    def read(self, encoded: int = -1) -> bytes:
        """Read up to a number of bytes, or all of them."""
        if not self._places.acquire(timeout=PATIENCE_SECONDS):
            expected, remedy = "a body that can be read at once", "Send it again in a moment."
            raise TooManyBodies(
                Problem(
                    code="request.too-many-slow",
                    subject="request body",
                    seen="the server is waiting for too many others",
                    expected=expected,
                    remedy=remedy,
                )
            )
        try:
            return self._stream.read(encoded)
        finally:
            self._places.release()
