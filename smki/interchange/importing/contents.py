"""Finds certificates and private keys in the contents of one file: PEM, DER, base64 or a key store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from smki.interchange.key_store_entries import key_store_entries
from smki.keys.private_key import Passphrase, key_from_pem
from smki.pki.pem import Piece, read_pieces
from smki.problem import Malformed, Problem, SmkiError

LINES_SUFFIX = ".jsonl"
_CERTIFICATE_SUFFIXES = frozenset([".pem", ".crt", ".cer", ".cert", ".der", ".b64", ".base64", ".hex", ".key"])
_OTHER_SUFFIXES = frozenset([".json", ".zip", LINES_SUFFIX])
SUFFIXES = _CERTIFICATE_SUFFIXES | _OTHER_SUFFIXES
"""The suffixes of files read from a folder or an archive; a file given by name is read whatever its suffix."""


@dataclass(frozen=True)
class Found:
    """A possible certificate."""

    source: str
    """Where it was found: a file, an entry of an archive, a path in a key store."""
    name: str
    """Its name there; may be empty."""
    der: bytes
    problems: tuple[Problem, ...] = ()
    """Inconsistencies between it and the place where it was found."""


@dataclass(frozen=True)
class FoundKey:
    """A private key."""

    source: str
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        # Defined explicitly, so that a repr never puts a key into a log.
        return f"FoundKey({self.source!r})"


@dataclass(frozen=True)
class Unreadable:
    """Something in which nothing could be found."""

    source: str
    problems: tuple[Problem, ...]


FoundObject = Found | FoundKey | Unreadable
"""Anything found in a file."""


def find_in_bytes(data: bytes, source: str, passphrase: Passphrase | None = None) -> Iterator[FoundObject]:
    """Yield everything in the contents of a file that is not an archive."""
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
            yield unreadable(source, "import.other", piece.label, "a certificate")


def _key(data: bytes, piece: Piece, source: str, passphrase: Passphrase | None) -> Iterator[FoundObject]:
    end = data.find(b"-----END", piece.offset)
    end = data.find(b"\n", end) if end >= 0 else -1
    try:
        yield FoundKey(source, key_from_pem(data[piece.offset : end if end >= 0 else None], passphrase, source))
    except SmkiError as error:
        yield Unreadable(source, tuple(error.problems))


def _in_key_store(data: bytes, source: str) -> Iterator[FoundObject]:
    try:
        for entry in key_store_entries(data, source):
            where = f"{source}, {entry.place}"
            if entry.der is None:
                yield Unreadable(where, entry.problems)
                continue
            # For a certificate that cannot be read, the findings of the lint are more precise than the key store's.
            yield Found(where, entry.name, entry.der, entry.problems if entry.certificate is not None else ())
            if entry.key is not None:
                yield FoundKey(where, entry.key)
    except Malformed as error:
        yield Unreadable(source, tuple(error.problems))


def unreadable(source: str, code: str, seen: str, expected: str) -> Unreadable:
    """Return the report of something in which nothing could be found."""
    return Unreadable(source, (Problem(code=code, subject=source, seen=seen, expected=expected),))
