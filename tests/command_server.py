"""Runs the command line in processes of its own, forked from one that has imported it.

Importing takes longer than most commands, and there are some thousand in the tests. The server is started with the first
command of a pytest process and ends with it. What it forks has the arguments, the environment, the directory and the
three standard streams that it was given, and the status with which it ended is reported as for any process.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

PROJECT = Path(__file__).parent.parent
_LENGTH = struct.Struct("!I")
_STATUS = struct.Struct("!i")
_FILES = 4
"""Standard input, output and error, and the socket on which the process id and the status are reported."""


class CommandServer:
    """Starts commands. The process that forks them ends when this one does, which closes its end of the socket."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._lock = threading.Lock()
        words = [sys.executable, "-m", "tests.command_server", str(theirs.fileno())]
        self._process = subprocess.Popen(words, cwd=PROJECT, pass_fds=[theirs.fileno()])
        theirs.close()

    def run(
        self,
        words: Sequence[str],
        *,
        cwd: str | None,
        env: Mapping[str, str],
        stdin: bytes | None,
        timeout: float,
    ) -> tuple[int, bytes, bytes]:
        """Run a command; its exit status (negative: a signal), standard output and standard error.

        :raises subprocess.TimeoutExpired: if it takes longer than *timeout* seconds; it is killed then.
        """
        with contextlib.ExitStack() as stack:
            files = [
                stack.enter_context(os.fdopen(number, "r+b", buffering=0)) for number in map(os.memfd_create, "oe")
            ]
            given = stack.enter_context(os.fdopen(os.memfd_create("i"), "r+b", buffering=0))
            given.write(stdin or b"")
            given.seek(0)
            ours, theirs = socket.socketpair()
            stack.enter_context(ours)
            with theirs:
                request = json.dumps({"words": list(words), "cwd": cwd or str(Path.cwd()), "env": dict(env)}).encode()
                numbers = array.array("i", [given.fileno(), *(file.fileno() for file in files), theirs.fileno()])
                with self._lock:
                    socket.send_fds(self._socket, [_LENGTH.pack(len(request))], list(numbers))
                    self._socket.sendall(request)
            (pid,) = _STATUS.unpack(_exactly(ours, _STATUS.size))
            ours.settimeout(timeout)
            try:
                (status,) = _STATUS.unpack(_exactly(ours, _STATUS.size))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(words), timeout) from None
            for file in files:
                file.seek(0)
            return status, files[0].read(), files[1].read()


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise EOFError("the command server has ended")
        found += part
    return found


def _import_everything() -> None:
    import smki

    for module in pkgutil.walk_packages(smki.__path__, "smki."):
        if not module.name.startswith(("smki.testing", "smki.__main__")):
            importlib.import_module(module.name)


def _serve(control: socket.socket) -> None:
    running: dict[int, socket.socket] = {}
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(1024)
            _report(running)
        if control in ready:
            head, numbers, _, _ = socket.recv_fds(control, _LENGTH.size, _FILES)
            if not head:
                return
            request = json.loads(_exactly(control, _LENGTH.unpack(head)[0]))
            pid = os.fork()
            if not pid:
                control.close()
                _become(request, numbers)
            for number in numbers[:-1]:
                os.close(number)
            running[pid] = socket.socket(fileno=numbers[-1])
            running[pid].sendall(_STATUS.pack(pid))


def _report(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with running.pop(pid) as asking, contextlib.suppress(OSError):
            asking.sendall(_STATUS.pack(os.waitstatus_to_exitcode(status)))


def _become(request: dict[str, Any], numbers: list[int]) -> NoReturn:
    """Run the command, and end as the interpreter would."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, target in zip(numbers, (0, 1, 2), strict=False):
        os.dup2(number, target)
    for number in numbers:
        os.close(number)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = ["-c", *request["words"]]
    from smki.cli import main

    status: object = None
    try:
        main()
    except SystemExit as error:
        status = error.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if isinstance(status, str):
        sys.stderr.write(f"{status}\n")
        status = 1
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    # Without the end of the interpreter, which takes as long as many a command.
    os._exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    _import_everything()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
