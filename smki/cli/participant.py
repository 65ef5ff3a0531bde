"""smki participant"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from smki.cli.common import DAY, PARTY, Parsed, cli_actor, home_option
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
from smki.registration.participation import ChangeTest, EndTest, RecordTest, participation_mode
from smki.registration.parties import AddParticipant, ChangeParticipant
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.device import DeviceType
from smki.sec.party import Officer, TestingParticipant
from smki.sec.recorded_test import ParticipationMode, RecordedTest, TestPurpose
from smki.sec.role import RemotePartyRole

F = TypeVar("F", bound=Callable[..., Any])

PURPOSE = Parsed("PURPOSE", TestPurpose.parse)
MODE = Parsed("strict|open", ParticipationMode.parse)
REMOTE_PARTY_ROLES = several("ROLE", RemotePartyRole.parse)
DEVICE_TYPES = several("TYPE", DeviceType.parse)

_PURPOSES = "Purpose: uept, srept, device-and-user-system-tests or section-t."
_BEHALF = "Party or Device manufacturer on whose behalf it acts."


@click.group()
def participant() -> None:
    """Manage Testing Participants, and the tests in which they and Parties take part (SEC H14.11)."""


def test_options(command: F) -> F:
    """Add the options for what is recorded of a test."""
    for option in (
        click.option("--on-behalf-of", default="", metavar="NAME", help=_BEHALF),
        click.option(
            "--eui", "identifiers", type=IDENTIFIERS, multiple=True,
            help="Entity Identifier that the test calls for; may be repeated.",
        ),
        click.option(
            "--device-type", "device_types", type=DEVICE_TYPES, multiple=True,
            help="Type of Device that the test calls for; may be repeated. [default: all]",
        ),
        click.option(
            "--role", "roles", type=REMOTE_PARTY_ROLES, multiple=True,
            help="Remote Party Role that the test calls for; may be repeated. [default: none; for a Party those it may have]",
        ),
        quota_option,
        click.option("--test", "name_of_test", default="", metavar="NAME", help="Name of the test. [default: its purpose]"),
        click.option("--purpose", type=PURPOSE, required=True, help=_PURPOSES),
    ):  # fmt: skip
        command = option(command)
    return command


def _test(
    purpose: TestPurpose,
    name_of_test: str,
    quota: int | None,
    roles: tuple[frozenset[RemotePartyRole], ...],
    device_types: tuple[frozenset[DeviceType], ...],
    identifiers: tuple[frozenset[EntityIdentifier], ...],
    on_behalf_of: str,
) -> RecordedTest:
    return RecordedTest.of(
        purpose,
        name_of_test,
        quota=quota,
        roles=one_set(roles),
        device_types=one_set(device_types),
        identifiers=one_set(identifiers),
        on_behalf_of=on_behalf_of.strip(),
    )


@participant.command()
@click.argument("participant_id", type=PARTY, metavar="PARTICIPANT")
@test_options
@click.option("--name", default="", help="Name. [default: the ID]")
@click.option("--agreement", type=DAY, help="Date on which it agreed to the terms of Schedule 7.")
@officers_option
@home_option
def add(
    home: Path,
    participant_id: PartyId,
    name: str,
    agreement: date | None,
    officers: tuple[Officer, ...],
    **test: Any,
) -> None:
    """Register a Testing Participant that is not a Party, with its first test.

    \b
    smki participant add METERS-LTD --purpose device-and-user-system-tests --agreement 2026-01-31 --quota 5000
    """
    command = AddParticipant(
        participant=participant_id, test=_test(**test), name=name, agreement=agreement, officers=officers
    )
    with Smki.open(home) as smki:
        made = smki.registration.execute(command, cli_actor())
    say(f"Testing Participant {made.participant_id} is registered.")


@participant.command()
@click.argument("participant_id", type=PARTY, metavar="PARTICIPANT")
@click.option("--name", help="Name.")
@click.option("--agreement", type=DAY, help="Date on which it agreed to the terms of Schedule 7.")
@click.option("--no-agreement", is_flag=True, help="Record that it has no agreement.")
@home_option
def change(home: Path, participant_id: PartyId, name: str | None, agreement: date | None, no_agreement: bool) -> None:
    """Change a Testing Participant. Fields without an option keep their values."""
    if agreement is not None and no_agreement:
        raise click.UsageError("Use --agreement or --no-agreement, not both.")
    command = ChangeParticipant(
        participant=participant_id,
        name=or_unchanged(name),
        agreement=None if no_agreement else or_unchanged(agreement),
    )
    with Smki.open(home) as smki:
        smki.registration.execute(command, cli_actor())
    say(f"Testing Participant {participant_id} is changed.")


@participant.command(name="add-test")
@click.argument("participant_id", type=PARTY, metavar="PARTY")
@test_options
@home_option
def add_test(home: Path, participant_id: PartyId, **test: Any) -> None:
    """Record a test in which a Party or Testing Participant takes part, beside those that it has.

    \b
    smki participant add-test ACME --purpose srept --quota 20
    """
    recorded = _test(**test)
    with Smki.open(home) as smki:
        smki.registration.execute(RecordTest(participant=participant_id, test=recorded), cli_actor())
    say(f"{participant_id} takes part in test {recorded.name}.")


@participant.command(name="change-test")
@click.argument("participant_id", type=PARTY, metavar="PARTY")
@click.argument("test")
@click.option("--purpose", type=PURPOSE, help=_PURPOSES)
@click.option("--add-role", "add_roles", type=REMOTE_PARTY_ROLES, multiple=True, help="Remote Party Role to add.")
@click.option("--remove-role", "remove_roles", type=REMOTE_PARTY_ROLES, multiple=True, help="Role to remove.")
@click.option("--add-device-type", "add_device_types", type=DEVICE_TYPES, multiple=True, help="Type of Device to add.")
@click.option(
    "--remove-device-type", "remove_device_types", type=DEVICE_TYPES, multiple=True, help="Type of Device to remove."
)
@click.option("--add-eui", "add_identifiers", type=IDENTIFIERS, multiple=True, help="Entity Identifier to add.")
@click.option("--remove-eui", "remove_identifiers", type=IDENTIFIERS, multiple=True, help="One to remove.")
@click.option("--on-behalf-of", metavar="NAME", help=f"{_BEHALF} '' for itself.")
@quota_option
@no_quota_option
@home_option
def change_test(
    home: Path,
    participant_id: PartyId,
    test: str,
    purpose: TestPurpose | None,
    on_behalf_of: str | None,
    quota: int | None,
    no_quota: bool,
    **added_and_removed: tuple[frozenset[Any], ...],
) -> None:
    """Change what is recorded of a test. Fields without an option keep their values.

    \b
    smki participant change-test METERS-LTD device-and-user-system-tests --add-role supplier --quota 100
    """
    command = ChangeTest(
        participant=participant_id,
        test=test.strip().lower(),
        purpose=or_unchanged(purpose),
        quota=changed_quota(quota, no_quota),
        on_behalf_of=or_unchanged(on_behalf_of),
        **{name: one_set(values) for name, values in added_and_removed.items()},
    )
    with Smki.open(home) as smki:
        smki.registration.execute(command, cli_actor())
    say(f"Test {command.test} of {participant_id} is changed.")


@participant.command(name="end-test")
@click.argument("participant_id", type=PARTY, metavar="PARTY")
@click.argument("test")
@home_option
def end_test(home: Path, participant_id: PartyId, test: str) -> None:
    """Record that a Party or Testing Participant takes part in a test no longer. Its certificates remain."""
    command = EndTest(participant=participant_id, test=test.strip().lower())
    with Smki.open(home) as smki:
        smki.registration.execute(command, cli_actor())
    say(f"{participant_id} no longer takes part in test {command.test}.")


@participant.command(name="show-mode")
@home_option
def show_mode(home: Path) -> None:
    """Show whether a Party needs a recorded test (strict), or every Party counts as taking part (open)."""
    with Smki.open(home) as smki:
        say(str(participation_mode(smki.ledger)))


@participant.command(name="set-mode")
@click.argument("mode", type=MODE)
@home_option
def set_mode(home: Path, mode: ParticipationMode) -> None:
    """Set whether a Party needs a recorded test (strict), or every Party counts as taking part (open)."""
    with Smki.open(home) as smki:
        smki.registration.execute(ChangeSetting(Setting.PARTICIPANTS, mode.value), cli_actor())
    say(f"Participants: {mode}.")


registrant_commands(participant, "PARTICIPANT", TestingParticipant)
