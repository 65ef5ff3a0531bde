"""Helpers for commands that change a record: unchanged fields, and the description of a change for its event."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from smki.problem import Malformed, Problem
from smki.sec.device import DeviceType

T = TypeVar("T")


class Unchanged(enum.Enum):
    """The type of :data:`UNCHANGED`."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED
"""The value of a command's field that stays as it is. (None means that the field is to be removed.)"""


def given_fields(**fields: Any) -> dict[str, Any]:
    """Return the fields that are not :data:`UNCHANGED`, for :func:`dataclasses.replace`."""
    return {name: value for name, value in fields.items() if value is not UNCHANGED}


def with_changes(subject: str, before: frozenset[T], add: frozenset[T], remove: frozenset[T]) -> frozenset[T]:
    """Return a set with members added and removed. Adding one that is there, or removing one that is not, is no error.

    :param subject: what the set is, for the error message.
    :raises Malformed: if a member is both added and removed.
    """
    both = sorted(each.name if isinstance(each, DeviceType) else str(each) for each in add & remove)
    if both:
        expected = "each of them added or removed, not both"
        raise Malformed(
            Problem(
                code="change.contradiction",
                subject=subject,
                seen=f"{', '.join(both)} added and removed",
                expected=expected,
            )
        )
    return (before | add) - remove


def from_to(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return each field that differs, with its value before and after, for the content of an event."""
    return {
        name: {"from": before.get(name), "to": after.get(name)}
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def change_text(content: Mapping[str, Any]) -> str:
    """Return the result of :func:`from_to` as one line of text."""
    return "; ".join(f"{name} {_shown(change['to'])}" for name, change in content.items())


def _shown(value: Any) -> str:
    if value is None:
        return "removed"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
