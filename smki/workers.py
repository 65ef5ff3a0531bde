"""Worker processes for computations that need no ledger: they use every core, and can be killed at any time.

A worker is a Python process of its own that imports nothing of the program that started it, so that it works from any
script, thread or server. It reads calls from its standard input and writes results to its standard output.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MAX_ATTEMPTS = 3
"""How many workers may die in the same call before it is made in this process."""

_PROGRAM = "from smki.workers import serve; serve()"


class Workers:
    """A fixed number of worker processes. Each is started for its first call, and replaced if it dies.

    Functions must be pure, because a call whose worker died is made again. They are given by module and name, and
    arguments and results are pickled.

    :param count: the number of processes; by default one for each core that this process may use.
    """

    def __init__(self, count: int | None = None) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        self._closed = threading.Event()

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in a worker, and return its future result. Calls begin in the order in which they were made."""
        with self._lock:
            if self._threads is None:
                count = self._count or available_cores()
                self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
                self._all = [_Worker() for _ in range(count)]
                for worker in self._all:
                    self._idle.put(worker)
        return self._threads.submit(self._call, function, args, kwargs)

    def _call(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        worker = self._idle.get()
        try:
            for _ in range(MAX_ATTEMPTS):
                try:
                    return worker.call(function, args, kwargs)
                except (OSError, EOFError, pickle.UnpicklingError):
                    worker.stop()
                    if self._closed.is_set():
                        raise
            return function(*args, **kwargs)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """Stop the processes. Calls that have not begun are cancelled."""
        self._closed.set()
        with self._lock:
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=True, cancel_futures=True)
            for worker in self._all:
                worker.stop()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker:
    """A process, started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        """Call a function in the process.

        :raises OSError, EOFError, pickle.UnpicklingError: if the process died.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        pickle.dump((function, args, kwargs), process.stdin, pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()
        succeeded, result = pickle.load(process.stdout)  # noqa: S301  (from our own process)
        if not succeeded:
            raise result
        value: T = result
        return value

    def _start(self) -> subprocess.Popen[bytes]:
        # The package is found where this process found it, whatever the working directory and PYTHONPATH are.
        paths = [str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        return self._process

    def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def serve() -> None:
    """Make the calls that arrive on standard input, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the process that started this one decides
    calls, results = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a function prints is not a result
    # When the other end is gone, reading or writing fails, and there is nothing left to do.
    with contextlib.suppress(EOFError, OSError):
        while True:
            function, args, kwargs = pickle.load(calls)  # noqa: S301  (from the process that started this one)
            try:
                answer = True, function(*args, **kwargs)
            except Exception as error:
                answer = False, error
            pickle.dump(answer, results, pickle.HIGHEST_PROTOCOL)
            results.flush()
