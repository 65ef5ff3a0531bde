"""Who runs a command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who runs a command, on whose behalf, and through which interface."""

    interface: str
    """``cli``, ``rest``, ``python``, ``init``, …"""
    party: str = ""
    """The id of the Party or Testing Participant for which the officer acts; empty where none was named."""
    officer: str = ""
    """The officer's name; empty where none was named."""
    on_behalf_of: str = ""
    """The id of the User for which the Party, a Shared Resource, acts; empty where it acts for itself."""

    @property
    def is_operator(self) -> bool:
        """Whether it is whoever operates the home, rather than an officer: no officer and no Party were named."""
        return not self.party and not self.officer
