"""smki faults"""

from __future__ import annotations

import json
from datetime import timedelta

import click

from smki.cli.clock import SHIFT
from smki.cli.common import F, json_option
from smki.cli.say import say
from smki.problem import Malformed, Problem
from smki.testing.faults import Fault, FaultKind, RemoteFaults, SetFault


def _repository_options(command: F) -> F:
    for option in (
        click.option(
            "--api-key", envvar="SMKI_API_KEY", default="", help="API key, if the server requires one. [SMKI_API_KEY]"
        ),
        click.option(
            "--repository",
            default="http://127.0.0.1:8083",
            show_default=True,
            metavar="URL",
            help="Base URL of a server started with --faults.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def faults() -> None:
    """Inject faults into a Repository that was started with --faults.

    \b
    smki faults set status --status 500 --path '/services/*' --count 2
    smki faults set stale-list
    smki faults clear
    """


@faults.command(name="set")
@click.argument("kind", type=click.Choice([kind.value for kind in FaultKind]), metavar="KIND")
@_repository_options
@click.option(
    "--path", default="*", show_default=True, help="Pattern of the paths that it affects, for example '/crl/*'."
)
@click.option("--count", type=int, help="Number of requests that it affects. [default: all]")
@click.option("--seconds", type=float, help="Seconds after which it ends. [default: when it is cleared]")
@click.option("--status", type=int, help="status: HTTP status, 400 to 599. [default: 500]")
@click.option("--delay", type=float, help="slow, dripping: seconds that the response takes. [default: 5]")
@click.option("--content-type", help="wrong-content-type: Content-Type to send. [default: text/html]")
@click.option(
    "--shift", type=SHIFT, help="wrong-clock: time by which the clock is ahead, for example 90d or -12h. [default: 1d]"
)
def set_(
    kind: str,
    repository: str,
    api_key: str,
    path: str,
    count: int | None,
    seconds: float | None,
    status: int | None,
    delay: float | None,
    content_type: str | None,
    shift: timedelta | None,
) -> None:
    """Set a fault.

    \b
    stale-list           a list of the right authority whose nextUpdate has passed
    other-authority      the ARL instead of the CRL, or the CRL instead of the ARL
    truncated-body       half of the document in a complete HTTP response
    wrong-content-type   the right body with another Content-Type
    status               an HTTP error status instead of the response
    slow                 the right response after a delay
    dripping             the right response in small pieces
    dropped-connection   the connection is closed in the middle of the body
    wrong-clock          a response as of another time
    """
    shift_seconds = None if shift is None else int(shift.total_seconds())
    fault = Fault(FaultKind(kind), path, count, seconds, status, delay, content_type, shift_seconds)
    _show(RemoteFaults(repository, api_key).set(fault))


@faults.command(name="list")
@_repository_options
@json_option
def list_(repository: str, api_key: str, as_json: bool) -> None:
    """List the faults, with the number of requests that each has affected."""
    for one in RemoteFaults(repository, api_key).all():
        if as_json:
            click.echo(json.dumps(one.as_json()))
        else:
            _show(one)


@faults.command()
@click.argument("number", required=False)
@_repository_options
def clear(number: str | None, repository: str, api_key: str) -> None:
    """Clear one fault by its number, or all of them."""
    if number is not None and not (number.isascii() and number.isdecimal()):
        raise Malformed(
            Problem(
                code="fault.malformed",
                subject="fault",
                seen=f"{number[:32]!r}",
                expected="a number shown by smki faults list",
            )
        )
    RemoteFaults(repository, api_key).clear(None if number is None else int(number))


def _show(one: SetFault) -> None:
    value = one.fault.as_json()
    kind, path = value.pop("kind"), value.pop("path")
    details = ", ".join(f"{name} {given}" for name, given in value.items())
    say(f"{one.id}: {kind} {path}{f', {details}' if details else ''}; struck {one.struck}{', over' * one.is_over}")
