"""How far something is that takes its time."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told how many certificates are done, and how many there are."""


def silent(done: int, total: int) -> None:
    """For nobody who wants to know."""
