"""The Organisations in the DCC's published test PKI: their identifiers and roles, and the names of their certificates.

Source: the key store of the npm package ``@smartdcc/dccboxed-keystore`` 0.4.2, which holds those certificates. Most of
them have expired. Some identities have two certificates there, ``Z1-…`` and a later ``Z1b-…``; here they are one row.
"""

from __future__ import annotations

from dataclasses import dataclass

from smki.identity import EntityIdentifier
from smki.sec.role import KeyUsage, RemotePartyRole


@dataclass(frozen=True, slots=True)
class PublishedIdentity:
    """The contents of an Organisation Certificate, apart from its key."""

    name: str
    """The name in the published key store and of the files in the published archive."""
    entity: EntityIdentifier
    role: RemotePartyRole
    usage: KeyUsage
    common_name: str | None = None
    top_up: bool = False
    """Whether it is a Supplier's key agreement certificate for prepayment top-up."""


def _identities() -> tuple[PublishedIdentity, ...]:
    usages = {usage.code.lower(): usage for usage in (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)}
    return tuple(
        PublishedIdentity(
            name, EntityIdentifier.parse(entity), role, usages[name[-2:]], common_name, top_up=name.endswith("PP-ka")
        )
        for entity, role, common_name, names in _ROWS
        for name in names
    )


_Role = RemotePartyRole
_ROWS: tuple[tuple[str, RemotePartyRole, str | None, tuple[str, ...]], ...] = (
    ("90B3D51F30000001", _Role.RECOVERY, None, ("Z1-recovery-ds",)),
    ("90B3D51F30000002", _Role.ACCESS_CONTROL_BROKER, None, ("Z1-accessControlBroker-ds", "Z1-accessControlBroker-ka")),
    ("90B3D51F30000002", _Role.DSP_XML_SIGN, None, ("dsp-xml-sign-90B3D51F30000002-ds",)),
    ("90B3D51F30000004", _Role.TRANSITIONAL_COS, None, ("Z1-transitionalCoS-ds",)),
    ("90B3D51F30000007", _Role.WAN_PROVIDER, None, ("Z1-wanProvider-ds",)),
    ("90B3D51F30010000", _Role.SUPPLIER, "GITTESTSUPPLIER", ("Z1-supplier-ds",)),
    ("90B3D51F30010000", _Role.SUPPLIER, None, ("Z1-supplier-ka", "Z1-supplierPP-ka")),
    ("90B3D51F30010000", _Role.XML_SIGN, None, ("xml-sign-90B3D51F30010000-ds",)),
    ("90B3D51F30030000", _Role.SUPPLIER, "GITTESTSUPPLIER2", ("Z1-supplier2-ds",)),
    ("90B3D51F30030000", _Role.SUPPLIER, None, ("Z1-supplier2-ka", "Z1-supplier2PP-ka")),
    ("90B3D51F30020000", _Role.NETWORK_OPERATOR, None, ("Z1-networkOperator-ds", "Z1-networkOperator-ka")),
    ("90B3D51F30020000", _Role.XML_SIGN, None, ("xml-sign-90B3D51F30020000-ds",)),
    ("90B3D51F30010008", _Role.LOAD_CONTROLLER, None, ("Z1-loadController-ds", "Z1-loadController-ka")),
    ("00DB123456780004", _Role.OTHER, None, ("otherUser-ds", "otherUser-ka")),
    ("00DB123456780004", _Role.XML_SIGN, None, ("xml-sign-00DB123456780004-ds",)),
    ("90B3D51F30010009", _Role.OTHER, "MDR", ("mdr-ds", "mdr-ka")),
)
"""Entity Identifier, role, common name of the subject, names of the certificates; the last two characters of a name are
the usage."""

PUBLISHED_IDENTITIES = _identities()
