"""smki party, smki participant"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import click

from smki.cli.common import DAY, PARTY, cli_actor, home_option, json_option, read_input, say
from smki.home.smki import Smki
from smki.identity import PartyId
from smki.registration.bulk import read_parties
from smki.registration.parties import AppointOfficer, AssignIdentifier, Register, SetStanding, known_registrant
from smki.sec.party import Officer, Party, Standing, TestingParticipant
from smki.sec.registry_fields import Registrant, registrant_fields, registrant_id


@click.group()
def party() -> None:
    """Parties to the Code: add, list, show, suspend, …"""


@click.group()
def participant() -> None:
    """Testing Participants that are no Parties (SEC H14.11)."""


_officers = click.option(
    "--officer", "officers", multiple=True, metavar="'NAME[: organisation, device]'",
    help="An Authorised Responsible Officer, for both kinds of certificate or those named; may be repeated.",
)  # fmt: skip
_quota = click.option("--quota", default="", help="How many Test Certificates it may have. [default: no limit]")


@party.command()
@click.argument("party_id", metavar="PARTY")
@click.option(
    "--category",
    required=True,
    help="dcc, large-supplier, small-supplier, electricity-network, gas-network, other or shared-resource.",
)
@click.option("--name", default="", help="[default: the Party ID]")
@click.option(
    "--role", "roles", multiple=True, metavar="USER-ROLE", help="import-supplier, gas-supplier, …; may be repeated."
)
@click.option("--eui", "identifiers", multiple=True, metavar="EUI-64", help="An Entity Identifier; may be repeated.")
@click.option("--acceded", type=DAY, help="The day of its accession. [default: today]")
@click.option(
    "--authorised-for",
    default="organisation, device",
    show_default=True,
    help="For which certificates it is an Authorised Subscriber.",
)
@click.option(
    "--acts-for",
    multiple=True,
    metavar="PARTY",
    help="Of a Shared Resource: a User that has named it; may be repeated.",
)
@click.option("--not-a-user", is_flag=True, help="It has not been through the User Entry Process.")
@_officers
@_quota
@home_option
def add(
    home: Path, party_id: str, category: str, name: str, roles: tuple[str, ...], identifiers: tuple[str, ...], acceded: date | None,
    authorised_for: str, acts_for: tuple[str, ...], not_a_user: bool, officers: tuple[str, ...], quota: str,
) -> None:  # fmt: skip
    """Register a Party.

    \b
    smki party add ACME --category large-supplier --role import-supplier --eui 90-B3-D5-1F-30-05-00-00 --officer 'Jo Bloggs'
    """
    with Smki.open(home) as smki:
        since = acceded or smki.clock.now().date()
        made = Party.parse(
            party_id=party_id, category=category, name=name, user_roles=", ".join(roles), standing=f"acceded {since}",
            identifiers=", ".join(identifiers), authorised_for=authorised_for, officers=officers or [f"{party_id} Officer"],
            acts_for=", ".join(acts_for), through_entry=not not_a_user, quota=quota,
        )  # fmt: skip
        smki.registration.execute(Register((made,)), cli_actor())
    say(f"Party {made.party_id} is registered.")


@participant.command(name="add")
@click.argument("participant_id", metavar="PARTICIPANT")
@click.option("--purpose", required=True, help="uept, srept, device-and-user-system-tests or section-t.")
@click.option("--name", default="", help="[default: the id]")
@click.option("--agreement", default="", metavar="DATE", help="The day of its agreement on the terms of Schedule 7.")
@_officers
@_quota
@home_option
def add_participant(
    home: Path, participant_id: str, purpose: str, name: str, agreement: str, officers: tuple[str, ...], quota: str
) -> None:
    """Register a Testing Participant.

    \b
    smki participant add METERS-LTD --purpose device-and-user-system-tests --agreement 2026-01-31 --quota 5000
    """
    with Smki.open(home) as smki:
        made = TestingParticipant.parse(
            participant_id=participant_id, purpose=purpose, name=name, agreement=agreement, quota=quota,
            officers=officers or [f"{participant_id} Officer"],
        )  # fmt: skip
        smki.registration.execute(Register((made,)), cli_actor())
    say(f"Testing Participant {made.participant_id} is registered.")


def _list(home: Path, kind: type[Registrant], as_json: bool) -> None:
    with Smki.open(home) as smki:
        found = [registrant for registrant in smki.ledger.register.registrants() if isinstance(registrant, kind)]
    for registrant in found:
        if as_json:
            click.echo(json.dumps(registrant_fields(registrant)))
        elif isinstance(registrant, Party):
            standing = registrant.standing[-1].standing if registrant.standing else "not acceded"
            roles = ", ".join(sorted(str(role) for role in registrant.user_roles))
            say(f"{registrant.party_id!s:<24}{registrant.category!s:<28}{standing!s:<12}{roles}".rstrip())
        else:
            say(f"{registrant.participant_id!s:<24}{registrant.purpose}")


@party.command(name="list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List the Parties; --json prints one object a line."""
    _list(home, Party, as_json)


@participant.command(name="list")
@home_option
@json_option
def list_participants(home: Path, as_json: bool) -> None:
    """List the Testing Participants; --json prints one object a line."""
    _list(home, TestingParticipant, as_json)


def _show(home: Path, party_id: PartyId, as_json: bool) -> None:
    with Smki.open(home) as smki:
        registrant = known_registrant(smki.ledger, party_id)
        fields: dict[str, Any] = registrant_fields(registrant)
        fields["certificates"] = smki.ledger.certificates_issued_to(registrant_id(registrant))
    if as_json:
        click.echo(json.dumps(fields, indent=2))
        return
    for name, value in fields.items():
        shown = "; ".join(value) if isinstance(value, list) else value
        say(f"{name.replace('_', ' '):<16}{shown}")


@party.command()
@click.argument("party_id", type=PARTY, metavar="PARTY")
@home_option
@json_option
def show(home: Path, party_id: PartyId, as_json: bool) -> None:
    """Show everything about a Party."""
    _show(home, party_id, as_json)


@participant.command(name="show")
@click.argument("party_id", type=PARTY, metavar="PARTICIPANT")
@home_option
@json_option
def show_participant(home: Path, party_id: PartyId, as_json: bool) -> None:
    """Show everything about a Testing Participant."""
    _show(home, party_id, as_json)


def _standing_command(name: str, standing: Standing, text: str) -> None:
    @party.command(name=name, help=text)
    @click.argument("party_id", type=PARTY, metavar="PARTY")
    @click.option("--since", type=DAY, help="From which day on. [default: today]")
    @home_option
    def command(home: Path, party_id: PartyId, since: date | None) -> None:
        with Smki.open(home) as smki:
            day = since or smki.clock.now().date()
            smki.registration.execute(SetStanding(party_id, standing, day), cli_actor())
        say(f"Party {party_id} is {standing} since {day}.")


_standing_command("suspend", Standing.SUSPENDED, "Suspend a Party.")
_standing_command("expel", Standing.EXPELLED, "Expel a Party.")
_standing_command("withdraw", Standing.WITHDRAWN, "Record that a Party has withdrawn.")
_standing_command("reinstate", Standing.ACCEDED, "Make a suspended, expelled or withdrawn Party one again.")


@party.command(name="assign-eui")
@click.argument("party_id", type=PARTY, metavar="PARTY")
@home_option
def assign_eui(home: Path, party_id: PartyId) -> None:
    """Assign a Party the next free Entity Identifier of the registry block."""
    with Smki.open(home) as smki:
        identifier = smki.registration.execute(AssignIdentifier(party_id), cli_actor())
    say(str(identifier))


@party.command()
@click.argument("party_id", type=PARTY, metavar="PARTY")
@click.argument("officer", metavar="'NAME[: organisation, device]'")
@home_option
def appoint(home: Path, party_id: PartyId, officer: str) -> None:
    """Appoint an officer, or change for which kinds of certificate one acts."""
    appointed = Officer.parse(officer)
    with Smki.open(home) as smki:
        smki.registration.execute(AppointOfficer(party_id, appointed), cli_actor())
    say(f"{appointed.name} acts for {party_id}.")


@party.command()
@click.argument("file")
@home_option
def load(home: Path, file: str) -> None:
    """Register every Party and Testing Participant in a CSV or JSON file: all of them or none.

    The columns are those that `smki party list --json` shows; officers are separated by semicolons.
    """
    with Smki.open(home) as smki:
        loaded = read_parties(smki.ledger.register, read_input(file), file)
        smki.registration.execute(Register(loaded), cli_actor())
    for number, registrant in enumerate(loaded, start=1):
        say(f"row {number}: {registrant_id(registrant)}")
    say(f"{len(loaded)} registered.")
