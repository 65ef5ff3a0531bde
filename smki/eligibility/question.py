"""Questions: may this applicant subscribe for that certificate on that date?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from smki.eligibility.assumptions import DEFAULT_MODE
from smki.eligibility.tables import DEVICE_THRESHOLD
from smki.identity import EntityIdentifier
from smki.sec.device import Device, DeviceType
from smki.sec.party import NonParty, Party, TestingParticipant
from smki.sec.recorded_test import ParticipationMode
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole


@dataclass(frozen=True, slots=True)
class Applicant:
    """The applicant, its officer, and the Party on whose behalf it applies."""

    who: Party | TestingParticipant | NonParty
    officer: str = ""
    """The name of the officer who makes the application."""
    on_behalf_of: Party | None = None
    """The User or supplier that has named *who* as its Shared Resource, if it applies as one."""

    @property
    def subscriber(self) -> Party | TestingParticipant | NonParty:
        """The holder of the certificate, whose rights count."""
        return self.who if self.on_behalf_of is None else self.on_behalf_of


def id_of(who: Party | TestingParticipant | NonParty) -> str:
    """Return the id of an applicant, or the name of one that is not registered."""
    if isinstance(who, Party):
        return str(who.party_id)
    return str(who.participant_id) if isinstance(who, TestingParticipant) else who.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """What is known about tests (SEC H14.11) besides what is recorded with the subscriber."""

    mode: ParticipationMode = DEFAULT_MODE
    certificates: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """The number of Test Certificates that the subscriber has had for each of its tests, by name, and outside its
    recorded tests under the empty name."""


@dataclass(frozen=True, slots=True)
class OrganisationQuestion:
    """May the applicant subscribe for an Organisation Certificate?"""

    applicant: Applicant
    role: RemotePartyRole
    usage: KeyUsage
    entity_identifier: EntityIdentifier
    as_of: date
    participation: Participation = Participation()
    public_key_certified: bool = False
    """Whether a certificate has been issued for the public key before."""
    roles_before: frozenset[RemotePartyRole] = frozenset()
    """The roles in which the Entity Identifier has been certified before; asked for the DCC's only."""
    is_the_dccs: bool = False
    """Whether the Entity Identifier belongs to the DCC and the subscriber is somebody who acts on its behalf."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the Certified Products List says of the model of a Device that is not in the inventory yet."""

    required: bool = False
    """Whether the list is used; if not, every model counts as certified."""
    certified_as: DeviceType | None = None
    """The type as which the model is certified; None if it is not on the list."""


@dataclass(frozen=True, slots=True)
class DeviceQuestion:
    """May the applicant subscribe for a Device Certificate?"""

    applicant: Applicant
    device: Device
    as_of: date
    certificates_issued: int = 0
    """The number of Device Certificates issued for the Device ID before."""
    threshold: int = DEVICE_THRESHOLD
    replacement: bool = False
    """Whether it came through the ad hoc web service, which replaces certificates."""
    participation: Participation = Participation()
    public_key_certified: bool = False
    """Whether a certificate has been issued for the public key before."""
    to_be_added: Listing | None = None
    """For a Device that the application adds to the inventory, what is known of its model; None for one that is in it."""


@dataclass(frozen=True, slots=True)
class InventoryQuestion:
    """May somebody add a Device to the Smart Metering Inventory?"""

    who: Party | TestingParticipant
    device: Device
    as_of: date
    listing: Listing = Listing()
    participation: Participation = Participation()


@dataclass(frozen=True, slots=True)
class AuthorityQuestion:
    """May the applicant subscribe for an OCA or a DCA Certificate?"""

    applicant: Applicant
    kind: CertificateKind
    """The kind of an authority's certificate."""
    as_of: date

    def __post_init__(self) -> None:
        if not self.kind.is_authority:
            raise ValueError(f"{self.kind} is not the kind of an authority's certificate")


Question = OrganisationQuestion | DeviceQuestion | InventoryQuestion | AuthorityQuestion
