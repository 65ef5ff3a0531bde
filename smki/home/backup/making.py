"""Makes a backup of a home that others may be using."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import IO

from smki.clock import RealClock
from smki.home.backup.archive import CHUNK_BYTES, MANIFEST, PREFIX, BackupFile, Manifest, Progress, is_safe_name
from smki.home.backup.staging import staging, sync_directory
from smki.home.configuration import Configuration
from smki.home.smki import LEDGER_FILE
from smki.ledger.sqlite.copying import copy_ledger
from smki.problem import Malformed, NotReady, Problem

KEYS = "keys"
_LEDGER_FILES = frozenset(f"{LEDGER_FILE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal"))
_DEFLATE_LEVEL = 1


def make_backup(home: Path, path: Path, progress: Progress = lambda done, total: None) -> tuple[Manifest, str]:
    """Back up a home to a file of mode 0600, which appears when it is complete.

    Every file of the home is copied, except hidden ones, which are temporary. The ledger is copied as it is at one
    moment; private keys are copied after it and everything else before it, so that the copy of the ledger has whatever
    an extract or a checkpoint says, and every certificate in it has its key.

    :param path: the backup; nothing may be there yet.
    :returns: the manifest, and the SHA-256 of its bytes (hexadecimal), by which the backup is identified.
    :raises NotReady: if there is no home, something is at *path* already, or *path* is inside the home.
    :raises Malformed: if the home contains something that is neither a file nor a directory, such as a link.
    :raises LedgerRefused: if the ledger is of a newer version or was altered.
    :raises IntegrityError: if the ledger is damaged.
    :raises OSError: if a file cannot be read, or the backup cannot be written.
    """
    home, path = home.absolute(), path.absolute()
    configuration = Configuration.read(home)
    _require_free(home, path)
    with staging(path) as work:
        archive = work / "backup"
        writer = _Writer(archive, home, progress)
        with writer:
            for name in _names(home):
                if not name.startswith(f"{KEYS}/"):
                    writer.add_file(name)
            copied = copy_ledger(home / LEDGER_FILE, work / LEDGER_FILE, writer.report_pages)
            made = RealClock().now()
            with (work / LEDGER_FILE).open("rb") as ledger:
                writer.add(LEDGER_FILE, ledger, "0600")
            for name in _names(home / KEYS, f"{KEYS}/"):
                writer.add_file(name)
            manifest = Manifest(
                made=made,
                version=version("smki"),
                home_created=configuration.created,
                certificates=copied.certificates,
                last_event=copied.last_event,
                files=tuple(writer.files),
            )
            writer.add_manifest(manifest)
        _publish(archive, path)
    writer.report_end()
    return manifest, hashlib.sha256(manifest.encoded()).hexdigest()


class _Writer:
    """Writes the archive, and notes each file for the manifest."""

    def __init__(self, archive: Path, home: Path, progress: Progress) -> None:
        self._home = home
        self._progress = progress
        self._ledger_bytes = (home / LEDGER_FILE).stat().st_size
        sizes = [_size(home / name) for name in _names(home)]
        self._done, self._total = 0, sum(sizes) + 2 * self._ledger_bytes
        self.files: list[BackupFile] = []
        self._file = os.fdopen(os.open(archive, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=_DEFLATE_LEVEL)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with self._file:
            if kind is None:
                self._zip.close()
                self._file.flush()
                os.fsync(self._file.fileno())
            else:
                self._zip.fp = None  # given up: nothing more is written, also not when it is collected as garbage

    def report_pages(self, done: int, total: int) -> None:
        """Report the progress of the copy of the ledger."""
        self._progress(min(self._done + self._ledger_bytes * done // max(total, 1), self._total), self._total)
        if done == total:
            self._done += self._ledger_bytes

    def report_end(self) -> None:
        """Report that everything is done, whatever has become of the files in the meantime."""
        self._progress(self._total, self._total)

    def add_file(self, name: str) -> None:
        """Add a file of the home. One that has been removed in the meantime is left out."""
        try:
            descriptor = os.open(self._home / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _unfit(self._home / name)
            self.add(name, file, "0644" if status.st_mode & 0o044 else "0600")

    def add(self, name: str, file: IO[bytes], mode: str) -> None:
        """Add the contents of an open file."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(PREFIX + name, "w", force_zip64=True) as entry:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                entry.write(chunk)
                self._done = min(self._done + len(chunk), self._total)
                self._progress(self._done, self._total)
        self.files.append(BackupFile(name, size, digest.hexdigest(), mode))

    def add_manifest(self, manifest: Manifest) -> None:
        """Add the manifest, as the last entry."""
        with self._zip.open(MANIFEST, "w") as entry:
            entry.write(manifest.encoded())


def _names(directory: Path, prefix: str = "") -> Iterator[str]:
    """Yield the names of the files below a directory, relative to the home, in order. Hidden ones are left out: they are
    locks, and files that are being written.

    :raises Malformed: for anything that is neither a file nor a directory, and for names that no backup can have.
    """
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        name = prefix + entry.name
        if entry.name.startswith(".") or name in _LEDGER_FILES:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _names(directory / entry.name, f"{name}/")
        elif entry.is_file(follow_symlinks=False) and is_safe_name(name) and name.isprintable():
            yield name
        else:
            raise _unfit(directory / entry.name)


def _size(path: Path) -> int:
    """Return the size of a file for the progress; 0 if it has been removed in the meantime."""
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _unfit(path: Path) -> Malformed:
    expected = "a file or a directory with a printable name"
    seen = "a link" if path.is_symlink() else "something else"
    return Malformed(Problem(code="backup.not-a-file", subject=ascii(str(path))[1:-1], seen=seen, expected=expected))


def _require_free(home: Path, path: Path) -> None:
    if os.path.lexists(path):
        raise NotReady(
            Problem(
                code="backup.exists", subject=str(path), seen="already exists", expected="a name that is not in use"
            )
        )
    if home.resolve() in path.resolve().parents:
        raise NotReady(
            Problem(code="backup.inside-home", subject=str(path), seen=f"inside {home}", expected="another directory")
        )
    if not path.parent.is_dir():
        seen, expected = "no such directory", "an existing directory"
        raise NotReady(
            Problem(
                code="file.missing", subject=str(path.parent), seen=seen, expected=expected, remedy="Create it first."
            )
        )


def _publish(archive: Path, path: Path) -> None:
    """Give the archive its name, without replacing anything that has got that name in the meantime."""
    try:
        os.link(archive, path, follow_symlinks=False)
    except FileExistsError:
        raise NotReady(
            Problem(
                code="backup.exists", subject=str(path), seen="already exists", expected="a name that is not in use"
            )
        ) from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP):
            raise
        archive.rename(path)  # a file system without hard links
    sync_directory(path.parent)
