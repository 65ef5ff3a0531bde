"""Conformance vectors: for testing somebody else's Relying Party. docs/vectors.md describes their format."""

from __future__ import annotations

from collections.abc import Iterator

from smki.testing.vectors.case import Case
from smki.testing.vectors.cases_lists import currency, genuineness, revoked, suspicion
from smki.testing.vectors.cases_path import authorities, links, names, times, uses
from smki.testing.vectors.cases_profile import broken, good
from smki.testing.vectors.catalogue import defects
from smki.testing.vectors.setting import Setting
from smki.testing.vectors.world import World

__all__ = ["Case", "cases"]


def cases(seed: str = "vectors") -> Iterator[Case]:
    """Every case, in the order in which trust is decided; the same octets for the same seed."""
    setting = Setting(World(seed))
    for group in (good, broken, links, names, authorities, times, revoked, currency, genuineness, suspicion, uses):
        yield from group(setting)
    yield from defects(seed)
