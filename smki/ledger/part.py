"""What the parts of a ledger have in common: they read and write its tables, and know nothing of connections."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

Read = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]
"""Runs a query and returns its rows."""

Write = Callable[[Callable[[sqlite3.Connection], Any]], Any]
"""Runs a function in one durable transaction and returns what it does."""


class LedgerPart:
    """A part of a ledger that is read and written."""

    def __init__(self, read: Read, write: Write) -> None:
        self._read = read
        self._write = write
