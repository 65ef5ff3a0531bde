"""The register as it was recorded on an earlier day, for questions about that day.

The ledger stores each record as it is today, and an event for each change of it, with the values before and after. A
record of an earlier day is today's record with the changes since that day undone, the last one first. Where that is not
possible, today's record is used, and :class:`~smki.eligibility.recorded.RecordUsed` says so.

The clock of an SMKI can be set back. The record of a day is therefore the one after the last change that is dated on or
before it, in the order in which the changes were made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, TypeVar

from smki.eligibility import Applicant
from smki.eligibility.recorded import RecordUsed, Source
from smki.identity import EntityIdentifier, PartyId
from smki.ledger import Reader
from smki.ledger.history import RegisterChange, last_until
from smki.ledger.settings import SettingValues
from smki.problem import Malformed
from smki.registration.applicants import RegisterView
from smki.sec.device import Device
from smki.sec.party import Party
from smki.sec.registry_fields import Registrant, device_fields, parse_registrant, registrant_fields, registrant_id

R = TypeVar("R")


class RegisterOn:
    """The Parties, Testing Participants and Devices as they were recorded at the end of a day (UTC)."""

    def __init__(self, reader: Reader, day: date) -> None:
        self._reader = reader
        self._day = day

    def registrant(self, party: PartyId) -> Registrant | None:
        """The Party or Testing Participant with that id, or None."""
        found = self._registrants.get(str(party))
        return found[0] if found else None

    def registrants(self) -> list[Registrant]:
        """Every Party and Testing Participant, in the order in which they were added."""
        return [found for found, _ in self._registrants.values()]

    def owner(self, identifier: EntityIdentifier) -> Registrant | None:
        """The Party or Testing Participant to which an Entity Identifier belonged, or None."""
        owners = [
            (used.source is not Source.HISTORY, found)
            for found, used in self._registrants.values()
            if identifier in found.identifiers
        ]
        # A Party that was added later can have taken over the identifier of one that has a history.
        return min(owners, key=lambda each: each[0])[1] if owners else None

    def device(self, device_id: EntityIdentifier) -> Device | None:
        """The Device with that id, or None."""
        found = self._device(device_id)
        return found[0] if found else None

    def setting(self, name: str) -> str | None:
        """The value of a setting at the end of the day; for a day before the ledger was made, its first value."""
        changes = self._reader.history.of_setting(name)
        first = sum(change.added for change in changes)
        undone = changes[max(first, self._number(changes)) :]
        if undone and undone[0].content:
            value: str = undone[0].content[name]["from"]
            return value
        return self._reader.setting(name)

    def _number(self, changes: Sequence[RegisterChange]) -> int:
        """Return the number of changes that had been made by the end of the day."""
        end = datetime.combine(self._day + timedelta(days=1), time(), UTC) if self._day < date.max else None
        return last_until(changes, end) if end else len(changes)

    def used_for(self, applicant: Applicant, device: Device | None = None) -> tuple[RecordUsed, ...]:
        """Return which records an answer is based on: those of the applicant, of the User for which it applies, and of
        the Device, as far as they are in the register."""
        people = (applicant.who, applicant.on_behalf_of)
        ids = [registrant_id(who) for who in people if isinstance(who, Registrant)]
        used = [self._registrants[each][1] for each in ids if each in self._registrants]
        return (*used, *self._used_for_device(device))

    def used_for_all(self, device: Device | None = None) -> tuple[RecordUsed, ...]:
        """Return which record was used for each Party and Testing Participant, and for the Device if it is in the
        inventory."""
        return (*(used for _, used in self._registrants.values()), *self._used_for_device(device))

    def _used_for_device(self, device: Device | None) -> tuple[RecordUsed, ...]:
        found = self._device(device.device_id) if device is not None else None
        return (found[1],) if found else ()

    @cached_property
    def _registrants(self) -> dict[str, tuple[Registrant, RecordUsed]]:
        changes = self._reader.history.of_registrants()
        found: dict[str, tuple[Registrant, RecordUsed]] = {}
        for today in self._reader.register.registrants():
            identity = registrant_id(today)
            kind = "Party" if isinstance(today, Party) else "Testing Participant"
            of_it = changes.get(identity, ())
            found[identity] = self._then(f"{kind} {identity}", today, of_it, registrant_fields, parse_registrant)
        return found

    def _device(self, device_id: EntityIdentifier) -> tuple[Device, RecordUsed] | None:
        today = self._reader.register.device(device_id)
        if today is None:
            return None
        changes = self._reader.history.of_device(device_id)
        return self._then(f"Device {device_id}", today, changes, device_fields, _parse_device)

    def _then(
        self,
        subject: str,
        today: R,
        changes: Sequence[RegisterChange],
        fields_of: Callable[[R], dict[str, Any]],
        parse: Callable[[dict[str, Any]], R],
    ) -> tuple[R, RecordUsed]:
        number = self._number(changes)
        if not number:
            added = changes[0].at.date() if changes and changes[0].added else None
            source = Source.ADDED_LATER if added else Source.NO_HISTORY
            return today, RecordUsed(subject=subject, source=source, as_of=self._day, since=added)
        since = changes[number - 1].at.date()
        used = RecordUsed(subject=subject, source=Source.HISTORY, as_of=self._day, since=since)
        undone = changes[number:]
        if not undone:
            return today, used
        fields = _undo(fields_of(today), undone)
        if fields is not None:
            try:
                return parse(fields), used
            except Malformed:
                # Written by a version that allowed more.
                fields = None
        return today, RecordUsed(subject=subject, source=Source.NO_HISTORY, as_of=self._day)


def register_on(reader: Reader, day: date, today: date) -> RegisterView:
    """Return the register as it was recorded on a day; for today or a later day, as it is."""
    return RegisterOn(reader, day) if day < today else reader.register


def settings_on(reader: SettingValues, register: RegisterView | None) -> SettingValues:
    """Return the settings for a question that is answered from that register."""
    return register if isinstance(register, RegisterOn) else reader


def _undo(fields: dict[str, Any], changes: Sequence[RegisterChange]) -> dict[str, Any] | None:
    """Return the fields before the changes; None if the changes do not say what they were."""
    for change in reversed(changes):
        if change.content is None:
            return None
        for name, values in change.content.items():
            if name == "threshold" or not isinstance(values, dict):
                continue  # not part of the record
            if fields.get(name) != values["to"]:
                return None
            fields.pop(name, None)
            if values["from"] is not None:
                fields[name] = values["from"]
    return fields


def _parse_device(fields: dict[str, Any]) -> Device:
    return Device.parse(**fields)
