"""The durable record of what was applied for, what was issued and what became of it.

``records`` says what it holds and ``contract`` what it does; ``sqlite`` keeps it in one file or in memory.
"""

from smki.ledger.contract import Conflict, Ledger, LedgerUnavailable, Reader, Transaction
from smki.ledger.records import (
    ApplicationQuery,
    ApplicationRecord,
    CertificateQuery,
    CertificateRecord,
    CredentialKind,
    CredentialRecord,
    Event,
    EventKind,
    EventQuery,
    ListRecord,
    NewApplication,
    NewEvent,
    NewImport,
    Order,
    Page,
    Period,
    Revocation,
)

__all__ = [
    "ApplicationQuery",
    "ApplicationRecord",
    "CertificateQuery",
    "CertificateRecord",
    "Conflict",
    "CredentialKind",
    "CredentialRecord",
    "Event",
    "EventKind",
    "EventQuery",
    "Ledger",
    "LedgerUnavailable",
    "ListRecord",
    "NewApplication",
    "NewEvent",
    "NewImport",
    "Order",
    "Page",
    "Period",
    "Reader",
    "Revocation",
    "Transaction",
]
