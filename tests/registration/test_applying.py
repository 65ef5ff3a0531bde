"""What an application writes: the certificate, the record of the application and the event, granted or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smki import Application, CertificateKind, CertificateStatus, DeviceType, EntityIdentifier
from smki.authority.issuance import Issuance, Subject
from smki.identity import PartyId
from smki.ledger import CertificateRecord, Conflict, EventKind, NewApplication, NewEvent, Statement
from smki.pki.oid import Oid
from smki.problem import IntegrityError, Problem
from smki.registration import Actor, Apply, Issued, Refusal
from smki.registration.command import Happened
from smki.registration.examination import MAX_REQUEST_BYTES
from smki.registration.storing import MAX_SERIAL_ATTEMPTS
from smki.sec.device import Device
from smki.sec.role import KeyUsage, RemotePartyRole
from tests.registration.in_memory import DELAY, LARGE, START, TEST, Pending
from tests.support import DEVICE, DS, KA, SUPPLIER

SMALL = EntityIdentifier.parse("90B3D51F30030000")
NEW = EntityIdentifier(b"\x22" * 8)
OFFICER = "Large Supplier Officer"


@pytest.fixture
def pending() -> Pending:
    return Pending()


def as_new(record: NewEvent) -> NewEvent:
    return NewEvent(**{name: getattr(record, name) for name in NewEvent.__dataclass_fields__})


def recorded(pending: Pending, number: int) -> NewApplication:
    found = pending.smki.ledger.application(number)
    assert found is not None
    return found.application


def refused(pending: Pending, application: Application, actor: Actor = TEST) -> Refusal:
    """An application that is refused, and of which the record tells why."""
    outcome = pending.registration.execute(Apply(application), actor)
    assert isinstance(outcome, Refusal)
    found = pending.smki.ledger.application(outcome.application_id)
    assert found is not None
    assert (found.granted, found.reasons, found.serial_number) == (False, outcome.problems, None)
    # Who applied is read from the application.
    assert as_new(pending.event()) == NewEvent(
        at=START,
        kind=EventKind.REFUSED,
        interface=actor.interface,
        party=found.application.subscriber,
        officer=found.application.officer,
        application_id=outcome.application_id,
        detail=outcome.problems[0].code,
    )
    return outcome


def organisation_request(pending: Pending, entity: EntityIdentifier = SUPPLIER, usage: KeyUsage = DS) -> bytes:
    return pending.smki.make_organisation_request(entity, RemotePartyRole.SUPPLIER, usage)[1]


def device_request(pending: Pending, entity: EntityIdentifier = DEVICE) -> bytes:
    return pending.smki.make_device_request(entity, DS)[1]


def test_an_organisation_certificate_and_everything_written_with_it(pending: Pending) -> None:
    request = organisation_request(pending)
    record = pending.issue(Application(kind=CertificateKind.ORGANISATION, request=request), TEST)
    certificate, issuer = record.certificate, pending.authority(CertificateKind.ISSUING_OCA)
    assert record == CertificateRecord(
        id=record.id,
        serial_number=certificate.serial_number,
        kind=CertificateKind.ORGANISATION,
        entity_identifier=SUPPLIER,
        role=RemotePartyRole.SUPPLIER,
        usage=DS,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        stored_status=CertificateStatus.PENDING,
        status_since=START,
        deemed_accepted=START + DELAY,
        issued=START,
        issuer_serial_number=issuer.serial_number,
        application_id=record.application_id,
        der=certificate.der,
    )
    assert record == pending.now(record)
    assert recorded(pending, record.application_id) == NewApplication(
        received=START,
        interface="test",
        subscriber=LARGE,
        officer=OFFICER,
        applied_by=None,
        kind=CertificateKind.ORGANISATION,
        entity_identifier=SUPPLIER,
        role=RemotePartyRole.SUPPLIER,
        usage=DS,
        request=request,
        top_up=False,
        statement=Statement.AUTOMATIC,
    )
    assert as_new(pending.event()) == NewEvent(
        at=START,
        kind=EventKind.ISSUED,
        interface="test",
        party=LARGE,
        officer=OFFICER,
        application_id=record.application_id,
        certificate_id=record.id,
    )


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_leaves_to_its_application_who_acted(kind: EventKind) -> None:
    actor = Actor(interface="test", party=LARGE, officer=OFFICER)
    by_application = kind in (EventKind.ISSUED, EventKind.REFUSED, EventKind.AUTHORITY_ADDED)
    told, empty = ("test", LARGE, OFFICER), ("", "", "")
    event = Happened(kind=kind, concerns="DCC", device_id=NEW, application_id=7, content={"a": 1}).event(actor, START)
    assert (event.interface, event.party, event.officer) == (empty if by_application else told)
    assert (event.at, event.kind, event.concerns, event.device_id) == (START, kind, "DCC", NEW)
    assert (event.application_id, event.certificate_id, event.detail, event.content) == (7, None, "", {"a": 1})
    found_out = Happened(kind=kind, party="DCC", officer="Ann").event(actor, START)
    assert (found_out.interface, found_out.party, found_out.officer) == (
        empty if by_application else ("test", "DCC", "Ann")
    )


def test_a_device_certificate_is_in_use_at_once_and_its_device_is_added(pending: Pending) -> None:
    record = pending.device(NEW, DeviceType.GSME)
    assert (record.stored_status, record.deemed_accepted) == (CertificateStatus.IN_USE, None)
    assert pending.event().detail == (
        f"{NEW} added to the inventory as GSME, Device under test of MANUFACTURER (assumption: the Code does not say who adds these)"
    )
    assert pending.smki.ledger.register.device(NEW) == Device(NEW, DeviceType.GSME, under_test=PartyId("MANUFACTURER"))
    newer = pending.device(NEW)
    assert pending.event().detail == ""
    assert pending.now(record).replaced == newer.issued == START
    application = recorded(pending, record.application_id)
    assert (application.subscriber, application.officer) == ("MANUFACTURER", "Manufacturer Officer")
    assert (application.kind, application.role, application.usage) == (CertificateKind.DEVICE, None, DS)
    assert Oid.SUBJECT_ALT_NAME in record.certificate.extension_values


def test_an_authoritys_record_has_no_usage_and_replaces_nothing(pending: Pending) -> None:
    for record in pending.smki.ledger.authorities():
        assert (record.usage, record.replaced) == (None, None)
    root, issuing = (pending.authority(kind) for kind in (CertificateKind.ROOT_OCA, CertificateKind.ISSUING_OCA))
    assert (root.issuer_serial_number, issuing.issuer_serial_number) == (None, root.serial_number)


def test_who_applied_on_whose_behalf(pending: Pending) -> None:
    shared = Actor(interface="test", party="SHARED-RESOURCE", on_behalf_of="SMALL-SUPPLIER")
    application = recorded(pending, pending.organisation(DS, SMALL, actor=shared).application_id)
    assert (application.subscriber, application.applied_by) == ("SMALL-SUPPLIER", "SHARED-RESOURCE")
    assert application.officer == "Shared Resource Officer"


def test_top_up(pending: Pending) -> None:
    request = organisation_request(pending, usage=KA)
    record = pending.issue(Application(kind=CertificateKind.ORGANISATION, request=request, top_up=True), TEST)
    assert record.top_up
    assert recorded(pending, record.application_id).top_up
    network = EntityIdentifier.parse("90B3D51F30020000")
    of_network = pending.smki.make_organisation_request(network, RemotePartyRole.NETWORK_OPERATOR, KA)[1]
    device_key = pending.smki.make_device_request(DEVICE, KA)[1]
    for kind, request, seen in (
        (CertificateKind.ORGANISATION, organisation_request(pending), f"supplier, {DS.label}"),
        (CertificateKind.ORGANISATION, of_network, f"networkOperator, {KA.label}"),
        (CertificateKind.DEVICE, device_key, f"no role, {KA.label}"),
    ):
        outcome = refused(pending, Application(kind=kind, request=request, top_up=True))
        assert outcome.problems == (
            Problem(
                code="top-up.not-a-supplier",
                subject="prepayment top-up",
                seen=seen,
                expected="a Supplier's key agreement certificate",
            ),
        )
        application = recorded(pending, outcome.application_id)
        assert (application.top_up, application.request, application.usage) == (
            True,
            request,
            DS if DS.label in seen else KA,
        )


def test_a_request_of_the_maximum_size_is_read_and_a_larger_one_not_even_kept(pending: Pending) -> None:
    assert MAX_REQUEST_BYTES == 65_536
    largest = refused(pending, Application(kind=CertificateKind.DEVICE, request=b"\0" * MAX_REQUEST_BYTES))
    assert largest.problems[0].code != "request.too-large"
    assert recorded(pending, largest.application_id).request == b"\0" * MAX_REQUEST_BYTES
    larger = refused(pending, Application(kind=CertificateKind.DEVICE, request=b"\0" * (MAX_REQUEST_BYTES + 1)))
    assert larger.problems == (
        Problem(
            code="request.too-large",
            subject="certification request",
            seen="65537 bytes",
            expected="at most 65536 bytes",
        ),
    )
    assert recorded(pending, larger.application_id) == NewApplication(
        received=START, interface="test", kind=CertificateKind.DEVICE, request=None, subscriber="", officer=""
    )


def test_a_certificate_instead_of_a_request(pending: Pending) -> None:
    outcome = refused(pending, Application(kind=CertificateKind.DEVICE, request=pending.device().der))
    assert outcome.problems == (
        Problem(
            code="request.is-certificate",
            subject="certification request",
            seen="a certificate",
            expected="a certification request (PKCS#10)",
            remedy="Submit the request that was made for its key.",
        ),
    )


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        (CertificateKind.DEVICE, "kind.apply-for-organisation"),
        (CertificateKind.ORGANISATION, "kind.apply-for-device"),
    ],
)
def test_a_request_of_the_other_kind(pending: Pending, kind: CertificateKind, remedy: str) -> None:
    request = organisation_request(pending) if kind is CertificateKind.DEVICE else device_request(pending)
    (problem,) = refused(pending, Application(kind=kind, request=request)).problems
    assert (problem.code, problem.remedy) == ("kind.unexpected", remedy)


def test_a_refusal_names_who_applied_as_far_as_is_known(pending: Pending) -> None:
    request = organisation_request(pending)
    application = Application(kind=CertificateKind.ORGANISATION, request=request)
    nobody = Actor(interface="rest", party="NOBODY", officer="Mallory")
    unknown = recorded(pending, refused(pending, application, nobody).application_id)
    assert (unknown.interface, unknown.subscriber, unknown.officer) == ("rest", "NOBODY", "Mallory")
    assert (unknown.request, unknown.role, unknown.usage) == (request, RemotePartyRole.SUPPLIER, DS)
    small = recorded(pending, refused(pending, application, replace(TEST, party="SMALL-SUPPLIER")).application_id)
    assert (small.subscriber, small.officer, small.applied_by) == ("SMALL-SUPPLIER", "Small Supplier Officer", None)
    # Of what makes no sense only the actor is known.
    garbage = Application(kind=CertificateKind.DEVICE, request=b"\x30\x00")
    senseless = recorded(pending, refused(pending, garbage, nobody).application_id)
    assert (senseless.subscriber, senseless.officer, senseless.usage) == ("NOBODY", "Mallory", None)


def test_a_named_issuing_authority(pending: Pending) -> None:
    request = device_request(pending)
    outcome = refused(pending, Application(kind=CertificateKind.DEVICE, request=request, issuer="X" * 20))
    assert outcome.problems == (
        Problem(
            code="authority.unknown",
            subject="authority " + "X" * 16,
            seen="does not issue certificates of this kind",
            expected="TD01",
            remedy="Name one of TD01, or leave it out.",
        ),
    )
    record = pending.issue(Application(kind=CertificateKind.DEVICE, request=request, issuer="TD01"), TEST)
    assert record.issuer_serial_number == pending.authority(CertificateKind.ISSUING_DCA).serial_number


def test_the_notes_on_a_request_are_handed_back(pending: Pending) -> None:
    outcome = pending.registration.execute(
        Apply(Application(kind=CertificateKind.DEVICE, request=device_request(pending))), TEST
    )
    assert isinstance(outcome, Issued)
    assert outcome.notes == ()


def test_a_serial_number_that_is_taken_is_drawn_again(pending: Pending, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = pending.device().serial_number
    draw = Issuance.serial_numbers
    attempts: list[int] = []

    def drawn(self: Issuance, subjects: list[Subject], attempt: int, above: int) -> list[SerialNumber]:
        attempts.append(attempt)
        return [taken] * len(subjects) if attempt < last else draw(self, subjects, attempt, above)

    monkeypatch.setattr(Issuance, "serial_numbers", drawn)
    last = MAX_SERIAL_ATTEMPTS - 1
    record = pending.device()
    assert record.serial_number != taken
    assert attempts == list(range(MAX_SERIAL_ATTEMPTS)) == list(range(64))
    last = MAX_SERIAL_ATTEMPTS
    before = len(list(pending.smki.ledger.events()))
    with pytest.raises(IntegrityError) as caught:
        pending.device()
    assert not isinstance(caught.value, Conflict)
    assert caught.value.problems == (
        Problem(
            code="serial-number.exhausted",
            subject="serial number",
            seen="64 drawn, all taken",
            expected="a free one",
        ),
    )
    assert len(list(pending.smki.ledger.events())) == before
