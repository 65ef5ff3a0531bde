"""The markers of the pytest plugin: what they accept, and the errors for the rest.

Imports nothing of smki until a marker is used, like the plugin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from smki.home.smki import Smki

SMKI_OF_TEST: pytest.StashKey[Smki] = pytest.StashKey()
"""In the stash of a test: its SMKI, as long as there is one."""

MARKERS = (
    "smki(seed=TEXT, at=MOMENT): make the fixture smki of the test from that seed, beginning at that moment "
    "(UTC; a datetime, a date or ISO 8601)",
    "smki_defects(*PATTERNS, device=None, lists=False, requests=False, allowed=False): select the defects that the "
    "fixture defective_certificate goes through",
)


def smki_options(item: pytest.Item) -> dict[str, Any]:
    """The arguments ``seed`` and ``at`` of the marker ``smki`` on a test; empty where it has no such marker.

    Fails the test when they are not valid.
    """
    marker = item.get_closest_marker("smki")
    if marker is None:
        return {}
    from smki.problem import Malformed
    from smki.testing.clock import moment_of

    if marker.args or set(marker.kwargs) - {"seed", "at"} or not isinstance(marker.kwargs.get("seed"), str | None):
        pytest.fail(_wrong(item.nodeid, marker, "expected seed=TEXT and at=MOMENT, by name"), pytrace=False)
    if marker.kwargs.get("at") is not None:
        try:
            moment_of(marker.kwargs["at"])
        except Malformed as error:
            pytest.fail(_wrong(item.nodeid, marker, str(error)), pytrace=False)
    return dict(marker.kwargs)


def selected_defects(metafunc: pytest.Metafunc) -> Sequence[Any]:
    """The defects that the marker ``smki_defects`` selects for a test; without the marker, the default selection.

    :raises CollectError: when the arguments are not valid, or a pattern selects nothing.
    """
    from smki.problem import SmkiError
    from smki.testing.defective import select_defects

    definition = metafunc.definition
    marker = definition.get_closest_marker("smki_defects")
    if marker is None:
        return list(select_defects())
    try:
        return list(select_defects(marker.args, **marker.kwargs))
    except TypeError as error:
        wrong = f"expected patterns, device, lists, requests, allowed ({error})"
    except SmkiError as error:
        wrong = str(error)
    raise pytest.Collector.CollectError(_wrong(definition.nodeid, marker, wrong))


def _wrong(nodeid: str, marker: pytest.Mark, wrong: str) -> str:
    arguments = [repr(argument) for argument in marker.args]
    arguments += [f"{name}={value!r}" for name, value in marker.kwargs.items()]
    return f"{nodeid}: @pytest.mark.{marker.name}({', '.join(arguments)}): {wrong}"
