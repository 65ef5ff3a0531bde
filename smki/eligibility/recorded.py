"""Which records answered a question about an earlier day: those of that day or, where there is no history, today's."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date
from typing import Any


class Source(enum.Enum):
    """Where a record comes from."""

    HISTORY = "history"
    """As it was recorded on the day asked about."""
    ADDED_LATER = "added later"
    """As it is recorded today, because it was added to the register after that day."""
    NO_HISTORY = "no history"
    """As it is recorded today, because the ledger does not have every change that was made since that day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUsed:
    """The record of a Party, Testing Participant or Device that answered a question about an earlier day."""

    subject: str
    """Whose record it is: ``Party LARGE-SUPPLIER``."""
    source: Source
    as_of: date
    """The day asked about."""
    since: date | None = None
    """For one from the history, the day of the last change that it includes; for one that was added later, the day on
    which it was added."""

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object with subject, source, since (a day or null) and text."""
        since = self.since.isoformat() if self.since else None
        return {"subject": self.subject, "source": self.source.value, "since": since, "text": self.text}

    @property
    def text(self) -> str:
        """One sentence."""
        if self.source is Source.HISTORY:
            return f"{self.subject} as recorded on {self.as_of} (last change: {self.since})."
        if self.source is Source.ADDED_LATER:
            added = f"it was added to the register on {self.since}"
        else:
            added = f"the ledger does not have its history since {self.as_of}"
        return f"{self.subject} as recorded today: {added}."
