"""Verdicts as text, coloured if the terminal supports it, and as JUnit reports."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import click
from lxml import etree
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from smki.clock import iso
from smki.problem import Problem, problem_text
from smki.relying_party.verdict import Outcome, Verdict
from smki.text import visible

T = TypeVar("T")

_STYLES = {
    Outcome.HELD: "green",
    Outcome.NOT_HELD: "bold red",
    Outcome.NOT_REACHED: "yellow",
    Outcome.NOT_APPLICABLE: "dim",
    Outcome.LEFT_OUT: "dim",
}
_MANY = 50
"""Minimum number of certificates for which a progress bar is shown."""
_PLAIN_WIDTH = 200


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """A verdict, with the name of the file that the certificate is from."""

    name: str
    verdict: Verdict


def progress(items: Sequence[T]) -> Iterator[T]:
    """Yield the items, with a progress bar on standard error if that is a terminal and there are many items."""
    if len(items) < _MANY or not sys.stderr.isatty():
        yield from items
        return
    yield from track(items, description="Judging", console=Console(stderr=True), transient=True)


def print_checks(judged: FileVerdict) -> None:
    """Print every check of a verdict as a table."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold" if console.is_terminal else "")
    for title in ("step", "check", "outcome", "certificate or list", "seen", "clause"):
        table.add_column(title, overflow="fold", no_wrap=title in ("step", "outcome"))
    for check in judged.verdict.checks:
        seen = check.seen if check.outcome is not Outcome.NOT_HELD or not check.expected else (
            f"{check.seen}; expected {check.expected}"
        )  # fmt: skip
        table.add_row(
            check.requirement.step,
            check.requirement.title,
            Text(check.outcome.value, style=_STYLES[check.outcome]),
            # As Text, because text from a certificate must not be interpreted as markup.
            Text(visible(check.certificate)),
            Text(visible(seen)),
            check.requirement.clause,
        )
    console.print(table)


def one_line(judged: FileVerdict) -> str:
    """Return the verdict on a certificate, with the deciding reason."""
    verdict = judged.verdict
    what = f"{judged.name}: {verdict.label} at {iso(verdict.moment)}"
    if verdict.purpose:
        what += f" for {verdict.purpose}"
    if verdict.entity is not None:
        what += f" of {verdict.entity}"
    if verdict.trusted:
        return f"{visible(what)}: {click.style('trusted', fg='green', bold=True)}"
    reason = verdict.reason
    text = problem_text(reason) if reason is not None else "not every check was made"
    return f"{visible(what)}: {click.style('not trusted', fg='red', bold=True)}\n  {text}"


def junit(verdicts: Sequence[FileVerdict], problems: Sequence[Problem]) -> bytes:
    """Return a JUnit report with a test case for each certificate, and an error for each file that could not be read."""
    failures = sum(not one.verdict.trusted for one in verdicts)
    counts = {"tests": len(verdicts) + len(problems), "failures": failures, "errors": len(problems)}
    suite = etree.Element("testsuite", {"name": "smki verify", **{key: str(value) for key, value in counts.items()}})
    for one in verdicts:
        case = etree.SubElement(suite, "testcase", {"classname": _clean(one.name), "name": _clean(one.verdict.label)})
        reason = one.verdict.reason
        if not one.verdict.trusted:
            text = problem_text(reason) if reason is not None else "not every check was made"
            code = reason.code if reason is not None else "not-trusted"
            etree.SubElement(case, "failure", {"type": code, "message": text.splitlines()[0]}).text = text
    for problem in problems:
        case = etree.SubElement(suite, "testcase", {"classname": _clean(problem.subject), "name": "reading it"})
        etree.SubElement(case, "error", {"type": problem.code, "message": _clean(problem.seen)})
    root = etree.Element("testsuites")
    root.append(suite)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _clean(text: str) -> str:
    """Escape characters that XML does not allow."""
    return visible(text)
