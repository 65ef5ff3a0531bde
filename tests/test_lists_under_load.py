"""The lists of one home under several processes, under processes that die, and in any order of events."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smki import CertificateKind, CertificateStatus, FixedClock, RemotePartyRole, Smki
from smki.authority.revocation_lists import POLICIES, is_list_current
from smki.identity import SerialNumber
from smki.ledger import CertificateRecord, ListRecord
from smki.pki.revocation_list import RevocationList
from smki.profile.issuer import IssuerFacts
from smki.profile.lint_list import lint_revocation_list
from smki.registration import Actor
from smki.registration.acceptance import NotAcceptable
from smki.registration.authorities import EstablishAuthority
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

DAY = timedelta(days=1)
STEPS = st.one_of(
    st.timedeltas(timedelta(0), 3 * DAY),
    st.timedeltas(-3 * DAY, timedelta(0)),
    st.sampled_from(
        [timedelta(seconds=1), timedelta(seconds=-1), 90 * DAY, -90 * DAY, 400 * DAY, 4000 * DAY, -4000 * DAY]
    ),
)


@dataclass(frozen=True)
class Made:
    """A revocation as the test knows it."""

    serial_number: SerialNumber
    issuer: SerialNumber
    revoked: datetime
    effective: datetime
    not_after: datetime


class Lists(RuleBasedStateMachine):
    """Whatever the clock does, every list has the next number and the present time, and contains exactly the revocations
    in effect whose certificates have not expired. The check never finds anything."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.home = Path(self.directory.name) / "pki"
        Smki.create(self.home, at=START, deemed_accepted_after=timedelta(days=2)).close()
        self.clock = Wandering(START)
        self.smki = Smki.open(self.home, self.clock)
        self.serials: list[SerialNumber] = []
        self.revocations: dict[SerialNumber, Made] = {}
        self.in_effect: set[SerialNumber] = set()
        """The delayed revocations whose time had come when a list was made."""
        self.numbers = {record.serial_number: 1 for record in self.smki.authorities() if record.kind in POLICIES}

    # --- commands

    @precondition(lambda self: len(self.serials) < 12 and START <= self.clock.moment < START + 4000 * DAY)
    @rule()
    def issue(self) -> None:
        self.serials.append(organisation(self.smki))

    @precondition(lambda self: len(self.numbers) < 4 and START <= self.clock.moment < START + 4000 * DAY)
    @rule()
    def renew_authority(self) -> None:
        actor = Actor(interface="test")
        made = self.smki.registration.execute(EstablishAuthority(OCA), actor)
        self.numbers[made.serial_number] = 0

    @precondition(lambda self: len(self.numbers) > 2)
    @rule()
    def revoke_an_authority(self) -> None:
        usable = [
            record
            for record in self.smki.authorities()
            if record.kind is OCA and record.serial_number not in self.revocations
        ]
        if len(usable) > 1:
            self.do_revoke(usable[0].serial_number, "superseded", timedelta(0))

    def record(self, serial: SerialNumber) -> CertificateRecord:
        record = self.smki.ledger.certificate(serial)
        assert record is not None
        return record

    @precondition(lambda self: self.serials)
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        serial = data.draw(st.sampled_from(self.serials))
        if self.record(serial).status_at(self.clock.moment) is CertificateStatus.PENDING:
            accept(self.smki, serial)

    @precondition(lambda self: self.serials)
    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        serial = data.draw(st.sampled_from(self.serials))
        if serial not in self.revocations:
            if self.record(serial).status_at(self.clock.moment) is CertificateStatus.PENDING:
                reject(self.smki, serial, "no")
                self.note(serial, self.clock.moment)
            else:
                with pytest.raises(NotAcceptable):
                    reject(self.smki, serial, "no")

    @precondition(lambda self: self.serials)
    @rule(data=st.data(), reason=st.sampled_from(["key-lost", "superseded"]), delay=st.integers(0, 72))
    def revoke(self, data: st.DataObject, reason: str, delay: int) -> None:
        serial = data.draw(st.sampled_from(self.serials))
        if serial not in self.revocations:
            self.do_revoke(serial, reason, timedelta(hours=delay))

    def do_revoke(self, serial: SerialNumber, reason: str, delay: timedelta) -> None:
        until = self.clock.moment + delay
        revoke(self.smki, serial, reason, by="SMKI PMA", not_before=until if delay else None)
        self.note(serial, until)

    def note(self, serial: SerialNumber, effective: datetime) -> None:
        record = self.record(serial)
        assert record.issuer_serial_number is not None
        made = Made(serial, record.issuer_serial_number, self.clock.moment, effective, record.not_after)
        self.revocations[serial] = made

    # --- the clock

    @rule(step=STEPS)
    def set_clock(self, step: timedelta) -> None:
        moment = (self.clock.moment + step).replace(microsecond=0)
        self.clock.moment = min(max(moment, START - 100 * DAY), START + 8000 * DAY)

    @rule()
    def real_clock(self) -> None:
        self.clock.moment = START

    # --- lists

    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        lists = data.draw(st.sampled_from(self.smki.all_lists()))
        before = lists.latest()
        assert lists.publish().number == (before.number + 1 if before else 1)

    @rule()
    def renew(self) -> None:
        self.smki.renew_lists()

    @rule()
    def restart(self) -> None:
        self.smki.close()
        self.smki = Smki.open(self.home, self.clock)

    @rule()
    def check_ledger(self) -> None:
        assert self.smki.check().problems == ()

    @invariant()
    def every_list_is_right(self) -> None:
        if not hasattr(self, "smki"):
            return
        for lists in self.smki.all_lists():
            current = lists.current()
            assert is_list_current(current, self.clock.moment)
            known = self.numbers[current.issuer]
            for number in range(known + 1, current.number + 1):
                record = lists.numbered(number)
                assert record is not None
                self.check_new_list(record)
            self.numbers[current.issuer] = current.number

    def check_new_list(self, record: ListRecord) -> None:
        now = self.clock.moment
        read = RevocationList.from_der(record.der)
        assert (read.number, read.this_update) == (record.number, record.this_update)
        assert record.this_update == now
        expected = {}
        for made in self.revocations.values():
            if made.issuer == record.issuer:
                if made.effective <= now:
                    self.in_effect.add(made.serial_number)
                is_in_effect = made.effective == made.revoked or made.serial_number in self.in_effect
                if is_in_effect and made.not_after >= now:
                    expected[made.serial_number] = min(made.effective, now)
        assert {entry.serial_number: entry.revoked_at for entry in read.entries()} == expected

    def teardown(self) -> None:
        if hasattr(self, "smki"):
            for lists in self.smki.all_lists():
                lists.publish()
            self.every_list_is_right()
            for lists in self.smki.all_lists():
                numbers = [made.number for made in lists.all()]
                assert numbers == list(range(1, len(numbers) + 1))
            assert self.smki.check().problems == ()
            self.smki.close()
            self.directory.cleanup()


TestLists = Lists.TestCase
TestLists.settings = settings(
    max_examples=300 if SOAK > 1 else 8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


# --- four processes over a week -------------------------------------------------------------------------------------


def keep_fresh(home: Path, moments: list[datetime], together: Any, results: Any) -> None:
    """What a worker of the server does, at each of these moments at the same time as the others."""
    problems: list[str] = []
    clock = Wandering(moments[0])
    with Smki.open(home, clock) as smki:
        for number, moment in enumerate(moments):
            together.wait(60)
            clock.moment = moment
            smki.renew_lists()
            current = smki.lists(OCA).current()
            if not is_list_current(current, moment):
                problems.append(f"not current at moment {number}")
            together.wait(60)
    results.put(problems)


def four_processes(home: Path, moments: list[datetime]) -> list[ListRecord]:
    """Run four workers, and return the lists that they issued."""
    Smki.create(home, at=START).close()
    results, together = FORK.Queue(), FORK.Barrier(4)
    workers = [FORK.Process(target=keep_fresh, args=(home, moments, together, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    problems = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    assert problems == [[], [], [], []]
    with Smki.open(home, FixedClock(moments[-1])) as smki:
        assert smki.check().problems == ()
        made = smki.lists(OCA).all()
    assert [record.number for record in made] == list(range(1, len(made) + 1))
    return made


def test_four_processes_over_a_week(tmp_path: Path) -> None:
    made = four_processes(tmp_path / "pki", [START + timedelta(hours=hour) for hour in range(168)])
    # Renewed at half of twelve hours: 28 times a week and not four times as often.
    assert 25 <= len(made) <= 31
    updates = [record.this_update for record in made]
    assert updates == sorted(updates)
    assert all(later - earlier < timedelta(hours=12) for earlier, later in itertools.pairwise(updates))


def test_four_processes_under_a_clock_that_is_set_ahead_and_back(tmp_path: Path) -> None:
    """Each time the clock is set back, one of them issues the next list, and only one."""
    days = random.Random(7)
    moments = [START + timedelta(days=days.choice((0, 1, 90, 1000)), hours=hour) for hour in range(60)]
    made = four_processes(tmp_path / "pki", moments)
    expected = [START]
    for moment in moments:
        if moment < expected[-1] or moment >= expected[-1] + timedelta(hours=6):
            expected.append(moment)
    assert [record.this_update for record in made] == expected


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
