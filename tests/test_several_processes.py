"""Several processes on one home, and processes that die in the middle of it."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from smki import Application, CertificateKind, DeviceType, EntityIdentifier, Issued, Smki
from smki.keys.private_key import SystemRandomness
from smki.ledger import ApplicationQuery, CertificateQuery, EventKind, EventQuery
from smki.pki.request import make_device_request
from smki.pki.x509 import signature_verifies
from smki.registration import batches
from tests.commands import TEST, apply
from tests.support import DEVICE, DRILLS, DS

FORK = multiprocessing.get_context("fork")
DEVICES = CertificateQuery(kinds=(CertificateKind.DEVICE,))


def device_request(entity: EntityIdentifier = DEVICE) -> bytes:
    return make_device_request(SystemRandomness().private_key(""), entity, DS)


def application(request: bytes) -> Application:
    return Application(kind=CertificateKind.DEVICE, request=request, device_type=DeviceType.ESME)


def issue_many(home: Path, count: int, results: Any) -> None:
    issued, error = [], ""
    try:
        with Smki.open(home) as smki:
            for number in range(count):
                request = device_request(EntityIdentifier(number.to_bytes(4, "big") + os.getpid().to_bytes(4, "big")))
                outcome = apply(smki, application(request))
                assert isinstance(outcome, Issued)
                issued.append(outcome.record.serial_number.value)
    except BaseException as failure:
        error = repr(failure)
    results.put((issued, error))


def test_two_processes_issue_two_thousand_certificates_each(home: Path) -> None:
    results = FORK.Queue()
    workers = [FORK.Process(target=issue_many, args=(home, 2000, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    answers = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    assert [error for _, error in answers] == ["", ""]
    handed_out = [serial for issued, _ in answers for serial in issued]
    assert len(handed_out) == len(set(handed_out)) == 4000
    with Smki.open(home) as smki:
        stored = {record.serial_number.value for record in smki.ledger.certificates(DEVICES)}
        assert stored == set(handed_out)
        assert smki.ledger.unfinished_applications() == []
        assert smki.ledger.damage() == []


def issue_until_killed(home: Path, pipe: int, opened: Any) -> None:
    with Smki.open(home) as smki:
        opened.set()
        while True:
            outcome = smki.issue(application(device_request(EntityIdentifier(os.urandom(8)))), TEST)
            der = outcome.record.der
            os.write(pipe, len(der).to_bytes(2, "big") + der)


def handed_out_before_the_kill(home: Path, delay: float, *, once_open: bool) -> list[bytes]:
    reading, writing = os.pipe()
    opened = FORK.Event()
    worker = FORK.Process(target=issue_until_killed, args=(home, writing, opened))
    worker.start()
    os.close(writing)
    if once_open:
        assert opened.wait(60)
    time.sleep(delay)
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    certificates = []
    while len(data) >= 2:
        length = int.from_bytes(data[:2], "big")
        if len(data) >= 2 + length:
            certificates.append(data[2 : 2 + length])
        data = data[2 + length :]
    return certificates


def test_killed_at_fifty_moments(home: Path) -> None:
    """Everything that was handed out is in the ledger, and the ledger passes its own check."""
    moments = random.Random(7)
    handed_out: list[bytes] = []
    for number in range(DRILLS):
        # Now and then while the home is being opened; mostly while it issues, however busy the machine is.
        handed_out += handed_out_before_the_kill(home, moments.uniform(0.01, 0.15), once_open=number % 5 > 0)
    assert len(handed_out) > 100
    with Smki.open(home) as smki:
        stored = [record.der for record in smki.ledger.certificates(DEVICES)]
        assert set(handed_out) <= set(stored)
        assert len(stored) == len(set(stored))
        result = smki.check()
        assert result.problems == ()
        # Nothing is there by half: to each application its certificate, its event, its Device and its count.
        assert result.unfinished == 0
        applications = list(smki.ledger.applications(ApplicationQuery(kind=CertificateKind.DEVICE)))
        records = list(smki.ledger.certificates(DEVICES))
        assert [each.serial_number for each in applications] == [record.serial_number for record in records]
        issued = [event.serial_number for event in smki.ledger.events(EventQuery(kind=EventKind.ISSUED))]
        assert issued[-len(records) :] == [record.serial_number for record in records]
        assert all(smki.ledger.register.device(each.entity_identifier) for each in records if each.entity_identifier)
        counted = sum(
            smki.ledger.certificates_issued_to(party) for party in {a.application.subscriber for a in applications}
        )
        assert counted >= len(records)
        issuer = next(record for record in smki.authorities() if record.kind is CertificateKind.ISSUING_DCA)
        last = next(record for record in smki.ledger.certificates(DEVICES) if record.der == handed_out[-1])
        assert issuer.certificate.point is not None
        assert signature_verifies(issuer.certificate.point, last.certificate.signature, last.certificate.tbs)
        # And it goes on as if nothing had been.
        smki.issue_device(device_request())


def issue_in_batches(home: Path, count: int, results: Any) -> None:
    issued, error = [], ""
    try:
        with Smki.open(home) as smki:
            batches.BATCH = 40
            requests = (
                device_request(EntityIdentifier(number.to_bytes(4, "big") + os.getpid().to_bytes(4, "big")))
                for number in range(count)
            )
            for _, outcome in smki.apply_all(map(application, requests), TEST):
                assert isinstance(outcome, Issued)
                issued.append(outcome.record.serial_number.value)
    except BaseException as failure:
        error = repr(failure)
    results.put((issued, error))


def test_some_issue_in_batches_and_others_singly(home: Path) -> None:
    """Two processes of each kind on one home."""
    results = FORK.Queue()
    targets = (issue_in_batches, issue_many, issue_in_batches, issue_many)
    processes = [FORK.Process(target=target, args=(home, 250, results)) for target in targets]
    for process in processes:
        process.start()
    answers = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert [error for _, error in answers] == [""] * 4
    handed_out = [serial for issued, _ in answers for serial in issued]
    assert len(handed_out) == len(set(handed_out)) == 1000
    with Smki.open(home) as smki:
        assert {record.serial_number.value for record in smki.ledger.certificates(DEVICES)} == set(handed_out)
        result = smki.check()
        assert (result.problems, result.unfinished) == ((), 0)
        every = list(smki.ledger.applications(ApplicationQuery(kind=CertificateKind.DEVICE)))
        counted = Counter(each.application.subscriber for each in every)
        assert {who: smki.ledger.certificates_issued_to(who) for who in counted} == counted
        events = [event.serial_number for event in smki.ledger.events(EventQuery(kind=EventKind.ISSUED))]
        assert events[-1000:] == [each.serial_number for each in every]
        ids = [event.id for event in smki.ledger.events()]
        assert ids == list(range(1, len(ids) + 1))
