"""A rule about the tables of the SQLite ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from smki.problem import Problem

REMEDY = "Restore the home from a copy; smki audit events shows what was done."


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that always holds."""

    code: str
    expected: str
    sql: str
    """A query for the rows that break it: the subject, and what was seen."""
    remedy: str = REMEDY

    def broken(self, connection: sqlite3.Connection) -> Iterator[Problem]:
        """Return a problem for everything that breaks it."""
        try:
            for subject, seen in connection.execute(self.sql):
                yield Problem(
                    code=self.code, subject=str(subject), seen=str(seen), expected=self.expected, remedy=self.remedy
                )
        except sqlite3.Error as error:  # a value that the query cannot read, for instance no JSON where some should be
            yield Problem(code=self.code, subject="ledger", seen=str(error), expected=self.expected, remedy=self.remedy)
