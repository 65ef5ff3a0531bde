"""A question and an application get the same answer: each yes is issued, each no is refused with the same codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from smki import EntityIdentifier, Smki
from smki.eligibility import Applicant, Decision
from smki.identity import PartyId
from smki.problem import SmkiError
from smki.registration.applications import Refused
from smki.registration.devices import AddDevices, SetThreshold
from smki.registration.identifiers import AssignIdentifier
from smki.registration.parties import Register
from smki.sec.device import Device, DeviceType
from smki.sec.party import NonParty, Party, TestingParticipant
from smki.sec.role import RemotePartyRole, UserRole
from tests.commands import TEST
from tests.eligibility.people import APPLICANTS, device
from tests.support import DS, KA

STATUSES = {DeviceType.ESME: ("pending", "commissioned", "suspended from commissioned")}
"""The others are asked about in the first two."""
WITHOUT_SUPPLIERS_OF_THE_SAME_KIND = {
    name: applicant
    for name, applicant in APPLICANTS.items()
    # Large and small suppliers, and the two kinds of network, have the same rights here.
    if not name.startswith(("small-supplier/", "gas-network/", "shared-resource/")) and name != "dcc suspended"
}


@pytest.fixture(scope="module")
def smki() -> Iterator[Smki]:
    with Smki.in_memory() as made:
        yield made


class Registered:
    """One of the applicants, registered under names and identifiers of its own."""

    def __init__(self, smki: Smki, name: str, number: int) -> None:
        self.smki = smki
        applicant: Applicant = APPLICANTS[name]
        self.is_dcc = name == "dcc"
        self.who = "DCC" if self.is_dcc else f"P{number}"
        self.user = f"U{number}" if applicant.on_behalf_of else ""
        self.entity = EntityIdentifier((0xAAAA000000000000 + number).to_bytes(8, "big"))
        if self.is_dcc:
            return
        if applicant.on_behalf_of:
            self._register(replace(applicant.on_behalf_of, party_id=PartyId(self.user)), owns=True)
        who = applicant.who
        if isinstance(who, Party):
            named = frozenset({PartyId(self.user)}) if who.acts_for else frozenset()
            self._register(replace(who, party_id=PartyId(self.who), acts_for=named), owns=not applicant.on_behalf_of)
        elif isinstance(who, TestingParticipant):
            smki.registration.execute(Register((replace(who, participant_id=PartyId(self.who)),)), TEST)
        else:
            assert isinstance(who, NonParty)

    def _register(self, party: Party, *, owns: bool) -> None:
        identifiers = frozenset({self.entity}) if owns else frozenset()
        self.smki.registration.execute(Register((replace(party, identifiers=identifiers),)), TEST)

    def entity_for(self, role: RemotePartyRole) -> EntityIdentifier:
        """An identifier of its own; of the DCC, one that has not been used."""
        return self.smki.registration.execute(AssignIdentifier(PartyId("DCC")), TEST) if self.is_dcc else self.entity

    @property
    def names(self) -> dict[str, Any]:
        return {"applicant": self.who, "on_behalf_of": self.user}


def agree(decision: Decision, problems: list[str], what: str) -> None:
    assert problems == [problem.code for problem in decision.problems], what
    assert decision.eligible is not bool(problems), what


def outcome(issue: object, request: bytes, **names: str) -> list[str]:
    """The codes of the refusal; none if it is issued."""
    try:
        issue(request, **names)  # type: ignore[operator]
    except Refused as error:
        return [problem.code for problem in error.problems]
    return []


def test_every_role_and_usage_for_every_kind_of_party(smki: Smki) -> None:
    issued = refused = 0
    for number, name in enumerate(APPLICANTS):
        if name == "dcc suspended":
            continue  # there is only one DCC
        registered = Registered(smki, name, number)
        for role in RemotePartyRole:
            entity = registered.entity_for(role)
            for usage in (DS, KA):
                decision = smki.inquiry.organisation(entity, role, usage, **registered.names)
                _, request = smki.make_organisation_request(entity, role, usage)
                codes = outcome(smki.issue_organisation, request, **registered.names)
                agree(decision, codes, f"{name}, {role}, {usage}")
                issued, refused = issued + (not codes), refused + bool(codes)
    assert issued > 150
    assert refused > 1000


def test_every_device_type_and_usage_for_every_kind_of_party(smki: Smki) -> None:
    devices: list[Device] = []
    for kind in DeviceType:
        for status in STATUSES.get(kind, ("pending", "commissioned")):
            device_id = EntityIdentifier((0xBBBB000000000000 + len(devices)).to_bytes(8, "big"))
            devices.append(replace(device(kind.name, status), device_id=device_id))
    smki.registration.execute(AddDevices(tuple(devices)), TEST)
    for each in devices:
        smki.registration.execute(SetThreshold(each.device_id, 1000), TEST)
    issued = refused = 0
    for number, name in enumerate(WITHOUT_SUPPLIERS_OF_THE_SAME_KIND, 1000):
        registered = Registered(smki, name, number)
        for each in devices:
            for usage in (DS, KA):
                decision = smki.inquiry.device(each.device_id, None, **registered.names)
                _, request = smki.make_device_request(each.device_id, usage)
                codes = outcome(smki.issue_device, request, **registered.names)
                agree(decision, codes, f"{name}, {each.device_type}, {each.status}, {usage}")
                issued, refused = issued + (not codes), refused + bool(codes)
    assert issued > 200
    assert refused > 700


@pytest.mark.parametrize("role", RemotePartyRole)
def test_one_identifier_of_the_dcc_in_every_role(role: RemotePartyRole, smki: Smki) -> None:
    """Once it is certified in a role, it is in no other."""
    entity = smki.registration.execute(AssignIdentifier(PartyId("DCC")), TEST)
    if role not in (RemotePartyRole.RECOVERY, RemotePartyRole.ACCESS_CONTROL_BROKER, RemotePartyRole.DSP_XML_SIGN,
                    RemotePartyRole.TRANSITIONAL_COS, RemotePartyRole.WAN_PROVIDER):  # fmt: skip
        with pytest.raises(Refused):
            smki.issue_organisation(smki.make_organisation_request(entity, role, DS)[1])
        assert smki.ledger.roles_certified(entity) == frozenset()
        return
    smki.issue_organisation(smki.make_organisation_request(entity, role, DS)[1])
    shares = {RemotePartyRole.ACCESS_CONTROL_BROKER, RemotePartyRole.DSP_XML_SIGN}
    for other in RemotePartyRole:
        allowed = other is role or {role, other} <= shares
        for usage in other.usages:
            decision = smki.inquiry.organisation(entity, other, usage)
            codes = outcome(smki.issue_organisation, smki.make_organisation_request(entity, other, usage)[1])
            agree(decision, codes, f"{role}, then {other}, {usage}")
            assert ("entity-identifier.other-role" in codes) is not allowed
    assert smki.ledger.roles_certified(entity) == frozenset(shares if role in shares else {role})


def test_unknown_applicants_get_the_same_code_too(smki: Smki) -> None:
    entity = EntityIdentifier(b"\x33" * 8)
    _, request = smki.make_organisation_request(entity, RemotePartyRole.ROOT, DS)
    with pytest.raises(SmkiError) as asked:
        smki.inquiry.organisation(entity, RemotePartyRole.ROOT, DS)
    assert outcome(smki.issue_organisation, request) == [asked.value.code] == ["entity-identifier.no-owner"]


def test_every_user_role_is_among_the_applicants() -> None:
    roles = {role for each in APPLICANTS.values() if isinstance(each.who, Party) for role in each.who.user_roles}
    assert roles == set(UserRole)
