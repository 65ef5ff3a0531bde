"""Field names for byte offsets, for findings about the encoding."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from smki.pki.der import Node

Locate = Callable[[int], str]
"""Returns the name of the field that contains an offset in the input."""


def locator(named: Callable[[], Iterable[tuple[str, Node | None]]], otherwise: str) -> Locate:
    """Return a :data:`Locate` for fields that do not overlap.

    :param named: returns the fields in order; called at most once, when first needed.
    :param otherwise: the name for offsets between fields.
    """
    fields: list[tuple[str, Node]] | None = None

    def locate(offset: int) -> str:
        nonlocal fields
        if fields is None:
            fields = [(name, node) for name, node in named() if node is not None]
        at = bisect_right(fields, offset, key=lambda item: item[1].start) - 1
        if at >= 0 and offset < fields[at][1].end:
            return f"{fields[at][0]} (byte {offset})"
        return f"{otherwise} (byte {offset})"

    return locate
