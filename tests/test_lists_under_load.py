"""The lists of one home under several processes, under processes that die, and in any order of events."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smki import CertificateKind, CertificateStatus, FixedClock, RemotePartyRole, Smki
from smki.identity import SerialNumber
from smki.pki.revocation_list import RevocationList
from smki.profile.issuer import IssuerFacts
from smki.profile.lint_list import lint_revocation_list
from smki.registration.acceptance import NotAcceptable
from tests.commands import accept, reject, revoke
from tests.support import DRILLS, DS, KA, SOAK, SUPPLIER

OCA = CertificateKind.ISSUING_OCA
FORK = multiprocessing.get_context("fork")
START = datetime(2026, 1, 1, tzinfo=UTC)


class Wandering:
    """A clock that a test moves."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def organisation(smki: Smki) -> SerialNumber:
    _, request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, random.choice((DS, KA)))
    return smki.issue_organisation(request).record.serial_number


# --- any order of events --------------------------------------------------------------------------------------------


class Lists(RuleBasedStateMachine):
    """At every step the list equals what the ledger says, numbers only rise, and nothing served is stale."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.home = Path(self.directory.name) / "pki"
        Smki.create(self.home, at=START, deemed_accepted_after=timedelta(days=2)).close()
        self.clock = Wandering(START)
        self.smki = Smki.open(self.home, self.clock)
        self.serials: list[SerialNumber] = []
        self.revoked: dict[SerialNumber, datetime] = {}
        self.highest, self.latest_update = 1, START

    @rule()
    def issue(self) -> None:
        if len(self.serials) < 12:
            self.serials.append(organisation(self.smki))

    def status(self, serial: SerialNumber) -> CertificateStatus:
        record = self.smki.ledger.certificate(serial)
        assert record
        return record.status_at(self.clock.moment)

    @precondition(lambda self: self.serials)
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        serial = data.draw(st.sampled_from(self.serials))
        if self.status(serial) is CertificateStatus.PENDING:
            accept(self.smki, serial)

    @precondition(lambda self: self.serials)
    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        serial = data.draw(st.sampled_from(self.serials))
        if serial not in self.revoked:
            if self.status(serial) is CertificateStatus.PENDING:
                reject(self.smki, serial, "no")
                self.revoked[serial] = self.clock.moment
            else:
                with pytest.raises(NotAcceptable):
                    reject(self.smki, serial, "no")

    @precondition(lambda self: self.serials)
    @rule(data=st.data(), reason=st.sampled_from(["key-lost", "superseded"]), delay=st.integers(0, 72))
    def revoke(self, data: st.DataObject, reason: str, delay: int) -> None:
        serial = data.draw(st.sampled_from(self.serials))
        if serial not in self.revoked:
            until = self.clock.moment + timedelta(hours=delay)
            revoke(self.smki, serial, reason, by="SMKI PMA", not_before=until if delay else None)
            self.revoked[serial] = until

    @rule(hours=st.integers(1, 400))
    def advance(self, hours: int) -> None:
        self.clock.moment += timedelta(hours=hours)

    @rule(minutes=st.integers(1, 59))
    def set_back(self, minutes: int) -> None:
        self.clock.moment -= timedelta(minutes=minutes)

    @rule()
    def publish(self) -> None:
        self.check(self.smki.lists(OCA).publish().der, exactly=True)

    @rule()
    def renew(self) -> None:
        self.smki.renew_lists()

    @rule()
    def restart(self) -> None:
        self.smki.close()
        self.smki = Smki.open(self.home, self.clock)

    @invariant()
    def nothing_served_is_stale(self) -> None:
        if hasattr(self, "smki"):
            self.check(self.smki.lists(OCA).current().der, exactly=False)

    def check(self, data: bytes, *, exactly: bool) -> None:
        read = RevocationList.from_der(data)
        assert read.number is not None
        assert read.next_update is not None
        assert read.number >= self.highest
        assert read.this_update >= self.latest_update
        assert self.clock.moment < read.next_update
        self.highest, self.latest_update = read.number, read.this_update
        listed = {entry.serial_number for entry in read.entries()}
        expected = {serial for serial, at in self.revoked.items() if at <= read.this_update}
        if exactly:
            assert listed == expected
        else:
            assert listed <= expected

    def teardown(self) -> None:
        if hasattr(self, "smki"):
            numbers = [made.number for made in self.smki.lists(OCA).all()]
            assert numbers == list(range(1, len(numbers) + 1))
            self.smki.close()
            self.directory.cleanup()


TestLists = Lists.TestCase
TestLists.settings = settings(
    max_examples=15 * SOAK, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


# --- four processes over a week -------------------------------------------------------------------------------------


def keep_fresh(home: Path, hours: int, results: Any) -> None:
    """What a worker of the server does, an hour in a few milliseconds."""
    problems: list[str] = []
    clock = Wandering(START)
    with Smki.open(home, clock) as smki:
        for hour in range(hours):
            clock.moment = START + timedelta(hours=hour)
            smki.renew_lists()
            current = smki.lists(OCA).current()
            if not clock.moment < current.next_update:
                problems.append(f"stale at hour {hour}")
    results.put(problems)


def test_four_processes_over_a_week(tmp_path: Path) -> None:
    home = tmp_path / "pki"
    Smki.create(home, at=START).close()
    results = FORK.Queue()
    workers = [FORK.Process(target=keep_fresh, args=(home, 168, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    problems = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    assert problems == [[], [], [], []]
    with Smki.open(home, FixedClock(START + timedelta(days=7))) as smki:
        made = smki.lists(OCA).all()
    assert [record.number for record in made] == list(range(1, len(made) + 1))
    # Renewed at half of twelve hours: 28 times a week and not four times as often.
    assert 25 <= len(made) <= 31
    updates = [record.this_update for record in made]
    assert updates == sorted(updates)
    assert all(later - earlier < timedelta(hours=12) for earlier, later in itertools.pairwise(updates))


# --- processes that die ---------------------------------------------------------------------------------------------


def publish_until_killed(home: Path, pipe: int, opened: Any) -> None:
    with Smki.open(home) as smki:
        opened.set()
        while True:
            number = smki.lists(OCA).publish().number
            os.write(pipe, number.to_bytes(4, "big"))


def test_killed_at_fifty_moments_of_publication(home: Path) -> None:
    with Smki.open(home) as smki:
        revoke(smki, organisation(smki), "key-lost")
    moments, last_told = random.Random(5), 1
    for number in range(DRILLS):
        reading, writing = os.pipe()
        opened = FORK.Event()
        worker = FORK.Process(target=publish_until_killed, args=(home, writing, opened))
        worker.start()
        os.close(writing)
        # Now and then while the home is being opened; mostly while it publishes, however busy the machine is.
        if number % 5:
            assert opened.wait(60)
        time.sleep(moments.uniform(0.005, 0.05))
        assert worker.pid
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        numbers = [int.from_bytes(told[at : at + 4], "big") for at in range(0, len(told) - 3, 4)]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
        last_told = max([last_told, *numbers])
    assert last_told > 50
    with Smki.open(home) as smki:
        lists, issuer = smki.lists(OCA), smki.hierarchy.newest(smki.ledger, OCA).certificate
        latest = lists.current()
        assert latest.number >= last_told
        assert lint_revocation_list(latest.der, lists.policy.profile, IssuerFacts.of(issuer)) == []
        assert lists.publish().number == latest.number + 1
        assert [record.number for record in lists.all()] == list(range(1, latest.number + 2))
