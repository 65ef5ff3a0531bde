"""Converts Parties, Testing Participants and Devices to text fields and back, for storing, loading and showing them.

The fields are the arguments of ``Party.parse``, ``TestingParticipant.parse`` and ``Device.parse``.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from smki.identity import EntityIdentifier
from smki.sec.device import Device
from smki.sec.party import Officer, Party, TestingParticipant
from smki.sec.vocabulary import hyphenated

Registrant = Party | TestingParticipant
"""An organisation that can apply. Both classes have an id, a name, officers, Entity Identifiers and tests."""


def registrant_id(registrant: Registrant) -> str:
    """Return the Party ID, or the id of a Testing Participant, as text."""
    return str(registrant.party_id if isinstance(registrant, Party) else registrant.participant_id)


def registrant_fields(registrant: Registrant) -> dict[str, Any]:
    """Return the fields of a Party or a Testing Participant; empty ones are omitted."""
    officers = [_officer_text(officer) for officer in registrant.officers]
    identifiers = ", ".join(str(identifier) for identifier in sorted(registrant.identifiers))
    quota = ""
    if isinstance(registrant, TestingParticipant):
        fields: dict[str, Any] = {
            "participant_id": str(registrant.participant_id),
            "name": registrant.name,
            "agreement": registrant.agreement.isoformat() if registrant.agreement else "",
            "identifiers": identifiers,
        }
    else:
        fields = {
            "party_id": str(registrant.party_id),
            "name": registrant.name,
            "category": hyphenated(registrant.category),
            "user_roles": ", ".join(sorted(hyphenated(role) for role in registrant.user_roles)),
            "standing": ", ".join(f"{change.standing} {change.since.isoformat()}" for change in registrant.standing),
            "identifiers": identifiers,
            "authorised_for": ", ".join(sorted(kind.value for kind in registrant.authorised_for)),
            "acts_for": ", ".join(str(party) for party in sorted(registrant.acts_for)),
        }
        if not registrant.through_entry:
            fields["through_entry"] = False
        quota = "" if registrant.quota is None else str(registrant.quota)
    fields |= {"officers": officers, "quota": quota, "tests": [test.fields for test in registrant.tests]}
    return {name: value for name, value in fields.items() if value not in ("", [])}


def _officer_text(officer: Officer) -> str:
    return f"{officer.name}: {', '.join(sorted(kind.value for kind in officer.kinds))}"


def parse_registrant(fields: dict[str, Any]) -> Registrant:
    """Return a Party or, if there is a ``participant_id``, a Testing Participant from its fields.

    :raises Malformed: if a field is not valid.
    """
    return TestingParticipant.parse(**fields) if "participant_id" in fields else Party.parse(**fields)


def device_fields(device: Device) -> dict[str, Any]:
    """Return the fields of a Device; empty ones are omitted."""
    fields: dict[str, Any] = {
        "device_id": str(device.device_id),
        "device_type": device.device_type.name,
        "status": str(device.status),
        "returns_to": str(device.returns_to) if device.returns_to else "",
        "smets_version": device.smets_version.value,
        "responsible": ", ".join(f"{entry.fuel}: {entry.party}" for entry in device.responsible),
        "model": device.model,
        "under_test": str(device.under_test) if device.under_test else "",
    }
    if device.enrolled:
        fields["enrolled"] = True
    return {name: value for name, value in fields.items() if value != ""}


def to_text(fields: dict[str, Any]) -> str:
    """Return fields in the form in which they are stored.

    :raises UnicodeEncodeError: if one of them contains surrogates.
    """
    json.dumps(fields, ensure_ascii=False).encode()
    return json.dumps(fields, separators=(",", ":"))


# Cached by the stored text: every application reads its applicant and its Device, and these rarely change.


@lru_cache(maxsize=4096)
def registrant_of_text(text: str) -> Registrant:
    """Return the Party or Testing Participant from its stored form."""
    return parse_registrant(json.loads(text))


def device_of_text(text: str) -> Device:
    """Return the Device from its stored form.

    Most Devices differ only in their id, which comes first (:func:`device_fields`); the rest is parsed once.
    """
    start, rest = text[: len(_DEVICE_START)], text[len(_DEVICE_START) :]
    if start[:14] != _DEVICE_START[:14] or start[-2:] != '",':
        return _device_of_text(text)
    like = _device_of_text(_DEVICE_START + rest)
    return Device(
        EntityIdentifier.parse(start[14:-2]), like.device_type, like.status, like.returns_to, like.smets_version,
        like.enrolled, like.responsible, like.model, like.under_test,
    )  # fmt: skip


_DEVICE_START = '{"device_id":"00-00-00-00-00-00-00-00",'


@lru_cache(maxsize=4096)
def _device_of_text(text: str) -> Device:
    return Device.parse(**json.loads(text))
