"""Conformance vectors for testing other Relying Parties, a view of the catalogue of defects.

docs/vectors.md describes their format.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from smki.testing.defects import Case, SamplePki
from smki.testing.vectors.lists import currency, genuineness, revoked, suspicion
from smki.testing.vectors.path import impostors, issuers, names, times, uses
from smki.testing.vectors.views import defects, good, variations

__all__ = ["MOMENT", "Case", "cases"]

MOMENT = datetime(2026, 6, 15, 12, 0, 0, tzinfo=UTC)
"""The moment of judgement where a case needs no other: fixed, so that a seed always makes the same bytes."""


def cases(seed: str = "vectors") -> Iterator[Case]:
    """Every case, reproducibly for the same seed."""
    pki = SamplePki(MOMENT, seed)
    for group in (
        good, variations, issuers, names, impostors, times, revoked, currency, genuineness, suspicion, uses, defects
    ):  # fmt: skip
        yield from group(pki)
