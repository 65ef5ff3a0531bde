"""smki audit"""

from __future__ import annotations

import json
from pathlib import Path

import click

from smki.cli.common import SERIAL, home_option, json_option, say
from smki.clock import iso
from smki.home.smki import Smki
from smki.identity import SerialNumber
from smki.problem import NotFound, Problem


@click.group()
def audit() -> None:
    """What was asked of the Repository, and done with a certificate."""


@audit.command()
@click.argument("reference")
@home_option
@json_option
def show(home: Path, reference: str, as_json: bool) -> None:
    """Show what was asked and answered under the AuditReference of an answer of the XML services."""
    with Smki.open(home) as smki:
        found = smki.audit_trail.find(reference)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {text}" for key, text in value.items())
        elif isinstance(value, list):
            value = ", ".join(value)
        say(f"{name:<14}{value}")


@audit.command()
@click.argument("serial_number", type=SERIAL, metavar="SERIAL")
@home_option
@json_option
def events(home: Path, serial_number: SerialNumber, as_json: bool) -> None:
    """Show what was done with a certificate: issued, accepted, rejected, revoked."""
    with Smki.open(home) as smki:
        found = smki.ledger.events(serial_number)
    if not found:
        raise NotFound(
            Problem("certificate.unknown", f"certificate {serial_number}", "not in the ledger", "one that was issued here", "",
                    "smki list shows what was issued.")
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps([{**event._asdict(), "at": iso(event.at)} for event in found], indent=2))
        return
    for event in found:
        say(f"{iso(event.at)}  {event.event:<9} {event.detail}".rstrip())
