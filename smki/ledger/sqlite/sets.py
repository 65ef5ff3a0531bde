"""Queries of the SQLite ledger about many things at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from smki.identity import EntityIdentifier, SerialNumber
from smki.ledger.decisions import InventoryEntry
from smki.ledger.sqlite.register import device_of_row
from smki.ledger.sqlite.row_form import row_of, values_of
from smki.ledger.sqlite.rows import Read, public_key_digest

_SIZES = (1, 8, 128, 1024)
"""Numbers of values in one query. Few different ones, so that SQLite compiles few different queries."""


def read_set(read: Read, sql: str, values: Collection[bytes]) -> Iterator[tuple[Any, ...]]:
    """Run a query for any number of values.

    :param sql: with ``IN ()``, into which the values go.
    """
    remaining = list(values)
    while remaining:
        size = next((size for size in _SIZES if size >= len(remaining)), _SIZES[-1])
        some, remaining = remaining[:size], remaining[size:]
        # The last value again, up to the size.
        some += some[-1:] * (size - len(some))
        yield from read(sql.replace("IN ()", f"IN ({', '.join('?' * size)})"), tuple(some))


class SqliteSets:
    """A :class:`~smki.ledger.decisions.SetReader`.

    :param read: runs a query and returns its rows.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    def inventory(self, device_ids: Collection[EntityIdentifier]) -> Mapping[EntityIdentifier, InventoryEntry]:
        """Those of the Devices that are in the Smart Metering Inventory."""
        sql = "SELECT id, record, threshold FROM device WHERE id IN ()"
        rows = read_set(self._read, sql, [each.encoded for each in device_ids])
        return {entry.device.device_id: entry for entry in map(_inventory_entry, rows)}

    def certificates_for_devices(self, device_ids: Collection[EntityIdentifier]) -> Mapping[EntityIdentifier, int]:
        """The number of certificates that each Device has had; none for 0."""
        sql = """SELECT entity_identifier, count(*) FROM certificate WHERE entity_identifier IN () AND kind = 'device'
            GROUP BY entity_identifier"""
        rows = read_set(self._read, sql, [each.encoded for each in device_ids])
        return {EntityIdentifier(encoded): count for encoded, count in map(_DEVICE_COUNT, rows)}

    def certified_keys(self, public_keys: Collection[bytes]) -> frozenset[bytes]:
        """The public keys (SubjectPublicKeyInfo, DER) for which there is a certificate."""
        digests = {public_key_digest(key): key for key in public_keys}
        rows = read_set(self._read, "SELECT public_key FROM certificate WHERE public_key IN ()", list(digests))
        return frozenset(digests[digest] for (digest,) in rows)

    def used_serial_numbers(self, serial_numbers: Collection[SerialNumber]) -> frozenset[SerialNumber]:
        """The serial numbers that were used before."""
        sql = "SELECT serial_number FROM application WHERE serial_number IN ()"
        rows = read_set(self._read, sql, [each.encoded for each in serial_numbers])
        return frozenset(SerialNumber.from_bytes(encoded) for (encoded,) in rows)

    def settings(self) -> Mapping[str, str]:
        """The settings that were set, by name."""
        return dict(map(SETTING, self._read("SELECT name, value FROM setting", ())))


_DEVICE_COUNT = values_of("certificate", "bi")
SETTING = values_of("setting", "tt")


@row_of("device", "btI")
def _inventory_entry(row: tuple[Any, ...]) -> InventoryEntry:
    return InventoryEntry(device_of_row(row[:2]), row[2])
