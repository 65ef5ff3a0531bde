"""An SMKI in memory put back to what it was, so that no test sees what another one did."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smki.clock import AdjustableClock, Clock
from smki.home.smki import Smki
from smki.keys.private_key import KeysInMemory
from smki.ledger.sqlite.memory import MemoryLedger
from smki.problem import NotReady, Problem


@dataclass(frozen=True, slots=True)
class State:
    """What an SMKI in memory was at some moment: ledger, names of the keys of authorities, clock."""

    image: bytes
    key_names: frozenset[str]
    clock: Clock | None
    """None where it cannot be set."""

    def with_changes(self, before: State, after: State) -> State:
        """This, with what changed from one state to another: the ledger with its keys, the clock."""
        changed = self
        if after.image is not before.image:
            changed = replace(changed, image=after.image, key_names=after.key_names)
        if after.clock is not before.clock:
            changed = replace(changed, clock=after.clock)
        return changed


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
        self._image = b""
        self._changes = -1
        self._remembered = self.state()

    def state(self) -> State:
        """What it is now."""
        if self._ledger.changes != self._changes:
            self._image, self._changes = self._ledger.image(), self._ledger.changes
        clock = self.smki.clock
        return State(self._image, self._keys.names(), clock.current if isinstance(clock, AdjustableClock) else None)

    def go_back(self, state: State) -> None:
        """Put it back to what it was: ledger, keys of authorities, clock."""
        if self._ledger.changes != self._changes or state.image is not self._image:
            self._ledger.restore(state.image)
            self._image, self._changes = state.image, self._ledger.changes
        self._keys.keep_only(state.key_names)
        if state.clock is not None and isinstance(self.smki.clock, AdjustableClock):
            self.smki.clock.current = state.clock

    def remember(self) -> None:
        """Take what it is now for what to go back to."""
        self._remembered = self.state()

    def undo(self) -> None:
        """Go back to what was remembered last."""
        self.go_back(self._remembered)
