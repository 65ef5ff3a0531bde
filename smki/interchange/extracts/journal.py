"""What is done of a full extract that is being made: its parts, each a file with its digest."""

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
    """Some certificates that follow on one another in the ledger."""

    last: int
    """Id of the last one."""
    certificates: int
    size: int
    """Size of the file in bytes; ``octets`` in the journal."""
    sha256: str
    """Over the lines, hexadecimal."""
    state: str
    """SHA-256 over how the lines begin (:func:`state_of`): whether they still hold is told by it alone."""


class Journal:
    """The parts in a directory. What is written down there is on disk.

    :param directory: made where it does not exist.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(exist_ok=True)
        self.parts = self._read()

    def _read(self) -> list[Part]:
        # Whatever is not readable is made again: nothing here is worth an error.
        try:
            value = read_json_object((self._directory / _JOURNAL).read_bytes(), _JOURNAL)
            return [Part(size=part.pop("octets"), **part) for part in value["parts"]]
        except (OSError, Malformed, AttributeError, KeyError, TypeError):
            return []

    def path(self, number: int) -> Path:
        """The file of a part, counted from 0."""
        return self._directory / f"{number:06d}.part"

    def is_whole(self, number: int) -> bool:
        """Whether the file of a part holds what was written down about it."""
        part = self.parts[number]
        try:
            if self.path(number).stat().st_size != part.size:
                return False
            with self.path(number).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
        except OSError:
            return False

    def write_down(self, number: int, part: Part) -> None:
        """Put a part in its place."""
        self.parts[number : number + 1] = [part]
        parts = [asdict(each) for each in self.parts]
        value = {"parts": [{"octets": part.pop("size")} | part for part in parts]}
        replace_file(self._directory / _JOURNAL, json.dumps(value).encode())

    def remove(self) -> None:
        """Remove everything: the extract is made."""
        shutil.rmtree(self._directory)


def digest_of(states: Iterable[bytes]) -> str:
    """The digest of states, one after the other."""
    digest = hashlib.sha256()
    for state in states:
        digest.update(state)
    return digest.hexdigest()
