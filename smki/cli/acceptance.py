"""smki accept, smki reject"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NoReturn

import click

from smki.cli.common import (
    SERIAL,
    checking_options,
    cli_actor,
    home_option,
    json_option,
    list_deadline,
    list_deadline_text,
    officer_options,
)
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.say import say, say_problems
from smki.clock import iso
from smki.home.smki import Smki
from smki.identity import PartyId, SerialNumber
from smki.registration.acceptance import Accept, Reject
from smki.registration.actor import Actor
from smki.registration.comparison import compare
from smki.sec.role import CertificateStatus


@click.command()
@click.argument("serial", type=SERIAL)
@click.option(
    "--check", is_flag=True, help="Only compare the certificate with its request, field by field; nothing is accepted."
)
@checking_options
@home_option
@json_option
def accept(serial: SerialNumber, check: bool, party: PartyId | None, officer: str, home: Path, as_json: bool) -> None:
    """Accept a pending Organisation Certificate.

    Before that, what was submitted is checked against the certificate (SEC L11): --check shows both. It needs no --party,
    and its exit status is 1 if they differ.
    """
    if check:
        _check(serial, cli_actor(party, officer), home, as_json)
    if as_json:
        raise click.UsageError("--json is for --check.")
    if party is None:
        raise click.UsageError("Missing option '--party'.")
    with Smki.open(home) as smki:
        record = smki.registration.execute(Accept(serial), cli_actor(party, officer))
    say(f"{record.kind.title} {serial} is {record.stored_status.label}.")


def _check(serial: SerialNumber, actor: Actor, home: Path, as_json: bool) -> NoReturn:
    with Smki.open(home) as smki:
        compared = compare(smki.ledger, serial, actor)
        status = compared.record.status_at(smki.clock.now())
    if as_json:
        click.echo(json.dumps({**compared.as_json(), "status": status.value}, indent=2))
    else:
        for field in compared.fields:
            say(f"{'same' if field.agrees else 'DIFFERS':<9}{field.name:<18}{field.certified or '(none)'}")
            if not field.agrees:
                say(f"{'':<9}{'requested':<18}{field.requested or '(none)'}")
        deemed = compared.record.deemed_accepted
        until = f"; deemed accepted at {iso(deemed)}" if deemed and status is CertificateStatus.PENDING else ""
        answer = "agrees with" if compared.agrees else "differs from"
        say(f"{compared.record.kind.title} {serial} {answer} its request; it is {status.label}{until}.")
    sys.exit(0 if compared.agrees else EXIT_NEGATIVE)


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
