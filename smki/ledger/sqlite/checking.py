"""Checks the tables of the SQLite ledger against one another, against its events, and its schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from smki.ledger.sqlite.consistency import RULES
from smki.ledger.sqlite.record_check import fingerprint_problems, record_problems, schema_problems
from smki.problem import Problem


def inconsistencies(connection: sqlite3.Connection) -> list[Problem]:
    """Return everything that breaks a rule, as of one moment."""
    rules = tuple(rule.broken for rule in RULES)
    return _found(connection, schema_problems, *rules, fingerprint_problems)


def unrecorded(connection: sqlite3.Connection) -> list[Problem]:
    """Return every event and row that is not as it was recorded, as of one moment."""
    return _found(connection, record_problems)


def _found(connection: sqlite3.Connection, *checks: Callable[[sqlite3.Connection], Iterator[Problem]]) -> list[Problem]:
    problems: list[Problem] = []
    begins = not connection.in_transaction
    if begins:
        connection.execute("BEGIN")
    try:
        for check in checks:
            try:
                problems += check(connection)
            except sqlite3.Error as error:  # for instance, a table is missing
                seen, expected = str(error), "tables that can be read"
                problems.append(Problem(code="ledger.damaged", subject="ledger", seen=seen, expected=expected))
        return problems
    finally:
        if begins:
            connection.execute("ROLLBACK")
