"""Answers to questions about many certificates: who may have one, and what somebody may have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from smki.eligibility.question import Listing
from smki.eligibility.recorded import RecordUsed, Source
from smki.identity import EntityIdentifier
from smki.sec.device import Device, SmetsVersion
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

T = TypeVar("T")

NO_IDENTIFIER = EntityIdentifier(bytes(8))
"""Stands for the Entity Identifier of a Party that has none, and for the ID of a Device that is only supposed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The certificate that a question is about."""

    kind: CertificateKind
    role: RemotePartyRole | None = None
    """For an Organisation Certificate."""
    usage: KeyUsage | None = None
    """For an Organisation Certificate."""
    device: Device | None = None
    """For a Device Certificate. Its ID is NO_IDENTIFIER if only its type, status and SMETS version matter."""
    to_be_added: Listing | None = None
    """For a Device that is not in the inventory, what is known of its model: whoever applies has to add it."""

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object; fields that do not apply are null."""
        device = self.device
        is_known = device is not None and device.device_id != NO_IDENTIFIER
        return {
            "kind": self.kind.value,
            "role": self.role.label if self.role else None,
            "usage": self.usage.code if self.usage else None,
            "device": str(device.device_id) if device is not None and is_known else None,
            "deviceType": device.device_type.name if device else None,
            "status": device.status.value if device else None,
            "returnsTo": device.returns_to.value if device and device.returns_to else None,
            "smetsVersion": device.smets_version.value if device else None,
        }

    def __str__(self) -> str:
        device = self.device
        if device is not None:
            name = "" if device.device_id == NO_IDENTIFIER else f" {device.device_id}"
            version = "" if device.smets_version is SmetsVersion.SMETS2 else f", {device.smets_version}"
            return f"Device Certificate, {device.device_type.name}{name}, {status_text(device)}{version}"
        if self.role is not None and self.usage is not None:
            return f"Organisation Certificate in the role {self.role}, {self.usage.code}"
        return self.kind.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitled:
    """Somebody about whom a question was decided."""

    party: str
    """The id of the Party or Testing Participant that applies."""
    name: str
    is_party: bool
    on_behalf_of: str | None
    """The id of the User for which it applies as a Shared Resource."""
    identifiers: tuple[EntityIdentifier, ...]
    """For an Organisation Certificate, the Entity Identifiers under which it may have it; empty if it may not."""
    codes: tuple[str, ...]
    """The codes of all reasons why it may not; empty if it may."""

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "party": self.party,
            "name": self.name,
            "isParty": self.is_party,
            "onBehalfOf": self.on_behalf_of,
            "entityIdentifiers": [str(identifier) for identifier in self.identifiers],
            "codes": list(self.codes),
        }

    def __str__(self) -> str:
        return self.party if self.on_behalf_of is None else f"{self.party} for {self.on_behalf_of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """A certificate about which a question was decided for one Party."""

    wanted: Wanted
    identifiers: tuple[EntityIdentifier, ...]
    """For an Organisation Certificate, the Entity Identifiers under which it may be had; empty if it may not."""
    codes: tuple[str, ...]
    """The codes of all reasons why it may not; empty if it may."""

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            **self.wanted.as_json(),
            "entityIdentifiers": [str(identifier) for identifier in self.identifiers],
            "codes": list(self.codes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFor(Generic[T]):
    """Everything that is refused for the same decisive reason: the first one, but for those about the Entity Identifier,
    which count only if there is no other."""

    code: str
    clause: str
    """The clause; empty if no source names one."""
    basis: str
    """The basis of the provision: ``seed``, ``assumption`` and so on."""
    expected: str
    members: tuple[T, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoMay:
    """Who may have a certificate: everybody in the register, and each Shared Resource for each User that named it."""

    wanted: Wanted
    as_of: date
    eligible: tuple[Entitled, ...]
    refused: tuple[RefusedFor[Entitled], ...]
    records: tuple[RecordUsed, ...]
    """For an earlier day, the records that were used."""

    def as_json(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        return {
            "wanted": self.wanted.as_json(),
            "asOf": self.as_of.isoformat(),
            "eligible": [each.as_json() for each in self.eligible],
            "notEligible": [_group_json(group) for group in self.refused],
            "records": [_records_json(source, used) for source, used in records_by_source(self.records)],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatMay:
    """What a Party or Testing Participant may have: each role and usage, each type of Device in each status, and the
    authorities."""

    party: str
    name: str
    on_behalf_of: str | None
    smets_version: SmetsVersion
    as_of: date
    eligible: tuple[Possible, ...]
    refused: tuple[RefusedFor[Possible], ...]
    records: tuple[RecordUsed, ...]
    """For an earlier day, the records that were used."""

    def as_json(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        return {
            "party": self.party,
            "name": self.name,
            "onBehalfOf": self.on_behalf_of,
            "smetsVersion": self.smets_version.value,
            "asOf": self.as_of.isoformat(),
            "eligible": [each.as_json() for each in self.eligible],
            "notEligible": [_group_json(group) for group in self.refused],
            "records": [_records_json(source, used) for source, used in records_by_source(self.records)],
        }


def records_by_source(records: Iterable[RecordUsed]) -> list[tuple[Source, list[RecordUsed]]]:
    """Return the records that were used, by where they come from."""
    found: dict[Source, list[RecordUsed]] = {}
    for used in records:
        found.setdefault(used.source, []).append(used)
    return list(found.items())


def _group_json(group: RefusedFor[Any]) -> dict[str, Any]:
    return {
        "code": group.code,
        "clause": group.clause,
        "basis": group.basis,
        "expected": group.expected,
        "count": len(group.members),
        "members": [member.as_json() for member in group.members],
    }


def _records_json(source: Source, used: list[RecordUsed]) -> dict[str, Any]:
    return {"source": source.value, "count": len(used), "subjects": [each.subject for each in used]}


def status_text(device: Device) -> str:
    """Return the SMI status of a Device, with the one to which a suspended one returns."""
    return f"{device.status}" if device.returns_to is None else f"{device.status} from {device.returns_to}"
