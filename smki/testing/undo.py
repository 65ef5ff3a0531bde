"""An SMKI in memory put back to what it was, so that no test sees what another one did."""

from __future__ import annotations

from smki.clock import AdjustableClock, Clock
from smki.home import Smki
from smki.key import KeysInMemory
from smki.ledger.memory import MemoryLedger
from smki.problem import NotReady, Problem


class Undo:
    """Remembers an SMKI in memory as it is, and undoes what happened since.

    :raises NotReady: when it is not in memory.
    """

    def __init__(self, smki: Smki) -> None:
        keys = smki._keys  # of which only the names are looked at
        if not isinstance(smki.ledger, MemoryLedger) or not isinstance(keys, KeysInMemory):
            remedy = "Make it with Smki.in_memory, or copy its directory before the test."
            raise NotReady(Problem("undo.not-in-memory", "SMKI", "one in a directory", "one in memory", "", remedy))
        self.smki = smki
        self._ledger = smki.ledger
        self._keys = keys
        self._snapshot = b""
        self._changes = -1
        self.remember()

    def remember(self) -> None:
        """Take what it is now for what to go back to."""
        if self._ledger.changes != self._changes:
            self._snapshot, self._changes = self._ledger.snapshot(), self._ledger.changes
        self._key_names = self._keys.names()
        clock = self.smki.clock
        self._clock: Clock | None = clock.current if isinstance(clock, AdjustableClock) else None

    def undo(self) -> None:
        """Go back: ledger, keys of authorities, clock."""
        if self._ledger.changes != self._changes:
            self._ledger.restore(self._snapshot)
            self._changes = self._ledger.changes
            # The gate knows the issuing authorities, and there may have been others.
            vars(self.smki).pop("registration", None)
        self._keys.keep_only(self._key_names)
        if self._clock is not None and isinstance(self.smki.clock, AdjustableClock):
            self.smki.clock.current = self._clock
