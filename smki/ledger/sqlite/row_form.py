"""Checks rows as they are read: SQLite stores a value of any type in any column, if somebody changes one by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

from smki.ledger.damage import UNREADABLE, damaged_row
from smki.problem import IntegrityError

T = TypeVar("T")
Row = tuple[Any, ...]

_TYPES: dict[str, tuple[type, ...]] = {"i": (int,), "t": (str,), "b": (bytes,)}
_NAMES = {"i": "a number", "t": "text", "b": "bytes"}
_FOUND = {int: "a number", float: "a fraction", str: "text", bytes: "bytes", type(None): "nothing"}


def row_of(table: str, form: str) -> Callable[[Callable[[Row], T]], Callable[[Row], T]]:
    """Make a conversion of rows raise IntegrityError, naming the row, for one that smki did not write.

    :param table: the name of the table in the error.
    :param form: one character for each column: ``i`` a number, ``t`` text, ``b`` bytes; in upper case if it can be NULL.
        The first column identifies the row in the error.
    """
    allowed = [(*_TYPES[kind.lower()], *((type(None),) if kind.isupper() else ())) for kind in form]

    # By the types of a row, which are nearly always the same: a million rows are read one after the other.
    @lru_cache(maxsize=64)
    def wrong(types: tuple[type, ...]) -> str:
        for number, (found, kinds) in enumerate(zip(types, allowed, strict=True)):
            if found not in kinds:
                return f"{_FOUND[found]} where {_NAMES[form[number].lower()]} should be (value {number + 1})"
        return ""

    def decorate(convert: Callable[[Row], T]) -> Callable[[Row], T]:
        @wraps(convert)
        def checked(row: Row) -> T:
            if reason := wrong(tuple(map(type, row))):
                raise damaged_row(table, row[0], reason)
            try:
                return convert(row)
            except IntegrityError:
                raise
            except UNREADABLE as error:
                raise damaged_row(table, row[0], error) from None

        return checked

    return decorate


def values_of(table: str, form: str) -> Callable[[Row], Row]:
    """Return a check of rows whose values need no conversion; see :func:`row_of`."""
    return row_of(table, form)(lambda row: row)
