"""Time for a test: frozen, and moved."""

from __future__ import annotations

from datetime import datetime, timedelta

from smki.clock import AdjustableClock, HomeClock, parse_moment
from smki.home import Smki
from smki.problem import NotReady, Problem


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

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Make it stand still.

        :param at: where: a moment (UTC), or ISO 8601; by default where it is.
        :returns: the moment.
        """
        self._clock.set(self.now if at is None else _moment(at))
        return self.now

    def move(self, to: datetime | timedelta | str) -> datetime:
        """Set it to a moment, or ahead by a time (back by a negative one). One that stands still stands still there.

        :param to: a moment (UTC), ISO 8601 text, or a difference.
        :returns: the moment that it is now.
        """
        before = self.now
        moment = before + to if isinstance(to, timedelta) else _moment(to)
        if self._clock.setting == "fixed":
            self._clock.set(moment)
        else:
            self._clock.real()
            self._clock.shift(moment - self.now)
        return self.now

    def real(self) -> None:
        """Make it the machine's clock."""
        self._clock.real()


def _moment(text: datetime | str) -> datetime:
    return parse_moment(text) if isinstance(text, str) else parse_moment(text.isoformat())
