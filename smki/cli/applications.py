"""smki applications"""

from __future__ import annotations

import json
from pathlib import Path

import click

from smki.cli.common import COUNT, EUI64, NUMBER, home_option, json_option
from smki.cli.say import say, say_problems
from smki.clock import iso
from smki.home.smki import Smki
from smki.identity import EntityIdentifier
from smki.interchange.description import application_fields
from smki.ledger import ApplicationQuery, ApplicationRecord, Statement
from smki.problem import NotFound, Problem
from smki.registration.duties import STATEMENT


@click.group()
def applications() -> None:
    """Show the record of applications, including refused ones."""


@applications.command(name="list")
@click.option("--applicant", help="Only applications by this Party or Testing Participant.")
@click.option("--eui", type=EUI64, help="Only applications for this Entity Identifier.")
@click.option("--granted/--refused", default=None, help="Only granted, or only refused applications.")
@click.option("--limit", type=COUNT, help="Maximum number of applications.")
@home_option
@json_option
def list_(
    home: Path,
    applicant: str | None,
    eui: EntityIdentifier | None,
    granted: bool | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """List applications, oldest first; --json prints one object per line."""
    query = ApplicationQuery(
        subscriber=applicant.upper() if applicant else None, entity_identifier=eui, granted=granted
    )
    with Smki.open(home) as smki:
        for record in smki.ledger.applications(query, limit=limit):
            say(json.dumps(application_fields(record)) if as_json else _line(record))


@applications.command()
@click.argument("number", type=NUMBER)
@home_option
@json_option
def show(home: Path, number: int, as_json: bool) -> None:
    """Show an application, with every reason if it was refused."""
    with Smki.open(home) as smki:
        record = smki.ledger.application(number)
    if record is None:
        raise NotFound(
            Problem(
                code="application.unknown",
                subject=f"application {number}",
                seen="not in the record",
                expected="the number of an application",
            )
        )
    if as_json:
        click.echo(json.dumps(application_fields(record), indent=2))
        return
    say(_line(record))
    of = record.application
    if of.statement is not None:
        how = "stated by" if of.statement is Statement.EXPLICIT else "recorded automatically as stated by"
        say(f"  {how} {of.officer or 'nobody'} (SEC L11): {STATEMENT}")
    say_problems(record.reasons, "  ")


def _line(record: ApplicationRecord) -> str:
    of = record.application
    what = f"{of.kind.title}{f' {of.role.label}' if of.role else ''}{f' {of.usage.code}' if of.usage else ''}"
    whom = f" for {of.entity_identifier}" if of.entity_identifier else ""
    outcome = f"granted: {record.serial_number}" if record.granted else f"refused: {record.reasons[0].code}"
    by = f"{of.subscriber or 'unknown'}{f' ({of.officer})' if of.officer else ''}"
    return f"{record.id}  {iso(of.received)}  {by}  {what}{whom}  {outcome}"
