"""The register: Parties, Testing Participants and Devices, in the same file as the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from smki.identity import EntityIdentifier, PartyId
from smki.ledger.part import LedgerPart
from smki.ledger.register_records import (
    Registrant,
    device_fields,
    device_of_text,
    registrant_fields,
    registrant_id,
    registrant_of_text,
    to_text,
)
from smki.problem import Malformed, NotFound, Problem
from smki.sec.device import Device
from smki.sec.party import Party

T = TypeVar("T")

REGISTRY_FIRST = EntityIdentifier.parse("90-B3-D5-1F-30-04-00-00")
REGISTRY_LAST = EntityIdentifier.parse("90-B3-D5-1F-3F-FF-FF-FF")
"""The block of EUI-64s from which this emulator, in the place of the Code Administrator, assigns Entity Identifiers.
Assumption: it continues that of the published test identities."""


class Register(LedgerPart):
    """Who there is to apply, and which Devices there are."""

    def add(self, *records: Registrant | Device) -> None:
        """Add new records, all of them or none.

        :raises Malformed: when one is there already, or an Entity Identifier belongs to another Party.
        """

        def insert(connection: sqlite3.Connection) -> None:
            for record in records:
                _add(connection, record)

        self._write(insert)

    def change(self, party: PartyId, change: Callable[[Registrant], Registrant]) -> Registrant:
        """Replace the record of a Party or Testing Participant by what *change* makes of it.

        :raises NotFound: when there is none.
        :raises Malformed: when it takes an Entity Identifier of another Party.
        """

        def replace(connection: sqlite3.Connection) -> Registrant:
            rows = connection.execute("SELECT record FROM registrant WHERE id = ?", (str(party),)).fetchall()
            changed = change(registrant_of_text(_one(rows, _unknown_party(party))[0]))
            connection.execute(
                "UPDATE registrant SET record = ? WHERE id = ?", (to_text(registrant_fields(changed)), str(party))
            )
            connection.execute("DELETE FROM entity_identifier WHERE registrant = ?", (str(party),))
            _own(connection, changed)
            return changed

        changed: Registrant = self._write(replace)
        return changed

    def change_device(self, device_id: EntityIdentifier, change: Callable[[Device], Device]) -> Device:
        """Replace the record of a Device by what *change* makes of it.

        :raises NotFound: when there is none.
        """

        def replace(connection: sqlite3.Connection) -> Device:
            rows = connection.execute("SELECT record FROM device WHERE id = ?", (device_id.octets,)).fetchall()
            changed = change(device_of_text(_one(rows, unknown_device(device_id))[0]))
            connection.execute(
                "UPDATE device SET record = ? WHERE id = ?", (to_text(device_fields(changed)), device_id.octets)
            )
            return changed

        changed: Device = self._write(replace)
        return changed

    def registrant(self, party: PartyId) -> Registrant | None:
        """The Party or Testing Participant with that id, or None."""
        rows = self._read("SELECT record FROM registrant WHERE id = ?", (str(party),))
        return registrant_of_text(rows[0][0]) if rows else None

    def known_registrant(self, party: PartyId) -> Registrant:
        """The same.

        :raises NotFound: when there is none.
        """
        found = self.registrant(party)
        if found is None:
            raise NotFound(_unknown_party(party))
        return found

    def registrants(self) -> list[Registrant]:
        """Every Party and Testing Participant, in the order in which they were added."""
        return [registrant_of_text(row[0]) for row in self._read("SELECT record FROM registrant ORDER BY rowid", ())]

    def owner(self, identifier: EntityIdentifier) -> Party | None:
        """The Party to which an Entity Identifier belongs, or None."""
        sql = "SELECT r.record FROM entity_identifier e JOIN registrant r ON r.id = e.registrant WHERE e.octets = ?"
        rows = self._read(sql, (identifier.octets,))
        found = registrant_of_text(rows[0][0]) if rows else None
        return found if isinstance(found, Party) else None

    def next_free_identifier(self) -> EntityIdentifier:
        """The first EUI-64 of the registry block behind the last one that was assigned from it.

        :raises NotFound: when the block is used up.
        """
        first, last = REGISTRY_FIRST.octets, REGISTRY_LAST.octets
        rows = self._read("SELECT max(octets) FROM entity_identifier WHERE octets BETWEEN ? AND ?", (first, last))
        highest = rows[0][0]
        number = int.from_bytes(first, "big") if highest is None else int.from_bytes(highest, "big") + 1
        if number > int.from_bytes(last, "big"):
            raise NotFound(Problem("entity-identifier.none-free", "registry block", "used up", "a free EUI-64"))
        return EntityIdentifier(number.to_bytes(8, "big"))

    def device(self, device_id: EntityIdentifier) -> Device | None:
        """The Device with that id, or None."""
        rows = self._read("SELECT record FROM device WHERE id = ?", (device_id.octets,))
        return device_of_text(rows[0][0]) if rows else None

    def devices(self) -> Iterator[Device]:
        """Every Device, by its id."""
        for row in self._read("SELECT record FROM device ORDER BY id", ()):
            yield device_of_text(row[0])

    def threshold(self, device_id: EntityIdentifier) -> int | None:
        """The number of certificates to which the registration authority has raised a Device's limit; None if not."""
        rows = self._read("SELECT threshold FROM device WHERE id = ?", (device_id.octets,))
        return rows[0][0] if rows else None

    def raise_threshold(self, device_id: EntityIdentifier, threshold: int) -> None:
        """Set a Device's limit.

        :raises NotFound: when there is no such Device.
        """

        def update(connection: sqlite3.Connection) -> None:
            cursor = connection.execute("UPDATE device SET threshold = ? WHERE id = ?", (threshold, device_id.octets))
            if cursor.rowcount == 0:
                raise NotFound(unknown_device(device_id))

        self._write(update)


def unknown_device(device_id: EntityIdentifier) -> Problem:
    """The problem of a Device that is not in the inventory."""
    return Problem(
        "device.unknown",
        f"Device {device_id}",
        "not in the Smart Metering Inventory",
        "a Device that was added to it",
        "SEC L3.9",
        f"Add it first: smki device add {device_id} --type ESME (or what it is).",
    )


def _unknown_party(party: PartyId) -> Problem:
    return Problem(
        "party.unknown",
        f"Party {party}",
        "not registered",
        "a Party or Testing Participant that was added",
        "SEC L3",
        "smki party list shows who there is; smki party add adds one.",
    )


def _one(rows: list[tuple[Any, ...]], problem: Problem) -> tuple[Any, ...]:
    if not rows:
        raise NotFound(problem)
    return rows[0]


def _add(connection: sqlite3.Connection, record: Registrant | Device) -> None:
    try:
        if isinstance(record, Device):
            text = to_text(device_fields(record))
            connection.execute("INSERT INTO device (id, record) VALUES (?, ?)", (record.device_id.octets, text))
            return
        text = to_text(registrant_fields(record))
        connection.execute("INSERT INTO registrant (id, record) VALUES (?, ?)", (registrant_id(record), text))
    except sqlite3.IntegrityError:
        what = f"Device {record.device_id}" if isinstance(record, Device) else f"Party {registrant_id(record)}"
        code = "device.exists" if isinstance(record, Device) else "party.exists"
        raise Malformed(Problem(code, what, "there already", "one that is not registered yet")) from None
    _own(connection, record)


def _own(connection: sqlite3.Connection, registrant: Registrant) -> None:
    for identifier in _identifiers(registrant):
        try:
            sql = "INSERT INTO entity_identifier (octets, registrant) VALUES (?, ?)"
            connection.execute(sql, (identifier.octets, registrant_id(registrant)))
        except sqlite3.IntegrityError:
            row = connection.execute("SELECT registrant FROM entity_identifier WHERE octets = ?", (identifier.octets,))
            raise Malformed(
                Problem(
                    "entity-identifier.taken",
                    f"Entity Identifier {identifier}",
                    f"belongs to {row.fetchone()[0]}",
                    "an EUI-64 that belongs to no other Party",
                    "SEC L3.9",
                    "Have another assigned: smki party assign-eui.",
                )
            ) from None


def _identifiers(registrant: Registrant) -> Iterable[EntityIdentifier]:
    return sorted(registrant.identifiers) if isinstance(registrant, Party) else ()
