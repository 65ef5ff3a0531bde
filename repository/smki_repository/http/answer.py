"""Run a WSGI application for one request, in a thread of the application."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PIECE_BYTES = 128 * 1024
"""Number of bytes of a long response that are made at a time."""
PIECE_SECONDS = 0.02
"""Time after which what has been made of a response is sent, even if it is less."""

_log = logging.getLogger("smki.server")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_WITHOUT_BODY = frozenset((204, 304))


class HttpAnswer:
    """A response: its head, and a body that is made piece by piece.

    :param is_head: whether the request was HEAD, so that the body is not sent.
    :param keep_alive: whether the client wants to keep the connection.
    :param is_http_10: whether the client speaks HTTP/1.0, so that a body of unknown length ends with the connection.
    """

    __slots__ = ("_chunked", "_left", "_pieces", "_source", "first", "is_whole", "keep_alive")

    def __init__(
        self, first: bytes, pieces: Iterator[bytes], source: object, left: int | None, *, chunked: bool
    ) -> None:
        self.first = first
        self._pieces = pieces
        self._source = source
        self._left = left
        self._chunked = chunked
        self.is_whole = False
        self.keep_alive = True

    def more(self) -> bytes:
        """Return the next part of the response; afterwards :attr:`is_whole` tells whether it was the last.

        :raises Exception: what the application raises while it makes its body.
        """
        made: list[bytes] = []
        size, until = 0, time.monotonic() + PIECE_SECONDS
        while size < PIECE_BYTES:
            piece = next(self._pieces, None)
            if piece is None:
                self.is_whole = True
                break
            made.append(piece)
            size += len(piece)
            if time.monotonic() > until:
                break
        body = b"".join(made)
        if self._left is not None:
            body = body[: self._left]
            self._left -= len(body)
            if self.is_whole and self._left:
                self.keep_alive = False  # the body is shorter than announced
            self.is_whole = self.is_whole or not self._left
        if self._chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"0\r\n\r\n" if self.is_whole else b"")
        return body

    def close(self) -> None:
        """Release what the application keeps for the response."""
        close = getattr(self._source, "close", None)
        if close is not None:
            try:
                close()
            except Exception:
                _log.exception("cannot close a response")


def answer(
    application: WSGIApplication, environ: dict[str, Any], *, keep_alive: bool, date: Callable[[], str]
) -> HttpAnswer:
    """Run the application, and make the first part of its response: all of it, unless it is long.

    :param keep_alive: whether the connection can be kept.
    :param date: returns the current time for the header Date.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []  # what comes before the pieces of the response (PEP 3333)

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
        started.append((status, headers))
        return written.append

    source: Iterable[bytes] = ()
    try:
        source = application(environ, start_response)
        made = _answer(source, written, *started[-1], environ, keep_alive=keep_alive, date=date)
        made.first += made.more() if not made.is_whole else b""
    except Exception:
        _log.exception("the application failed")
        HttpAnswer(b"", iter(()), source, None, chunked=False).close()
        return refusal(500, "the request could not be answered")
    if made.is_whole:
        made.close()
    return made


def _answer(
    source: Iterable[bytes],
    written: list[bytes],
    status: str,
    headers: list[tuple[str, str]],
    environ: dict[str, Any],
    *,
    keep_alive: bool,
    date: Callable[[], str],
) -> HttpAnswer:
    lines = [f"HTTP/1.1 {status}"]
    length: int | None = None
    is_dated = False
    for name, value in headers:
        lower = name.lower()
        if lower == "content-length":
            length = int(value)
        elif lower == "date":
            is_dated = True
        lines.append(f"{lower}: {value}")
    has_no_body = environ["REQUEST_METHOD"] == "HEAD" or int(status[:3]) in _WITHOUT_BODY
    is_http_11 = environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    chunked = length is None and not has_no_body and is_http_11
    if length is None and not has_no_body and not is_http_11:
        keep_alive = False
    if chunked:
        lines.append("transfer-encoding: chunked")
    if not is_dated:
        lines.append(date())
    if not keep_alive:
        lines.append("connection: close")
    elif not is_http_11:
        lines.append("connection: keep-alive")
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    made = HttpAnswer(head, chain(written, source), source, length, chunked=chunked)
    made.keep_alive = keep_alive
    made.is_whole = has_no_body
    return made


def refusal(status: int, reason: str) -> HttpAnswer:
    """Return the response to a request that does not reach the application; the connection is closed after it."""
    body = f"{reason}\n".encode()
    head = (
        f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: text/plain; charset=utf-8\r\n"
        f"content-length: {len(body)}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    made = HttpAnswer(head.encode() + body, iter(()), None, None, chunked=False)
    made.is_whole, made.keep_alive = True, False
    return made
