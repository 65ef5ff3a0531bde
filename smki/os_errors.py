"""What to do about an error of the operating system: the remedy has to fit its cause."""

from __future__ import annotations

import errno

_FULL = "Free some space on that disk, or write to another one."
_DENIED = "Give this user access to it (chown, chmod), or run smki as the user who owns it."

_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: "This user's quota on that disk is used up: remove files, have it raised, or write to another disk.",
    errno.EFBIG: "The file would be larger than this user or that file system allows (ulimit -f): have that raised.",
    errno.EROFS: "That file system is read-only: have it mounted so that it can be written, or write elsewhere.",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EIO: "The disk reports an error: look in the log of the system.",
    errno.EMFILE: "Too many files are open: have the limit raised (ulimit -n).",
    errno.ELOOP: "Name the file itself, or remove the link.",
    errno.EISDIR: "Name a file in it.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}

DISK_IS_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors for which there is no room for what is to be written."""


def remedy_for(error: OSError) -> str:
    """Return what to do about an error with a file."""
    return _REMEDIES.get(error.errno or 0, "Name an existing file that the user may read or write.")
