"""smki extract"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from smki.cli.common import home_option, json_option
from smki.cli.main import EXIT_NEGATIVE
from smki.cli.progress import progress_bar
from smki.cli.say import count_of, say, say_problems
from smki.clock import iso
from smki.home.smki import Smki
from smki.interchange import extracts
from smki.interchange.extracts import Extract, ExtractType, read_extract
from smki.problem import Problem


@click.group()
def extract() -> None:
    """Make and use extracts: files with every certificate (full), or with what has changed (delta).

    Extracts and their manifests are in the directory extracts of the home, and over HTTP below /extracts/.
    """


@extract.command()
@home_option
@json_option
def full(home: Path, as_json: bool) -> None:
    """Make a full extract, or resume an interrupted one."""
    with Smki.open(home) as smki, progress_bar("full extract") as report:
        made = smki.extracts.full(report)
    _print([made], as_json)


@extract.command()
@home_option
@json_option
def delta(home: Path, as_json: bool) -> None:
    """Make a delta: certificates issued, or with a changed status, since the latest extract."""
    with Smki.open(home) as smki, progress_bar("delta") as report:
        made = smki.extracts.delta(report)
    _print([made], as_json)


@extract.command(name="list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List the extracts, oldest first; --json prints one manifest per line."""
    with Smki.open(home) as smki:
        found = smki.extracts.all()
    if as_json:
        for each in found:
            click.echo(json.dumps(each.as_json()))
        return
    say(_ROW.format("EXTRACT", "CERTIFICATES", "BYTES", "SHA-256"))
    for each in found:
        contents = each.contents
        say(_ROW.format(each.name, contents.certificates, contents.size, contents.sha256))


_ROW = "{:<33}  {:>12}  {:>13}  {}"


@extract.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FULL DELTA...]")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="New full extract.")
@home_option
@json_option
def apply(files: tuple[Path, ...], out: Path, home: Path, as_json: bool) -> None:
    """Apply deltas to a full extract, and write the result as a new full extract.

    FULL and DELTA are extract files with their manifests in the same directory; by default, the latest ones of the
    home. The manifest of the new extract is written next to it.

    \b
    smki extract apply 000001-full-….jsonl 000002-delta-….jsonl --out today.jsonl
    """
    if out == Path("-"):
        raise click.UsageError("--out: name a file; an extract cannot be written to standard output.")
    made = extracts.apply(_chain(files, home), out)
    _print([made], as_json)


@extract.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FULL DELTA...]")
@home_option
@json_option
def verify(files: tuple[Path, ...], home: Path, as_json: bool) -> None:
    """Check extracts against their manifests, and that each delta follows the extract before it.

    By default all extracts of the home are checked.

    Exit status: 0 no problems; 1 problems were found.
    """
    if files:
        chains = [_chain(files, home)]
    else:
        with Smki.open(home) as smki:
            chains = list(_chains(smki.extracts.all()))
    problems = [problem for chain in chains for problem in extracts.verify(chain)]
    if as_json:
        names = [each.name for chain in chains for each in chain]
        click.echo(json.dumps({"extracts": names, "problems": [problem.as_json() for problem in problems]}, indent=2))
    else:
        _print_verdict(problems, sum(map(len, chains)))
    if problems:
        sys.exit(EXIT_NEGATIVE)


def _print_verdict(problems: Sequence[Problem], count: int) -> None:
    say_problems(problems)
    if not problems:
        say(f"{count_of(count, 'extract')}: no problems")


def _chain(files: Sequence[Path], home: Path) -> list[Extract]:
    if files:
        return [read_extract(file) for file in files]
    with Smki.open(home) as smki:
        return smki.extracts.chain()


def _chains(found: Iterable[Extract]) -> Iterable[list[Extract]]:
    """Group extracts into chains of a full extract and the deltas that follow it."""
    chain: list[Extract] = []
    for each in found:
        if each.type is ExtractType.FULL and chain:
            yield chain
            chain = []
        chain.append(each)
    if chain:
        yield chain


def _print(made: Sequence[Extract], as_json: bool) -> None:
    for each in made:
        if as_json:
            click.echo(json.dumps(each.as_json(), indent=2))
            continue
        since = f" since {iso(each.since)}" if each.since else ""
        say(f"{each.path}: {each.type.value} extract at {iso(each.moment)}{since}")
        say(f"  {each.added} added, {each.changed} changed status; {each.contents.size} bytes")
        say(f"  SHA-256 {each.contents.sha256}")
