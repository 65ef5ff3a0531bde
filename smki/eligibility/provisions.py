"""The provisions that decide who may subscribe for which certificate, as data: clause, date and content."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date

SMKI_IN_FORCE = date(2014, 7, 31)
"""The day on which version 3.0 of the Code brought the SMKI into it. A provision whose own day is in no source, such as
those of the roles that are later than the seed document, counts as in force from then on; that is an assumption."""

APPENDICES_IN_FORCE = date(2016, 3, 1)
"""Appendices M and N were designated in March 2016. Assumption: on the first day of that month."""

G5_29_IN_FORCE = date(2018, 7, 22)
G1_10_IN_FORCE = date(2018, 11, 8)


class Basis(enum.Enum):
    """The source of a provision."""

    SEED = "seed"
    """The Government's consultation on Stage 4 of the Code."""
    CODE = "code"
    """The Code itself, as amended later."""
    APPENDIX = "appendix"
    """Appendices M and N of the Code."""
    ASSUMPTION = "assumption"
    """No available source; inferred from the published certificates and interfaces. No clause is cited for it."""
    PROFILE = "profile"
    """The certificate profiles (:mod:`smki.profile`)."""


class Effect(enum.Enum):
    """The effect of a provision, which determines the result for a date before it was in force."""

    GRANT = "grant"
    """It permits something: without it, nobody may."""
    CONDITION = "condition"
    """It adds a condition: without it, the condition does not apply."""


@dataclass(frozen=True, slots=True)
class Provision:
    """One rule of the Code."""

    key: str
    """A stable key for programs: ``role-supplier``."""
    clause: str
    """The clause that says so; empty if no source names one."""
    title: str
    text: str
    """Its content, in our own words."""
    effect: Effect = Effect.CONDITION
    basis: Basis = Basis.SEED
    in_force_from: date = SMKI_IN_FORCE

    @property
    def cited(self) -> str:
        """The clause, if there is one, and the basis: ``SEC L3.9 (seed)``, ``(assumption)``."""
        return f"{self.clause} ({self.basis.value})".lstrip()


def in_force(provision: Provision, on_date: date) -> bool:
    """Return whether the provision was in force on that date."""
    return provision.in_force_from <= on_date


_GRANT = Effect.GRANT

# Kinds of certificate
ORGANISATION_SUBSCRIBERS = Provision(
    "organisation-subscribers",
    "SEC L3",
    "Subscribers for Organisation Certificates",
    "Parties to the Code, each in the roles in which it acts; for tests, also Testing Participants.",
    _GRANT,
)
OCA_SUBSCRIBER = Provision(
    "oca-subscriber",
    "SEC L3",
    "Subscribers for OCA Certificates",
    "The DCC only, because it runs the Organisation authorities.",
    _GRANT,
)
DCA_SUBSCRIBER = Provision(
    "dca-subscriber",
    "SEC L3",
    "Subscribers for DCA Certificates",
    "The DCC only, because it runs the Device authorities.",
    _GRANT,
)
DEVICE_SUBSCRIBERS = Provision(
    "device-subscribers",
    "SEC L3",
    "Subscribers for Device Certificates",
    "Parties to the Code, depending on the type of the Device; for tests, also Testing Participants.",
    _GRANT,
)

# The applicant
STANDING = Provision(
    "standing",
    "SEC M8",
    "Current Party",
    "The subscriber has acceded to the Code and is not suspended, expelled or withdrawn.",
)
AUTHORISED_SUBSCRIBER = Provision(
    "authorised-subscriber",
    "SEC L3",
    "Authorised Subscriber",
    "The subscriber has completed the registration procedure for that kind of certificate.",
)
OFFICER = Provision(
    "officer",
    "SEC Appendix M",
    "Authorised Responsible Officer",
    "A Party applies through an officer of its own who is appointed for that kind of certificate.",
    basis=Basis.APPENDIX,
    in_force_from=APPENDICES_IN_FORCE,
)
ACTING_FOR = Provision(
    "acting-for",
    "",
    "Acting for another Party",
    "An officer acts for its own Party, or for a User, or a supplier that is not one, that has named its Party as its "
    "Shared Resource. A Party of any category may be one (SEC G1.7A).",
    basis=Basis.ASSUMPTION,
)
SHARED_RESOURCE = Provision(
    "shared-resource",
    "SEC G5.29",
    "Shared Resources are Parties",
    "A Shared Resource acts for another Party only while it is a Party itself.",
    basis=Basis.CODE,
    in_force_from=G5_29_IN_FORCE,
)
ENTITY_IDENTIFIER = Provision(
    "entity-identifier",
    "SEC Appendix M",
    "Ownership of the Entity Identifier",
    "The Entity Identifier in a request belongs to the Party for which the officer acts.",
    basis=Basis.APPENDIX,
    in_force_from=APPENDICES_IN_FORCE,
)
DCC_IDENTIFIERS = Provision(
    "dcc-identifiers",
    "",
    "One role for each Entity Identifier of the DCC",
    "An Entity Identifier of the DCC that has been certified in one role is not certified in another.",
)
DCC_XML_IDENTIFIER = Provision(
    "dcc-xml-identifier",
    "",
    "Entity Identifier of the DCC's XML",
    "The Access Control Broker and the signing of the DCC's XML have one Entity Identifier, as in the published test "
    "certificates.",
    basis=Basis.ASSUMPTION,
)
SEPARATE_ROLES = Provision(
    "separate-roles",
    "SEC G1.5",
    "User Roles judged separately",
    "A Party that acts in several User Roles is judged in each of them; one suitable role is enough.",
)

# Tests
TEST_CERTIFICATES = Provision(
    "test-certificates",
    "SEC H14.11",
    "Testing Participants only",
    "Test Certificates are for those who take part in tests; every certificate issued here is one. In strict mode a "
    "Party takes part in the tests that are recorded for it, in open mode every Party takes part.",
    _GRANT,
)
TEST_AGREEMENT = Provision(
    "test-agreement",
    "SEC H14.11",
    "Agreement by participants that are not Parties",
    "A Testing Participant that is not a Party has agreed to the terms of Schedule 7.",
)
TEST_PURPOSE = Provision(
    "test-purpose",
    "SEC H14.11",
    "Tests open to the participant",
    "Entry-process tests are for Parties only; Device and User System Tests and tests under Section T are for all.",
)
TEST_SUBSCRIBER = Provision(
    "test-subscriber",
    "SEC H14.11",
    "Parties in the SMKI and Repository Entry Process Tests",
    "A Party in these tests is not yet an Authorised Subscriber; for Test Certificates it is judged as if it were one.",
)
TEST_ROLES = Provision(
    "test-roles",
    "",
    "Roles of the test",
    "Organisation Certificates are in the roles that the test calls for. For a participant that is not a Party these "
    "are the roles that were recorded, and none otherwise; for a Party, what it may have as a Party decides, within the "
    "roles that were recorded, if any were.",
    basis=Basis.ASSUMPTION,
)
TEST_IDENTIFIERS = Provision(
    "test-identifiers",
    "",
    "Entity Identifiers of the test",
    "Organisation Certificates are for the Entity Identifiers that the test calls for, as recorded with it.",
    basis=Basis.ASSUMPTION,
)
TEST_DEVICE_TYPES = Provision(
    "test-device-types",
    "",
    "Device types of the test",
    "Device Certificates are for the types of Devices that the test calls for: all that hold certificates, unless types "
    "were recorded. For a participant that is not a Party nothing else is required of the Device.",
    basis=Basis.ASSUMPTION,
)
TEST_QUOTA = Provision(
    "test-quota",
    "SEC H14.11",
    "Reasonable number of certificates",
    "A participant has no more Test Certificates for a test than its quota for that test.",
)

# Organisation Certificates by role
ROLE_DCC = Provision(
    "role-dcc", "SEC L3.9", "Roles of the DCC", "Only the DCC acts in the roles of the central systems.", _GRANT
)
ROLE_NETWORK_OPERATOR = Provision(
    "role-network-operator",
    "SEC L3.9",
    "Network Operator",
    "For Electricity Distributors and Gas Transporters.",
    _GRANT,
)
ROLE_SUPPLIER = Provision(
    "role-supplier",
    "SEC L3.9",
    "Supplier",
    "For Supplier Parties that import electricity or supply gas; exporting is not enough.",
    _GRANT,
)
ROLE_OTHER = Provision("role-other", "SEC L3.9", "Other User", "For every Party except the DCC.", _GRANT)
REGISTERED_SUPPLIER_AGENT = Provision(
    "registered-supplier-agent",
    "SEC L3.9",
    "Registered Supplier Agents",
    "Of the roles in the seed document, a Registered Supplier Agent may have only Other User.",
)
ROLE_LOAD_CONTROLLER = Provision(
    "role-load-controller",
    "",
    "Load Controller",
    "For Parties that act as Load Controllers. The role is later than the seed document.",
    _GRANT,
    Basis.ASSUMPTION,
)
ROLE_XML_SIGN = Provision(
    "role-xml-sign",
    "",
    "Signing of a User's XML",
    "For every User, in any User Role, under its own Entity Identifier. The role is later than the seed document.",
    _GRANT,
    Basis.ASSUMPTION,
)
ROLE_DSP_XML_SIGN = Provision(
    "role-dsp-xml-sign",
    "",
    "Signing of the DCC's XML",
    "For the DCC. The role is later than the seed document.",
    _GRANT,
    Basis.ASSUMPTION,
)

ROLE_USAGES = Provision(
    "role-usages",
    "GBCS 12",
    "Key usages of the role",
    "The certificates of a role have the key usages of its profile. Those of the roles root and issuingAuthority are made "
    "with the Organisation authorities, and are not applied for.",
    basis=Basis.PROFILE,
)

# Device Certificates
DEVICE_COMMUNICATIONS_HUB = Provision(
    "device-communications-hub", "SEC L3", "Communications Hub Functions", "For the DCC.", _GRANT
)
DEVICE_GAS_PROXY = Provision(
    "device-gas-proxy", "SEC L3", "Gas Proxy Functions", "For the DCC and for Gas Suppliers.", _GRANT
)
DEVICE_ELECTRICITY_METER = Provision(
    "device-electricity-meter", "SEC L3", "Electricity Smart Meters", "For Import Suppliers.", _GRANT
)
DEVICE_GAS_METER = Provision("device-gas-meter", "SEC L3", "Gas Smart Meters", "For Gas Suppliers.", _GRANT)
DEVICE_TYPE_1 = Provision(
    "device-type-1", "SEC L3", "Type 1 Devices", "For Import Suppliers and for Gas Suppliers.", _GRANT
)
DEVICE_NOT_IN_SERVICE = Provision(
    "device-not-in-service",
    "SEC L3",
    "Meters and Type 1 Devices not in service",
    "Also for every other Party, as long as the Device is neither installed nor commissioned.",
    _GRANT,
)
DEVICE_TYPE_2 = Provision(
    "device-type-2", "SEC L3", "Type 2 Devices", "In-Home Displays and Consumer Access Devices have no certificates."
)
DEVICE_SUSPENDED = Provision(
    "device-suspended",
    "",
    "Suspended Devices",
    "A suspended Device counts by the status to which it returns. Read literally, the seed document reserves only Devices "
    "in the two statuses of service, so that any Party could have certificates for a suspended one.",
    basis=Basis.ASSUMPTION,
)
SMETS1_SECURITY = Provision(
    "smets1-security",
    "SEC G1.10",
    "SMETS1 Devices",
    "Sections G2 to G9 apply to a SMETS1 Device only if it is part of, or ancillary to, an Enrolled SMETS1 smart metering "
    "system. This says nothing about certificates, and is never a reason for refusal.",
    basis=Basis.CODE,
    in_force_from=G1_10_IN_FORCE,
)
DEVICE_LIMIT = Provision(
    "device-limit",
    "SEC Appendix M",
    "Certificates for one Device",
    "A Device has fewer certificates than its threshold, which the registration authority can raise.",
    basis=Basis.APPENDIX,
    in_force_from=APPENDICES_IN_FORCE,
)
REPLACEMENT = Provision(
    "replacement",
    "SEC Appendix M",
    "Replacement of an earlier certificate",
    "The ad hoc web service replaces certificates, so the Device must have had one before.",
    basis=Basis.APPENDIX,
    in_force_from=APPENDICES_IN_FORCE,
)
PUBLIC_KEY = Provision(
    "public-key",
    "SEC Appendix M",
    "One certificate for each public key",
    "No certificate has been issued for the public key before.",
    basis=Basis.APPENDIX,
    in_force_from=APPENDICES_IN_FORCE,
)


# The Smart Metering Inventory
INVENTORY_HUBS = Provision(
    "inventory-hubs",
    "SEC H5",
    "Adding parts of a Communications Hub",
    "Only the DCC adds Communications Hub Functions and Gas Proxy Functions to the Smart Metering Inventory.",
    _GRANT,
)
INVENTORY_DEVICES = Provision(
    "inventory-devices",
    "SEC H5",
    "Adding meters and Type 1 Devices",
    "Supplier Parties and Registered Supplier Agents add meters and Type 1 Devices to the Smart Metering Inventory.",
    _GRANT,
)
INVENTORY_TYPE_2 = Provision(
    "inventory-type-2",
    "",
    "Adding Type 2 Devices",
    "Whoever adds Type 1 Devices adds In-Home Displays and Consumer Access Devices, too.",
    _GRANT,
    Basis.ASSUMPTION,
)
INVENTORY_CERTIFIED = Provision(
    "inventory-certified",
    "SEC H5",
    "Certified Products List",
    "The model of a meter or Type 1 Device that is added is on the Certified Products List.",
)
INVENTORY_UNDER_TEST = Provision(
    "inventory-under-test",
    "",
    "Adding Devices under test",
    "For its tests a Testing Participant, or a Party taking part in a test, adds its own Devices of any type, whose models "
    "need not be certified; the inventory names it as the one whose Device under test it is.",
    _GRANT,
    Basis.ASSUMPTION,
)

PROVISIONS: dict[str, Provision] = {
    value.key: value for value in list(globals().values()) if isinstance(value, Provision)
}
"""Every provision by key, in the order above."""
