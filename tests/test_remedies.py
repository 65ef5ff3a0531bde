"""Every command, option, operation and call that a remedy names exists."""

from __future__ import annotations

import ast
import inspect
import re
from contextlib import closing
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime

import click
import pytest
from smki_repository.app import create_app

import smki.ledger
import smki.registration.demonstration
import smki.sec.device
from smki import Smki
from smki.cli.main import cli
from smki.clock import FixedClock, TravellingClock
from smki.codes import CODES
from smki.eligibility.refusals import REASONS
from smki.registration.command import Command
from smki.relying_party import requirements
from smki.remedies import REMEDIES
from smki.testing.faults import Faults
from tests.support import PROJECT

COMMAND = re.compile(r"\bsmki(?! that)((?: [a-z0-9-]+)+)((?: (?:'[^']*'|\{[a-z]+\}|[A-Za-z0-9…/-]+))*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
OPERATION = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[^\s,;:)]*[^\s,;:).])")
CALL = re.compile(r"\b([A-Z][A-Za-z]+)\(((?:[^()]|\([^()]*\))*)\)")


def literal_remedies() -> set[str]:
    """Texts that are given with a refusal rather than in the catalogue, as far as they are constant."""
    found = set()
    for root in ("smki", "repository"):
        for file in (PROJECT / root).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.keyword) and node.arg == "remedy":
                    parts = node.value.values if isinstance(node.value, ast.JoinedStr) else [node.value]
                    constants = [part.value if isinstance(part, ast.Constant) else "{}" for part in parts]
                    found.add("".join(map(str, constants)))
    return found - {"{}"} - set(REMEDIES)


PLAIN = (
    literal_remedies()
    | {row.remedy for table in (CODES.values(), REASONS.values()) for row in table if row.remedy not in REMEDIES}
    | {text for text in requirements.REMEDIES.values() if text not in REMEDIES}
)
ON_THE_COMMAND_LINE = sorted({remedy.cli for remedy in REMEDIES.values()} | PLAIN - {""})
OVER_REST = sorted({remedy.rest for remedy in REMEDIES.values()} | PLAIN - {""})
IN_PYTHON = sorted({remedy.python for remedy in REMEDIES.values()} - {""})


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and the words that are left: its arguments, or the rest of the sentence."""
    found: click.Command = cli
    while words and (below := subcommands(found).get(words[0])):
        found, words = below, words[1:]
    return found, words


def subcommands(of: click.Command) -> dict[str, click.Command]:
    if not isinstance(of, click.Group):
        return {}
    context = click.Context(of)
    return {name: command for name in of.list_commands(context) if (command := of.get_command(context, name))}


def options_of(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def every_option(command: click.Command) -> set[str]:
    return options_of(command).union(*map(every_option, subcommands(command).values()))


def test_there_are_some_of_each() -> None:
    assert len([text for text in ON_THE_COMMAND_LINE if COMMAND.search(text)]) > 30
    assert len([text for text in OVER_REST if OPERATION.search(text)]) > 25
    assert len([text for text in IN_PYTHON if CALL.search(text)]) > 15


@pytest.mark.parametrize("text", ON_THE_COMMAND_LINE)
def test_the_commands_and_options_exist(text: str) -> None:
    for found in COMMAND.finditer(text):
        words = found[1].split()
        command, left = command_of(words)
        assert command is not cli, f"smki {words[0]} is no command"
        if isinstance(command, click.Group) and left:
            pytest.fail(f"smki {' '.join(words)}: no such command")
        options = OPTION.findall(found[2])
        assert set(options) <= options_of(command), f"smki {' '.join(words)}"
    assert set(OPTION.findall(text)) <= every_option(cli)


def routes() -> set[tuple[str, str]]:
    clock = TravellingClock(FixedClock(datetime(2026, 3, 2, tzinfo=UTC)), by_header=False)
    with Smki.in_memory(clock=clock) as made, closing(Faults()) as faults:
        rules = list(create_app(made, faults=faults).url_map.iter_rules())
    return {(method, re.sub(r"<[^>]*>", "*", rule.rule)) for rule in rules for method in rule.methods or ()}


ROUTES = routes()


@pytest.mark.parametrize("text", OVER_REST)
def test_the_operations_exist(text: str) -> None:
    for method, path in OPERATION.findall(text):
        assert (method, re.sub(r"\{[a-z]+\}|\b[A-Z]{2,}\b", "*", path)) in ROUTES


def named(name: str) -> type:
    """A class of that name, as an engineer would look for it."""
    commands = {each.__name__: each for each in subclasses(Command)}
    for source in (
        commands,
        vars(smki),
        vars(smki.registration),
        vars(smki.ledger),
        vars(smki.sec.device),
        vars(smki.relying_party),
    ):
        if name in source:
            return source[name]
    pytest.fail(f"no class {name}")


def subclasses(of: type) -> set[type]:
    below: list[type] = of.__subclasses__()
    return set(below).union(*map(subclasses, below))


@pytest.mark.parametrize("text", IN_PYTHON)
def test_the_calls_exist(text: str) -> None:
    for name, arguments in CALL.findall(text):
        found = named(name)
        known = (
            {field.name for field in fields(found)} if is_dataclass(found) else set(inspect.signature(found).parameters)
        )
        assert set(re.findall(r"\b([a-z_]+)=", arguments)) <= known, name
