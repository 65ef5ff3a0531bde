"""What ``smki verify`` prints of a verdict: colours and lines of its own, as they are."""

from __future__ import annotations

from pathlib import Path

from tests.support import run_here


def test_the_reason_and_the_remedy_are_lines_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "meter.pem"
    eui = "00-DB-12-34-56-78-90-A0"
    home = tmp_path / "pki"
    assert run_here("init", "--home", home).returncode == 0
    assert run_here("issue", "device", "--eui", eui, "--usage", "ds", "--out", file, "--home", home).returncode == 0

    told = run_here("verify", file, "--for", "supplier/ds", "--home", home)

    assert told.returncode == 1
    verdict, reason, remedy = told.stdout.decode().splitlines()[-3:]
    assert verdict.endswith(": not trusted")
    assert reason.endswith("[use.role]")
    assert remedy == "  Use the certificate of an Organisation with that role."
