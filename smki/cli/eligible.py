"""smki eligible, smki provisions"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import click

from smki.cli.common import (
    DAY,
    DEVICE_TYPE,
    EUI64,
    ROLE,
    USAGE,
    applicant_options,
    home_option,
    json_option,
    under_test_option,
)
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.say import say
from smki.eligibility import PROVISIONS, Decision, decision_lines, in_force
from smki.home.smki import Smki
from smki.identity import EntityIdentifier
from smki.sec.device import DeviceType, parse_model
from smki.sec.role import KeyUsage, RemotePartyRole

_as_of = click.option("--as-of", type=DAY, help="Date for which to decide. [default: today]")


@click.group()
def eligible() -> None:
    """Decide whether a Party is eligible to subscribe for a certificate, without applying for it.

    Exit status: 0 eligible; 1 not eligible; 2 the question is invalid.
    """


@eligible.command()
@click.option("--eui", type=EUI64, required=True, help="Entity Identifier of the Organisation.")
@click.option("--role", type=ROLE, required=True, help="Remote Party Role.")
@click.option("--usage", type=USAGE, default="ds", show_default=True, help="Key usage: ds or ka.")
@applicant_options
@_as_of
@home_option
@json_option
def organisation(
    home: Path, eui: EntityIdentifier, role: RemotePartyRole, usage: KeyUsage, as_of: date | None, as_json: bool,
    applicant: str, officer: str, on_behalf_of: str,
) -> None:  # fmt: skip
    """Decide on an Organisation Certificate.

    \b
    smki eligible organisation --eui 90-B3-D5-1F-30-01-00-00 --role supplier
    """
    with Smki.open(home) as smki:
        answer = smki.inquiry.organisation(
            eui, role, usage, applicant=applicant, officer=officer, on_behalf_of=on_behalf_of, as_of=as_of
        )
    _say(answer, as_json)


@eligible.command()
@click.option("--eui", type=EUI64, required=True, help="Device ID.")
@click.option("--type", "device_type", type=DEVICE_TYPE, help="Device type, if the Device is not in the inventory.")
@click.option("--model", default="", help="For such a Device, its product identifier on the Certified Products List.")
@under_test_option
@applicant_options
@_as_of
@home_option
@json_option
def device(
    home: Path, eui: EntityIdentifier, device_type: DeviceType | None, model: str, under_test: bool, as_of: date | None,
    as_json: bool, applicant: str, officer: str, on_behalf_of: str,
) -> None:  # fmt: skip
    """Decide on a Device Certificate.

    \b
    smki eligible device --eui 00-DB-12-34-56-78-90-A0 --applicant OTHER-USER
    """
    with Smki.open(home) as smki:
        answer = smki.inquiry.device(
            eui, device_type, applicant=applicant, officer=officer, on_behalf_of=on_behalf_of, as_of=as_of,
            model=parse_model(model) if model else "", under_test=under_test,
        )  # fmt: skip
    _say(answer, as_json)


def _say(decision: Decision, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(decision.as_json(), indent=2))
    else:
        say(*decision_lines(decision))
    sys.exit(0 if decision.eligible else EXIT_NEGATIVE)


@click.command()
@click.option("--as-of", type=DAY, help="Only provisions in force on this date.")
@json_option
def provisions(as_of: date | None, as_json: bool) -> None:
    """Show the provisions of the Smart Energy Code that decide eligibility."""
    shown = [provision for provision in PROVISIONS.values() if as_of is None or in_force(provision, as_of)]
    if as_json:
        rows = [
            {
                "key": provision.key,
                "clause": provision.clause,
                "title": provision.title,
                "text": provision.text,
                "basis": provision.basis.value,
                "inForceFrom": provision.in_force_from.isoformat(),
            }
            for provision in shown
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for provision in shown:
        say(
            f"{provision.clause}  {provision.title} (from {provision.in_force_from}, {provision.basis.value})",
            f"  {provision.text}",
        )
