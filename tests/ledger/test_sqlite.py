"""The SQLite ledger, in a file and in memory, does what every ledger does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smki.ledger import Ledger
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.ledger.sqlite.memory import MemoryLedger
from tests.ledger.contract import LedgerContract


class TestSqliteLedger(LedgerContract):
    """In a file, opened twice."""

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        """An empty ledger."""
        ledger = SqliteLedger(tmp_path / "ledger.sqlite", create=True)
        yield ledger
        ledger.close()

    @pytest.fixture
    def other(self, tmp_path: Path, ledger: Ledger) -> Iterator[Ledger]:
        """The same file, opened by somebody else."""
        other = SqliteLedger(tmp_path / "ledger.sqlite")
        yield other
        other.close()


class TestMemoryLedger(LedgerContract):
    """In memory, of one process."""

    @pytest.fixture
    def ledger(self) -> Iterator[Ledger]:
        """An empty ledger."""
        ledger = MemoryLedger()
        yield ledger
        ledger.close()

    @pytest.fixture
    def other(self, ledger: Ledger) -> Ledger:
        """The same object: it can be open only once."""
        return ledger
