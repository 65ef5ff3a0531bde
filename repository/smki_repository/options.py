"""How a Repository is served: what its operator chose."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from smki.problem import Malformed, Problem

SHARED_COUNTS = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable, named by prometheus_client, of the directory where the workers of a server count."""


class ReadAccess(enum.Enum):
    """Who may read."""

    OPEN = "open"
    """Whoever can connect."""
    API_KEY = "api-key"
    """Whoever has an API key (SEC Appendix P) or an officer's token."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator of a Repository chose; the defaults are those of a server on the loopback interface."""

    read_access: ReadAccess = ReadAccess.OPEN
    time_travel: bool = False
    """Whether each request may say at which moment it is asked, with the header X-SMKI-Time."""
    faults: bool = False
    """Whether faults can be set, at /faults; none are when the server starts."""
    publish_test_keys: bool = False
    """Whether the private keys that were made to be handed out are, as org-crypto.zip."""
    access_log: bool = False
    """Whether each request is written to standard output: when, from where, what, which answer, how long it took."""
    base_path: str = ""
    """The path below which everything is served, behind a proxy that passes it on: ``/smki``."""

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
