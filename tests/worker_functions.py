"""Functions for the tests of worker processes (``tests/unit/test_workers.py``)."""

from __future__ import annotations

import os
import signal
import sys
import time
from hashlib import sha256
from pathlib import Path

from smki.problem import Malformed, Problem


class Peculiar(Exception):
    """An exception that cannot be made again from its arguments."""

    def __init__(self, what: str, *, why: str) -> None:
        super().__init__(what)
        self.why = why


def hashed(data: bytes, rounds: int = 1) -> bytes:
    """Compute for a while."""
    for _ in range(rounds):
        data = sha256(data).digest()
    return data


def process_id() -> int:
    """Return where this runs."""
    return os.getpid()


def slow(seconds: float) -> int:
    """Take a while, and return where this runs."""
    time.sleep(seconds)
    return os.getpid()


def printing(number: int) -> int:
    """Write to standard output in every way."""
    print("x" * number)
    sys.stdout.write("\x80\x04.")
    sys.stdout.flush()
    os.write(1, b"\x80\x04K\x07.\n")
    return number


def reading() -> str:
    """Read standard input, where calls come from."""
    return sys.stdin.read()


def failing(what: str) -> None:
    """Raise an exception of a type."""
    raise {
        "os": FileNotFoundError(2, "no such thing"),
        "eof": EOFError("the end"),
        "value": ValueError("wrong", 7),
        "peculiar": Peculiar("odd", why="because"),
        "problem": Malformed(Problem(code="x.y", subject="it", seen="a", expected="b")),
    }[what]


def unpicklable() -> object:
    """Return what cannot be handed back."""
    return lambda: 7


def deadly(parent: int) -> str:
    """Kill every process but the parent in which it is called."""
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return "here"


def deadly_once(mark: str) -> int:
    """Kill the first process in which it is called."""
    try:
        Path(mark).touch(exist_ok=False)
    except FileExistsError:
        return os.getpid()
    os.kill(os.getpid(), signal.SIGKILL)
    return 0
