"""smki show, list, export, check and serve, as a person and as a program would use them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from smki import Smki
from smki.cli.main import _COMMANDS
from smki.pki.pem import decode_input
from tests.repository.support import ask, serving
from tests.support import DEVICE, DS, KA, run_cli


@pytest.fixture
def device(home: Path) -> str:
    """A home with two Device Certificates in it; the serial number of the first."""
    with Smki.open(home) as smki:
        serials = []
        for usage in (DS, KA):
            _, request = smki.make_device_request(DEVICE, usage)
            serials.append(smki.issue_device(request).record.serial_number.hex)
    return serials[0]


def stdout(*words: str | Path) -> str:
    result = run_cli(*words)
    assert result.returncode == 0, result.stderr
    return result.stdout.decode()


def test_show_by_serial_number(home: Path, device: str) -> None:
    text = stdout("show", device.lower().lstrip("0"), "--home", home)
    for part in (
        "Device Certificate\n",
        "00-DB-12-34-56-78-90-A0",
        "digitalSignature",
        device,
        "no expiry",
        "in use (I)",
        "CN=TD01",
        "CN=TD (",
    ):
        assert part in text


def test_show_as_json(home: Path, device: str) -> None:
    values = json.loads(stdout("show", device, "--home", home, "--json"))
    assert values["entityIdentifier"] == "00-DB-12-34-56-78-90-A0"
    assert values["keyUsage"] == ["digitalSignature"]
    assert values["status"] == "I"
    assert [above["name"] for above in values["chain"]] == ["CN=TD01", "CN=TD"]
    with Smki.open(home) as smki:
        record = next(
            record
            for record in smki.ledger.authorities()
            if record.serial_number.hex == values["chain"][0]["serialNumber"]
        )
    assert record.certificate.common_name == "TD01"


def test_show_a_file(home: Path, tmp_path: Path, openssl: Callable[..., CompletedProcess[str]]) -> None:
    stdout("export", "authorities", "--home", home, "--out", tmp_path / "a.pem")
    text = stdout("show", tmp_path / "a.pem", "--home", home)
    assert [line for line in text.splitlines() if line and not line.startswith(" ")] == [
        "Root OCA",
        "Issuing OCA",
        "Root DCA",
        "Issuing DCA",
    ]
    values = json.loads(stdout("show", tmp_path / "a.pem", "--home", tmp_path / "nowhere", "--json"))
    fingerprint = openssl("x509", "-in", tmp_path / "a.pem", "-noout", "-fingerprint", "-sha256").stdout.strip()
    assert fingerprint.replace(":", "").endswith(values[0]["sha256"])
    assert (values[0]["role"], values[0]["roleCode"]) == ("root", "00")


def test_export_authorities_to_standard_output(home: Path) -> None:
    assert len(decode_input(stdout("export", "authorities", "--home", home).encode())) == 4


def test_list(home: Path, device: str) -> None:
    lines = stdout("list", "--home", home).splitlines()
    assert len(lines) == 13
    assert lines[0].startswith("SERIAL NUMBER")
    (line,) = [line for line in lines if device in line]
    assert line.split() == [device, "device", "00-DB-12-34-56-78-90-A0", "DS", "in", "use", "no", "expiry"]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ((), 12),
        (("--kind", "device"), 2),
        (("--kind", "device", "--kind", "root-oca"), 3),
        (("--eui", "00DB1234567890A0"), 2),
        (("--eui", "00DB1234567890A0", "--usage", "ka"), 1),
        (("--role", "wanProvider"), 2),
        (("--role", "06", "--usage", "ds"), 1),
        (("--status", "I"), 12),
        (("--status", "revoked"), 0),
        (("--limit", "5"), 5),
        (("--usage", "ka", "--limit", "1"), 1),
    ],
)
def test_list_filters(home: Path, device: str, filters: tuple[str, ...], count: int) -> None:
    rows = [json.loads(line) for line in stdout("list", "--home", home, "--json", *filters).splitlines()]
    assert len(rows) == count
    assert all(
        set(row) >= {"serialNumber", "kind", "entityIdentifier", "role", "usage", "status", "notAfter"} for row in rows
    )


def test_check(home: Path, device: str) -> None:
    assert stdout("check", "--home", home) == "12 certificates, 0 unfinished applications, 0 problems\n"
    assert json.loads(stdout("check", "--home", home, "--json")) == {
        "certificates": 12,
        "unfinished": 0,
        "problems": [],
        "lodged": [],
    }
    import sqlite3

    with sqlite3.connect(home / "ledger.sqlite") as connection:
        connection.execute("UPDATE certificate SET role = 3 WHERE id = 5")
    connection.close()
    result = run_cli("check", "--home", home)
    assert result.returncode == 1
    assert b"ledger.column" in result.stdout


def test_every_command_explains_itself() -> None:
    text = stdout("--help")
    for command in _COMMANDS:
        assert f"\n  {command} " in text
        assert "Usage: smki" in stdout(command, "--help")


def test_the_help_imports_little() -> None:
    """Quick because nothing heavy is imported for it; what that saves is measured in benchmarks/."""
    code = "import sys\nfrom smki.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(','.join(sys.modules), file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stderr.strip().split(","))
    assert not loaded & {"cryptography", "flask", "httptools", "sqlite_utils", "lxml", "sqlite3"}


def test_output_into_a_pipe_that_closes(home: Path, device: str) -> None:
    script = f"{sys.executable} -c 'from smki.cli import main; main()' list --home {home} | head -n 1"
    result = subprocess.run(["bash", "-c", f"set -o pipefail; {script}"], capture_output=True, text=True, check=False)
    assert result.stderr == ""


def test_serve_on_a_port_in_use(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run_cli("serve", "--home", home, "--port", str(taken.getsockname()[1]))
    assert result.returncode == 2
    assert result.stdout == b""
    assert b"port.unusable" in result.stderr
    assert b"Choose another" in result.stderr


def test_serve_says_what_to_try(home: Path) -> None:
    with serving(home) as served:
        assert ask(f"{served.url}/healthz").status == 200
        served.process.terminate()
        output, _ = served.process.communicate(timeout=15)
    text = output.decode()
    assert served.url in text
    tries = [line for line in text.splitlines() if line.startswith("  ")]
    assert len(tries) == 3
    assert served.process.returncode == 0


def test_whoever_reads_may_stop_when_they_have_seen_enough(home: Path) -> None:
    command = [sys.executable, "-c", "from smki.cli import main; main()", "profile", "show", "device"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert (process.wait(30), process.stderr.read()) == (0, b"")
    process.stderr.close()
