"""What the commands write for people. Imports little, for the command line itself needs it."""

from __future__ import annotations

from collections.abc import Iterable

import click

from smki.problem import Problem, problem_lines
from smki.text import visible


def say(*lines: str, err: bool = False) -> None:
    """Write lines for a person; every command writes whatever is not JSON through here.

    Each is one line whatever is in it: what is not printable is escaped (:func:`~smki.text.visible`), so that no text of
    a certificate can pass for a line of ours, or drive a terminal.
    """
    click.echo("\n".join(map(visible, lines)), err=err)


def say_problems(problems: Iterable[Problem], prefix: str = "", *, err: bool = False) -> None:
    """Write problems, each with its remedy on a line of its own."""
    for problem in problems:
        first, *others = problem_lines(problem)
        say(f"{prefix}{first}", *others, err=err)
