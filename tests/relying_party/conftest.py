"""The conformance vectors, made once."""

from __future__ import annotations

import pytest

from smki.testing.vectors import Case, cases


@pytest.fixture(scope="session")
def all_cases() -> list[Case]:
    """Every conformance vector."""
    return list(cases())


@pytest.fixture(scope="session")
def case_named(all_cases: list[Case]) -> dict[str, Case]:
    """The same by name."""
    return {case.name: case for case in all_cases}
