"""The error for what cannot be read from a ledger because it was changed by hand or damaged."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TypeVar

from smki.problem import IntegrityError, Malformed, Problem, SmkiError

T = TypeVar("T")

UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    SmkiError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What conversions of values raise for values that smki does not write."""


def damaged_row(table: str, key: object, reason: object) -> IntegrityError:
    """Return the error for a row that cannot be read.

    :param key: what identifies the row in its table: an id, the bytes of a serial number or Device ID, a name.
    :param reason: what is wrong with it, as text or as the error that its conversion raised.
    """
    if isinstance(reason, SmkiError):
        reason = reason.problems[0].seen
    elif not isinstance(reason, ValueError | str) or not str(reason):
        reason = "a value that smki does not write"
    return IntegrityError(
        Problem(
            code="ledger.row",
            subject=f"{table} {key.hex().upper() if isinstance(key, bytes) else key}"[:120],
            seen=f"cannot be read: {reason}"[:240],
            expected="a row as smki writes it",
        )
    )


def read_stored(table: str, key: object, encoded: bytes, read: Callable[[bytes], T]) -> T:
    """Return what the DER in a row contains.

    :param read: reads it, for instance ``Certificate.from_der``.
    :raises IntegrityError: if *read* raises Malformed.
    """
    try:
        return read(encoded)
    except Malformed as error:
        raise damaged_row(table, key, error) from None
