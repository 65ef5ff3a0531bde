"""Revocation lists and the highest list numbers seen, kept on disk so that a Relying Party can work offline."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from smki.clock import iso, parse_moment
from smki.file import replace_file
from smki.problem import IntegrityError, Problem, SmkiError

_NUMBERS = "numbers.json"
FORMAT = 1


class ListCache:
    """A cache in one directory; nothing is kept in memory.

    :param directory: created if it does not exist; None for a cache that stores nothing.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> tuple[bytes, dict[str, str]] | None:
        """Return a list by name with its metadata; None if there is none or it is incomplete."""
        if self._directory is None:
            return None
        try:
            data = (self._directory / name).read_bytes()
        except OSError:
            return None
        # The metadata precedes the list in the same file, so that the two always belong together.
        head, separator, encoded = data.partition(b"\n")
        try:
            notes = json.loads(head)
        except ValueError:
            return None
        if not separator or not isinstance(notes, dict) or notes.get("octets") != str(len(encoded)):
            return None
        return encoded, {str(key): str(value) for key, value in notes.items()}

    def put(self, name: str, encoded: bytes, notes: dict[str, str]) -> None:
        """Store a list and its metadata atomically. If the disk is full, nothing is stored, which does no harm."""
        head = json.dumps({**notes, "octets": str(len(encoded))}).encode()
        try:
            self._write(name, head + b"\n" + encoded)
        except OSError:
            return

    def numbers(self) -> list[tuple[bytes, int, datetime]]:
        """Return (issuer, number, thisUpdate) of the lists seen.

        :raises IntegrityError: if the file cannot be read, because a rollback would otherwise go unnoticed.
        """
        if self._directory is None:
            return []
        path = self._directory / _NUMBERS
        try:
            value: Any = json.loads(path.read_bytes())
            if value["format"] != FORMAT:
                raise ValueError(f"format {value['format']}")
            return [
                (bytes.fromhex(row["issuer"]), int(row["number"]), parse_moment(row["since"])) for row in value["seen"]
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError, SmkiError) as error:
            remedy = "Remove it if you accept that an older list may once be taken for the newest."
            raise IntegrityError(
                Problem(
                    code="cache.numbers",
                    subject=str(path),
                    seen=str(error)[:200],
                    expected="the list numbers seen",
                    remedy=remedy,
                )
            ) from None

    def put_numbers(self, seen: list[tuple[bytes, int, datetime]]) -> None:
        """Store the numbers of the lists seen, durably.

        :raises OSError: if they cannot be stored.
        """
        if self._directory is None:
            return
        rows = [{"issuer": issuer.hex(), "number": str(number), "since": iso(since)} for issuer, number, since in seen]
        self._write(_NUMBERS, json.dumps({"format": FORMAT, "seen": rows}, indent=1).encode())

    def _write(self, name: str, content: bytes) -> None:
        if self._directory is None:
            return
        replace_file(self._directory / name, content)
