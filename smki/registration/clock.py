"""The command that sets what time it is in a home."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from smki.clock import HomeClock, iso
from smki.ledger import EventKind
from smki.registration.command import Command, Context, Done, Happened


@dataclass(frozen=True, slots=True, kw_only=True)
class SetClock(Command[None]):
    """Make the clock of a home stand still, run ahead or behind, or follow the machine's clock again."""

    clock: HomeClock
    fixed: datetime | None = None
    """The time (UTC) at which it is to stand still."""
    shift: timedelta | None = None
    """How far it is to run ahead of the machine's clock; negative: behind it."""

    def carry_out(self, context: Context) -> Done[None]:
        """Replace the clock's setting. The event bears the time of the clock as it was before."""
        if self.fixed is not None:
            self.clock.set(self.fixed)
            detail = f"fixed at {iso(self.fixed)}"
        elif self.shift is not None:
            self.clock.shift(self.shift)
            detail = f"shifted by {int(self.shift.total_seconds())} s"
        else:
            self.clock.real()
            detail = "real"
        return Done(None, Happened(kind=EventKind.CLOCK_SET, detail=detail))
