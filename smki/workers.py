"""Worker processes for computations that need no ledger: they use every core, and can be killed at any time.

A worker is a Python process of its own that imports nothing of the program that started it, so that it works from any
script, thread or server. It reads calls from its standard input and writes results to its standard output.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def _nothing() -> None:
    pass


MAX_ATTEMPTS = 3
"""How many workers may die in the same call before it is made in this process, and how many may die in succession while they
are started before no more are started."""

_PIPE_BYTES = 1 << 20
"""Enough for a whole call or result."""

_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from smki.workers import serve; serve()"
_READY = "ready"
_END, _URGENT, _LATER = range(3)


@dataclass(order=True, slots=True)
class _Call:
    """A call that a worker is to make; the lowest priority comes first."""

    priority: int
    number: int
    function: Callable[..., Any] = field(default=_nothing, compare=False)
    args: tuple[Any, ...] = field(default=(), compare=False)
    kwargs: Mapping[str, Any] = field(default_factory=dict, compare=False)
    future: Future[Any] = field(default_factory=Future, compare=False)


class Workers:
    """A fixed number of worker processes. Each is started for its first call, and replaced if it dies.

    Functions must be pure, because a call whose worker died is made again. They are given by module and name, and
    arguments and results are pickled.

    :param count: the number of processes; by default one for each core that this process may use.
    """

    def __init__(self, count: int | None = None) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._calls: queue.PriorityQueue[_Call] = queue.PriorityQueue()
        self._order = itertools.count()
        self._closed = threading.Event()
        self._owner = os.getpid()

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in a worker, and return its future result. Calls begin in the order in which they were made."""
        return self._submit(_LATER, function, args, kwargs)

    def submit_urgent(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The same, before all calls that are not urgent and have not begun."""
        return self._submit(_URGENT, function, args, kwargs)

    def _submit(self, priority: int, function: Callable[..., T], args: Any, kwargs: Any) -> Future[T]:
        call = _Call(priority, next(self._order), function, args, kwargs)
        with self._lock:
            self._forget_those_of_the_parent()
            if self._closed.is_set():
                raise RuntimeError("the workers were closed")
            if not self._threads:
                for _ in range(self._count or available_cores()):
                    thread = threading.Thread(target=self._work, name="worker", daemon=True)
                    self._threads.append(thread)
                    thread.start()
            self._calls.put(call)
        return call.future

    def _work(self) -> None:
        # Inherited by the processes: an interrupt of the terminal reaches them too, but this process decides.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        worker = _Worker()
        try:
            while (call := self._calls.get()).priority != _END:
                if call.future.set_running_or_notify_cancel():
                    try:
                        call.future.set_result(self._made(worker, call))
                    except BaseException as error:
                        call.future.set_exception(error)
        finally:
            worker.stop()

    def _made(self, worker: _Worker, call: _Call) -> Any:
        for _ in range(MAX_ATTEMPTS):
            try:
                return worker.call(call)
            except _Died:
                worker.stop()
        return call.function(*call.args, **call.kwargs)

    def close(self) -> None:
        """Stop the processes, once the calls that have begun are done. The others are cancelled."""
        with self._lock:
            self._forget_those_of_the_parent()
            self._closed.set()
            threads, self._threads = self._threads, []
        if not threads:
            return
        with contextlib.suppress(queue.Empty):
            while True:
                self._calls.get_nowait().future.cancel()
        for _ in threads:
            self._calls.put(_Call(_END, next(self._order)))
        for thread in threads:
            thread.join()

    def _forget_those_of_the_parent(self) -> None:
        """Begin anew in a forked process, which has the threads of its parent only in name."""
        if self._owner != os.getpid():
            self._owner, self._threads, self._calls = os.getpid(), [], queue.PriorityQueue()

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


class _Died(Exception):
    """A worker process ended before it returned a result, or what it returned cannot be read."""


class _Worker:
    """A process, started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._failed_starts = 0

    def call(self, call: _Call) -> Any:
        """Make a call in the process, and return its result.

        :raises _Died: if there is no result, because the process died or could not be started, or because the result
            cannot be pickled.
        :raises Exception: what the function raised, and if the call cannot be pickled.
        """
        given = pickle.dumps((call.function, call.args, call.kwargs), pickle.HIGHEST_PROTOCOL)
        try:
            process = self._process or self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(given)
            process.stdin.flush()
            succeeded, result = pickle.load(process.stdout)  # noqa: S301  (from our own process)
        except Exception as error:  # of any type: exceptions may fail to be made again from their arguments
            raise _Died from error
        if not succeeded:
            raise result
        return result

    def _start(self) -> subprocess.Popen[bytes]:
        # In a frozen program, sys.executable is that program, which would be started again.
        if self._failed_starts == MAX_ATTEMPTS or not sys.executable or getattr(sys, "frozen", False):
            raise _Died
        self._failed_starts += 1
        process = self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, *_options(), "-c", _PROGRAM, *_paths()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # For each part that is read, the thread needs the interpreter again, and may have to wait for it.
            bufsize=_PIPE_BYTES,
        )
        for pipe in (process.stdin, process.stdout):
            _enlarge(pipe)
        if pickle.load(process.stdout) != _READY:  # type: ignore[arg-type]  # noqa: S301  (from our own process)
            raise _Died
        self._failed_starts = 0
        return process

    def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _enlarge(pipe: IO[bytes] | None) -> None:
    # Not with an option of Popen: that fails where the system does not allow it, as for a user who has many pipes.
    if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _options() -> list[str]:
    """Return the options for a Python that starts with the same isolation as this one."""
    given = {"-I": sys.flags.isolated, "-E": sys.flags.ignore_environment, "-s": sys.flags.no_user_site}
    return ["-P", *(option for option, is_given in {**given, "-S": sys.flags.no_site}.items() if is_given)]


def _paths() -> list[str]:
    """Return where this process finds modules, except in the working directory."""
    package = str(Path(__file__).parent.parent)
    paths = [path for path in sys.path if path]
    return paths if package in paths else [*paths, package]


def serve() -> None:
    """Make the calls that arrive on standard input, until it ends."""
    calls, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        # What a function prints is not a result.
        os.dup2(nothing.fileno() if sys.stderr is None else sys.stderr.fileno(), 1)
    # When the other end is gone, reading or writing fails, and there is nothing left to do.
    with contextlib.suppress(EOFError, OSError):
        pickle.dump(_READY, results)
        results.flush()
        while True:
            function, args, kwargs = pickle.load(calls)  # noqa: S301  (from the process that started this one)
            try:
                answer = True, function(*args, **kwargs)
            except Exception as error:
                answer = False, error
            pickle.dump(answer, results, pickle.HIGHEST_PROTOCOL)
            results.flush()
