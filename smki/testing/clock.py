"""Time for a test: frozen, and moved."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from smki.clock import AdjustableClock, HomeClock, iso, parse_moment
from smki.home.smki import Smki
from smki.problem import Malformed, NotReady, Problem


class ClockControl:
    """Sets what time it is in an SMKI: for its certificates, its lists, its Repository and who relies on it.

    :param smki: in memory, or in a directory.
    :raises NotReady: when it has a clock that cannot be set.
    """

    def __init__(self, smki: Smki) -> None:
        clock = smki.clock
        if not isinstance(clock, AdjustableClock | HomeClock):
            seen, remedy = f"a {type(clock).__name__}", "Open the SMKI without a clock of your own."
            raise NotReady(Problem("clock.not-adjustable", "clock", seen, "one that can be set", "", remedy))
        self._clock = clock

    @property
    def now(self) -> datetime:
        """The present moment there, UTC, to the second."""
        return self._clock.now()

    def freeze(self, at: date | str | None = None) -> datetime:
        """Make it stand still.

        :param at: where: a moment (UTC), or ISO 8601; by default where it is.
        :returns: the moment.
        :raises Malformed: when *at* is no moment.
        """
        self._clock.set(self.now if at is None else moment_of(at))
        return self.now

    def move(self, to: date | timedelta | str) -> datetime:
        """Set it to a moment, or ahead by a time (back by a negative one). One that stands still stands still there.

        :param to: a moment (UTC), ISO 8601 text, or a difference.
        :returns: the moment that it is now.
        :raises Malformed: when *to* is neither, or leads out of the years 1950 to 9999.
        """
        before = self.now
        moment = _ahead(before, to) if isinstance(to, timedelta) else moment_of(to)
        if self._clock.setting == "fixed":
            self._clock.set(moment)
        else:
            self._clock.real()
            self._clock.shift(moment - self.now)
        return self.now

    def real(self) -> None:
        """Make it the machine's clock."""
        self._clock.real()


def moment_of(value: date | str) -> datetime:
    """A moment (UTC, to the second) as tests write it: datetime, date (its midnight) or ISO 8601 text.

    :raises Malformed: when it is none.
    """
    return parse_moment(value.isoformat() if isinstance(value, date) else str(value))


def _ahead(moment: datetime, difference: timedelta) -> datetime:
    try:
        return moment_of(moment + difference)
    except OverflowError:
        seen = f"{iso(moment)} moved by {difference.days} days"
        raise Malformed(
            Problem("time.malformed", "time", seen, "a date or time up to the year 9999", "ISO 8601")
        ) from None
