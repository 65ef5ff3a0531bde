"""A command is one transaction: whatever fails in it, and however, nothing of it is there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smki import Application, CertificateKind, DeviceType, EntityIdentifier, RemotePartyRole, SerialNumber, Smki
from smki.authority.certification_authority import SigningKey
from smki.keys.private_key import SystemRandomness
from smki.ledger import ApplicationQuery, CertificateQuery, Conflict, CredentialKind, EventKind, LedgerUnavailable
from smki.ledger.sqlite.decisions import SqliteDecisions
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.ledger.sqlite.transaction import SqliteTransaction
from smki.pki.request import make_device_request, make_organisation_request
from smki.problem import Malformed
from smki.registration import Command
from smki.registration.acceptance import Accept, Reject
from smki.registration.applications import Apply, ApplyTogether
from smki.registration.authorities import EstablishAuthority
from smki.registration.credentials import RevokeCredential
from smki.registration.devices import AddDevices
from smki.registration.parties import Register
from smki.registration.revocation import Revoke
from smki.registration.revocation_lists import PublishList
from smki.sec.device import Device
from smki.sec.party import Party, PartyCategory
from tests.commands import TEST, accept, make_token
from tests.support import DEVICE, DS, SUPPLIER

FORK = multiprocessing.get_context("fork")
TOKEN = CredentialKind.OFFICER_TOKEN
NEW_DEVICE = EntityIdentifier(b"\x66" * 8)


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Smki]:
    """An SMKI with two pending certificates for the same subject and usage, the second to take over from the first."""
    with Smki.create(tmp_path / "pki", deemed_accepted_after=timedelta(days=1)) as smki:
        accept(smki, supplier(smki))
        supplier(smki)
        make_token(smki, "LARGE-SUPPLIER")
        yield smki


def supplier(smki: Smki) -> SerialNumber:
    request = make_organisation_request(SystemRandomness().private_key(""), SUPPLIER, RemotePartyRole.SUPPLIER, DS)
    return smki.issue_organisation(request).record.serial_number


def dump(home: Path) -> list[str]:
    """Everything in a ledger."""
    with sqlite3.connect(home / "ledger.sqlite") as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


def last(smki: Smki) -> SerialNumber:
    return list(smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.ORGANISATION,))))[-1].serial_number


def application(smki: Smki) -> Apply:
    request = make_device_request(SystemRandomness().private_key(""), NEW_DEVICE, DS)
    return Apply(Application(kind=CertificateKind.DEVICE, request=request, device_type=DeviceType.ESME))


def applications(smki: Smki) -> ApplyTogether:
    """One that is refused, and two for a new Device: the second certificate replaces the first."""
    requests = [make_device_request(SystemRandomness().private_key(""), NEW_DEVICE, DS) for _ in range(2)]
    return ApplyTogether(
        tuple(
            Application(kind=CertificateKind.DEVICE, request=request, device_type=DeviceType.ESME)
            for request in (b"\x30\x00", *requests)
        )
    )


def for_nothing(smki: Smki) -> Apply:
    return Apply(Application(kind=CertificateKind.DEVICE, request=b"\x30\x00"))


def devices(smki: Smki) -> AddDevices:
    return AddDevices(
        tuple(Device(EntityIdentifier(bytes([9] * 7 + [number])), DeviceType.ESME) for number in range(3))
    )


def next_list(smki: Smki) -> PublishList:
    return PublishList(smki.hierarchy.newest(smki.ledger, CertificateKind.ISSUING_OCA))


WITH_EACH = ("application", "audit_event", "leaf")
"""Tables that are written with every decision."""

WITH_A_CERTIFICATE = (*WITH_EACH, "certificate", "fingerprint", "device", "subscriber")

COMMANDS: dict[str, tuple[Callable[[Smki], Command[Any]], tuple[str, ...]]] = {
    "apply": (application, ("sign", *(f"insert on {table}" for table in WITH_A_CERTIFICATE), "record")),
    "apply together": (
        applications,
        (
            "sign",
            *(f"insert on {table}" for table in WITH_A_CERTIFICATE),
            "update on certificate",
            "record",
        ),
    ),
    "apply in vain": (for_nothing, (*(f"insert on {table}" for table in WITH_EACH), "record")),
    "accept": (lambda smki: Accept(last(smki)), ("change_status", "replace_older", "append_event")),
    "reject": (
        lambda smki: Reject(last(smki), "x"),
        ("change_status", "add_revocation", "restore_older", "append_event"),
    ),
    "revoke": (
        lambda smki: Revoke(serial_number=last(smki), reason="key-lost"),
        ("change_status", "add_revocation", "append_event"),
    ),
    "publish a list": (next_list, ("sign", "add_list", "append_event")),
    "establish an authority": (
        lambda _: EstablishAuthority(CertificateKind.ISSUING_DCA),
        ("sign", *(f"insert on {table}" for table in WITH_EACH), "insert on certificate", "record"),
    ),
    "add Devices": (devices, ("add_device", "append_event")),
    "revoke credentials": (
        lambda smki: RevokeCredential(kind=TOKEN, name="Large Supplier Officer", revoked=smki.clock.now()),
        ("revoke_credential", "append_event"),
    ),
}
POINTS = [(name, point) for name, (_, points) in COMMANDS.items() for point in points]


class Lost(Exception):
    """What a test makes go wrong."""


def owner_of(point: str) -> Any:
    """The class that has a step."""
    return {"sign": SigningKey, "record": SqliteDecisions}.get(point, SqliteTransaction)


def fail_after(point: str, patch: Callable[[object, str, object], None], fail: Callable[[], None]) -> None:
    """Make something go wrong as soon as a step of a transaction is done: a call, or the first row that is inserted into
    a table or updated."""
    if " on " in point:
        begin = SqliteTransaction.__init__

        def begin_failing(transaction: SqliteTransaction, connection: sqlite3.Connection) -> None:
            begin(transaction, connection)
            connection.create_function("fail", 0, fail)
            connection.execute(f"CREATE TEMP TRIGGER failing AFTER {point} BEGIN SELECT fail(); END")

        patch(SqliteTransaction, "__init__", begin_failing)
        return
    owner = owner_of(point)
    step = getattr(owner, point)

    def failing(*args: Any, **options: Any) -> Any:
        step(*args, **options)
        fail()

    patch(owner, point, failing)


@pytest.mark.parametrize(("name", "point"), POINTS)
def test_an_error_at_any_step_leaves_nothing(
    patient: Smki, monkeypatch: pytest.MonkeyPatch, name: str, point: str
) -> None:
    command = COMMANDS[name][0](patient)
    before, failed = dump(patient.path), 0

    def fail() -> None:
        nonlocal failed
        failed += 1
        raise Lost

    with monkeypatch.context() as patch:
        fail_after(point, patch.setattr, fail)
        # SQLite reports what goes wrong in a trigger as an error of its own.
        with pytest.raises(LedgerUnavailable if " on " in point else Lost):
            patient.registration.execute(command, TEST)
    assert failed == 1
    assert dump(patient.path) == before
    # And the same command goes through afterwards, as if nothing had been tried.
    patient.registration.execute(command, TEST)
    assert dump(patient.path) != before
    result = patient.check()
    assert (result.unfinished, result.problems) == (0, ())


def killed_at(home: Path, name: str, point: str) -> None:
    with Smki.open(home) as smki:
        command = COMMANDS[name][0](smki)
        fail_after(point, setattr, lambda: os.kill(os.getpid(), signal.SIGKILL))
        smki.registration.execute(command, TEST)


@pytest.mark.parametrize(("name", "point"), POINTS)
def test_a_kill_at_any_step_leaves_nothing(patient: Smki, name: str, point: str) -> None:
    before = dump(patient.path)
    process = FORK.Process(target=killed_at, args=(patient.path, name, point))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert dump(patient.path) == before
    patient.registration.execute(COMMANDS[name][0](patient), TEST)
    assert patient.check().problems == ()


def test_nobody_sees_a_certificate_before_all_of_it_is_durable(smki: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = SqliteLedger(smki.path / "ledger.sqlite")
    before, events = dump(smki.path), len(list(reader.events()))
    seen: list[str] = []

    def look(point: str) -> None:
        assert reader.certificates_for_device(DEVICE) == 0
        assert len(list(reader.events())) == events
        assert dump(smki.path) == before
        seen.append(point)

    points = ("sign", "record")
    for point in points:
        owner = owner_of(point)
        step = getattr(owner, point)

        def watched(*args: Any, step: Any = step, point: str = point, **options: Any) -> Any:
            outcome = step(*args, **options)
            look(point)
            return outcome

        monkeypatch.setattr(owner, point, watched)
    record = smki.issue_device(smki.make_device_request(DEVICE, DS)[1]).record
    assert seen == list(points)
    assert reader.certificate(record.serial_number) == record
    application = reader.application(record.application_id)
    assert application is not None
    assert application.serial_number == record.serial_number
    assert [event.kind for event in reader.events()][events:] == [EventKind.ISSUED]
    reader.close()


def test_a_refused_application_has_no_serial_number_and_counts_for_nothing(smki: Smki) -> None:
    had = smki.ledger.certificates_issued_to("OTHER-USER")
    smki.registration.execute(for_nothing(smki), TEST)
    (refused,) = smki.ledger.applications(ApplicationQuery(granted=False))
    assert refused.serial_number is None
    assert smki.ledger.certificates_issued_to("OTHER-USER") == had
    (event,) = [event for event in smki.ledger.events() if event.kind is EventKind.REFUSED]
    assert event.application_id == refused.id


def test_what_is_refused_writes_nothing(patient: Smki) -> None:
    """All the Parties of a file or none, and so with everything that a command refuses."""
    known, new = (Party.parse(party_id=name, category="other") for name in ("DCC", "NEW"))
    assert known.category is PartyCategory.OTHER
    before = dump(patient.path)
    commands: tuple[Command[Any], ...] = (
        Register((new, known)),
        AddDevices((Device(NEW_DEVICE, DeviceType.ESME), Device(DEVICE, DeviceType.ESME))),
        Revoke(serial_number=last(patient), reason="boredom"),
        EstablishAuthority(CertificateKind.ROOT_OCA),
    )
    for command in commands:
        with pytest.raises((Malformed, Conflict)):
            patient.registration.execute(command, TEST)
    assert dump(patient.path) == before
