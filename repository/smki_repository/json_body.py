"""Reading JSON from request bodies."""

from __future__ import annotations

import json
from typing import Any

from smki.problem import Malformed, Problem


def read_json(encoded: bytes) -> Any:
    """Parse a JSON text (RFC 8259).

    :raises ValueError: if it is not JSON; NaN and Infinity are not.
    :raises RecursionError: if it is nested too deeply.
    :raises Malformed: if an object has a key more than once. Implementations differ in which value they use.
    """
    return json.loads(encoded, object_pairs_hook=_object, parse_constant=_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in found if names.count(name) > 1)
        raise Malformed(
            Problem(
                code="body.field-repeated",
                subject="request body",
                seen=f"{repeated[:64]!r} more than once in an object",
                expected="each key once",
            )
        )
    return found


def _constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")
