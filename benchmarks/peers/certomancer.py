"""Certomancer: a PKI for tests, described by a configuration."""

from __future__ import annotations

import sys

from benchmarks.peers.library import Library
from benchmarks.peers.peer import Facts

PEERS = (
    Library(
        Facts(
            name="Certomancer, mass-summon",
            stores="a PEM file each, not synchronised; takes public keys from files, so verifies no request",
            keeps=True,
            at_once=sys.maxsize,
            most=1000,
        ),
        "certomancer",
        "certomancer>=0.16,<1",
        "run_certomancer.py",
    ),
)
