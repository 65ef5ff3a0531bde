"""smki check"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from smki.cli.common import home_option, json_option
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.say import say, say_problems
from smki.home.smki import Smki


@click.command()
@home_option
@json_option
def check(home: Path, as_json: bool) -> None:
    """Check the integrity and consistency of the ledger.

    Checks each certificate against its columns, its profile and its issuer's signature; compares statuses,
    revocations, latest lists, applications, successors, counters and audit events with each other; and has the
    database check its file.

    Exit status: 0 no problems; 1 problems were found.
    """
    with Smki.open(home) as smki:
        result = smki.check()
    if as_json:
        problems = [problem.as_json() for problem in result.problems]
        click.echo(
            json.dumps(
                {"certificates": result.certificates, "unfinished": result.unfinished, "problems": problems}, indent=2
            )
        )
    else:
        say_problems(result.problems)
        say(
            f"{result.certificates} certificates, {result.unfinished} unfinished applications, {len(result.problems)} problems"
        )
    sys.exit(EXIT_NEGATIVE if result.problems else 0)
