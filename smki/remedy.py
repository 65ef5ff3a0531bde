"""A remedy: what to do about a refusal, in terms of each interface."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple


class Interface(enum.Enum):
    """The interface for which a remedy is written."""

    CLI = "cli"
    REST = "rest"
    PYTHON = "python"


class Remedy(NamedTuple):
    """One remedy. Names in braces are replaced by values of the problem."""

    cli: str
    rest: str = ""
    python: str = ""

    def text(self, interface: Interface, given: Mapping[str, str]) -> str:
        """Return the text for an interface."""
        wanted = {Interface.REST: self.rest, Interface.PYTHON: self.python}.get(interface) or self.cli
        return wanted.format_map(given)
