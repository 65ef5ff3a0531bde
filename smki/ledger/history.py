"""The past of the register, as the events of a ledger have recorded it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from smki.identity import EntityIdentifier


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterChange:
    """What one event says of the record of a Party, Testing Participant or Device."""

    at: datetime
    added: bool
    """Whether the event added the record; otherwise the event changed it."""
    content: Mapping[str, Any] | None = None
    """For a change, the fields with their values before and after (``{"name": {"from": …, "to": …}}``); None if the event
    was stored without them."""


class HistoryReader(Protocol):
    """How the register came to be what it is."""

    def of_registrants(self) -> dict[str, list[RegisterChange]]:
        """The changes of every Party and Testing Participant by id, in the order in which they were made."""

    def of_device(self, device_id: EntityIdentifier) -> list[RegisterChange]:
        """The changes of a Device, in the order in which they were made. One that was added to the inventory with its first
        certificate counts as added by that."""

    def of_setting(self, name: str) -> list[RegisterChange]:
        """The changes of a setting, in the order in which they were made. One that was made with the ledger counts as
        added by that."""

    def certificates_by_subscriber(self) -> dict[str, int]:
        """The number of certificates that each subscriber has had; subscribers without any are omitted."""

    def certificates_by_test(self) -> dict[str, dict[str, int]]:
        """The number of certificates that each subscriber has had for each of its recorded tests, by name; subscribers
        without any are omitted."""


def last_until(changes: Sequence[RegisterChange], end: datetime) -> int:
    """Return the number of changes up to the last one that is dated before *end*, in the order in which they were made.

    The clock of an SMKI can be set back, so that earlier changes can have later dates.
    """
    return max((number for number, change in enumerate(changes, start=1) if change.at < end), default=0)
