"""Files and directories that are written completely or not at all."""

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
    """Replace a file with *content*, durably; readers see either the old or the new content, never a part.

    The file is readable only by its owner (mode 0600).

    :raises OSError: if it cannot be written; the old file then remains.
    """
    with replacing(path, PRIVATE_MODE) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: Path, mode: int = PUBLIC_MODE) -> Iterator[IO[bytes]]:
    """Yield a file that replaces *path* if the block succeeds, and is deleted otherwise.

    It is opened before the block starts, so that an unwritable location is noticed early. If *path* is a symbolic link,
    the file it leads to is replaced; a device or a pipe is written to directly.

    :param mode: the permissions of the finished file; until then only its owner can read it.
    :raises OSError: with *path* as file name, if it cannot be written; the old file then remains.
    """
    with _naming(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            # Replacing /dev/null with a file would break it for everybody.
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
    """Make an OSError name the file that was to be written, not the temporary one."""
    try:
        yield
    except OSError as error:
        if error.filename is None or Path(error.filename).name.startswith(f".{path.name}."):
            error.filename = str(path)
        raise


@contextlib.contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """Yield a directory that becomes *path* if the block succeeds, and is deleted otherwise.

    :raises NotReady: if *path* already exists, unless it is an empty directory.
    :raises OSError: if nothing can be written there.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        remedy = "Choose another folder, or move this one away."
        raise NotReady(
            Problem(
                code="folder.occupied",
                subject=str(path),
                seen="already exists",
                expected="a new folder, or an empty one",
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
    """A temporary directory that is created on first use, for code that needs files that are not kept."""

    def __init__(self) -> None:
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """The directory, accessible only to its owner (mode 0700)."""
        with self._lock:
            if self._directory is None:
                self._directory = tempfile.TemporaryDirectory(prefix="smki-")
            return Path(self._directory.name)

    def remove(self) -> None:
        """Remove the directory and its contents, if it was created."""
        with self._lock:
            if self._directory is not None:
                self._directory.cleanup()
            self._directory = None
