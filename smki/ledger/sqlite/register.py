"""Parties, Testing Participants and Devices in the SQLite ledger."""

from __future__ import annotations

from collections.abc import Iterator

from smki.clock import from_seconds
from smki.identity import EntityIdentifier, PartyId
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
        rows = self._read("SELECT record FROM registrant WHERE id = ?", (str(party),))
        return registrant_of_text(rows[0][0]) if rows else None

    def registrants(self) -> list[Registrant]:
        """Every Party and Testing Participant, in the order in which they were added."""
        return [registrant_of_text(row[0]) for row in self._read("SELECT record FROM registrant ORDER BY rowid", ())]

    def owner(self, identifier: EntityIdentifier) -> Registrant | None:
        """The Party or Testing Participant to which an Entity Identifier belongs, or None."""
        sql = "SELECT r.record FROM entity_identifier e JOIN registrant r ON r.id = e.registrant WHERE e.octets = ?"
        rows = self._read(sql, (identifier.encoded,))
        return registrant_of_text(rows[0][0]) if rows else None

    def highest_identifier(self, first: EntityIdentifier, last: EntityIdentifier) -> EntityIdentifier | None:
        """The highest Entity Identifier of a block that belongs to a Party, or None."""
        sql = "SELECT max(octets) FROM entity_identifier WHERE octets BETWEEN ? AND ?"
        highest = self._read(sql, (first.encoded, last.encoded))[0][0]
        return EntityIdentifier(highest) if highest is not None else None

    def device(self, device_id: EntityIdentifier) -> Device | None:
        """The Device with that id, or None."""
        rows = self._read("SELECT record FROM device WHERE id = ?", (device_id.encoded,))
        return device_of_text(rows[0][0]) if rows else None

    def devices(self) -> Iterator[Device]:
        """Every Device, in the order of their ids."""
        for row in self._read("SELECT record FROM device ORDER BY id", ()):
            yield device_of_text(row[0])

    def threshold(self, device_id: EntityIdentifier) -> int | None:
        """The certificate limit that was set for a Device; None if it has the default."""
        rows = self._read("SELECT threshold FROM device WHERE id = ?", (device_id.encoded,))
        return rows[0][0] if rows else None

    def product(self, model: str) -> CertifiedProduct | None:
        """The entry of a Device model in the Certified Products List, or None; it may have been removed."""
        rows = self._read(f"{_PRODUCTS} WHERE model = ?", (model,))
        return _product(*rows[0]) if rows else None

    def products(self) -> list[CertifiedProduct]:
        """The Certified Products List in the order of the models, without entries that were removed."""
        return [_product(*row) for row in self._read(f"{_PRODUCTS} WHERE removed IS NULL ORDER BY model", ())]


_PRODUCTS = "SELECT model, device_type, listed, removed FROM certified_product"


def _product(model: str, device_type: str, listed: int, removed: int | None) -> CertifiedProduct:
    return CertifiedProduct(
        model=model,
        device_type=DeviceType[device_type],
        listed=from_seconds(listed),
        removed=from_seconds(removed) if removed is not None else None,
    )
