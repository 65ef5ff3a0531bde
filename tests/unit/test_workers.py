"""Worker processes: whatever becomes of them, a call has the result that it would have in this process."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smki.problem import Malformed
from smki.workers import MAX_ATTEMPTS, Workers, available_cores
from tests import worker_functions as functions
from tests.support import DRILLS, PROJECT


@pytest.fixture(autouse=True)
def found_by_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers can import the functions of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(2) as opened:
        yield opened


def is_alive(process: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def gone(processes: set[int], seconds: float = 20) -> bool:
    """Whether all of the processes end in time."""
    end = time.monotonic() + seconds
    while any(map(is_alive, processes)):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def processes_of(workers: Workers) -> set[int]:
    """The processes of all workers: each is given a call at the same time."""
    futures = [workers.submit(functions.slow, 0.4) for _ in range(2)]
    return {future.result(60) for future in futures}


def test_results_are_those_of_this_process_in_the_order_of_the_calls(workers: Workers) -> None:
    for count in (1, 2, 4):
        with Workers(count) as some:
            futures = [some.submit(functions.hashed, bytes([number]), rounds=number) for number in range(200)]
            found = [future.result(60) for future in futures]
        assert found == [functions.hashed(bytes([number]), number) for number in range(200)]


def test_each_is_a_process_that_starts_when_it_is_needed(workers: Workers) -> None:
    assert os.getpid() not in processes_of(workers)
    assert len(processes_of(workers)) == 2
    assert available_cores() >= 1


def test_urgent_calls_come_first() -> None:
    done: list[str] = []
    with Workers(1) as one:
        first = one.submit(functions.slow, 1)
        later, urgent = one.submit(functions.process_id), one.submit_urgent(functions.process_id)
        later.add_done_callback(lambda _: done.append("later"))
        urgent.add_done_callback(lambda _: done.append("urgent"))
        assert len({each.result(60) for each in (first, later, urgent)}) == 1
    assert done == ["urgent", "later"]


@pytest.mark.parametrize("what", ["os", "eof", "value", "peculiar", "problem"])
def test_an_exception_comes_back_as_itself(workers: Workers, what: str) -> None:
    before = processes_of(workers)
    with pytest.raises(Exception) as expected:
        functions.failing(what)
    with pytest.raises(type(expected.value)) as found:
        workers.submit(functions.failing, what).result(60)
    assert found.value.args == expected.value.args
    if isinstance(found.value, Malformed):
        assert found.value.problems == expected.value.problems  # type: ignore[attr-defined]
    if isinstance(found.value, functions.Peculiar):
        assert found.value.why == "because"
    else:
        assert processes_of(workers) == before, "a worker was lost for an exception"
    assert workers.submit(functions.hashed, b"a").result(60) == functions.hashed(b"a")


def test_what_cannot_be_handed_over_or_back(workers: Workers) -> None:
    before = processes_of(workers)
    with pytest.raises((AttributeError, TypeError, Exception), match="pickle"):
        workers.submit(lambda: 7).result(60)
    with pytest.raises(Exception, match="pickle"):
        workers.submit(functions.hashed, threading.Lock()).result(60)  # type: ignore[arg-type]
    assert processes_of(workers) == before
    assert workers.submit(functions.unpicklable).result(60)() == 7  # type: ignore[operator]
    assert workers.submit(functions.hashed, b"a").result(60) == functions.hashed(b"a")


def test_what_a_function_prints_or_reads_disturbs_nothing(workers: Workers, capfd: pytest.CaptureFixture[str]) -> None:
    futures = [workers.submit(functions.printing, number * 1000) for number in range(20)]
    assert [future.result(60) for future in futures] == [number * 1000 for number in range(20)]
    assert workers.submit(functions.reading).result(60) == ""
    assert workers.submit(functions.printing, 3).result(60) == 3
    workers.close()
    out, err = capfd.readouterr()
    assert out == ""
    assert "x" * 19_000 in err


def test_a_large_call_with_a_large_result(workers: Workers) -> None:
    data = os.urandom(5_000_000)
    futures = [workers.submit(bytes.upper, data) for _ in range(4)]
    assert [future.result(60) for future in futures] == [data.upper()] * 4


def test_one_that_is_killed_once_is_replaced(workers: Workers, tmp_path: Path) -> None:
    assert workers.submit(functions.deadly_once, str(tmp_path / "mark")).result(60) not in (0, os.getpid())


def test_a_call_that_kills_every_worker_is_made_in_this_process(workers: Workers) -> None:
    assert workers.submit(functions.deadly, os.getpid()).result(60) == "here"
    assert os.getpid() not in processes_of(workers)
    assert MAX_ATTEMPTS == 3


def test_workers_that_are_killed_at_random_moments_change_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    choice, stop = random.Random(11), threading.Event()
    started: list[int] = []
    killed: set[int] = set()
    begin = subprocess.Popen.__init__

    def watched(process: subprocess.Popen[bytes], *args: Any, **options: Any) -> None:
        begin(process, *args, **options)
        started.append(process.pid)

    def kill() -> None:
        while not stop.wait(choice.uniform(0.1, 0.6)):
            alive = [process for process in list(started) if is_alive(process)]
            if alive:
                victim = choice.choice(alive)
                killed.add(victim)
                os.kill(victim, signal.SIGKILL)

    monkeypatch.setattr(subprocess.Popen, "__init__", watched)
    killer = threading.Thread(target=kill)
    with Workers(2) as workers:
        killer.start()
        found: list[bytes] = []
        while len(found) < 4 * DRILLS or (len(killed) < 3 and len(found) < 400 * DRILLS):
            futures = [workers.submit(functions.hashed, bytes([n % 256]), 10_000) for n in range(4 * DRILLS)]
            found += [future.result(120) for future in futures]
        # Before they are closed: a process that was waited for is no more, and another may have its number.
        stop.set()
        killer.join()
    expected = {n: functions.hashed(bytes([n]), 10_000) for n in range(min(256, 4 * DRILLS))}
    assert found == [expected[n % (4 * DRILLS) % 256] for n in range(len(found))]
    assert len(killed) >= 3
    assert gone(set(started))


def test_from_many_threads(workers: Workers) -> None:
    def ask(number: int) -> bytes:
        return workers.submit(functions.hashed, bytes([number])).result(60)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(100))) == [functions.hashed(bytes([number])) for number in range(100)]


def test_closing_ends_the_processes_and_cancels_what_has_not_begun(workers: Workers) -> None:
    processes = processes_of(workers)
    begun = [workers.submit(functions.slow, 0.5) for _ in range(2)]
    waiting = [workers.submit(functions.slow, 60) for _ in range(10)]
    while not all(future.running() for future in begun):
        time.sleep(0.01)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: workers.close(), range(4)))
    workers.close()
    assert {future.result(1) for future in begun} == processes
    for future in waiting:
        with pytest.raises(CancelledError):
            future.result(1)
    assert gone(processes, 5)
    with pytest.raises(RuntimeError, match="closed"):
        workers.submit(functions.process_id)


def test_closing_what_was_never_used_starts_nothing() -> None:
    before = threading.active_count()
    with Workers():
        assert threading.active_count() == before


SCRIPT = """
import sys, time
from tests import worker_functions as functions
from smki.workers import Workers

workers = Workers(2)
futures = [workers.submit(functions.slow, 0.3) for _ in range(2)]
print(*sorted({future.result() for future in futures}), flush=True)
"""


def script(tmp_path: Path, more: str) -> subprocess.Popen[str]:
    """Start a script that has no guard for its main module, in a directory whose modules have names of the library."""
    (tmp_path / "pickle.py").write_text("raise SystemExit('this is not the pickle of the library')")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "main.py").write_text(SCRIPT + more)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.Popen(
        [sys.executable, str(tmp_path / "bin" / "main.py")], cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def told(process: subprocess.Popen[str]) -> set[int]:
    """The workers of which the script tells."""
    assert process.stdout is not None
    return {int(word) for word in process.stdout.readline().split()}


@pytest.mark.parametrize("end", ["", "workers.close()", "raise SystemExit(0)", "import os; os._exit(0)"])
def test_a_script_leaves_none_behind_however_it_ends(tmp_path: Path, end: str) -> None:
    process = script(tmp_path, end)
    processes = told(process)
    assert process.wait(60) == 0
    process.communicate()
    assert len(processes) == 2
    assert process.pid not in processes
    assert gone(processes)


@pytest.mark.parametrize("busy", [False, True])
def test_a_program_that_is_killed_leaves_none_behind(tmp_path: Path, busy: bool) -> None:
    work = "[workers.submit(functions.slow, 1) for _ in range(10)]" if busy else ""
    process = script(tmp_path, f"{work}\nprint('begun', flush=True)\ntime.sleep(60)")
    processes = told(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.kill()
    process.communicate()
    assert len(processes) == 2
    assert gone(processes)


def test_where_pipes_cannot_be_enlarged(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system refuses it to a user who has many large pipes already."""
    control = fcntl.fcntl

    def refused(descriptor: Any, command: int, *more: Any) -> Any:
        if command == getattr(fcntl, "F_SETPIPE_SZ", None):
            raise PermissionError(1, "Operation not permitted")
        return control(descriptor, command, *more)

    monkeypatch.setattr(fcntl, "fcntl", refused)
    assert os.getpid() not in processes_of(workers)


@pytest.mark.parametrize("end", ["", "workers.close()"])
def test_in_a_forked_process(tmp_path: Path, end: str) -> None:
    """It has workers of its own, and leaves those of its parent alone."""
    more = (
        "import os, signal\nif not (child := os.fork()):\n    signal.alarm(30)\n    print(workers.submit(functions.slow, 0).result())\n"
        f"    {end or 'pass'}\n    sys.stdout.flush()\n    os._exit(0)\nassert os.waitpid(child, 0)[1] == 0\n"
        "print(*sorted({workers.submit(functions.slow, 0.3).result() for _ in range(1)}))\nworkers.close()"
    )
    process = script(tmp_path, more)
    first = told(process)
    (own,), (again,) = told(process), told(process)
    assert process.wait(60) == 0
    process.communicate()
    assert own not in {*first, process.pid}
    assert again in first
    assert gone({*first, own})


def test_with_the_modules_of_this_process_only(tmp_path: Path) -> None:
    """A program that ignores PYTHONPATH, and finds its modules elsewhere."""
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for name in ("typing", "sitecustomize", "cryptography"):
        (hostile / f"{name}.py").write_text(f"import os; os.write(2, b'hostile {name}'); os._exit(7)")
    paths = [path for path in (str(PROJECT), *sys.path) if path]
    (tmp_path / "main.py").write_text(f"import sys\nsys.path[:0] = {paths!r}\n" + SCRIPT + "workers.close()")
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "main.py")], env={**os.environ, "PYTHONPATH": str(hostile)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.split()) == 2


@pytest.mark.parametrize("how", ["sys.frozen = True", "sys.executable = None", "sys.executable = '/bin/cat'"])
def test_where_no_python_can_be_started(tmp_path: Path, how: str) -> None:
    """In a frozen program, the executable is the program: it must not be started again."""
    mark = tmp_path / "mark"
    text = f"import sys\n{how}\nopen({str(mark)!r}, 'a').write('started ')\n" + SCRIPT
    (tmp_path / "main.py").write_text(text + "print(futures[0].result() == __import__('os').getpid())")
    result = subprocess.run(
        [sys.executable, str(tmp_path / "main.py")], env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.stdout.splitlines()[1:] == ["True"], result.stderr
    assert mark.read_text() == "started "


def test_starting_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    started, begin = [], subprocess.Popen.__init__

    def watched(process: subprocess.Popen[bytes], *args: Any, **options: Any) -> None:
        started.append(process)
        begin(process, *args, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", watched)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Workers(1) as one:
        futures = [one.submit(functions.process_id) for _ in range(10)]
        assert {future.result(60) for future in futures} == {os.getpid()}
    assert len(started) == MAX_ATTEMPTS


def test_interrupts_of_the_terminal_while_they_start(tmp_path: Path) -> None:
    """They reach all processes of the terminal, and the program decides what becomes of them."""
    (tmp_path / "main.py").write_text(
        "import os, signal, threading, time\nsignal.signal(signal.SIGINT, lambda *_: None)\n"
        "def interrupt():\n    while True:\n        os.killpg(0, signal.SIGINT)\n        time.sleep(0.01)\n"
        "threading.Thread(target=interrupt, daemon=True).start()\n" + SCRIPT + "workers.close()\nprint(os.getpid())"
    )
    result = subprocess.run(
        [sys.executable, str(tmp_path / "main.py")], env={**os.environ, "PYTHONPATH": str(PROJECT)},
        start_new_session=True, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.stderr == ""
    workers, parent = map(str.split, result.stdout.splitlines())
    assert len(workers) == 2
    assert not {*workers} & {*parent}


def test_without_a_standard_error(tmp_path: Path) -> None:
    """As in a service: what a function prints is lost, and nothing else."""
    (tmp_path / "main.py").write_text(
        "import os\nos.close(2)\n" + SCRIPT + "print(workers.submit(functions.printing, 3).result() == 3, flush=True)\n"
        "print(workers.submit(functions.slow, 0).result() != os.getpid())\nworkers.close()"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    result = subprocess.run(
        [sys.executable, str(tmp_path / "main.py")], env=environment, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert result.stdout.splitlines()[1:] == ["True", "True"]
