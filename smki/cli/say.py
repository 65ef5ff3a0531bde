"""Output for people. This module imports little, because the command line always needs it."""

from __future__ import annotations

from collections.abc import Iterable

import click

from smki.problem import Problem, problem_lines
from smki.text import visible


def say(*lines: str, err: bool = False) -> None:
    """Write lines of text. Commands write everything except JSON with this function.

    Unprintable characters are escaped (:func:`~smki.text.visible`), so that text from a certificate can neither look
    like another line of output nor control the terminal.
    """
    click.echo("\n".join(map(visible, lines)), err=err)


def count_of(number: int, noun: str) -> str:
    """Return a number of things in words: ``1 problem``, ``2 problems``.

    :param noun: in the singular; its plural ends in s.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def say_problems(problems: Iterable[Problem], prefix: str = "", *, err: bool = False) -> None:
    """Write problems, each with its remedy on a separate line."""
    for problem in problems:
        first, *others = problem_lines(problem)
        say(f"{prefix}{first}", *others, err=err)
