"""Private keys as files of a folder, written durably many at a time before they are used."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from smki.file import PRIVATE_MODE
from smki.leftovers import left_beside, left_in, remove, temporary_name
from smki.problem import NotReady, Problem

SUFFIX = ".key"
_THREADS = 16
"""Number of files that are written at the same time: the file system makes them durable together."""


class KeyFiles:
    """Key files ``NAME.key`` of mode 0600. A file is there with all of its content, or not at all.

    The folder is locked while it is in use, so that two processes do not work on the same keys.

    :param folder: made when the first key is written, for its owner only.
    :param temporary: whether the folder is only for these keys and removed with them, so that nobody else keeps keys in it.
    :raises NotReady: if another process uses it.
    """

    def __init__(self, folder: Path, *, temporary: bool = False) -> None:
        self._folder = folder
        self._temporary = temporary
        self._descriptor: int | None = None
        self._staged: list[tuple[str, bytes]] = []
        for abandoned in left_beside(folder):
            remove(abandoned)
        if folder.is_dir():
            self._open()

    @property
    def is_there(self) -> bool:
        """Whether the folder exists."""
        return self._descriptor is not None

    def path(self, name: str) -> Path:
        """Return the file of a key."""
        return self._folder / f"{name}{SUFFIX}"

    def has(self, name: str) -> bool:
        """Return whether there is a file of that name."""
        return self.is_there and self.path(name).exists()

    def stage(self, name: str, content: bytes) -> None:
        """Give a key that :meth:`write_staged` will write."""
        self._staged.append((name, content))

    def write_staged(self) -> None:
        """Write the keys that were staged. When this returns, they are durable.

        :raises OSError: if they cannot be written.
        """
        if not self._staged:
            return
        if not self.is_there:
            self._folder.mkdir(mode=0o700)
            make_durable(self._folder.parent)
            self._open()
        staged, self._staged = self._staged, []
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="keys") as threads:
            list(threads.map(lambda each: self._write(*each), staged))
        assert self._descriptor is not None
        os.fsync(self._descriptor)

    def _write(self, name: str, content: bytes) -> None:
        path = self.path(name)
        temporary = path.with_name(temporary_name(path.name))
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            if path.exists():
                raise FileExistsError(f"{path} already exists")
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def discard(self, name: str, *, was_there: bool) -> None:
        """Remove a key for which there is no certificate.

        :param was_there: whether the file was there before. It is then kept, unless the folder is temporary, because the
            key may be somebody's.
        """
        if self._temporary or not was_there:
            self.path(name).unlink(missing_ok=True)

    def remove_all(self, names: Iterable[str]) -> bool:
        """Remove the folder, at once, if nothing else than the keys of these names is in it; return whether it was."""
        if not self.is_there:
            return True
        others = {path.name for path in self._folder.iterdir()}
        for name in names:
            others.discard(f"{name}{SUFFIX}")
        if others:
            return False
        # One step, so that after a crash either all of the keys are there or none.
        retired = self._folder.with_name(temporary_name(self._folder.name))
        self._folder.rename(retired)
        make_durable(retired.parent)
        shutil.rmtree(retired)
        return True

    def _open(self) -> None:
        self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            seen, expected = "another process writes to it", "one process at a time"
            raise NotReady(
                Problem(code="output.in-use", subject=str(self._folder), seen=seen, expected=expected)
            ) from None
        except OSError:
            pass  # some file systems have no locks
        for abandoned in left_in(self._folder):
            remove(abandoned)

    def close(self) -> None:
        """Unlock the folder."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def make_durable(folder: Path) -> None:
    """Make the names in a folder durable, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
