"""The lines of extracts: JSON (RFC 8259), one certificate per line, with the same bytes for the same state.

A line of a full extract begins with the values that can change, so that two lines for one certificate can be compared
by their beginnings: ``{"number":7,"status":"I","statusSince":"2026-11-21T08:30:00Z",…``. A line of a delta is such a
line prefixed with the change: ``{"change":"added","number":7,…`` or ``{"change":"status","was":"P","number":7,…``.
"""

from __future__ import annotations

import json
from datetime import datetime

from smki.clock import iso
from smki.interchange.record_values import record_values
from smki.ledger import CertificateRecord

_NUMBER = b'"number":'
_BEGIN = b"{" + _NUMBER
_STATUS = b'"status":"'


def line_of(record: CertificateRecord, moment: datetime) -> bytes:
    """Return the line of a certificate in a full extract at *moment*, with its newline."""
    return json.dumps(record_values(record, moment), separators=(",", ":")).encode("ascii") + b"\n"


def state_of(record: CertificateRecord, moment: datetime) -> bytes:
    """Return the beginning of that line, which contains everything that can change."""
    status, since = record.status_at(moment).value, iso(record.status_since_at(moment))
    return f'{{"number":{record.id},"status":"{status}","statusSince":"{since}",'.encode("ascii")


def added(line: bytes) -> bytes:
    """Return the line of a delta for a certificate that is not in the previous extract."""
    return b'{"change":"added",' + line[1:]


def changed(line: bytes, before: bytes) -> bytes:
    """Return the line of a delta for a certificate whose previous line was *before*."""
    at = before.index(_STATUS) + len(_STATUS)
    return b'{"change":"status","was":"' + before[at : at + 1] + b'",' + line[1:]


def without_change(line: bytes) -> bytes:
    """Return the line of a full extract that corresponds to a line of a delta.

    :raises ValueError: if it is not a line of a delta.
    """
    return b"{" + line[line.index(_NUMBER) :]


def number_of(line: bytes) -> int:
    """Return the number in a line of a full extract.

    :raises ValueError: if it has none.
    """
    if not line.startswith(_BEGIN) or not line.endswith(b"}\n"):
        raise ValueError("not a line of an extract")
    return int(line[len(_BEGIN) : line.index(b",", len(_BEGIN), len(_BEGIN) + 20)])
