"""Certificates in untrusted ZIP archives: read entry by entry, with limits, without unpacking to disk."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any, cast

from smki.interchange.importing.contents import SUFFIXES, FoundObject, Unreadable, find_in_bytes
from smki.problem import Problem

MAX_ENTRY_BYTES = 16 * 1024 * 1024
"""Maximum size of an entry: a key store of ten thousand certificates is smaller."""
MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
"""Maximum size of an archive's directory, which is read into memory: that of 200,000 certificates is smaller."""
MAX_TOTAL_BYTES = 2 * 1024 * 1024 * 1024


def find_in_archive(file: IO[bytes], source: str, passphrase: bytes | None = None) -> Iterator[FoundObject]:
    """Yield everything in the entries of an archive with suffixes in :data:`SUFFIXES`, in the order of their names.

    Nested archives are ignored.
    """
    opening = _Opening(file)
    try:
        with zipfile.ZipFile(cast(IO[bytes], opening)) as archive:
            opening.is_opening = False
            yield from _in_entries(archive, source, passphrase)
    except _DirectoryTooLarge:
        expected = f"a directory of at most {MAX_DIRECTORY_BYTES} bytes"
        yield _problem(source, "archive.too-many", "a larger directory", expected, "Unpack it, and import the folder.")
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as error:
        yield _problem(source, "archive.unreadable", str(error)[:200], "a ZIP archive", "Create the archive again.")


def _in_entries(archive: zipfile.ZipFile, source: str, passphrase: bytes | None) -> Iterator[FoundObject]:
    left = MAX_TOTAL_BYTES
    found = False
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        suffix = PurePosixPath(info.filename).suffix.lower()
        if info.is_dir() or suffix not in SUFFIXES or suffix == ".zip":
            continue
        found = True
        where = f"{source}, {info.filename}"
        content = _content(archive, info, where, min(left, MAX_ENTRY_BYTES))
        if isinstance(content, Unreadable):
            yield content
            continue
        left -= len(content)
        yield from find_in_bytes(content, where, passphrase)
    if not found:
        yield _problem(
            source, "archive.nothing", "no certificate", f"files ending in {', '.join(sorted(SUFFIXES))}", ""
        )


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, limit: int) -> bytes | Unreadable:
    try:
        with archive.open(info) as entry:
            # The size stated in the archive is not trusted.
            content = entry.read(limit + 1)
    except RuntimeError:
        return _problem(where, "archive.encrypted", "an encrypted entry", "a readable entry", "Unpack it first.")
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, NotImplementedError, struct.error) as error:
        seen = str(error)[:200] or "truncated"  # an EOFError has no text
        return _problem(where, "archive.unreadable", seen, "a readable entry", "Create the archive again.")
    if len(content) > limit:
        return _problem(where, "input.too-large", f"more than {limit} bytes", "a smaller file", "")
    return content


class _Opening:
    """A file that limits how much of an archive's directory is read, regardless of the size stated in the archive."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.is_opening = True

    def read(self, size: int = -1) -> bytes:
        """Read bytes; while the archive is being opened, up to a maximum."""
        if not self.is_opening:
            return self._file.read(size)
        content = self._file.read(MAX_DIRECTORY_BYTES + 1 if size < 0 else min(size, MAX_DIRECTORY_BYTES + 1))
        if len(content) > MAX_DIRECTORY_BYTES:
            raise _DirectoryTooLarge
        return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _DirectoryTooLarge(Exception):
    pass


def _problem(source: str, code: str, seen: str, expected: str, remedy: str) -> Unreadable:
    return Unreadable(source, (Problem(code=code, subject=source, seen=seen, expected=expected, remedy=remedy),))
