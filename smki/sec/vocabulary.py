"""Parses the Code's terms as people type them: in any case, with spaces, hyphens or underscores."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import TypeVar

from smki.problem import Malformed, Problem

E = TypeVar("E", bound=enum.Enum)
T = TypeVar("T")


def plain(text: str) -> str:
    """Return the text in lower case with single spaces: ``Import-Supplier`` becomes ``import supplier``."""
    return " ".join(text.replace("-", " ").replace("_", " ").lower().split())


def parse_word(terms: type[E], text: str, code: str, subject: str, clause: str = "") -> E:
    """Parse a term, by its value (the Code's own wording) or by its name.

    :param terms: an enumeration whose values are the terms.
    :raises Malformed: with that code, for anything else; the error lists every term.
    """
    wanted = plain(text)
    for term in terms:
        if wanted in (plain(str(term.value)), plain(term.name)):
            return term
    accepted = ", ".join(hyphenated(term) for term in terms)
    raise Malformed(
        Problem(
            code=code,
            subject=subject,
            seen=f"{text[:64]!r}",
            expected=f"one of the Code's terms for a {subject}",
            clause=clause,
            remedy=f"Use one of: {accepted}.",
        )
    )


def hyphenated(term: enum.Enum) -> str:
    """Return the term as one word for the command line: ``import-supplier``."""
    return plain(str(term.value)).replace(" ", "-")


def parse_list(text: str, parse: Callable[[str], T]) -> list[T]:
    """Parse a comma-separated list; an empty text is an empty list.

    :raises Malformed: whatever *parse* raises, also for an empty item.
    """
    return [parse(part.strip()) for part in text.split(",")] if text.strip() else []


def listed(words: Iterable[str], last: str = "and") -> str:
    """Join items: ``a``, ``a and b``, ``a, b and c``."""
    words = list(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)
