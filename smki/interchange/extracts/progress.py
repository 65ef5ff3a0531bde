"""Progress reports for long operations."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of certificates done and the total."""


def silent(done: int, total: int) -> None:
    """Ignore the progress."""
