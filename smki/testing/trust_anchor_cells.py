"""Trust anchor cells: which Organisations' certificates each type of Device holds (GBCS 4.3.2.5).

A table: code fills it with certificates and knows nothing of what stands in it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from smki.home.smki import Smki
from smki.ledger import CertificateQuery
from smki.pki.certificate import Certificate
from smki.problem import Malformed, NotFound, Problem
from smki.profile.forms import Mark
from smki.sec.device import DeviceType
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from smki.testing.organisations import ENTITY_IDENTIFIERS, Dcc, Organisation


class CellUsage(enum.Enum):
    """What a cell is for, where there are two with the same role and key usage."""

    MANAGEMENT = "management"
    PREPAYMENT_TOP_UP = "prepayment top-up"


@dataclass(frozen=True, slots=True)
class Cell:
    """One row: a cell that Devices of some types have."""

    role: RemotePartyRole
    usage: KeyUsage
    device_types: tuple[DeviceType, ...]
    cell_usage: CellUsage = CellUsage.MANAGEMENT
    holder: RemotePartyRole | None = None
    """Whose certificate it holds when the Device leaves the factory, where that is another role's."""
    clause: str = "GBCS 4.3.2.5"
    mark: Mark = Mark.MEASURED


@dataclass(frozen=True, slots=True)
class TrustAnchorCell:
    """A cell of one Device with what it holds."""

    role: RemotePartyRole
    usage: KeyUsage
    cell_usage: CellUsage
    certificate: Certificate

    def __str__(self) -> str:
        return f"{self.role.label} {self.usage.label} {self.cell_usage.value}"


_R, _T, _DS, _KA = RemotePartyRole, DeviceType, KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT
_TYPE_1 = (_T.PPMID, _T.HCALCS, _T.SAPC)
_METERS = (_T.ESME, _T.GSME)
_ASSUMED = Mark.ASSUMED

CELLS: tuple[Cell, ...] = (
    Cell(_R.ROOT, KeyUsage.KEY_CERT_SIGN, (*_METERS, _T.CHF)),
    Cell(_R.RECOVERY, _DS, (*_METERS, _T.CHF)),
    Cell(_R.SUPPLIER, _DS, _METERS),
    Cell(_R.SUPPLIER, _KA, _METERS),
    Cell(_R.SUPPLIER, _KA, _METERS, CellUsage.PREPAYMENT_TOP_UP),
    Cell(_R.NETWORK_OPERATOR, _DS, (_T.ESME,)),
    Cell(_R.NETWORK_OPERATOR, _KA, (_T.ESME,)),
    Cell(_R.ACCESS_CONTROL_BROKER, _DS, (_T.CHF,)),
    Cell(_R.ACCESS_CONTROL_BROKER, _KA, (*_METERS, _T.CHF)),
    Cell(_R.TRANSITIONAL_COS, _DS, _METERS),
    Cell(_R.WAN_PROVIDER, _DS, (_T.CHF,)),
    Cell(_R.LOAD_CONTROLLER, _DS, (_T.ESME,)),
    Cell(_R.LOAD_CONTROLLER, _KA, (_T.ESME,)),
    # A Gas Proxy Function's cells for Supplier and Network Operator start out with the Access Control Broker's.
    Cell(_R.SUPPLIER, _DS, (_T.GPF,), holder=_R.ACCESS_CONTROL_BROKER),
    Cell(_R.SUPPLIER, _KA, (_T.GPF,), holder=_R.ACCESS_CONTROL_BROKER),
    Cell(_R.NETWORK_OPERATOR, _DS, (_T.GPF,), holder=_R.ACCESS_CONTROL_BROKER),
    Cell(_R.NETWORK_OPERATOR, _KA, (_T.GPF,), holder=_R.ACCESS_CONTROL_BROKER),
    # Assumptions, all of them here: no source for these types could be had but for the rows above.
    Cell(_R.ROOT, KeyUsage.KEY_CERT_SIGN, (_T.GPF, *_TYPE_1), mark=_ASSUMED),
    Cell(_R.RECOVERY, _DS, (_T.GPF, *_TYPE_1), mark=_ASSUMED),
    Cell(_R.SUPPLIER, _DS, _TYPE_1, mark=_ASSUMED),
    Cell(_R.SUPPLIER, _KA, _TYPE_1, mark=_ASSUMED),
    Cell(_R.ACCESS_CONTROL_BROKER, _KA, (_T.GPF, *_TYPE_1), mark=_ASSUMED),
    Cell(_R.TRANSITIONAL_COS, _DS, (_T.GPF, *_TYPE_1), mark=_ASSUMED),
    Cell(_R.LOAD_CONTROLLER, _DS, (_T.HCALCS, _T.SAPC), mark=_ASSUMED),
    Cell(_R.LOAD_CONTROLLER, _KA, (_T.HCALCS, _T.SAPC), mark=_ASSUMED),
)
"""Every cell. Two that are not there are assumed not to be: that for transitionalCoS of a Communications Hub Function, for it
has no Supplier that could change; and those for loadController of a Gas Smart Meter, for it has no load."""


def cells_of(device_type: DeviceType) -> tuple[Cell, ...]:
    """The rows for a type of Device, in the order of the table.

    :raises NotFound: for a Type 2 Device, which holds no certificates.
    """
    rows = tuple(cell for cell in CELLS if device_type in cell.device_types)
    if not rows:
        seen = f"{device_type.name}, a Type 2 Device"
        raise NotFound(
            Problem("device-type.no-cells", "Device type", seen, "a Device that holds certificates", "GBCS 4")
        )
    return tuple(sorted(rows, key=lambda cell: _ORDER[cell.role]))


_ORDER = {role: number for number, role in enumerate(RemotePartyRole)}


def fill(
    smki: Smki, device_type: DeviceType, organisations: Iterable[Organisation | Dcc] = ()
) -> tuple[TrustAnchorCell, ...]:
    """The cells of a Device as it leaves the factory.

    :param organisations: whose certificates to put there. For roles of which none is given: the newest that the
        demonstration cast has in this SMKI, revoked or not, for no Device is told; new ones where it has none.
    :raises NotFound: for a Type 2 Device, which holds no certificates.
    :raises Malformed: for what is no Organisation.
    """
    holders = {each.role: each for given in organisations for each in _organisations(given)}
    return tuple(
        TrustAnchorCell(cell.role, cell.usage, cell.cell_usage, _held(smki, cell, holders))
        for cell in cells_of(device_type)
    )


def _organisations(given: object) -> tuple[Organisation, ...]:
    if isinstance(given, Dcc):
        return given.roles
    if not isinstance(given, Organisation):
        remedy = "Give each by itself, as Organisation.make or a fixture like supplier has it."
        raise Malformed(
            Problem("cells.holder", "holder", type(given).__name__, "an Organisation or the DCC", "", remedy)
        )
    return (given,)


def _held(smki: Smki, cell: Cell, holders: dict[RemotePartyRole, Organisation]) -> Certificate:
    if cell.role is RemotePartyRole.ROOT:
        return next(each.certificate for each in smki.authorities() if each.kind is CertificateKind.ROOT_OCA)
    role = cell.holder or cell.role
    is_top_up = cell.cell_usage is CellUsage.PREPAYMENT_TOP_UP
    if role not in holders:
        query = CertificateQuery(
            kinds=(CertificateKind.ORGANISATION,),
            entity_identifier=ENTITY_IDENTIFIERS[role],
            role=role,
            usage=cell.usage,
        )
        found = [each for each in smki.ledger.certificates(query) if each.top_up is is_top_up]
        if found:
            return found[-1].certificate
        holders[role] = Organisation.make(smki, role)
    holder = holders[role]
    if is_top_up:
        return holder.top_up.certificate
    return (holder.digital_signature if cell.usage is KeyUsage.DIGITAL_SIGNATURE else holder.key_agreement).certificate
