"""Options of the server."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from smki.problem import Malformed, Problem

SHARED_COUNTS = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable, defined by prometheus_client, with the directory that the workers of a server share."""


class ReadAccess(enum.Enum):
    """Who may read."""

    OPEN = "open"
    """Anyone who can connect."""
    API_KEY = "api-key"
    """Clients with an API key (SEC Appendix P) or an officer's token."""


class TimeTravel(enum.Enum):
    """Whether requests can set the time at which they are answered, with the header X-SMKI-Time."""

    OFF = "off"
    READ = "read"
    """Requests that read. A command with the header is refused."""
    WRITE = "write"
    """Commands too: what they write is dated by the header."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a Repository. The defaults suit a server on the loopback interface."""

    read_access: ReadAccess = ReadAccess.OPEN
    time_travel: TimeTravel = TimeTravel.OFF
    faults: bool = False
    """Whether faults can be set at /faults. None are set when the server starts."""
    publish_test_keys: bool = False
    """Whether to serve org-crypto.zip with the private keys that were made to be published."""
    access_log: bool = False
    """Whether to write a line for each request to standard output."""
    base_path: str = ""
    """Path below which everything is served, for example ``/smki``, behind a proxy that forwards the path unchanged."""

    def __post_init__(self) -> None:
        if self.base_path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", self.base_path):
            raise Malformed(
                Problem(
                    code="base-path.malformed",
                    subject="base path",
                    seen=f"{self.base_path[:64]!r}",
                    expected="a path like /smki",
                )
            )


DEFAULTS = Options()
