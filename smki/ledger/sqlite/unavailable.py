"""Why a ledger cannot be read or written: what SQLite says, the cause as far as it can be told, and a remedy."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from smki.ledger.contract import LedgerUnavailable
from smki.problem import Problem

LEAST_FREE_BYTES = 64 * 1024
"""Number of free bytes below which a disk counts as full: a transaction needs some pages, and as many for the log."""

_FULL = ("the disk is full", "Free some space on that disk and try again. No issued certificate is lost.")
_READ_ONLY_DISK = (
    "the home is on a read-only file system",
    "Have it mounted so that it can be written, or copy the home to where it can.",
)
_NOT_ALLOWED = (
    "this user may not write to the home",
    "Make the home and its files writable for this user (chown, chmod), or run smki as the user who owns it.",
)
_RESTORE = "Restore the home from a copy. The certificates that were handed out remain valid."

_BY_TEXT = {
    "full": _FULL,
    "locked": ("", "Another process has locked the ledger for a minute. Find out which one, and try again."),
    "readonly": _NOT_ALLOWED,
    "malformed": ("", _RESTORE),
    "not a database": ("", _RESTORE),
    "disk I/O": (
        "",
        "Check that disk: its free space (df), this user's quota and limits (quota, ulimit -f), and the system's log.",
    ),
    "unable to open": ("", "Check that this user may read and write the home and its files, and that the disk works."),
}
_WRITING = ("readonly", "full", "disk I/O", "unable to open")
"""Parts of what SQLite says if a file, or a file beside it, cannot be written."""


def unavailable(error: sqlite3.Error, path: Path | None = None) -> LedgerUnavailable:
    """Return the error to raise for an error of SQLite.

    :param path: the file of the ledger. It is examined, but not named, because the error may go to a client.
    """
    text = str(error)
    cause, remedy = next((found for part, found in _BY_TEXT.items() if part in text), ("", ""))
    if path is not None and any(part in text for part in _WRITING):
        cause, remedy = _cause(path) or (cause, remedy)
    return LedgerUnavailable(
        Problem(
            code="ledger.unavailable",
            subject="ledger",
            seen=f"{text} ({cause})" if cause and cause not in text else text,
            expected="a ledger that can be written",
            remedy=remedy,
        )
    )


def _cause(path: Path) -> tuple[str, str] | None:
    """Return why a file cannot be written, and what to do; None if it seems that it can."""
    try:
        disk = os.statvfs(path)
    except OSError:
        return None
    if disk.f_flag & os.ST_RDONLY:
        return _READ_ONLY_DISK
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK | os.X_OK):
        return _NOT_ALLOWED
    if disk.f_bavail * disk.f_frsize < LEAST_FREE_BYTES or (disk.f_files and not disk.f_favail):
        return _FULL
    return None
