"""Options and commands shared by smki party and smki participant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from smki.cli.common import PARTY, Parsed, cli_actor, home_option, json_option
from smki.cli.say import say
from smki.clock import RealClock
from smki.home.smki import Smki
from smki.identity import EntityIdentifier, PartyId
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.changes import UNCHANGED, Unchanged
from smki.registration.parties import known_registrant
from smki.sec.party import Officer, Party, parse_quota
from smki.sec.registry_fields import Registrant, registrant_fields, registrant_id
from smki.sec.vocabulary import parse_list

OFFICER = Parsed("'NAME[: organisation, device]'", Officer.parse)
QUOTA = Parsed("NUMBER", parse_quota)


def several(name: str, parse: Callable[[str], Any]) -> Parsed:
    """Return a parameter type for several values separated by commas."""
    return Parsed(name, lambda text: frozenset(parse_list(text, parse)))


def one_set(values: tuple[frozenset[Any], ...]) -> frozenset[Any]:
    """Return all values of an option that can be repeated."""
    return frozenset().union(*values)


IDENTIFIERS = several("EUI-64", EntityIdentifier.parse)

officers_option = click.option(
    "--officer", "officers", type=OFFICER, multiple=True,
    help="Authorised Responsible Officer, for the kinds of certificate named or both; may be repeated.",
)  # fmt: skip
quota_option = click.option("--quota", type=QUOTA, help="Maximum number of Test Certificates. [default: no limit]")
no_quota_option = click.option("--no-quota", is_flag=True, help="Remove the limit.")


def changed_quota(quota: int | None, no_quota: bool) -> int | Unchanged | None:
    """Return the new quota according to --quota and --no-quota.

    :raises click.UsageError: if both were given.
    """
    if quota is not None and no_quota:
        raise click.UsageError("Use --quota or --no-quota, not both.")
    return None if no_quota else or_unchanged(quota)


def or_unchanged(value: Any) -> Any:
    """Return the value of an option; UNCHANGED if it was not given."""
    return UNCHANGED if value is None else value


def registrant_commands(group: click.Group, metavar: str, kind: type[Registrant]) -> None:
    """Add the commands list, show, appoint and dismiss to a group."""
    a_registrant, registrants = (
        ("a Party", "Parties") if kind is Party else ("a Testing Participant", "Testing Participants")
    )

    @group.command(name="list", help=f"List the {registrants}; --json prints one object per line.")
    @home_option
    @json_option
    def list_(home: Path, as_json: bool) -> None:
        _list(home, kind, as_json)

    @group.command(help=f"Show {a_registrant}.")
    @click.argument("party_id", type=PARTY, metavar=metavar)
    @home_option
    @json_option
    def show(home: Path, party_id: PartyId, as_json: bool) -> None:
        _show(home, party_id, kind, as_json)

    @group.command(help="Appoint an officer, or change for which kinds of certificate an officer acts.")
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
            say(f"{registrant.participant_id!s:<24}{'; '.join(test.described for test in registrant.tests)}".rstrip())


def _show(home: Path, party_id: PartyId, kind: type[Registrant], as_json: bool) -> None:
    with Smki.open(home) as smki:
        registrant = known_registrant(smki.ledger, party_id, kind)
        fields: dict[str, Any] = registrant_fields(registrant)
        fields["certificates"] = smki.ledger.certificates_issued_to(registrant_id(registrant))
    if as_json:
        click.echo(json.dumps(fields, indent=2))
        return
    tests = fields.pop("tests", [])
    for name, value in fields.items():
        shown = "; ".join(value) if isinstance(value, list) else value
        say(f"{name.replace('_', ' '):<16}{shown}")
    for test in tests:
        known = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in test.items() if name != "test")
        say(f"{'test':<16}{test['test']}: {known}")
