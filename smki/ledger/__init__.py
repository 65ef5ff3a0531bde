"""The durable record of applications, certificates, revocations and everything else that an SMKI knows.

``records`` defines what a ledger holds and ``contract`` what it does. ``sqlite`` implements it in a file or in memory.
"""

from smki.ledger.contract import Conflict, Ledger, LedgerUnavailable, Reader, Transaction
from smki.ledger.decisions import DecidedApplication, NewCertificate
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
    Statement,
)

__all__ = [
    "ApplicationQuery",
    "ApplicationRecord",
    "CertificateQuery",
    "CertificateRecord",
    "Conflict",
    "CredentialKind",
    "CredentialRecord",
    "DecidedApplication",
    "Event",
    "EventKind",
    "EventQuery",
    "Ledger",
    "LedgerUnavailable",
    "ListRecord",
    "NewApplication",
    "NewCertificate",
    "NewEvent",
    "NewImport",
    "Order",
    "Page",
    "Period",
    "Reader",
    "Revocation",
    "Statement",
    "Transaction",
]
