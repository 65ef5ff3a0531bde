"""Range requests: which of them are ignored (RFC 9110 14.2)."""

from __future__ import annotations

from flask import request


def ignore_unknown_ranges() -> None:
    """Ignore a Range header with an unknown unit or on another method than GET, so that the whole is returned."""
    wanted = request.environ.get("HTTP_RANGE")
    if wanted is not None:
        unit = wanted.partition("=")[0].strip().lower()
        if unit != "bytes" or request.method != "GET":
            del request.environ["HTTP_RANGE"]
