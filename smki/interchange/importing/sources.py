"""Finds certificates and private keys in what people have: files in PEM, DER or base64, key stores, folders, archives.

Everything is somebody else's: limits on sizes, nothing unpacked to disk, no links followed, and whatever cannot be read
is told without hiding the rest.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.asymmetric import ec

from smki.interchange.key_store_entries import key_store_entries
from smki.keys.private_key import key_from_pem
from smki.pki.pem import MAX_INPUT_OCTETS, Piece, read_pieces
from smki.problem import Malformed, Problem, SmkiError

ZIP_MAGIC = b"PK\x03\x04"
LINES_SUFFIX = ".jsonl"
_CERTIFICATE_SUFFIXES = frozenset([".pem", ".crt", ".cer", ".cert", ".der", ".b64", ".base64", ".hex", ".key"])
_OTHER_SUFFIXES = frozenset([".json", ".zip", LINES_SUFFIX])
SUFFIXES = _CERTIFICATE_SUFFIXES | _OTHER_SUFFIXES
"""Which files in a folder or an archive are looked into; a file that is named is read whatever its suffix."""

_MAX_LINE_OCTETS = 1 << 20


@dataclass(frozen=True)
class Found:
    """What may be a certificate."""

    source: str
    """Where it was: a file, an entry of an archive, a place in a key store."""
    name: str
    """What it is called there; may be empty."""
    der: bytes
    problems: tuple[Problem, ...] = ()
    """Where the place that it was found in says something else than it does."""


@dataclass(frozen=True)
class FoundKey:
    """A private key."""

    source: str
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        # Written out, so that no key gets into a log by way of a repr.
        return f"FoundKey({self.source!r})"


@dataclass(frozen=True)
class Unreadable:
    """Something in which nothing could be found."""

    source: str
    problems: tuple[Problem, ...]


Finding = Found | FoundKey | Unreadable


def find_certificates(path: Path, passphrase: bytes | None = None) -> Iterator[Finding]:
    """Everything in a file or a folder (its files ending in :data:`SUFFIXES`, also further down).

    :param passphrase: of private keys that are encrypted.
    """
    if path.is_dir():
        yield from _in_folder(path, passphrase)
        return
    try:
        with path.open("rb") as file:
            yield from find_in(file, str(path), passphrase)
    except FileNotFoundError:
        yield _unreadable(str(path), "file.missing", "no such file", "a file or folder that can be read")
    except OSError as error:
        yield _unreadable(str(path), "file.unusable", error.strerror or str(error), "a file that can be read")


def _in_folder(folder: Path, passphrase: bytes | None) -> Iterator[Finding]:
    found = False
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        if path.is_symlink():
            yield _unreadable(str(path), "file.link", "a symbolic link", "a file; links are not followed")
        elif path.is_file():
            yield from find_certificates(path, passphrase)
        found = True
    if not found:
        yield _unreadable(
            str(folder), "directory.nothing", "no certificate in it", f"files ending in {', '.join(sorted(SUFFIXES))}"
        )


def find_in(file: IO[bytes], source: str, passphrase: bytes | None = None) -> Iterator[Finding]:
    """Everything in an open file, which has to be one that can be read from its beginning again."""
    begin = file.read(len(ZIP_MAGIC))
    file.seek(0)
    if begin == ZIP_MAGIC:
        from smki.interchange.importing.archives import find_in_archive

        yield from find_in_archive(file, source, passphrase)
    elif source.lower().endswith(LINES_SUFFIX):
        yield from _in_lines(file, source)
    else:
        yield from find_in_octets(file.read(MAX_INPUT_OCTETS + 1), source, passphrase)


def find_in_octets(data: bytes, source: str, passphrase: bytes | None = None) -> Iterator[Finding]:
    """Everything in the contents of a file that is no archive."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        yield from _in_key_store(data, source)
        return
    for number, piece in enumerate(read_pieces(data, source), 1):
        if isinstance(piece, Malformed):
            yield Unreadable(source, tuple(piece.problems))
        elif "PRIVATE KEY" in piece.label:
            yield from _key(data, piece, source, passphrase)
        elif piece.label in ("", "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"):
            yield Found(source if number == 1 else f"{source}, object {number}", Path(source).stem, piece.der)
        else:
            yield _unreadable(source, "import.other", piece.label, "a certificate")


def _key(data: bytes, piece: Piece, source: str, passphrase: bytes | None) -> Iterator[Finding]:
    end = data.find(b"-----END", piece.offset)
    end = data.find(b"\n", end) if end >= 0 else -1
    try:
        yield FoundKey(source, key_from_pem(data[piece.offset : end if end >= 0 else None], passphrase, source))
    except SmkiError as error:
        yield Unreadable(source, tuple(error.problems))


def _in_key_store(data: bytes, source: str) -> Iterator[Finding]:
    try:
        for entry in key_store_entries(data, source):
            where = f"{source}, {entry.place}"
            if entry.der is None:
                yield Unreadable(where, entry.problems)
                continue
            # Of a certificate that cannot be read the lint has more to say than the key store.
            yield Found(where, entry.name, entry.der, entry.problems if entry.certificate is not None else ())
            if entry.key is not None:
                yield FoundKey(where, entry.key)
    except Malformed as error:
        yield Unreadable(source, tuple(error.problems))


def _in_lines(file: IO[bytes], source: str) -> Iterator[Finding]:
    """JSON Lines as exports and extracts are: each line an object with ``certificate``, base64 of the DER."""
    number = 0
    while line := file.readline(_MAX_LINE_OCTETS):
        number += 1
        if not line.strip():
            continue
        try:
            text = json.loads(line)["certificate"]
            yield Found(f"{source}, line {number}", "", b64decode(text, validate=True))
        except (ValueError, TypeError, KeyError, binascii.Error, RecursionError):
            yield _unreadable(
                f"{source}, line {number}", "import.line", f"{line[:40]!r}", "a JSON object with certificate in base64"
            )


def _unreadable(source: str, code: str, seen: str, expected: str) -> Unreadable:
    return Unreadable(source, (Problem(code, source, seen, expected),))
