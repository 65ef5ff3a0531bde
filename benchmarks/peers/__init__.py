"""Issuing for the same requests by the SMKI and by what somebody would take instead, side by side in one run.

All are given the same certification requests of Devices (DER or PEM, ECDSA P-256), made once. Slow peers are given fewer,
and their figures say so. Each takes its turn several times, and the figure is the median. Certificates of every turn are
verified, and those stored are counted. Peers are installed below ``build/peers``; docs/benchmarks.md describes them.
"""

from __future__ import annotations

import statistics
import sys
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
    """Certificates a second of each peer and of the SMKI; raw is verifying a request and signing a certificate."""
    return compare(PEERS, OURS, requests(1 + REQUESTS), TURNS, limits()["verify_and_sign"])


def compare(
    peers: Sequence[Peer], ours: Sequence[Peer], made: Sequence[bytes], turns: int, raw: float
) -> list[Measurement]:
    """Measure everybody with the same requests (DER), of which the first is for warming up.

    The goal of ours is the fastest peer that keeps what it issued. With one caller it is compared with peers that have
    one request in hand at a time, and so on.

    :raises NotMeasuredError: if one of ours fails. A peer that fails is skipped, and its note says why.
    """
    versions: dict[Peer, str] = {}
    skipped: dict[Peer, str] = {}
    rates: dict[Peer, list[float]] = {}
    for peer in (*peers, *ours):
        try:
            versions[peer] = peer.install()
        except NotMeasuredError as error:
            skipped[peer] = str(error)
    for turn in range(turns):
        for peer in versions:
            if peer in skipped:
                continue
            if sys.stderr.isatty():
                print(f"\r\033[Kturn {turn + 1} of {turns}: {peer.facts.name}", end="", file=sys.stderr, flush=True)
            try:
                rates.setdefault(peer, []).append(_rate(peer, made[0], made[1:][: peer.facts.most]))
            except NotMeasuredError as error:
                if peer in ours:
                    raise
                skipped[peer] = str(error)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    medians = {peer: statistics.median(found) for peer, found in rates.items() if peer not in skipped}
    measurements = []
    for peer in (*peers, *ours):
        if peer in skipped:
            measurements.append(Measurement(peer.facts.name, None, "/s", note=f"not measured: {skipped[peer]}"))
            continue
        goal = _goal(peer, {other: medians[other] for other in peers if other in medians}) if peer in ours else None
        note = _note(peer, versions[peer], rates[peer], len(made) - 1)
        measurements.append(Measurement(peer.facts.name, medians[peer], "/s", goal, raw, note))
    return measurements


def _goal(ours: Peer, medians: dict[Peer, float]) -> float | None:
    """The rate of the fastest peer that keeps what it issued and has no more requests in hand; None if there is none."""
    rivals = (peer for peer in medians if peer.facts.keeps and peer.facts.at_once <= ours.facts.at_once)
    return max((medians[peer] for peer in rivals), default=None)


def _note(peer: Peer, version: str, found: Sequence[float], count: int) -> str:
    most = peer.facts.most
    fewer = f", {most:,} of the {count:,} requests" if most is not None and most < count else ""
    spread = f"{min(found):,.0f} to {max(found):,.0f} in {len(found)} turns{fewer}"
    return f"stores {peer.facts.stores}\n    {version}; {spread}"


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
