"""The progress of an unfinished full extract: its parts, each a file with its digest."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from smki.file import replace_file
from smki.interchange.json_text import read_json_object
from smki.problem import Malformed

_JOURNAL = "journal.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A range of certificates that are consecutive in the ledger."""

    last: int
    """Id of the last certificate."""
    certificates: int
    size: int
    """Size of the file in bytes; ``octets`` in the journal."""
    sha256: str
    """SHA-256 over the lines, hexadecimal."""
    state: str
    """SHA-256 over the variable beginnings of the lines (:func:`state_of`), used to tell whether they are current."""


class Journal:
    """The parts in a directory. Changes are durable when a method returns.

    :param directory: created if it does not exist.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(exist_ok=True)
        self.parts = self._read()

    def _read(self) -> list[Part]:
        # Anything unreadable is simply written again, so errors are ignored.
        try:
            value = read_json_object((self._directory / _JOURNAL).read_bytes(), _JOURNAL)
            return [Part(size=part.pop("octets"), **part) for part in value["parts"]]
        except (OSError, Malformed, AttributeError, KeyError, TypeError):
            return []

    def path(self, number: int) -> Path:
        """Return the file of a part, counted from 0."""
        return self._directory / f"{number:06d}.part"

    def is_whole(self, number: int) -> bool:
        """Return whether the file of a part matches what was recorded about it."""
        part = self.parts[number]
        try:
            if self.path(number).stat().st_size != part.size:
                return False
            with self.path(number).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
        except OSError:
            return False

    def write_down(self, number: int, part: Part) -> None:
        """Record a part."""
        self.parts[number : number + 1] = [part]
        parts = [asdict(each) for each in self.parts]
        value = {"parts": [{"octets": part.pop("size")} | part for part in parts]}
        replace_file(self._directory / _JOURNAL, json.dumps(value).encode())

    def remove(self) -> None:
        """Remove everything, once the extract is complete."""
        shutil.rmtree(self._directory)


def digest_of(states: Iterable[bytes]) -> str:
    """Return the digest of concatenated states."""
    digest = hashlib.sha256()
    for state in states:
        digest.update(state)
    return digest.hexdigest()
