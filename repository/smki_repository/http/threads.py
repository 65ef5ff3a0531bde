"""Threads that run the application."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[], None]


class Threads:
    """Some threads that run jobs in the order in which they were given.

    :param name: the name of the threads.
    :param count: the number of threads.
    """

    def __init__(self, name: str, count: int) -> None:
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        for _ in range(count):
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def give(self, job: Job) -> None:
        """Have a job done. It must not raise."""
        self._jobs.put(job)

    def _run(self) -> None:
        while True:
            self._jobs.get()()
