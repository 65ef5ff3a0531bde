"""Who may subscribe for each role and each type of Device, as tables whose rows refer to their provision."""

from __future__ import annotations

from dataclasses import dataclass

from smki.eligibility import provisions
from smki.eligibility.provisions import Provision
from smki.sec.device import DeviceType, SmiStatus
from smki.sec.party import Party, PartyCategory
from smki.sec.role import CertificateKind, RemotePartyRole, UserRole

IN_SERVICE = frozenset({SmiStatus.INSTALLED_NOT_COMMISSIONED, SmiStatus.COMMISSIONED})
"""In these statuses, only a Device's supplier may subscribe for it."""

SUSPENDED_COUNTS_AS_BEFORE = True
"""Assumption: a suspended Device is treated as having the status to which it returns. Taken literally, ``suspended`` is
neither of the two above, and any Party could have certificates for a meter in somebody's home."""

SHARE_AN_IDENTIFIER = frozenset({RemotePartyRole.ACCESS_CONTROL_BROKER, RemotePartyRole.DSP_XML_SIGN})
"""Assumption: the roles that one Entity Identifier of the DCC may have together. In the published test certificates,
90B3D51F30000002 has both."""

DEVICE_THRESHOLD = 100
"""Default maximum number of Device Certificates for a Device, which the registration authority can raise."""


@dataclass(frozen=True, slots=True)
class Who:
    """A set of Parties: the union of its fields."""

    dcc: bool = False
    acting_as: frozenset[UserRole] = frozenset()
    """Every Party that acts in one of these roles, even if it is not a User."""
    any_user: bool = False
    """Every User, in any role."""
    any_but_dcc: bool = False
    """Every Party except the DCC."""

    def admits(self, party: Party) -> bool:
        """Return whether the Party belongs to the set."""
        if party.category is PartyCategory.DCC:
            return self.dcc
        return self.any_but_dcc or not self.acting_as.isdisjoint(party.acts_as) or (self.any_user and party.is_user)


@dataclass(frozen=True, slots=True)
class RoleRow:
    """Who may subscribe for Organisation Certificates of a role."""

    who: Who
    provision: Provision
    refusal: str
    """The code of the reason for refusing anybody else."""
    in_seed: bool = True
    """False for a role that was introduced after the seed document."""


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """Who may subscribe for Device Certificates of a type of Device."""

    who: Who
    provision: Provision
    refusal: str
    """The code of the reason for refusing anybody else."""
    others_while_not_in_service: bool = False
    """Whether every other Party may subscribe too, as long as the Device is not in service."""


_DCC = Who(dcc=True)
_DCC_ROLE = RoleRow(_DCC, provisions.ROLE_DCC, "role.dcc-only")
_NETWORKS = Who(acting_as=frozenset({UserRole.ELECTRICITY_DISTRIBUTOR, UserRole.GAS_TRANSPORTER}))
_SUPPLIERS = Who(acting_as=frozenset({UserRole.IMPORT_SUPPLIER, UserRole.GAS_SUPPLIER}))
_IMPORT_SUPPLIERS = Who(acting_as=frozenset({UserRole.IMPORT_SUPPLIER}))
_GAS_SUPPLIERS = Who(acting_as=frozenset({UserRole.GAS_SUPPLIER}))
_DCC_AND_GAS_SUPPLIERS = Who(dcc=True, acting_as=frozenset({UserRole.GAS_SUPPLIER}))
_LOAD_CONTROLLERS = Who(acting_as=frozenset({UserRole.LOAD_CONTROLLER}))

_R = RemotePartyRole
ROLE_ROWS: dict[RemotePartyRole, RoleRow] = {
    _R.ROOT: _DCC_ROLE,
    _R.RECOVERY: _DCC_ROLE,
    _R.SUPPLIER: RoleRow(_SUPPLIERS, provisions.ROLE_SUPPLIER, "role.not-a-supplier"),
    _R.NETWORK_OPERATOR: RoleRow(_NETWORKS, provisions.ROLE_NETWORK_OPERATOR, "role.not-a-network-party"),
    _R.ACCESS_CONTROL_BROKER: _DCC_ROLE,
    _R.TRANSITIONAL_COS: _DCC_ROLE,
    _R.WAN_PROVIDER: _DCC_ROLE,
    _R.ISSUING_AUTHORITY: _DCC_ROLE,
    _R.LOAD_CONTROLLER: RoleRow(
        _LOAD_CONTROLLERS, provisions.ROLE_LOAD_CONTROLLER, "role.not-a-load-controller", in_seed=False
    ),
    _R.OTHER: RoleRow(Who(any_but_dcc=True), provisions.ROLE_OTHER, "role.not-for-the-dcc"),
    _R.XML_SIGN: RoleRow(Who(any_user=True), provisions.ROLE_XML_SIGN, "role.not-a-user", in_seed=False),
    _R.DSP_XML_SIGN: RoleRow(_DCC, provisions.ROLE_DSP_XML_SIGN, "role.dcc-only", in_seed=False),
}
"""A row for every Remote Party Role Code."""

_TYPE_1 = DeviceRow(_SUPPLIERS, provisions.DEVICE_TYPE_1, "device.type-1", others_while_not_in_service=True)
DEVICE_ROWS: dict[DeviceType, DeviceRow] = {
    DeviceType.CHF: DeviceRow(_DCC, provisions.DEVICE_COMMUNICATIONS_HUB, "device.communications-hub"),
    DeviceType.GPF: DeviceRow(_DCC_AND_GAS_SUPPLIERS, provisions.DEVICE_GAS_PROXY, "device.gas-proxy"),
    DeviceType.ESME: DeviceRow(
        _IMPORT_SUPPLIERS,
        provisions.DEVICE_ELECTRICITY_METER,
        "device.electricity-meter",
        others_while_not_in_service=True,
    ),
    DeviceType.GSME: DeviceRow(
        _GAS_SUPPLIERS, provisions.DEVICE_GAS_METER, "device.gas-meter", others_while_not_in_service=True
    ),
    DeviceType.PPMID: _TYPE_1,
    DeviceType.HCALCS: _TYPE_1,
    DeviceType.SAPC: _TYPE_1,
}
"""A row for every type of Device that holds certificates; all others are Type 2 Devices."""

AUTHORITY_PROVISIONS: dict[CertificateKind, Provision] = {
    CertificateKind.ROOT_OCA: provisions.OCA_SUBSCRIBER,
    CertificateKind.ISSUING_OCA: provisions.OCA_SUBSCRIBER,
    CertificateKind.ROOT_DCA: provisions.DCA_SUBSCRIBER,
    CertificateKind.ISSUING_DCA: provisions.DCA_SUBSCRIBER,
}
"""The provision for the certificates of each kind of authority, which are for the DCC only."""
