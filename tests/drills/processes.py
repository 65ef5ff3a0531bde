"""Processes that run random commands on one home and are killed, at any statement or any moment; what they leave behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smki import Smki
from smki.ledger import CertificateQuery, Event, EventKind
from smki.problem import SmkiError
from smki.registration import Actor
from smki.sec.role import CertificateKind, CertificateStatus
from tests.drills.commands import DEEMED, Commands

FORK = multiprocessing.get_context("fork")


@dataclass
class Told:
    """What a process told before it ended, by the interface of each command."""

    begun: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def add(self, line: bytes) -> None:
        """Take in one line of its pipe."""
        what, interface = json.loads(line)
        if what == "error":
            self.errors.append(interface)
        else:
            getattr(self, what).add(interface)


def die_at_statement(smki: Smki, number: int) -> None:
    """Have this process killed just before the statement with that number that its writing connection runs."""
    left = [number]

    def traced(_: str) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    smki.ledger._writes._connection.set_trace_callback(traced)  # type: ignore[attr-defined]


def work(
    home: Path, name: str, seed: int, pipe: int, *, lifecycle: bool, foreign: tuple[bytes, ...], limit: int
) -> None:
    """Run commands until killed, telling of each before it begins and after it returned."""

    def tell(what: str, interface: str) -> None:
        os.write(pipe, json.dumps([what, interface]).encode() + b"\n")

    try:
        choice = random.Random(seed)
        with Smki.open(home) as smki:
            if choice.random() < 0.8:
                die_at_statement(smki, choice.randrange(1, 10 * limit))
            commands = Commands.of_home(smki, choice, foreign)
            for number in range(limit):
                command, actor = commands.lifecycle() if lifecycle else commands.any()
                interface = f"{name}.{number:04}"
                tell("begun", interface)
                try:
                    smki.registration.execute(
                        command, Actor(interface=interface, party=actor.party, officer=actor.officer)
                    )
                    if choice.random() < 0.01:
                        os.kill(os.getpid(), signal.SIGKILL)
                    tell("done", interface)
                except SmkiError as error:
                    tell("error" if error.code.startswith("ledger") else "refused", interface)
    except BaseException as failure:
        tell("error", repr(failure))
        os._exit(1)
    os._exit(0)


def round_of(
    home: Path, number: int, *, processes: int, lifecycle: bool, foreign: tuple[bytes, ...] = (), limit: int = 12
) -> list[Told]:
    """Run several processes at once until each was killed or has done its commands; return what each told."""
    workers = []
    for worker in range(processes):
        reading, writing = os.pipe()
        options = {"lifecycle": lifecycle, "foreign": foreign, "limit": limit}
        arguments = (home, f"{number:04}.{worker}", number * 100 + worker, writing)
        process = FORK.Process(target=work, args=arguments, kwargs=options)
        process.start()
        os.close(writing)
        workers.append((process, reading))
    choice = random.Random(number)
    if choice.random() < 0.5:
        # Also at a moment that no statement marks: while it commits, signs, or writes a file.
        victim = choice.choice(workers)[0]
        victim.join(choice.uniform(0.02, 0.3))
        if victim.is_alive():
            victim.kill()
    told = []
    for process, reading in workers:
        with os.fdopen(reading, "rb") as pipe:
            lines = pipe.read().splitlines()
        process.join()
        heard = Told()
        for line in lines:
            heard.add(line)
        told.append(heard)
    return told


def judge(home: Path, told: list[Told]) -> Counter[str]:
    """Check that each command happened wholly or not at all, once, in order, and left the ledger in a legitimate state.

    :returns: how many commands were done, were refused, and were killed before and after they took effect.
    """
    counts: Counter[str] = Counter()
    assert [error for each in told for error in each.errors] == []
    with Smki.open(home) as smki:
        assert smki.check().problems == ()
        events = list(smki.ledger.events())
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        by_interface: dict[str, list[Event]] = {}
        for event in events:
            by_interface.setdefault(event.interface, []).append(event)
        for each in told:
            killed = each.begun - each.done - each.refused
            assert len(killed) <= 1, "one command at a time"
            for interface in each.done:
                # A list that is not due and certificates that are there already leave nothing to be done.
                assert len(by_interface.get(interface, [])) <= 1
                counts["done"] += len(by_interface.get(interface, []))
            for interface in each.refused:
                assert interface not in by_interface, "a refused command wrote something"
            for interface in killed:
                assert len(by_interface.get(interface, [])) <= 1
                counts["killed after it took effect" if interface in by_interface else "killed before"] += 1
            counts["refused"] += len(each.refused)
            ids = [event.id for interface in sorted(each.begun) for event in by_interface.get(interface, [])]
            assert ids == sorted(ids), "the events of one process are in the order of its commands"
        known = {interface for each in told for interface in each.begun} | {"init"}
        assert {event.interface for event in events} <= known
        _judge_certificates(smki, events)
    return counts


def _judge_certificates(smki: Smki, events: list[Event]) -> None:
    histories: dict[Any, list[EventKind]] = {}
    for event in events:
        if event.certificate_id is not None:
            histories.setdefault(event.certificate_id, []).append(event.kind)
    for record in smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.ORGANISATION,))):
        issued, *rest = histories[record.id]
        assert issued is EventKind.ISSUED
        application = smki.ledger.application(record.application_id or 0)
        assert application is not None
        # What the DCC lodges is never pending.
        is_lodged = application.application.subscriber == "DCC"
        assert record.deemed_accepted == (None if is_lodged else record.issued + DEEMED)
        assert (record.stored_status, tuple(rest)) in (LODGED if is_lodged else LEGITIMATE)
        assert (smki.ledger.revocations.of(record.serial_number) is None) == (
            record.stored_status is not CertificateStatus.REVOKED
        )


LEGITIMATE = {
    (CertificateStatus.PENDING, ()),
    (CertificateStatus.IN_USE, (EventKind.ACCEPTED,)),
    (CertificateStatus.REVOKED, (EventKind.REJECTED,)),
    (CertificateStatus.REVOKED, (EventKind.REVOKED,)),
    (CertificateStatus.REVOKED, (EventKind.ACCEPTED, EventKind.REVOKED)),
}
"""What can have become of an Organisation Certificate, and the events after its issue that say so."""

LODGED = {(CertificateStatus.IN_USE, ()), (CertificateStatus.REVOKED, (EventKind.REVOKED,))}
"""The same for one that the DCC lodges."""
