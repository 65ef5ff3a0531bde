"""Applicants and Devices for the tests, under short names."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from smki.eligibility import Applicant, DeviceQuestion, OrganisationQuestion
from smki.identity import EntityIdentifier, PartyId
from smki.sec.device import Device, DeviceType, SmetsVersion, SmiStatus
from smki.sec.party import NonParty, Party, TestingParticipant
from smki.sec.recorded_test import parse_tests
from smki.sec.role import KeyUsage, RemotePartyRole

TODAY = date(2026, 1, 1)
OWN = EntityIdentifier.parse("90B3D51F30990000")
FOREIGN = EntityIdentifier.parse("90B3D51F30990001")


def party(
    category: str,
    roles: str = "",
    standing: str = "acceded 2013-09-01",
    through_entry: bool = True,
    acts_for: str = "",
) -> Party:
    """A Party that has all there is to have but the rights in question."""
    return Party.parse(
        party_id=f"P-{category}",
        category=category,
        user_roles=roles,
        standing=standing,
        identifiers="90B3D51F30990000",
        authorised_for="organisation, device",
        officers=["Jo"],
        acts_for=acts_for,
        through_entry=through_entry,
    )


def recorded(purpose: str, **fields: str) -> dict[str, str]:
    """The fields of a test; its purpose can be given in one word."""
    return {"purpose": "device-and-user-system-tests" if purpose == "devices" else purpose, **fields}


def participant(purpose: str = "section-t", agreement: str = "2015-01-01", **fields: str) -> TestingParticipant:
    """A Testing Participant that is no Party, with one test."""
    tests = [recorded(purpose, **fields)]
    return TestingParticipant.parse(participant_id="MAKER", tests=tests, agreement=agreement, officers=["Jo"])


def in_tests(who: Party | TestingParticipant | NonParty, *purposes: str, **fields: str) -> Party:
    """A Party that takes part in tests; the fields are those of each of them."""
    assert isinstance(who, Party)
    return replace(who, tests=parse_tests(recorded(purpose, **fields) for purpose in purposes))


def by(who: Party | TestingParticipant | NonParty, on_behalf_of: Party | None = None) -> Applicant:
    """That somebody, through its officer."""
    return Applicant(who, "Jo", on_behalf_of)


def a_user(category: str = "large-supplier", roles: str = "import-supplier, gas-supplier") -> Party:
    """A User that names a Shared Resource."""
    return replace(party(category, roles), party_id=PartyId("USER"))


def agent(standing: str = "acceded 2013-09-01", acts_for: str = "USER", category: str = "shared-resource") -> Party:
    """A Shared Resource without a certificate or an identifier of its own."""
    made = party(category, standing=standing, acts_for=acts_for)
    return replace(made, identifiers=frozenset(), authorised_for=frozenset())


GONE = "acceded 2013-09-01, {} 2025-12-31"
BACK = "acceded 2013-09-01, suspended 2025-01-01, acceded 2025-12-31"

HOLDERS = {
    "large-supplier": ("import", "export", "gas", "rsa", "other", "load", "none"),
    "small-supplier": ("import", "export", "gas", "rsa", "other", "load", "none"),
    "electricity-network": ("distributor", "transporter", "rsa", "other", "load", "none"),
    "gas-network": ("distributor", "transporter", "rsa", "other", "load", "none"),
    "other": ("rsa", "other", "load", "none"),
    "shared-resource": ("rsa", "other", "load", "none"),
}
ROLE_WORDS = {
    "import": "import-supplier",
    "export": "export-supplier",
    "gas": "gas-supplier",
    "distributor": "electricity-distributor",
    "transporter": "gas-transporter",
    "rsa": "registered-supplier-agent",
    "other": "other-user",
    "load": "load-controller",
    "none": "",
}

APPLICANTS: dict[str, Applicant] = {
    "dcc": by(party("dcc")),
    **{
        f"{category}/{role}": by(party(category, ROLE_WORDS[role]))
        for category, roles in HOLDERS.items()
        for role in roles
    },
    # Several User Roles
    "supplier/export+rsa": by(party("large-supplier", "export-supplier, registered-supplier-agent")),
    "supplier/all": by(party("large-supplier", "import-supplier, export-supplier, gas-supplier")),
    "supplier/gas+load": by(party("small-supplier", "gas-supplier, load-controller")),
    # Not Users
    "non-user/import": by(party("large-supplier", "import-supplier", through_entry=False)),
    "non-user/export": by(party("large-supplier", "export-supplier", through_entry=False)),
    "non-user/gas": by(party("small-supplier", "gas-supplier", through_entry=False)),
    "non-user/distributor": by(party("electricity-network", "electricity-distributor", through_entry=False)),
    "non-user/transporter": by(party("gas-network", "gas-transporter", through_entry=False)),
    # Not Parties, or not now
    "dcc suspended": by(party("dcc", standing=GONE.format("suspended"))),
    "supplier suspended": by(party("large-supplier", "import-supplier, gas-supplier", GONE.format("suspended"))),
    "supplier expelled": by(party("large-supplier", "import-supplier, gas-supplier", GONE.format("expelled"))),
    "supplier withdrawn": by(party("large-supplier", "import-supplier, gas-supplier", GONE.format("withdrawn"))),
    "supplier not acceded": by(party("large-supplier", "import-supplier, gas-supplier", "")),
    "supplier acceding later": by(party("large-supplier", "import-supplier, gas-supplier", "acceded 2026-01-02")),
    "supplier reinstated": by(party("large-supplier", "import-supplier, gas-supplier", BACK)),
    "other suspended": by(party("other", "other-user", GONE.format("suspended"))),
    "non-party": by(NonParty("Somebody")),
    # Testing Participants that are no Parties
    "maker/devices": by(participant("devices")),
    "maker/section-t": by(participant("section-t")),
    "maker/uept": by(participant("uept")),
    "maker/srept": by(participant("srept")),
    "maker without agreement": by(participant("devices", "")),
    # On a User's behalf
    "agent of supplier": by(agent(), a_user()),
    "agent of other user": by(agent(), a_user("other", "other-user")),
    "agent of non-user supplier": by(agent(), replace(a_user(), through_entry=False)),
    "agent of non-user network": by(agent(), a_user("gas-network", "")),
    "agent supplier": by(agent(category="small-supplier"), a_user()),
    "agent network": by(agent(category="electricity-network"), a_user()),
    "agent other": by(agent(category="other"), a_user()),
    "agent unnamed": by(agent(acts_for=""), a_user()),
    "agent suspended": by(agent(GONE.format("suspended")), a_user()),
    "agent not a party": by(agent(""), a_user()),
    "agent of the suspended": by(
        agent(), replace(a_user(), standing=party("other", "", GONE.format("suspended")).standing)
    ),
    "agent of the dcc": by(agent(), replace(party("dcc"), party_id=PartyId("USER"))),
    "supplier for another": by(party("large-supplier", "import-supplier, gas-supplier"), a_user()),
    "maker for supplier": by(participant(), a_user()),
}


def device(kind: str = "ESME", status: str = "pending", smets: str = "2", enrolled: bool = False) -> Device:
    """A Device; ``suspended from commissioned`` names both statuses."""
    status, _, returns_to = status.partition(" from ")
    return Device(
        EntityIdentifier.parse("00DB1234567890A0"),
        DeviceType.parse(kind),
        SmiStatus.parse(status),
        SmiStatus.parse(returns_to) if returns_to else None,
        SmetsVersion.parse(smets),
        enrolled,
    )


def organisation_question(
    applicant: Applicant, role: RemotePartyRole = RemotePartyRole.OTHER, as_of: date = TODAY
) -> OrganisationQuestion:
    """About a certificate under its own Entity Identifier."""
    return OrganisationQuestion(applicant, role, KeyUsage.DIGITAL_SIGNATURE, OWN, as_of)


def device_question(applicant: Applicant, what: Device | None = None, as_of: date = TODAY) -> DeviceQuestion:
    """About the first certificate of a Device."""
    return DeviceQuestion(applicant, what or device(), as_of)
