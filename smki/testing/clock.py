"""Set the time in an SMKI: stop its clock, move it, let it run."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from smki.clock import AdjustableClock, HomeClock, iso, parse_moment
from smki.home.smki import Smki
from smki.problem import Malformed, NotReady, Problem


class ClockControl:
    """Sets the time of an SMKI: for its certificates and lists, its Repository, and Relying Parties that use its clock.

    :param smki: an SMKI in memory or in a directory.
    :raises NotReady: when its clock cannot be set.
    """

    def __init__(self, smki: Smki) -> None:
        clock = smki.clock
        if not isinstance(clock, AdjustableClock | HomeClock):
            seen, remedy = f"a {type(clock).__name__}", "Open the SMKI without a clock of your own."
            raise NotReady(
                Problem(
                    code="clock.not-adjustable",
                    subject="clock",
                    seen=seen,
                    expected="one that can be set",
                    remedy=remedy,
                )
            )
        self._clock = clock

    @property
    def now(self) -> datetime:
        """The present time of the SMKI (UTC, to the second)."""
        return self._clock.now()

    def freeze(self, at: date | str | None = None) -> datetime:
        """Stop the clock.

        :param at: the time to stop it at (UTC; a datetime, a date or ISO 8601); by default the present time.
        :returns: the time at which it stopped.
        :raises Malformed: when *at* is not a time.
        """
        self._clock.set(self.now if at is None else moment_of(at))
        return self.now

    def move(self, to: date | timedelta | str) -> datetime:
        """Set the time. A clock that is stopped remains stopped, one that runs goes on from there.

        :param to: the new time (UTC; a datetime, a date or ISO 8601), or the difference to the present one.
        :returns: the new time.
        :raises Malformed: when *to* is neither, or the result is not in the years 1950 to 9999.
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
        """Use the time of the machine."""
        self._clock.real()


def moment_of(value: date | str) -> datetime:
    """Return the moment (UTC, to the second) for a datetime, a date (its midnight) or ISO 8601 text.

    :raises Malformed: when it is not a moment.
    """
    return parse_moment(value.isoformat() if isinstance(value, date) else str(value))


def _ahead(moment: datetime, difference: timedelta) -> datetime:
    try:
        return moment_of(moment + difference)
    except OverflowError:
        seen = f"{iso(moment)} moved by {difference.days} days"
        raise Malformed(
            Problem(code="time.malformed", subject="time", seen=seen, expected="a date or time up to the year 9999")
        ) from None
