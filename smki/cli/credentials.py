"""smki apikey, smki officer"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import click

from smki.cli.common import PARTY, cli_actor, home_option, json_option
from smki.cli.say import say
from smki.clock import RealClock, iso
from smki.home.smki import Smki
from smki.identity import PartyId
from smki.interchange.description import credential_fields, credential_state
from smki.ledger import CredentialKind
from smki.registration.credentials import MadeCredential, MakeApiKey, MakeToken, RevokeCredential


@click.group()
def apikey() -> None:
    """Make, list and revoke API keys for systems that read the Repository.

    smki serve requires them unless it listens on the loopback interface only, and with --read api-key.
    """


@click.group()
def officer() -> None:
    """Make, list and revoke tokens with which officers act over REST."""


_days = click.option(
    "--days", type=click.IntRange(1, 36500), help="Number of days for which it is valid. [default: until it is revoked]"
)


@apikey.command(name="add")
@click.argument("name")
@_days
@home_option
@json_option
def add_key(home: Path, name: str, days: int | None, as_json: bool) -> None:
    """Make an API key for a system and print it.

    The key cannot be shown again: only its SHA-256 is stored.

    \b
    smki apikey add head-end
    curl -H "Authorization: Bearer $KEY" http://repository.example:8083/api/v1/certificates
    """
    with Smki.open(home) as smki:
        now = RealClock().now()
        expires = now + timedelta(days=days) if days else None
        made = smki.registration.execute(MakeApiKey(name=name, created=now, expires=expires), cli_actor())
    _show(made, as_json)


@officer.command()
@click.option("--party", "party_id", type=PARTY, required=True, help="Party or Testing Participant.")
@click.option("--officer", "name", default="", help="Officer. [default: the first]")
@_days
@home_option
@json_option
def token(home: Path, party_id: PartyId, name: str, days: int | None, as_json: bool) -> None:
    """Make a token for an officer and print it.

    The token cannot be shown again: only its SHA-256 is stored.

    \b
    smki officer token --party LARGE-SUPPLIER
    """
    with Smki.open(home) as smki:
        now = RealClock().now()
        expires = now + timedelta(days=days) if days else None
        command = MakeToken(party=party_id, officer=name, created=now, expires=expires)
        made = smki.registration.execute(command, cli_actor())
    _show(made, as_json)


def _list(home: Path, kind: CredentialKind, as_json: bool) -> None:
    with Smki.open(home) as smki:
        found = smki.ledger.credentials.all(kind)
    if as_json:
        click.echo(json.dumps([credential_fields(credential, RealClock().now()) for credential in found], indent=2))
        return
    say(_ROW.format("NUMBER", "NAME", "PARTY", "MADE", "STATE").rstrip())
    for credential in found:
        made = iso(credential.created)
        say(
            _ROW.format(
                credential.id,
                credential.name,
                credential.party or "",
                made,
                credential_state(credential, RealClock().now()),
            )
        )


_ROW = "{:<6}  {:<24}  {:<24}  {:<20}  {}"


@apikey.command(name="list")
@home_option
@json_option
def list_keys(home: Path, as_json: bool) -> None:
    """List the API keys, without their secrets."""
    _list(home, CredentialKind.API_KEY, as_json)


@officer.command(name="list")
@home_option
@json_option
def list_tokens(home: Path, as_json: bool) -> None:
    """List the officers' tokens, without their secrets."""
    _list(home, CredentialKind.OFFICER_TOKEN, as_json)


def _revoke(home: Path, kind: CredentialKind, name: str, party: PartyId | None = None) -> None:
    with Smki.open(home) as smki:
        command = RevokeCredential(kind=kind, name=name, party=party, revoked=RealClock().now())
        revoked = smki.registration.execute(command, cli_actor())
    for credential in revoked:
        say(f"Number {credential.id}, {credential.name}, is revoked.")


@apikey.command(name="revoke")
@click.argument("name", metavar="NAME|NUMBER")
@home_option
def revoke_key(home: Path, name: str) -> None:
    """Revoke an API key."""
    _revoke(home, CredentialKind.API_KEY, name)


@officer.command(name="revoke")
@click.argument("name", metavar="OFFICER|NUMBER")
@click.option("--party", type=PARTY, help="Party of the officer, if several have an officer of that name.")
@home_option
def revoke_tokens(home: Path, name: str, party: PartyId | None) -> None:
    """Revoke an officer's tokens, or the one with a number."""
    _revoke(home, CredentialKind.OFFICER_TOKEN, name, party)


def _show(made: MadeCredential, as_json: bool) -> None:
    credential, secret = made.record, made.secret
    if as_json:
        click.echo(json.dumps({**credential_fields(credential, RealClock().now()), "secret": secret}, indent=2))
        return
    until = f"until {iso(credential.expires)}" if credential.expires else "until it is revoked"
    of = f"{credential.name} of {credential.party}" if credential.party else credential.name
    say(f"Number {credential.id} for {of}, valid {until}. It cannot be shown again:", err=True)
    say(secret)
