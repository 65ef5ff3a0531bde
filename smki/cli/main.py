"""The `smki` command: its subcommands, imported only when one is called, and its one boundary for errors."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from smki.cli.say import say, say_problems
from smki.problem import Problem, SmkiError

EXIT_NEGATIVE = 1
"""The question was answered with no: a lint found errors, a certificate is not trusted."""
EXIT_REFUSED = 2
"""Bad input, or an application that was refused."""

# name: (module, attribute, short help)
_COMMANDS = {
    "init": ("smki.cli.init", "init", "Make an SMKI: authorities, and the DCC's own certificates."),
    "demo": ("smki.cli.demo", "demo", "Whole sets of certificates to begin with."),
    "issue": ("smki.cli.issue", "issue", "Apply for a Device or an Organisation Certificate."),
    "show": ("smki.cli.show", "show", "Show a certificate from a file or from the ledger."),
    "list": ("smki.cli.listing", "list_", "List what was issued."),
    "search": ("smki.cli.listing", "search", "Search for a certificate by whatever is at hand."),
    "accept": ("smki.cli.acceptance", "accept", "Accept an Organisation Certificate that is pending."),
    "reject": ("smki.cli.acceptance", "reject", "Reject a certificate."),
    "revoke": ("smki.cli.revocation", "revoke", "Revoke an Organisation or an OCA Certificate."),
    "crl": ("smki.cli.revocation", "crl", "The Organisation CRL: publish, show, list, verify."),
    "arl": ("smki.cli.revocation", "arl", "The Organisation ARL: publish, show, list, verify."),
    "authority": ("smki.cli.authority", "authority", "The certification authorities: list, add, renew, revoke."),
    "clock": ("smki.cli.clock", "clock", "What time it is in a home."),
    "party": ("smki.cli.party", "party", "Parties to the Code: add, list, show, suspend, …"),
    "participant": ("smki.cli.participant", "participant", "Testing Participants that are no Parties."),
    "device": ("smki.cli.device", "device", "Devices in the Smart Metering Inventory."),
    "eligible": ("smki.cli.eligible", "eligible", "Ask who may subscribe for what, without applying."),
    "provisions": ("smki.cli.eligible", "provisions", "Show the rules by which eligibility is decided."),
    "applications": ("smki.cli.applications", "applications", "The record of applications, refused ones too."),
    "audit": ("smki.cli.audit", "audit", "What was asked of the Repository, and done with a certificate."),
    "export": ("smki.cli.export", "export", "Write certificates into a file, an archive or a folder."),
    "import": ("smki.cli.import_", "import_", "Take in certificates that were issued elsewhere."),
    "extract": ("smki.cli.extract", "extract", "Full extracts and deltas: make, apply, verify."),
    "lint": ("smki.cli.lint", "lint", "Say what is wrong with certificates, requests and revocation lists."),
    "verify": ("smki.cli.verify", "verify", "Say whether a certificate may be relied on, and why."),
    "suspect": ("smki.cli.suspect", "suspect", "Certificates suspected to be compromised: add, list, clear."),
    "vectors": ("smki.cli.vectors", "vectors", "Conformance vectors, for testing a Relying Party."),
    "profile": ("smki.cli.profile", "profile", "Show what each kind of certificate must hold."),
    "defects": ("smki.cli.defects", "defects", "Write certificates that are wrong in exactly one way."),
    "faults": ("smki.cli.faults", "faults", "Have a Repository misbehave, for tests: set, list, clear."),
    "check": ("smki.cli.check", "check", "Check that the ledger is whole and true."),
    "apikey": ("smki.cli.credentials", "apikey", "API keys with which systems read the Repository."),
    "officer": ("smki.cli.credentials", "officer", "Tokens with which officers act in the Repository."),
    "serve": ("smki.cli.serve", "serve", "Serve the SMKI Repository over HTTP."),
}


class LazyGroup(click.Group):
    """A group that imports the module of a subcommand when that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The subcommands, in the order in which one needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a subcommand."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; whoever reads its output may stop when they have seen enough."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Before click sees it, which would make it a failure; and keep Python from complaining when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="smki", prog_name="smki")
def cli() -> None:
    """An SMKI certificate authority and repository for tests.

    Issues Organisation and Device Certificates to the GB Companion Specification, all of them Test
    Certificates, and publishes them in a repository. One SMKI lives in one directory: --home DIR on
    every command, or SMKI_HOME, or ./pki.

    Exit status: 0 done; 1 the answer is no; 2 bad input or refused.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    with _boundary(as_json="--json" in words):
        result = cli.main(words, prog_name="smki", standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)


@contextmanager
def _boundary(*, as_json: bool) -> Iterator[None]:
    """Turns every error that is somebody's to mend into a message and an exit status."""
    try:
        yield
        sys.stdout.flush()
    except SmkiError as error:
        _fail(error.problems, as_json)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _say_misuse(error)
        sys.exit(error.exit_code)
    except OSError as error:
        name = str(error.filename) if error.filename else "file"
        remedy = "Name one that is there, and that this user may read or write."
        _fail([Problem(code="file.unusable", subject=name, seen=error.strerror or str(error), remedy=remedy)], as_json)
    except KeyboardInterrupt:
        sys.exit(130)


def _say_misuse(error: click.ClickException) -> None:
    """Say what was typed wrongly, as click does; what was typed, the name of a file perhaps, is escaped."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        say(*context.get_usage().splitlines(), err=True)
        if context.help_option_names:
            say(f"Try '{context.command_path} {context.help_option_names[0]}' for help.", "", err=True)
    say(f"Error: {error.format_message()}", err=True)


def _fail(problems: Sequence[Problem], as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"problems": [problem.as_json() for problem in problems]}, indent=2))
    say_problems(problems, "smki: ", err=True)
    sys.exit(EXIT_REFUSED)
