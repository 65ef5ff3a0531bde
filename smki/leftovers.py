"""Names of temporary files and directories, by which those that a killed process left behind are recognised.

A temporary name contains the id of its process: ``.meter.pem.new-4711-1f2e3d4c`` beside ``meter.pem``, and
``smki-metrics-4711-abcdefgh`` in the system's directory for temporary files. The process also holds a lock (flock) on it
until it is done, because other containers on the machine can have processes with the same ids. Such a file is left behind
if the process has ended and nobody holds the lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from smki.bounds import MIN_NAMELESS_AGE_SECONDS

_BESIDE = re.compile(r"\.(?P<target>.+)\.new-(?P<pid>[1-9][0-9]{0,9})(?:-[0-9a-f]{8})?", re.DOTALL)
_OF_0_1 = re.compile(r"\..+\.(?:key|json|jsonl|part)\.[a-z0-9_]{8}")
"""A temporary file of version 0.1 in a home, without a process id."""
_TEMPORARY = re.compile(r"smki-(?:metrics|faults|memory|pytest)-(?P<pid>[1-9][0-9]{0,9})-[a-z0-9_]{8}")
_TEMPORARY_OF_0_1 = re.compile(r"smki-(?:metrics|faults)-[a-z0-9_]{8}")
_CONTENT_OF_0_1 = re.compile(r".+_[1-9][0-9]{0,9}\.db|faults\.sqlite(?:-\w+)?")
_COUNTS_OF = re.compile(r".+_([1-9][0-9]{0,9})\.db")
"""A file of prometheus_client, with the id of the worker that counts in it."""

_MAX_TARGET_CHARACTERS = 50


def temporary_name(name: str) -> str:
    """Return a new name for a file or directory of this process that will replace *name* in the same directory."""
    return f".{name[:_MAX_TARGET_CHARACTERS]}.new-{os.getpid()}-{secrets.token_hex(4)}"


def is_temporary_name_of(temporary: str, name: str) -> bool:
    """Return whether *temporary* is such a name for *name*."""
    matched = _BESIDE.fullmatch(temporary)
    return matched is not None and matched["target"] == name[:_MAX_TARGET_CHARACTERS]


def temporary_prefix(purpose: str) -> str:
    """Return the beginning of the name of a directory of this process among the system's temporary files."""
    return f"smki-{purpose}-{os.getpid()}-"


@contextlib.contextmanager
def temporary_directory(purpose: str) -> Iterator[Path]:
    """Yield a directory among the system's temporary files, of mode 0700, that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix=temporary_prefix(purpose), ignore_cleanup_errors=True) as name:
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            lock(descriptor)
            yield Path(name)
        finally:
            os.close(descriptor)


def lock(descriptor: int) -> None:
    """Hold a lock on an open temporary file or directory until it is closed, which the end of the process does too."""
    with contextlib.suppress(OSError):  # some file systems have no locks; the process id remains
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def left_beside(path: Path) -> list[Path]:
    """Return what processes that have ended left behind while they made *path*."""
    return [each for each in left_in(path.parent) if is_temporary_name_of(each.name, path.name)]


def left_in(directory: Path) -> list[Path]:
    """Return the files and directories that processes that have ended left behind in a directory, not those below.

    Links are ignored, and what belongs to other users.
    """
    return [path for path, pid in _ours(directory, _BESIDE) if not _may_be_of(pid, path) and not _is_locked(path)]


def left_in_home(directory: Path, *, now: float) -> list[Path]:
    """Return the same for a directory of a home, with the temporary files of version 0.1.

    :param now: the time, in seconds since 1970-01-01T00:00:00Z. Files without a process id must be old.
    """
    old = now - MIN_NAMELESS_AGE_SECONDS
    nameless = [path for path, _ in _ours(directory, _OF_0_1) if path.is_file() and _changed(path) < old]
    return [*left_in(directory), *nameless]


def left_among_temporary_files(*, now: float) -> list[Path]:
    """Return the directories that processes that have ended left behind among the system's temporary files.

    :param now: as for :func:`left_in_home`.
    """
    try:
        directory, old = Path(tempfile.gettempdir()), now - MIN_NAMELESS_AGE_SECONDS
    except FileNotFoundError:
        return []  # the disk is full, and none can be used
    found = [path for path, pid in _ours(directory, _TEMPORARY) if not _may_be_of(pid, path) and not _is_locked(path)]
    for path, _ in _ours(directory, _TEMPORARY_OF_0_1):
        if path.is_dir() and _changed(path) < old and all(map(_CONTENT_OF_0_1.fullmatch, _names(path))):
            found.append(path)
    return [path for path in found if not _counts_of_the_living(path)]


def remove(path: Path) -> None:
    """Remove a file or a directory with its contents. Links in it are removed, not followed.

    :raises OSError: if that is not possible. It is no error if it does not exist.
    """
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()


def _ours(directory: Path, form: re.Pattern[str]) -> list[tuple[Path, int]]:
    """Return the files and directories of this user with a name of a form, and the process id in it (0 without one)."""
    found = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as entries:
        for entry in entries:
            matched = form.fullmatch(entry.name)
            if matched is None:
                continue
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if status.st_uid == os.geteuid() and (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
                    found.append((directory / entry.name, int(matched.groupdict().get("pid") or 0)))
    return sorted(found)


def _names(directory: Path) -> list[str]:
    try:
        return [inner.name for inner in directory.iterdir()]
    except FileNotFoundError:
        return []


def _changed(path: Path) -> float:
    """Return when a file, or something directly in a directory, was changed last; what is being removed changes now."""
    try:
        times = [path.lstat().st_mtime]
        if path.is_dir():
            times += [inner.lstat().st_mtime for inner in path.iterdir()]
    except FileNotFoundError:
        return math.inf
    return max(times)


def _may_be_of(pid: int, path: Path) -> bool:
    """Return whether the process with an id may have made a file: it runs, and not only since the file was changed."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it runs, as another user
    started = _started(pid)
    return started is None or started <= _changed(path) + 1


def _started(pid: int) -> float | None:
    """Return when a process was started, in seconds since 1970-01-01T00:00:00Z; None where the system does not tell."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        (booted,) = (
            line.split()[1] for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime ")
        )
        return int(booted) + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


def _counts_of_the_living(path: Path) -> bool:
    """Return whether workers that run count in a directory of metrics; their server may have been killed."""
    if not path.is_dir():
        return False
    matches = map(_COUNTS_OF.fullmatch, _names(path))
    return any(_may_be_of(int(matched[1]), path) for matched in matches if matched)


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # no locks here
    finally:
        os.close(descriptor)
    return False
