"""Trust anchor cells: the Organisation Certificates that each type of Device holds (GBCS 4.3.2.5), as a table."""

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
    """The purpose of a cell: a Device has two cells for key agreement with its Supplier."""

    MANAGEMENT = "management"
    PREPAYMENT_TOP_UP = "prepayment top-up"


@dataclass(frozen=True, slots=True)
class Cell:
    """A row of the table: a cell, and the types of Device that have it."""

    role: RemotePartyRole
    usage: KeyUsage
    device_types: tuple[DeviceType, ...]
    cell_usage: CellUsage = CellUsage.MANAGEMENT
    holder: RemotePartyRole | None = None
    """The role whose certificate it holds when the Device leaves the factory, if that is not :attr:`role`."""
    clause: str = "GBCS 4.3.2.5"
    mark: Mark = Mark.MEASURED


@dataclass(frozen=True, slots=True)
class TrustAnchorCell:
    """A cell of one Device, with the certificate that it holds."""

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
    # The cells of a Gas Proxy Function for Supplier and Network Operator first hold the Access Control Broker's certificates.
    Cell(_R.SUPPLIER, _DS, (_T.GPF,), holder=_R.ACCESS_CONTROL_BROKER),
    Cell(_R.SUPPLIER, _KA, (_T.GPF,), holder=_R.ACCESS_CONTROL_BROKER),
    Cell(_R.NETWORK_OPERATOR, _DS, (_T.GPF,), holder=_R.ACCESS_CONTROL_BROKER),
    Cell(_R.NETWORK_OPERATOR, _KA, (_T.GPF,), holder=_R.ACCESS_CONTROL_BROKER),
    # Assumptions: apart from the rows above there is no source for these types.
    Cell(_R.ROOT, KeyUsage.KEY_CERT_SIGN, (_T.GPF, *_TYPE_1), mark=_ASSUMED),
    Cell(_R.RECOVERY, _DS, (_T.GPF, *_TYPE_1), mark=_ASSUMED),
    Cell(_R.SUPPLIER, _DS, _TYPE_1, mark=_ASSUMED),
    Cell(_R.SUPPLIER, _KA, _TYPE_1, mark=_ASSUMED),
    Cell(_R.ACCESS_CONTROL_BROKER, _KA, (_T.GPF, *_TYPE_1), mark=_ASSUMED),
    Cell(_R.TRANSITIONAL_COS, _DS, (_T.GPF, *_TYPE_1), mark=_ASSUMED),
    Cell(_R.LOAD_CONTROLLER, _DS, (_T.HCALCS, _T.SAPC), mark=_ASSUMED),
    Cell(_R.LOAD_CONTROLLER, _KA, (_T.HCALCS, _T.SAPC), mark=_ASSUMED),
)
"""Every cell. Assumed not to exist: a cell for transitionalCoS in a Communications Hub Function, which has no Supplier that
could change, and cells for loadController in a Gas Smart Meter, which controls no load."""


def cells_of(device_type: DeviceType) -> tuple[Cell, ...]:
    """Return the rows for a type of Device, in the order of the roles.

    :raises NotFound: for a Type 2 Device, which holds no certificates.
    """
    rows = tuple(cell for cell in CELLS if device_type in cell.device_types)
    if not rows:
        seen = f"{device_type.name}, a Type 2 Device"
        raise NotFound(
            Problem(
                code="device-type.no-cells",
                subject="Device type",
                seen=seen,
                expected="a Device that holds certificates",
            )
        )
    return tuple(sorted(rows, key=lambda cell: _ORDER[cell.role]))


_ORDER = {role: number for number, role in enumerate(RemotePartyRole)}


def fill(
    smki: Smki, device_type: DeviceType, organisations: Iterable[Organisation | Dcc] = ()
) -> tuple[TrustAnchorCell, ...]:
    """Return the cells of a Device with the certificates that they hold when it leaves the factory.

    :param organisations: the Organisations whose certificates to use. For all other roles, the newest certificates of the
        demonstration Parties in this SMKI, revoked or not, as a Device does not learn of revocations; new ones are issued
        where there are none.
    :raises NotFound: for a Type 2 Device, which holds no certificates.
    :raises Malformed: when one of *organisations* is not an Organisation.
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
        remedy = (
            "Pass each Organisation as an argument of its own, as Organisation.make or the fixture supplier returns it."
        )
        raise Malformed(
            Problem(
                code="cells.holder",
                subject="holder",
                seen=type(given).__name__,
                expected="an Organisation or the DCC",
                remedy=remedy,
            )
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
