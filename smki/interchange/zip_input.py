"""Untrusted ZIP archives: read entry by entry, with limits, without unpacking to disk.

Only stored and deflated entries are read: the standard library expands bzip2 and LZMA without a limit, a few kilobytes to
gigabytes.
"""

from __future__ import annotations

import os
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, TypeVar

from smki.bounds import (
    FREE_EXPANSION_BYTES,
    MAX_ARCHIVE_SECONDS,
    MAX_DIRECTORY_BYTES,
    MAX_ENTRY_BYTES,
    MAX_EXPANDED_BYTES,
    MAX_EXPANSION_RATIO,
)
from smki.problem import Problem

UNREADABLE = (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError)
"""What the standard library raises for an archive that it cannot read."""

_METHODS = {9: " (deflate64)", 12: " (bzip2)", 14: " (LZMA)", 93: " (Zstandard)", 95: " (XZ)", 98: " (PPMd)"}
"""Names of the usual compression methods that are not read (APPNOTE 4.4.5)."""

T = TypeVar("T")


def archive_size(archive: zipfile.ZipFile) -> int:
    """Return the size of an open archive in bytes."""
    file = archive.fp
    if file is None:
        raise ValueError("the archive is closed")
    return file.seek(0, os.SEEK_END)


class ExpansionBudget:
    """What is left of the bytes and the time that the entries of one archive may take.

    :param size: the size of the archive in bytes. Entries can overlap, so their sizes are not a measure.
    """

    def __init__(self, size: int) -> None:
        self._bytes = min(MAX_EXPANDED_BYTES, FREE_EXPANSION_BYTES + MAX_EXPANSION_RATIO * size)
        self._limit = self._bytes
        self._seconds = MAX_ARCHIVE_SECONDS

    def expand(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, maximum: int = MAX_ENTRY_BYTES
    ) -> bytes | Problem:
        """Return the content of an entry, or why it is not read.

        :param where: the name of the entry in problems.
        :param maximum: the size, in bytes, above which it is not read.
        """
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            method = info.compress_type
            seen = f"compression method {method}{_METHODS.get(method, '')}"
            return _problem(where, "archive.method", seen, "stored (0) or deflate (8)", "")
        # The size stated in the archive is not trusted. The compressed size is: no more is read.
        by_ratio = max(FREE_EXPANSION_BYTES, MAX_EXPANSION_RATIO * info.compress_size)
        limit = min(by_ratio, maximum, self._bytes)
        begun = time.thread_time()
        content = _content(archive, info, where, limit)
        self._seconds -= time.thread_time() - begun
        if isinstance(content, Problem):
            return content
        self._bytes -= len(content)
        if len(content) <= limit:
            return content
        if limit == by_ratio:
            seen = f"more than {limit} bytes from {info.compress_size}"
            expected = f"an entry that expands at most {MAX_EXPANSION_RATIO} times"
            return _problem(where, "archive.expansion", seen, expected, "")
        return _problem(where, "input.too-large", f"more than {limit} bytes", "a smaller file", "")

    def timed(self, found: Iterator[T]) -> Iterator[T]:
        """Yield what is found, for as long as there is time."""
        while self._seconds > 0:
            begun = time.thread_time()
            each = next(found, None)
            self._seconds -= time.thread_time() - begun
            if each is None:
                return
            yield each

    def excess(self) -> str | None:
        """Return what is used up, or None."""
        if self._bytes < 0:
            return f"entries of more than {self._limit} bytes in all"
        if self._seconds <= 0:
            return f"entries that take more than {MAX_ARCHIVE_SECONDS:.0f} seconds of processor time to read"
        return None


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, limit: int) -> bytes | Problem:
    """Return at most *limit* + 1 bytes of an entry."""
    try:
        with archive.open(info) as entry:
            return entry.read(limit + 1)
    except RuntimeError:
        return _problem(where, "archive.encrypted", "an encrypted entry", "a readable entry", "Unpack it first.")
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, NotImplementedError, struct.error) as error:
        seen = str(error)[:200] or "truncated"  # an EOFError has no text
        return _problem(where, "archive.unreadable", seen, "a readable entry", "Create the archive again.")


class BoundedOpening:
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
            raise DirectoryTooLarge
        return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class DirectoryTooLarge(Exception):
    """Raised by :class:`BoundedOpening` for an archive with a directory of more than MAX_DIRECTORY_BYTES."""


def _problem(source: str, code: str, seen: str, expected: str, remedy: str) -> Problem:
    return Problem(code=code, subject=source, seen=seen, expected=expected, remedy=remedy)
