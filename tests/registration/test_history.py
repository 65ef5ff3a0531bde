"""A question about a day in the past gets the answer that it would have got at the end of that day."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smki import DeviceType, EntityIdentifier, Smki
from smki.clock import AdjustableClock
from smki.eligibility import Decision
from smki.eligibility.recorded import RecordUsed, Source
from smki.identity import PartyId
from smki.problem import SmkiError
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.bulk import LoadDevices
from smki.registration.command import Command
from smki.registration.devices import AddDevices, ChangeDevice, SetDeviceStatus, SetThreshold
from smki.registration.history import RegisterOn
from smki.registration.identifiers import AssignIdentifier, ReleaseIdentifier
from smki.registration.participation import ChangeTest
from smki.registration.parties import AddParty, ChangeParty, SetStanding
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.device import Device, Responsible, SmetsVersion, SmiStatus
from smki.sec.party import Officer, PartyCategory, Standing
from smki.sec.recorded_test import ParticipationMode
from smki.sec.role import CertificateKind, RemotePartyRole, UserRole
from tests.registration.in_memory import LARGE, START, TEST, Pending
from tests.support import DEVICE, DS, SUPPLIER

_S = SmiStatus
TODAY = START.date()
PARTY = PartyId(LARGE)
OTHER = PartyId("OTHER-USER")
OTHERS_IDENTIFIER = EntityIdentifier.parse("90B3D51F30010009")
FREE = EntityIdentifier.parse("90B3D51F30050000")
BOTH = frozenset({CertificateKind.ORGANISATION, CertificateKind.DEVICE})
SAM = Officer("Sam", BOTH)


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


@pytest.fixture
def pending() -> Pending:
    return Pending()


def on(pending: Pending, number: int, *commands: Command[Any]) -> None:
    """Carry out commands at noon of that day."""
    pending.clock.set(datetime.combine(day(number), START.timetz()))
    for command in commands:
        pending.registration.execute(command, TEST)


def codes(decision: Decision) -> set[str]:
    return {problem.code for problem in decision.problems}


def sources(decision: Decision) -> dict[str, Source]:
    return {used.subject: used.source for used in decision.records}


def test_the_roles_of_the_day(pending: Pending) -> None:
    on(pending, 10, ChangeParty(party=OTHER, add_roles=frozenset({UserRole.LOAD_CONTROLLER})))
    on(pending, 20, ChangeParty(party=OTHER, remove_roles=frozenset({UserRole.LOAD_CONTROLLER})))
    on(pending, 30)
    asked = (OTHERS_IDENTIFIER, RemotePartyRole.LOAD_CONTROLLER, DS)
    inquiry = pending.smki.inquiry
    for number, eligible in ((0, False), (9, False), (10, True), (19, True), (20, False), (29, False), (30, False)):
        assert inquiry.organisation(*asked, as_of=day(number)).eligible is eligible, number
    answer = inquiry.organisation(*asked, as_of=day(15))
    assert answer.records == (
        RecordUsed(subject="Party OTHER-USER", source=Source.HISTORY, as_of=day(15), since=day(10)),
    )
    assert answer.as_json()["records"] == [
        {
            "subject": "Party OTHER-USER", "source": "history", "since": "2026-03-12",
            "text": "Party OTHER-USER as recorded on 2026-03-17 (last change: 2026-03-12).",
        }
    ]  # fmt: skip


def test_today_and_later_days_are_answered_from_the_record_of_today(pending: Pending) -> None:
    on(pending, 10, SetStanding(PARTY, Standing.SUSPENDED, day(20)))
    for number, eligible in ((10, True), (19, True), (20, False)):
        answer = pending.smki.inquiry.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, DS, as_of=day(number))
        assert (answer.eligible, answer.records) == (eligible, ())


def test_the_standing_as_it_was_known_on_the_day(pending: Pending) -> None:
    on(pending, 10, SetStanding(PARTY, Standing.SUSPENDED, day(5)))
    on(pending, 12)
    asked = (SUPPLIER, RemotePartyRole.SUPPLIER, DS)
    # On the seventh day nobody knew yet that the Party would be suspended from the fifth.
    assert pending.smki.inquiry.organisation(*asked, as_of=day(7)).eligible
    assert codes(pending.smki.inquiry.organisation(*asked, as_of=day(11))) == {"party.suspended"}


def test_the_officers_and_authorisations_of_the_day(pending: Pending) -> None:
    on(pending, 5, AppointOfficer(PARTY, SAM))
    on(pending, 10, DismissOfficer(party=PARTY, officer="Sam", moment=pending.clock.now()))
    on(pending, 15, ChangeParty(party=PARTY, authorised_for=frozenset({CertificateKind.DEVICE})))
    on(pending, 20)

    def ask(number: int, officer: str) -> set[str]:
        answer = pending.smki.inquiry.organisation(
            SUPPLIER, RemotePartyRole.SUPPLIER, DS, officer=officer, as_of=day(number)
        )
        return codes(answer)

    assert [ask(number, "Sam") for number in (4, 5, 9, 10)] == [{"officer.unknown"}, set(), set(), {"officer.unknown"}]
    assert ask(14, "Large Supplier Officer") == set()
    assert ask(15, "Large Supplier Officer") == {"party.not-authorised-subscriber"}


def test_the_owner_of_an_identifier_on_the_day(pending: Pending) -> None:
    on(pending, 5, AssignIdentifier(PARTY, FREE))
    on(pending, 10, ReleaseIdentifier(PARTY, FREE), AssignIdentifier(OTHER, FREE))
    on(pending, 15)
    for number, owner in ((5, "LARGE-SUPPLIER"), (9, "LARGE-SUPPLIER"), (10, "OTHER-USER"), (15, None)):
        answer = pending.smki.inquiry.organisation(FREE, RemotePartyRole.OTHER, DS, as_of=day(number))
        assert answer.eligible
        assert [used.subject for used in answer.records] == ([f"Party {owner}"] if owner else [])
    with pytest.raises(SmkiError) as caught:
        pending.smki.inquiry.organisation(FREE, RemotePartyRole.OTHER, DS, as_of=day(4))
    assert caught.value.code == "entity-identifier.no-owner"


def test_the_status_of_a_device_on_the_day(pending: Pending) -> None:
    on(pending, 5, SetDeviceStatus(DEVICE, _S.COMMISSIONED))
    on(pending, 10, SetDeviceStatus(DEVICE, _S.SUSPENDED), SetThreshold(DEVICE, 200))
    on(pending, 15, SetDeviceStatus(DEVICE, _S.DECOMMISSIONED))
    on(pending, 20, ChangeDevice(device_id=DEVICE, device_type=DeviceType.GSME, enrolled=True))
    on(pending, 25)
    ask = pending.smki.inquiry.device
    for number, eligible in ((4, True), (5, False), (9, False), (10, False), (14, False), (15, True), (24, True)):
        answer = ask(DEVICE, applicant="OTHER-USER", as_of=day(number))
        assert answer.eligible is eligible, number
        assert sources(answer) == {f"Device {DEVICE}": Source.HISTORY, "Party OTHER-USER": Source.HISTORY}
    assert ask(DEVICE, DeviceType.ESME, applicant=LARGE, as_of=day(19)).eligible
    with pytest.raises(SmkiError) as caught:
        ask(DEVICE, DeviceType.ESME, applicant=LARGE, as_of=day(20))
    assert caught.value.code == "device.other-type"


def test_a_device_that_came_with_its_certificate(pending: Pending) -> None:
    new = EntityIdentifier(b"\x31" * 8)
    on(pending, 5)
    pending.device(new, DeviceType.ESME)
    on(pending, 10, SetDeviceStatus(new, _S.COMMISSIONED))
    on(pending, 15)
    before, then, since = (
        pending.smki.inquiry.device(new, applicant="OTHER-USER", as_of=day(number)) for number in (4, 5, 10)
    )
    assert before.records[-1] == RecordUsed(
        subject=f"Device {new}", source=Source.ADDED_LATER, as_of=day(4), since=day(5)
    )
    assert not before.eligible, "today's record is used, in which it is commissioned"
    assert then.eligible
    assert then.records[-1].source is Source.HISTORY
    assert codes(since) == {"device.electricity-meter"}


@pytest.mark.parametrize("load", [AddDevices, LoadDevices])
def test_devices_that_were_added_together(pending: Pending, load: Callable[[Any], Command[Any]]) -> None:
    devices = tuple(Device(EntityIdentifier(bytes([0x32] * 7 + [number])), DeviceType.ESME) for number in range(3))
    on(pending, 5, load(devices))
    on(pending, 10, SetDeviceStatus(devices[1].device_id, _S.COMMISSIONED))
    on(pending, 15)
    for number, source, status in (
        (4, Source.ADDED_LATER, _S.COMMISSIONED),
        (5, Source.HISTORY, _S.PENDING),
        (9, Source.HISTORY, _S.PENDING),
        (10, Source.HISTORY, _S.COMMISSIONED),
    ):
        register = RegisterOn(pending.smki.ledger, day(number))
        found = register.device(devices[1].device_id)
        assert found is not None
        assert found.status is status, number
        answer = pending.smki.inquiry.device(devices[1].device_id, applicant=LARGE, as_of=day(number))
        assert answer.records[-1].source is source


def test_before_the_register_existed_the_record_of_today_is_used(pending: Pending) -> None:
    answer = pending.smki.inquiry.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, DS, as_of=date(2020, 1, 1))
    assert answer.eligible
    assert [used.text for used in answer.records] == [
        "Party LARGE-SUPPLIER as recorded today: it was added to the register on 2026-03-02."
    ]


def test_a_clock_that_was_set_back(pending: Pending) -> None:
    controller = frozenset({UserRole.LOAD_CONTROLLER})
    on(pending, 100, ChangeParty(party=OTHER, add_roles=controller))
    on(pending, 10, ChangeParty(party=OTHER, name="Another"))
    on(pending, 50)

    def roles(number: int) -> bool:
        found = RegisterOn(pending.smki.ledger, day(number)).registrant(OTHER)
        assert found is not None
        return UserRole.LOAD_CONTROLLER in getattr(found, "user_roles", ())

    # What was recorded on the tenth day includes what had been recorded before, whatever the clock said then.
    assert not roles(9)
    assert roles(10)
    assert roles(49)


def test_a_user_as_it_was_on_the_day(pending: Pending) -> None:
    small, shared = PartyId("SMALL-SUPPLIER"), PartyId("SHARED-RESOURCE")
    entity = EntityIdentifier.parse("90B3D51F30030000")
    on(pending, 10, ChangeParty(party=shared, remove_acts_for=frozenset({small})))
    on(pending, 20)

    def ask(number: int) -> Decision:
        return pending.smki.inquiry.organisation(
            entity, RemotePartyRole.SUPPLIER, DS, applicant=str(shared), on_behalf_of=str(small), as_of=day(number)
        )

    assert ask(9).eligible
    assert [used.subject for used in ask(9).records] == ["Party SHARED-RESOURCE", "Party SMALL-SUPPLIER"]
    assert codes(ask(10)) == {"acting-for.not-named"}


def altered(home: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(home / "ledger.sqlite")) as connection, connection:
        assert connection.execute(statement).rowcount


@pytest.mark.parametrize(
    "statement",
    [
        # An event of a version that did not store what was changed
        "UPDATE audit_event SET content = NULL WHERE event = 'changed'",
        # A record that was changed by something that stored no event
        "UPDATE registrant SET record = replace(record, 'Renamed', 'Other') WHERE id = 'OTHER-USER'",
        # Values that this version does not allow
        """UPDATE audit_event SET content = replace(content, '"from":"other-user"', '"from":"king"')
            WHERE event = 'changed'""",
    ],
)
def test_where_the_ledger_has_no_history_the_record_of_today_is_used(home: Path, statement: str) -> None:
    clock = AdjustableClock()
    with Smki.open(home, clock=clock) as smki:
        now = smki.clock.now()
        clock.set(now + timedelta(days=5))
        smki.registration.execute(
            ChangeParty(party=OTHER, name="Renamed", add_roles=frozenset({UserRole.LOAD_CONTROLLER})), TEST
        )
    altered(home, statement)
    clock.set(now + timedelta(days=9))
    with Smki.open(home, clock=clock) as smki:
        answer = smki.inquiry.organisation(
            OTHERS_IDENTIFIER, RemotePartyRole.OTHER, DS, as_of=(now + timedelta(days=2)).date()
        )
        assert answer.eligible
        assert sources(answer) == {"Party OTHER-USER": Source.NO_HISTORY}
        assert answer.records[0].text.startswith(
            "Party OTHER-USER as recorded today: the ledger does not have its history"
        )


def test_the_first_and_the_last_day(pending: Pending) -> None:
    pending.clock.set(datetime(9000, 1, 1, tzinfo=UTC))
    assert not pending.smki.inquiry.device(DEVICE, applicant=LARGE, as_of=date.min).eligible
    assert pending.smki.inquiry.device(DEVICE, applicant=LARGE, as_of=date.max).eligible
    assert RegisterOn(pending.smki.ledger, date.max).device(DEVICE) is not None


# --- whatever is changed in whatever order ---------------------------------------------------------------------------

_PARTIES = st.sampled_from([PARTY, OTHER, PartyId("SMALL-SUPPLIER")])
_ROLES = st.frozensets(st.sampled_from(UserRole), max_size=2)
_IDENTIFIERS = st.sampled_from([FREE, EntityIdentifier.parse("90B3D51F30050001")])
_DEVICES = st.sampled_from([DEVICE, EntityIdentifier.parse("00DB1234567890A1")])
_COMMANDS: st.SearchStrategy[Command[Any]] = st.one_of(
    st.builds(ChangeParty, party=_PARTIES, add_roles=_ROLES),
    st.builds(ChangeParty, party=_PARTIES, remove_roles=_ROLES),
    st.builds(ChangeParty, party=_PARTIES, authorised_for=st.frozensets(st.sampled_from(sorted(BOTH, key=str)))),
    st.builds(ChangeParty, party=_PARTIES, through_entry=st.booleans(), quota=st.none() | st.integers(0, 9)),
    st.builds(
        ChangeTest,
        participant=st.just(PartyId("MANUFACTURER")),
        test=st.just("device-and-user-system-tests"),
        quota=st.none() | st.integers(0, 9),
    ),
    st.builds(SetStanding, party=_PARTIES, standing=st.sampled_from(Standing)),
    st.builds(AssignIdentifier, party=_PARTIES, identifier=_IDENTIFIERS),
    st.builds(ReleaseIdentifier, party=_PARTIES, identifier=_IDENTIFIERS),
    st.builds(AppointOfficer, party=_PARTIES, officer=st.just(SAM)),
    st.builds(DismissOfficer, party=_PARTIES, officer=st.just("Sam"), moment=st.just(START)),
    st.builds(SetDeviceStatus, device_id=_DEVICES, status=st.sampled_from(SmiStatus)),
    st.builds(
        ChangeDevice,
        device_id=_DEVICES,
        enrolled=st.booleans(),
        smets_version=st.sampled_from(SmetsVersion),
        responsible=st.sampled_from([(), (Responsible.parse("gas: SMALL-SUPPLIER"),)]),
    ),
    st.builds(SetThreshold, device_id=_DEVICES, threshold=st.none() | st.integers(100, 300)),
    st.builds(AddParty, party=st.just(PartyId("NEW")), category=st.just(PartyCategory.OTHER)),
)


@given(st.lists(st.tuples(st.integers(0, 2), _COMMANDS), max_size=15))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_day_is_remembered_as_it_was(steps: list[tuple[int, Command[Any]]]) -> None:
    pending = Pending()
    number = 0
    ends: dict[int, tuple[list[Any], list[Any]]] = {}
    ledger = pending.smki.ledger

    def remember() -> None:
        ends[number] = (ledger.register.registrants(), list(ledger.register.devices()))

    remember()
    for days, command in steps:
        for _ in range(days):
            number += 1
            remember()
        with contextlib.suppress(SmkiError):
            on(pending, number, command)
        remember()
    added = next((first for first in sorted(ends) if len(ends[first][0]) > len(ends[0][0])), None)
    for each, (registrants, devices) in ends.items():
        register = RegisterOn(ledger, day(each))
        then = register.registrants()
        if added is not None and each < added:
            assert register.used_for_all()[-1].source is Source.ADDED_LATER
            then.pop()
        assert then == registrants
        assert [register.device(device.device_id) for device in devices] == devices
        assert all(used.source is Source.HISTORY for used in register.used_for_all()[: len(registrants)])


def test_the_settings_are_those_of_the_day(pending: Pending) -> None:
    on(
        pending,
        2,
        ChangeSetting(Setting.PARTICIPANTS, ParticipationMode.STRICT.value),
        ChangeSetting(Setting.CERTIFIED_PRODUCTS, "listed"),
    )
    on(
        pending,
        4,
        ChangeSetting(Setting.PARTICIPANTS, ParticipationMode.OPEN.value),
        ChangeSetting(Setting.CERTIFIED_PRODUCTS, "any"),
    )
    on(pending, 6, ChangeSetting(Setting.PARTICIPANTS, ParticipationMode.STRICT.value))
    inquiry, unknown = pending.smki.inquiry, EntityIdentifier(b"\x61" * 8)
    for number, strict, listed in (
        (-9, False, False), (1, False, False), (2, True, True), (3, True, True), (4, False, False), (5, False, False),
        (6, True, False), (9, True, False),
    ):  # fmt: skip
        codes = ["participant.no-test"] if strict else []
        as_of = day(number)
        decision = inquiry.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, DS, as_of=as_of)
        assert [problem.code for problem in decision.problems] == codes, number
        assert (
            "LARGE-SUPPLIER" in map(str, inquiry.who(role=RemotePartyRole.SUPPLIER, as_of=as_of).eligible)
        ) is not strict
        assert bool(inquiry.what("OTHER-USER", as_of=as_of).eligible) is not strict
        codes += ["inventory.not-certified"] if listed else []
        decision = inquiry.device(unknown, DeviceType.ESME, applicant=LARGE, as_of=as_of)
        assert [problem.code for problem in decision.problems] == codes, number
        eligible = inquiry.who(device=unknown, device_type=DeviceType.ESME, as_of=as_of).eligible
        assert (LARGE in map(str, eligible)) is (not codes)


def test_the_mode_of_a_new_home_counts_for_days_before_it(tmp_path: Path) -> None:
    with Smki.create(tmp_path / "pki", seed="strict", participants=ParticipationMode.STRICT) as smki:
        decision = smki.inquiry.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, DS, as_of=date(2020, 1, 1))
        assert [problem.code for problem in decision.problems] == ["participant.no-test"]


def test_the_mode_after_the_clock_was_set_back(pending: Pending) -> None:
    on(pending, 5, ChangeSetting(Setting.PARTICIPANTS, ParticipationMode.STRICT.value))
    on(pending, 2, ChangeSetting(Setting.PARTICIPANTS, ParticipationMode.OPEN.value))
    pending.clock.set(datetime.combine(day(9), START.timetz()))
    for number, eligible in ((1, True), (2, True), (5, True)):
        decision = pending.smki.inquiry.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, DS, as_of=day(number))
        assert decision.eligible is eligible
