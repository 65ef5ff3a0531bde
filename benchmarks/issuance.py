"""Issuing certificates in process, each durable before it is handed out."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from benchmarks.measurement import Measurement
from benchmarks.raw import limits
from smki import Application, CertificateKind, DeviceType, EntityIdentifier, KeyUsage, Smki
from smki.keys.private_key import SystemRandomness
from smki.pki.request import make_device_request
from smki.registration import Actor
from smki.registration.devices import AddDevices
from smki.sec.device import Device

COUNT = 3000
ACTOR = Actor(interface="benchmark", party="LARGE-SUPPLIER")


def requests(count: int) -> list[bytes]:
    """Certification requests of as many Devices of the inventory."""
    randomness = SystemRandomness()
    entities = [EntityIdentifier(number.to_bytes(8, "big")) for number in range(count)]
    return [make_device_request(randomness.private_key(""), entity, KeyUsage.DIGITAL_SIGNATURE) for entity in entities]


def application(request: bytes) -> Application:
    """The large supplier's application with it."""
    return Application(kind=CertificateKind.DEVICE, request=request)


def inventory(smki: Smki) -> None:
    """Add the Devices to the inventory."""
    entities = (EntityIdentifier(number.to_bytes(8, "big")) for number in range(COUNT))
    devices = tuple(Device(entity, DeviceType.ESME) for entity in entities)
    smki.registration.execute(AddDevices(devices), Actor(interface="benchmark"))


def issuance_rate(directory: Path, callers: int) -> float:
    """Certificates a second, that many callers applying at once, for one certificate at a time each."""
    made = requests(COUNT)
    with Smki.create(directory) as smki:
        inventory(smki)
        smki.issue(application(requests(1)[0]), ACTOR)

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


def run() -> list[Measurement]:
    """One caller, and several at once, on this disk; and one caller in memory, which shows what the disk costs."""
    raw = limits()["verify_and_sign"]
    figures = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        for callers in (1, 8):
            who = "one caller" if callers == 1 else f"{callers} callers at once"
            value = issuance_rate(Path(directory) / f"pki{callers}", callers)
            figures.append(Measurement(f"issue a Device Certificate, durable, {who}", value, "/s", 3000, raw))
    memory = Path("/dev/shm")
    if memory.is_dir():
        with tempfile.TemporaryDirectory(dir=memory) as directory:
            value = issuance_rate(Path(directory) / "pki", 1)
            figures.append(Measurement("the same on a disk that costs nothing, one caller", value, "/s", None, raw))
    return figures
