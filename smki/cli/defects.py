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
"""Default time at which defects made from a seed are to be judged, so that a seed always makes the same files."""

_only_option = click.option(
    "--only",
    metavar="PATTERN",
    help="Only defects whose name or one of whose lint codes matches, for example 'device-key-*' or 'role.*'.",
)


@click.group()
def defects() -> None:
    """Certificates, requests and revocation lists that are wrong in exactly one way each.

    They are for testing Devices, Relying Parties and tools, and are signed by authorities of their own, never with the
    keys of a home.
    """


@defects.command("list")
@_only_option
@json_option
def list_(only: str | None, as_json: bool) -> None:
    """List the defects, with the expected result of the lint, of a Relying Party and of OpenSSL."""
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
    "--at",
    type=MOMENT,
    help="Time (UTC) at which they are to be judged. [default: now; with --seed 2026-07-01T12:00:00Z]",
)
@_only_option
def write(directory: Path, seed: str | None, at: datetime | None, only: str | None) -> None:
    """Write the defects to a directory, with a manifest.json and, in good/, the valid counterparts.

    All files are DER. The revocation lists are valid from an hour before --at: the CRL for 48 hours, the ARL for a year.

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
                seen="no such defect",
                expected="a pattern that matches a name or a lint code",
                remedy="smki defects list shows them.",
            )
        )
    return chosen


def _refuse_occupied(directory: Path) -> None:
    """Refuse a directory that contains other files.

    :raises NotReady: if it does.
    """
    if not directory.exists() or (directory / MANIFEST).exists():
        return
    if not directory.is_dir() or any(directory.iterdir()):
        raise NotReady(
            Problem(
                code="directory.occupied",
                subject=str(directory),
                seen="it contains other files",
                expected="a new or empty directory, or one with defects",
            )
        )
