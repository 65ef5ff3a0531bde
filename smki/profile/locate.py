"""Names the field around an offset, for findings that are about bytes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from smki.pki.der import Node

Locate = Callable[[int], str]
"""Names the field around an offset of the input."""


def locator(named: Callable[[], Iterable[tuple[str, Node | None]]], otherwise: str) -> Locate:
    """A :data:`Locate` over fields that do not overlap.

    :param named: gives them in their order; asked once, and only when there is something to locate.
    :param otherwise: what to say between them.
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
