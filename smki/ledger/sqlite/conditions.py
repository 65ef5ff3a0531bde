"""SQL conditions for queries of certificates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smki.clock import to_seconds
from smki.ledger.records import CertificateQuery, Period
from smki.ledger.sqlite.schema import fingerprint_prefix
from smki.sec.role import CertificateStatus

Condition = tuple[str, tuple[Any, ...]]
"""An SQL condition and its parameters."""


def serial_number_condition(prefix: str) -> Condition:
    """Return the condition that a serial number begins with these hexadecimal digits."""
    return "serial_number BETWEEN ? AND ?", (bytes.fromhex(f"{prefix:0<32}"), bytes.fromhex(f"{prefix:f<32}"))


def period_conditions(column: str, period: Period) -> Iterator[Condition]:
    """Return the conditions that a column, in seconds, is within a period."""
    if period.first is not None:
        yield f"{column} >= ?", (to_seconds(period.first),)
    if period.last is not None:
        yield f"{column} <= ?", (to_seconds(period.last),)


def certificate_conditions(query: CertificateQuery) -> list[Condition]:
    """Return a condition for each field of the query. For a SHA-256 it only compares the prefix."""
    conditions: list[Condition] = []
    if query.kinds is not None:
        marks = ", ".join("?" * len(query.kinds))
        conditions.append((f"kind IN ({marks})", tuple(kind.value for kind in query.kinds)))
    if query.serial_number is not None:
        conditions.append(("serial_number = ?", (query.serial_number.encoded,)))
    if query.serial_prefix is not None:
        conditions.append(serial_number_condition(query.serial_prefix))
    if query.sha256 is not None:
        prefix = (fingerprint_prefix(query.sha256),)
        conditions.append(("id IN (SELECT certificate_id FROM fingerprint WHERE prefix = ?)", prefix))
    if query.entity_identifier is not None:
        conditions.append(("entity_identifier = ?", (query.entity_identifier.encoded,)))
    if query.role is not None:
        conditions.append(("role = ?", (query.role.decimal,)))
    if query.usage is not None:
        conditions.append(("usage = ?", (query.usage.code,)))
    if query.issuer is not None:
        conditions.append(("issuer_serial_number = ?", (query.issuer.encoded,)))
    if query.device_type is not None:
        of_that_type = (
            "SELECT 1 FROM device WHERE device.id = entity_identifier AND json_extract(record, '$.device_type') = ?"
        )
        conditions.append((f"(kind = 'device' AND EXISTS ({of_that_type}))", (query.device_type.name,)))
    if query.status is not None and query.moment is not None:
        conditions.append(_status_condition(query.status, to_seconds(query.moment)))
    for column, period in (("not_before", query.not_before), ("not_after", query.not_after), ("issued", query.issued)):
        conditions += period_conditions(column, period)
    return conditions


def _status_condition(status: CertificateStatus, now: int) -> Condition:
    """Return the condition for a status: the cases of ``CertificateRecord.status_at``, in the same order."""
    if status is CertificateStatus.REVOKED:
        return "(status = 'R' AND status_since <= ?)", (now,)
    kept = "(status != 'R' OR status_since > ?)"
    if status is CertificateStatus.EXPIRED:
        return f"({kept} AND not_after < ?)", (now, now)
    current = f"{kept} AND not_after >= ?"
    if status is CertificateStatus.NOT_IN_USE:
        return f"({current} AND (replaced <= ? OR status = 'N'))", (now, now, now)
    in_place = f"{current} AND (replaced IS NULL OR replaced > ?)"
    if status is CertificateStatus.PENDING:
        is_pending = "status = 'P' AND (deemed_accepted IS NULL OR deemed_accepted > ?)"
        return f"({in_place} AND {is_pending})", (now, now, now, now)
    is_in_use = "(status IN ('I', 'R') OR (status = 'P' AND deemed_accepted <= ?))"
    return f"({in_place} AND {is_in_use})", (now, now, now, now)
