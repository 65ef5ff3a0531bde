"""Counts certificates and applications without reading all of them.

Triggers count certificates by their stored status. Only those whose status at a moment may be different are examined,
through partial indexes: pending, replaced and expired certificates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from smki.ledger.records import ApplicationGroup, CertificateGroup, Statistics
from smki.ledger.sqlite.row_form import row_of, values_of
from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

_CHANGED_WITH_TIME = """
    SELECT kind, coalesce(role, -1), coalesce(usage, ''), status, CASE
        WHEN not_after < ?1 THEN 'E'
        WHEN replaced <= ?1 THEN 'N'
        WHEN status = 'R' OR (status = 'P' AND deemed_accepted <= ?1) THEN 'I'
        ELSE status END AS current, count(*)
    FROM certificate INDEXED BY certificate_unusual
    WHERE (status != 'I' OR replaced IS NOT NULL) AND (status != 'R' OR status_since > ?1) GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT kind, coalesce(role, -1), coalesce(usage, ''), status, 'E', count(*)
    FROM certificate INDEXED BY certificate_not_after
    WHERE not_after < ?1 AND status = 'I' AND replaced IS NULL GROUP BY 1, 2, 3, 4
"""
_ROLES = {role.decimal: role for role in RemotePartyRole}
_USAGES = {"DS": KeyUsage.DIGITAL_SIGNATURE, "KA": KeyUsage.KEY_AGREEMENT}


def read_statistics(read: Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]], now: int) -> Statistics:
    """Return the counts by the status at a moment (seconds since 1970-01-01T00:00:00Z)."""
    counts: Counter[tuple[str, int, str, str]] = Counter()
    for kind, role, usage, status, number in map(_count, read("SELECT * FROM certificate_count", ())):
        counts[kind, role, usage, status] += number
    for kind, role, usage, stored, current, number in map(_changed, read(_CHANGED_WITH_TIME, (now,))):
        counts[kind, role, usage, stored] -= number
        counts[kind, role, usage, current] += number
    certificates = {
        CertificateGroup(CertificateKind(kind), _ROLES.get(role), _USAGES.get(usage), CertificateStatus(status)): number
        for (kind, role, usage, status), number in sorted(counts.items())
        if number
    }
    applications = {
        ApplicationGroup(CertificateKind(kind), bool(granted)): number
        for kind, granted, number in map(_applications, read("SELECT * FROM application_count", ()))
        if number
    }
    refusals: dict[str, int] = dict(map(_REFUSALS, read("SELECT code, refusals FROM refusal_count", ())))
    return Statistics(certificates, applications, refusals)


_REFUSALS = values_of("refusal_count", "ti")


@row_of("certificate_count", "titti")
def _count(row: tuple[Any, ...]) -> tuple[Any, ...]:
    _ = CertificateKind(row[0]), CertificateStatus(row[3])
    return row


@row_of("certificate", "tittti")
def _changed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    _ = CertificateKind(row[0]), CertificateStatus(row[3]), CertificateStatus(row[4])
    return row


@row_of("application_count", "tii")
def _applications(row: tuple[Any, ...]) -> tuple[Any, ...]:
    _ = CertificateKind(row[0])
    return row
