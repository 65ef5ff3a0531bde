"""A real Repository on a free loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smki import Smki
from tests.repository.rest_support import Api, api_of
from tests.repository.support import Served, serving


@pytest.fixture(scope="module")
def served(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Repository served by the real command, over a home with a few certificates in it."""
    import shutil

    home = tmp_path_factory.mktemp("served") / "pki"
    shutil.copytree(made_home, home)
    with serving(home) as served, Smki.open(home) as smki:
        yield Served(served.url, home, smki, served.process)


@pytest.fixture(scope="module")
def api(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The REST interface of a home of the module's own."""
    import shutil

    home = tmp_path_factory.mktemp("rest") / "pki"
    shutil.copytree(made_home, home)
    opened = api_of(home)
    with opened.smki:
        yield opened
