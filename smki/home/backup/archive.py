"""The file of a backup: a ZIP archive with the files of a home and a manifest, read within bounds.

backup.zip
  home/smki.json …     the files of the home, stored or deflated
  manifest.json        the last entry: what the backup is, and the size and the SHA-256 of every file

Entries are read in the order of the manifest. Whatever the archive says, nothing is written outside the directory that
it is unpacked to, no link is made, and never more bytes are written than the manifest states.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from smki.clock import iso, parse_moment
from smki.problem import IntegrityError, Malformed, NotFound, Problem

FORMAT = 1
MANIFEST = "manifest.json"
PREFIX = "home/"

MAX_FILES = 200_000
"""Maximum number of files in a backup. A home has two for each extract, and one for each private key."""
MAX_DIRECTORY_BYTES = 64 << 20
"""Maximum size of the archive's table of contents, and of the manifest."""
MAX_EXPANSION = 200
"""Maximum ratio of the bytes of a home to those of its backup. A ledger is deflated to about a third."""
CHUNK_BYTES = 1 << 20

_PART = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}\Z")
_MAX_PARTS = 16
_END = struct.Struct("<4s4H2IH")
_ZIP64_LOCATOR = struct.Struct("<4sIQI")
_ZIP64_END = struct.Struct("<4sQ2H2I4Q")
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

Progress = Callable[[int, int], None]
"""Called with the number of bytes done and the total."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A file of the home, as the manifest describes it."""

    name: str
    """Relative to the home, with ``/`` between directories."""
    bytes: int
    sha256: str
    """64 lower-case hexadecimal digits."""
    mode: str
    """The permissions: ``0600``, or ``0644`` if everybody may read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup is, and which files are in it."""

    made: datetime
    """When the copy of the ledger was complete, by the machine's clock (UTC)."""
    version: str
    """The version of smki that made it."""
    home_created: str
    """When the home was made, ISO 8601."""
    certificates: int
    """The number of certificates in the ledger."""
    last_event: int
    """The id of the last event in the ledger."""
    files: tuple[BackupFile, ...]

    def encoded(self) -> bytes:
        """Return the manifest as JSON."""
        files = [asdict(file) for file in self.files]
        values = {"format": FORMAT, **asdict(self), "made": iso(self.made), "files": files}
        return json.dumps(values, indent=1).encode() + b"\n"


def is_safe_name(name: str) -> bool:
    """Return whether a name stands for a file below a directory, and is not hidden."""
    parts = name.split("/")
    return len(parts) <= _MAX_PARTS and all(_PART.match(part) and not part.startswith(".") for part in parts)


class BackupReader:
    """A backup that is open for reading. The bounds are checked before anything else is read.

    :param file: the archive, open for reading.
    :param path: its name, for messages.
    :raises Malformed: if it is not a backup, or exceeds a bound.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._path = path
        size = file.seek(0, os.SEEK_END)
        try:
            self._require_small_directory(file, size)
            self._zip = zipfile.ZipFile(file)
            self._entries = self._checked_entries()
            self._encoded = self._read_manifest()
            self.manifest = self._parsed(json.loads(self._encoded))
        except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError) as error:
            raise self._malformed("backup.unreadable", str(error), "an archive that smki backup wrote") from None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise self._malformed("backup.manifest", str(error), "a manifest that smki backup wrote") from None
        self.total = sum(each.bytes for each in self.manifest.files)
        if self.total > MAX_EXPANSION * size:
            raise self._malformed(
                "backup.expands", f"{size} bytes that unpack to {self.total}", f"at most {MAX_EXPANSION} times as many"
            )

    @property
    def sha256(self) -> str:
        """The SHA-256 of the manifest, hexadecimal, by which a backup is identified."""
        return hashlib.sha256(self._encoded).hexdigest()

    def unpack(self, directory: Path, progress: Progress) -> None:
        """Write every file below an empty directory, and compare it with the manifest.

        :raises IntegrityError: if one differs from it.
        :raises OSError: if it cannot be written.
        """
        done = 0
        for file in self.manifest.files:
            target = directory / file.name
            for parent in reversed(PurePosixPath(file.name).parents):
                (directory / parent).mkdir(mode=0o700, exist_ok=True)
            digest, written = hashlib.sha256(), 0
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as output:
                for chunk in self._chunks(file):
                    digest.update(chunk)
                    written += len(chunk)
                    output.write(chunk)
                    progress(done + written, self.total)
                output.flush()
                os.fsync(descriptor)
            target.chmod(int(file.mode, 8))
            done += written
            if written != file.bytes or digest.hexdigest() != file.sha256:
                raise self._altered(file, f"{written} bytes with SHA-256 {digest.hexdigest()}")

    def _chunks(self, file: BackupFile) -> Iterator[bytes]:
        left = file.bytes
        try:
            with self._zip.open(self._entries[PREFIX + file.name]) as entry:
                while chunk := entry.read(CHUNK_BYTES):
                    left -= len(chunk)
                    if left < 0:
                        raise self._altered(file, "more bytes")
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError) as error:
            raise self._altered(file, str(error)) from None

    def _require_small_directory(self, file: IO[bytes], size: int) -> None:
        """Check the table of contents before it is read into memory. A backup has no comment after it."""
        if size < _END.size:
            raise zipfile.BadZipFile("too short for an archive")
        file.seek(size - _END.size)
        magic, _, _, _, entries, length, _, comment = _END.unpack(file.read(_END.size))
        if magic != b"PK\x05\x06" or comment:
            raise zipfile.BadZipFile("no end of an archive in its last bytes")
        if entries == 0xFFFF or length == 0xFFFFFFFF:
            file.seek(max(0, size - _END.size - _ZIP64_LOCATOR.size))
            magic, _, at, _ = _ZIP64_LOCATOR.unpack(file.read(_ZIP64_LOCATOR.size))
            if magic == b"PK\x06\x07" and at < size:
                file.seek(at)
                entries, length = _ZIP64_END.unpack(file.read(_ZIP64_END.size))[7:9]
        if entries > MAX_FILES + 1 or length > MAX_DIRECTORY_BYTES:
            raise self._malformed(
                "backup.too-large",
                f"{entries} files and a table of contents of {length} bytes",
                f"at most {MAX_FILES} files and {MAX_DIRECTORY_BYTES} bytes",
            )
        file.seek(0)

    def _checked_entries(self) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            is_file = info.filename == MANIFEST or (
                info.filename.startswith(PREFIX) and is_safe_name(info.filename.removeprefix(PREFIX))
            )
            kind = info.external_attr >> 16 & 0o170000
            if not is_file or info.orig_filename != info.filename or kind not in (0, 0o100000):
                raise self._malformed("backup.entry", f"{info.orig_filename[:200]!r}", "a file of a home")
            if info.filename in entries:
                raise self._malformed("backup.entry", f"{info.filename!r} twice", "each name once")
            if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
                seen = f"{info.filename!r}, encrypted or compressed with method {info.compress_type}"
                raise self._malformed("backup.entry", seen, "files that are stored or deflated")
            entries[info.filename] = info
        return entries

    def _read_manifest(self) -> bytes:
        info = self._entries.get(MANIFEST)
        if info is None:
            raise zipfile.BadZipFile(f"no {MANIFEST} in it")
        with self._zip.open(info) as file:
            encoded = file.read(MAX_DIRECTORY_BYTES + 1)
        if len(encoded) > MAX_DIRECTORY_BYTES:
            raise self._malformed("backup.too-large", f"a large {MANIFEST}", f"at most {MAX_DIRECTORY_BYTES} bytes")
        return encoded

    def _parsed(self, values: Any) -> Manifest:
        if values["format"] != FORMAT:
            raise self._malformed("backup.format", f"format {values['format']}", f"format {FORMAT}")
        files = tuple(BackupFile(**file) for file in values["files"])
        for file in files:
            if not isinstance(file.bytes, int) or file.bytes < 0 or file.mode not in ("0600", "0644"):
                raise ValueError(f"file {str(file.name)[:200]!r}")
        named = sorted(PREFIX + file.name for file in files)
        directories = {str(parent) for name in named for parent in PurePosixPath(name).parents}
        if named != sorted(set(self._entries) - {MANIFEST}) or directories & set(named):
            raise self._malformed("backup.manifest", "other files than in the archive", "exactly these")
        return Manifest(
            made=parse_moment(values["made"]),
            version=str(values["version"]),
            home_created=str(values["home_created"]),
            certificates=int(values["certificates"]),
            last_event=int(values["last_event"]),
            files=files,
        )

    def _malformed(self, code: str, seen: str, expected: str) -> Malformed:
        return Malformed(Problem(code=code, subject=str(self._path), seen=seen, expected=expected))

    def _altered(self, file: BackupFile, seen: str) -> IntegrityError:
        expected = f"{file.bytes} bytes with SHA-256 {file.sha256}"
        subject = f"{self._path}, {file.name}"
        return IntegrityError(Problem(code="backup.altered", subject=subject, seen=seen, expected=expected))


@contextmanager
def open_backup(path: Path) -> Iterator[BackupReader]:
    """Open a backup for reading.

    :raises NotFound: if there is no such file.
    :raises Malformed: if it is not a backup, or exceeds a bound.
    """
    if not path.is_file():
        seen = "a directory" if path.is_dir() else "no such file"
        raise NotFound(Problem(code="backup.missing", subject=str(path), seen=seen, expected="a backup"))
    with path.open("rb") as file:
        yield BackupReader(file, path)
