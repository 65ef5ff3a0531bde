"""The names by which clients may address the server."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from smki.problem import Malformed, Problem

ANY_HOST = "*"
"""Value of ``--allow-host`` that allows every name."""

HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::[0-9]{0,5})?\Z")


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The names by which clients may address the server. Names and addresses of the loopback interface always are."""

    names: frozenset[str] = frozenset()
    """Further names, or :data:`ANY_HOST`."""
    any_address: bool = False
    """Whether every IP address is allowed. No page of another site can have an address as its name, unless it is served
    there."""
    origins: frozenset[str] = frozenset()
    """Names whose pages may write, whatever their port: those that were given, not that on which the server listens."""

    @classmethod
    def of(cls, listening_on: str, names: Iterable[str] = ()) -> AllowedHosts:
        """Return the names allowed for a server: that on which it listens, and others. If it listens on other interfaces
        than loopback, every IP address is allowed as well.

        :raises Malformed: if one of *names* is not a host name, an IP address or ``*``.
        """
        found = {name if name == ANY_HOST else _checked_name(name) for name in names}
        return cls(
            frozenset(found | {listening_on.lower()}),
            any_address=not is_loopback(listening_on),
            origins=frozenset(found - {ANY_HOST}),
        )

    def allows(self, name: str) -> bool:
        """Return whether a name (lower case, without a port) is allowed."""
        if ANY_HOST in self.names or name in self.names or is_loopback(name):
            return True
        return self.any_address and _address(name) is not None


LOOPBACK_NAMES = AllowedHosts()
"""The names of a server on the loopback interface."""


def _checked_name(name: str) -> str:
    found = HOST.match(name) or HOST.match(f"[{name}]")
    if found is None or _has_port(name):
        raise Malformed(
            Problem(
                code="allow-host.malformed",
                subject="--allow-host",
                seen=f"{name[:64]!r}",
                expected="a host name or an IP address, without a port",
            )
        )
    return (found["v6"] or found["name"]).lower().rstrip(".")


def _has_port(name: str) -> bool:
    return _address(name.strip("[]")) is None and ":" in name


def is_loopback(name: str) -> bool:
    """Return whether a name or address always denotes this machine (RFC 6761 6.3)."""
    address = _address(name)
    return name == "localhost" or name.endswith(".localhost") or (address is not None and address.is_loopback)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
