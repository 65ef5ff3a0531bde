"""Removal of what killed processes left behind, and of records that are no longer kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smki.bounds import MAX_TRAIL_DAYS
from smki.home.audit_trail import AuditTrail
from smki.leftovers import left_among_temporary_files, left_beside, left_in, left_in_home, remove

AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Tidied:
    """Something that was removed, or would be."""

    path: Path
    why: str
    failure: str = ""
    """Why it could not be removed; empty if it could."""


def tidy(
    home: Path,
    *others: Path,
    now: float,
    days: int = MAX_TRAIL_DAYS,
    dry_run: bool = False,
) -> list[Tidied]:
    """Remove what killed processes left behind, and files of the audit trail that are not kept.

    Looks in the home, beside it for homes of its name that were never finished, among the system's temporary files, and
    in *others*, not in their subdirectories. Nothing that a running process may still use is removed, nothing that
    belongs to another user, and no link is followed.

    :param now: the time, in seconds since 1970-01-01T00:00:00Z.
    :param days: the number of days of the audit trail that are kept.
    :param dry_run: remove nothing.
    :returns: what was removed, or could not be.
    """
    home = home.absolute()
    found = dict.fromkeys(_left(home, others, now), "left behind by a process that has ended")
    found |= dict.fromkeys(AuditTrail(home / AUDIT).expired(days), "no longer kept")
    return [Tidied(path, why, "" if dry_run else _removal(path)) for path, why in found.items()]


def _left(home: Path, others: tuple[Path, ...], now: float) -> Iterator[Path]:
    for directory, _, _ in os.walk(home):  # does not follow links
        yield from left_in_home(Path(directory), now=now)
    yield from left_beside(home)
    for other in others:
        yield from left_in(other.absolute())
    yield from left_among_temporary_files(now=now)


def _removal(path: Path) -> str:
    try:
        remove(path)
    except OSError as error:
        return error.strerror or str(error)
    return ""
