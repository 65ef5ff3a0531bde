"""The worker processes: started, replaced if one ends, and ended with the server."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from smki_repository.http.limits import ServerLimits, limits_for

Run = Callable[[socket.socket, ServerLimits], None]
"""Serves on a listening socket, within limits, until SIGTERM; is run in each worker process."""

RESPAWN_SECONDS = 1.0
"""Minimum number of seconds between two starts of a worker."""

OPEN_FILES = 8192
"""Number of files that a worker may open, if the system allows so many."""

_log = logging.getLogger("smki.server")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address and port.

    :raises OSError: if the port is in use, or the host is not an address of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def run_workers(listener: socket.socket, count: int, run: Run, stop_seconds: float) -> None:
    """Run worker processes until SIGINT or SIGTERM, and replace those that end by themselves.

    A worker ends if this process ends, however that happens.

    :param stop_seconds: the time after which a worker that has been told to stop is killed.
    """
    limits = limits_for(_allow_open_files())
    # Starting from a copy of this process takes less time than starting Python again, but works only on Linux.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    is_stopping = threading.Event()
    reader, waker = os.pipe()
    os.set_blocking(waker, False)

    def stop(*_: object) -> None:
        is_stopping.set()
        os.write(waker, b"x")

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}

    def start() -> BaseProcess:
        worker: BaseProcess = context.Process(
            target=_work, args=(listener, limits, run), name="smki-worker", daemon=False
        )
        worker.start()
        return worker

    started = time.monotonic()
    workers = [start() for _ in range(count)]
    try:
        while not is_stopping.is_set():
            wait([reader, *(worker.sentinel for worker in workers)])
            for index, worker in enumerate(workers):
                if not is_stopping.is_set() and worker.exitcode is not None:
                    _log.error("worker %s has ended with status %s; starting another", worker.pid, worker.exitcode)
                    is_stopping.wait(max(0.0, started + RESPAWN_SECONDS - time.monotonic()))
                    started = time.monotonic()
                    workers[index] = start()
    finally:
        listener.close()
        _end(workers, stop_seconds)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(waker)


def _end(workers: list[BaseProcess], seconds: float) -> None:
    until = time.monotonic() + seconds + 1
    for worker in workers:
        if worker.pid is not None and worker.exitcode is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(worker.pid, signal.SIGTERM)
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
        if worker.exitcode is None:
            worker.kill()
            worker.join()


def _work(listener: socket.socket, limits: ServerLimits, run: Run) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), name="parent", daemon=True).start()
    run(listener, limits)


def _end_with(parent: int) -> None:
    """End this process as soon as its parent has ended, so that it does not keep the port."""
    wait([parent])
    os._exit(1)


def _allow_open_files() -> int:
    """Allow this process and its workers to open many files; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
