"""One fault as a value: what goes wrong, where, and for how long."""

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
"""Where the current revocation lists of the newest authorities are. Those of another one are under its common name:
``/crl/organisation/T1.crl``."""

_OF_ONE_AUTHORITY = "/crl/organisation/"
# What is a number there names a list of the past.
_CURRENT_LIST = re.compile(r"/crl/organisation(?:/((?![0-9]+\.)[^/]+))?\.(crl|arl)(?:\.pem)?\Z")

MAX_DELAY_SECONDS = 60.0
"""A delayed answer keeps a thread of the server waiting, of which there are few."""

_MAX_COUNT = 1_000_000_000
_MAX_SECONDS = 10 * 365 * 86400.0
_MAX_TEXT = 200


class FaultKind(enum.StrEnum):
    """What goes wrong."""

    STALE_LIST = "stale-list"
    """A revocation list of the right authority, rightly signed, whose nextUpdate has passed."""
    OTHER_AUTHORITY = "other-authority"
    """The list of the other authority: the ARL where the CRL is asked for, the CRL where the ARL is."""
    TRUNCATED_BODY = "truncated-body"
    """A whole answer in HTTP, of which the document is only the first half."""
    WRONG_CONTENT_TYPE = "wrong-content-type"
    """The right body under another Content-Type."""
    STATUS = "status"
    """Another HTTP status in place of the answer: 401, 402, 500 or any other from 400 on."""
    SLOW = "slow"
    """The right answer after a delay."""
    DRIPPING = "dripping"
    """The right answer, its body in many small pieces over the time of the delay."""
    DROPPED_CONNECTION = "dropped-connection"
    """The whole body is promised, half of it is sent, and the connection is closed."""
    WRONG_CLOCK = "wrong-clock"
    """Answered as if it were another time: Date, X-SMKI-Time, statuses, lists."""

    @property
    def is_of_lists(self) -> bool:
        """Whether it can strike the current revocation lists alone."""
        return self in (FaultKind.STALE_LIST, FaultKind.OTHER_AUTHORITY)

    @property
    def is_of_bodies(self) -> bool:
        """Whether it can strike only answers that have a body, hence none to HEAD."""
        return self in (FaultKind.TRUNCATED_BODY, FaultKind.DRIPPING, FaultKind.DROPPED_CONNECTION)

    @property
    def parameter(self) -> str:
        """The field of :class:`Fault` that says more about this kind; empty where there is none."""
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
    """One thing that goes wrong.

    :raises Malformed: when it makes no sense.
    """

    kind: FaultKind
    """Or its name as text: ``stale-list``."""
    path: str = "*"
    """Which paths it strikes, for instance ``/services/*``: ``*`` stands for any characters (also ``/``), ``?`` for one,
    ``[crl]`` for one of those. Never ``/faults``."""
    count: int | None = None
    """How many requests it strikes; None for no limit."""
    seconds: float | None = None
    """For how long it strikes from when it is set; None for no limit. Where both are given, whichever ends first."""
    status: int | None = None
    """STATUS: 400 to 599. By default 500."""
    delay: float | None = None
    """SLOW, DRIPPING: seconds that the answer takes, at most 60. By default 5."""
    content_type: str | None = None
    """WRONG_CONTENT_TYPE: what it says instead. By default ``text/html``."""
    shift: int | None = None
    """WRONG_CLOCK: seconds by which the clock is ahead, negative where it is behind. By default a day ahead."""

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
            raise _malformed("path", f"{self.path[:_MAX_TEXT]!r}", "a pattern of paths like /crl/* or *")
        is_of_one = self.path.startswith(_OF_ONE_AUTHORITY)
        if self.kind.is_of_lists and not is_of_one and not any(fnmatchcase(path, self.path) for path in LIST_PATHS):
            expected = f"a pattern that one of these matches: {', '.join(LIST_PATHS)}"
            raise _malformed("path", f"{self.path!r}, where no current list is", expected)

    def strikes(self, method: str, path: str) -> bool:
        """Whether it is for requests like this one, how many and how long ago it was set left aside."""
        if self.kind.is_of_lists and current_list(path) is None:
            return False
        if self.kind.is_of_bodies and method == "HEAD":
            return False
        return fnmatchcase(path, self.path)

    def as_json(self) -> dict[str, Any]:
        """The fault as JSON, fields that say nothing left out."""
        names = ("path", "count", "seconds", "status", "delay", "content_type", "shift")
        values = {_JSON_NAMES.get(name, name): getattr(self, name) for name in names}
        return {"kind": str(self.kind)} | {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """Read a fault as :meth:`as_json` writes it.

        :raises Malformed: for anything else.
        """
        if not isinstance(value, Mapping):
            raise _malformed("fault", "no JSON object", 'a JSON object like {"kind": "status", "status": 500}')
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
"""By their names in JSON: the field, and the type."""


def current_list(path: str) -> tuple[str, str] | None:
    """Which current revocation list is at a path: ``crl`` or ``arl``, and its authority's common name (empty for the
    newest one); None where there is none."""
    found = _CURRENT_LIST.match(path)
    return None if found is None else (found[2], found[1] or "")


def _check_number(name: str, value: object, least: float, most: float) -> None:
    # Written so that what is not a number (NaN) fails too.
    if value is not None and not (isinstance(value, int | float) and least <= value <= most):
        raise _malformed(name, f"{value}", f"{least} to {most}")


def _malformed(subject: str, seen: str, expected: str) -> Malformed:
    return Malformed(Problem(code="fault.malformed", subject=subject, seen=seen, expected=expected))
