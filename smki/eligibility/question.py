"""Questions: may this applicant subscribe for that certificate, on that day?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from smki.eligibility.tables import DEVICE_THRESHOLD
from smki.identity import EntityIdentifier
from smki.sec.device import Device
from smki.sec.party import NonParty, Party, TestingParticipant
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whoever applies, through whom and on whose behalf."""

    who: Party | TestingParticipant | NonParty
    officer: str = ""
    """The name of the officer who applies."""
    on_behalf_of: Party | None = None
    """The User whose systems a Shared Resource runs, where that is what *who* applies as."""

    @property
    def subscriber(self) -> Party | TestingParticipant | NonParty:
        """Whose certificate it would be, and whose rights count."""
        return self.who if self.on_behalf_of is None else self.on_behalf_of


@dataclass(frozen=True, slots=True)
class OrganisationQuestion:
    """May the applicant subscribe for an Organisation Certificate?"""

    applicant: Applicant
    role: RemotePartyRole
    usage: KeyUsage
    """Part of what is asked for; which usages a role has is the profile's business and not judged here."""
    entity_identifier: EntityIdentifier
    as_of: date
    certificates_of_subscriber: int = 0
    """How many Test Certificates the subscriber has had, for its quota."""
    public_key_certified: bool = False
    """Whether a certificate was issued for the public key before."""


@dataclass(frozen=True, slots=True)
class DeviceQuestion:
    """May the applicant subscribe for a Device Certificate?"""

    applicant: Applicant
    device: Device
    as_of: date
    certificates_issued: int = 0
    """How many Device Certificates were issued for the Device ID before."""
    threshold: int = DEVICE_THRESHOLD
    replacement: bool = False
    """Whether it came through the ad hoc web service, which replaces certificates."""
    certificates_of_subscriber: int = 0
    """How many Test Certificates the subscriber has had, for its quota."""
    public_key_certified: bool = False
    """Whether a certificate was issued for the public key before."""


@dataclass(frozen=True, slots=True)
class AuthorityQuestion:
    """May the applicant subscribe for an OCA or a DCA Certificate?"""

    applicant: Applicant
    kind: CertificateKind
    """Of an authority."""
    as_of: date

    def __post_init__(self) -> None:
        if not self.kind.is_authority:
            raise ValueError(f"{self.kind} is not the kind of an authority's certificate")


Question = OrganisationQuestion | DeviceQuestion | AuthorityQuestion
