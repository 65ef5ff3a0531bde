"""A certificate of the ledger as values for programs, the same in every export and extract."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any

from smki.clock import iso
from smki.ledger import CertificateRecord

COLUMNS = (
    "number",
    "status",
    "statusSince",
    "serialNumber",
    "kind",
    "entityIdentifier",
    "role",
    "usage",
    "topUp",
    "notBefore",
    "notAfter",
    "issued",
    "issuerSerialNumber",
    "certificate",
)
"""The names of the values, in their order. *number* counts the certificates in the order in which they were issued;
*status* is P, I, N, E or R; times are ISO 8601 in UTC; *certificate* is base64 of the DER."""


def record_values(record: CertificateRecord, moment: datetime) -> dict[str, Any]:
    """The values of a certificate at a moment, by the names of :data:`COLUMNS` and in their order."""
    return {
        "number": record.id,
        "status": record.status_at(moment).value,
        "statusSince": iso(record.status_since_at(moment)),
        "serialNumber": record.serial_number.hex,
        "kind": record.kind.value,
        "entityIdentifier": record.entity_identifier.hyphenated if record.entity_identifier else None,
        "role": record.role.label if record.role else None,
        "usage": record.usage.code if record.usage else None,
        "topUp": record.top_up,
        "notBefore": iso(record.not_before),
        "notAfter": iso(record.not_after),
        "issued": iso(record.issued),
        "issuerSerialNumber": record.issuer_serial_number.hex if record.issuer_serial_number else None,
        "certificate": b64encode(record.der).decode("ascii"),
    }
