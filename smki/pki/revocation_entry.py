"""The entries of certificate revocation lists (RFC 5280 5.1.2.6): reading and encoding."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from smki.clock import from_seconds, to_seconds
from smki.identity import SerialNumber
from smki.pki import der
from smki.pki.bounds import MAX_ENTRY_BYTES, MAX_ENTRY_EXTENSIONS
from smki.pki.der import DerError, Node, TooLarge
from smki.pki.oid import Oid
from smki.pki.x509 import ExtensionNode, StructureFault, bounded_children, encode_extension, read_extensions


class RevocationReason(enum.IntEnum):
    """CRLReason (RFC 5280 5.3.1), by its number in a reasonCode extension."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    REMOVE_FROM_CRL = 8
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10

    @property
    def label(self) -> str:
        """The ASN.1 name: ``keyCompromise``."""
        first, *others = self.name.lower().split("_")
        text = first + "".join(word.capitalize() for word in others)
        return {"caCompromise": "cACompromise", "aaCompromise": "aACompromise", "removeFromCrl": "removeFromCRL"}.get(
            text, text
        )


_REASONS = {reason.value: reason for reason in RevocationReason}


def reason_of(number: int | None) -> RevocationReason | None:
    """Return the reason with that number; None for no number and for numbers that RFC 5280 does not define."""
    return _REASONS.get(number) if number is not None else None


@dataclass(frozen=True, slots=True)
class RevokedEntry:
    """One revoked certificate in a list."""

    serial_number: SerialNumber
    revoked_at: datetime
    """UTC, to the second."""
    reason: RevocationReason | None = None
    """None if no reason was given; the entry then has no reasonCode."""


# The usual form of an entry: serial number of 16 bytes, UTCTime, optional reasonCode. A million of them are read in a
# second this way; entries in any other form are read element by element.
_USUAL_ENTRY = re.compile(
    rb"\x30(?:\x21|\x2f)\x02\x10((?:[\x01-\x7f][\x00-\xff]|\x00[\x80-\xff])[\x00-\xff]{14})\x17\x0d([0-9]{12}Z)"
    rb"(?:(?<=\x30\x21.{33})|(?<=\x30\x2f.{33})\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01([\x00-\xff]))",
    re.DOTALL,
)


@lru_cache(maxsize=128)
def _usual_entry(length: int, serial: int) -> re.Pattern[bytes]:
    """Return the pattern of an entry with a serial number of another size, or with a GeneralizedTime.

    :param length: the length byte of the entry.
    :param serial: the length byte of the serial number, at most :data:`_MAX_USUAL_SERIAL`.
    """
    time, reason = _USUAL_RESTS[length - 2 - serial]
    number = (
        rb"[\x01-\x7f]" if serial == 1 else rb"(?:[\x01-\x7f][\x00-\xff]|\x00[\x80-\xff])[\x00-\xff]{%d}" % (serial - 2)
    )
    head = re.escape(bytes((der.SEQUENCE, length, der.INTEGER, serial)))
    tag = re.escape(bytes((der.UTC_TIME if time == 13 else der.GENERALIZED_TIME, time)))
    tail = rb"\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01([\x00-\xff])" if reason else b"()"
    return re.compile(head + b"(" + number + b")" + tag + rb"([0-9]{%d}Z)" % (time - 1) + tail, re.DOTALL)


_MAX_USUAL_SERIAL = 20
"""Maximum size of a serial number in bytes (RFC 5280 4.1.2.2)."""

_USUAL_RESTS = {15: (13, False), 17: (15, False), 29: (13, True), 31: (15, True)}
"""What may follow the serial number, by its size in bytes: the size of the time's contents, and whether there is a
reasonCode."""


class RawEntry(NamedTuple):
    """One entry as found in a list; its values are not checked."""

    start: int
    """Offset of the entry in the input."""

    serial_number: bytes
    """Content bytes of userCertificate."""
    time: bytes
    """Content bytes of revocationDate: 13 of a UTCTime, 15 of a GeneralizedTime."""
    reason: int | None
    """The value of reasonCode if the entry has the usual form and a reasonCode."""
    node: Node | None
    """The whole entry; None if it has the usual form, which is always valid DER."""


def raw_entries(entries: Node) -> Iterator[RawEntry]:
    """Yield the entries of a ``revokedCertificates`` SEQUENCE.

    :raises DerError: where the bytes are no longer a sequence of elements.
    """
    data, at, end = entries.data, entries.body, entries.end
    usual = _USUAL_ENTRY.match
    while at < end:
        match = usual(data, at, end)
        if match is None and at + 4 <= end:
            length, serial = data[at + 1], data[at + 3]
            # Checked before looking up the pattern, so that invalid lengths cannot fill the cache.
            if length - 2 - serial in _USUAL_RESTS and 0 < serial <= _MAX_USUAL_SERIAL:
                match = _usual_entry(length, serial).match(data, at, end)
        if match is not None:
            serial_number, time, reason = match.groups()
            start, at = match.span()
            yield RawEntry(start, serial_number, time, reason[0] if reason else None, None)
        else:
            node = der.read(data, at, end)
            at = node.end
            yield RawEntry(node.start, b"", b"", None, node)


def entry_parts(node: Node) -> tuple[Node, Node, list[ExtensionNode]]:
    """Return userCertificate, revocationDate and the extensions of one entry.

    :raises DerError: if it has other parts, or exceeds the limits on entries.
    """
    if node.end - node.start > MAX_ENTRY_BYTES:
        raise TooLarge(f"an entry of {node.end - node.start} bytes", node.start)
    parts = node.children() if node.tag == der.SEQUENCE else []
    tags = [part.tag for part in parts]
    if tags[:1] != [der.INTEGER] or tags[1:2] not in ([der.UTC_TIME], [der.GENERALIZED_TIME]) or len(tags) > 3:
        raise DerError(f"an entry made of {', '.join(map(der.tag_name, tags)) or der.tag_name(node.tag)}", node.start)
    extensions: list[ExtensionNode] = []
    if len(parts) == 3:
        faults: list[StructureFault] = []
        bounded_children(parts[2], MAX_ENTRY_EXTENSIONS, "extensions")
        extensions = read_extensions(parts[2], "crlEntryExtensions", faults)
        if faults:
            raise DerError(faults[0].seen, parts[2].start)
    return parts[0], parts[1], extensions


@lru_cache(maxsize=4096)
def _usual_time(content: bytes) -> datetime:
    tag = der.UTC_TIME if len(content) == 13 else der.GENERALIZED_TIME
    return der.decode_time(Node(content, tag, 0, 0, len(content)))


def usual_time(content: bytes) -> datetime:
    """Return the moment in the content bytes of a UTCTime or a GeneralizedTime.

    :raises DerError: if they are not a time.
    """
    return _usual_time(content)


_REASON_EXTENSIONS: dict[RevocationReason | None, bytes] = {
    reason: der.sequence(
        encode_extension(Oid.REASON_CODE, der.element(der.ENUMERATED, bytes((reason,))), critical=False)
    )
    for reason in RevocationReason
} | {None: b""}

EntryRow = tuple[bytes, int, "RevocationReason | None"]
"""An entry in a ledger: serial number (bytes, big-endian, at least 16), seconds since 1970 (UTC), reason."""

_SECONDS_OF_A_DAY = 86400


def encode_entries(entries: Iterable[RevokedEntry]) -> bytes:
    """Return the encoded entries, concatenated, without the SEQUENCE around them."""
    return encode_entry_rows(
        (entry.serial_number.encoded, to_seconds(entry.revoked_at), entry.reason) for entry in entries
    )


def encode_entry_rows(rows: Iterable[EntryRow]) -> bytes:
    """Encode entries given as rows, without creating an object for each: half a second for a million."""
    days: dict[int, bytes] = {}
    # The bytes before and after a serial number of 16 bytes.
    around: dict[tuple[int, RevocationReason | None], tuple[bytes, bytes]] = {}
    pieces: list[bytes] = []
    for serial_number, moment, reason in rows:
        found = around.get((moment, reason))
        if found is None:
            tail = _encoded_moment(moment, days) + _REASON_EXTENSIONS[reason]
            found = around[moment, reason] = bytes((0x30, 18 + len(tail), 0x02, 16)), tail
        if len(serial_number) == 16 and 0 < serial_number[0] < 0x80:
            pieces.append(found[0] + serial_number + found[1])
        else:
            pieces.append(der.sequence(der.integer(int.from_bytes(serial_number, "big")), found[1]))
    return b"".join(pieces)


def _encoded_moment(moment: int, days: dict[int, bytes]) -> bytes:
    # In both forms of time, the last seven bytes are HHMMSSZ.
    day, second = divmod(moment, _SECONDS_OF_A_DAY)
    encoded = days.get(day)
    if encoded is None:
        encoded = days[day] = der.time(from_seconds(day * _SECONDS_OF_A_DAY))[:-7]
    return b"%s%02d%02d%02dZ" % (encoded, second // 3600, second // 60 % 60, second % 60)
