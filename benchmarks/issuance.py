"""Issuing certificates in process, each durable before it is handed out: one at a time, by several callers, in batches."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from benchmarks.generator import ACTOR, device_id, make_requests
from benchmarks.measurement import Measurement, peak_memory
from benchmarks.raw import limits
from smki import Application, CertificateKind, DeviceType, Issued, KeyUsage, Smki
from smki.registration import Actor
from smki.registration.devices import AddDevices
from smki.sec.device import Device
from smki.workers import Workers, available_cores

COUNT = 3_000
IN_BATCHES = 50_000
PIECE = 1_000

CALLERS = 8


def requests(count: int) -> list[bytes]:
    """Certification requests of as many Devices of the inventory, made on every core."""
    usages = (KeyUsage.DIGITAL_SIGNATURE,)
    with Workers() as workers:
        made = [
            workers.submit(make_requests, start, min(PIECE, count - start), usages) for start in range(0, count, PIECE)
        ]
        return [request for each in made for request in each.result()]


def application(request: bytes) -> Application:
    """The large supplier's application with it."""
    return Application(kind=CertificateKind.DEVICE, request=request)


def inventory(smki: Smki, count: int) -> None:
    """Add the Devices to the inventory."""
    devices = tuple(Device(device_id(number), DeviceType.ESME) for number in range(count))
    smki.registration.execute(AddDevices(devices), Actor(interface="benchmark"))


def rate_of_callers(directory: Path, callers: int) -> float:
    """Certificates a second, that many callers applying at once, for one certificate at a time each."""
    made = requests(COUNT)
    with Smki.create(directory) as smki:
        inventory(smki, COUNT)
        smki.issue(application(make_requests(0, 1)[0]), ACTOR)

        def issue(part: int) -> None:
            for request in made[part::callers]:
                smki.issue(application(request), ACTOR)

        threads = [threading.Thread(target=issue, args=(part,)) for part in range(callers)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return COUNT / (time.perf_counter() - start)


def rate_in_batches(directory: Path) -> tuple[float, float]:
    """Certificates a second from DER to committed, on all cores, and by how many MB this process grew at most."""
    made = requests(IN_BATCHES)
    with Smki.create(directory) as smki:
        inventory(smki, IN_BATCHES)
        before = peak_memory()
        start = time.perf_counter()
        issued = sum(isinstance(outcome, Issued) for outcome in smki.issue_devices(made, applicant="LARGE-SUPPLIER"))
        seconds = time.perf_counter() - start
        assert issued == IN_BATCHES
        return IN_BATCHES / seconds, (peak_memory() - before) / 1e6


def milliseconds_of_a_device() -> float:
    """How long a Device with both certificates takes in memory, with its keys and requests."""
    with Smki.in_memory() as smki:
        count = 300
        inventory(smki, count)
        start = time.perf_counter()
        for number in range(count):
            for usage in (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT):
                _, request = smki.make_device_request(device_id(number), usage)
                smki.issue_device(request, applicant="LARGE-SUPPLIER")
        return (time.perf_counter() - start) * 1000 / count


def run() -> list[Measurement]:
    """One caller, several at once, and batches, on this disk; and a Device in memory."""
    limit = limits()
    raw, cores = limit["verify_and_sign"], available_cores()
    floor = 1 / (1 / raw + 1 / limit["commit"])
    of_device = 1000 * (4 / limit["sign"] + 2 / limit["verify"] + 2 / limit["generate"])
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        one = rate_of_callers(Path(directory) / "one", 1)
        several = rate_of_callers(Path(directory) / "several", CALLERS)
        batches, grown = rate_in_batches(Path(directory) / "batches")
    return [
        Measurement("issue a Device Certificate, durable, one caller", one, "/s", floor / 2, floor, "raw: with a commit"),
        Measurement(f"the same, {CALLERS} callers at once", several, "/s", 0.35 * raw, raw),
        Measurement(
            f"{IN_BATCHES:,} Device requests in batches, durable", batches, "/s", 0.45 * cores * raw, cores * raw,
            f"raw: on {cores} cores; grown by {grown:.0f} MB",
        ),
        Measurement("a Device with both certificates, in memory", milliseconds_of_a_device(), "ms", 3 * of_device, of_device),
    ]  # fmt: skip
