"""The reasons for revoking a certificate."""

from __future__ import annotations

from smki.pki.revocation_entry import RevocationReason

CRL_REASONS = {
    "key-compromised": RevocationReason.KEY_COMPROMISE,
    "key-lost": RevocationReason.KEY_COMPROMISE,
    "information-wrong": RevocationReason.AFFILIATION_CHANGED,
    "rejected": RevocationReason.UNSPECIFIED,
    "no-longer-eligible": RevocationReason.CESSATION_OF_OPERATION,
    "superseded": RevocationReason.SUPERSEDED,
}
"""The reasons that can be given for a revocation, and the reasonCode of each in a list (RFC 5280 5.3.1). Assumption:
the reasons themselves, because the Code's were not available. An unspecified reason is expressed by omitting
reasonCode."""
