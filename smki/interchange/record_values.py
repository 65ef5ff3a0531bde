"""The values of a certificate in the ledger, the same in every export and extract."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any

from smki.clock import iso
from smki.interchange.description import SUMMARY_FIELDS, certificate_summary
from smki.ledger import CertificateRecord

COLUMNS = (
    "number",
    "status",
    "statusSince",
    *(name for name in SUMMARY_FIELDS if name not in ("status", "issuedHere", "policyName")),
    "topUp",
    "certificate",
)
"""The names of the values, in order. *number* counts the certificates in the order in which they were issued; *status*
is P, I, N, E or R; times are ISO 8601 in UTC; *topUp* tells whether it is for prepayment top-up; *certificate* is
base64 of the DER."""


def record_values(record: CertificateRecord, moment: datetime) -> dict[str, Any]:
    """Return the values of a certificate at *moment*, by the names in :data:`COLUMNS` and in that order."""
    summary = certificate_summary(record, moment)
    del summary["issuedHere"]  # true of everything that is exported
    del summary["policyName"]  # in the manifest
    first = {
        "number": record.id,
        "status": summary.pop("status"),
        "statusSince": iso(record.status_since_at(moment)),
    }
    return {**first, **summary, "topUp": record.top_up, "certificate": b64encode(record.der).decode("ascii")}
