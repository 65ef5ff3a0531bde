"""smki check"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from smki.authority.checkpoints import Checkpoint
from smki.cli.common import home_option, json_option
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.progress import progress_bar
from smki.cli.say import count_of, say, say_problems
from smki.home.smki import Smki
from smki.problem import IntegrityError


@click.command()
@click.option(
    "--since",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="CHECKPOINT",
    help="A checkpoint of this home (smki audit checkpoint). Certificates that are older are not linted again.",
)
@home_option
@json_option
def check(home: Path, since: Path | None, as_json: bool) -> None:
    """Check the integrity and consistency of the ledger.

    Checks each certificate against its columns, its profile and its issuer's signature; compares statuses, revocations,
    latest lists, applications, successors, counters and audit events with each other, and every row with what the events
    recorded; verifies the checkpoints of the record; and has the database check its file. Uses all processors.

    Also watches the certificates that the DCC lodges before anyone else can start (SEC L3.12): one that is missing, expired,
    or revoked and not replaced is a problem.

    Exit status: 0 no problems; 1 problems were found.
    """
    with Smki.open(home) as smki, progress_bar("checking") as report:
        size = 0
        if since is not None:
            kept = Checkpoint.parse(since.read_text(errors="replace"), smki.checkpoints.verifier(), str(since))
            inconsistent = smki.checkpoints.problems([(str(since), kept.note)])
            if inconsistent:
                raise IntegrityError(*inconsistent)
            size = kept.size
        result = smki.check(since=size, report=report)
    if as_json:
        values = {
            "certificates": result.certificates,
            "unfinished": result.unfinished,
            "problems": [problem.as_json() for problem in result.problems],
            "lodged": [problem.as_json() for problem in result.lodged],
        }
        click.echo(json.dumps(values, indent=2))
    else:
        problems = (*result.problems, *result.lodged)
        say_problems(problems)
        counts = (
            (result.certificates, "certificate"),
            (result.unfinished, "unfinished application"),
            (len(problems), "problem"),
        )
        say(", ".join(count_of(*each) for each in counts))
    sys.exit(EXIT_NEGATIVE if result.problems or result.lodged else 0)
