"""Parsing of untrusted JSON, with limits."""

from __future__ import annotations

import json
from typing import Any

from smki.pki.pem import MAX_INPUT_BYTES
from smki.problem import Malformed, Problem

_MAX_DIGITS = 64


def read_json_object(text: str | bytes, name: str) -> dict[str, Any]:
    """Parse a JSON object (RFC 8259).

    :param name: the name of the input in errors.
    :raises Malformed: if it is too large, nested too deeply, not JSON or not an object, or has a duplicate name or a
        number
        of more than 64 digits.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        if len(text) > MAX_INPUT_BYTES:
            raise Malformed(_not_json("input.too-large", name, f"{len(text)} characters", f"at most {MAX_INPUT_BYTES}"))
        value = json.loads(
            text, object_pairs_hook=_without_repetition, parse_int=_number, parse_float=_float, parse_constant=_constant
        )
    except RecursionError:
        raise Malformed(_not_json("json.malformed", name, "objects nested too deeply", "a few levels")) from None
    except ValueError as error:
        raise Malformed(_not_json("json.malformed", name, str(error)[:200], "JSON in UTF-8")) from None
    if not isinstance(value, dict):
        raise Malformed(_not_json("json.not-an-object", name, f"a {type(value).__name__}", "an object"))
    return value


def _not_json(code: str, name: str, seen: str, expected: str) -> Problem:
    return Problem(code=code, subject=name, seen=seen, expected=expected, clause="RFC 8259")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"duplicate name {twice[:60]!r} in an object")
    return found


def _number(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _float(digits: str) -> float:
    _number("0" * len(digits))
    return float(digits)


def _constant(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")
