"""smki eligible, smki provisions"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from smki.cli.common import (
    DAY,
    DEVICE_TYPE,
    EUI64,
    ROLE,
    USAGE,
    Choices,
    applicant_options,
    home_option,
    json_option,
    under_test_option,
)
from smki.cli.device import SMETS, SMI_STATUS
from smki.cli.entitlement_lines import what_lines, who_lines
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.say import say
from smki.eligibility import PROVISIONS, Decision, decision_lines, in_force
from smki.home.smki import Smki
from smki.identity import EntityIdentifier
from smki.registration.who_and_what import Supposing
from smki.sec.device import DeviceType, SmetsVersion, SmiStatus, parse_model
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole

_AUTHORITY = Choices(kind for kind in CertificateKind if kind.is_authority)
_as_of = click.option("--as-of", type=DAY, help="Date for which to decide. [default: today]")
_smets = click.option("--smets", "smets_version", type=SMETS, help="Suppose this SMETS version: 1 or 2.")
_all = click.option("--all", "show_all", is_flag=True, help="Show every name, however many there are.")
F = TypeVar("F", bound=Callable[..., Any])


def _status_options(command: F) -> F:
    returns_to = click.option(
        "--returns-to", type=SMI_STATUS, help="For a suspended Device, the status to which it returns."
    )
    status = click.option("--status", type=SMI_STATUS, help="Suppose this SMI status. [default: that in the inventory]")
    return status(returns_to(_smets(command)))


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
@_status_options
@applicant_options
@_as_of
@home_option
@json_option
def device(
    home: Path, eui: EntityIdentifier, device_type: DeviceType | None, model: str, under_test: bool, as_of: date | None,
    as_json: bool, applicant: str, officer: str, on_behalf_of: str, status: SmiStatus | None, returns_to: SmiStatus | None,
    smets_version: SmetsVersion | None,
) -> None:  # fmt: skip
    """Decide on a Device Certificate.

    \b
    smki eligible device --eui 00-DB-12-34-56-78-90-A0 --applicant OTHER-USER
    """
    supposing = Supposing(status=status, returns_to=returns_to, smets_version=smets_version)
    with Smki.open(home) as smki:
        answer = smki.inquiry.device(
            eui, device_type, applicant=applicant, officer=officer, on_behalf_of=on_behalf_of, as_of=as_of,
            model=parse_model(model) if model else "", under_test=under_test,
            supposing=supposing,
        )  # fmt: skip
    _say(answer, as_json)


@eligible.command()
@click.argument("kind", type=_AUTHORITY)
@applicant_options
@_as_of
@home_option
@json_option
def authority(
    home: Path,
    kind: CertificateKind,
    as_of: date | None,
    as_json: bool,
    applicant: str,
    officer: str,
    on_behalf_of: str,
) -> None:
    """Decide on the certificate of an authority: root-oca, issuing-oca, root-dca or issuing-dca.

    Without --applicant, the question is about the DCC.
    """
    with Smki.open(home) as smki:
        answer = smki.inquiry.authority(
            kind, applicant=applicant, officer=officer, on_behalf_of=on_behalf_of, as_of=as_of
        )
    _say(answer, as_json)


@eligible.command()
@click.option("--role", type=ROLE, help="An Organisation Certificate in this Remote Party Role.")
@click.option("--usage", type=USAGE, help="Key usage of an Organisation Certificate: ds or ka. [default: ds]")
@click.option("--device-type", "--type", type=DEVICE_TYPE, help="A Device Certificate for this type of Device.")
@click.option("--device", type=EUI64, help="A Device Certificate for this Device in the inventory.")
@click.option("--authority", type=_AUTHORITY, help="The certificate of an authority of this kind.")
@_status_options
@_as_of
@_all
@home_option
@json_option
def who(
    home: Path, role: RemotePartyRole | None, usage: KeyUsage | None, device_type: DeviceType | None,
    device: EntityIdentifier | None, authority: CertificateKind | None, status: SmiStatus | None,
    returns_to: SmiStatus | None, smets_version: SmetsVersion | None, as_of: date | None, show_all: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show who in the register may have a certificate, and why the others may not.

    Name the certificate by --role, --device-type or --device, or --authority. A Device of a type is pending unless --status
    says otherwise. Exit status: 0 somebody may; 1 nobody may; 2 the question is invalid.

    \b
    smki eligible who --role supplier
    smki eligible who --device-type ESME --status commissioned
    """
    with Smki.open(home) as smki:
        answer = smki.inquiry.who(
            role=role, usage=usage, device_type=device_type, device=device, authority=authority, as_of=as_of,
            supposing=Supposing(status=status, returns_to=returns_to, smets_version=smets_version),
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(answer.as_json(), indent=2))
    else:
        say(*who_lines(answer, show_all=show_all))
    sys.exit(0 if answer.eligible else EXIT_NEGATIVE)


@eligible.command()
@click.argument("party")
@click.option("--on-behalf-of", default="", metavar="PARTY", help="The User on whose behalf a Shared Resource applies.")
@_smets
@_as_of
@home_option
@json_option
def what(
    home: Path, party: str, on_behalf_of: str, smets_version: SmetsVersion | None, as_of: date | None, as_json: bool
) -> None:
    """Show which certificates a Party or Testing Participant may have, and why it may not have the others.

    Exit status: 0 it may have some; 1 none; 2 the question is invalid.

    \b
    smki eligible what LARGE-SUPPLIER
    """
    with Smki.open(home) as smki:
        version = smets_version or SmetsVersion.SMETS2
        answer = smki.inquiry.what(party, on_behalf_of=on_behalf_of, smets_version=version, as_of=as_of)
    if as_json:
        click.echo(json.dumps(answer.as_json(), indent=2))
    else:
        say(*what_lines(answer))
    sys.exit(0 if answer.eligible else EXIT_NEGATIVE)


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
    """Show the provisions that decide eligibility, each with its clause and basis.

    The basis is the source: seed (the Government's consultation on Stage 4 of the Smart Energy Code), code, appendix,
    profile (the certificate profiles), or assumption, for which no clause is cited.
    """
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
            f"{provision.cited}  {provision.title} (from {provision.in_force_from})",
            f"  {provision.text}",
        )
