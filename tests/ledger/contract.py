"""What every implementation of ``smki/ledger/contract.py`` has to do: derive a test class from :class:`LedgerContract`."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import pytest

from smki import CertificateKind, CertificateStatus, DeviceType, EntityIdentifier, SerialNumber
from smki.clock import to_seconds
from smki.identity import PartyId
from smki.ledger import (
    ApplicationQuery,
    CertificateQuery,
    CertificateRecord,
    Conflict,
    CredentialKind,
    CredentialRecord,
    DecidedApplication,
    EventKind,
    EventQuery,
    Ledger,
    ListRecord,
    NewApplication,
    NewCertificate,
    NewEvent,
    NewImport,
    Order,
    Period,
    Revocation,
    Transaction,
)
from smki.ledger.records import ApplicationGroup, CertificateGroup, RevokedCertificate
from smki.problem import Finding, Problem, Severity
from smki.sec.device import Device, SmiStatus
from smki.sec.party import Officer, Party, TestingParticipant
from smki.sec.role import KeyUsage, RemotePartyRole

T = TypeVar("T")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
METER = EntityIdentifier(b"\x11" * 8)
EUI = EntityIdentifier.parse("90B3D51F30990000")
ACME = Party.parse(party_id="ACME", category="large-supplier", identifiers=EUI.hex, officers=["Jo Bloggs"])
RIVAL = Party.parse(party_id="RIVAL", category="small-supplier")
LAB = TestingParticipant.parse(participant_id="LAB", purpose="section-t")
ESME = Device(METER, DeviceType.ESME)
REASON = Problem(
    code="device.unknown", subject="Device 11", seen="not in the inventory", expected="a Device", remedy="Add it."
)
APPLICATION = NewApplication(
    received=NOW,
    interface="test",
    subscriber="ACME",
    officer="Jo Bloggs",
    applied_by="SHARED",
    kind=CertificateKind.DEVICE,
    entity_identifier=METER,
    role=None,
    usage=KeyUsage.DIGITAL_SIGNATURE,
    request=bytes(range(256)),
    top_up=True,
)


class Lost(Exception):
    """What a test makes go wrong."""


def add(ledger: Ledger, *records: CertificateRecord, subscriber: str = "ACME") -> list[CertificateRecord]:
    """Store certificates, each with its application and event, and return how they are then: the newer ones have replaced
    the older ones."""

    def work(transaction: Transaction) -> list[CertificateRecord]:
        for record in records:
            add_one(transaction, record, subscriber)
        found = [transaction.certificate(record.serial_number) for record in records]
        return [record for record in found if record is not None]

    return ledger.transact(work)


def add_one(transaction: Transaction, record: CertificateRecord, subscriber: str = "ACME") -> CertificateRecord:
    """Store a certificate with its application and event."""
    application = NewApplication(
        received=record.issued,
        interface="test",
        subscriber=subscriber,
        officer="Jo Bloggs",
        kind=record.kind,
        entity_identifier=record.entity_identifier,
        role=record.role,
        usage=record.usage,
    )
    (stored,) = record_decisions(transaction, [granted(application, record)])
    assert stored.certificate is not None
    return stored.certificate


class Recorded(NamedTuple):
    """A decision that was recorded."""

    application_id: int
    event_id: int
    certificate: CertificateRecord | None


def record_decisions(transaction: Transaction, decided: Sequence[tuple[DecidedApplication, bytes]]) -> list[Recorded]:
    """Record decisions, each with the DER of its certificate."""
    entities = {each.certificate.entity_identifier for each, _ in decided if each.certificate is not None}
    recorder = transaction.decisions([entity for entity in entities if entity is not None])
    prepared = [recorder.prepare(each) for each, _ in decided]
    recorder.record([recorder.seal(each, der) for each, (_, der) in zip(prepared, decided, strict=True)])
    return [
        Recorded(numbers.application_id, numbers.event_id, each.certificate and each.certificate.record(numbers, der))
        for numbers, (each, der) in zip(prepared, decided, strict=True)
    ]


def granted(
    application: NewApplication, record: CertificateRecord, public_key_info: bytes | None = None
) -> tuple[DecidedApplication, bytes]:
    """An application that was granted, with its event and certificate."""
    certificate = NewCertificate(
        serial_number=record.serial_number,
        kind=record.kind,
        entity_identifier=record.entity_identifier,
        role=record.role,
        usage=record.usage,
        public_key_info=record.certificate.public_key_info if public_key_info is None else public_key_info,
        not_before=record.not_before,
        not_after=record.not_after,
        issued=record.issued,
        status=record.stored_status,
        deemed_accepted=record.deemed_accepted,
        issuer_serial_number=record.issuer_serial_number,
        top_up=record.top_up,
    )
    event = NewEvent(at=application.received, kind=EventKind.ISSUED)
    return DecidedApplication(application=application, event=event, certificate=certificate), record.der


def refused(application: NewApplication) -> tuple[DecidedApplication, bytes]:
    """An application that was refused, with its event."""
    event = NewEvent(at=application.received, kind=EventKind.REFUSED, detail=REASON.code)
    return DecidedApplication(application=application, event=event, reasons=(REASON, REASON)), b""


def certificate_for(application: NewApplication, like: CertificateRecord, serial_number: int) -> CertificateRecord:
    """A certificate for an application; its DER is that of another."""
    return replace(
        like, id=0, application_id=0, serial_number=SerialNumber(serial_number), kind=application.kind,
        role=application.role, usage=application.usage, entity_identifier=application.entity_identifier,
        top_up=application.top_up,
    )  # fmt: skip


def fails(ledger: Ledger, work: Callable[[Transaction], object]) -> None:
    """Run work in a transaction that then fails."""

    def failing(transaction: Transaction) -> None:
        work(transaction)
        raise Lost

    with pytest.raises(Lost):
        ledger.transact(failing)


def together(ledger: Ledger, *writes: Callable[[Transaction], object]) -> None:
    """Run several writes in one transaction."""

    def work(transaction: Transaction) -> None:
        for write in writes:
            write(transaction)

    ledger.transact(work)


def elsewhere(call: Callable[[], T]) -> T:
    """What a call returns in another thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result(60)


def a_list(issuer: SerialNumber, number: int, *, der: bytes = b"list", entries: int = 0) -> ListRecord:
    """A revocation list, valid for two hours from as many hours after NOW as it has a number."""
    begin = NOW + number * HOUR
    return ListRecord(
        issuer=issuer, number=number, this_update=begin, next_update=begin + 2 * HOUR, entries=entries, der=der
    )


def revocation(record: CertificateRecord, *, effective: datetime = NOW) -> Revocation:
    """A revocation of a certificate."""
    return Revocation(
        serial_number=record.serial_number, revoked=NOW, effective=effective, reason="key-lost", asked_by="Jo Bloggs"
    )


class LedgerContract:
    """Tests of one implementation.

    A derived class overrides the fixtures ``ledger``, an empty ledger, and ``other``, a second one over the same store:
    another process, as it were; the same object where a store can be open only once. ``issued`` is in
    ``tests/ledger/conftest.py``: certificates of every kind from some SMKI, in the order in which they were issued.
    """

    # --- applications -----------------------------------------------------------------------------------------------

    def test_applications(self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]) -> None:
        certificate = certificate_for(APPLICATION, issued[0], 5)
        decided = [refused(APPLICATION), granted(APPLICATION, certificate, b"key")]
        in_vain, in_use = ledger.transact(lambda tx: record_decisions(tx, decided))
        assert in_vain.certificate is None
        assert in_use.certificate == replace(certificate, id=1, application_id=in_use.application_id)
        assert in_use.application_id == in_vain.application_id + 1
        assert [(event.id, event.kind) for event in other.events()] == [
            (in_vain.event_id, EventKind.REFUSED),
            (in_use.event_id, EventKind.ISSUED),
        ]
        first, second = other.application(in_vain.application_id), other.application(in_use.application_id)
        assert first is not None
        assert second is not None
        assert first.application == second.application == APPLICATION
        assert (first.granted, first.reasons, first.serial_number) == (False, (REASON, REASON), None)
        assert (second.granted, second.reasons, second.serial_number) == (True, (), SerialNumber(5))
        assert (first.tbs, other.unfinished_applications(), other.application(99)) == (None, [], None)
        assert list(other.applications(ApplicationQuery())) == [first, second]
        assert list(other.applications(ApplicationQuery(), after=in_vain.application_id)) == [second]
        assert list(other.applications(ApplicationQuery(), limit=1)) == [first]
        for query, found in (
            (ApplicationQuery(granted=True), [second]),
            (ApplicationQuery(subscriber="ACME"), [first, second]),
            (ApplicationQuery(subscriber="SHARED"), []),
            (ApplicationQuery(involved="SHARED"), [first, second]),
            (ApplicationQuery(involved="RIVAL"), []),
            (ApplicationQuery(kind=CertificateKind.ORGANISATION), []),
            (ApplicationQuery(entity_identifier=METER, granted=False), [first]),
        ):
            assert list(other.applications(query)) == found
            assert other.search.applications(query).records == found[::-1]
        page = other.search.applications(ApplicationQuery(), limit=1)
        assert page.records == [second]
        assert other.search.applications(ApplicationQuery(), page.last, 1).records == [first]
        assert other.certificates_issued_to("ACME") == 1
        assert other.certificates_issued_to("RIVAL") == 0
        assert other.search.statistics(0).applications == {
            ApplicationGroup(CertificateKind.DEVICE, True): 1,
            ApplicationGroup(CertificateKind.DEVICE, False): 1,
        }
        assert other.search.statistics(0).refusals == {"device.unknown": 1}

    def test_a_serial_number_is_used_once(self, ledger: Ledger, issued: list[CertificateRecord]) -> None:
        """Neither by a later transaction nor within one; nothing of one that uses one again is stored."""
        five, six = (certificate_for(APPLICATION, issued[0], number) for number in (5, 6))
        ledger.transact(lambda tx: record_decisions(tx, [granted(APPLICATION, five, b"first")]))
        for decided in (
            [granted(APPLICATION, five, b"second")],
            [granted(APPLICATION, six, b"second"), granted(APPLICATION, five, b"third")],
            [granted(APPLICATION, six, b"second"), granted(APPLICATION, six, b"third")],
            [granted(APPLICATION, six, b"second"), granted(APPLICATION, replace(six, serial_number=SerialNumber(7)), b"second")],
            [refused(APPLICATION), granted(APPLICATION, six, b"first")],
        ):  # fmt: skip
            with pytest.raises(Conflict):
                ledger.transact(lambda tx, decided=decided: record_decisions(tx, decided))  # type: ignore[misc]
            assert len(list(ledger.applications(ApplicationQuery()))) == len(list(ledger.events())) == 1
            assert ledger.certificates_issued_to("ACME") == ledger.count_certificates() == 1
        (recorded,) = ledger.transact(lambda tx: record_decisions(tx, [granted(APPLICATION, six, b"second")]))
        found = ledger.application(recorded.application_id)
        assert found is not None
        assert found.serial_number == SerialNumber(6)
        assert len(list(ledger.applications(ApplicationQuery()))) == ledger.certificates_issued_to("ACME") == 2

    # --- certificates -----------------------------------------------------------------------------------------------

    def test_certificates(self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]) -> None:
        assert (ledger.last_certificate_id(), ledger.count_certificates()) == (0, 0)
        stored = add(ledger, *issued)
        ids = [record.id for record in stored]
        assert ids == sorted(set(ids))
        assert min(ids) > 0
        assert list(other.certificates(CertificateQuery())) == stored
        assert list(other.certificates(CertificateQuery(), after=ids[2], limit=2)) == stored[3:5]
        assert (other.last_certificate_id(), other.count_certificates()) == (ids[-1], len(stored))
        assert other.authorities() == [record for record in stored if record.kind.is_authority]
        for record, given in zip(stored, issued, strict=True):
            assert record == replace(
                given, id=record.id, application_id=record.application_id, replaced=record.replaced
            )
            assert other.certificate(record.serial_number) == record
            key = record.certificate.public_key_info
            assert other.certificates_of_key(key) == [record]
            assert other.is_certified(key)
            assert other.search.holds_certificate(record.id)
            for query in (
                CertificateQuery(serial_number=record.serial_number),
                CertificateQuery(sha256=hashlib.sha256(record.der).digest()),
                CertificateQuery(serial_prefix=record.serial_number.hex.zfill(32)),
            ):
                assert other.search.certificates(query).records == [record]
        assert other.certificate(SerialNumber(1)) is None
        assert (other.certificates_of_key(b"other"), other.is_certified(b"other")) == ([], False)
        assert not other.search.holds_certificate(ids[-1] + 1)
        meters = [record for record in stored if record.kind is CertificateKind.DEVICE]
        assert meters[0].entity_identifier is not None
        own = [record for record in meters if record.entity_identifier == meters[0].entity_identifier]
        assert other.certificates_for_device(meters[0].entity_identifier) == len(own) > 1
        assert other.certificates_for_device(METER) == 0
        for entity in {record.entity_identifier for record in stored if record.entity_identifier}:
            roles = {record.role for record in stored if record.entity_identifier == entity and record.role}
            assert other.roles_certified(entity) == frozenset(roles)
        assert any(record.role for record in stored if record.entity_identifier)
        assert other.roles_certified(METER) == frozenset()
        groups = [CertificateGroup(r.kind, r.role, r.usage, r.status_at(NOW)) for r in stored]
        counts = {group: groups.count(group) for group in groups}
        assert other.search.statistics(to_seconds(NOW)).certificates == counts

    @pytest.mark.parametrize("order", Order)
    @pytest.mark.parametrize("descending", [False, True])
    def test_certificates_in_pages(
        self, ledger: Ledger, issued: list[CertificateRecord], order: Order, descending: bool
    ) -> None:
        stored = add(ledger, *issued)
        everything = list(ledger.search.all_certificates(CertificateQuery(), order, descending=descending))
        assert sorted(record.id for record in everything) == [record.id for record in stored]
        keys: dict[Order, Callable[[CertificateRecord], Any]] = {
            Order.ISSUED: lambda record: record.issued,
            Order.NOT_AFTER: lambda record: record.not_after,
            Order.SERIAL_NUMBER: lambda record: record.serial_number,
            Order.ENTITY_IDENTIFIER: lambda record: (record.entity_identifier or EntityIdentifier(bytes(8))).encoded,
        }
        found = [keys[order](record) for record in everything]
        assert found == sorted(found, reverse=descending)
        paged: list[CertificateRecord] = []
        after = None
        while True:
            page = ledger.search.certificates(CertificateQuery(), order, descending=descending, after=after, limit=3)
            paged += page.records
            after = page.last
            if after is None:
                break
        assert paged == everything
        rest = ledger.search.all_certificates(CertificateQuery(), order, descending=descending, after=paged[4].id)
        assert list(rest) == paged[5:]

    def test_queries(self, ledger: Ledger, issued: list[CertificateRecord]) -> None:
        stored = add(ledger, *issued)
        meter = next(record for record in stored if record.kind is CertificateKind.DEVICE)
        assert meter.entity_identifier is not None
        ledger.transact(lambda tx: tx.add_device(Device(meter.entity_identifier or METER, DeviceType.PPMID)))
        wanted: list[tuple[CertificateQuery, Callable[[CertificateRecord], bool]]] = [
            (CertificateQuery(kinds=(meter.kind,)), lambda r: r.kind is meter.kind),
            (CertificateQuery(entity_identifier=meter.entity_identifier), lambda r: r.entity_identifier == meter.entity_identifier),
            (CertificateQuery(role=RemotePartyRole.SUPPLIER), lambda r: r.role is RemotePartyRole.SUPPLIER),
            (CertificateQuery(usage=KeyUsage.KEY_AGREEMENT), lambda r: r.usage is KeyUsage.KEY_AGREEMENT),
            (CertificateQuery(issuer=meter.issuer_serial_number), lambda r: r.issuer_serial_number == meter.issuer_serial_number),
            (CertificateQuery(device_type=DeviceType.PPMID), lambda r: r.kind is meter.kind and r.entity_identifier == meter.entity_identifier),
            (CertificateQuery(not_after=Period(meter.not_after)), lambda r: r.not_after >= meter.not_after),
            (CertificateQuery(not_before=Period(None, meter.not_before)), lambda r: r.not_before <= meter.not_before),
            (CertificateQuery(issued=Period(meter.issued, meter.issued)), lambda r: r.issued == meter.issued),
            *((CertificateQuery(status=status, moment=NOW), lambda r, status=status: r.status_at(NOW) is status) for status in CertificateStatus),
        ]  # fmt: skip
        for query, matches in wanted:
            expected = [record for record in stored if matches(record)]
            assert list(ledger.certificates(query)) == expected, query
            assert sorted(ledger.search.all_certificates(query), key=lambda r: r.id) == expected, query

    def test_one_certificate_for_a_public_key(self, ledger: Ledger, issued: list[CertificateRecord]) -> None:
        add(ledger, issued[0])
        with pytest.raises(Conflict):
            add(ledger, replace(issued[0], serial_number=SerialNumber(7)))
        assert ledger.count_certificates() == ledger.certificates_issued_to("ACME") == 1

    def test_a_status_is_changed_from_the_one_that_is_expected(
        self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]
    ) -> None:
        pending, in_use, revoked = CertificateStatus.PENDING, CertificateStatus.IN_USE, CertificateStatus.REVOKED
        stored, untouched = add(ledger, replace(issued[4], stored_status=pending), issued[5])
        serial = stored.serial_number
        assert not ledger.transact(lambda tx: tx.change_status(serial, in_use, revoked, NOW))
        assert other.certificate(serial) == stored
        assert ledger.transact(lambda tx: tx.change_status(serial, pending, in_use, NOW + HOUR))
        assert other.certificate(serial) == replace(stored, stored_status=in_use, status_since=NOW + HOUR)
        assert not ledger.transact(lambda tx: tx.change_status(serial, pending, revoked, NOW))
        assert not ledger.transact(lambda tx: tx.change_status(SerialNumber(1), pending, revoked, NOW))
        assert other.certificate(untouched.serial_number) == untouched
        groups = other.search.statistics(to_seconds(NOW)).certificates
        assert {group.status for group in groups} == {in_use}

    def test_one_of_many_threads_changes_a_status(
        self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]
    ) -> None:
        (stored,) = add(ledger, replace(issued[4], stored_status=CertificateStatus.PENDING))
        barrier = threading.Barrier(8)

        def change(number: int) -> bool:
            barrier.wait(60)
            status = CertificateStatus.IN_USE if number % 2 else CertificateStatus.REVOKED
            one = (ledger, other)[number // 2 % 2]
            return one.transact(
                lambda tx: tx.change_status(stored.serial_number, CertificateStatus.PENDING, status, NOW)
            )

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(change, range(8))) == [False] * 7 + [True]

    @pytest.mark.parametrize("together", [False, True])
    def test_what_takes_over_from_what(self, ledger: Ledger, issued: list[CertificateRecord], together: bool) -> None:
        meters = [record for record in issued if record.kind is CertificateKind.DEVICE]
        alike = [record for record in meters if (record.entity_identifier, record.usage) == (meters[0].entity_identifier, meters[0].usage)]  # fmt: skip
        others = [record for record in meters if record not in alike][:2]
        assert len(alike) >= 3
        assert len({(record.entity_identifier, record.usage) for record in others}) == 2
        dates = [(NOW, None), (NOW, NOW + HOUR), (NOW, NOW + 2 * HOUR)]
        new = [
            replace(record, issued=issued, deemed_accepted=accepted)
            for record, (issued, accepted) in zip(alike[:3], dates, strict=True)
        ] + others
        decided = [granted(replace(APPLICATION, received=NOW), record) for record in new]
        if together:
            recorded = ledger.transact(lambda tx: record_decisions(tx, decided))
        else:
            recorded = [ledger.transact(lambda tx, one=one: record_decisions(tx, [one]))[0] for one in decided]  # type: ignore[misc]
        assert [each.certificate and each.certificate.replaced for each in recorded] == [None] * len(new)
        third = recorded[2].certificate
        assert third is not None

        def replaced() -> list[datetime | None]:
            return [found.replaced for found in ledger.certificates(CertificateQuery())]

        rest: list[datetime | None] = [None] * (len(new) - 3)
        assert replaced() == [NOW + HOUR, NOW + 2 * HOUR, None, *rest]  # the first is out of use before the third
        ledger.transact(lambda tx: tx.restore_older(third.id))
        assert replaced() == [NOW + HOUR, None, None, *rest]
        ledger.transact(lambda tx: tx.replace_older(third.id, NOW))  # sooner than it was to be
        assert replaced() == [NOW, NOW, None, *rest]

    def test_a_newer_one_replaces_sooner_than_an_earlier_one(
        self, ledger: Ledger, issued: list[CertificateRecord]
    ) -> None:
        """In one transaction as in three: the last decides if it is in use first."""
        meter = next(record for record in issued if record.kind is CertificateKind.DEVICE)
        oldest = certificate_for(APPLICATION, meter, 5)
        dates = (None, NOW + 2 * HOUR, NOW + HOUR)
        new = [
            replace(oldest, serial_number=SerialNumber(5 + number), issued=NOW, deemed_accepted=accepted)
            for number, accepted in enumerate(dates)
        ]
        decided = [granted(APPLICATION, record, bytes([number])) for number, record in enumerate(new)]
        ledger.transact(lambda tx: record_decisions(tx, decided))
        found = [record.replaced for record in ledger.certificates(CertificateQuery())]
        assert found == [NOW + HOUR, NOW + HOUR, None]
        assert ledger.damage() == []

    def test_a_snapshot_does_not_change(self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]) -> None:
        stored = add(ledger, *issued[:6])
        with ledger.snapshot() as snapshot:
            add(other, *issued[6:])
            other.transact(
                lambda tx: tx.change_status(
                    stored[4].serial_number, stored[4].stored_status, CertificateStatus.REVOKED, NOW
                )
            )
            assert snapshot.last == stored[-1].id
            assert list(snapshot.certificates()) == stored
            assert list(snapshot.certificates(stored[3].id)) == stored[4:]
            assert list(snapshot.certificates(with_der=False)) == [replace(record, der=b"") for record in stored]
            assert snapshot.certificate(stored[4].id) == stored[4]
        with ledger.snapshot() as snapshot:
            assert len(list(snapshot.certificates())) == len(issued)

    # --- revocations and lists --------------------------------------------------------------------------------------

    def test_revocations(self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]) -> None:
        stored = add(ledger, *issued)
        oca = next(record for record in stored if record.kind is CertificateKind.ISSUING_OCA)
        first, second, third = (record for record in stored if record.issuer_serial_number == oca.serial_number)
        later = revocation(second, effective=NOW + 3 * HOUR)
        assert (ledger.revocations.last_id(), ledger.revocations.of(first.serial_number)) == (0, None)
        for each in (later, revocation(first)):
            ledger.transact(lambda tx, each=each: tx.add_revocation(each))  # type: ignore[misc]
        revocations = other.revocations
        assert revocations.last_id() == 2
        assert revocations.of(second.serial_number) == later
        assert revocations.of(third.serial_number) is None
        entry = RevokedCertificate(first.serial_number.encoded, to_seconds(NOW), "key-lost")
        delayed = RevokedCertificate(second.serial_number.encoded, to_seconds(NOW + 3 * HOUR), "key-lost")
        # The clock was set back: it was revoked before this list, whatever the time of its revocation.
        early = entry._replace(effective=to_seconds(NOW - HOUR))
        assert list(revocations.entries(oca.serial_number, NOW - HOUR)) == [early]
        assert list(revocations.entries(oca.serial_number, NOW - HOUR, last=1)) == []
        assert list(revocations.entries(oca.serial_number, NOW)) == [entry]
        assert list(revocations.entries(oca.serial_number, NOW + 3 * HOUR)) == [entry, delayed]
        assert list(revocations.entries(oca.serial_number, first.not_after + HOUR)) == []
        assert list(revocations.entries(stored[0].serial_number, NOW + 3 * HOUR)) == []
        made = replace(a_list(oca.serial_number, 1), this_update=NOW, last_revocation=2)
        assert revocations.pending(made, NOW + 2 * HOUR) is None
        assert revocations.pending(made, NOW + 3 * HOUR) == NOW + 3 * HOUR
        assert revocations.pending(replace(made, last_revocation=1), NOW + HOUR) == NOW
        # One that is dated after the present is missing since the list.
        early_list = replace(made, last_revocation=1, this_update=NOW - 2 * HOUR)
        assert revocations.pending(early_list, NOW - HOUR) == NOW - 2 * HOUR
        assert revocations.pending(replace(early_list, last_revocation=2), NOW - HOUR) is None

    def test_a_delayed_revocation_that_a_list_has_contained_stays_in_effect(
        self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]
    ) -> None:
        stored = add(ledger, *issued)
        oca = next(record for record in stored if record.kind is CertificateKind.ISSUING_OCA)
        first = next(record for record in stored if record.issuer_serial_number == oca.serial_number)
        ledger.transact(lambda tx: tx.add_revocation(revocation(first, effective=NOW + 3 * HOUR)))
        delayed = RevokedCertificate(first.serial_number.encoded, to_seconds(NOW + 3 * HOUR), "key-lost")
        revocations = other.revocations
        before = replace(a_list(oca.serial_number, 1), last_revocation=1)
        since = replace(a_list(oca.serial_number, 3), last_revocation=1)
        without = replace(a_list(oca.serial_number, 4), last_revocation=0)
        for made, expected in (
            (before, []), (without, []), (since, [delayed._replace(effective=to_seconds(NOW + HOUR))])
        ):  # fmt: skip
            ledger.transact(lambda tx, made=made: tx.add_list(made))  # type: ignore[misc]
            assert list(revocations.entries(oca.serial_number, NOW + HOUR)) == expected
        assert list(revocations.entries(oca.serial_number, NOW + 4 * HOUR)) == [delayed]
        back = replace(before, number=5)
        assert revocations.pending(back, NOW + 2 * HOUR) is None
        assert revocations.pending(back, NOW + 4 * HOUR) is None

    def test_a_certificate_is_revoked_once(self, ledger: Ledger, issued: list[CertificateRecord]) -> None:
        stored = add(ledger, issued[4])[0]
        ledger.transact(lambda tx: tx.add_revocation(revocation(stored)))
        with pytest.raises(Conflict):
            ledger.transact(lambda tx: tx.add_revocation(replace(revocation(stored), reason="superseded")))
        assert ledger.revocations.of(stored.serial_number) == revocation(stored)
        assert ledger.revocations.last_id() == 1

    def test_lists(self, ledger: Ledger, other: Ledger) -> None:
        issuer, another = SerialNumber(1), SerialNumber(2)
        assert ledger.revocations.latest(issuer) is None
        made = [a_list(issuer, number, der=bytes([number]) * 9, entries=number) for number in (1, 2, 3)]
        for record in (*made, a_list(another, 1)):
            ledger.transact(lambda tx, record=record: tx.add_list(record))  # type: ignore[misc]
            assert other.revocations.latest(record.issuer) == record
        revocations = other.revocations
        assert revocations.latest(another) == a_list(another, 1)
        assert [revocations.numbered(issuer, number) for number in (1, 2, 3, 4)] == [*made, None]
        assert list(revocations.lists(issuer)) == [replace(record, der=b"") for record in made]
        assert revocations.as_of(issuer, NOW) is None
        assert revocations.as_of(issuer, NOW + 2 * HOUR) == made[1]
        assert revocations.as_of(issuer, NOW + 9 * HOUR) == made[2]

    def test_a_list_that_was_rolled_back_was_never_the_latest(self, ledger: Ledger, other: Ledger) -> None:
        issuer = SerialNumber(1)
        lost, kept = a_list(issuer, 1, der=b"lost"), a_list(issuer, 1, der=b"kept")

        def write(transaction: Transaction) -> None:
            transaction.add_list(lost)
            assert transaction.revocations.latest(issuer) == lost

        fails(ledger, write)
        assert other.revocations.latest(issuer) is None
        ledger.transact(lambda tx: tx.add_list(kept))
        assert ledger.transact(lambda tx: tx.revocations.latest(issuer)) == kept
        assert ledger.revocations.latest(issuer) == other.revocations.latest(issuer) == kept

    # --- the register -----------------------------------------------------------------------------------------------

    def test_registrants(self, ledger: Ledger, other: Ledger) -> None:
        for registrant in (ACME, LAB, RIVAL):
            ledger.transact(lambda tx, registrant=registrant: tx.add_registrant(registrant))  # type: ignore[misc]
        register = other.register
        assert register.registrants() == [ACME, LAB, RIVAL]
        assert [register.registrant(PartyId(name)) for name in ("ACME", "LAB", "NOBODY")] == [ACME, LAB, None]
        assert (register.owner(EUI), register.owner(METER)) == (ACME, None)
        block = EntityIdentifier.parse("90B3D51F30000000"), EntityIdentifier.parse("90B3D51F3FFFFFFF")
        assert register.highest_identifier(*block) == EUI
        assert register.highest_identifier(EntityIdentifier(bytes(8)), METER) is None
        page = other.search.registrants(limit=2)
        assert page.records == [ACME, LAB]
        assert page.last is not None
        assert other.search.registrants(page.last, 2).records == [RIVAL]
        more = EntityIdentifier.parse("90B3D51F30990001")
        changed = replace(ACME, identifiers=frozenset({more}), officers=(Officer.parse("Al"),))
        ledger.transact(lambda tx: tx.replace_registrant(changed))
        assert register.registrants() == [changed, LAB, RIVAL]
        assert (register.owner(EUI), register.owner(more)) == (None, changed)
        assert register.highest_identifier(*block) == more

    def test_what_belongs_to_one_belongs_to_no_other(self, ledger: Ledger) -> None:
        together(ledger, lambda tx: tx.add_registrant(ACME), lambda tx: tx.add_registrant(RIVAL))
        greedy = replace(RIVAL, identifiers=frozenset({EUI}))
        attempts: list[Callable[[Transaction], None]] = [
            lambda tx: tx.add_registrant(replace(ACME, identifiers=frozenset())),
            lambda tx: tx.add_registrant(replace(greedy, party_id=PartyId("GREEDY"))),
            lambda tx: tx.replace_registrant(greedy),
        ]
        for attempt in attempts:
            with pytest.raises(Conflict):
                ledger.transact(attempt)
            assert ledger.register.registrants() == [ACME, RIVAL]
            assert ledger.register.owner(EUI) == ACME

    def test_devices(self, ledger: Ledger, other: Ledger) -> None:
        gsme = Device(EntityIdentifier(b"\x10" * 8), DeviceType.GSME)
        together(ledger, lambda tx: tx.add_device(ESME), lambda tx: tx.add_device(gsme))
        register = other.register
        assert list(register.devices()) == [gsme, ESME]
        assert (register.device(METER), register.device(EUI)) == (ESME, None)
        with pytest.raises(Conflict):
            ledger.transact(lambda tx: tx.add_device(Device(METER, DeviceType.CHF)))
        assert (register.threshold(METER), register.threshold(EUI)) == (None, None)
        ledger.transact(lambda tx: tx.set_threshold(METER, 150))
        commissioned = ESME.with_status(SmiStatus.COMMISSIONED)
        ledger.transact(lambda tx: tx.replace_device(commissioned))
        assert (register.threshold(METER), register.device(METER)) == (150, commissioned)
        devices, last = other.search.devices(limit=1)
        assert devices == [gsme]
        assert other.search.devices(last, 1)[0] == [commissioned]
        assert other.search.devices(device_type=DeviceType.GSME)[0] == [gsme]
        assert other.search.devices(status=SmiStatus.COMMISSIONED)[0] == [commissioned]

    # --- credentials, imports ---------------------------------------------------------------------------------------

    def test_credentials(self, ledger: Ledger, other: Ledger) -> None:
        kind = CredentialKind.OFFICER_TOKEN
        token = CredentialRecord(kind=kind, name="Jo Bloggs", party="ACME", created=NOW, expires=NOW + HOUR)
        key = CredentialRecord(kind=CredentialKind.API_KEY, name="head-end", created=NOW)
        stored = ledger.transact(lambda tx: tx.add_credential(token, "secret"))
        open_ended = ledger.transact(lambda tx: tx.add_credential(key, "other"))
        assert stored == replace(token, id=stored.id)
        assert 0 < stored.id < open_ended.id
        credentials = other.credentials
        assert (credentials.of("secret"), credentials.of("other"), credentials.of("")) == (stored, open_ended, None)
        assert (credentials.all(kind), credentials.all(CredentialKind.API_KEY)) == ([stored], [open_ended])
        ledger.transact(lambda tx: tx.revoke_credential(stored.id, NOW + HOUR))
        ledger.transact(lambda tx: tx.revoke_credential(stored.id, NOW + 2 * HOUR))  # revoked already
        assert credentials.of("secret") == replace(stored, revoked=NOW + HOUR)
        assert credentials.of("other") == open_ended

    def test_imports(self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]) -> None:
        finding = Finding("serial-number.too-long", Severity.ERROR, "GBCS 12", "tbsCertificate", "21", "16")
        certificates = [record.certificate for record in issued]
        new = [NewImport(certificate, f"file {n}", "meter", (finding,)) for n, certificate in enumerate(certificates)]
        ledger.transact(lambda tx: tx.add_imports(new[:3], NOW))
        ledger.transact(lambda tx: tx.add_imports([*new[2:], replace(new[0], source="again")], NOW + HOUR))
        imports = other.imports
        found = list(imports.certificates(CertificateQuery()))
        assert [each.record.der for each in found] == [certificate.der for certificate in certificates]
        assert [each.imported for each in found] == [NOW] * 3 + [NOW + HOUR] * (len(new) - 3)
        assert [each.source for each in found] == [each.source for each in new]
        assert {(each.name, each.findings) for each in found} == {("meter", (finding,))}
        assert len({each.record.id for each in found}) == imports.count() == len(new)
        assert all(each.record.id < 0 and not each.record.issued_here for each in found)
        for each, certificate in zip(found, certificates, strict=True):
            assert imports.holds(certificate.sha256)
            assert imports.with_serial_number(certificate.serial_number) == [each]
            assert imports.of_key(certificate.public_key_info) == [each]
            assert list(imports.certificates(CertificateQuery(sha256=certificate.sha256))) == [each]
            kind = CertificateQuery(kinds=(certificate.kind,), entity_identifier=certificate.entity_identifier)
            assert each in list(imports.certificates(kind))
        assert not imports.holds(bytes(32))
        assert (imports.with_serial_number(SerialNumber(1)), imports.of_key(b"")) == ([], [])
        for query in (
            CertificateQuery(issuer=SerialNumber(1)),
            CertificateQuery(device_type=DeviceType.ESME),
            CertificateQuery(issued=Period(NOW)),
        ):
            assert list(imports.certificates(query)) == []
        assert other.count_certificates() == 0

    # --- events -----------------------------------------------------------------------------------------------------

    def test_events(self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]) -> None:
        meter = next(record for record in issued if record.kind is CertificateKind.DEVICE)
        (stored,) = add(ledger, meter)
        assert stored.entity_identifier is not None
        full = NewEvent(
            at=NOW + HOUR, kind=EventKind.REJECTED, interface="rest", party="RIVAL", officer="Al", concerns="LAB",
            device_id=METER, application_id=stored.application_id, certificate_id=stored.id, detail="wrong key",
            content={"a": [1, None, {"b": "c"}]},
        )  # fmt: skip
        bare = NewEvent(at=NOW + 2 * HOUR, kind=EventKind.CLOCK_SET)
        numbers = [ledger.transact(lambda tx, new=new: tx.append_event(new)) for new in (full, bare)]  # type: ignore[misc]
        issue, rejection, clock = events = list(other.events())
        assert [rejection.id, clock.id] == numbers
        assert issue.id < rejection.id < clock.id
        assert (issue.kind, issue.interface, issue.party, issue.officer) == (
            EventKind.ISSUED,
            "test",
            "ACME",
            "Jo Bloggs",
        )
        assert (issue.serial_number, rejection.serial_number, clock.serial_number) == (stored.serial_number,) * 2 + (
            None,
        )
        for event, new in ((rejection, full), (clock, bare)):
            assert {name: getattr(event, name) for name in new.__dataclass_fields__} == {
                name: getattr(new, name) for name in new.__dataclass_fields__
            }
        queries = {
            EventQuery(): events,
            EventQuery(kind=EventKind.CLOCK_SET): [clock],
            EventQuery(serial_number=stored.serial_number): [issue, rejection],
            EventQuery(serial_number=SerialNumber(1)): [],
            EventQuery(party="RIVAL"): [rejection],  # acted
            EventQuery(party="LAB"): [rejection],  # was changed
            EventQuery(party="ACME"): [issue, rejection],  # subscribes
            EventQuery(party="NOBODY"): [],
            EventQuery(officer="Al"): [rejection],
            EventQuery(officer="Jo Bloggs"): [issue],
            EventQuery(device_id=METER): [rejection],
            EventQuery(device_id=stored.entity_identifier): [issue, rejection],
            EventQuery(at=Period(NOW + HOUR)): [rejection, clock],
            EventQuery(at=Period(NOW + HOUR, NOW + HOUR)): [rejection],
            EventQuery(officer="Al", kind=EventKind.ISSUED): [],
        }
        for query, found in queries.items():
            found = [event for event in found if event.at >= (query.at.first or event.at)]
            assert list(other.events(query)) == found, query
            assert other.search.events(query).records == found[::-1], query
        page = other.search.events(EventQuery(), limit=2)
        assert page.records == [clock, rejection]
        assert other.search.events(EventQuery(), page.last, 2).records == [issue]

    def test_events_of_many_threads_are_complete_and_in_order(self, ledger: Ledger, other: Ledger) -> None:
        """Two openings, four threads each; what one transaction appends stands together, what was lost left no trace."""

        def append(thread: int) -> None:
            one = (ledger, other)[thread % 2]
            for number in range(40):

                def work(transaction: Transaction, number: int = number) -> list[int]:
                    details = (f"{thread} {number} {part}" for part in "ab")
                    return [
                        transaction.append_event(NewEvent(at=NOW, kind=EventKind.CHANGED, detail=detail))
                        for detail in details
                    ]

                if number % 5 == 4:
                    fails(one, work)
                else:
                    first, second = one.transact(work)
                    assert second == first + 1

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(append, range(8)))
        events = list(ledger.events())
        assert events == list(other.events())
        ids = [event.id for event in events]
        assert ids == sorted(set(ids))
        for thread in range(8):
            own = [event.detail for event in events if event.detail.startswith(f"{thread} ")]
            assert own == [f"{thread} {number} {part}" for number in range(40) if number % 5 != 4 for part in "ab"]
        assert [event.detail[:-1] for event in events[::2]] == [event.detail[:-1] for event in events[1::2]]

    # --- transactions -----------------------------------------------------------------------------------------------

    def test_a_transaction_sees_its_own_writes(self, ledger: Ledger, issued: list[CertificateRecord]) -> None:
        def work(transaction: Transaction) -> None:
            transaction.add_registrant(ACME)
            transaction.add_device(ESME)
            stored = add_one(transaction, issued[4])
            transaction.add_revocation(revocation(stored))
            transaction.add_list(a_list(SerialNumber(1), 1))
            credential = CredentialRecord(kind=CredentialKind.API_KEY, name="key", created=NOW)
            made = transaction.add_credential(credential, "secret")
            transaction.add_imports([NewImport(issued[5].certificate, "file", "", ())], NOW)
            assert transaction.register.owner(EUI) == ACME
            assert transaction.register.device(METER) == ESME
            assert transaction.certificate(stored.serial_number) == stored
            assert transaction.certificates_issued_to("ACME") == transaction.last_certificate_id() == 1
            assert transaction.is_certified(stored.certificate.public_key_info)
            assert transaction.revocations.of(stored.serial_number) == revocation(stored)
            assert transaction.revocations.latest(SerialNumber(1)) == a_list(SerialNumber(1), 1)
            assert transaction.credentials.of("secret") == made
            assert transaction.imports.count() == 1
            assert [event.kind for event in transaction.events()] == [EventKind.ISSUED]
            assert transaction.search.certificates(CertificateQuery()).records == [stored]

        fails(ledger, work)
        ledger.transact(work)

    def test_nobody_else_sees_what_is_not_committed(
        self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]
    ) -> None:
        """Whoever asks meanwhile is told how it was before, or waits for how it is afterwards."""
        committing, asked = threading.Event(), threading.Event()
        seen: list[tuple[int, bool]] = []

        def ask() -> None:
            found = other.count_certificates()
            seen.append((found, committing.is_set()))
            asked.set()

        def work(transaction: Transaction) -> None:
            add_one(transaction, issued[0])
            thread.start()
            asked.wait(0.3)
            committing.set()

        for before, end in ((0, fails), (0, together), (1, None)):
            assert elsewhere(other.count_certificates) == before
            if end is None:
                break
            committing.clear()
            asked.clear()
            seen.clear()
            thread = threading.Thread(target=ask)
            end(ledger, work)
            thread.join(60)
            ((found, was_committing),) = seen
            after = 0 if end is fails else 1
            assert found == before or (was_committing and found == after)

    def test_an_exception_undoes_everything(
        self, ledger: Ledger, other: Ledger, issued: list[CertificateRecord]
    ) -> None:
        (stored,) = add(ledger, replace(issued[4], stored_status=CertificateStatus.PENDING))
        token = CredentialRecord(kind=CredentialKind.API_KEY, name="key", created=NOW)
        made = ledger.transact(lambda tx: tx.add_credential(token, "secret"))
        together(ledger, lambda tx: tx.add_registrant(RIVAL), lambda tx: tx.add_device(ESME))
        writes: list[Callable[[Transaction], object]] = [
            lambda tx: record_decisions(tx, [refused(APPLICATION)]),
            lambda tx: record_decisions(tx, [granted(APPLICATION, certificate_for(APPLICATION, stored, 9), b"key")]),
            lambda tx: add_one(tx, issued[5]),
            lambda tx: tx.change_status(stored.serial_number, stored.stored_status, CertificateStatus.IN_USE, NOW),
            lambda tx: tx.add_revocation(revocation(stored)),
            lambda tx: tx.add_list(a_list(SerialNumber(1), 1)),
            lambda tx: tx.add_registrant(ACME),
            lambda tx: tx.replace_registrant(replace(RIVAL, officers=(Officer.parse("Al"),))),
            lambda tx: tx.add_device(Device(EUI, DeviceType.ESME)),
            lambda tx: tx.replace_device(ESME.with_status(SmiStatus.COMMISSIONED)),
            lambda tx: tx.set_threshold(METER, 150),
            lambda tx: tx.add_credential(replace(token, name="new"), "other"),
            lambda tx: tx.revoke_credential(made.id, NOW),
            lambda tx: tx.add_imports([NewImport(issued[6].certificate, "file", "", ())], NOW),
            lambda tx: tx.append_event(NewEvent(at=NOW, kind=EventKind.CHANGED)),
        ]

        def state() -> list[object]:
            return [
                list(other.certificates(CertificateQuery())), list(other.applications(ApplicationQuery())),
                list(other.events()), other.register.registrants(), list(other.register.devices()),
                other.register.threshold(METER), other.register.owner(EUI), other.credentials.all(CredentialKind.API_KEY),
                other.imports.count(), other.revocations.last_id(), other.revocations.latest(SerialNumber(1)),
                other.certificates_issued_to("ACME"), other.search.statistics(to_seconds(NOW)),
            ]  # fmt: skip

        before = state()
        for write in writes:
            fails(ledger, write)
            assert state() == before
        fails(ledger, lambda tx: [write(tx) for write in writes])
        assert state() == before
        # Each of them would have changed something.
        for write in writes:
            ledger.transact(write)
            assert state() != before
            before = state()

    def test_work_is_run_once_and_its_outcome_returned(self, ledger: Ledger) -> None:
        runs: list[str] = []

        def work(transaction: Transaction) -> str:
            runs.append("run")
            transaction.add_device(ESME)
            return "outcome"

        assert ledger.transact(work) == "outcome"
        with pytest.raises(Conflict):
            ledger.transact(work)
        assert runs == ["run", "run"]

    def test_one_that_fails_takes_no_other_with_it(self, ledger: Ledger, other: Ledger) -> None:
        """Also where several commits are made in one."""
        barrier = threading.Barrier(8)

        def write(number: int) -> bool:
            device = Device(EntityIdentifier(bytes([1] * 7 + [number // 2])), DeviceType.ESME)
            barrier.wait(60)

            def work(transaction: Transaction) -> None:
                transaction.append_event(NewEvent(at=NOW, kind=EventKind.DEVICE_ADDED, device_id=device.device_id))
                transaction.add_device(device)

            try:
                (ledger, other)[number // 4].transact(work)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(write, range(8))) == [False] * 4 + [True] * 4
        devices = [device.device_id for device in ledger.register.devices()]
        assert len(devices) == 4
        assert sorted(event.device_id for event in ledger.events() if event.device_id) == devices

    def test_nothing_is_damaged(self, ledger: Ledger, issued: list[CertificateRecord]) -> None:
        add(ledger, *issued)
        assert ledger.damage() == []
