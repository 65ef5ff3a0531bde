"""Issuing for the same requests by the SMKI and by what somebody would take instead, side by side in one run.

All are given the same certification requests of Devices (DER or PEM, ECDSA P-256), made once. Slow peers are given fewer,
and their figures say so. Each takes its turn several times, and the figure is the median. Certificates of every turn are
verified, and those stored are counted. Peers are installed below ``build/peers``; docs/benchmarks.md describes them.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from benchmarks.issuance import requests
from benchmarks.measurement import Measurement
from benchmarks.peers import certomancer, cfssl, django_ca, openssl, trustme
from benchmarks.peers.ours import OURS
from benchmarks.peers.peer import Issued, NotMeasuredError, Peer
from benchmarks.raw import limits

REQUESTS = 5000
TURNS = 3
SAMPLE = 50
"""Number of certificates of a turn that are verified."""

PEERS: tuple[Peer, ...] = (*openssl.PEERS, *cfssl.PEERS, *django_ca.PEERS, *certomancer.PEERS, *trustme.PEERS)


def run() -> list[Measurement]:
    """Certificates a second of each peer and of the SMKI, whose goal is the fastest peer that keeps what it issued.

    With one caller it is compared with peers that have one request in hand at a time, and so on.
    """
    versions: dict[Peer, str] = {}
    skipped: dict[Peer, str] = {}
    for peer in (*PEERS, *OURS):
        try:
            versions[peer] = peer.install()
        except NotMeasuredError as error:
            skipped[peer] = str(error)
    warm_up, *made = requests(1 + REQUESTS)
    rates: dict[Peer, list[float]] = {peer: [] for peer in versions}
    for _ in range(TURNS):
        for peer in versions:
            if peer in skipped:
                continue
            try:
                rates[peer].append(_rate(peer, warm_up, made[: peer.facts.most]))
            except NotMeasuredError as error:
                if peer in OURS:
                    raise
                rates[peer].clear()
                skipped[peer] = str(error)
    return [
        _skipped(peer, skipped[peer]) if peer in skipped else _measurement(peer, versions[peer], rates)
        for peer in (*PEERS, *OURS)
    ]


def _rate(peer: Peer, warm_up: bytes, made: Sequence[bytes]) -> float:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        issued = peer.issue(warm_up, made, Path(folder))
    _verify(peer, made, issued)
    return len(made) / issued.seconds


def _verify(peer: Peer, made: Sequence[bytes], issued: Issued) -> None:
    """Check that the peer did what is measured.

    :raises NotMeasuredError: if it did not.
    """
    if len(set(issued.certificates)) != len(made):
        raise NotMeasuredError(f"{len(set(issued.certificates))} certificates for {len(made)} requests")
    if issued.stored != (len(made) if peer.facts.keeps else 0):
        raise NotMeasuredError(f"{issued.stored} certificates are stored for {len(made)} requests")
    issuer = x509.load_der_x509_certificate(issued.issuer)
    for number in range(0, len(made), max(1, len(made) // SAMPLE)):
        certificate = x509.load_der_x509_certificate(issued.certificates[number])
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise NotMeasuredError(f"a certificate does not verify: {error!r}") from error
        request = x509.load_der_x509_csr(made[number])
        if certificate.public_key() != request.public_key() and not peer.facts.has_own_keys:
            raise NotMeasuredError("a certificate has another public key than its request")


def _measurement(peer: Peer, version: str, rates: dict[Peer, list[float]]) -> Measurement:
    facts, found = peer.facts, rates[peer]
    goal = None
    if peer in OURS:
        others = [other for other in PEERS if other.facts.keeps and other.facts.at_once <= facts.at_once]
        goal = max((statistics.median(rates[other]) for other in others if rates.get(other)), default=None)
    count = "" if facts.most is None or facts.most >= REQUESTS else f", {facts.most} requests only"
    note = f"stores {facts.stores}\n    {version}; {min(found):,.0f} to {max(found):,.0f} in {len(found)} turns{count}"
    return Measurement(facts.name, statistics.median(found), "/s", goal, limits()["verify_and_sign"], note)


def _skipped(peer: Peer, reason: str) -> Measurement:
    return Measurement(peer.facts.name, None, "/s", note=f"not measured: {reason}")
