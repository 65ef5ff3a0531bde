"""Batches whose writer and workers are killed: what was handed out is stored, nothing twice, and the next run goes on."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smki import Application, CertificateKind, DeviceType, EntityIdentifier, Issued, Smki
from smki.keys.private_key import SeededRandomness
from smki.ledger import ApplicationQuery, CertificateQuery
from smki.pki.request import CertificationRequest, make_device_request, read_request
from smki.registration import batches
from tests.commands import TEST
from tests.drills.processes import die_at_statement
from tests.support import DS, KA, SOAK

FORK = multiprocessing.get_context("fork")
DEVICES = CertificateQuery(kinds=(CertificateKind.DEVICE,))
PREFIX = bytes.fromhex("00DB7777")
"""How the Device IDs begin."""

MOMENTS, REQUESTS = (100, 20_000) if SOAK > 1 else (5, 1_500)


@pytest.fixture(scope="module")
def requests() -> dict[bytes, bytes]:
    """Certification requests by public key, two for each Device."""
    draw, found = SeededRandomness("batch kills"), {}
    for number in range(REQUESTS):
        entity = EntityIdentifier(PREFIX + (number // 2).to_bytes(4, "big"))
        request = make_device_request(draw.private_key(str(number)), entity, (DS, KA)[number % 2])
        found[CertificationRequest.of(read_request(request)).public_key_info] = request
    return found


def apply_until_killed(home: Path, requests: list[bytes], file: Path, opened: Any, statement: int) -> None:
    """Apply, and write down each certificate as soon as it is handed out."""
    with file.open("ab", buffering=0) as out, Smki.open(home) as smki:
        opened.set()
        if statement:
            die_at_statement(smki, statement)
        for _, outcome in smki.apply_all(applications(requests), TEST):
            assert isinstance(outcome, Issued)
            der = outcome.record.der
            out.write(len(der).to_bytes(2, "big") + der)
    os._exit(0)


def applications(requests: list[bytes]) -> Iterator[Application]:
    for request in requests:
        yield Application(kind=CertificateKind.DEVICE, request=request, device_type=DeviceType.ESME)


def handed_out(file: Path) -> list[bytes]:
    """The certificates that were written down; the last may have been cut off."""
    data, found = file.read_bytes() if file.exists() else b"", []
    while len(data) >= 2 and len(data) >= 2 + (length := int.from_bytes(data[:2], "big")):
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    return found


def children_of(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, above = path.read_text().rpartition(")")[2].split()[:2]
            if int(above) == parent and state != "Z":
                found.append(int(path.parent.name))
    return found


def remaining(home: Path, requests: dict[bytes, bytes]) -> list[bytes]:
    """The requests for which there is no certificate yet."""
    with Smki.open(home) as smki:
        return [request for key, request in requests.items() if not smki.ledger.is_certified(key)]


def run(home: Path, requests: list[bytes], file: Path, choice: random.Random, *, kill: bool) -> tuple[int, set[int]]:
    """Apply in another process, and kill its workers and then itself at some moment. Return its exit status, and the
    workers."""
    opened, workers = FORK.Event(), set[int]()
    statement = choice.randrange(1, 6 * len(requests)) if kill and choice.random() < 0.5 else 0
    writer = FORK.Process(target=apply_until_killed, args=(home, requests, file, opened, statement))
    writer.start()
    assert writer.pid is not None
    assert opened.wait(60)
    end = time.monotonic() + choice.uniform(0.1, 4 if SOAK > 1 else 2)
    while writer.is_alive():
        writer.join(choice.uniform(0.02, 0.5))
        running = children_of(writer.pid)
        workers.update(running)
        if not kill:
            continue
        if running and len(workers) < 5:
            with contextlib.suppress(ProcessLookupError):
                os.kill(choice.choice(running), signal.SIGKILL)
        if not statement and time.monotonic() > end:
            writer.kill()
    writer.join()
    return writer.exitcode or 0, workers


def judge(home: Path, requests: dict[bytes, bytes], handed: list[bytes], *, complete: bool) -> None:
    with Smki.open(home) as smki:
        result = smki.check()
        assert (result.problems, result.unfinished) == ((), 0)
        records = list(smki.ledger.certificates(DEVICES))
        stored = {record.der for record in records}
        assert set(handed) <= stored
        assert len(handed) == len(set(handed))
        keys = [record.certificate.public_key_info for record in records]
        assert len(keys) == len(set(keys))
        assert set(keys) == set(requests) if complete else set(keys) <= set(requests)
        # To each application its certificate, in the same order, and each Device once.
        every = list(smki.ledger.applications(ApplicationQuery(kind=CertificateKind.DEVICE)))
        assert [each.serial_number for each in every] == [record.serial_number for record in records]
        added = [each.device_id for each in smki.ledger.register.devices() if each.device_id.encoded[:4] == PREFIX]
        assert set(added) == {record.entity_identifier for record in records}
        counted = Counter(each.application.subscriber for each in every)
        assert {who: smki.ledger.certificates_issued_to(who) for who in counted} == counted


def test_killed_at_some_moments(
    made_home: Path, tmp_path: Path, requests: dict[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    if SOAK == 1:
        monkeypatch.setattr(batches, "BATCH", 96)
    choice, workers = random.Random(16), set[int]()
    kills = number = 0
    while kills < MOMENTS:
        number += 1
        home, file = tmp_path / f"home-{number}", tmp_path / f"handed-out-{number}"
        shutil.copytree(made_home, home)
        while kills < MOMENTS and (left := remaining(home, requests)):
            status, seen = run(home, left, file, choice, kill=True)
            workers |= seen
            assert status in (0, -signal.SIGKILL)
            kills += status != 0
            judge(home, requests, handed_out(file), complete=False)
        status, seen = run(home, remaining(home, requests), file, choice, kill=False)
        workers |= seen
        assert status == 0
        judge(home, requests, handed_out(file), complete=True)
        shutil.rmtree(home)
    end = time.monotonic() + 20
    while any(
        Path(f"/proc/{worker}/cmdline").exists() and b"smki.workers" in Path(f"/proc/{worker}/cmdline").read_bytes()
        for worker in workers
    ):
        assert time.monotonic() < end, "a worker was left behind"
        time.sleep(0.05)
    assert len(workers) >= 2 * number
