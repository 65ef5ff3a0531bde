"""What the commands on Devices keep true beside what the cases of every interface show."""

from __future__ import annotations

import pytest

from smki import DeviceType, Smki
from smki.ledger import Conflict, EventKind
from smki.problem import Malformed
from smki.registration.bulk import LoadDevices, read_devices
from smki.registration.devices import AddDevices, ChangeDevice, SetDeviceStatus, SetThreshold, known_device
from smki.sec.device import Device, Responsible, SmiStatus
from tests.registration.register_cases import NEW_DEVICE, OPERATOR, state
from tests.support import DEVICE


def test_an_event_says_from_and_to(smki: Smki) -> None:
    smki.registration.execute(ChangeDevice(device_id=DEVICE, status=SmiStatus.SUSPENDED), OPERATOR)
    event = list(smki.ledger.events())[-1]
    assert (event.kind, event.device_id) == (EventKind.DEVICE_CHANGED, DEVICE)
    assert event.content == {
        "returns_to": {"from": None, "to": "pending"},
        "status": {"from": "pending", "to": "suspended"},
    }
    smki.registration.execute(SetThreshold(DEVICE, 150), OPERATOR)
    smki.registration.execute(SetThreshold(DEVICE, None), OPERATOR)
    assert [event.content for event in smki.ledger.events()][-2:] == [
        {"threshold": {"from": None, "to": 150}},
        {"threshold": {"from": 150, "to": None}},
    ]
    assert smki.ledger.register.threshold(DEVICE) is None


def test_a_suspension_and_the_way_back(smki: Smki) -> None:
    change = ChangeDevice(device_id=DEVICE, status=SmiStatus.SUSPENDED, returns_to=SmiStatus.COMMISSIONED)
    assert smki.registration.execute(change, OPERATOR).returns_to is SmiStatus.COMMISSIONED
    back = smki.registration.execute(SetDeviceStatus(DEVICE, SmiStatus.COMMISSIONED), OPERATOR)
    assert (back.status, back.returns_to) == (SmiStatus.COMMISSIONED, None)


def test_responsible_parties_are_replaced(smki: Smki) -> None:
    both = (Responsible.parse("gas: LARGE-SUPPLIER"), Responsible.parse("electricity: SMALL-SUPPLIER"))
    for responsible in (both, both[:1], ()):
        smki.registration.execute(ChangeDevice(device_id=DEVICE, responsible=responsible), OPERATOR)
        assert known_device(smki.ledger, DEVICE).responsible == responsible


def test_several_devices_are_added_or_none(smki: Smki) -> None:
    before = state(smki)
    devices = (Device(NEW_DEVICE, DeviceType.GSME), Device(DEVICE, DeviceType.GSME))
    with pytest.raises(Conflict) as caught:
        smki.registration.execute(AddDevices(devices), OPERATOR)
    assert caught.value.code == "device.exists"
    assert state(smki) == before


def test_every_clash_in_a_file_is_named_by_its_row(smki: Smki) -> None:
    text = f"device_id,device_type\n{NEW_DEVICE},ESME\n{DEVICE},ESME\n{NEW_DEVICE},GSME\n"
    rows = read_devices(text.encode(), "devices.csv")
    before = state(smki)
    with pytest.raises(Conflict) as caught:
        smki.registration.execute(LoadDevices(rows), OPERATOR)
    assert [(problem.code, problem.subject.split(",")[0]) for problem in caught.value.problems] == [
        ("device.exists", "row 2"),
        ("device.exists", "row 3"),
    ]
    assert state(smki) == before
    smki.registration.execute(LoadDevices(rows[:1]), OPERATOR)
    event = list(smki.ledger.events())[-1]
    assert (event.kind, event.device_id) == (EventKind.DEVICE_ADDED, NEW_DEVICE)


def test_a_device_file_of_other_json() -> None:
    with pytest.raises(Malformed) as caught:
        read_devices(b'[{"device_id": "00-DB-12-34-56-78-90-AF", "device_type": true}]', "devices.json")
    assert caught.value.code == "row.value"


@pytest.mark.parametrize("word", ["yes", "true", "1", " YES ", "no", "false", "0"])
def test_words_for_whether_a_device_is_enrolled(word: str) -> None:
    (device,) = read_devices(f"device_id,device_type,enrolled\n{DEVICE},ESME,{word}\n".encode(), "devices.csv")
    assert device.enrolled is (word.strip().lower() in {"yes", "true", "1"})


def test_a_flag_that_is_neither_yes_nor_no_names_its_column() -> None:
    with pytest.raises(Malformed) as caught:
        read_devices(f"device_id,device_type,enrolled\n{DEVICE},ESME,{'x' * 100}\n".encode(), "devices.csv")
    (problem,) = caught.value.problems
    assert (problem.code, problem.subject) == ("flag.malformed", "row 1: column enrolled")
    assert problem.seen == "'" + "x" * 63
