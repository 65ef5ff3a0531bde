"""Runs jobs in forked processes, several at a time, each within limits of time and memory."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

Job = TypeVar("Job")

CRASHED, TIMED_OUT = 99, 98
"""Exit statuses of a job that raised, and of one that was stopped."""

_CPU_SECONDS, _CPU_FACTOR, _WALL_FACTOR = 10, 4, 4
"""A job may compute for ten seconds and four times what was estimated, and last four times that if it waits."""
_MEMORY = 4 << 30


def in_processes(
    jobs: Iterable[Job], run: Callable[[Job], int], estimate: Callable[[Job], float], parallel: int
) -> Iterator[tuple[Job, int]]:
    """Each job with its exit status, in the order in which they end.

    :param estimate: how many seconds a job takes in the ordinary case.
    """
    waiting = iter(jobs)
    running: dict[int, tuple[Job, float, str]] = {}
    try:
        while True:
            while len(running) < parallel and (job := next(waiting, None)) is not None:
                folder = tempfile.mkdtemp(prefix="mutation-")
                cpu = _CPU_SECONDS + _CPU_FACTOR * estimate(job)
                pid = os.fork()
                if pid == 0:
                    _child(run, job, folder, int(cpu) + 1)
                running[pid] = job, time.monotonic() + _WALL_FACTOR * cpu, folder
            if not running:
                return
            yield from _ended(running)
    finally:
        for pid, (_, _, folder) in running.items():
            _clear(pid, folder)
            os.waitpid(pid, 0)


def _ended(running: dict[int, tuple[Job, float, str]]) -> list[tuple[Job, int]]:
    """The jobs that ended, after a moment in which none did."""
    ended: list[tuple[Job, int]] = []
    for pid, (job, deadline, folder) in list(running.items()):
        late = time.monotonic() > deadline
        if late:
            os.kill(pid, signal.SIGKILL)
        done, status = os.waitpid(pid, 0 if late else os.WNOHANG)
        if done:
            del running[pid]
            _clear(pid, folder)
            code = os.waitstatus_to_exitcode(status)
            ended.append((job, TIMED_OUT if late or code in {-signal.SIGXCPU, -signal.SIGKILL} else code))
    if not ended:
        time.sleep(0.002)
    return ended


def _clear(pid: int, folder: str) -> None:
    """Ends what a job has started and left, and removes its files."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _child(run: Callable[[Job], int], job: Job, folder: str, cpu: int) -> None:
    status = CRASHED
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        tempfile.tempdir = folder
        os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = folder
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        if not os.environ.get("MUTATE_SHOW"):
            os.dup2(null, 1)
            os.dup2(null, 2)
        status = run(job)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)
