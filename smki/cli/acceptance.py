"""smki accept, smki reject"""

from __future__ import annotations

import json
from pathlib import Path

import click

from smki.cli.common import SERIAL, home_option, json_option, say, say_problems
from smki.home.smki import Smki
from smki.identity import SerialNumber
from smki.registration.acceptance import accept as accept_certificate
from smki.registration.acceptance import reject as reject_certificate


@click.command()
@click.argument("serial", type=SERIAL)
@home_option
def accept(serial: SerialNumber, home: Path) -> None:
    """Accept an Organisation Certificate that is pending."""
    with Smki.open(home) as smki:
        record = accept_certificate(smki.ledger, serial, smki.clock.now())
    say(f"{record.kind.title} {serial} is {record.stored_status.label}.")


@click.command()
@click.argument("serial", type=SERIAL)
@click.option("--because", required=True, help="The reason, for the record.")
@home_option
@json_option
def reject(serial: SerialNumber, because: str, home: Path, as_json: bool) -> None:
    """Reject a certificate, and say where it differs from its request.

    An Organisation Certificate is not in use from then on; the rejection of a Device Certificate is recorded
    and investigated (SEC L11.5 to L11.7).
    """
    with Smki.open(home) as smki:
        rejection = reject_certificate(smki.ledger, serial, because, smki.clock.now())
        status = rejection.record.status_at(smki.clock.now())
    if as_json:
        differences = [problem.as_json() for problem in rejection.differences]
        click.echo(
            json.dumps({"serialNumber": serial.hex, "status": status.value, "differences": differences}, indent=2)
        )
        return
    say_problems(rejection.differences)
    if not rejection.differences:
        say("The certificate says in everything what the request asked for.")
    say(f"{rejection.record.kind.title} {serial} is {status.label}; its rejection is in the record.")
