"""Deadlines and limits of the server."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """Deadlines in seconds, and limits of each worker process."""

    head_seconds: float = 10.0
    """Maximum time for the head of a request, from its first byte or, for the first request, from the connection."""
    body_seconds: float = 30.0
    """Maximum time for the body of a request."""
    stall_seconds: float = 15.0
    """Maximum time in which a client reads nothing of a response."""
    grace_seconds: float = 60.0
    """Time after which a client must have read a response at :attr:`least_rate` on average."""
    least_rate: int = 8 * 1024
    """Bytes per second."""
    idle_seconds: float = 60.0
    """Maximum time between two requests on a connection."""

    pipelined: int = 250
    """Maximum number of requests that wait behind another on their connection. It is closed after that number."""
    head_bytes: int = 32 * 1024
    """Maximum size of the head of a request."""
    headers: int = 100
    """Maximum number of header lines."""
    body_bytes: int = 1024 * 1024
    """Maximum size of a request body that is passed on. The application refuses a longer one."""
    framing_bytes: int = 8 * 1024 * 1024
    """Maximum size of what a request body has beside itself: sizes and extensions of chunks, and trailers."""
    discarded_bytes: int = 32 * 1024 * 1024
    """Maximum size of a request body that is received and discarded, so that its client receives the refusal."""

    connections: int = 2000
    """Maximum number of connections. For one more, that which has kept the server waiting longest is closed."""
    connections_per_client: int = 1000
    """The same for the connections of one IP address."""
    bodies_bytes: int = 64 * 1024 * 1024
    """Maximum size of all request bodies that are being received. Beyond it, that which has taken longest is refused."""
    unsent_bytes: int = 128 * 1024 * 1024
    """Maximum size of everything that clients have not read yet. Beyond it, the slowest are disconnected."""


DEFAULT_LIMITS = ServerLimits()

_OTHER_FILES = 200
"""Number of files that a worker may open besides its connections."""


def limits_for(open_files: int) -> ServerLimits:
    """Return the default limits, with no more connections than a process may open files."""
    connections = max(10, min(DEFAULT_LIMITS.connections, open_files - _OTHER_FILES))
    per_client = min(DEFAULT_LIMITS.connections_per_client, connections)
    return replace(DEFAULT_LIMITS, connections=connections, connections_per_client=per_client)
