"""smki vectors"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import click

from smki.cli.common import json_option
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.say import say
from smki.problem import Malformed, NotFound, Problem
from smki.testing.vectors import cases
from smki.testing.vectors.files import write as write_files
from smki.testing.vectors.judge import judge_case
from smki.testing.vectors.run import Score, parse_question
from smki.testing.vectors.run import run as run_cases

SEED = "vectors"
seed_option = click.option(
    "--seed", default=SEED, show_default=True, help="Seed of keys and certificates; the same seed makes the same files."
)


@click.group()
def vectors() -> None:
    """Write and run conformance vectors for testing other Relying Parties."""


@vectors.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@seed_option
@json_option
def write(directory: Path, seed: str, as_json: bool) -> None:
    """Write the vectors to a directory: vectors.json and DER files.

    \b
    smki vectors write conformance/
    """
    count = write_files(directory, cases(seed), seed)
    say(json.dumps({"directory": str(directory), "cases": count}) if as_json else f"{count} cases in {directory}")


@vectors.command()
@click.argument("command")
@seed_option
@click.option("--only", default="", metavar="TEXT", help="Only cases whose name contains this text.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=os.cpu_count() or 1, help="Number of programs to run at a time."
)
@click.option(
    "--timeout", type=click.FloatRange(0.1), default=60.0, show_default=True, help="Maximum time for a case in seconds."
)
@json_option
def run(command: str, seed: str, only: str, jobs: int, timeout: float, as_json: bool) -> None:
    """Run a program against the vectors and score it.

    COMMAND is started for each case. It reads the case (JSON) from standard input, and either prints
    {"trusted": true} or {"trusted": false, "reason": CODE}, or prints nothing and exits with 0 for trusted, 1 for not.

    Exit status: 0 every verdict is right; 1 a verdict is wrong or missing; 2 the command cannot be run.

    \b
    smki vectors run 'smki vectors judge'
    """
    arguments = shlex.split(command)
    chosen = [case for case in cases(seed) if only in case.name]
    if not arguments or not chosen:
        seen = "no command" if not arguments else f"no case with {only!r} in its name"
        raise Malformed(
            Problem(
                code="vectors.nothing",
                subject="smki vectors run",
                seen=seen,
                expected="a command, and cases to run it on",
            )
        )
    if shutil.which(arguments[0]) is None:
        raise NotFound(
            Problem(
                code="vectors.command", subject=arguments[0], seen="no such program", expected="an executable program"
            )
        )
    scores = []
    for score in run_cases(arguments, chosen, timeout=timeout, jobs=jobs):
        scores.append(score)
        if not as_json and not score.is_right:
            say(_text(score))
    right, reasons = sum(score.is_right for score in scores), sum(score.has_right_reason for score in scores)
    if as_json:
        rows = [_as_json(score) for score in scores]
        click.echo(json.dumps({"cases": len(scores), "right": right, "rightReason": reasons, "scores": rows}, indent=2))
    else:
        say(f"{right} of {len(scores)} verdicts right, {reasons} of them with the expected reason")
    sys.exit(0 if right == len(scores) else EXIT_NEGATIVE)


@vectors.command()
def judge() -> None:
    """Judge a case from standard input with smki's own Relying Party, as an example of a program for `vectors run`."""
    verdict = judge_case(parse_question(sys.stdin.buffer.read()))
    click.echo(json.dumps({"trusted": verdict.trusted, "reason": verdict.reason.code if verdict.reason else None}))


def _text(score: Score) -> str:
    said = {True: "trusted", False: "not trusted", None: f"no answer ({score.trouble})"}[score.trusted]
    return f"{score.case.name}: {said}, expected {score.case.expected} ({score.case.clause}): {score.case.about}"


def _as_json(score: Score) -> dict[str, object]:
    return {
        "name": score.case.name,
        "right": score.is_right,
        "trusted": score.trusted,
        "reason": score.reason or None,
        "expected": score.case.expected,
        "clause": score.case.clause,
        "trouble": score.trouble or None,
    }
