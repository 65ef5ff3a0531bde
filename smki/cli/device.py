"""smki device"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from smki.cli.common import (
    DAY,
    DEVICE_TYPE,
    EUI64,
    NUMBER,
    Parsed,
    adding_options,
    cli_actor,
    home_option,
    json_option,
    read_input,
    under_test_option,
)
from smki.cli.say import count_of, say
from smki.eligibility import DEVICE_THRESHOLD, security_sections
from smki.eligibility.provisions import SMETS1_SECURITY
from smki.home.smki import Smki
from smki.identity import EntityIdentifier, PartyId
from smki.registration.bulk import LoadDevices, read_devices
from smki.registration.changes import UNCHANGED
from smki.registration.devices import AddDevices, ChangeDevice, SetDeviceStatus, SetThreshold, known_device
from smki.sec.device import Device, DeviceType, Responsible, SmetsVersion, SmiStatus, parse_model
from smki.sec.registry_fields import device_fields
from smki.sec.vocabulary import parse_list

SMI_STATUS = Parsed("STATUS", SmiStatus.parse)
MODEL = Parsed("MODEL", parse_model)
SMETS = Parsed("1|2", SmetsVersion.parse)
RESPONSIBLE = Parsed("'electricity: PARTY, gas: PARTY'", lambda text: tuple(parse_list(text, Responsible.parse)))


@click.group()
def device() -> None:
    """Manage Devices in the Smart Metering Inventory."""


@device.command()
@click.argument("device_id", metavar="EUI-64")
@click.option("--type", "device_type", required=True, help="ESME, GSME, CHF, GPF, PPMID, HCALCS, SAPC, IHD or CAD.")
@click.option("--status", default="pending", show_default=True, help="SMI status.")
@click.option("--returns-to", default="", help="For a suspended Device, the status to which it returns.")
@click.option("--smets", "smets_version", default="2", show_default=True, help="SMETS version: 1 or 2.")
@click.option("--enrolled", is_flag=True, help="The Device is part of an Enrolled smart metering system.")
@click.option(
    "--responsible", default="", metavar="'electricity: PARTY, gas: PARTY'", help="Responsible Party for each fuel."
)
@click.option("--model", default="", help="Product identifier on the Certified Products List.")
@under_test_option
@adding_options
@home_option
def add(
    home: Path,
    device_id: str,
    device_type: str,
    status: str,
    returns_to: str,
    smets_version: str,
    enrolled: bool,
    responsible: str,
    model: str,
    under_test: bool,
    party: PartyId | None,
    officer: str,
) -> None:
    """Add a Device to the inventory.

    Suppliers and Registered Supplier Agents add meters and Type 1 Devices whose model is on the Certified Products List
    (smki cpl), and the DCC parts of Communications Hubs. Everybody adds Devices under test of its own.
    """
    if under_test and party is None:
        raise click.UsageError("--under-test needs --party: whose Device under test it is.")
    made = Device.parse(
        device_id=device_id, device_type=device_type, status=status, returns_to=returns_to, smets_version=smets_version,
        enrolled=enrolled, responsible=responsible, model=model, under_test=str(party) if under_test else "",
    )  # fmt: skip
    with Smki.open(home) as smki:
        (made,) = smki.registration.execute(AddDevices((made,)), cli_actor(party, officer))
    whose = f", a Device under test of {made.under_test} (assumption)" if made.under_test else ""
    say(f"{made.device_type.name} {made.device_id} is {made.status}{whose}.")


@device.command(name="list")
@click.option("--type", "device_type", type=DEVICE_TYPE, help="Only Devices of this type.")
@click.option("--status", type=SMI_STATUS, help="Only Devices with this SMI status.")
@home_option
@json_option
def list_(home: Path, device_type: DeviceType | None, status: SmiStatus | None, as_json: bool) -> None:
    """List the Devices; --json prints one object per line."""
    with Smki.open(home) as smki:
        for found in smki.ledger.register.devices():
            if (device_type and found.device_type is not device_type) or (status and found.status is not status):
                continue
            if as_json:
                click.echo(json.dumps(device_fields(found)))
            else:
                say(f"{found.device_id}  {found.device_type.name:<7} {found.status}")


@device.command()
@click.argument("device_id", type=EUI64)
@click.option("--as-of", type=DAY, help="Date for the statement about a SMETS1 Device. [default: today]")
@home_option
@json_option
def show(home: Path, device_id: EntityIdentifier, as_of: date | None, as_json: bool) -> None:
    """Show a Device; for a SMETS1 Device also whether Sections G2 to G9 of the Code apply to it (SEC G1.10)."""
    with Smki.open(home) as smki:
        found = known_device(smki.ledger, device_id)
        fields = device_fields(found)
        fields["certificates"] = smki.ledger.certificates_for_device(device_id)
        fields["threshold"] = smki.ledger.register.threshold(device_id) or DEVICE_THRESHOLD
        sections = security_sections(found, as_of or smki.clock.now().date())
    if as_json:
        statement = {"sections_g2_to_g9": sections.as_json()} if sections else {}
        click.echo(json.dumps(fields | statement, indent=2))
        return
    for name, value in fields.items():
        say(f"{name.replace('_', ' '):<16}{value}")
    if sections:
        say(f"On {sections.as_of}: {sections.text} ({SMETS1_SECURITY.clause}).")


@device.command()
@click.argument("device_id", type=EUI64)
@click.option("--type", "device_type", type=DEVICE_TYPE, help="Device type.")
@click.option("--smets", "smets_version", type=SMETS, help="SMETS version: 1 or 2.")
@click.option("--status", type=SMI_STATUS, help="SMI status, as for set-status.")
@click.option("--returns-to", type=SMI_STATUS, help="For a suspended Device, the status to which it returns.")
@click.option("--enrolled/--not-enrolled", default=None, help="Whether its smart metering system is Enrolled.")
@click.option(
    "--responsible", type=RESPONSIBLE, help="Responsible Party for each fuel, replacing all recorded ones; '' for none."
)
@click.option("--model", type=MODEL, help="Product identifier on the Certified Products List.")
@home_option
def change(
    home: Path,
    device_id: EntityIdentifier,
    device_type: DeviceType | None,
    smets_version: SmetsVersion | None,
    status: SmiStatus | None,
    returns_to: SmiStatus | None,
    enrolled: bool | None,
    responsible: tuple[Responsible, ...] | None,
    model: str | None,
) -> None:
    """Change a Device's entry in the inventory. Fields without an option keep their values."""
    command = ChangeDevice(
        device_id=device_id,
        device_type=device_type or UNCHANGED,
        smets_version=smets_version or UNCHANGED,
        status=status or UNCHANGED,
        returns_to=returns_to or UNCHANGED,
        enrolled=UNCHANGED if enrolled is None else enrolled,
        responsible=UNCHANGED if responsible is None else responsible,
        model=model or UNCHANGED,
    )
    with Smki.open(home) as smki:
        changed = smki.registration.execute(command, cli_actor())
    say(f"{changed.device_type.name} {device_id} is {changed.status}.")


@device.command(name="set-status")
@click.argument("device_id", type=EUI64)
@click.argument("status", type=SMI_STATUS)
@home_option
def set_status(home: Path, device_id: EntityIdentifier, status: SmiStatus) -> None:
    """Set a Device's SMI status: pending, installed-not-commissioned, commissioned, decommissioned or suspended.

    A suspended Device can return to the status that it had before.
    """
    with Smki.open(home) as smki:
        changed = smki.registration.execute(SetDeviceStatus(device_id, status), cli_actor())
    say(f"{changed.device_type.name} {device_id} is {changed.status}.")


@device.command(name="raise-limit")
@click.argument("device_id", type=EUI64)
@click.argument("threshold", type=NUMBER)
@home_option
def raise_limit(home: Path, device_id: EntityIdentifier, threshold: int) -> None:
    """Raise the maximum number of a Device's certificates above the default of 100."""
    with Smki.open(home) as smki:
        smki.registration.execute(SetThreshold(device_id, threshold), cli_actor())
    say(f"Device {device_id} may have {count_of(threshold, 'certificate')}.")


@device.command(name="reset-limit")
@click.argument("device_id", type=EUI64)
@home_option
def reset_limit(home: Path, device_id: EntityIdentifier) -> None:
    """Reset the maximum number of a Device's certificates to the default."""
    with Smki.open(home) as smki:
        limit = smki.registration.execute(SetThreshold(device_id, None), cli_actor())
    say(f"Device {device_id} may have {count_of(limit, 'certificate')}.")


@device.command()
@click.argument("file")
@adding_options
@home_option
def load(home: Path, file: str, party: PartyId | None, officer: str) -> None:
    """Add every Device in a CSV or JSON file, or none if one of them is refused.

    The columns are the fields that `smki device list --json` prints. The same rules apply as for smki device add; under_test
    names whose Device under test it is.
    """
    rows = read_devices(read_input(file), file)
    with Smki.open(home) as smki:
        loaded = smki.registration.execute(LoadDevices(rows), cli_actor(party, officer))
    for number, made in enumerate(loaded, start=1):
        say(f"row {number}: {made.device_id}")
    say(f"{len(loaded)} added.")
