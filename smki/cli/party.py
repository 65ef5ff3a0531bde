"""smki party"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from smki.cli.common import DAY, EUI64, PARTY, Parsed, cli_actor, home_option, read_input
from smki.cli.registrant import (
    IDENTIFIERS,
    changed_quota,
    no_quota_option,
    officers_option,
    one_set,
    or_unchanged,
    quota_option,
    registrant_commands,
    several,
)
from smki.cli.say import say
from smki.home.smki import Smki
from smki.identity import EntityIdentifier, PartyId
from smki.registration.bulk import LoadParties, read_parties
from smki.registration.identifiers import AssignIdentifier, ReleaseIdentifier
from smki.registration.parties import (
    AddParty,
    ChangeParty,
    SetStanding,
)
from smki.sec.party import (
    Officer,
    Party,
    PartyCategory,
    Standing,
    parse_subscriber_kind,
)
from smki.sec.registry_fields import registrant_id
from smki.sec.role import CertificateKind, UserRole

CATEGORY = Parsed("CATEGORY", PartyCategory.parse)
ROLES = several("USER-ROLE", UserRole.parse)
KINDS = several("KINDS", parse_subscriber_kind)
PARTIES = several("PARTY", PartyId.parse)


@click.group()
def party() -> None:
    """Manage Parties to the Code and their officers."""


@party.command()
@click.argument("party_id", type=PARTY, metavar="PARTY")
@click.option(
    "--category",
    type=CATEGORY,
    required=True,
    help="Category: dcc, large-supplier, small-supplier, electricity-network, gas-network, other or shared-resource.",
)
@click.option("--name", default="", help="Name. [default: the Party ID]")
@click.option(
    "--role", "roles", type=ROLES, multiple=True, help="User Role: import-supplier, gas-supplier, …; may be repeated."
)
@click.option("--eui", "identifiers", type=IDENTIFIERS, multiple=True, help="Entity Identifier; may be repeated.")
@click.option("--acceded", type=DAY, help="Date of its accession. [default: today]")
@click.option(
    "--authorised-for",
    type=KINDS,
    default="organisation, device",
    show_default=True,
    help="Kinds of certificate for which it is an Authorised Subscriber.",
)
@click.option(
    "--acts-for",
    type=PARTIES,
    multiple=True,
    help="Party that has named it as its Shared Resource, on whose behalf it may act; may be repeated.",
)
@click.option("--not-a-user", is_flag=True, help="The Party has not completed the User Entry Process.")
@officers_option
@quota_option
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
        user_roles=one_set(roles),
        identifiers=one_set(identifiers),
        acceded=acceded,
        authorised_for=authorised_for,
        officers=officers,
        acts_for=one_set(acts_for),
        through_entry=not not_a_user,
        quota=quota,
    )
    with Smki.open(home) as smki:
        made = smki.registration.execute(command, cli_actor())
    say(f"Party {made.party_id} is registered.")


@party.command()
@click.argument("party_id", type=PARTY, metavar="PARTY")
@click.option("--name", help="Name.")
@click.option("--add-role", "add_roles", type=ROLES, multiple=True, help="User Role to add; may be repeated.")
@click.option("--remove-role", "remove_roles", type=ROLES, multiple=True, help="User Role to remove; may be repeated.")
@click.option("--authorised-for", type=KINDS, help="Kinds for which it is an Authorised Subscriber; '' for none.")
@click.option(
    "--add-acts-for",
    type=PARTIES,
    multiple=True,
    help="Party to add that has named it as its Shared Resource.",
)
@click.option("--remove-acts-for", type=PARTIES, multiple=True, help="Party to remove of these.")
@click.option("--through-entry/--not-a-user", default=None, help="Whether it has completed the User Entry Process.")
@quota_option
@no_quota_option
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
    """Change a Party. Fields without an option keep their values.

    \b
    smki party change ACME --add-role gas-supplier --quota 500
    """
    command = ChangeParty(
        party=party_id,
        name=or_unchanged(name),
        add_roles=one_set(add_roles),
        remove_roles=one_set(remove_roles),
        authorised_for=or_unchanged(authorised_for),
        add_acts_for=one_set(add_acts_for),
        remove_acts_for=one_set(remove_acts_for),
        through_entry=or_unchanged(through_entry),
        quota=changed_quota(quota, no_quota),
    )
    with Smki.open(home) as smki:
        smki.registration.execute(command, cli_actor())
    say(f"Party {party_id} is changed.")


def _standing_command(name: str, standing: Standing, text: str) -> None:
    @party.command(name=name, help=text)
    @click.argument("party_id", type=PARTY, metavar="PARTY")
    @click.option("--since", type=DAY, help="First day of the new standing. [default: today]")
    @home_option
    def command(home: Path, party_id: PartyId, since: date | None) -> None:
        with Smki.open(home) as smki:
            day = since or smki.clock.now().date()
            smki.registration.execute(SetStanding(party_id, standing, day), cli_actor())
        say(f"Party {party_id} is {standing} since {day}.")


_standing_command("suspend", Standing.SUSPENDED, "Suspend a Party.")
_standing_command("expel", Standing.EXPELLED, "Expel a Party.")
_standing_command("withdraw", Standing.WITHDRAWN, "Record that a Party has withdrawn.")
_standing_command("reinstate", Standing.ACCEDED, "Reinstate a suspended, expelled or withdrawn Party.")


@party.command(name="assign-eui")
@click.argument("party_id", type=PARTY, metavar="PARTY")
@click.argument("identifier", type=EUI64, metavar="[EUI-64]", required=False)
@home_option
def assign_eui(home: Path, party_id: PartyId, identifier: EntityIdentifier | None) -> None:
    """Assign an Entity Identifier to a Party: the one given, or the next free one of the registry block."""
    with Smki.open(home) as smki:
        assigned = smki.registration.execute(AssignIdentifier(party_id, identifier), cli_actor())
    say(str(assigned))


@party.command(name="release-eui")
@click.argument("party_id", type=PARTY, metavar="PARTY")
@click.argument("identifier", type=EUI64, metavar="EUI-64")
@home_option
def release_eui(home: Path, party_id: PartyId, identifier: EntityIdentifier) -> None:
    """Release an Entity Identifier of a Party, once the certificates with it are revoked or expired."""
    with Smki.open(home) as smki:
        smki.registration.execute(ReleaseIdentifier(party_id, identifier), cli_actor())
    say(f"{identifier} no longer belongs to {party_id}.")


registrant_commands(party, "PARTY", Party)


@party.command()
@click.argument("file")
@home_option
def load(home: Path, file: str) -> None:
    """Register every Party and Testing Participant in a CSV or JSON file, or none if one of them is refused.

    The columns are the fields that `smki party list --json` prints; officers are separated by semicolons.
    """
    rows = read_parties(read_input(file), file)
    with Smki.open(home) as smki:
        loaded = smki.registration.execute(LoadParties(rows), cli_actor())
    for number, registrant in enumerate(loaded, start=1):
        say(f"row {number}: {registrant_id(registrant)}")
    say(f"{len(loaded)} registered.")
