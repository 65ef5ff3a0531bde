"""A private directory beside the result, in which a backup or a restored home is made before it gets its name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = ".smki-staging-"


@contextlib.contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Yield a new directory of mode 0700 beside *target*, and remove it afterwards.

    Directories that killed processes have left in the same place are removed first. A process that is still at work
    holds a lock on its own, which the system releases when the process ends, however it ends.

    :raises OSError: if nothing can be written there.
    """
    for abandoned in target.parent.glob(f"{PREFIX}*"):
        with _locked(abandoned) as is_ours:
            if is_ours:
                shutil.rmtree(abandoned, ignore_errors=True)
    while True:
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=target.parent))
        with _locked(directory) as is_ours:
            if not is_ours:  # another process has taken it for abandoned before it was locked
                continue
            try:
                yield directory
            finally:
                shutil.rmtree(directory, ignore_errors=True)
            return


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[bool]:
    """Lock a directory; yield False if another process has locked or removed it, or it is something else."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = os.fstat(descriptor).st_nlink > 0 and directory.exists()
        except OSError:
            is_ours = False
        yield is_ours
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
