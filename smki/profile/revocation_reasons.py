"""The reasons for which a certificate is revoked."""

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
"""The reasons for which a revocation can be asked for, and the reasonCode of each in a list (RFC 5280 5.3.1).
Assumption: the reasons; the Code's own could not be had. An unspecified reason is given by leaving reasonCode out."""
