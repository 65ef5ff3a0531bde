"""smki participant"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from smki.cli.common import DAY, PARTY, Parsed, cli_actor, home_option
from smki.cli.registrant import (
    changed_quota,
    no_quota_option,
    officers_option,
    or_unchanged,
    quota_option,
    registrant_commands,
)
from smki.cli.say import say
from smki.home.smki import Smki
from smki.identity import PartyId
from smki.registration.parties import AddParticipant, ChangeParticipant
from smki.sec.party import Officer, TestingParticipant, TestPurpose

PURPOSE = Parsed("PURPOSE", TestPurpose.parse)


@click.group()
def participant() -> None:
    """Manage Testing Participants that are not Parties (SEC H14.11)."""


@participant.command()
@click.argument("participant_id", type=PARTY, metavar="PARTICIPANT")
@click.option(
    "--purpose", type=PURPOSE, required=True, help="Purpose: uept, srept, device-and-user-system-tests or section-t."
)
@click.option("--name", default="", help="Name. [default: the ID]")
@click.option("--agreement", type=DAY, help="Date on which it agreed to the terms of Schedule 7.")
@officers_option
@quota_option
@home_option
def add(
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


@participant.command()
@click.argument("participant_id", type=PARTY, metavar="PARTICIPANT")
@click.option("--name", help="Name.")
@click.option("--purpose", type=PURPOSE, help="Purpose: uept, srept, device-and-user-system-tests or section-t.")
@click.option("--agreement", type=DAY, help="Date on which it agreed to the terms of Schedule 7.")
@click.option("--no-agreement", is_flag=True, help="Record that it has no agreement.")
@quota_option
@no_quota_option
@home_option
def change(
    home: Path,
    participant_id: PartyId,
    name: str | None,
    purpose: TestPurpose | None,
    agreement: date | None,
    no_agreement: bool,
    quota: int | None,
    no_quota: bool,
) -> None:
    """Change a Testing Participant. Fields without an option keep their values."""
    if agreement is not None and no_agreement:
        raise click.UsageError("Use --agreement or --no-agreement, not both.")
    command = ChangeParticipant(
        participant=participant_id,
        name=or_unchanged(name),
        purpose=or_unchanged(purpose),
        agreement=None if no_agreement else or_unchanged(agreement),
        quota=changed_quota(quota, no_quota),
    )
    with Smki.open(home) as smki:
        smki.registration.execute(command, cli_actor())
    say(f"Testing Participant {participant_id} is changed.")


registrant_commands(participant, "PARTICIPANT", TestingParticipant)
