"""The reasons for refusing eligibility: every code, what would be accepted, and the remedy.

A rule refuses by code alone; a code that is not in this table cannot be used.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class DecisionOutcome(enum.Enum):
    """The outcomes of decisions that interfaces distinguish."""

    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    ANOMALY = "anomaly"
    """Eligible but unexpected: the registration authority has to act."""
    UNKNOWN_DEVICE = "unknown device"
    """The Device has never had a certificate that could be replaced."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the table."""

    code: str
    subject: str
    """What the reason is about."""
    expected: str
    """What would be accepted, and from whom."""
    remedy: str
    """What to do next: a key of :data:`~smki.remedies.REMEDIES`, or text that suits every interface."""
    outcome: DecisionOutcome = DecisionOutcome.INELIGIBLE


_A_PARTY = "a Party to the Code"
_AN_OFFICER = "an officer of the Party who is appointed for this kind of certificate"

_ROWS: tuple[Reason, ...] = (
    Reason(
        "eligibility.not-in-force",
        "day asked about",
        "a day on which the provision is in force",
        "Ask about a later day.",
    ),
    # The applicant
    Reason("party.none", "applicant", _A_PARTY, "party.accede"),
    Reason("party.not-yet-acceded", "standing", "a Party that has acceded", "party.wait-for-accession"),
    Reason("party.suspended", "standing", "a Party that is not suspended", "party.reinstate"),
    Reason("party.expelled", "standing", "a Party that has not been expelled", "party.reinstate"),
    Reason("party.withdrawn", "standing", "a Party that has not withdrawn", "party.reinstate"),
    Reason(
        "party.not-authorised-subscriber",
        "Authorised Subscriber",
        "a Party that has completed the registration procedure for this kind of certificate",
        "party.authorise",
    ),
    Reason(
        "officer.unknown",
        "officer",
        _AN_OFFICER,
        "officer.appoint",
    ),
    Reason(
        "officer.other-kind",
        "officer",
        _AN_OFFICER,
        "officer.appoint",
    ),
    Reason(
        "acting-for.not-named",
        "on behalf of",
        "the Party itself, or a Shared Resource that it has named",
        "party.name-shared-resource",
    ),
    Reason(
        "acting-for.not-a-user",
        "on behalf of",
        "a User (a Party that has completed the entry process for a User Role), or a Supplier Party",
        "acting-for.become-user",
    ),
    Reason(
        "shared-resource.not-a-party",
        "Shared Resource",
        "a Shared Resource that is a current Party: acceded, and not suspended, expelled or withdrawn",
        "Apply as the User itself until the Shared Resource is a Party.",
    ),
    Reason(
        "entity-identifier.not-owned",
        "Entity Identifier",
        "an Entity Identifier of the Party that the officer acts for",
        "entity-identifier.assign",
    ),
    Reason(
        "entity-identifier.other-role",
        "Entity Identifier",
        "an Entity Identifier of the DCC that has been certified in no other role",
        "entity-identifier.assign-for-role",
    ),
    # Test Certificates
    Reason(
        "participant.none",
        "Testing Participant",
        "a Party, or a Testing Participant with an agreement on the terms of Schedule 7",
        "participant.add",
    ),
    Reason(
        "participant.no-test",
        "recorded test",
        "a recorded test in which it takes part and which is open to it; in open mode a Party needs none",
        "participant.add-test",
    ),
    Reason(
        "participant.no-agreement",
        "Schedule 7 agreement",
        "an agreement on the terms of Schedule 7 by that day",
        "participant.agree",
    ),
    Reason(
        "participant.purpose",
        "test purpose",
        "Device and User System Tests or tests under Section T; entry-process tests are for Parties only",
        "participant.purpose",
    ),
    Reason(
        "participant.role",
        "Remote Party Role",
        "a role that was recorded with the test",
        "participant.add-role",
    ),
    Reason(
        "participant.entity-identifier",
        "Entity Identifier",
        "an Entity Identifier that was recorded with the test",
        "participant.add-identifier",
    ),
    Reason(
        "participant.device-type",
        "Device type",
        "a type of Device that the test calls for",
        "participant.add-device-type",
    ),
    Reason(
        "participant.quota-reached",
        "quota",
        "fewer Test Certificates than the subscriber's quota for the test, or outside recorded tests",
        "quota.raise",
    ),
    # Roles
    Reason("role.dcc-only", "Remote Party Role", "the DCC", "Ask for a role that the Party acts in."),
    Reason(
        "role.not-a-network-party",
        "Remote Party Role",
        "a Network Party: an Electricity Distributor or a Gas Transporter",
        "Ask for a role that the Party acts in.",
    ),
    Reason(
        "role.not-a-supplier",
        "Remote Party Role",
        "a Supplier Party acting as Import Supplier or Gas Supplier",
        "party.add-role",
    ),
    Reason(
        "role.not-for-the-dcc",
        "Remote Party Role",
        "any Party except the DCC",
        "Ask for one of the roles of the DCC.",
    ),
    Reason(
        "role.registered-supplier-agent",
        "User Role",
        "the role other, from a Registered Supplier Agent",
        "Ask for the role other.",
    ),
    Reason(
        "role.not-a-load-controller",
        "Remote Party Role",
        "a Party acting as Load Controller",
        "party.add-role",
    ),
    Reason(
        "role.not-a-user",
        "Remote Party Role",
        "a User: a Party that has completed the entry process for a User Role",
        "party.become-user",
    ),
    Reason(
        "role.by-ceremony",
        "Remote Party Role",
        "a role in which Organisation Certificates are issued; the certificates of the roles root and issuingAuthority are "
        "those of the Organisation authorities",
        "authority.by-ceremony",
    ),
    Reason("role.usage", "key usage", "a key usage of the certificates of this role", "role.usage"),
    Reason("authority.dcc-only", "authority", "the DCC", "Only the DCC runs authorities."),
    # Devices
    Reason(
        "device.type-2",
        "Device type",
        "a Device that has certificates: part of a Communications Hub, a meter or a Type 1 Device",
        "Do not apply: this Device needs no certificate.",
    ),
    Reason("device.communications-hub", "Communications Hub Function", "the DCC", "Have the DCC apply."),
    Reason(
        "device.gas-proxy", "Gas Proxy Function", "the DCC or a Gas Supplier", "Have the DCC or a Gas Supplier apply."
    ),
    Reason(
        "device.electricity-meter",
        "Electricity Smart Meter",
        "an Import Supplier; any other Party unless its SMI status is installed not commissioned or commissioned",
        "Have an Import Supplier apply.",
    ),
    Reason(
        "device.gas-meter",
        "Gas Smart Meter",
        "a Gas Supplier; any other Party unless its SMI status is installed not commissioned or commissioned",
        "Have a Gas Supplier apply.",
    ),
    Reason(
        "device.type-1",
        "Type 1 Device",
        "an Import Supplier or a Gas Supplier; any other Party unless its SMI status is "
        "installed not commissioned or commissioned",
        "Have an Import Supplier or a Gas Supplier apply.",
    ),
    # Earlier certificates
    Reason(
        "device.no-previous-certificate",
        "Device",
        "a Device that has had a certificate",
        "Apply for its first certificate through the portal or in a batch.",
        DecisionOutcome.UNKNOWN_DEVICE,
    ),
    Reason(
        "device.limit-reached",
        "certificates for the Device",
        "fewer Device Certificates than the Device's threshold",
        "device.raise-threshold",
        DecisionOutcome.ANOMALY,
    ),
    Reason(
        "public-key.already-certified",
        "public key",
        "a public key for which no certificate has been issued",
        "Generate a new key pair and apply with it.",
        DecisionOutcome.ANOMALY,
    ),
    # The Smart Metering Inventory
    Reason(
        "inventory.not-the-dcc",
        "Smart Metering Inventory",
        "the DCC; or the Device marked as a Device under test of the Party or Testing Participant that adds it",
        "inventory.by-the-dcc",
    ),
    Reason(
        "inventory.not-a-supplier",
        "Smart Metering Inventory",
        "a Supplier Party or a Registered Supplier Agent; or the Device marked as a Device under test of the Party or "
        "Testing Participant that adds it",
        "inventory.by-a-supplier",
    ),
    Reason(
        "inventory.not-certified",
        "Certified Products List",
        "a model that is on the list as a Device of this type; or a Device under test",
        "inventory.certify",
    ),
    Reason(
        "inventory.not-own",
        "Device under test",
        "the Party or Testing Participant whose Device under test it is",
        "inventory.mark-own",
    ),
)

REASONS: dict[str, Reason] = {row.code: row for row in _ROWS}
"""Every code, in the order in which provisions are applied."""
