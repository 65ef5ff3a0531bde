"""The record: what an event says, as the text that is hashed, so that every row can be checked against the events.

An event is a leaf of a Merkle tree (RFC 6962). The text of the leaf (its *entry*) holds every column of the event, the
number and tree hash of the *rows* that its command wrote, and the hash of the list that says which rows these are. The text of a row holds its columns, large values by their
SHA-256. So a certificate is proved in two steps: its row is in the entry, and the entry is in the tree.

Texts are JSON in ASCII: keys sorted, no spaces, columns that are NULL left out. A column that is added to a table later is
NULL in the rows that were there before, whose texts stay the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple, Protocol

from smki.identity import SerialNumber
from smki.ledger.merkle import HASH_BYTES, leaf_hash, tree_hash

VERSION = 1
"""The version of the texts, which every entry names."""

WHOLE_BYTES = 32
"""Maximum length of a binary value that is written in full, in bytes."""

_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
_PREFIXES = ("hex:", "sha256:", "text:")


def value_text(value: Any) -> str:
    """Return the value of a column, which is not NULL, as JSON.

    Binary values are written ``hex:…`` up to 32 bytes, else ``sha256:…``. Text that begins like one of those is
    written ``text:…``, so that no two values have the same form.
    """
    kind = type(value)
    if kind is int:
        return str(value)
    if kind is str:
        return quoted("text:" + value if value.startswith(_PREFIXES) else value)
    if kind is bytes:
        if len(value) <= WHOLE_BYTES:
            return f'"hex:{value.hex()}"'
        return f'"sha256:{hashlib.sha256(value).hexdigest()}"'
    return str(int(value)) if kind is bool else _encode(value)  # as SQLite stores it


class Columns:
    """Columns of a table in the order in which they stand in a text.

    :param names: the names of the values of a row. None for a value that is not part of the text.
    """

    __slots__ = ("_members",)

    def __init__(self, names: Sequence[str | None]) -> None:
        order = sorted((name, index) for index, name in enumerate(names) if name is not None)
        self._members = tuple((f",{quoted(name)}:", index) for name, index in order)

    def text(self, values: Sequence[Any]) -> str:
        """Return the columns that are not NULL as a JSON object."""
        members = []
        for start, index in self._members:
            value = values[index]
            if value is None:
                continue
            # What most values are, as value_text writes them.
            if type(value) is int:
                members.append(f"{start}{value}")
            elif type(value) is bytes and len(value) <= WHOLE_BYTES:
                members.append(f'{start}"hex:{value.hex()}"')
            else:
                members.append(start + value_text(value))
        return "{" + "".join(members)[1:] + "}"


def row_text(table: str, columns: str) -> str:
    """Return the text of a row.

    :param columns: from :meth:`Columns.text`.
    """
    return f'{{"row":{columns},"table":"{table}"}}'


def entry_text(event: str, row_hashes: list[bytes], packed: bytes) -> str:
    """Return the text of the leaf of an event.

    :param event: its columns, from :meth:`Columns.text`.
    :param row_hashes: the hashes of the rows that its command wrote.
    :param packed: these rows with their keys, from :func:`pack_rows`. The text of a row that was written again later is
        no longer there, so that only this tells of which row a hash is.
    """
    root, written = tree_hash(row_hashes).hex(), hashlib.sha256(packed).hexdigest()
    return f'{{"event":{event},"record":{VERSION},"rows":{len(row_hashes)},"rowsRoot":"{root}","written":"{written}"}}'


def text_hash(text: str) -> bytes:
    """Return the hash of a row or an entry as a leaf."""
    return leaf_hash(text.encode("ascii"))


class WrittenRow(NamedTuple):
    """A row, or a part of one, that a command wrote."""

    part: int
    """The number of the table, or of the part of its columns."""
    key: bytes
    """Its primary key: the values of those columns as JSON."""
    hash: bytes
    """The hash of its text."""


def key_text(values: Sequence[Any]) -> bytes:
    """Return the key of a row: its one value, or a list of them, as JSON."""
    if len(values) == 1:
        return value_text(values[0]).encode("ascii")
    return f"[{','.join(map(value_text, values))}]".encode("ascii")


def pack_rows(rows: Iterable[WrittenRow]) -> bytes:
    """Return rows as they are stored beside their event."""
    return b"".join(bytes((row.part,)) + len(row.key).to_bytes(2, "big") + row.key + row.hash for row in rows)


def unpack_rows(packed: bytes) -> Iterator[WrittenRow]:
    """Return the rows that are stored beside an event.

    :raises ValueError: if they were not written by :func:`pack_rows`.
    """
    at, size = 0, len(packed)
    while at < size:
        key = at + 3
        value = key + int.from_bytes(packed[at + 1 : key], "big")
        end = value + HASH_BYTES
        if end > size:
            raise ValueError(f"{size} bytes, of which row {at} would end at {end}")
        yield WrittenRow(packed[at], packed[key:value], packed[value:end])
        at = end


class RecordedEvent(NamedTuple):
    """An event as a leaf of the record."""

    number: int
    """From 1: one more than the index of its leaf."""
    at: int
    """Seconds since 1970-01-01T00:00:00Z."""
    entry: str
    """The text whose hash is the leaf."""
    rows: tuple[WrittenRow, ...]
    """The rows that its command wrote."""


class RecordedRow(NamedTuple):
    """A row that the record covers, as it is now."""

    part: int
    key: bytes
    text: str


class RecordReader(Protocol):
    """The record: events as the leaves of a Merkle tree (:mod:`smki.ledger.record`)."""

    def size(self) -> int:
        """The number of leaves."""

    def leaves(self, after: int = 0) -> Iterator[bytes]:
        """The hashes of the leaves after the first *after* ones.

        :raises IntegrityError: if one is missing.
        """

    def event(self, number: int) -> RecordedEvent:
        """The event with a number, from 1.

        :raises NotFound: if there is none, or it has no leaf.
        """

    def events(self, after: int = 0) -> Iterator[RecordedEvent]:
        """The events that have a leaf, after number *after*.

        :raises IntegrityError: if the leaf of one cannot be read.
        """

    def certificate_pages(self, after: int, size: int) -> list[int]:
        """The ids of certificates after which pages of a size begin, of those that were recorded after event *after*;
        the first is the id of the last one recorded until then, or 0."""

    def rows(self) -> Iterator[RecordedRow]:
        """Every row that is covered, as it is now."""

    def issue(self, serial_number: SerialNumber) -> tuple[RecordedEvent, int, str]:
        """The event that covers a certificate as it was issued, the position of its row, and the text of that row.

        :raises NotFound: if no event covers it.
        """
