"""A remedy: what to do about a refusal, in terms of each interface."""

from __future__ import annotations

import enum
import shlex
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
        """Return the text for an interface. Values in it are quoted for the shell where the text is a command line's."""
        wanted = {Interface.REST: self.rest, Interface.PYTHON: self.python}.get(interface) or self.cli
        return wanted.format_map(_Given(given, quoted=interface is Interface.CLI))


class _Given(dict[str, str]):
    """Values of placeholders. One without a value is replaced by its name in capitals: ``PARTY``."""

    def __init__(self, values: Mapping[str, str], *, quoted: bool) -> None:
        super().__init__({name: shlex.quote(value) if quoted else value for name, value in values.items()})

    def __missing__(self, name: str) -> str:
        return name.upper()
