"""What accepting and rejecting write, and what a refusal says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from smki import CertificateKind, CertificateStatus, SerialNumber
from smki.ledger import CertificateRecord, EventKind, NewEvent, Revocation
from smki.ledger.sqlite.memory import MemoryLedger
from smki.pki.oid import Oid
from smki.pki.request import CertificationRequest, make_device_request, make_organisation_request, read_request
from smki.problem import Problem, SmkiError
from smki.registration import Actor
from smki.registration.acceptance import Accept, NotAcceptable, Reject
from smki.registration.command import Command
from smki.registration.comparison import differences
from smki.registration.officers import NotYours
from smki.sec.role import RemotePartyRole
from tests.registration.in_memory import DELAY, LARGE, START, TEST, Pending
from tests.support import DEVICE, DS, KA, SUPPLIER

ACCEPTED = timedelta(hours=5)
OFFICER = "Large Supplier Officer"
STRANGER = SerialNumber.parse("1234")


@pytest.fixture
def pending() -> Pending:
    return Pending()


def refusal(pending: Pending, command: Command[Any], error: type[SmkiError], actor: Actor = TEST) -> Problem:
    """Why a command is refused; nothing is written then."""
    before = len(list(pending.smki.ledger.events()))
    with pytest.raises(error) as caught:
        pending.registration.execute(command, actor)
    assert len(list(pending.smki.ledger.events())) == before
    (problem,) = caught.value.problems
    return problem


def as_new(event: NewEvent) -> NewEvent:
    return NewEvent(**{name: getattr(event, name) for name in NewEvent.__dataclass_fields__})


def test_accepting_puts_it_in_use_and_tells_who_did(pending: Pending) -> None:
    older, record = pending.organisation(), pending.organisation()
    assert record.deemed_accepted == START + DELAY
    assert pending.now(older).replaced == START + DELAY
    pending.clock.set(START + ACCEPTED)
    accepted = pending.registration.execute(Accept(record.serial_number), TEST)
    assert accepted == pending.now(record)
    assert (accepted.stored_status, accepted.status_since) == (CertificateStatus.IN_USE, START + ACCEPTED)
    assert pending.now(older).replaced == START + ACCEPTED
    assert as_new(pending.event()) == NewEvent(
        at=START + ACCEPTED,
        kind=EventKind.ACCEPTED,
        interface="test",
        party=LARGE,
        officer=OFFICER,
        application_id=record.application_id,
        certificate_id=record.id,
        detail=f"by {OFFICER}",
    )


def test_rejecting_revokes_it_and_leaves_the_older_in_use(pending: Pending) -> None:
    older, record = pending.organisation(), pending.organisation()
    pending.clock.set(START + ACCEPTED)
    rejection = pending.registration.execute(Reject(record.serial_number, "wrong key"), TEST)
    assert rejection.record == pending.now(record)
    assert (rejection.record.stored_status, rejection.record.status_since) == (
        CertificateStatus.REVOKED,
        START + ACCEPTED,
    )
    assert rejection.differences == ()
    assert rejection.revocation == Revocation(
        serial_number=record.serial_number,
        revoked=START + ACCEPTED,
        effective=START + ACCEPTED,
        reason="rejected",
        asked_by=OFFICER,
    )
    assert pending.smki.ledger.revocations.of(record.serial_number) == rejection.revocation
    assert pending.now(older).replaced is None
    assert as_new(pending.event()) == NewEvent(
        at=START + ACCEPTED,
        kind=EventKind.REJECTED,
        interface="test",
        party=LARGE,
        officer=OFFICER,
        application_id=record.application_id,
        certificate_id=record.id,
        detail="wrong key",
    )


def test_the_rejection_of_a_device_certificate_is_recorded_and_revokes_nothing(pending: Pending) -> None:
    record = pending.device()
    rejection = pending.registration.execute(Reject(record.serial_number, "wrong Device"), TEST)
    assert (rejection.record, rejection.differences, rejection.revocation) == (pending.now(record), (), None)
    assert pending.now(record).stored_status is CertificateStatus.IN_USE
    event = pending.event(record)
    assert (event.kind, event.party, event.officer) == (EventKind.REJECTED, "MANUFACTURER", "Manufacturer Officer")


@pytest.mark.parametrize("make", [Accept, lambda serial: Reject(serial, "x")])
def test_an_unknown_certificate(pending: Pending, make: type[Accept]) -> None:
    assert refusal(pending, make(STRANGER), NotAcceptable) == Problem(
        code="certificate.unknown",
        subject=f"certificate {STRANGER}",
        seen="not in the ledger",
        expected="one that was issued here",
    )


def not_pending(record: CertificateRecord, seen: str, remedy: str = "") -> Problem:
    return Problem(
        code="certificate.not-pending",
        subject=f"certificate {record.serial_number}",
        seen=seen,
        expected="an Organisation Certificate that is pending",
        remedy=remedy,
        given={"serial": record.serial_number.hex},
    )


def test_what_cannot_be_accepted_or_rejected(pending: Pending) -> None:
    meter, root = pending.device(), pending.authority(CertificateKind.ROOT_OCA)
    accept_meter, reject_root = Accept(meter.serial_number), Reject(root.serial_number, "x")
    assert refusal(pending, accept_meter, NotAcceptable) == not_pending(meter, "a Device Certificate, in use")
    assert refusal(pending, reject_root, NotAcceptable) == not_pending(root, "a Root OCA, in use")
    accepted, rejected = pending.organisation(), pending.organisation(KA)
    pending.registration.execute(Accept(accepted.serial_number), TEST)
    pending.registration.execute(Reject(rejected.serial_number, "x"), TEST)
    for again in (Accept(accepted.serial_number), Reject(accepted.serial_number, "x")):
        assert refusal(pending, again, NotAcceptable) == not_pending(
            accepted, "an Organisation Certificate, in use", "certificate.revoke-instead"
        )
    for again in (Accept(rejected.serial_number), Reject(rejected.serial_number, "x")):
        assert refusal(pending, again, NotAcceptable) == not_pending(rejected, "an Organisation Certificate, revoked")


def test_deemed_acceptance_ends_the_time_to_accept_or_reject(pending: Pending) -> None:
    record, other = pending.organisation(), pending.organisation(KA)
    pending.clock.set(START + DELAY)
    for command in (Accept(record.serial_number), Reject(record.serial_number, "x")):
        assert refusal(pending, command, NotAcceptable).remedy == "certificate.revoke-instead"
    pending.clock.set(START + DELAY - timedelta(seconds=1))
    pending.registration.execute(Accept(record.serial_number), TEST)
    pending.registration.execute(Reject(other.serial_number, "x"), TEST)


def test_who_acts_on_a_certificate(pending: Pending) -> None:
    record = pending.organisation()
    subject = f"certificate {record.serial_number}"
    command = Accept(record.serial_number)

    def not_yours(seen: str) -> Problem:
        return Problem(
            code="certificate.not-yours", subject=subject, seen=seen, expected="an officer of its subscriber"
        )

    other = Actor(interface="test", party="OTHER-USER")
    assert refusal(pending, command, NotYours, other) == not_yours("OTHER-USER asked")
    named = replace(other, officer="Other User Officer")
    assert refusal(pending, command, NotYours, named) == not_yours("Other User Officer of OTHER-USER asked")
    mallory = refusal(pending, command, NotYours, Actor(interface="test", party=LARGE, officer="Mallory"))
    assert mallory.code == "officer.other-kind"
    assert (mallory.subject, mallory.clause) == (subject, "SEC Appendix M")
    assert mallory.seen == f"Mallory of {LARGE} does not act for Organisation Certificates"
    assert mallory.expected
    assert mallory.remedy
    # Who applied on the subscriber's behalf acts on it too, and an officer without a Party is one of the subscriber's.
    shared = Actor(interface="test", party="SHARED-RESOURCE", on_behalf_of="SMALL-SUPPLIER")
    small = type(SUPPLIER).parse("90B3D51F30030000")
    first, second = pending.organisation(DS, small, actor=shared), pending.organisation(KA, small, actor=shared)
    pending.registration.execute(Accept(first.serial_number), Actor(interface="test", party="SHARED-RESOURCE"))
    assert (pending.event().party, pending.event().officer) == ("SHARED-RESOURCE", "Shared Resource Officer")
    pending.registration.execute(
        Accept(second.serial_number), Actor(interface="test", officer="Small Supplier Officer")
    )
    assert (pending.event().party, pending.event().officer) == ("SMALL-SUPPLIER", "Small Supplier Officer")


def test_each_field_in_which_a_certificate_differs_from_a_request(pending: Pending) -> None:
    organisation, meter = pending.organisation().certificate, pending.device().certificate

    def difference(field: str, seen: str, expected: str) -> Problem:
        return Problem(code="certificate.differs-from-request", subject=field, seen=seen, expected=expected)

    key = pending.smki.make_device_request(DEVICE, DS)[0]
    other = CertificationRequest.of(
        read_request(make_organisation_request(key, SUPPLIER, RemotePartyRole.SUPPLIER, KA, "X"))
    )
    found = differences(organisation, other)
    assert [problem.subject for problem in found] == ["subject", "public key", "keyUsage"]
    assert "CN=X" in found[0].expected
    assert "CN=X" not in found[0].seen
    assert found[1:] == (
        difference("public key", organisation.public_key_info.hex(), other.public_key_info.hex()),
        difference("keyUsage", organisation.extension_values[Oid.KEY_USAGE].hex(), other.key_usage.hex()),
    )
    of_device = CertificationRequest.of(read_request(make_device_request(key, DEVICE, DS)))
    name = meter.extension_values[Oid.SUBJECT_ALT_NAME].hex()
    assert difference("subjectAltName", "none", name) in differences(organisation, of_device)
    assert difference("subjectAltName", name, "none") in differences(meter, other)
    assert differences(meter, replace(of_device, public_key_info=meter.public_key_info)) == ()


def test_a_rejection_says_where_the_certificate_differs_from_its_request(pending: Pending) -> None:
    record, other = pending.organisation(DS), pending.organisation(KA)
    ledger = pending.smki.ledger
    assert isinstance(ledger, MemoryLedger)
    ledger._connection.execute(
        "UPDATE application SET request = (SELECT request FROM application WHERE id = ?) WHERE id = ?",
        (other.application_id, record.application_id),
    )
    rejection = pending.registration.execute(Reject(record.serial_number, "not what was asked for"), TEST)
    assert [problem.subject for problem in rejection.differences] == ["public key", "keyUsage"]
