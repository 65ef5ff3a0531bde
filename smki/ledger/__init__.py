"""The durable record of what was applied for, what was issued and what became of it.

``contract`` says what a ledger does, in terms of records; ``sqlite`` does it in one file.
"""

from smki.ledger.contract import (
    ApplicationRecord,
    CertificateQuery,
    CertificateRecord,
    Ledger,
    LedgerUnavailable,
    NewApplication,
    SerialTaken,
)
from smki.ledger.sqlite import SqliteLedger

__all__ = [
    "ApplicationRecord",
    "CertificateQuery",
    "CertificateRecord",
    "Ledger",
    "LedgerUnavailable",
    "NewApplication",
    "SerialTaken",
    "SqliteLedger",
]
