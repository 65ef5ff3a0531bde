"""trustme: certificates for tests, in memory."""

from __future__ import annotations

from benchmarks.peers.library import Library
from benchmarks.peers.peer import Facts

PEERS = (
    Library(
        Facts(
            name="trustme",
            stores="nothing; takes no requests and makes the keys itself",
            keeps=False,
            at_once=1,
            has_own_keys=True,
        ),
        "trustme",
        "trustme>=1.2,<2",
        "run_trustme.py",
    ),
)
