"""A progress bar on standard error, if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def progress_bar(what: str, *, rate: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar, and yield a function that updates it with the number done and the total (0 if unknown).

    :param what: the label of the bar.
    :param rate: also show how many are done in a second.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    if rate:
        columns.insert(3, TextColumn("{task.fields[rate]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None, rate="")

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None)
            speed = progress.tasks[0].finished_speed or progress.tasks[0].speed
            if speed is not None:
                progress.update(task, rate=f"{speed:,.0f}/s")

        yield update


def counted(items: Iterable[T], report: Callable[[int, int], None], total: int, every: int = 500) -> Iterator[T]:
    """Yield the items, and report their number after each *every* items."""
    for number, item in enumerate(items, 1):
        if number % every == 0:
            report(number, total)
        yield item
