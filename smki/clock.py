"""Clocks. Only this module asks the machine for the time; everything else is passed a :class:`Clock`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from smki.file import replace_file
from smki.problem import Malformed, NotReady, Problem

FIRST_YEAR, LAST_YEAR = 1950, 9900
"""The years in which commands can be carried out: certificates cannot contain times before 1950, and certificates issued
late in the year 9999 would outlive the format."""

NO_WELL_DEFINED_EXPIRY = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The notAfter of a certificate without an expiry date (RFC 5280 4.1.2.5)."""


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """Return the current time, in UTC with time zone, without fractions of a second."""


@dataclass(frozen=True, slots=True)
class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time in UTC, without fractions of a second."""
        return datetime.now(UTC).replace(microsecond=0)


def machine_seconds() -> float:
    """Return the seconds from 1970-01-01T00:00:00Z to now, by the machine's clock, which dates files."""
    return time.time()


def machine_microseconds() -> int:
    """Return the microseconds from 1970-01-01T00:00:00Z to now, by the machine's clock."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that always shows the same time, for reproducible output."""

    moment: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "moment", utc(self.moment, "the clock's moment"))

    def now(self) -> datetime:
        """Return the fixed time."""
        return self.moment


@dataclass(frozen=True, slots=True)
class ShiftedClock:
    """A clock that is ahead of another one, or behind it."""

    base: Clock
    shift: timedelta

    def now(self) -> datetime:
        """Return the time of the base clock, shifted."""
        return self.base.now() + self.shift


class TravellingClock:
    """A clock that a single request can set, for itself alone.

    :ivar base: the clock that is used otherwise.
    :ivar by_header: whether requests may set the clock with a header; otherwise only faults set on the server do.
    :ivar may_write: whether commands may be carried out while a time is set, and then have that time. By default they are
        refused, because what they write would be dated by the request.
    """

    def __init__(self, base: Clock, *, by_header: bool = True, may_write: bool = False) -> None:
        self.base = base
        self.by_header = by_header
        self.may_write = may_write
        self._set: ContextVar[datetime | None] = ContextVar("smki-time", default=None)

    def now(self) -> datetime:
        """Return the time that was set, or else that of the base clock."""
        return self._set.get() or self.base.now()

    @property
    def is_travelling(self) -> bool:
        """Return whether a time is set."""
        return self._set.get() is not None

    def require_present(self) -> None:
        """Do nothing if commands may be carried out.

        :raises NotReady: if a time is set, and commands may not have it.
        :raises Malformed: if it is in a year for which no certificate can be made.
        """
        moment = self._set.get()
        if moment is not None and not self.may_write:
            raise NotReady(
                Problem(
                    code="clock.travelling",
                    subject="time of the request",
                    seen=f"a command dated {iso(moment)} by the request itself",
                    expected="the time of the home",
                )
            )
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            expected = f"a time in the years {FIRST_YEAR} to {LAST_YEAR}"
            raise Malformed(
                Problem(code="clock.out-of-range", subject="time of the request", seen=iso(moment), expected=expected)
            )

    def travel(self, moment: datetime | None) -> None:
        """Set the time for this thread or task; None to use the base clock again."""
        self._set.set(utc(moment, "the clock's moment") if moment is not None else None)


class AdjustableClock:
    """A clock that can be set: to follow the machine's clock, to stand at a fixed time, or to be shifted.

    :param fixed: the initial fixed time; None to follow the machine's clock.
    """

    def __init__(self, fixed: datetime | None = None, base: Clock | None = None) -> None:
        self._base: Clock = base or RealClock()
        self.current: Clock = self._base if fixed is None else FixedClock(fixed)
        """The clock that it currently follows."""

    def now(self) -> datetime:
        """Return the current time in UTC, without fractions of a second."""
        return self.current.now()

    @property
    def setting(self) -> str:
        """``real``, ``fixed`` or ``shifted``."""
        return _SETTINGS.get(type(self.current), "real")

    def restoring(self) -> Callable[[], None]:
        """Return what gives it the setting again that it has now."""
        return partial(setattr, self, "current", self.current)

    def set(self, moment: datetime) -> None:
        """Stop the clock at a moment."""
        self.current = FixedClock(moment)

    def shift(self, shift: timedelta) -> None:
        """Shift the clock relative to the machine's clock; a negative shift puts it behind."""
        self.current = ShiftedClock(self._base, shift)

    def real(self) -> None:
        """Follow the machine's clock again."""
        self.current = self._base


class HomeClock:
    """The clock of a home: the machine's clock, unless the file of the home fixes or shifts it.

    A change takes effect at once in every process that has the home open, because the file is checked each time.

    :param path: the file, JSON ``{"fixed": "2030-01-01T00:00:00Z"}`` or ``{"shiftSeconds": 86400}``.
    """

    def __init__(self, path: Path, base: Clock | None = None) -> None:
        self._path = path
        self._base: Clock = base or RealClock()
        self._seen: tuple[int, int] | None = None
        self._clock: Clock = self._base

    def now(self) -> datetime:
        """Return the current time of the home."""
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
        """Stop the clock at a moment."""
        self._write({"fixed": iso(utc(moment, "the clock's moment"))})

    def shift(self, shift: timedelta) -> None:
        """Shift the clock relative to the machine's clock; a negative shift puts it behind."""
        self._write({"shiftSeconds": int(shift.total_seconds())})

    def real(self) -> None:
        """Follow the machine's clock again."""
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
                    code="clock.unreadable",
                    subject=str(self._path),
                    seen=str(error),
                    expected="a file written by smki clock",
                )
            ) from None


def parse_moment(text: str) -> datetime:
    """Parse an ISO 8601 date or date and time. The default time zone is UTC, the default time midnight.

    :raises Malformed: if it is neither, or before 1950, which RFC 5280 times cannot represent.
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
    """Return a moment in UTC, without fractions of a second.

    :param subject: the name of the argument, for the error message.
    :raises Malformed: if it has no time zone. Assuming one would make results depend on the machine.
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
    """Return a moment (UTC) as ``2026-11-21T08:30:00Z``."""
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def from_seconds(seconds: int) -> datetime:
    """Return the moment that is a number of seconds after 1970-01-01T00:00:00Z, as stored in the ledger."""
    return _EPOCH + timedelta(seconds=seconds)


def to_seconds(moment: datetime) -> int:
    """Return the whole seconds from 1970-01-01T00:00:00Z to a moment."""
    if moment.tzinfo is None:
        moment = utc(moment, "moment")
    return int((moment - _EPOCH).total_seconds())


_SETTINGS = {FixedClock: "fixed", ShiftedClock: "shifted"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
