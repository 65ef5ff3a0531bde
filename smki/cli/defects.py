"""smki defects list, smki defects write"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import click

from smki.cli.common import MOMENT, json_option
from smki.cli.say import say
from smki.clock import RealClock
from smki.problem import NotFound, NotReady, Problem
from smki.testing.defects import DEFECTS, Defect, SamplePki
from smki.testing.defects.write import MANIFEST, manifest_row, write_defects

SEEDED_MOMENT = datetime(2026, 7, 1, 12, tzinfo=UTC)
"""Default moment at which defects made from a seed are to be judged, so that a seed always makes the same files."""

_only_option = click.option(
    "--only", metavar="PATTERN", help="Only those whose name or one of whose lint codes matches: 'device-key-*', role.*"
)


@click.group()
def defects() -> None:
    """Certificates, requests and revocation lists that are wrong in exactly one way each.

    For testing Devices, Relying Parties and tools. They have authorities and keys of their own: no key of an SMKI
    home signs a defect.
    """


@defects.command("list")
@_only_option
@json_option
def list_(only: str | None, as_json: bool) -> None:
    """List the defects: what is wrong, what the lint finds, what a Relying Party decides, whether OpenSSL sees it."""
    chosen = _chosen(only)
    if as_json:
        pki = SamplePki(SEEDED_MOMENT, "")
        click.echo(json.dumps([manifest_row(defect, pki) for defect in chosen], indent=2))
        return
    for defect in chosen:
        say(f"{defect.name}: {defect.wrong} ({defect.clause})")
        say(
            f"    lint {', '.join(defect.codes) or 'nothing'}; verdict {defect.verdict.code}; OpenSSL {defect.openssl.value}"
        )


@defects.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--seed", help="Make keys, serial numbers and signatures reproducible, byte for byte.")
@click.option(
    "--at", type=MOMENT, help="When they are to be judged, UTC. [default: now; with --seed 2026-07-01T12:00:00Z]"
)
@_only_option
def write(directory: Path, seed: str | None, at: datetime | None, only: str | None) -> None:
    """Write the defects into a directory, the valid certificates they are made from into good/, and manifest.json.

    All files are DER. The revocation lists are current for 48 hours and a year from an hour before --at.

    \b
    smki defects write defects --seed demo
    smki lint defects/device-key-usage-missing.der --issuer defects/good/issuing-dca.der
    """
    chosen = _chosen(only)
    moment = at or (SEEDED_MOMENT if seed is not None else RealClock().now())
    _refuse_occupied(directory)
    count = write_defects(directory, SamplePki(moment, seed), chosen)
    say(f"{count} defects and {MANIFEST} are in {directory}, their valid counterparts in {directory / 'good'}.")


def _chosen(pattern: str | None) -> list[Defect]:
    chosen = [
        defect
        for defect in DEFECTS
        if pattern is None or any(fnmatchcase(text, pattern) for text in (defect.name, *defect.codes))
    ]
    if not chosen:
        raise NotFound(
            Problem(
                code="defect.unknown",
                subject=f"--only {pattern}",
                seen="no defect like that",
                expected="a name",
                remedy="smki defects list",
            )
        )
    return chosen


def _refuse_occupied(directory: Path) -> None:
    """Refuse a directory with other files, so that those of this run are not mixed with them."""
    if not directory.exists() or (directory / MANIFEST).exists():
        return
    if not directory.is_dir() or any(directory.iterdir()):
        raise NotReady(
            Problem(
                code="directory.occupied",
                subject=str(directory),
                seen="there are other files in it",
                expected="no such directory yet, an empty one, or one with defects",
            )
        )
