"""The lines of extracts: JSON (RFC 8259), one certificate a line, the same bytes for the same state.

A line of a full extract begins with what can change, so that two lines of one certificate are told apart by how they
begin: ``{"number":7,"status":"I","statusSince":"2026-11-21T08:30:00Z",…``. A line of a delta is that line with what
became of the certificate before it: ``{"change":"added","number":7,…`` or ``{"change":"status","was":"P","number":7,…``.
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
    """The line of a certificate in a full extract at a moment, with its newline."""
    return json.dumps(record_values(record, moment), separators=(",", ":")).encode("ascii") + b"\n"


def state_of(record: CertificateRecord, moment: datetime) -> bytes:
    """How that line begins: all of it that can change."""
    status, since = record.status_at(moment).value, iso(record.status_since_at(moment))
    return f'{{"number":{record.id},"status":"{status}","statusSince":"{since}",'.encode("ascii")


def added(line: bytes) -> bytes:
    """The line of a delta for a certificate that the extract before does not have."""
    return b'{"change":"added",' + line[1:]


def changed(line: bytes, before: bytes) -> bytes:
    """The line of a delta for a certificate whose line was *before*."""
    at = before.index(_STATUS) + len(_STATUS)
    return b'{"change":"status","was":"' + before[at : at + 1] + b'",' + line[1:]


def without_change(line: bytes) -> bytes:
    """The line of a full extract that a line of a delta stands for.

    :raises ValueError: when it is neither.
    """
    return b"{" + line[line.index(_NUMBER) :]


def number_of(line: bytes) -> int:
    """The number in a line of a full extract.

    :raises ValueError: when it is none.
    """
    if not line.startswith(_BEGIN) or not line.endswith(b"}\n"):
        raise ValueError("not a line of an extract")
    return int(line[len(_BEGIN) : line.index(b",", len(_BEGIN), len(_BEGIN) + 20)])
