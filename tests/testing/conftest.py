"""The defects, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from smki.cli.defects import SEEDED_MOMENT
from smki.testing.defects import DEFECTS, SamplePki
from smki.testing.defects.write import write_defects


@pytest.fixture(scope="session")
def pki() -> SamplePki:
    return SamplePki(SEEDED_MOMENT, "tests")


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory, pki: SamplePki) -> Path:
    """A directory with all defects."""
    directory = tmp_path_factory.mktemp("defects")
    assert write_defects(directory, pki, DEFECTS) == len(DEFECTS)
    return directory
