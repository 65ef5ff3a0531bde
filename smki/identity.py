"""Identifiers of certificate holders and certificates: Entity Identifiers, Party IDs and serial numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smki.problem import Malformed, Problem

_SEPARATED = re.compile(r"[0-9A-Fa-f]{2}(?:([-:])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){6}\Z")
_PLAIN = re.compile(r"[0-9A-Fa-f]{16}\Z")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{1,40}\Z")
_PARTY_ID = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,30}[A-Z0-9])?\Z")

MAX_SERIAL_BYTES = 16
"""Maximum size of serial numbers in GBCS certificates, in bytes."""


@dataclass(frozen=True, slots=True, order=True)
class EntityIdentifier:
    """An EUI-64 that identifies a Device, or a Party in a role (8 bytes, most significant first)."""

    encoded: bytes

    def __post_init__(self) -> None:
        if len(self.encoded) != 8:
            raise Malformed(_not_an_eui(f"{len(self.encoded)} bytes"))

    @classmethod
    def parse(cls, text: str) -> EntityIdentifier:
        """Parse ``90-B3-D5-1F-30-01-00-00``, ``90:B3:D5:…`` or ``90B3D51F30010000``, in upper or lower case.

        :raises Malformed: for anything else.
        """
        text = text.strip()
        if _PLAIN.match(text) or _SEPARATED.match(text):
            return cls(bytes.fromhex(text.replace("-", "").replace(":", "")))
        digits = sum(character in "0123456789abcdefABCDEF" for character in text)
        raise Malformed(_not_an_eui(f"{text[:64]!r} ({digits} hexadecimal digits)"))

    @property
    def hex(self) -> str:
        """``90B3D51F30010000``: 16 upper-case hexadecimal digits."""
        return self.encoded.hex().upper()

    @property
    def hyphenated(self) -> str:
        """``90-B3-D5-1F-30-01-00-00``: the form of the repository's XML."""
        return self.encoded.hex("-").upper()

    def __str__(self) -> str:
        return self.hyphenated


def _not_an_eui(seen: str) -> Problem:
    return Problem(
        code="entity-identifier.malformed",
        subject="Entity Identifier",
        seen=seen,
        expected="an EUI-64: 16 hexadecimal digits, or 8 pairs separated by - or :",
    )


@dataclass(frozen=True, slots=True, order=True)
class PartyId:
    """The identifier of a Party, given by the Code Administrator, or of a Testing Participant: ``LARGE-SUPPLIER``.

    Assumption: the form. None is published; this one never needs quoting.
    """

    text: str

    def __post_init__(self) -> None:
        if not _PARTY_ID.match(self.text):
            raise Malformed(
                Problem(
                    code="party-id.malformed",
                    subject="Party ID",
                    seen=f"{self.text[:64]!r}",
                    expected="1 to 32 letters, digits and hyphens, the first and the last not a hyphen",
                )
            )

    @classmethod
    def parse(cls, text: str) -> PartyId:
        """Parse a Party ID, in upper or lower case.

        :raises Malformed: for anything else.
        """
        return cls(text.strip().upper())

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class SerialNumber:
    """The serial number of a certificate: a positive integer."""

    value: int

    @classmethod
    def parse(cls, text: str) -> SerialNumber:
        """Parse a hexadecimal serial number, in upper or lower case; leading zeros and ``:`` between pairs are
        optional.

        :raises Malformed: for anything else, and for zero.
        """
        digits = text.strip().replace(":", "")
        if _HEXADECIMAL.match(digits) and (value := int(digits, 16)):
            return cls(value)
        raise Malformed(
            Problem(
                code="serial-number.malformed",
                subject="serial number",
                seen=f"{text[:64]!r}",
                expected="a positive number of 1 to 40 hexadecimal digits",
            )
        )

    @classmethod
    def from_bytes(cls, encoded: bytes) -> SerialNumber:
        """Return the serial number with these bytes (unsigned, big-endian)."""
        return cls(int.from_bytes(encoded, "big"))

    @property
    def encoded(self) -> bytes:
        """16 bytes, most significant first; more only if a certificate issued elsewhere needs them."""
        return self.value.to_bytes(max(MAX_SERIAL_BYTES, (self.value.bit_length() + 7) // 8), "big")

    @property
    def hex(self) -> str:
        """``4DF56E92D528F83544EBA0547068CF8C``: 32 upper-case hexadecimal digits."""
        return self.encoded.hex().upper()

    def __str__(self) -> str:
        return self.hex
