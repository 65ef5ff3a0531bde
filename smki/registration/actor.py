"""Who runs a command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who runs a command, on whose behalf, and through which interface."""

    interface: str
    """``cli``, ``rest``, ``python``, ``init``, …"""
    party: str = ""
    """The id of the Party or Testing Participant for which the officer acts; empty if none was named."""
    officer: str = ""
    """The officer's name; empty if none was named."""
    on_behalf_of: str = ""
    """The id of the User for which the Party, a Shared Resource, acts; empty if it acts for itself."""

    @property
    def is_operator(self) -> bool:
        """Return whether this is the operator of the home, not an officer: neither a Party nor an officer was named."""
        return not self.party and not self.officer
