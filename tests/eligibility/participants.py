"""Those who take part in tests, with what they may have by the tables, written by hand from the Code (SEC H14.11)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smki.eligibility import Applicant, DeviceQuestion, OrganisationQuestion
from smki.eligibility.question import Participation
from smki.sec.device import Device
from smki.sec.party import Party, TestingParticipant
from smki.sec.recorded_test import ParticipationMode, parse_tests
from smki.sec.role import RemotePartyRole
from tests.eligibility.people import (
    FOREIGN,
    GONE,
    OWN,
    a_user,
    agent,
    by,
    device_question,
    in_tests,
    organisation_question,
    participant,
    party,
    recorded,
)

OPEN, STRICT = ParticipationMode.OPEN, ParticipationMode.STRICT
EVERY_ROLE = ", ".join(role.label for role in RemotePartyRole)


@dataclass(frozen=True)
class Asking:
    """An applicant, and whether Parties need a recorded test."""

    applicant: Applicant
    mode: ParticipationMode

    def about_organisation(self, role: RemotePartyRole) -> OrganisationQuestion:
        """About a certificate under its own Entity Identifier."""
        return replace(organisation_question(self.applicant, role), participation=Participation(mode=self.mode))

    def about_device(self, device: Device) -> DeviceQuestion:
        """About the first certificate of a Device."""
        return replace(device_question(self.applicant, device), participation=Participation(mode=self.mode))


def maker(*tests: dict[str, str], agreement: str = "2015-01-01") -> Applicant:
    """A Testing Participant that is no Party."""
    made: TestingParticipant = replace(participant(agreement=agreement), tests=parse_tests(tests))
    return by(replace(made, identifiers=frozenset({OWN})))


def supplier(*purposes: str, authorised: bool = True, standing: str = "acceded 2013-09-01", **fields: str) -> Party:
    """An Import Supplier, in tests that all call for the same."""
    made = party("large-supplier", "import-supplier", standing)
    return in_tests(made if authorised else replace(made, authorised_for=frozenset()), *purposes, **fields)


def newcomer(*purposes: str, **fields: str) -> Applicant:
    """An Import Supplier that is not an Authorised Subscriber, in tests."""
    return by(supplier(*purposes, authorised=False, **fields))


_OWN = str(OWN)
_NETWORK = replace(party("electricity-network"), authorised_for=frozenset())
_MAKING_PARTY = by(in_tests(party("other"), "devices", roles="supplier"))
_IN_A_TEST = in_tests(agent(), "devices")
_USER_IN_A_TEST = in_tests(a_user(roles="import-supplier"), "devices")

ASKING: dict[str, Asking] = {
    "maker": Asking(maker(recorded("devices")), OPEN),
    "maker of hubs": Asking(maker(recorded("devices", device_types="CHF, GPF")), OPEN),
    "maker, two roles": Asking(maker(recorded("devices", roles="supplier, 04", identifiers=_OWN)), OPEN),
    "maker, every role": Asking(maker(recorded("section-t", roles=EVERY_ROLE, identifiers=_OWN)), OPEN),
    "maker, other identifier": Asking(maker(recorded("devices", roles="supplier", identifiers=str(FOREIGN))), OPEN),
    "maker for a supplier": Asking(
        maker(recorded("devices", roles="other", identifiers=_OWN, on_behalf_of="LARGE-SUPPLIER")), OPEN
    ),
    "maker, no agreement": Asking(maker(recorded("devices", roles="other", identifiers=_OWN), agreement=""), OPEN),
    "maker, no test": Asking(maker(), OPEN),
    "maker in uept": Asking(maker(recorded("uept", roles="other", identifiers=_OWN)), OPEN),
    "maker in srept": Asking(maker(recorded("srept", roles="other", identifiers=_OWN)), OPEN),
    "maker in two tests": Asking(
        maker(recorded("uept"), recorded("section-t", roles="other", identifiers=_OWN, device_types="SAPC")), OPEN
    ),
    "newcomer": Asking(newcomer(), OPEN),
    "newcomer in srept": Asking(newcomer("srept"), OPEN),
    "newcomer in uept": Asking(newcomer("uept"), OPEN),
    "newcomer in both": Asking(newcomer("uept", "srept"), OPEN),
    "newcomer in srept, one role": Asking(newcomer("srept", roles="other", device_types="GSME"), OPEN),
    "newcomer in srept, suspended": Asking(newcomer("srept", standing=GONE.format("suspended")), OPEN),
    "network in srept": Asking(by(in_tests(_NETWORK, "srept")), OPEN),
    "supplier, one role": Asking(by(supplier("devices", roles="other")), OPEN),
    "making party": Asking(_MAKING_PARTY, OPEN),
    "strict/supplier, no test": Asking(by(supplier()), STRICT),
    "strict/supplier in uept": Asking(by(supplier("uept")), STRICT),
    "strict/supplier in section t": Asking(by(supplier("section-t")), STRICT),
    "strict/supplier, one role": Asking(by(supplier("devices", roles="supplier", device_types="ESME")), STRICT),
    "strict/supplier, identifier": Asking(by(supplier("devices", identifiers=str(FOREIGN))), STRICT),
    "strict/newcomer in srept": Asking(newcomer("srept"), STRICT),
    "strict/making party": Asking(_MAKING_PARTY, STRICT),
    "strict/maker": Asking(maker(recorded("devices")), STRICT),
    "strict/dcc": Asking(by(party("dcc")), STRICT),
    "strict/dcc in uept": Asking(by(in_tests(party("dcc"), "uept")), STRICT),
    "strict/agent": Asking(by(agent(), _USER_IN_A_TEST), STRICT),
    "strict/agent in a test": Asking(by(_IN_A_TEST, a_user(roles="import-supplier")), STRICT),
}

# re recovery, su supplier, no networkOperator, ac accessControlBroker, tr transitionalCoS, wa wanProvider,
# lo loadController, ot other, xm xmlSign, ds dSPXmlSign
ORGANISATION = """
                               re su no ac tr wa lo ot xm ds
maker                        | .  .  .  .  .  .  .  .  .  .
maker of hubs                | .  .  .  .  .  .  .  .  .  .
maker, two roles             | .  Y  .  Y  .  .  .  .  .  .
maker, every role            | Y  Y  Y  Y  Y  Y  Y  Y  Y  Y
maker, other identifier      | .  .  .  .  .  .  .  .  .  .
maker for a supplier         | .  .  .  .  .  .  .  Y  .  .
maker, no agreement          | .  .  .  .  .  .  .  .  .  .
maker, no test               | .  .  .  .  .  .  .  .  .  .
maker in uept                | .  .  .  .  .  .  .  .  .  .
maker in srept               | .  .  .  .  .  .  .  .  .  .
maker in two tests           | .  .  .  .  .  .  .  Y  .  .
newcomer                     | .  .  .  .  .  .  .  .  .  .
newcomer in srept            | .  Y  .  .  .  .  .  Y  Y  .
newcomer in uept             | .  .  .  .  .  .  .  .  .  .
newcomer in both             | .  Y  .  .  .  .  .  Y  Y  .
newcomer in srept, one role  | .  .  .  .  .  .  .  Y  .  .
newcomer in srept, suspended | .  .  .  .  .  .  .  .  .  .
network in srept             | .  .  Y  .  .  .  .  Y  .  .
supplier, one role           | .  Y  .  .  .  .  .  Y  Y  .
making party                 | .  .  .  .  .  .  .  Y  .  .
strict/supplier, no test     | .  .  .  .  .  .  .  .  .  .
strict/supplier in uept      | .  Y  .  .  .  .  .  Y  Y  .
strict/supplier in section t | .  Y  .  .  .  .  .  Y  Y  .
strict/supplier, one role    | .  Y  .  .  .  .  .  .  .  .
strict/supplier, identifier  | .  .  .  .  .  .  .  .  .  .
strict/newcomer in srept     | .  Y  .  .  .  .  .  Y  Y  .
strict/making party          | .  .  .  .  .  .  .  .  .  .
strict/maker                 | .  .  .  .  .  .  .  .  .  .
strict/dcc                   | Y  .  .  Y  Y  Y  .  .  .  Y
strict/dcc in uept           | Y  .  .  Y  Y  Y  .  .  .  Y
strict/agent                 | .  Y  .  .  .  .  .  Y  Y  .
strict/agent in a test       | .  .  .  .  .  .  .  .  .  .
"""

# Y whatever the SMI status, o only while the Device is not in service, . never
DEVICES = """
                               CHF GPF ESME GSME PPMID HCALCS SAPC IHD CAD
maker                        | Y   Y   Y    Y    Y     Y      Y    .   .
maker of hubs                | Y   Y   .    .    .     .      .    .   .
maker, two roles             | Y   Y   Y    Y    Y     Y      Y    .   .
maker, every role            | Y   Y   Y    Y    Y     Y      Y    .   .
maker, other identifier      | Y   Y   Y    Y    Y     Y      Y    .   .
maker for a supplier         | Y   Y   Y    Y    Y     Y      Y    .   .
maker, no agreement          | .   .   .    .    .     .      .    .   .
maker, no test               | .   .   .    .    .     .      .    .   .
maker in uept                | .   .   .    .    .     .      .    .   .
maker in srept               | .   .   .    .    .     .      .    .   .
maker in two tests           | .   .   .    .    .     .      Y    .   .
newcomer                     | .   .   .    .    .     .      .    .   .
newcomer in srept            | .   .   Y    o    Y     Y      Y    .   .
newcomer in uept             | .   .   .    .    .     .      .    .   .
newcomer in both             | .   .   Y    o    Y     Y      Y    .   .
newcomer in srept, one role  | .   .   .    o    .     .      .    .   .
newcomer in srept, suspended | .   .   .    .    .     .      .    .   .
network in srept             | .   .   o    o    o     o      o    .   .
supplier, one role           | .   .   Y    o    Y     Y      Y    .   .
making party                 | .   .   o    o    o     o      o    .   .
strict/supplier, no test     | .   .   .    .    .     .      .    .   .
strict/supplier in uept      | .   .   Y    o    Y     Y      Y    .   .
strict/supplier in section t | .   .   Y    o    Y     Y      Y    .   .
strict/supplier, one role    | .   .   Y    .    .     .      .    .   .
strict/supplier, identifier  | .   .   Y    o    Y     Y      Y    .   .
strict/newcomer in srept     | .   .   Y    o    Y     Y      Y    .   .
strict/making party          | .   .   o    o    o     o      o    .   .
strict/maker                 | Y   Y   Y    Y    Y     Y      Y    .   .
strict/dcc                   | Y   Y   o    o    o     o      o    .   .
strict/dcc in uept           | Y   Y   o    o    o     o      o    .   .
strict/agent                 | .   .   Y    o    Y     Y      Y    .   .
strict/agent in a test       | .   .   .    .    .     .      .    .   .
"""
