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

from smki.leftovers import is_temporary_name_of, lock, temporary_name, temporary_prefix
from smki.problem import NotReady, Problem

PUBLIC_MODE = 0o644
PRIVATE_MODE = 0o600


def replace_file(path: Path, content: bytes, *, follow_links: bool = True) -> None:
    """Replace a file with *content*, durably; readers see either the old or the new content, never a part.

    The file is readable only by its owner (mode 0600).

    :param follow_links: False for a private key (see :func:`replacing`).
    :raises OSError: if it cannot be written; the old file then remains.
    """
    with replacing(path, PRIVATE_MODE, follow_links=follow_links) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: Path, mode: int = PUBLIC_MODE, *, follow_links: bool = True) -> Iterator[IO[bytes]]:
    """Yield a file that replaces *path* if the block succeeds, and is deleted otherwise.

    It is opened before the block starts, so that an unwritable location is noticed early. If *path* is a symbolic link,
    the file it leads to is replaced; a device or a pipe is written to directly.

    :param mode: the permissions of the finished file; until then only its owner can read it.
    :param follow_links: False for private keys: whoever may write to the directory could have laid a link that leads
        the key to where others read it. Then a link is refused.
    :raises OSError: with *path* as file name, if it cannot be written; the old file then remains.
    """
    with _naming(path):
        if path.is_symlink() and not follow_links:
            raise OSError(errno.ELOOP, "a symbolic link, through which no private key is written")
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            # Replacing /dev/null with a file would break it for everybody.
            flags = os.O_WRONLY | (0 if follow_links else os.O_NOFOLLOW)
            with os.fdopen(os.open(path, flags), "wb") as file:
                yield file
            return
        # Renaming replaces a link that was laid in the meantime, and does not follow it.
        target = path.resolve() if follow_links else path
        temporary = target.with_name(temporary_name(target.name))
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                lock(descriptor)
                yield file
                file.flush()
                os.fsync(descriptor)
                temporary.chmod(mode)
                temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Make an OSError name the file that was to be written, not the temporary one."""
    try:
        yield
    except OSError as error:
        if error.filename is None or is_temporary_name_of(Path(error.filename).name, path.name):
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
    with _naming(path), workshop(path) as directory:
        yield directory
        directory.chmod(0o755)
        directory.replace(path)


@contextlib.contextmanager
def workshop(path: Path) -> Iterator[Path]:
    """Yield a new directory beside *path*, of mode 0700, in which to prepare it; it is removed if it is still there at
    the end.

    :raises OSError: if it cannot be made.
    """
    directory = path.with_name(temporary_name(path.name))
    directory.mkdir(mode=0o700)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lock(descriptor)
        yield directory
    finally:
        os.close(descriptor)
        shutil.rmtree(directory, ignore_errors=True)


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
                self._directory = tempfile.TemporaryDirectory(prefix=temporary_prefix("memory"))
            return Path(self._directory.name)

    def remove(self) -> None:
        """Remove the directory and its contents, if it was created."""
        with self._lock:
            if self._directory is not None:
                self._directory.cleanup()
            self._directory = None
