"""smki accept, smki reject"""

from __future__ import annotations

import json
from pathlib import Path

import click

from smki.cli.common import (
    SERIAL,
    cli_actor,
    home_option,
    json_option,
    list_deadline,
    list_deadline_text,
    officer_options,
)
from smki.cli.say import say, say_problems
from smki.clock import iso
from smki.home.smki import Smki
from smki.identity import PartyId, SerialNumber
from smki.registration.acceptance import Accept, Reject


@click.command()
@click.argument("serial", type=SERIAL)
@officer_options
@home_option
def accept(serial: SerialNumber, party: PartyId, officer: str, home: Path) -> None:
    """Accept a pending Organisation Certificate."""
    with Smki.open(home) as smki:
        record = smki.registration.execute(Accept(serial), cli_actor(party, officer))
    say(f"{record.kind.title} {serial} is {record.stored_status.label}.")


@click.command()
@click.argument("serial", type=SERIAL)
@click.option("--because", required=True, help="Reason for the rejection, for the record.")
@officer_options
@home_option
@json_option
def reject(serial: SerialNumber, because: str, party: PartyId, officer: str, home: Path, as_json: bool) -> None:
    """Reject a certificate, and list its differences from the request.

    An Organisation Certificate is then no longer in use. The rejection of a Device Certificate is recorded for
    investigation (SEC L11).
    """
    with Smki.open(home) as smki:
        rejection = smki.registration.execute(Reject(serial, because), cli_actor(party, officer))
        listed_by = list_deadline(smki, rejection.revocation) if rejection.revocation else None
        status = rejection.record.status_at(smki.clock.now())
    if as_json:
        differences = [problem.as_json() for problem in rejection.differences]
        click.echo(
            json.dumps(
                {
                    "serialNumber": serial.hex,
                    "status": status.value,
                    "differences": differences,
                    "onListBy": iso(listed_by) if listed_by else None,
                },
                indent=2,
            )
        )
        return
    say_problems(rejection.differences)
    if not rejection.differences:
        say("The certificate agrees with the request.")
    say(f"{rejection.record.kind.title} {serial} is {status.label}; the rejection is recorded.")
    if listed_by is not None:
        say(list_deadline_text(rejection.record.kind, listed_by))
