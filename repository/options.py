"""How a Repository is served: what its operator chose."""

from __future__ import annotations

import enum
from dataclasses import dataclass


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
