"""Which process listens on a port, for an error message."""

from __future__ import annotations

import contextlib
from pathlib import Path

_LISTENING = "0A"


def holder_of(port: int) -> str:
    """Return the processes that listen on a TCP port, as ``process 4711 (smki serve)``. Return an empty text if the system
    does not tell, as only Linux does, and about another user's processes only to root."""
    sockets = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening(table, port)}
    found: dict[str, str] = {}
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda each: int(each.name)):
        with contextlib.suppress(OSError):  # it has ended, or belongs to another user
            if any(str(file.readlink()) in sockets for file in (process / "fd").iterdir()):
                found[process.name] = _parent(process)
    # The workers of a server have the socket of the process that started them.
    first = [number for number, parent in found.items() if parent not in found]
    return f"process {', '.join(f'{number} ({_command(number)})' for number in first)}" if first else ""


def _listening(table: str, port: int) -> list[str]:
    """Return the inodes of the sockets that listen on a port."""
    try:
        rows = Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
    columns = [row.split() for row in rows]
    return [row[9] for row in columns if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]


def _parent(process: Path) -> str:
    return (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]


def _command(number: str) -> str:
    words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    return b" ".join(word for word in words if word).decode(errors="replace")[:100]
