"""The markers of the pytest plugin, read and checked. Like the plugin it imports nothing of smki until there is one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

MARKERS = (
    "smki(seed=TEXT, at=MOMENT): give the test an SMKI of its own, made from that seed and beginning at that moment "
    "(UTC; a datetime or ISO 8601)",
    "smki_defects(*PATTERNS, device=None, lists=False, requests=False, allowed=False): which defects the fixture "
    "defective_certificate goes through",
)


@dataclass(frozen=True, slots=True)
class World:
    """From what an SMKI for tests is made."""

    seed: str
    at: datetime | None = None
    """None for the usual beginning of a seeded SMKI."""


def marked_world(metafunc: pytest.Metafunc, seed_of_run: str) -> World | None:
    """What the marker ``smki`` asks for; None where there is none.

    :raises CollectError: when it makes no sense.
    """
    marker = metafunc.definition.get_closest_marker("smki")
    if marker is None:
        return None
    seed, at = marker.kwargs.get("seed"), marker.kwargs.get("at")
    if marker.args or set(marker.kwargs) - {"seed", "at"} or not isinstance(seed, str | None):
        raise _wrong_mark(metafunc, "smki", "expected seed=TEXT and at=MOMENT, by name")
    return World(seed_of_run if seed is None else seed, _moment(metafunc, at) if at is not None else None)


def _moment(metafunc: pytest.Metafunc, at: Any) -> datetime:
    from smki.problem import Malformed
    from smki.testing.clock import moment_of

    try:
        return moment_of(at)
    except Malformed as error:
        raise _wrong_mark(metafunc, "smki", str(error)) from None


def world_id(world: World) -> Any:
    """What to call a test that was marked."""
    # Marking a test is not to change its name, where pytest can hide the parameter (from 8.4 on).
    return getattr(pytest, "HIDDEN_PARAM", world.seed)


def marked_defects(metafunc: pytest.Metafunc) -> list[Any]:
    """The defects that the marker ``smki_defects`` asks for, or those that a test is about without it.

    :raises CollectError: when it makes no sense, or a pattern chooses none.
    """
    from smki.problem import SmkiError
    from smki.testing.defective import select_defects

    marker = metafunc.definition.get_closest_marker("smki_defects")
    if marker is None:
        return list(select_defects())
    try:
        return list(select_defects(marker.args, **marker.kwargs))
    except TypeError as error:
        raise _wrong_mark(
            metafunc, "smki_defects", f"expected patterns, device, lists, requests, allowed ({error})"
        ) from None
    except SmkiError as error:
        raise _wrong_mark(metafunc, "smki_defects", str(error)) from None


def _wrong_mark(metafunc: pytest.Metafunc, name: str, wrong: str) -> Exception:
    marker = metafunc.definition.get_closest_marker(name)
    assert marker is not None
    words = [repr(argument) for argument in marker.args]
    words += [f"{key}={value!r}" for key, value in marker.kwargs.items()]
    text = f"{metafunc.definition.nodeid}: @pytest.mark.{name}({', '.join(words)}): {wrong}"
    return pytest.Collector.CollectError(text)
