"""What time it is. The one place that asks the machine; everything else is handed a :class:`Clock`."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from smki.file import replace_file
from smki.problem import Malformed, Problem

NO_WELL_DEFINED_EXPIRY = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The notAfter of a certificate that has none (RFC 5280 4.1.2.5)."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC, to the second."""


@dataclass(frozen=True, slots=True)
class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, in UTC, to the second."""
        return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for reproducible output."""

    moment: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "moment", utc(self.moment, "the clock's moment"))

    def now(self) -> datetime:
        """The moment that it stands at."""
        return self.moment


@dataclass(frozen=True, slots=True)
class ShiftedClock:
    """A clock that runs ahead of another one (or behind it)."""

    base: Clock
    shift: timedelta

    def now(self) -> datetime:
        """The base clock's moment, shifted."""
        return self.base.now() + self.shift


class TravellingClock:
    """A clock that one request at a time can set, for itself alone.

    :ivar base: what it says otherwise.
    :ivar by_header: whether requests set it themselves; otherwise only the faults do that are set on the server.
    """

    def __init__(self, base: Clock, *, by_header: bool = True) -> None:
        self.base = base
        self.by_header = by_header
        self._set: ContextVar[datetime | None] = ContextVar("smki-time", default=None)

    def now(self) -> datetime:
        """The moment that was set, else that of the base clock."""
        return self._set.get() or self.base.now()

    @property
    def is_travelling(self) -> bool:
        """Whether a moment is set."""
        return self._set.get() is not None

    def travel(self, moment: datetime | None) -> None:
        """Set the moment, for this thread or task; None to return."""
        self._set.set(utc(moment, "the clock's moment") if moment is not None else None)


class AdjustableClock:
    """A clock that whoever holds it can set: the machine's, one that stands still, or one that runs ahead.

    :param fixed: where it stands still at first; None for the machine's clock.
    """

    def __init__(self, fixed: datetime | None = None, base: Clock | None = None) -> None:
        self._base: Clock = base or RealClock()
        self.current: Clock = self._base if fixed is None else FixedClock(fixed)
        """The clock that it follows at present."""

    def now(self) -> datetime:
        """The present moment, in UTC, to the second."""
        return self.current.now()

    @property
    def setting(self) -> str:
        """``real``, ``fixed`` or ``shifted``."""
        return _SETTINGS.get(type(self.current), "real")

    def restoring(self) -> Callable[[], None]:
        """Return what gives it the setting again that it has now."""
        return partial(setattr, self, "current", self.current)

    def set(self, moment: datetime) -> None:
        """Make it stand still at a moment."""
        self.current = FixedClock(moment)

    def shift(self, shift: timedelta) -> None:
        """Make it run ahead of the machine's clock, or behind it."""
        self.current = ShiftedClock(self._base, shift)

    def real(self) -> None:
        """Make it the machine's clock again."""
        self.current = self._base


class HomeClock:
    """The clock of a home: the machine's, unless its file says that it stands still or is shifted.

    Every process that has the home open sees a change at once: the file is looked at each time.

    :param path: the file, JSON ``{"fixed": "2030-01-01T00:00:00Z"}`` or ``{"shiftSeconds": 86400}``.
    """

    def __init__(self, path: Path, base: Clock | None = None) -> None:
        self._path = path
        self._base: Clock = base or RealClock()
        self._seen: tuple[int, int] | None = None
        self._clock: Clock = self._base

    def now(self) -> datetime:
        """The present moment of the home."""
        return self._current().now()

    @property
    def setting(self) -> str:
        """``real``, ``fixed`` or ``shifted``."""
        return _SETTINGS.get(type(self._current()), "real")

    def restoring(self) -> Callable[[], None]:
        """Return what gives it the setting again that it has now."""
        try:
            return partial(replace_file, self._path, self._path.read_bytes())
        except FileNotFoundError:
            return self.real

    def set(self, moment: datetime) -> None:
        """Make it stand still at a moment."""
        self._write({"fixed": iso(utc(moment, "the clock's moment"))})

    def shift(self, shift: timedelta) -> None:
        """Make it run ahead of the machine's clock, or behind it."""
        self._write({"shiftSeconds": int(shift.total_seconds())})

    def real(self) -> None:
        """Make it the machine's clock again."""
        self._path.unlink(missing_ok=True)

    def _write(self, setting: dict[str, object]) -> None:
        replace_file(self._path, json.dumps(setting).encode() + b"\n")

    def _current(self) -> Clock:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen, self._clock = None, self._base
            return self._clock
        seen = (status.st_mtime_ns, status.st_ino)
        if seen != self._seen:
            self._clock = self._read()
            self._seen = seen
        return self._clock

    def _read(self) -> Clock:
        try:
            setting = json.loads(self._path.read_text())
            if "fixed" in setting:
                return FixedClock(parse_moment(setting["fixed"]))
            return ShiftedClock(self._base, timedelta(seconds=int(setting["shiftSeconds"])))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise Malformed(
                Problem(
                    code="clock.unreadable", subject=str(self._path), seen=str(error), expected="what smki clock wrote"
                )
            ) from None


def parse_moment(text: str) -> datetime:
    """Read an ISO 8601 date or date and time; UTC where it names no zone, midnight where it names no time.

    :raises Malformed: when it is neither, or names a moment before 1950 (which RFC 5280 times cannot hold).
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year < 1950:
        raise Malformed(
            Problem(code="time.malformed", subject="time", seen=f"{text!r}", expected="a date or time from 1950 on")
        )
    return moment.replace(microsecond=0)


def utc(moment: datetime, subject: str) -> datetime:
    """A moment that a caller gave, in UTC, to the second.

    :param subject: what it is, for the error: ``at``.
    :raises Malformed: when it names no time zone: by guessing one, a verdict would depend on the machine.
    """
    if moment.tzinfo is UTC and not moment.microsecond:
        return moment
    if moment.utcoffset() is None:
        raise Malformed(
            Problem(
                code="time.naive",
                subject=subject,
                seen=f"{moment.isoformat()}, without a time zone",
                expected="a datetime in UTC",
                remedy=f"Write datetime({moment.year}, {moment.month}, {moment.day}, …, tzinfo=datetime.UTC).",
            )
        )
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise Malformed(
            Problem(
                code="time.malformed",
                subject=subject,
                seen=moment.isoformat(),
                expected="a moment that is in the years 1 to 9999 in UTC too",
            )
        ) from None


def iso(moment: datetime) -> str:
    """A moment (UTC) as ``2026-11-21T08:30:00Z``."""
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def from_seconds(seconds: int) -> datetime:
    """The moment that many seconds after 1970-01-01T00:00:00Z, as the ledger stores it."""
    return _EPOCH + timedelta(seconds=seconds)


def to_seconds(moment: datetime) -> int:
    """Whole seconds from 1970-01-01T00:00:00Z to the moment."""
    if moment.tzinfo is None:
        moment = utc(moment, "moment")
    return int((moment - _EPOCH).total_seconds())


_SETTINGS = {FixedClock: "fixed", ShiftedClock: "shifted"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
