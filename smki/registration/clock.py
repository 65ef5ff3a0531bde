"""The command that sets what time it is in a home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from smki.clock import RealClock, iso
from smki.ledger import EventKind
from smki.problem import Malformed, Problem
from smki.registration.command import Command, Context, Done, Happened

FIRST_YEAR, LAST_YEAR = 1950, 9900
"""Times before 1950 cannot be written in certificates; certificates of the last century of the format would outlive it."""


class SettableClock(Protocol):
    """A clock that can be set: of a home, or of an SMKI in memory."""

    def restoring(self) -> Callable[[], None]:
        """Return what gives it the setting again that it has now."""

    def set(self, moment: datetime) -> None:
        """Make it stand still at a moment (UTC)."""

    def shift(self, shift: timedelta) -> None:
        """Make it run ahead of the machine's clock, or behind it."""

    def real(self) -> None:
        """Make it the machine's clock again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetClock(Command[None]):
    """Make the clock of a home stand still, run ahead or behind, or follow the machine's clock again."""

    requires_dcc: ClassVar[bool] = True

    clock: SettableClock
    fixed: datetime | None = None
    """The time (UTC) at which it is to stand still."""
    shift: timedelta | None = None
    """How far it is to run ahead of the machine's clock; negative: behind it."""

    def carry_out(self, context: Context) -> Done[None]:
        """Replace the clock's setting. The event bears the time of the clock as it was before.

        :raises Malformed: when it is to stand still and to run ahead, or in a year for which no certificate can be made.
        """
        if self.fixed is not None and self.shift is not None:
            expected = "a time at which to stand still, or a shift, not both"
            raise Malformed(
                Problem(code="clock.contradiction", subject="clock", seen="fixed and shifted", expected=expected)
            )
        self._require_usable()
        undo = self.clock.restoring()
        if self.fixed is not None:
            self.clock.set(self.fixed)
            detail = f"fixed at {iso(self.fixed)}"
        elif self.shift is not None:
            self.clock.shift(self.shift)
            detail = f"shifted by {int(self.shift.total_seconds())} s"
        else:
            self.clock.real()
            detail = "real"
        content = {
            "fixed": iso(self.fixed) if self.fixed is not None else None,
            "shiftSeconds": int(self.shift.total_seconds()) if self.shift is not None else None,
        }
        return Done(None, Happened(kind=EventKind.CLOCK_SET, detail=detail, content=content), undo)

    def _require_usable(self) -> None:
        try:
            moment = self.fixed or RealClock().now() + (self.shift or timedelta(0))
            is_usable = FIRST_YEAR <= moment.year <= LAST_YEAR
        except OverflowError:
            is_usable = False
        if not is_usable:
            expected = f"a time in the years {FIRST_YEAR} to {LAST_YEAR}"
            raise Malformed(
                Problem(
                    code="clock.out-of-range",
                    subject="clock",
                    seen="another time",
                    expected=expected,
                    clause="RFC 5280 4.1.2.5",
                )
            )
