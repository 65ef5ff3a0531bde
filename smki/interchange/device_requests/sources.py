"""Opens an input with applications for Device Certificates: a folder, a ZIP archive, rows, or requests in PEM."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

from smki.bounds import MAX_DIRECTORY_BYTES, MAX_REQUEST_FILE_BYTES, MAX_REQUEST_FILES
from smki.interchange.device_requests.contents import (
    SUFFIXES,
    DeviceRequest,
    DeviceRequests,
    UnreadableRequest,
    name_of_path,
    name_of_request,
    read_request_file,
    request_in,
)
from smki.interchange.device_requests.rows import Form, form_of, read_rows
from smki.interchange.zip_input import UNREADABLE, BoundedOpening, DirectoryTooLarge, ExpansionBudget, archive_size
from smki.pki.pem import MAX_INPUT_BYTES, read_pieces
from smki.pki.request import PEM_LABELS
from smki.problem import Malformed, NotFound, Problem

ZIP_MAGIC = b"PK\x03\x04"
_EMPTY_ZIP_MAGIC = b"PK\x05\x06"
_FIRST_BYTES = 4096
_EXPECTED = f"files ending in {', '.join(sorted(SUFFIXES))}"

Item = DeviceRequest | UnreadableRequest


@contextmanager
def open_requests(path: Path | None, standard_input: bytes = b"") -> Iterator[DeviceRequests]:
    """Open an input, and yield the applications in it.

    The form is that of the contents: a ZIP archive; JSON Lines; CSV; or otherwise requests in PEM, base64 or DER. Files
    named in rows are searched beside the file of rows.

    :param path: a file or a folder; None for standard input.
    :param standard_input: its content.
    :raises NotFound: if there is no such file.
    :raises Malformed: if it has no known form, is too large or has nothing in it.
    """
    if path is None:
        yield _in_file(io.BytesIO(standard_input), "standard input", Path())
        return
    if path.is_dir():
        yield _in_folder(path)
        return
    try:
        opened = path.open("rb")
    except FileNotFoundError:
        raise NotFound(
            Problem(code="file.missing", subject=str(path), seen="no such file", expected="a readable file or folder")
        ) from None
    with opened as file:
        is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        seekable: IO[bytes] = file if is_regular else io.BytesIO(_whole(file, str(path)))
        yield _in_file(seekable, str(path), path.parent)


def _whole(file: IO[bytes], source: str) -> bytes:
    content = file.read(MAX_INPUT_BYTES + 1)
    if len(content) > MAX_INPUT_BYTES:
        seen, expected = f"more than {MAX_INPUT_BYTES} bytes in a pipe", "a regular file, or a smaller one"
        raise Malformed(Problem(code="input.too-large", subject=source, seen=seen, expected=expected))
    return content


def _in_file(file: IO[bytes], source: str, folder: Path) -> DeviceRequests:
    begin = file.read(_FIRST_BYTES)
    file.seek(0)
    if begin.startswith((ZIP_MAGIC, _EMPTY_ZIP_MAGIC)):
        return _in_archive(file, source)
    form = form_of(begin, source)
    if form is not Form.NEITHER:
        return read_rows(file, source, folder, form)
    content = file.read(MAX_INPUT_BYTES + 1)
    items = list(_in_pieces(content, source))
    return DeviceRequests(iter(items), len(items))


def _in_pieces(content: bytes, source: str) -> Iterator[Item]:
    """Yield each request in one file with any number of them.

    :raises Malformed: if it has none of the forms in which requests are read.
    """
    for number, piece in enumerate(read_pieces(content, source), 1):
        if isinstance(piece, Malformed) and number == 1:
            raise piece
        where = f"{source}, object {number}"
        if isinstance(piece, Malformed):
            yield UnreadableRequest(where, tuple(piece.problems))
        elif piece.label and piece.label not in PEM_LABELS:
            seen, expected = f"a {piece.label} in PEM", "a CERTIFICATE REQUEST"
            yield UnreadableRequest(
                where, (Problem(code="request.is-other", subject=where, seen=seen, expected=expected),)
            )
        else:
            name = name_of_request(piece.der, f"object-{number}")
            yield DeviceRequest(source=where, name=name, request=piece.der)


def _in_folder(folder: Path) -> DeviceRequests:
    files: list[str] = []
    links: list[str] = []
    ignored = 0
    for directory, folders, names in os.walk(folder, onerror=_raise):
        here = Path(directory)
        links += (str(here / name) for name in folders if (here / name).is_symlink())
        for name in names:
            if not _is_request(name):
                ignored += 1
                continue
            files.append(str(here / name))
            if len(files) > MAX_REQUEST_FILES:
                raise _too_many(str(folder), "files")
    if not files and not links:
        seen = f"no certification request among {ignored} files" if ignored else "no file"
        raise Malformed(Problem(code="directory.nothing", subject=str(folder), seen=seen, expected=_EXPECTED))

    def items() -> Iterator[Item]:
        for link in map(_shown, sorted(links)):
            expected = "a folder; links are not followed"
            yield UnreadableRequest(
                link, (Problem(code="file.link", subject=link, seen="a symbolic link", expected=expected),)
            )
        for path in sorted(files):
            source = _shown(path)
            try:
                content = read_request_file(Path(path), source)
            except Malformed as error:
                yield UnreadableRequest(source, tuple(error.problems))
                continue
            yield request_in(content, source, name_of_path(os.path.relpath(path, folder)))

    return DeviceRequests(items(), len(files) + len(links), ignored)


def _shown(path: str) -> str:
    """Return a path as text; bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _raise(error: OSError) -> None:
    raise error


def _in_archive(file: IO[bytes], source: str) -> DeviceRequests:
    opening = BoundedOpening(file)
    try:
        archive = zipfile.ZipFile(cast(IO[bytes], opening))
    except DirectoryTooLarge:
        seen, expected = "a larger directory", f"a directory of at most {MAX_DIRECTORY_BYTES} bytes"
        raise Malformed(Problem(code="archive.too-many", subject=source, seen=seen, expected=expected)) from None
    except UNREADABLE as error:
        seen = str(error)[:200]
        raise Malformed(
            Problem(code="archive.unreadable", subject=source, seen=seen, expected="a ZIP archive")
        ) from None
    opening.is_opening = False
    every = archive.infolist()
    files = [info for info in every if not info.is_dir()]
    entries = [info for info in files if _is_request(info.filename)]
    if len(entries) > MAX_REQUEST_FILES:
        raise _too_many(source, "entries")
    if not entries:
        seen = f"no certification request among {len(files)} entries"
        raise Malformed(Problem(code="archive.nothing", subject=source, seen=seen, expected=_EXPECTED))
    entries.sort(key=lambda info: (info.filename, info.header_offset))
    return DeviceRequests(_in_entries(archive, entries, source), len(entries), len(files) - len(entries))


def _is_request(path: str) -> bool:
    """Return whether a file is read: by its suffix, and not if it is hidden, as other programs' temporary files are."""
    name = PurePosixPath(path)
    return name.suffix.lower() in SUFFIXES and (not name.name.startswith(".") or name.name.startswith(".."))


def _in_entries(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], source: str) -> Iterator[Item]:
    budget = ExpansionBudget(archive_size(archive))
    before = ""
    for info in entries:
        where = f"{source}, {info.filename}"
        problem = _wrong_with(info, where, is_again=info.filename == before)
        before = info.filename
        content = problem or budget.expand(archive, info, where, MAX_REQUEST_FILE_BYTES)
        excess = budget.excess()
        if excess is not None:
            seen, expected = f"{excess}; it and the entries after it were not read", "an archive of requests"
            yield UnreadableRequest(
                where, (Problem(code="archive.expansion", subject=where, seen=seen, expected=expected),)
            )
            return
        if isinstance(content, Problem):
            yield UnreadableRequest(where, (content,))
        else:
            yield request_in(content, where, name_of_path(info.filename))


def _wrong_with(info: zipfile.ZipInfo, where: str, *, is_again: bool) -> Problem | None:
    """Return why an entry is not read, whatever is in it; None if it is read."""
    parts = info.filename.split("/")
    if "\0" in info.orig_filename or "\\" in info.filename or info.filename.startswith("/") or ".." in parts:
        seen, expected = "a name that leads out of the folder", "a name relative to the folder of the archive"
        return Problem(code="archive.entry-name", subject=where, seen=seen, expected=expected)
    if stat.S_ISLNK(info.external_attr >> 16):
        return Problem(code="archive.link", subject=where, seen="a symbolic link", expected="a file")
    if is_again:
        seen, expected = "another entry with this name", "one entry of each name"
        return Problem(code="archive.duplicate", subject=where, seen=seen, expected=expected)
    return None


def _too_many(source: str, what: str) -> Malformed:
    seen, expected = f"more than {MAX_REQUEST_FILES} {what}", f"at most {MAX_REQUEST_FILES}"
    return Malformed(Problem(code="input.too-many", subject=source, seen=seen, expected=expected))
