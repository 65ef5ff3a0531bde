"""Fills a ledger with very many Device Certificates, in minutes, by applying for them in batches."""

from __future__ import annotations

import itertools
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from smki import Application, CertificateKind, DeviceType, EntityIdentifier, Issued, KeyUsage, Smki
from smki.keys.private_key import SystemRandomness
from smki.pki.request import make_device_request
from smki.registration import Actor
from smki.workers import Workers

USAGES = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)
DEVICES_AT_A_TIME = 250
AHEAD = 8
FIRST_DEVICE = 0x00DB_1234_0000_0000
ACTOR = Actor(interface="benchmark", party="LARGE-SUPPLIER")


def device_id(number: int) -> EntityIdentifier:
    """The Device with that number, from 0."""
    return EntityIdentifier((FIRST_DEVICE + number).to_bytes(8, "big"))


def fill(home: Path, certificates: int) -> list[float]:
    """Make an SMKI with that many Device Certificates, two for each Device, and return how many a second were issued in
    each tenth of the time that it took. Says on standard error how far it is."""
    with Smki.create(home) as smki, Workers() as workers:
        times = [time.perf_counter()]
        tenth = max(1, certificates // 10)
        applications = (
            Application(kind=CertificateKind.DEVICE, request=request, device_type=DeviceType.ESME)
            for request in _requests(workers, certificates // len(USAGES))
        )
        for done, (_, outcome) in enumerate(smki.apply_all(applications, ACTOR), start=1):
            assert isinstance(outcome, Issued), outcome
            if done % tenth == 0:
                times.append(time.perf_counter())
                if sys.stderr.isatty():
                    rate = tenth / (times[-1] - times[-2])
                    print(f"\r{done:,} certificates, {rate:,.0f} a second", end="", file=sys.stderr)
        return [tenth / (after - before) for before, after in itertools.pairwise(times)]


def _requests(workers: Workers, devices: int) -> Iterator[bytes]:
    """Requests of so many Devices, two for each."""
    waiting: deque[Future[list[bytes]]] = deque()
    for start in range(0, devices, DEVICES_AT_A_TIME):
        waiting.append(workers.submit(make_requests, start, min(DEVICES_AT_A_TIME, devices - start)))
        if len(waiting) > AHEAD:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


def make_requests(first: int, count: int, usages: tuple[KeyUsage, ...] = USAGES) -> list[bytes]:
    """Return a request (DER) with a new key for each Device and usage."""
    draw = SystemRandomness()
    return [
        make_device_request(draw.private_key(""), device_id(number), usage)
        for number in range(first, first + count)
        for usage in usages
    ]
