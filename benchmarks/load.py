"""Load on a server, from one thread: light enough to leave most of the machine to the server."""

from __future__ import annotations

import random
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence

from benchmarks.measurement import Measurement

Make = Callable[[str], bytes]
"""The bytes of a request about something, for instance a serial number."""

ANSWERS_AT_A_TIME = 16
CONNECTIONS = 64
_READ_BYTES = 65536


class _Connection:
    """One connection and the answer that it waits for."""

    __slots__ = ("due", "left", "received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.received = b""
        self.left: int | None = None

    def ask(self, request: bytes, due: float) -> None:
        """Send a request."""
        self.due, self.received, self.left = due, b"", None
        self.socket.sendall(request)

    def is_answered(self, status: int = 200) -> bool:
        """Take what has come; whether the answer is whole.

        :raises RuntimeError: when it is none of that status.
        """
        encoded = self.socket.recv(_READ_BYTES)
        if self.left is None:
            self.received += encoded
            head, end, body = self.received.partition(b"\r\n\r\n")
            if not encoded or (end and not head.startswith(b"HTTP/1.1 %d" % status)):
                raise RuntimeError(self.received[:200] or "the connection was closed")
            if not end:
                return False
            length = 0 if status == 304 else int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            self.left = length - len(body)
        else:
            self.left -= len(encoded)
        return self.left <= 0


def closed(port: int, subjects: Sequence[str], make: Make, seconds: float, status: int = 200) -> int:
    """Ask over some connections, on each again as soon as it has answered; how many answers came, all of that status."""
    count, choose = 0, random.choice
    connections = [_Connection(port) for _ in range(ANSWERS_AT_A_TIME)]
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.ask(make(choose(subjects)), 0.0)
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            for key, _ in selector.select(1.0):
                if key.data.is_answered(status):
                    count += 1
                    key.data.ask(make(choose(subjects)), 0.0)
    for connection in connections:
        connection.socket.close()
    return count


def paced(port: int, subjects: Sequence[str], make: Make, seconds: float, rate: float) -> list[float]:
    """Ask at a rate, whatever the answers; seconds to each answer from when its question was due, in ascending order."""
    choose, times, interval = random.choice, [], 1 / rate
    idle = deque(_Connection(port) for _ in range(CONNECTIONS))
    connections = list(idle)
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        due = began = time.perf_counter()
        while due < began + seconds or len(idle) < CONNECTIONS:
            now = time.perf_counter()
            while due <= now and due < began + seconds and idle:
                idle.popleft().ask(make(choose(subjects)), due)
                due += interval
            wait = max(0.0, due - time.perf_counter()) if idle and due < began + seconds else 1.0
            for key, _ in selector.select(wait):
                if key.data.is_answered():
                    times.append(time.perf_counter() - key.data.due)
                    idle.append(key.data)
    for connection in connections:
        connection.socket.close()
    return sorted(times)


def look_up(port: int, subjects: Sequence[str], name: str, make: Make, goal: float) -> list[Measurement]:
    """How many answers a second, and the slowest in a hundred at half of the goal. Runs in a process of its own."""
    closed(port, subjects[:1000], make, 1.0)
    full = closed(port, subjects, make, 4.0) / 4.0
    times = paced(port, subjects, make, 4.0, goal / 2)
    p99 = times[len(times) * 99 // 100] * 1000
    return [
        Measurement(name, full, "/s", goal),
        Measurement(f"  the slowest in a hundred, at {goal / 2:,.0f} a second", p99, "ms", 20),
    ]
