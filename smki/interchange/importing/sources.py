"""Finds certificates and private keys in files (PEM, DER or base64), key stores, folders and archives.

All input is untrusted: sizes are limited, nothing is unpacked to disk, links are not followed, and anything that cannot
be read is reported without hiding the rest.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from smki.interchange.importing.archives import find_in_archive
from smki.interchange.importing.contents import LINES_SUFFIX, SUFFIXES, Found, FoundObject, find_in_bytes, unreadable
from smki.keys.private_key import Passphrase
from smki.pki.pem import MAX_INPUT_BYTES

ZIP_MAGIC = b"PK\x03\x04"
_MAX_LINE_BYTES = 1 << 20


def find_certificates(path: Path, passphrase: Passphrase | None = None) -> Iterator[FoundObject]:
    """Yield everything in a file, or in the files of a folder with suffixes in :data:`SUFFIXES`, recursively.

    :param passphrase: decrypts encrypted private keys.
    """
    if path.is_dir():
        yield from _in_folder(path, passphrase)
        return
    try:
        with path.open("rb") as file:
            yield from find_in(file, str(path), passphrase)
    except FileNotFoundError:
        yield unreadable(str(path), "file.missing", "no such file", "a readable file or folder")
    except OSError as error:
        yield unreadable(str(path), "file.unusable", error.strerror or str(error), "a readable file")


def _in_folder(folder: Path, passphrase: Passphrase | None) -> Iterator[FoundObject]:
    found = False
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        if path.is_symlink():
            yield unreadable(str(path), "file.link", "a symbolic link", "a file; links are not followed")
        elif path.is_file():
            yield from find_certificates(path, passphrase)
        found = True
    if not found:
        yield unreadable(
            str(folder), "directory.nothing", "no certificate", f"files ending in {', '.join(sorted(SUFFIXES))}"
        )


def find_in(file: IO[bytes], source: str, passphrase: Passphrase | None = None) -> Iterator[FoundObject]:
    """Yield everything in an open file, which must be seekable."""
    begin = file.read(len(ZIP_MAGIC))
    file.seek(0)
    if begin == ZIP_MAGIC:
        yield from find_in_archive(file, source, passphrase)
    elif source.lower().endswith(LINES_SUFFIX):
        yield from _in_lines(file, source)
    else:
        yield from find_in_bytes(file.read(MAX_INPUT_BYTES + 1), source, passphrase)


def _in_lines(file: IO[bytes], source: str) -> Iterator[FoundObject]:
    """Yield certificates in JSON Lines, as in exports and extracts: objects with ``certificate``, base64 of the DER."""
    number = 0
    while line := file.readline(_MAX_LINE_BYTES):
        number += 1
        if not line.strip():
            continue
        try:
            text = json.loads(line)["certificate"]
            yield Found(f"{source}, line {number}", "", b64decode(text, validate=True))
        except (ValueError, TypeError, KeyError, binascii.Error, RecursionError):
            yield unreadable(
                f"{source}, line {number}", "import.line", f"{line[:40]!r}", "a JSON object with a base64 certificate"
            )
