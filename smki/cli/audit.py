"""smki audit"""

from __future__ import annotations

import itertools
import json
from datetime import datetime
from pathlib import Path

import click

from smki.cli import record
from smki.cli.common import EUI64, MOMENT, PARTY, SERIAL, Choices, home_option, json_option
from smki.cli.say import say
from smki.home.smki import Smki
from smki.identity import EntityIdentifier, PartyId, SerialNumber
from smki.interchange.description import event_fields, event_text
from smki.ledger import EventKind, EventQuery, Period
from smki.registration.officers import certificate_of


@click.group()
def audit() -> None:
    """Show events and requests to the XML services, and verify, export and prove the record of events."""


for _command in (record.checkpoint, record.verify, record.export, record.prove, record.check_proof):
    audit.add_command(_command)


@audit.command()
@click.argument("reference")
@home_option
@json_option
def show(home: Path, reference: str, as_json: bool) -> None:
    """Show the request and response of the XML services that have this AuditReference."""
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
@click.argument("serial_number", type=SERIAL, metavar="[SERIAL]", required=False)
@click.option("--party", type=PARTY, help="Only events by or about this Party, and about its certificates.")
@click.option("--officer", help="Only events caused by this officer.")
@click.option("--device", type=EUI64, help="Only events about this Device and its certificates.")
@click.option(
    "--kind", type=Choices(EventKind), help=f"Only events of this kind: {', '.join(kind.value for kind in EventKind)}."
)
@click.option("--from", "first", type=MOMENT, help="Only events at or after this time.")
@click.option("--to", "last", type=MOMENT, help="Only events at or before this time.")
@click.option("--limit", type=click.IntRange(min=1), help="Maximum number of events.")
@home_option
@json_option
def events(
    home: Path,
    serial_number: SerialNumber | None,
    party: PartyId | None,
    officer: str | None,
    device: EntityIdentifier | None,
    kind: EventKind | None,
    first: datetime | None,
    last: datetime | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Show events, oldest first: what was done, by whom and through which interface.

    Every command that changes something appends one event. With SERIAL, only the events of that certificate are shown.
    --json prints one object per line.
    """
    query = EventQuery(
        kind=kind,
        party=str(party) if party else None,
        officer=officer,
        serial_number=serial_number,
        device_id=device,
        at=Period(first, last),
    )
    with Smki.open(home) as smki:
        if serial_number is not None:
            certificate_of(smki.ledger, serial_number)
        for event in itertools.islice(smki.ledger.events(query), limit):
            click.echo(json.dumps(event_fields(event)) if as_json else event_text(event))
