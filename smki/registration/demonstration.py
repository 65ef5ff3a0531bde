"""The demonstration Parties and Devices, under the identities that the DCC's test PKI published."""

from __future__ import annotations

from smki.identity import EntityIdentifier
from smki.sec.device import Device
from smki.sec.party import Party, TestingParticipant
from smki.sec.role import RemotePartyRole

_ACCEDED = "acceded 2014-07-31"
"""Assumption: any day in the past would do. On this one the SMKI entered the Code, so an SMKI can begin on it."""

_BOTH = "organisation, device"

PARTIES: tuple[Party, ...] = (
    Party.parse(
        party_id="DCC",
        name="Data and Communications Company",
        category="dcc",
        standing="acceded 2013-09-23",
        identifiers="90B3D51F30000001, 90B3D51F30000002, 90B3D51F30000004, 90B3D51F30000007",
        authorised_for=_BOTH,
        officers=["DCC Officer"],
    ),
    Party.parse(
        party_id="LARGE-SUPPLIER",
        name="Large Supplier",
        category="large-supplier",
        user_roles="import-supplier, export-supplier, gas-supplier",
        standing=_ACCEDED,
        identifiers="90B3D51F30010000",
        authorised_for=_BOTH,
        officers=["Large Supplier Officer"],
    ),
    Party.parse(
        party_id="SMALL-SUPPLIER",
        name="Small Supplier",
        category="small-supplier",
        user_roles="import-supplier, gas-supplier",
        standing=_ACCEDED,
        identifiers="90B3D51F30030000",
        authorised_for=_BOTH,
        officers=["Small Supplier Officer"],
    ),
    Party.parse(
        party_id="ELECTRICITY-NETWORK",
        name="Electricity Network",
        category="electricity-network",
        user_roles="electricity-distributor",
        standing=_ACCEDED,
        identifiers="90B3D51F30020000",
        authorised_for=_BOTH,
        officers=["Electricity Network Officer"],
    ),
    Party.parse(
        party_id="GAS-NETWORK",
        name="Gas Network",
        category="gas-network",
        user_roles="gas-transporter",
        standing=_ACCEDED,
        # An identity of our own from the same registry block: no gas network is among the published identities.
        identifiers="90B3D51F30040000",
        authorised_for=_BOTH,
        officers=["Gas Network Officer"],
    ),
    Party.parse(
        party_id="LOAD-CONTROLLER",
        name="Load Controller",
        category="other",
        user_roles="load-controller",
        standing=_ACCEDED,
        identifiers="90B3D51F30010008",
        authorised_for=_BOTH,
        officers=["Load Controller Officer"],
    ),
    Party.parse(
        party_id="OTHER-USER",
        name="Other User",
        category="other",
        user_roles="other-user",
        standing=_ACCEDED,
        identifiers="90B3D51F30010009",
        authorised_for=_BOTH,
        officers=["Other User Officer"],
    ),
    Party.parse(
        party_id="SUPPLIER-AGENT",
        name="Registered Supplier Agent",
        category="other",
        user_roles="registered-supplier-agent",
        standing=_ACCEDED,
        identifiers="00DB123456780004",
        authorised_for=_BOTH,
        officers=["Supplier Agent Officer"],
    ),
    Party.parse(
        party_id="SHARED-RESOURCE",
        name="Shared Resource",
        category="shared-resource",
        standing=_ACCEDED,
        # It runs the systems of the small supplier.
        acts_for="SMALL-SUPPLIER",
        authorised_for=_BOTH,
        officers=["Shared Resource Officer"],
    ),
)
"""The Parties. Each may subscribe for both kinds of certificate, through one officer."""

TESTING_PARTICIPANTS: tuple[TestingParticipant, ...] = (
    TestingParticipant.parse(
        participant_id="MANUFACTURER",
        name="Meter Manufacturer",
        purpose="device-and-user-system-tests",
        agreement="2014-07-31",
        quota="100000",
        officers=["Manufacturer Officer: device"],
    ),
)
"""Not a Party: its test calls for Devices of every type, and for no Organisation Certificates. Its quota is our
choice."""

DEVICES: tuple[Device, ...] = tuple(
    Device.parse(device_id=device_id, device_type=device_type)
    for device_id, device_type in (
        ("00DB1234567890A0", "ESME"),
        ("00DB1234567890A1", "GSME"),
        ("00DB1234567890A2", "CHF"),
        ("00DB1234567890A3", "GPF"),
        ("00DB1234567890A4", "PPMID"),
        ("00DB1234567890A5", "HCALCS"),
        ("00DB1234567890A6", "SAPC"),
    )
)
"""One pending Device of every type that holds certificates."""

DCC_ENTITY_IDENTIFIERS = {
    RemotePartyRole.RECOVERY: EntityIdentifier.parse("90B3D51F30000001"),
    RemotePartyRole.ACCESS_CONTROL_BROKER: EntityIdentifier.parse("90B3D51F30000002"),
    RemotePartyRole.WAN_PROVIDER: EntityIdentifier.parse("90B3D51F30000007"),
    RemotePartyRole.TRANSITIONAL_COS: EntityIdentifier.parse("90B3D51F30000004"),
}
"""The certificates that the DCC lodges before anyone else can start (SEC L3.12), by the published test identities."""
