"""The directory in which the workers of one server count requests together, so that each reports all of them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from smki.leftovers import temporary_directory
from smki_repository.options import SHARED_COUNTS

COUNTS_BYTES = 1024 * 1024
"""Size of a worker's file of counts. All routes, methods and statuses need a tenth of it."""

_FILES = ("counter", "histogram")

_log = logging.getLogger("smki.server")


@contextmanager
def shared_counts() -> Iterator[None]:
    """Set up the directory for workers that are started in this context. Without room for it each counts for itself."""
    with ExitStack() as stack:
        try:
            os.environ[SHARED_COUNTS] = str(stack.enter_context(temporary_directory("metrics")))
        except OSError as error:
            _log.warning("each worker counts its requests for itself: %s", error)
        try:
            yield
        finally:
            os.environ.pop(SHARED_COUNTS, None)


def reserve_counts() -> None:
    """Allocate the files in which this worker counts; without room for them it counts for itself.

    prometheus_client maps files into memory that are mostly holes. On a full disk the kernel would kill the worker when it
    counts something new.
    """
    if SHARED_COUNTS not in os.environ:
        return
    files = [Path(os.environ[SHARED_COUNTS]) / f"{kind}_{os.getpid()}.db" for kind in _FILES]
    try:
        for file in files:
            with file.open("xb") as opened:
                os.posix_fallocate(opened.fileno(), 0, COUNTS_BYTES)
    except OSError as error:
        _log.warning("this worker counts its requests for itself: %s", error)
        for file in files:
            file.unlink(missing_ok=True)
        del os.environ[SHARED_COUNTS]
