"""smki tidy"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from smki.bounds import MAX_TRAIL_DAYS
from smki.cli.common import home_option, json_option
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.say import say
from smki.clock import machine_seconds
from smki.home.configuration import Configuration
from smki.home.tidying import tidy as tidy_home


@click.command()
@click.argument(
    "directories", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="[DIR...]"
)
@click.option("--dry-run", is_flag=True, help="Only print what would be removed.")
@click.option(
    "--audit-days",
    type=click.IntRange(min=0),
    default=MAX_TRAIL_DAYS,
    show_default=True,
    help="Number of days of requests to the XML services to keep: those that were written to last.",
)
@home_option
@json_option
def tidy(directories: tuple[Path, ...], dry_run: bool, audit_days: int, home: Path, as_json: bool) -> None:
    """Remove what killed processes left behind, and old records of requests.

    Looks for unfinished files in the home, for unfinished homes beside it, and for directories of smki among the
    system's temporary files. Name the directories of other --out files to look there too. What a running process may
    still use is left alone, and links are not followed.

    Exit status: 0 everything was removed; 1 something could not be removed.
    """
    Configuration.read(home)
    found = tidy_home(home, *directories, now=machine_seconds(), days=audit_days, dry_run=dry_run)
    if as_json:
        values = [
            {"path": str(each.path), "why": each.why} | ({"failure": each.failure} if each.failure else {})
            for each in found
        ]
        click.echo(json.dumps({"removed": not dry_run, "found": values}, indent=2))
    else:
        for each in found:
            did = f"cannot be removed: {each.failure}" if each.failure else "would be removed" if dry_run else "removed"
            say(f"{each.path}: {did} ({each.why})")
        say("nothing to remove" if not found else f"{len(found)} found")
    if any(each.failure for each in found):
        sys.exit(EXIT_NEGATIVE)
