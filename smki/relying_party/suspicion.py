"""Certificates that the Relying Party itself suspects of being compromised (SEC L12), stored in a file."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from smki.clock import iso, parse_moment, utc
from smki.file import replace_file
from smki.identity import SerialNumber
from smki.problem import IntegrityError, Malformed, NotFound, Problem, SmkiError

FORMAT = 1
SUSPICIONS_FILE = "suspicions.json"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A suspicion about one certificate."""

    serial_number: SerialNumber
    because: str
    since: datetime
    """When it was recorded, UTC."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", utc(self.since, "since"))

    def as_json(self) -> dict[str, Any]:
        """Return it as stored in the file."""
        return {"serialNumber": self.serial_number.hex, "because": self.because, "since": iso(self.since)}


class Suspicions:
    """An immutable set of suspicions, which threads may share; changes return a new set."""

    def __init__(self, suspicions: Iterable[Suspicion] = ()) -> None:
        self._by_serial = {suspicion.serial_number.value: suspicion for suspicion in suspicions}

    def of(self, serial_number: SerialNumber) -> Suspicion | None:
        """Return the suspicion about the certificate with that serial number; None if there is none."""
        return self._by_serial.get(serial_number.value)

    def __iter__(self) -> Iterator[Suspicion]:
        return iter(self._by_serial.values())

    def __len__(self) -> int:
        return len(self._by_serial)

    def adding(self, suspicion: Suspicion) -> Suspicions:
        """Return a set with *suspicion* added, replacing any earlier one about the same certificate."""
        return Suspicions((*self, suspicion))

    def clearing(self, serial_number: SerialNumber) -> Suspicions:
        """Return a set without the suspicion about that certificate.

        :raises NotFound: if there is no suspicion about it.
        """
        if self.of(serial_number) is None:
            seen = "it is not suspected"
            raise NotFound(
                Problem(
                    code="suspicion.missing", subject=serial_number.hex, seen=seen, expected="a suspected certificate"
                )
            )
        return Suspicions(suspicion for suspicion in self if suspicion.serial_number != serial_number)

    @classmethod
    def read(cls, path: Path) -> Suspicions:
        """Read the suspicions in a file; none if the file does not exist.

        :raises IntegrityError: if it cannot be read: nothing may be trusted while the suspicions are unknown.
        """
        try:
            return cls.parse(path.read_bytes(), path)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise _unreadable(path, str(error.strerror)) from None

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Suspicions:
        """Parse the content of a suspicions file.

        :raises IntegrityError: as for :meth:`read`.
        """
        try:
            values = json.loads(content)
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']}")
            return cls(
                Suspicion(SerialNumber.parse(row["serialNumber"]), str(row["because"]), parse_moment(row["since"]))
                for row in values["suspicions"]
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, SmkiError) as error:
            raise _unreadable(path, f"{error}"[:200]) from None

    def write(self, path: Path) -> None:
        """Write the suspicions to a file atomically."""
        content = {"format": FORMAT, "suspicions": [suspicion.as_json() for suspicion in self]}
        replace_file(path, json.dumps(content, indent=2).encode() + b"\n")


def _unreadable(path: Path, seen: str) -> IntegrityError:
    remedy = "Repair or remove the file; until then no certificate is trusted."
    return IntegrityError(
        Problem(
            code="suspicion.unreadable",
            subject=str(path),
            seen=seen,
            expected="a file written by smki suspect",
            remedy=remedy,
        )
    )


@contextlib.contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold the lock of a suspicions file, so that no concurrent change is lost."""
    with path.with_name(f".{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def suspicion_of(serial_number: SerialNumber, because: str, since: datetime) -> Suspicion:
    """Return a suspicion with a reason.

    :raises Malformed: if the reason is empty, too long or not a single line.
    """
    because = because.strip()
    if not because or len(because) > 500 or not because.isprintable():
        raise Malformed(
            Problem(
                code="suspicion.because",
                subject="--because",
                seen=f"{because[:64]!r}",
                expected="a reason of 1 to 500 characters",
            )
        )
    return Suspicion(serial_number, because, since)
