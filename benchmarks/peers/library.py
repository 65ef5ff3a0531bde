"""A peer that is a Python library: its driver runs in a process with the peer's own Python."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.installing import environment, run, version
from benchmarks.peers.peer import Facts, Issued, from_pem, to_pem

DRIVERS = Path(__file__).with_name("drivers").absolute()


@dataclass(frozen=True, slots=True)
class Library:
    """A package of the Python Package Index and the driver that issues with it.

    A driver is given the folder in which it works. In it, ``requests.json`` is a list of requests (PEM), the first for
    warming up. The driver writes ``issued.json``: an object with ``certificates`` and ``issuer`` (PEM), ``seconds`` and
    ``stored``, without the certificate made to warm up.
    """

    facts: Facts
    package: str
    requirement: str
    driver: str

    def install(self) -> str:
        """Install the package into a virtual environment of its own; return its version."""
        return f"{self.package} {version(self._python(), self.package)}"

    def issue(self, warm_up: bytes, requests: Sequence[bytes], folder: Path) -> Issued:
        """Run the driver over the requests, and read what it made."""
        (folder / "requests.json").write_text(json.dumps([to_pem(request) for request in (warm_up, *requests)]))
        run([self._python(), "-I", DRIVERS / self.driver, folder.absolute()])
        made = json.loads((folder / "issued.json").read_text())
        return Issued(
            certificates=[from_pem(certificate.encode()) for certificate in made["certificates"]],
            issuer=from_pem(made["issuer"].encode()),
            seconds=made["seconds"],
            stored=made["stored"],
        )

    def _python(self) -> Path:
        return environment(self.package, self.requirement)
