"""Certificate revocation lists (RFC 5280 5): parsed for the lint, read for use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from smki.identity import SerialNumber
from smki.pki import der
from smki.pki.der import DerError, Node
from smki.pki.oid import Oid
from smki.pki.revocation_entry import RevokedEntry, entry_parts, raw_entries, reason_of, usual_time
from smki.pki.x509 import ExtensionNode, StructureFault, read_extensions, signature_verifies, unreadable
from smki.problem import Malformed

PEM_LABEL = "X509 CRL"


@dataclass(slots=True)
class ListStructure:
    """A revocation list parsed as far as possible; parts that are missing or unreadable are None.

    Entries are not parsed, because there may be a million; they are read in one pass when needed.
    """

    data: bytes
    faults: list[StructureFault] = field(default_factory=list)
    outer: Node | None = None
    tbs: Node | None = None
    version: Node | None = None
    inner_algorithm: Node | None = None
    issuer: Node | None = None
    this_update: Node | None = None
    next_update: Node | None = None
    entries: Node | None = None
    """revokedCertificates, a SEQUENCE."""
    extensions: list[ExtensionNode] = field(default_factory=list)
    outer_algorithm: Node | None = None
    signature: Node | None = None

    @property
    def size_without_entries(self) -> int:
        """The size of everything but the entries, in bytes. Only the entries may be large."""
        return len(self.data) - (self.entries.end - self.entries.body if self.entries is not None else 0)

    def extension(self, oid: str) -> ExtensionNode | None:
        """Return the first extension of the list with that object identifier, or None."""
        return next((extension for extension in self.extensions if extension.oid == oid), None)


def read_revocation_list(data: bytes) -> ListStructure:
    """Parse the DER of a revocation list. Never raises; parts that cannot be read become faults."""
    structure = ListStructure(data)
    try:
        outer = der.read(data)
        if outer.tag != der.SEQUENCE:
            raise DerError(f"{der.tag_name(outer.tag)} where a SEQUENCE should be", outer.start)
        # One more than expected, to detect extra elements without reading all of them.
        parts = der.first_children(outer, 4)
    except DerError as error:
        structure.faults.append(StructureFault("structure.unreadable", "certificateList", str(error), "a DER SEQUENCE"))
        return structure
    structure.outer = outer
    if [part.tag for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        found = ", ".join(der.tag_name(part.tag) for part in parts) or "nothing"
        structure.faults.append(StructureFault("structure.list", "certificateList", found))
    if parts and parts[0].tag == der.SEQUENCE:
        _read_tbs(structure, parts[0])
    if len(parts) > 1 and parts[1].tag == der.SEQUENCE:
        structure.outer_algorithm = parts[1]
    if len(parts) > 2 and parts[2].tag == der.BIT_STRING:
        structure.signature = parts[2]
    return structure


def read_tbs_list(data: bytes) -> ListStructure:
    """Parse the DER of a TBSCertList that has not been signed yet. Never raises."""
    structure = ListStructure(data)
    try:
        tbs = der.read(data)
        if tbs.tag != der.SEQUENCE:
            raise DerError(f"{der.tag_name(tbs.tag)} where a SEQUENCE should be", tbs.start)
    except DerError as error:
        structure.faults.append(StructureFault("structure.unreadable", "tbsCertList", str(error), "a DER SEQUENCE"))
    else:
        _read_tbs(structure, tbs)
    return structure


_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)
_TBS_FIELDS: tuple[tuple[str, tuple[int, ...], bool], ...] = (
    ("version", (der.INTEGER,), True),
    ("inner_algorithm", (der.SEQUENCE,), False),
    ("issuer", (der.SEQUENCE,), False),
    ("this_update", _TIMES, False),
    ("next_update", _TIMES, True),
    ("entries", (der.SEQUENCE,), True),
)
_FIELD_NAMES = {
    "inner_algorithm": "signature",
    "this_update": "thisUpdate",
    "next_update": "nextUpdate",
    "entries": "revokedCertificates",
}


def _read_tbs(structure: ListStructure, tbs: Node) -> None:
    structure.tbs = tbs
    try:
        parts = der.first_children(tbs, len(_TBS_FIELDS) + 2)
    except DerError as error:
        structure.faults.append(
            StructureFault("structure.unreadable", "tbsCertList", str(error), "a sequence of elements")
        )
        return
    at = 0
    for attribute, tags, optional in _TBS_FIELDS:
        name = _FIELD_NAMES.get(attribute, attribute)
        if at < len(parts) and parts[at].tag in tags:
            setattr(structure, attribute, parts[at])
            at += 1
        elif not optional:
            found = der.tag_name(parts[at].tag) if at < len(parts) else "nothing"
            structure.faults.append(StructureFault("structure.list-field", f"tbsCertList.{name}", found))
    for part in parts[at:]:
        if part.tag == 0xA0 and part is parts[at]:
            _read_list_extensions(structure, part)
        else:
            structure.faults.append(
                StructureFault(
                    "structure.list-field", "tbsCertList", der.tag_name(part.tag), "crlExtensions, then the end"
                )
            )


def _read_list_extensions(structure: ListStructure, part: Node) -> None:
    location = "tbsCertList.crlExtensions"
    try:
        container = part.inner()
    except DerError as error:
        structure.faults.append(StructureFault("structure.extensions", location, str(error), "a SEQUENCE of Extension"))
        return
    structure.extensions += read_extensions(container, location, structure.faults)


@dataclass(frozen=True)
class ListHeader:
    """The fields of a revocation list around its entries, read without reading these: cheap, however many there are."""

    der: bytes = field(repr=False)
    issuer: bytes = field(repr=False, compare=False)
    """The issuer's Name, DER."""
    this_update: datetime = field(compare=False)
    next_update: datetime | None = field(compare=False)
    number: int | None = field(compare=False)
    """cRLNumber."""
    authority_key_identifier: bytes | None = field(repr=False, compare=False)

    @staticmethod
    def of_structure(structure: ListStructure) -> ListHeader:
        """Return the fields of a parsed list.

        :raises Malformed: if one of them cannot be read, naming it.
        """
        try:
            return ListHeader(**_header_fields(structure))
        except DerError as error:
            raise _unreadable(structure, error) from None


@dataclass(frozen=True)
class RevocationList(ListHeader):
    """A revocation list that could be read completely. Two are equal if their DER is.

    Reading checks the structure, but not the profile (see :mod:`smki.profile`) or any signature.
    """

    tbs: bytes = field(repr=False, compare=False)
    """The signed bytes (TBSCertList, DER)."""
    signature: bytes = field(repr=False, compare=False)
    """Ecdsa-Sig-Value, DER."""
    _entries: Node | None = field(repr=False, compare=False)

    @classmethod
    def from_der(cls, data: bytes) -> RevocationList:
        """Read a revocation list.

        :raises Malformed: if a part of it cannot be read, naming that part.
        """
        structure = read_revocation_list(data)
        try:
            fields = _header_fields(structure)
            tbs, signature = structure.tbs, structure.signature
            assert tbs is not None, "checked with the fields"
            assert signature is not None, "checked with the fields"
            revocation_list = cls(
                **fields, tbs=tbs.encoded, signature=signature.content[1:], _entries=structure.entries
            )
            _ = revocation_list._offsets  # evaluated here so that an unreadable entry raises now
        except DerError as error:
            raise _unreadable(structure, error) from None
        return revocation_list

    @cached_property
    def _offsets(self) -> dict[int, int]:
        # Serial number to offset, built in one pass, because searching the bytes each time is a linear scan.
        found: dict[int, int] = {}
        for raw in raw_entries(self._entries) if self._entries is not None else ():
            content = raw.serial_number
            if raw.node is None:
                usual_time(raw.time)
            else:
                serial, time, _ = entry_parts(raw.node)
                der.decode_time(time)
                found.setdefault(der.decode_integer(serial), raw.start)
                continue
            found.setdefault(int.from_bytes(content, "big", signed=True), raw.start)
        return found

    def __len__(self) -> int:
        """Return the number of revoked certificates in the list."""
        return len(self._offsets)

    def __contains__(self, serial_number: SerialNumber) -> bool:
        return serial_number.value in self._offsets

    def entry(self, serial_number: SerialNumber) -> RevokedEntry | None:
        """Return the entry of that certificate; None if it is not in the list."""
        offset = self._offsets.get(serial_number.value)
        return self._entry_at(serial_number, offset) if offset is not None else None

    def entries(self) -> Iterator[RevokedEntry]:
        """Yield every entry, in the order of the list."""
        for number, offset in self._offsets.items():
            yield self._entry_at(SerialNumber(number), offset)

    def _entry_at(self, serial_number: SerialNumber, offset: int) -> RevokedEntry:
        _, time, extensions = entry_parts(der.read(self.der, offset))
        reason = next((extension for extension in extensions if extension.oid == Oid.REASON_CODE), None)
        number = reason.value.content[-1] if reason and reason.value.content[:2] == b"\x0a\x01" else None
        return RevokedEntry(serial_number, der.decode_time(time), reason_of(number))

    def is_signed_by(self, point: bytes) -> bool:
        """Return whether the signature was made by the key with that point (65 bytes)."""
        return signature_verifies(point, self.signature, self.tbs)


def _header_fields(s: ListStructure) -> dict[str, Any]:
    """Return the values of the fields of :class:`ListHeader`.

    :raises DerError: if one of them cannot be read.
    """
    if s.faults or not (s.outer and s.tbs and s.issuer and s.this_update and s.signature):
        raise DerError("a part is missing", 0)
    if s.outer.end != len(s.data):
        raise DerError(f"{len(s.data) - s.outer.end} bytes after the end", s.outer.end)
    number = s.extension(Oid.CRL_NUMBER)
    authority = s.extension(Oid.AUTHORITY_KEY_IDENTIFIER)
    value = authority.value.content if authority else b""
    return {
        "der": s.data,
        "issuer": s.issuer.encoded,
        "this_update": der.decode_time(s.this_update),
        "next_update": der.decode_time(s.next_update) if s.next_update else None,
        "number": der.decode_integer(number.value.inner()) if number else None,
        "authority_key_identifier": value[4:] if value[2:3] == b"\x80" else None,
    }


def _unreadable(structure: ListStructure, error: DerError) -> Malformed:
    faults = structure.faults or [StructureFault(error.code, "certificateList", str(error), "a list")]
    return unreadable(faults, "RFC 5280 5.1")
