"""The `smki` command: lazily imported subcommands, and error handling for all of them."""

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
from smki.os_errors import remedy_for
from smki.problem import Problem, SmkiError, not_text

EXIT_NEGATIVE = 1
"""Exit status of a negative result: a lint found errors, a certificate is not trusted."""
EXIT_REFUSED = 2
"""Exit status of bad input, or of a refused application."""

# name: (module, attribute, short help)
_COMMANDS = {
    "init": ("smki.cli.init", "init", "Create an SMKI with its authorities and the DCC's certificates."),
    "demo": ("smki.cli.demo", "demo", "Make complete sets of certificates for demonstrations."),
    "issue": ("smki.cli.issue", "issue", "Apply for a Device or an Organisation Certificate."),
    "show": ("smki.cli.show", "show", "Show a certificate from a file or from the ledger."),
    "list": ("smki.cli.listing", "list_", "List certificates."),
    "search": ("smki.cli.listing", "search", "Search for certificates by number, identifier, Party or name."),
    "accept": ("smki.cli.acceptance", "accept", "Accept a pending Organisation Certificate."),
    "reject": ("smki.cli.acceptance", "reject", "Reject a certificate."),
    "revoke": ("smki.cli.revocation", "revoke", "Revoke an Organisation or an OCA Certificate."),
    "crl": ("smki.cli.revocation", "crl", "Publish, show, list and verify the Organisation CRL."),
    "arl": ("smki.cli.revocation", "arl", "Publish, show, list and verify the Organisation ARL."),
    "authority": ("smki.cli.authority", "authority", "List, add, renew and revoke certification authorities."),
    "clock": ("smki.cli.clock", "clock", "Show and set the clock of a home."),
    "party": ("smki.cli.party", "party", "Manage Parties to the Code and their officers."),
    "participant": ("smki.cli.participant", "participant", "Manage Testing Participants and their tests."),
    "device": ("smki.cli.device", "device", "Manage Devices in the Smart Metering Inventory."),
    "cpl": ("smki.cli.products", "cpl", "Manage the Certified Products List."),
    "settings": ("smki.cli.settings", "settings", "Show and change the settings of a home."),
    "eligible": ("smki.cli.eligible", "eligible", "Decide on eligibility without applying."),
    "provisions": ("smki.cli.eligible", "provisions", "Show the provisions that decide eligibility."),
    "applications": (
        "smki.cli.applications",
        "applications",
        "Show the record of applications, including refused ones.",
    ),
    "audit": ("smki.cli.audit", "audit", "Show events; verify, export and prove the record of them."),
    "export": ("smki.cli.export", "export", "Export certificates to a file, an archive or a directory."),
    "import": ("smki.cli.import_", "import_", "Import certificates that were issued elsewhere."),
    "extract": ("smki.cli.extract", "extract", "Make, apply and verify full extracts and deltas."),
    "lint": ("smki.cli.lint", "lint", "Check certificates, requests and revocation lists."),
    "verify": ("smki.cli.verify", "verify", "Decide whether certificates can be relied on."),
    "suspect": ("smki.cli.suspect", "suspect", "Manage certificates suspected to be compromised."),
    "vectors": ("smki.cli.vectors", "vectors", "Write and run conformance vectors for Relying Parties."),
    "profile": ("smki.cli.profile", "profile", "Show the profile of each kind of certificate."),
    "defects": ("smki.cli.defects", "defects", "Write certificates that each have exactly one defect."),
    "faults": ("smki.cli.faults", "faults", "Inject faults into a Repository under test."),
    "check": ("smki.cli.check", "check", "Check the integrity and consistency of the ledger."),
    "tidy": ("smki.cli.tidy", "tidy", "Remove what killed processes left behind, and old records of requests."),
    "backup": ("smki.cli.backup", "backup", "Back up a home to one file, also while it is served."),
    "restore": ("smki.cli.backup", "restore", "Make a home from a backup, without using a number twice."),
    "apikey": ("smki.cli.credentials", "apikey", "Manage API keys for systems that read the Repository."),
    "officer": ("smki.cli.credentials", "officer", "Manage tokens with which officers act over REST."),
    "serve": ("smki.cli.serve", "serve", "Serve the SMKI Repository over HTTP."),
}


class LazyGroup(click.Group):
    """A command group that imports the module of a subcommand when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands in the order of the help text."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a subcommand."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand. It is not an error if the reader of its output closes the pipe early."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Caught before click, which would exit with 1. Redirect the output so that the flush at exit does not fail.
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
    """An SMKI certificate authority and repository for testing.

    Issues Organisation and Device Certificates that conform to the GB Companion Specification, all of them
    Test Certificates, and publishes them in a repository. An SMKI is stored in a directory (its home), which
    is named by --home DIR or SMKI_HOME and is ./pki by default.

    Exit status: 0 success; 1 negative result; 2 bad input or refused.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    with _reported_errors(as_json="--json" in given):
        result = cli.main(given, prog_name="smki", standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)


@contextmanager
def _reported_errors(*, as_json: bool) -> Iterator[None]:
    """Turn every expected error into a message and an exit status."""
    try:
        yield
        sys.stdout.flush()
    except SmkiError as error:
        _fail(error.problems, as_json)
    except UnicodeEncodeError as error:  # an argument that is not UTF-8
        _fail([not_text(error)], as_json)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _print_usage_error(error)
        sys.exit(error.exit_code)
    except OSError as error:
        name = str(error.filename) if error.filename else "output"
        seen = error.strerror or str(error)
        _fail([Problem(code="file.unusable", subject=name, seen=seen, remedy=remedy_for(error))], as_json)
    except KeyboardInterrupt:
        sys.exit(130)


def _print_usage_error(error: click.ClickException) -> None:
    """Print a usage error as click does, but with escaped text, because it can contain a file name."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        say(*context.get_usage().splitlines(), err=True)
        if context.help_option_names:
            say(f"Try '{context.command_path} {context.help_option_names[0]}' for help.", "", err=True)
    message = error.format_message().replace("\n\t", " ")  # click lists choices on lines of their own
    say(f"Error: {message}", err=True)


def _fail(problems: Sequence[Problem], as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"problems": [problem.as_json() for problem in problems]}, indent=2))
    say_problems(problems, "smki: ", err=True)
    sys.exit(EXIT_REFUSED)
