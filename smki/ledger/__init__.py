"""The durable record of what was applied for, what was issued and what became of it.

``contract`` says what a ledger does, in terms of records; ``sqlite`` does it in one file.
"""

from smki.ledger.contract import (
    ApplicationQuery,
    ApplicationRecord,
    AuditEvent,
    CertificateQuery,
    CertificateRecord,
    Conditions,
    Ledger,
    LedgerUnavailable,
    NewApplication,
    Overtaken,
    Period,
    SerialTaken,
)
from smki.ledger.register import Register
from smki.ledger.search import Order, Page, Search
from smki.ledger.sqlite import SqliteLedger

__all__ = [
    "ApplicationQuery",
    "ApplicationRecord",
    "AuditEvent",
    "CertificateQuery",
    "CertificateRecord",
    "Conditions",
    "Ledger",
    "LedgerUnavailable",
    "NewApplication",
    "Order",
    "Overtaken",
    "Page",
    "Period",
    "Register",
    "Search",
    "SerialTaken",
    "SqliteLedger",
]
