"""Certificates in untrusted ZIP archives (:mod:`smki.interchange.zip_input`)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, cast

from smki.bounds import MAX_DIRECTORY_BYTES
from smki.interchange.importing.contents import SUFFIXES, FoundObject, Unreadable, find_in_bytes
from smki.interchange.zip_input import UNREADABLE, BoundedOpening, DirectoryTooLarge, ExpansionBudget, archive_size
from smki.keys.private_key import Passphrase
from smki.problem import Problem


def find_in_archive(file: IO[bytes], source: str, passphrase: Passphrase | None = None) -> Iterator[FoundObject]:
    """Yield everything in the entries of an archive with suffixes in :data:`SUFFIXES`, in the order of their names.

    Nested archives are ignored.
    """
    opening = BoundedOpening(file)
    try:
        with zipfile.ZipFile(cast(IO[bytes], opening)) as archive:
            opening.is_opening = False
            yield from _in_entries(archive, source, passphrase)
    except DirectoryTooLarge:
        expected = f"a directory of at most {MAX_DIRECTORY_BYTES} bytes"
        yield _problem(source, "archive.too-many", "a larger directory", expected, "Unpack it, and import the folder.")
    except UNREADABLE as error:
        yield _problem(source, "archive.unreadable", str(error)[:200], "a ZIP archive", "Create the archive again.")


def _in_entries(archive: zipfile.ZipFile, source: str, passphrase: Passphrase | None) -> Iterator[FoundObject]:
    budget = ExpansionBudget(archive_size(archive))
    found = False
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        suffix = PurePosixPath(info.filename).suffix.lower()
        if info.is_dir() or suffix not in SUFFIXES or suffix == ".zip":
            continue
        found = True
        where = f"{source}, {info.filename}"
        content = budget.expand(archive, info, where)
        if not isinstance(content, Problem):
            yield from budget.timed(find_in_bytes(content, where, passphrase))
        excess = budget.excess()
        if excess is None and isinstance(content, Problem):
            yield Unreadable(where, (content,))
        if excess is not None:
            seen = f"{excess}; it and the entries after it were not read in full"
            yield _problem(where, "archive.expansion", seen, "an archive of certificates", "")
            return
    if not found:
        yield _problem(
            source, "archive.nothing", "no certificate", f"files ending in {', '.join(sorted(SUFFIXES))}", ""
        )


def _problem(source: str, code: str, seen: str, expected: str, remedy: str) -> Unreadable:
    return Unreadable(source, (Problem(code=code, subject=source, seen=seen, expected=expected, remedy=remedy),))
