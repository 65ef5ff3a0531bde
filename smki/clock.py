"""What time it is. The one place that asks the machine; everything else is handed a :class:`Clock`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

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
            Problem(
                "time.malformed",
                "time",
                f"{text!r}",
                "a date or time from 1950 on",
                "ISO 8601",
                "Write it like 2026-11-21 or 2026-11-21T08:30:00Z.",
            )
        )
    return moment.replace(microsecond=0)


def iso(moment: datetime) -> str:
    """The moment as ``2026-11-21T08:30:00Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year > 999 else moment.isoformat()


def from_seconds(seconds: int) -> datetime:
    """The moment that many seconds after 1970-01-01T00:00:00Z, as the ledger stores it."""
    return _EPOCH + timedelta(seconds=seconds)


def to_seconds(moment: datetime) -> int:
    """Whole seconds from 1970-01-01T00:00:00Z to the moment."""
    return int((moment - _EPOCH).total_seconds())


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
