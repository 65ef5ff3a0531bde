"""Parties, Testing Participants and Devices in the SQLite ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smki.clock import from_seconds
from smki.identity import EntityIdentifier, PartyId
from smki.ledger.sqlite.row_form import row_of, values_of
from smki.ledger.sqlite.rows import Read
from smki.sec.certified_product import CertifiedProduct
from smki.sec.device import Device, DeviceType
from smki.sec.registry_fields import Registrant, device_of_text, registrant_of_text


class SqliteRegister:
    """A :class:`~smki.ledger.contract.RegisterReader`.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    def registrant(self, party: PartyId) -> Registrant | None:
        """The Party or Testing Participant with that id, or None."""
        rows = self._read("SELECT id, record FROM registrant WHERE id = ?", (str(party),))
        return registrant_of_row(rows[0]) if rows else None

    def registrants(self) -> list[Registrant]:
        """Every Party and Testing Participant, in the order in which they were added."""
        return list(map(registrant_of_row, self._read("SELECT id, record FROM registrant ORDER BY rowid", ())))

    def owner(self, identifier: EntityIdentifier) -> Registrant | None:
        """The Party or Testing Participant to which an Entity Identifier belongs, or None."""
        sql = (
            "SELECT r.id, r.record FROM entity_identifier e JOIN registrant r ON r.id = e.registrant WHERE e.octets = ?"
        )
        rows = self._read(sql, (identifier.encoded,))
        return registrant_of_row(rows[0]) if rows else None

    def highest_identifier(self, first: EntityIdentifier, last: EntityIdentifier) -> EntityIdentifier | None:
        """The highest Entity Identifier of a block that belongs to a Party, or None."""
        sql = "SELECT max(octets) FROM entity_identifier WHERE octets BETWEEN ? AND ?"
        return _identifier(self._read(sql, (first.encoded, last.encoded))[0])

    def device(self, device_id: EntityIdentifier) -> Device | None:
        """The Device with that id, or None."""
        rows = self._read("SELECT id, record FROM device WHERE id = ?", (device_id.encoded,))
        return device_of_row(rows[0]) if rows else None

    def devices(self) -> Iterator[Device]:
        """Every Device, in the order of their ids."""
        yield from map(device_of_row, self._read("SELECT id, record FROM device ORDER BY id", ()))

    def threshold(self, device_id: EntityIdentifier) -> int | None:
        """The certificate limit that was set for a Device; None if it has the default."""
        rows = self._read("SELECT id, threshold FROM device WHERE id = ?", (device_id.encoded,))
        threshold: int | None = _THRESHOLD(rows[0])[1] if rows else None
        return threshold

    def product(self, model: str) -> CertifiedProduct | None:
        """The entry of a Device model in the Certified Products List, or None; it may have been removed."""
        rows = self._read(f"{_PRODUCTS} WHERE model = ?", (model,))
        return _product(rows[0]) if rows else None

    def products(self) -> list[CertifiedProduct]:
        """The Certified Products List in the order of the models, without entries that were removed."""
        return list(map(_product, self._read(f"{_PRODUCTS} WHERE removed IS NULL ORDER BY model", ())))


_PRODUCTS = "SELECT model, device_type, listed, removed FROM certified_product"


_THRESHOLD = values_of("device", "bI")


@row_of("registrant", "tt")
def registrant_of_row(row: tuple[Any, ...]) -> Registrant:
    """Return a Party or Testing Participant from its id and record."""
    return registrant_of_text(row[1])


@row_of("device", "bt")
def device_of_row(row: tuple[Any, ...]) -> Device:
    """Return a Device from its id and record."""
    device = device_of_text(row[1])
    if device.device_id.encoded != row[0]:
        raise ValueError(f"the record of {device.device_id}")
    return device


@row_of("entity_identifier", "B")
def _identifier(row: tuple[Any, ...]) -> EntityIdentifier | None:
    return EntityIdentifier(row[0]) if row[0] is not None else None


@row_of("certified_product", "ttiI")
def _product(row: tuple[Any, ...]) -> CertifiedProduct:
    model, device_type, listed, removed = row
    return CertifiedProduct(
        model=model,
        device_type=DeviceType[device_type],
        listed=from_seconds(listed),
        removed=from_seconds(removed) if removed is not None else None,
    )
