"""A fault as a value: what goes wrong, for which requests, and for how long."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from smki.problem import Malformed, Problem

LIST_PATHS = (
    "/crl/organisation.crl",
    "/crl/organisation.crl.pem",
    "/crl/organisation.arl",
    "/crl/organisation.arl.pem",
)
"""Paths of the current revocation lists of the newest authorities. The lists of any other authority are under its common
name, for example ``/crl/organisation/T1.crl``."""

_OF_ONE_AUTHORITY = "/crl/organisation/"
# A number instead of a name selects an earlier list by its cRLNumber.
_CURRENT_LIST = re.compile(r"/crl/organisation(?:/((?![0-9]+\.)[^/]+))?\.(crl|arl)(?:\.pem)?\Z")

MAX_DELAY_SECONDS = 60.0
"""Maximum delay of a response. A delayed response occupies one of the server's few threads."""

_MAX_COUNT = 1_000_000_000
_MAX_SECONDS = 10 * 365 * 86400.0
_MAX_TEXT = 200


class FaultKind(enum.StrEnum):
    """What goes wrong."""

    STALE_LIST = "stale-list"
    """A revocation list of the right authority with a valid signature, whose nextUpdate has passed."""
    OTHER_AUTHORITY = "other-authority"
    """The list of the other authority: the ARL instead of the CRL, or the CRL instead of the ARL."""
    TRUNCATED_BODY = "truncated-body"
    """A complete HTTP response whose body is only the first half of the document."""
    WRONG_CONTENT_TYPE = "wrong-content-type"
    """The right body with another Content-Type."""
    STATUS = "status"
    """An HTTP error status instead of the response: 400 to 599."""
    SLOW = "slow"
    """The right response after a delay."""
    DRIPPING = "dripping"
    """The right response, with its body sent in many small pieces spread over the delay."""
    DROPPED_CONNECTION = "dropped-connection"
    """A Content-Length for the whole body, of which only half is sent before the connection is closed."""
    WRONG_CLOCK = "wrong-clock"
    """A response as of another time: its Date and X-SMKI-Time headers, statuses and lists."""

    @property
    def is_of_lists(self) -> bool:
        """Whether the fault applies only to current revocation lists."""
        return self in (FaultKind.STALE_LIST, FaultKind.OTHER_AUTHORITY)

    @property
    def is_of_bodies(self) -> bool:
        """Whether the fault applies only to responses with a body, so never to HEAD requests."""
        return self in (FaultKind.TRUNCATED_BODY, FaultKind.DRIPPING, FaultKind.DROPPED_CONNECTION)

    @property
    def parameter(self) -> str:
        """The field of :class:`Fault` that configures this kind; empty if there is none."""
        return _PARAMETERS.get(self, "")


_PARAMETERS = {
    FaultKind.WRONG_CONTENT_TYPE: "content_type",
    FaultKind.STATUS: "status",
    FaultKind.SLOW: "delay",
    FaultKind.DRIPPING: "delay",
    FaultKind.WRONG_CLOCK: "shift",
}
_DEFAULTS: dict[str, Any] = {"content_type": "text/html", "status": 500, "delay": 5.0, "shift": 86400}
_JSON_NAMES = {"content_type": "contentType", "shift": "shiftSeconds"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to inject.

    :raises Malformed: if a field is invalid or does not apply to this kind of fault.
    """

    kind: FaultKind
    """The kind, or its name as text, for example ``stale-list``."""
    path: str = "*"
    """Pattern of the paths that it affects, for example ``/services/*``: ``*`` matches any characters including ``/``,
    ``?`` matches one character, ``[crl]`` one of those in brackets. ``/faults`` is never affected."""
    count: int | None = None
    """Maximum number of requests that it affects; None for no limit."""
    seconds: float | None = None
    """Seconds after which it ends; None for no limit. If count is given too, the fault ends with whichever comes first."""
    status: int | None = None
    """STATUS: the status, 400 to 599. Default: 500."""
    delay: float | None = None
    """SLOW, DRIPPING: seconds that the response takes, at most 60. Default: 5."""
    content_type: str | None = None
    """WRONG_CONTENT_TYPE: the Content-Type to send. Default: ``text/html``."""
    shift: int | None = None
    """WRONG_CLOCK: seconds by which the clock is ahead; negative if it is behind. Default: one day ahead."""

    def __post_init__(self) -> None:
        if self.kind not in list(FaultKind):
            raise _malformed("kind", f"{self.kind!r}"[:64], f"one of {', '.join(FaultKind)}")
        object.__setattr__(self, "kind", FaultKind(self.kind))
        parameter = self.kind.parameter
        for name, default in _DEFAULTS.items():
            given = getattr(self, name)
            if name == parameter and given is None:
                object.__setattr__(self, name, default)
            elif name != parameter and given is not None:
                raise _malformed(_JSON_NAMES.get(name, name), f"{given!r}", f"nothing for a {self.kind}")
        self._check_extent()
        _check_number("status", self.status, 400, 599)
        _check_number("delay", self.delay, 0.0, MAX_DELAY_SECONDS)
        _check_number("shiftSeconds", self.shift, -100 * 31557600, 100 * 31557600)
        if self.content_type is not None and not (
            self.content_type.isascii() and self.content_type.isprintable() and len(self.content_type) <= _MAX_TEXT
        ):
            raise _malformed("contentType", f"{self.content_type[:_MAX_TEXT]!r}", "a media type of printable ASCII")

    def _check_extent(self) -> None:
        _check_number("count", self.count, 1, _MAX_COUNT)
        _check_number("seconds", self.seconds, 0.001, _MAX_SECONDS)
        if not self.path.startswith(("/", "*", "?", "[")) or len(self.path) > _MAX_TEXT:
            raise _malformed("path", f"{self.path[:_MAX_TEXT]!r}", "a path pattern like /crl/* or *")
        is_of_one = self.path.startswith(_OF_ONE_AUTHORITY)
        if self.kind.is_of_lists and not is_of_one and not any(fnmatchcase(path, self.path) for path in LIST_PATHS):
            expected = f"a pattern that matches one of: {', '.join(LIST_PATHS)}"
            raise _malformed("path", f"{self.path!r}, which matches no current list", expected)

    def strikes(self, method: str, path: str) -> bool:
        """Return whether the fault applies to a request, regardless of its count and duration."""
        if self.kind.is_of_lists and current_list(path) is None:
            return False
        if self.kind.is_of_bodies and method == "HEAD":
            return False
        return fnmatchcase(path, self.path)

    def as_json(self) -> dict[str, Any]:
        """Return the fault as a JSON object, without fields that are None."""
        names = ("path", "count", "seconds", "status", "delay", "content_type", "shift")
        values = {_JSON_NAMES.get(name, name): getattr(self, name) for name in names}
        return {"kind": str(self.kind)} | {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """Create a fault from a JSON object as returned by :meth:`as_json`.

        :raises Malformed: if the object is invalid.
        """
        if not isinstance(value, Mapping):
            raise _malformed("fault", "not a JSON object", 'a JSON object like {"kind": "status", "status": 500}')
        for name, given in value.items():
            if name not in _FIELDS:
                raise _malformed("fault", f"field {str(name)[:64]!r}", f"only {', '.join(_FIELDS)}")
            types = _FIELDS[name][1]
            if given is not None and (isinstance(given, bool) or not isinstance(given, types)):
                raise _malformed(name, f"{given!r}"[:64], "text" if types is str else "a number")
        fields = {_FIELDS[name][0]: given for name, given in value.items() if given is not None}
        return cls(**{"kind": None} | fields)


_FIELDS: dict[str, tuple[str, Any]] = {
    "kind": ("kind", str),
    "path": ("path", str),
    "count": ("count", int),
    "seconds": ("seconds", (int, float)),
    "status": ("status", int),
    "delay": ("delay", (int, float)),
    "contentType": ("content_type", str),
    "shiftSeconds": ("shift", int),
}
"""JSON name to field name and type."""


def current_list(path: str) -> tuple[str, str] | None:
    """Return which current revocation list is at a path: ``crl`` or ``arl``, and the common name of its authority (empty
    for the newest one). Return None if the path is not that of a current list."""
    found = _CURRENT_LIST.match(path)
    return None if found is None else (found[2], found[1] or "")


def _check_number(name: str, value: object, least: float, most: float) -> None:
    # Written so that NaN fails too.
    if value is not None and not (isinstance(value, int | float) and least <= value <= most):
        raise _malformed(name, f"{value}", f"{least} to {most}")


def _malformed(subject: str, seen: str, expected: str) -> Malformed:
    return Malformed(Problem(code="fault.malformed", subject=subject, seen=seen, expected=expected))
