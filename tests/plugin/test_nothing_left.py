"""A test run connects to nothing but itself, and leaves no thread, process, file or open socket behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from smki import Smki
from smki.testing import serving
from tests.plugin.conftest import SLOW_TO_LOAD, Run

USES_EVERYTHING = """
    import pytest
    from smki import EntityIdentifier
    from smki.testing import Fault, FaultKind

    @pytest.mark.parametrize("number", range(4))
    def test_everything(number, smki_repository, smki_home, smki_faults, esme, supplier, revoke, relying_party):
        client = smki_repository.client()
        assert client.retrieve(esme.digital_signature.serial_number)
        smki_faults.set(Fault(FaultKind.SLOW, path="/services/*", delay=60))
        revoke(supplier)

    @pytest.mark.smki(seed="another")
    def test_another_world(smki_repository, smki_home):
        assert smki_repository.client().search(EntityIdentifier.parse("90B3D51F30000002"))
"""

ONLY_LOOPBACK = """
import socket
def refuse(address):
    assert isinstance(address, tuple) and address[0] == "127.0.0.1", f"a connection to {address}"
connect, bind = socket.socket.connect, socket.socket.bind
socket.socket.connect = lambda self, address: (refuse(address), connect(self, address))[1]
socket.socket.bind = lambda self, address: (refuse(address), bind(self, address))[1]
"""


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


INTERRUPTED = """
    import os, signal, time
    import pytest

    @pytest.fixture
    def broken(smki_repository):
        raise RuntimeError

    def test_fails(smki_repository, smki_home, supplier, revoke):
        revoke(supplier)
        assert smki_repository.client().retrieve(supplier.digital_signature.serial_number) is None

    def test_cannot_begin(broken, esme):
        pass

    def test_is_interrupted(smki_repository, smki_home, esme):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in processes that run in the background
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(20)

    def test_is_not_reached():
        pass
"""


@pytest.mark.parametrize(
    ("source", "options", "outcome"),
    [
        (USES_EVERYTHING, (), "5 passed"),
        (USES_EVERYTHING, ("-n", "2"), "5 passed"),
        (INTERRUPTED, (), "1 failed, 1 error in"),
    ],
    ids=["one process", "xdist", "interrupted"],
)
def test_a_run(tmp_path: Path, source: str, options: tuple[str, ...], outcome: str) -> None:
    """In a process of its own with a TMPDIR of its own."""
    temporary, project = tmp_path / "tmp", tmp_path / "project"
    temporary.mkdir()
    project.mkdir()
    (project / "test_all.py").write_text(textwrap.dedent(source))
    # xdist's own workers talk through pipes.
    (project / "conftest.py").write_text(ONLY_LOOPBACK)
    without = [f"-pno:{plugin}" for plugin in ("cacheprovider", "randomly", *SLOW_TO_LOAD)]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", *without, *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SMKI_", "PYTEST_"))}
    environment |= {"TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1", "MARK_OF_THIS_RUN": str(tmp_path)}
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)
    assert outcome in result.stdout, result.stdout + result.stderr
    expected = pytest.ExitCode.INTERRUPTED if source is INTERRUPTED else pytest.ExitCode.OK
    assert result.returncode == expected
    # pytest-xdist makes the folder of its workers' temporary files, whether there are any or not.
    assert {name for name in files_below(temporary) if not re.fullmatch(r"pytest-of-\w+(/pytest-\w+)?", name)} == set()
    assert files_below(project) == {"test_all.py", "conftest.py"}
    assert processes_with(f"MARK_OF_THIS_RUN={tmp_path}") == []


def processes_with(variable: str) -> list[str]:
    """The processes that have a variable in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if variable.encode() in environment.split(b"\0"):
            found.append(folder.name)
    return found


def test_no_thread_remains(run: Run) -> None:
    before = set(threading.enumerate())
    run(USES_EVERYTHING).assert_outcomes(passed=5)
    assert set(threading.enumerate()) == before


def test_a_client_that_says_nothing_keeps_nobody_waiting(run: Run) -> None:
    run("""
        import socket
        held = []
        def test_it(smki_repository):
            host, port = smki_repository.address.split(":")
            held.append(socket.create_connection((host, int(port))))

        def teardown_module():
            held.pop().close()
    """).assert_outcomes(passed=1)


def test_the_server_stops_when_no_connection_can_be_made(world: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise ConnectionRefusedError

    before = set(threading.enumerate())
    with serving(world):
        monkeypatch.setattr("socket.create_connection", refuse)
    assert set(threading.enumerate()) == before


def test_the_plugin_imports_nothing_of_smki_until_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("""
import sys
def test_other():
    heavy = [name for name in sys.modules if name.startswith(("smki.", "repository", "cryptography", "flask", "lxml"))]
    assert sorted(heavy) == ["smki.testing", *(f"smki.testing.{name}" for name in ("marks", "plugin"))], heavy
""")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-pno:cacheprovider"]
    command += [f"-pno:{plugin}" for plugin in SLOW_TO_LOAD]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")
    command = [sys.executable, "-m", "pytest", "-W", "error", "-pno:cacheprovider", "-pno:smki"]
    command += [f"-pno:{plugin}" for plugin in SLOW_TO_LOAD]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout
    assert "smki: seed" not in result.stdout
