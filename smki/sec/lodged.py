"""The certificates that the DCC lodges before anyone else can start (SEC L3.12)."""

from __future__ import annotations

from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

LODGED_AUTHORITIES = (
    CertificateKind.ROOT_OCA,
    CertificateKind.ISSUING_OCA,
    CertificateKind.ROOT_DCA,
    CertificateKind.ISSUING_DCA,
)
"""The authorities whose certificates are lodged."""

LODGED_ROLES = (
    RemotePartyRole.RECOVERY,
    RemotePartyRole.ACCESS_CONTROL_BROKER,
    RemotePartyRole.WAN_PROVIDER,
    RemotePartyRole.TRANSITIONAL_COS,
)
"""The roles of the DCC's own Organisation Certificates that are lodged. They are never pending."""

LODGED_ORGANISATIONS: tuple[tuple[RemotePartyRole, KeyUsage], ...] = tuple(
    (role, usage) for role in LODGED_ROLES for usage in role.usages
)
"""The roles, each with its usages: key agreement for the Access Control Broker and the WAN Provider only."""
