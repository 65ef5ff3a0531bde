"""Files that change whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from smki.problem import NotReady, Problem

PUBLIC_MODE = 0o644
PRIVATE_MODE = 0o600


def replace_file(path: Path, content: bytes) -> None:
    """Put *content* in the place of a file, on disk when this returns; whoever reads sees the old or the new, whole.

    The file is for its owner alone (mode 0600).

    :raises OSError: when it cannot be written; the old one stays then.
    """
    with replacing(path, PRIVATE_MODE) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: Path, mode: int = PUBLIC_MODE) -> Iterator[IO[bytes]]:
    """A file to write into that takes the place of *path* when all went well, and vanishes otherwise.

    Opened before anything is decided, so that a place where nothing can be written is found out in time. Where *path* is
    a link, it is the file it leads to that is replaced; a device or a pipe is written to as it is.

    :param mode: who may read it then; until then its owner alone.
    :raises OSError: naming *path*, when it cannot be written; the old one stays then.
    """
    with _naming(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            # A file in the place of /dev/null would take that away from everybody.
            with path.open("wb") as file:
                yield file
            return
        target = path.resolve()
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
            Path(temporary).chmod(mode)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Have an OSError name what was to be written, which nobody knows by the name it has until it is whole."""
    try:
        yield
    except OSError as error:
        if error.filename is None or Path(error.filename).name.startswith(f".{path.name}."):
            error.filename = str(path)
        raise


@contextlib.contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """A directory to write into that becomes *path* when all went well, and vanishes otherwise.

    :raises NotReady: when there is something at *path* already, unless it is an empty directory.
    :raises OSError: when nothing can be written there.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        remedy = "Choose another folder, or move this one away."
        raise NotReady(
            Problem(
                code="folder.occupied",
                subject=str(path),
                seen="there already",
                expected="no such folder yet, or an empty one",
                remedy=remedy,
            )
        )
    with _naming(path):
        workshop = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield workshop
        workshop.chmod(0o755)
        workshop.replace(path)
    except BaseException:
        shutil.rmtree(workshop, ignore_errors=True)
        raise


class TemporaryPlace:
    """A directory that is made when it is first asked for, for what wants files although nothing is to stay."""

    def __init__(self) -> None:
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """The directory, for its owner alone (mode 0700)."""
        with self._lock:
            if self._directory is None:
                self._directory = tempfile.TemporaryDirectory(prefix="smki-")
            return Path(self._directory.name)

    def remove(self) -> None:
        """Remove it with all that is in it, where it was made."""
        with self._lock:
            if self._directory is not None:
                self._directory.cleanup()
            self._directory = None
