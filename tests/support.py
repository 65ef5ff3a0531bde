"""What the tests share beside fixtures: names, tools, the command line in a process of its own."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from smki import EntityIdentifier, KeyUsage, RemotePartyRole
from smki.cli.main import cli
from smki.testing.organisations import ENTITY_IDENTIFIERS
from tests.command_server import CommandServer

PROJECT = Path(__file__).parent.parent
VECTORS = Path(os.environ.get("SMKI_VECTORS", PROJECT.parent / "shared" / "vectors"))
INTEROP = PROJECT / "tests" / "interop"
PUBLISHED_CLIENT = INTEROP / "node_modules" / "@smartdcc" / "dccboxed-keystore"
SOAK = 20 if os.environ.get("SMKI_SOAK") else 1
"""How many times longer a drill takes under `make soak`."""
DRILLS = 50 * SOAK
REQUIRE_ALL = bool(os.environ.get("SMKI_REQUIRE_ALL"))

DEVICE = EntityIdentifier.parse("00-DB-12-34-56-78-90-A0")
SUPPLIER = EntityIdentifier.parse("90-B3-D5-1F-30-01-00-00")
DS, KA = KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT


def missing(what: str) -> None:
    """Skip for want of a tool, or fail where everything is required to be there."""
    reason = f"{what} is not installed here"
    if REQUIRE_ALL:
        pytest.fail(f"{reason}, and SMKI_REQUIRE_ALL is set")
    pytest.skip(reason)


def tool(name: str) -> str:
    """The path of a program; skips (or fails) where it is not installed."""
    path = shutil.which(name)
    if path is None:
        missing(name)
    return str(path)


def published_client() -> Path:
    """The folder of the published client, with its key store; installs it with `npm ci` where that was not done yet."""
    npm = tool("npm")
    with (INTEROP / "package-lock.json").open("rb") as lock:
        # One installs, the others wait: npm begins by removing what is there.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (INTEROP / "node_modules" / "adm-zip").exists() or not PUBLISHED_CLIENT.exists():
            words = [npm, "ci", "--prefix", str(INTEROP), "--no-audit", "--no-fund"]
            result = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
            if result.returncode != 0:
                missing(f"npm's @smartdcc/dccboxed-keystore ({result.stderr[-200:]})")
    return PUBLISHED_CLIENT


def run_cli(
    *words: str | Path, cwd: Path | None = None, stdin: bytes | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """The real command line in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMKI_")} | (env or {})
    given = list(map(str, words))
    directory = str(cwd) if cwd is not None else None
    status, output, errors = _command_server(os.getpid()).run(
        given, cwd=directory, env=environment, stdin=stdin, timeout=120
    )
    return subprocess.CompletedProcess(given, status, output, errors)


@functools.cache
def _command_server(_: int) -> CommandServer:
    """The server of a pytest process; those that it forks (``tests.mutation``) have their own."""
    return CommandServer()


def run_here(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """The command line in this process, which is much faster; an error that it would report is raised."""
    result = CliRunner().invoke(cli, list(map(str, words)), standalone_mode=False)
    status = result.exit_code
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(words, status, result.stdout_bytes, result.stderr_bytes)


def entity_of(role: RemotePartyRole) -> EntityIdentifier:
    """Who has certificates in that role."""
    return ENTITY_IDENTIFIERS[role]


ORGANISATION_ROLE_USAGES = [(role, usage) for role in RemotePartyRole for usage in role.usages]
