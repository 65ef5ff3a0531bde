"""HTTP requests to a server that may be slow, broken or hostile, with limits on time, size and redirects."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from smki.problem import Malformed, Problem, SmkiError

MAX_REDIRECTS = 3
_URL = re.compile(r"[!-~]{1,2048}")
"""Visible ASCII (RFC 3986 2); other characters must be percent-encoded, and host names in their ASCII form."""
_MAX_HEADER = 1024
"""Maximum length of a header value that is repeated in the next request, in characters."""
_MAX_CHUNK_LINE = 1024
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_CHUNK = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_AGAIN = (429, 500, 502, 503, 504)


class RepositoryError(SmkiError):
    """Raised when a Repository cannot be reached, or its response cannot be used."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete response from a server."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type, without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on requests to a server."""

    seconds: float = 10.0
    """Seconds for one request in total, including redirects and retries."""
    connect_seconds: float = 3.0
    attempts: int = 3
    """Maximum number of attempts when the server fails or cannot be reached."""
    back_off: float = 0.2
    """Seconds to wait before the second attempt; doubled before each later one."""


class _Again(Exception):
    """Raised when an attempt failed in a way that may be temporary."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class Transport:
    """Sends requests to one server. Safe for threads: every request has its own connection.

    :param url: the server's base URL, http or https.
    :raises Malformed: if it is not a valid URL.
    """

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        self.url = url.rstrip("/") + "/"
        self.limits = limits or Limits()
        split_url(self.url)

    def ask(
        self,
        path: str,
        *,
        max_bytes: int,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request: GET, or POST if there is a body.

        :raises RepositoryError: if there is no complete response within the limits.
        """
        deadline = time.monotonic() + self.limits.seconds
        url = urljoin(self.url, path.lstrip("/"))
        pause = self.limits.back_off
        attempt = 0
        while True:
            attempt += 1
            is_last = attempt >= self.limits.attempts
            try:
                reply = self._follow(url, body, dict(headers or {}), max_bytes, deadline)
                if reply.status not in _AGAIN or is_last:
                    return reply
            except _Again as failure:
                if is_last or time.monotonic() + pause >= deadline:
                    raise RepositoryError(failure.problem) from None
            if time.monotonic() + pause >= deadline:
                raise RepositoryError(_timeout(url, self.limits.seconds))
            time.sleep(pause)
            pause *= 2

    def _follow(self, url: str, body: bytes | None, headers: dict[str, str], max_bytes: int, deadline: float) -> Reply:
        start = url
        for _ in range(MAX_REDIRECTS + 1):
            reply = self._once(url, body, headers, max_bytes, deadline)
            location = reply.headers.get("location")
            if reply.status not in _REDIRECTS or body is not None or not location:
                return reply
            further = _redirected(start, url, location)
            url = further
        problem = Problem(
            code="repository.redirect",
            subject=start,
            seen=f"more than {MAX_REDIRECTS} redirects",
            expected="a response",
        )
        raise RepositoryError(problem)

    def _once(self, url: str, body: bytes | None, headers: dict[str, str], max_bytes: int, deadline: float) -> Reply:
        left = deadline - time.monotonic()
        if left <= 0:
            raise RepositoryError(_timeout(url, self.limits.seconds))
        connection = _connection(split_url(url), min(left, self.limits.connect_seconds))
        expired = threading.Event()
        # Kept here because the connection drops its reference to the socket once the response has it.
        sockets: list[socket.socket] = []

        def cut() -> None:
            # A socket's own timeout restarts with every byte received; this one does not.
            expired.set()
            for one in sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(left, cut)
        timer.daemon = True
        timer.start()
        try:
            connection.connect()
            assert connection.sock is not None
            sockets.append(connection.sock)
            connection.sock.settimeout(max(0.01, deadline - time.monotonic()))
            target = split_url(url)
            path = (target.path or "/") + (f"?{target.query}" if target.query else "")
            connection.request("POST" if body is not None else "GET", path, body=body, headers=headers)
            with connection.getresponse() as response:
                return _read(url, response, max_bytes, expired)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: raised by http.client and the IDNA codec for invalid URLs, headers and numbers.
            if time.monotonic() >= deadline:
                raise RepositoryError(_timeout(url, self.limits.seconds)) from None
            seen = visible(str(error)) or type(error).__name__
            raise _Again(
                Problem(
                    code="repository.unreachable", subject=url, seen=seen[:200], expected="a complete HTTP response"
                )
            ) from None
        finally:
            timer.cancel()
            connection.close()


def _read(url: str, response: http.client.HTTPResponse, max_bytes: int, expired: threading.Event) -> Reply:
    promised = response.length
    if promised is not None and promised > max_bytes:
        raise RepositoryError(_too_large(url, f"{promised} bytes promised", max_bytes))
    chunks: list[bytes] = []
    size = 0
    for chunk in _chunks(response):
        size += len(chunk)
        if size > max_bytes:
            raise RepositoryError(_too_large(url, f"more than {size - 1} bytes", max_bytes))
        chunks.append(chunk)
    if expired.is_set():
        raise TimeoutError
    if promised is not None and size < promised:
        raise http.client.IncompleteRead(b"", promised - size)
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, b"".join(chunks))


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the body in chunks."""
    if response.status in (204, 304):
        return
    if not response.chunked:
        while part := response.read(_CHUNK):
            yield part
        return
    # http.client treats a chunk size of "-1" as everything up to the end of the stream, and keeps it in memory.
    while left := _chunk_size(_line(response)):
        while left:
            part = response.fp.read(min(left, _CHUNK))
            if not part:
                raise http.client.IncompleteRead(b"", left)
            left -= len(part)
            yield part
        if _line(response) not in (b"\r\n", b"\n"):
            raise http.client.HTTPException("a chunk that is not followed by an end of line")


def _line(response: http.client.HTTPResponse) -> bytes:
    return response.fp.readline(_MAX_CHUNK_LINE)


def _chunk_size(line: bytes) -> int:
    found = _CHUNK_SIZE.fullmatch(line)
    if found is None:
        raise http.client.HTTPException(f"a chunk with size {line[:20]!r}")
    return int(found[1], 16)


def is_header_value(text: str) -> bool:
    """Return whether a text can be sent as a header value: visible ASCII of limited length (RFC 9110 5.5)."""
    return 0 < len(text) <= _MAX_HEADER and text.isascii() and text.isprintable()


def _redirected(start: str, url: str, location: str) -> str:
    """Return the URL that a redirect leads to.

    :raises RepositoryError: if it is not an HTTP URL, or leads from https to http.
    """
    expected = "a redirect to http://HOST or https://HOST, in ASCII"
    with contextlib.suppress(ValueError, Malformed):
        further = urljoin(url, location)
        if _URL.fullmatch(location):
            if split_url(further).scheme == "https" or urlsplit(url).scheme == "http":
                return further
            expected = "https throughout"
    seen = f"a redirect to {visible(location)}"
    raise RepositoryError(
        Problem(code="repository.redirect", subject=start, seen=seen, expected=expected, clause="RFC 9110 15.4")
    )


def visible(text: str) -> str:
    """Return text from a server, truncated, with control and non-ASCII characters escaped."""
    return text[:200].encode("unicode_escape").decode("ascii")


def split_url(url: str) -> SplitResult:
    """Return the parts of the URL of a Repository.

    :raises Malformed: unless it is an http or https URL with a host, in at most 2,048 visible ASCII characters.
    """
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError if it is not a number of a port
        if parts.scheme in ("http", "https") and parts.hostname and _URL.fullmatch(url):
            return parts
    raise Malformed(
        Problem(code="url.malformed", subject="URL", seen=repr(url[:200]), expected="http://HOST:PORT or https://HOST")
    )


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    assert parts.hostname is not None
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def _timeout(url: str, seconds: float) -> Problem:
    return Problem(
        code="repository.timeout",
        subject=url,
        seen=f"no complete response within {seconds:g} s",
        expected="a response in time",
    )


def _too_large(url: str, seen: str, max_bytes: int) -> Problem:
    return Problem(code="repository.too-large", subject=url, seen=seen, expected=f"at most {max_bytes} bytes")
