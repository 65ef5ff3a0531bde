"""The SMKI, in the same frame as its peers."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.generator import ACTOR
from benchmarks.issuance import application, inventory
from benchmarks.peers.peer import Facts, Issued
from smki import CertificateKind, Smki
from smki import Issued as IssuedHere

CALLERS = 8

Issue = Callable[[Smki, Sequence[bytes]], list[bytes]]
"""Issues for requests (DER); returns the certificates (DER) in their order."""


def one_caller(smki: Smki, requests: Sequence[bytes]) -> list[bytes]:
    """Apply for one certificate after the other."""
    return [smki.issue(application(request), ACTOR).record.der for request in requests]


def several_callers(smki: Smki, requests: Sequence[bytes]) -> list[bytes]:
    """Apply from several threads, each for one certificate after the other."""
    made: list[list[bytes]] = [[] for _ in range(CALLERS)]

    def apply(part: int) -> None:
        made[part] = one_caller(smki, requests[part::CALLERS])

    threads = [threading.Thread(target=apply, args=(part,)) for part in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [made[number % CALLERS][number // CALLERS] for number in range(len(requests))]


def in_batches(smki: Smki, requests: Sequence[bytes]) -> list[bytes]:
    """Apply for all certificates at once."""
    outcomes = smki.issue_devices(requests, applicant=ACTOR.party)
    return [outcome.record.der for outcome in outcomes if isinstance(outcome, IssuedHere)]


@dataclass(frozen=True, slots=True)
class Ours:
    """An SMKI on disk, with one way of applying for many certificates."""

    facts: Facts
    apply: Issue

    def install(self) -> str:
        """Return the version."""
        return f"smki {version('smki')}"

    def issue(self, warm_up: bytes, requests: Sequence[bytes], folder: Path) -> Issued:
        """Create an SMKI, add the Devices to the inventory, then issue with every check."""
        with Smki.create(folder / "pki") as smki:
            inventory(smki, 1 + len(requests))
            one_caller(smki, [warm_up])
            before = smki.ledger.count_certificates()
            begin = time.perf_counter()
            certificates = self.apply(smki, requests)
            seconds = time.perf_counter() - begin
            issuer = smki.hierarchy.issuing(smki.ledger, CertificateKind.DEVICE)[0].certificate.der
            stored = smki.ledger.count_certificates() - before
            return Issued(certificates=certificates, issuer=issuer, seconds=seconds, stored=stored)


def _facts(name: str, at_once: int) -> Facts:
    stores = "SQLite: application, certificate, audit event; durable before it is handed out"
    return Facts(name=f"smki, {name}", stores=stores, keeps=True, at_once=at_once)


OURS = (
    Ours(_facts("one caller", 1), one_caller),
    Ours(_facts(f"{CALLERS} callers at once", CALLERS), several_callers),
    Ours(_facts("all at once", sys.maxsize), in_batches),
)
"""Each a function and what its figure says. One that is given all requests at once has ``sys.maxsize`` of them in hand."""
