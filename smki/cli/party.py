"""smki party, smki participant"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from smki.cli.common import DAY, EUI64, PARTY, Parsed, cli_actor, home_option, json_option, read_input, say
from smki.clock import RealClock
from smki.home.smki import Smki
from smki.identity import EntityIdentifier, PartyId
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.bulk import LoadParties, read_parties
from smki.registration.changes import UNCHANGED, Unchanged
from smki.registration.identifiers import AssignIdentifier, ReleaseIdentifier
from smki.registration.parties import (
    AddParticipant,
    AddParty,
    ChangeParticipant,
    ChangeParty,
    SetStanding,
    known_registrant,
)
from smki.sec.party import (
    Officer,
    Party,
    PartyCategory,
    Standing,
    TestingParticipant,
    TestPurpose,
    parse_quota,
    parse_subscriber_kind,
)
from smki.sec.registry_fields import Registrant, registrant_fields, registrant_id
from smki.sec.role import CertificateKind, UserRole
from smki.sec.vocabulary import parse_list


def _several(name: str, parse: Callable[[str], Any]) -> Parsed:
    """An option of several values between commas."""
    return Parsed(name, lambda text: frozenset(parse_list(text, parse)))


CATEGORY = Parsed("CATEGORY", PartyCategory.parse)
ROLES = _several("USER-ROLE", UserRole.parse)
KINDS = _several("KINDS", parse_subscriber_kind)
PARTIES = _several("PARTY", PartyId.parse)
IDENTIFIERS = _several("EUI-64", EntityIdentifier.parse)
OFFICER = Parsed("'NAME[: organisation, device]'", Officer.parse)
PURPOSE = Parsed("PURPOSE", TestPurpose.parse)
QUOTA = Parsed("NUMBER", parse_quota)


@click.group()
def party() -> None:
    """Parties to the Code: add, list, show, suspend, …"""


@click.group()
def participant() -> None:
    """Testing Participants that are no Parties (SEC H14.11)."""


_officers = click.option(
    "--officer", "officers", type=OFFICER, multiple=True,
    help="An Authorised Responsible Officer, for both kinds of certificate or those named; may be repeated.",
)  # fmt: skip
_quota = click.option("--quota", type=QUOTA, help="How many Test Certificates it may have. [default: no limit]")
_no_quota = click.option("--no-quota", is_flag=True, help="Remove the limit.")


def _one_set(several: tuple[frozenset[Any], ...]) -> frozenset[Any]:
    return frozenset().union(*several)


@party.command()
@click.argument("party_id", type=PARTY, metavar="PARTY")
@click.option(
    "--category",
    type=CATEGORY,
    required=True,
    help="dcc, large-supplier, small-supplier, electricity-network, gas-network, other or shared-resource.",
)
@click.option("--name", default="", help="[default: the Party ID]")
@click.option("--role", "roles", type=ROLES, multiple=True, help="import-supplier, gas-supplier, …; may be repeated.")
@click.option("--eui", "identifiers", type=IDENTIFIERS, multiple=True, help="An Entity Identifier; may be repeated.")
@click.option("--acceded", type=DAY, help="The day of its accession. [default: today]")
@click.option(
    "--authorised-for",
    type=KINDS,
    default="organisation, device",
    show_default=True,
    help="For which certificates it is an Authorised Subscriber.",
)
@click.option(
    "--acts-for", type=PARTIES, multiple=True, help="Of a Shared Resource: a User that has named it; may be repeated."
)
@click.option("--not-a-user", is_flag=True, help="It has not been through the User Entry Process.")
@_officers
@_quota
@home_option
def add(
    home: Path,
    party_id: PartyId,
    category: PartyCategory,
    name: str,
    roles: tuple[frozenset[UserRole], ...],
    identifiers: tuple[frozenset[EntityIdentifier], ...],
    acceded: date | None,
    authorised_for: frozenset[CertificateKind],
    acts_for: tuple[frozenset[PartyId], ...],
    not_a_user: bool,
    officers: tuple[Officer, ...],
    quota: int | None,
) -> None:
    """Register a Party.

    \b
    smki party add ACME --category large-supplier --role import-supplier --eui 90-B3-D5-1F-30-05-00-00 --officer 'Jo Bloggs'
    """
    command = AddParty(
        party=party_id,
        category=category,
        name=name,
        user_roles=_one_set(roles),
        identifiers=_one_set(identifiers),
        acceded=acceded,
        authorised_for=authorised_for,
        officers=officers,
        acts_for=_one_set(acts_for),
        through_entry=not not_a_user,
        quota=quota,
    )
    with Smki.open(home) as smki:
        made = smki.registration.execute(command, cli_actor())
    say(f"Party {made.party_id} is registered.")


def _changed_quota(quota: int | None, no_quota: bool) -> int | Unchanged | None:
    if quota is not None and no_quota:
        raise click.UsageError("Use --quota or --no-quota, not both.")
    return None if no_quota else _or_unchanged(quota)


def _or_unchanged(value: Any) -> Any:
    return UNCHANGED if value is None else value


@party.command()
@click.argument("party_id", type=PARTY, metavar="PARTY")
@click.option("--name", help="Its name.")
@click.option(
    "--add-role", "add_roles", type=ROLES, multiple=True, help="A User Role that it acts in; may be repeated."
)
@click.option("--remove-role", "remove_roles", type=ROLES, multiple=True, help="One that it acts in no longer.")
@click.option("--authorised-for", type=KINDS, help="'organisation, device', one of them, or '' for neither.")
@click.option("--add-acts-for", type=PARTIES, multiple=True, help="Of a Shared Resource: a User that has named it.")
@click.option("--remove-acts-for", type=PARTIES, multiple=True, help="A User for which it acts no longer.")
@click.option("--through-entry/--not-a-user", default=None, help="Whether it has been through the User Entry Process.")
@_quota
@_no_quota
@home_option
def change(
    home: Path,
    party_id: PartyId,
    name: str | None,
    add_roles: tuple[frozenset[UserRole], ...],
    remove_roles: tuple[frozenset[UserRole], ...],
    authorised_for: frozenset[CertificateKind] | None,
    add_acts_for: tuple[frozenset[PartyId], ...],
    remove_acts_for: tuple[frozenset[PartyId], ...],
    through_entry: bool | None,
    quota: int | None,
    no_quota: bool,
) -> None:
    """Change what is recorded of a Party; what is not named stays as it is.

    \b
    smki party change ACME --add-role gas-supplier --quota 500
    """
    command = ChangeParty(
        party=party_id,
        name=_or_unchanged(name),
        add_roles=_one_set(add_roles),
        remove_roles=_one_set(remove_roles),
        authorised_for=_or_unchanged(authorised_for),
        add_acts_for=_one_set(add_acts_for),
        remove_acts_for=_one_set(remove_acts_for),
        through_entry=_or_unchanged(through_entry),
        quota=_changed_quota(quota, no_quota),
    )
    with Smki.open(home) as smki:
        smki.registration.execute(command, cli_actor())
    say(f"Party {party_id} is changed.")


@participant.command(name="add")
@click.argument("participant_id", type=PARTY, metavar="PARTICIPANT")
@click.option("--purpose", type=PURPOSE, required=True, help="uept, srept, device-and-user-system-tests or section-t.")
@click.option("--name", default="", help="[default: the id]")
@click.option("--agreement", type=DAY, help="The day of its agreement on the terms of Schedule 7.")
@_officers
@_quota
@home_option
def add_participant(
    home: Path,
    participant_id: PartyId,
    purpose: TestPurpose,
    name: str,
    agreement: date | None,
    officers: tuple[Officer, ...],
    quota: int | None,
) -> None:
    """Register a Testing Participant.

    \b
    smki participant add METERS-LTD --purpose device-and-user-system-tests --agreement 2026-01-31 --quota 5000
    """
    command = AddParticipant(
        participant=participant_id, purpose=purpose, name=name, agreement=agreement, officers=officers, quota=quota
    )
    with Smki.open(home) as smki:
        made = smki.registration.execute(command, cli_actor())
    say(f"Testing Participant {made.participant_id} is registered.")


@participant.command(name="change")
@click.argument("participant_id", type=PARTY, metavar="PARTICIPANT")
@click.option("--name", help="Its name.")
@click.option("--purpose", type=PURPOSE, help="uept, srept, device-and-user-system-tests or section-t.")
@click.option("--agreement", type=DAY, help="The day of its agreement on the terms of Schedule 7.")
@click.option("--no-agreement", is_flag=True, help="It has no agreement.")
@_quota
@_no_quota
@home_option
def change_participant(
    home: Path,
    participant_id: PartyId,
    name: str | None,
    purpose: TestPurpose | None,
    agreement: date | None,
    no_agreement: bool,
    quota: int | None,
    no_quota: bool,
) -> None:
    """Change what is recorded of a Testing Participant; what is not named stays as it is."""
    if agreement is not None and no_agreement:
        raise click.UsageError("Use --agreement or --no-agreement, not both.")
    command = ChangeParticipant(
        participant=participant_id,
        name=_or_unchanged(name),
        purpose=_or_unchanged(purpose),
        agreement=None if no_agreement else _or_unchanged(agreement),
        quota=_changed_quota(quota, no_quota),
    )
    with Smki.open(home) as smki:
        smki.registration.execute(command, cli_actor())
    say(f"Testing Participant {participant_id} is changed.")


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
@click.argument("identifier", type=EUI64, metavar="[EUI-64]", required=False)
@home_option
def assign_eui(home: Path, party_id: PartyId, identifier: EntityIdentifier | None) -> None:
    """Assign a Party an Entity Identifier: the one given, or the next free one of the registry block."""
    with Smki.open(home) as smki:
        assigned = smki.registration.execute(AssignIdentifier(party_id, identifier), cli_actor())
    say(str(assigned))


@party.command(name="release-eui")
@click.argument("party_id", type=PARTY, metavar="PARTY")
@click.argument("identifier", type=EUI64, metavar="EUI-64")
@home_option
def release_eui(home: Path, party_id: PartyId, identifier: EntityIdentifier) -> None:
    """Take an Entity Identifier from a Party, once its certificates are revoked or have expired."""
    with Smki.open(home) as smki:
        smki.registration.execute(ReleaseIdentifier(party_id, identifier), cli_actor())
    say(f"{identifier} no longer belongs to {party_id}.")


def _officer_commands(group: click.Group, metavar: str) -> None:
    @group.command(help="Appoint an officer, or change for which kinds of certificate one acts.")
    @click.argument("party_id", type=PARTY, metavar=metavar)
    @click.argument("officer", type=OFFICER)
    @home_option
    def appoint(home: Path, party_id: PartyId, officer: Officer) -> None:
        with Smki.open(home) as smki:
            smki.registration.execute(AppointOfficer(party_id, officer), cli_actor())
        say(f"{officer.name} acts for {party_id}.")

    @group.command(help="Dismiss an officer and revoke the officer's tokens.")
    @click.argument("party_id", type=PARTY, metavar=metavar)
    @click.argument("officer", metavar="NAME")
    @home_option
    def dismiss(home: Path, party_id: PartyId, officer: str) -> None:
        command = DismissOfficer(party=party_id, officer=officer, moment=RealClock().now())
        with Smki.open(home) as smki:
            smki.registration.execute(command, cli_actor())
        say(f"{officer} no longer acts for {party_id}.")


_officer_commands(party, "PARTY")
_officer_commands(participant, "PARTICIPANT")


@party.command()
@click.argument("file")
@home_option
def load(home: Path, file: str) -> None:
    """Register every Party and Testing Participant in a CSV or JSON file: all of them or none.

    The columns are those that `smki party list --json` shows; officers are separated by semicolons.
    """
    rows = read_parties(read_input(file), file)
    with Smki.open(home) as smki:
        loaded = smki.registration.execute(LoadParties(rows), cli_actor())
    for number, registrant in enumerate(loaded, start=1):
        say(f"row {number}: {registrant_id(registrant)}")
    say(f"{len(loaded)} registered.")
