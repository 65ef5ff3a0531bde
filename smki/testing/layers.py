"""What a test and the fixtures of each scope do to the SMKI, undone when the test or the fixture ends, and no sooner.

Without this a certificate would depend on whether a module with a Supplier of its own ran before. Imports nothing of smki,
for the plugin is loaded wherever smki is installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smki.testing.undo import State, Undo

_SCOPES = ("session", "package", "module", "class", "function")


@dataclass(slots=True, eq=False)
class Layer:
    """A test or a fixture that has not ended."""

    scope: str
    found: State | None
    """What the SMKI was when it began; None while there was none."""
    before: State | None
    """To what the SMKI goes back when it ends."""

    @property
    def breadth(self) -> int:
        """The less, the wider the scope."""
        return _SCOPES.index(self.scope)


class Layers:
    """The tests and fixtures that have not ended, the widest scope first.

    :ivar undo: of the SMKI that is in use; None while there is none.
    """

    def __init__(self) -> None:
        self.undo: Undo | None = None
        self._layers: list[Layer] = []

    def use(self, undo: Undo | None) -> None:
        """From now on that SMKI is in use: everything that has not ended found it as it is."""
        self.undo = undo
        for layer in self._layers:
            layer.found = layer.before = self._now()

    def enter(self, scope: str) -> Layer:
        """A test or fixture begins."""
        now = self._now()
        layer = Layer(scope, found=now, before=now)
        at = len(self._layers) - len(self._narrower(layer))
        if at < len(self._layers):
            # Asked for in the midst of a test: it is to outlast that, but not to keep what the test did before.
            layer.before = self._layers[at].before
        self._layers.insert(at, layer)
        return layer

    def is_set_up(self, layer: Layer) -> None:
        """A fixture has done what it does first: that outlasts everything of a narrower scope.

        What narrower ones did to the ledger before comes with it, for there is but one image of it all.
        """
        if self.undo is not None:
            now, found = self.undo.state(), layer.found
            for narrower in self._narrower(layer):
                if found is not None and narrower.before is not None:
                    narrower.before = narrower.before.with_changes(found, now)

    def leave(self, layer: Layer) -> None:
        """A test or fixture has ended."""
        at = self._layers.index(layer)
        del self._layers[at]
        if at < len(self._layers):
            # What others did since is still in use. All of it goes when they end.
            self._layers[at].before = layer.before
        elif self.undo is not None and layer.before is not None:
            self.undo.go_back(layer.before)

    def _now(self) -> State | None:
        return self.undo.state() if self.undo is not None else None

    def _narrower(self, layer: Layer) -> list[Layer]:
        return [each for each in self._layers if each.breadth > layer.breadth]
