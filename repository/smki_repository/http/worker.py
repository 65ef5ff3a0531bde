"""A worker process: its event loop, its connections and its threads."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING

from smki.clock import machine_seconds
from smki_repository.http.answer import HttpAnswer, answer, refusal
from smki_repository.http.connection import Connection, State
from smki_repository.http.limits import ServerLimits
from smki_repository.http.request import BadRequest, Request, base_environ
from smki_repository.http.threads import Threads

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SHORT_THREADS = 8
"""Number of threads that answer requests. Python runs one at a time; the others can wait for the ledger."""

LONG_THREADS = 4
"""Number of threads that make the rest of long responses, a piece at a time."""

SWEEP_SECONDS = 0.25
"""Seconds between two looks at the deadlines of all connections."""

ACCEPT_SECONDS = 0.5
"""Seconds to wait after a connection could not be accepted, for instance because too many files are open."""

SWITCH_SECONDS = 0.0005
"""Seconds after which a thread that makes a long response lets the event loop run (5 ms is Python's default)."""

IsQuick = Callable[[str, bytes], bool]
"""Tells from its method and target whether a request is answered in less than a millisecond, without waiting for anything."""

_log = logging.getLogger("smki.server")


class Worker:
    """Serves an application on a listening socket until it is told to stop.

    :param is_quick: which requests the event loop answers itself: handing such a request to a thread and its response back
        takes as long as answering it.
    :param health: the path that is answered by a thread of its own.
    :param stop_seconds: the time for requests that have begun to arrive when the server stops.
    """

    def __init__(
        self,
        application: WSGIApplication,
        listener: socket.socket,
        *,
        is_quick: IsQuick,
        health: str,
        stop_seconds: float,
        limits: ServerLimits,
    ) -> None:
        self.limits = limits
        self.is_stopping = False
        self.bodies_bytes = 0
        self._application = application
        self._listener = listener
        self._health = health.encode()
        self._stop_seconds = stop_seconds
        host, port = listener.getsockname()[:2]
        self._base = base_environ(host, port)
        self._loop = asyncio.new_event_loop()
        self._accepting: set[asyncio.Task[tuple[asyncio.Transport, Connection]]] = set()
        self._connections: dict[Connection, None] = {}
        self._clients: Counter[str] = Counter()
        self._short, self._long = Threads("request", SHORT_THREADS), Threads("long-response", LONG_THREADS)
        self._checks = Threads("health", 1)
        self._busy = 0
        self._waiting: dict[str, deque[tuple[Connection, Request]]] = {}
        self._date = (0, "")
        self._is_quick = is_quick

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""

        def stop() -> None:
            self.is_stopping = True
            self._loop.remove_reader(self._listener)
            self._listener.close()
            for connection in list(self._connections):
                connection.close_when_done()
            self._loop.call_later(self._stop_seconds, self._loop.stop)
            self._end_if_idle()

        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, stop)
        self._loop.add_reader(self._listener, self._accept)
        sys.setswitchinterval(SWITCH_SECONDS)
        self._loop.call_later(SWEEP_SECONDS, self._sweep)
        self._loop.run_forever()

    def now(self) -> float:
        """Return the time of the event loop."""
        return self._loop.time()

    # Connections

    def _accept(self) -> None:
        """Accept one connection. asyncio's own servers accept as many as there are, so that of a burst of connections one
        worker has nearly all, and the others have nothing to do."""
        try:
            accepted = self._listener.accept()[0]
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker has it, or the client has left
        except OSError as error:
            _log.error("cannot accept a connection: %s", error)
            self._loop.remove_reader(self._listener)
            self._loop.call_later(ACCEPT_SECONDS, self._accept_again)
            return
        accepted.setblocking(False)
        task = self._loop.create_task(self._loop.connect_accepted_socket(partial(Connection, self), accepted))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    def _accept_again(self) -> None:
        if not self.is_stopping:
            self._loop.add_reader(self._listener, self._accept)

    def add(self, connection: Connection) -> None:
        """Register a connection, and close another if there are too many."""
        self._connections[connection] = None
        self._clients[connection.address] += 1
        if self._clients[connection.address] > self.limits.connections_per_client:
            self._make_room(
                each for each in self._connections if each.address == connection.address and each != connection
            )
        elif len(self._connections) > self.limits.connections:
            self._make_room(each for each in self._connections if each != connection)

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has been closed."""
        if connection not in self._connections:
            return
        del self._connections[connection]
        self._clients[connection.address] -= 1
        if not self._clients[connection.address]:
            del self._clients[connection.address]
        if self.is_stopping:
            self._end_if_idle()

    def _make_room(self, candidates: Iterable[Connection]) -> None:
        """Close the connection that has kept the server waiting longest: for a request, or to read a response."""
        waiting = ((since, each) for each in candidates if (since := each.waiting_since) is not None)
        longest = min(waiting, key=lambda found: found[0], default=None)
        if longest is not None:
            self.remove(longest[1])  # now, so that it is not chosen again before it has been closed
            longest[1].abort()

    def _sweep(self) -> None:
        now = self.now()
        unsent = 0
        for connection in list(self._connections):
            connection.check(now)
            unsent += connection.unsent_bytes
        if unsent > self.limits.unsent_bytes:
            for connection in sorted(self._connections, key=lambda each: each.unsent_bytes, reverse=True):
                if unsent <= self.limits.unsent_bytes:
                    break
                unsent -= connection.unsent_bytes
                connection.abort()
        if self.bodies_bytes > self.limits.bodies_bytes:
            receiving = [each for each in self._connections if each.state is State.BODY]
            for connection in sorted(receiving, key=lambda each: each.since):
                if self.bodies_bytes <= self.limits.bodies_bytes:
                    break
                connection.refuse(503, "the server is receiving too many other requests")
        self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _end_if_idle(self) -> None:
        if not self._connections:
            self._loop.stop()

    # Requests

    def submit(self, connection: Connection, request: Request) -> None:
        """Have a request answered. If all threads are busy, clients take turns."""
        if self._is_quick(request.method, request.target):
            self._loop.call_soon(self._answer_at_once, connection, request)
        elif request.target == self._health:
            self._checks.give(partial(self._answer, connection, request, is_short=False))
        elif self._busy < SHORT_THREADS:
            self._busy += 1
            self._short.give(partial(self._answer, connection, request, is_short=True))
        else:
            self._waiting.setdefault(connection.address, deque()).append((connection, request))

    def make_more(self, connection: Connection, made: HttpAnswer) -> None:
        """Have the next part of a long response made."""
        self._long.give(partial(self._make_more, connection, made))

    def _answer(self, connection: Connection, request: Request, *, is_short: bool) -> None:
        self._call(partial(self._answered, connection, self._made(connection, request), is_short=is_short))

    def _made(self, connection: Connection, request: Request) -> HttpAnswer:
        try:
            environ = request.environ(self._base, connection.address)
        except BadRequest as error:
            return refusal(error.status, str(error))
        return answer(self._application, environ, keep_alive=request.keep_alive, date=self._date_line)

    def _answer_at_once(self, connection: Connection, request: Request) -> None:
        connection.answered(self._made(connection, request))

    def _answered(self, connection: Connection, made: HttpAnswer, *, is_short: bool) -> None:
        if is_short:
            self._busy -= 1
            if self._waiting:
                self._start_next()
        connection.answered(made)

    def _start_next(self) -> None:
        address = next(iter(self._waiting))
        queue = self._waiting.pop(address)
        connection, request = queue.popleft()
        if queue:
            self._waiting[address] = queue  # behind the other clients
        self.submit(connection, request)

    def _make_more(self, connection: Connection, made: HttpAnswer) -> None:
        try:
            part = made.more()
        except Exception:
            _log.exception("the application cannot make the rest of a response")
            self._call(partial(connection.made_more, made, None))
        else:
            self._call(partial(connection.made_more, made, part))

    def _call(self, function: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            # The loop has ended, and with it the connection.
            _log.debug("a response came after the server had stopped")

    def _date_line(self) -> str:
        now = int(machine_seconds())
        kept = self._date
        if kept[0] != now:
            kept = self._date = (now, f"date: {formatdate(now, usegmt=True)}")
        return kept[1]
