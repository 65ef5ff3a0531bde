"""One connection of a client: the requests that arrive on it, and the responses that it reads."""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from typing import Protocol

import httptools

from smki_repository.http.answer import HttpAnswer, refusal
from smki_repository.http.limits import ServerLimits
from smki_repository.http.request import BadRequest, Request

LINGER_SECONDS = 2.0
"""Seconds for which input is discarded after a refusal, so that the client can read it before the connection is closed."""

HIGH_WATER_BYTES = 64 * 1024
"""Number of unsent bytes of a response beyond which no more of it is made."""


class State(enum.Enum):
    """What the server waits for."""

    IDLE = enum.auto()
    """The next request."""
    HEAD = enum.auto()
    """The rest of a head."""
    BODY = enum.auto()
    """The rest of a body."""
    WORKING = enum.auto()
    """The application."""
    WRITING = enum.auto()
    """The client, to read the response."""
    CLOSING = enum.auto()
    """The client, to read the last response and to close the connection."""


_WAITING_FOR_REQUEST = (State.IDLE, State.HEAD, State.BODY, State.CLOSING)


class Owner(Protocol):
    """What a connection needs of the worker that has it."""

    limits: ServerLimits
    is_stopping: bool
    bodies_bytes: int
    """Size of all request bodies that are being received."""

    def now(self) -> float:
        """Return the time of the event loop."""

    def add(self, connection: Connection) -> None:
        """Register a connection."""

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has been closed."""

    def submit(self, connection: Connection, request: Request) -> None:
        """Have a request answered: call :meth:`Connection.answered` later."""

    def make_more(self, connection: Connection, made: HttpAnswer) -> None:
        """Have the next part of a response made: call :meth:`Connection.made_more` later."""


class Connection(asyncio.Protocol):
    """A connection; its methods are called by the event loop."""

    __slots__ = (
        "_answer", "_arrived", "_in_body", "_is_last", "_is_making", "_is_paused", "_parser", "_queue", "_request", "_sent", "_stalled_since",
        "_transport", "_upgrade", "_worker", "_writing_since", "_written", "address", "since", "state",
    )  # fmt: skip

    def __init__(self, worker: Owner) -> None:
        self._worker = worker
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[Request] = deque()
        self._request: Request | None = None
        self._upgrade: Request | None = None
        self._answer: HttpAnswer | None = None
        self._arrived = self._written = self._sent = 0
        self._in_body = self._is_paused = self._is_last = self._is_making = False
        self._stalled_since = self._writing_since = self.since = worker.now()
        self.address = ""
        self.state = State.HEAD  # the first head is due at once

    # Called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(HIGH_WATER_BYTES, 0)
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if isinstance(peer, tuple) else ""
        self._worker.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Forget the connection, and release what its response holds."""
        self._drop_request()
        self._worker.remove(self)
        if self._answer is not None and not self._is_making:
            self._answer.close()
        self._answer = None
        self._queue.clear()

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request, or several requests."""
        self._arrived += len(data)
        if self.state is State.CLOSING:
            if self._arrived > self._worker.limits.discarded_bytes:
                self._transport.abort()
            return
        if self._is_last:
            return
        if self.state is State.IDLE:
            self._wait(State.HEAD)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            # What a callback raises is the context of the parser's error.
            cause = error.__context__
            refused = cause if isinstance(cause, BadRequest) else BadRequest("the request is not HTTP/1.1")
            self._refuse_next(refused.status, str(refused))
        if self.state is State.HEAD and self._arrived > self._worker.limits.head_bytes:
            self._refuse_next(431, f"the head of a request may have {self._worker.limits.head_bytes} bytes")
        if self.state is State.BODY and self._arrived - self.received_bytes > self._worker.limits.framing_bytes:
            self._refuse_next(413, "the chunks or trailers of the request are too large")

    def _parse(self, data: bytes) -> None:
        """Parse what has arrived. A request to upgrade to another protocol is answered without it (RFC 9110 7.8).

        The parser takes what follows the head of such a request for the other protocol, the body too. Therefore the
        head is parsed again without the header Upgrade.
        """
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                asked = self._upgrade
                if asked is None:
                    self._is_last = True  # CONNECT
                    return
                self._upgrade = None
                self._parser = httptools.HttpRequestParser(self)
                data = asked.head_without_upgrade() + data[upgrade.args[0] :]
            else:
                return

    def eof_received(self) -> bool:
        """Answer what has been received before the client closed its side; return whether anything is left to send."""
        self._is_last = True
        return self.state in (State.WORKING, State.WRITING)

    def pause_writing(self) -> None:
        """Stop making more of the response: the client does not read."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Go on with the response."""
        self._is_paused = False
        if self.state is State.WRITING:
            self._go_on()

    # Called by the parser

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._request = Request()

    def on_url(self, part: bytes) -> None:
        """Receive a part of the request's target."""
        assert self._request is not None
        self._request.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Receive a header."""
        request = self._request
        assert request is not None
        if self._in_body:
            return  # a trailer, which is not part of the head (RFC 9110 6.5.1)
        request.headers.append((name, value))
        if len(request.headers) > self._worker.limits.headers:
            raise BadRequest(f"a request may have {self._worker.limits.headers} header lines", 431)
        if len(name) == 6 and name.lower() == b"expect":
            request.expects_continue = value.lower() == b"100-continue"
        elif len(name) == 17 and name.lower() == b"transfer-encoding":
            # Another coding would be passed on as it is, and a second line can be read in two ways.
            if value.lower() != b"chunked" or request.is_chunked:
                raise BadRequest("the only transfer coding that is understood is chunked", 501)
            request.is_chunked = True

    def on_headers_complete(self) -> None:
        """Receive the end of the head."""
        request = self._request
        assert request is not None
        request.method = self._parser.get_method().decode("ascii")
        request.version = f"HTTP/{self._parser.get_http_version()}"
        if self._parser.should_upgrade() and request.method != "CONNECT":
            self._upgrade = request
            return
        request.keep_alive = self._parser.should_keep_alive()
        if self._arrived > self._worker.limits.head_bytes:
            self._check_head(request)  # which may have arrived at once, with its body
        if request.version != "HTTP/1.1":
            request.expects_continue = False
            if request.is_chunked:
                raise BadRequest("HTTP/1.0 has no transfer codings")  # RFC 9112 6.1
        self._in_body = True
        if self.state is State.HEAD:
            self._wait_for_body(request)

    def _check_head(self, request: Request) -> None:
        if request.head_bytes > self._worker.limits.head_bytes:
            raise BadRequest(f"the head of a request may have {self._worker.limits.head_bytes} bytes", 431)

    def _wait_for_body(self, request: Request) -> None:
        self._wait(State.BODY)
        if request.expects_continue:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Receive a part of the body."""
        request, limits = self._request, self._worker.limits
        assert request is not None
        request.body_bytes += len(part)
        if request.body_bytes > limits.discarded_bytes:
            raise BadRequest(f"a request body may have {limits.body_bytes} bytes", 413)
        if request.is_refused:
            return
        request.body += part
        self._worker.bodies_bytes += len(part)
        # One byte more than allowed is passed on, so that the application refuses it in its own format.
        request.is_refused = request.body_bytes > limits.body_bytes

    def on_message_complete(self) -> None:
        """Receive the end of a request."""
        request = self._request
        assert request is not None
        if self._upgrade is not None:
            return
        self._request = None
        self._in_body = False
        self._arrived = 0
        self._queue.append(request)
        if len(self._queue) > self._worker.limits.pipelined:
            # Thousands fit into what arrives at once, and parsing them would keep all other connections waiting.
            raise BadRequest(
                f"a client may send {self._worker.limits.pipelined} requests ahead of their responses", 429
            )
        self._work()

    # Called by the worker

    def answered(self, made: HttpAnswer) -> None:
        """Send the first part of a response."""
        if self._transport.is_closing():
            made.close()
            return
        self._answer = made
        self._writing_since = self._stalled_since = self._worker.now()
        self._written, self._sent = self._transport.get_write_buffer_size(), 0
        self._wait(State.WRITING)
        self._write(made.first)

    def made_more(self, made: HttpAnswer, part: bytes | None) -> None:
        """Send another part of a response; None if the application cannot make it, so that the response is cut off."""
        self._is_making = False
        if part is not None and not self._transport.is_closing():
            self._write(part)
            return
        made.close()
        self._answer = None
        self._transport.abort()

    def check(self, now: float) -> None:
        """Close the connection if its client has missed a deadline."""
        limits, waited = self._worker.limits, now - self.since
        unsent = self._transport.get_write_buffer_size()
        if unsent:
            sent = self._written - unsent
            if sent > self._sent:
                self._sent, self._stalled_since = sent, now
            due = (now - self._writing_since - limits.grace_seconds) * limits.least_rate
            if now - self._stalled_since > limits.stall_seconds or sent < due:
                self._transport.abort()
        elif (self.state is State.IDLE and waited > limits.idle_seconds) or (
            self.state is State.CLOSING and waited > LINGER_SECONDS
        ):
            self._transport.abort()
        elif self.state is State.HEAD and waited > limits.head_seconds:
            self.refuse(408, "the head of the request took too long")
        elif self.state is State.BODY and waited > limits.body_seconds:
            self.refuse(408, "the body of the request took too long")

    def refuse(self, status: int, reason: str) -> None:
        """Send a refusal, and close the connection."""
        self._drop_request()
        self._queue.clear()
        self._written, self._sent = 0, 0
        self._writing_since = self._stalled_since = self._worker.now()
        made = refusal(status, reason)
        self._wait(State.CLOSING)
        self._written = len(made.first)
        self._transport.resume_reading()
        self._transport.write(made.first)
        self._transport.write_eof()

    def abort(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def close_when_done(self) -> None:
        """Close the connection after the request that has begun to arrive, if any; the server stops."""
        if self.state is State.IDLE or (self.state is State.HEAD and not self._arrived):
            self._transport.close()

    @property
    def waiting_since(self) -> float | None:
        """The time since which the server has been waiting for the client; None if the client is waiting for the server."""
        if self.state in _WAITING_FOR_REQUEST:
            return self.since
        return self._stalled_since if self._transport.get_write_buffer_size() else None

    @property
    def unsent_bytes(self) -> int:
        """Number of bytes that the client has not read yet."""
        return self._transport.get_write_buffer_size()

    @property
    def received_bytes(self) -> int:
        """Number of bytes of the body that is being received."""
        return self._request.body_bytes if self._request is not None else 0

    # Internal

    def _wait(self, state: State) -> None:
        self.state = state
        self.since = self._worker.now()

    def _work(self) -> None:
        """Pass the next request on, unless another is being answered."""
        if not self._queue or self.state in (State.WORKING, State.WRITING, State.CLOSING):
            return
        request = self._queue.popleft()
        self._transport.pause_reading()
        self._wait(State.WORKING)
        self._worker.bodies_bytes -= len(request.body)
        self._worker.submit(self, request)

    def _write(self, part: bytes) -> None:
        self._written += len(part)
        self._transport.write(part)
        if not self._is_paused:
            self._go_on()

    def _go_on(self) -> None:
        """Make more of the response, or finish it."""
        made = self._answer
        assert made is not None
        if not made.is_whole:
            self._is_making = True
            self._worker.make_more(self, made)
            return
        made.close()
        self._answer = None
        if not made.keep_alive or self._worker.is_stopping or (self._is_last and not self._queue):
            self._wait(State.CLOSING)
            self._transport.close()
            return
        if self._request is not None and self._in_body:
            self._wait_for_body(self._request)
        else:
            self._wait(State.IDLE if self._request is None else State.HEAD)
        if self._queue:
            self._work()
        else:
            self._transport.resume_reading()

    def _refuse_next(self, status: int, reason: str) -> None:
        """Refuse what is being received, or close the connection after the requests that arrived before it."""
        if self.state in (State.WORKING, State.WRITING):
            self._is_last = True
        else:
            self.refuse(status, reason)

    def _drop_request(self) -> None:
        for request in (self._request, *self._queue):
            if request is not None:
                self._worker.bodies_bytes -= len(request.body)
        self._request = None
