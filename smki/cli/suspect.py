"""smki suspect"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from smki.cli.common import SERIAL, home_option, json_option
from smki.cli.say import say
from smki.clock import RealClock, iso
from smki.identity import SerialNumber
from smki.problem import NotFound, Problem
from smki.relying_party.suspicion import SUSPICIONS_FILE, Suspicions, exclusively, suspicion_of

file_option = click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path),
    help=f"File with the suspicions. [default: {SUSPICIONS_FILE} in the home]",
)


def suspicions_file(file: Path | None, home: Path) -> Path:
    """Return the file named by the options.

    :raises NotFound: if its directory does not exist.
    """
    path = file or home / SUSPICIONS_FILE
    if not path.parent.is_dir():
        remedy = "Name a file with --file, or a home with --home."
        raise NotFound(
            Problem(
                code="file.missing",
                subject=str(path.parent),
                seen="no such directory",
                expected="an existing directory",
                remedy=remedy,
            )
        )
    return path


@click.group()
def suspect() -> None:
    """Certificates that you suspect to be compromised: smki verify trusts none of them (SEC L12)."""


@suspect.command()
@click.argument("serial", type=SERIAL)
@click.option("--because", required=True, help="Reason for the suspicion.")
@file_option
@home_option
@json_option
def add(serial: SerialNumber, because: str, file: Path | None, home: Path, as_json: bool) -> None:
    """Record that a certificate is suspected to be compromised. If it is an authority's, nothing below it is trusted."""
    path = suspicions_file(file, home)
    suspicion = suspicion_of(serial, because, RealClock().now())
    with exclusively(path):
        Suspicions.read(path).adding(suspicion).write(path)
    _say(suspicion.as_json(), f"suspected: {serial}: {suspicion.because}", as_json)


@suspect.command("list")
@file_option
@home_option
@json_option
def list_(file: Path | None, home: Path, as_json: bool) -> None:
    """List the suspected certificates."""
    suspicions = Suspicions.read(suspicions_file(file, home))
    if as_json:
        click.echo(json.dumps([suspicion.as_json() for suspicion in suspicions], indent=2))
        return
    for suspicion in suspicions:
        say(f"{suspicion.serial_number}  {iso(suspicion.since)}  {suspicion.because}")


@suspect.command()
@click.argument("serial", type=SERIAL)
@file_option
@home_option
@json_option
def clear(serial: SerialNumber, file: Path | None, home: Path, as_json: bool) -> None:
    """Clear the suspicion of a certificate."""
    path = suspicions_file(file, home)
    with exclusively(path):
        Suspicions.read(path).clearing(serial).write(path)
    _say({"serialNumber": serial.hex, "suspected": False}, f"no longer suspected: {serial}", as_json)


def _say(value: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(value, indent=2))
    else:
        say(text)
