"""Searching the ledger: every combination against a plain reading of it, pages, and the plans of the database."""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from smki import DeviceType, EntityIdentifier, FixedClock, SerialNumber, Smki
from smki.ledger import ApplicationQuery, CertificateQuery, CertificateRecord, Order, Period
from smki.ledger.records import ApplicationGroup, CertificateGroup
from smki.ledger.sqlite import search
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.ledger.sqlite.schema import MIGRATIONS
from smki.ledger.sqlite.statistics import _CHANGED_WITH_TIME
from smki.sec.role import CertificateKind, CertificateStatus, RemotePartyRole
from tests.commands import reject, revoke
from tests.support import DS, KA, SUPPLIER
from tests.test_ledger_migrations import write_as_before

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2036, 6, 1, tzinfo=UTC)
"""A moment at which some have expired, some have not, and some were replaced or revoked before."""
DEVICES = [EntityIdentifier(bytes([0, 0xDB, 0, 0, 0, 0, 0, number])) for number in range(12)]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smki]:
    """A home in which certificates have every kind, role, usage and status."""
    path = tmp_path_factory.mktemp("searched") / "pki"
    Smki.create(path, seed="search", at=START, deemed_accepted_after=timedelta(days=30)).close()
    for step in range(4):
        with Smki.open(path, FixedClock(START + timedelta(days=365 * 3 * step, hours=step))) as smki:
            for number, device in enumerate(DEVICES):
                kind = DeviceType.SAPC if number == 5 else DeviceType.ESME
                for usage in (DS, KA) if number % 3 else (DS,):
                    if number % 4 != step:
                        _, request = smki.make_device_request(device, usage)
                        smki.issue_device(request, applicant="LARGE-SUPPLIER", device_type=kind)
            for usage in (DS, KA):
                _, request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, usage)
                record = smki.issue_organisation(request).record
            if step == 1:
                revoke(smki, record.serial_number, "superseded")
            if step == 2:
                reject(smki, record.serial_number, "not wanted")
    with Smki.open(path, FixedClock(NOW)) as smki:
        _, request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)
        smki.issue_organisation(request)
        yield smki


def everything(smki: Smki) -> list[CertificateRecord]:
    return list(smki.ledger.certificates(CertificateQuery()))


def key_of(order: Order, record: CertificateRecord) -> Any:
    first: Any = {
        Order.ISSUED: record.issued,
        Order.NOT_AFTER: record.not_after,
        Order.SERIAL_NUMBER: record.serial_number,
        Order.ENTITY_IDENTIFIER: record.entity_identifier.encoded if record.entity_identifier else b"",
    }[order]
    return first, record.issued, record.id


def matches(smki: Smki, query: CertificateQuery, record: CertificateRecord) -> bool:
    """What the query means, said once more without SQL."""
    device = smki.ledger.register.device(record.entity_identifier) if record.entity_identifier else None
    periods = (
        (query.not_before, record.not_before),
        (query.not_after, record.not_after),
        (query.issued, record.issued),
    )
    return (
        (query.kinds is None or record.kind in query.kinds)
        and query.serial_number in (None, record.serial_number)
        and query.sha256 in (None, record.certificate.sha256)
        and query.entity_identifier in (None, record.entity_identifier)
        and query.role in (None, record.role)
        and query.usage in (None, record.usage)
        and query.issuer in (None, record.issuer_serial_number)
        and query.status in (None, record.status_at(NOW))
        and (query.device_type is None or (device is not None and device.device_type is query.device_type))
        and all(
            (period.first is None or period.first <= at) and (period.last is None or at <= period.last)
            for period, at in periods
        )
    )


def paged(smki: Smki, query: CertificateQuery, order: Order, descending: bool, limit: int) -> list[CertificateRecord]:
    found: list[CertificateRecord] = []
    after: int | None = None
    for _ in range(1000):
        page = smki.ledger.search.certificates(query, order, descending=descending, after=after, limit=limit)
        assert len(page.records) <= limit
        found += page.records
        after = page.last
        if after is None:
            return found
    raise AssertionError("the pages never end")


def queries(smki: Smki) -> list[CertificateQuery]:
    records = everything(smki)
    moment = START + timedelta(days=365 * 3)
    fields: dict[str, list[Any]] = {
        "kinds": [(CertificateKind.DEVICE,), (CertificateKind.ORGANISATION,), (CertificateKind.ROOT_OCA, CertificateKind.DEVICE)],
        "serial_number": [records[0].serial_number, records[-1].serial_number, SerialNumber(5)],
        "sha256": [records[7].certificate.sha256, bytes(32)],
        "entity_identifier": [SUPPLIER, DEVICES[1], EntityIdentifier(bytes(8))],
        "role": [RemotePartyRole.SUPPLIER, RemotePartyRole.ISSUING_AUTHORITY],
        "usage": [DS, KA],
        "issuer": [record.serial_number for record in smki.authorities()] + [SerialNumber(5)],
        "device_type": [DeviceType.SAPC, DeviceType.ESME, DeviceType.CHF],
        "status": list(CertificateStatus),
        "not_before": [Period(moment)],
        "not_after": [Period(None, NOW), Period(NOW), Period(NOW, NOW + timedelta(days=3000))],
        "issued": [Period(moment, moment + timedelta(days=365 * 3)), Period(None, START)],
    }  # fmt: skip
    single = [{name: value} for name, values in fields.items() for value in values]
    pairs = [one | other for one, other in itertools.combinations(single, 2) if one.keys() != other.keys()]
    return [CertificateQuery(**wanted, moment=NOW) for wanted in [{}, *single, *pairs]]


def test_every_pair_of_filters_in_every_order(searched: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page looks at seven rows at most here, so that short and empty pages come up."""
    monkeypatch.setattr(search, "SCANNED_FOR_A_PAGE", 7)
    records = everything(searched)
    assert {record.status_at(NOW) for record in records} == set(CertificateStatus)
    for number, query in enumerate(queries(searched)):
        order = list(Order)[number % len(Order)]
        descending = number % 3 == 0
        wanted = [record for record in records if matches(searched, query, record)]
        wanted.sort(key=lambda record: key_of(order, record), reverse=descending)
        found = paged(searched, query, order, descending, limit=1 + number % 5)
        assert [record.id for record in found] == [record.id for record in wanted], (query, order, descending)


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("descending", [False, True])
def test_every_order_without_a_filter(searched: Smki, order: Order, descending: bool) -> None:
    wanted = sorted(everything(searched), key=lambda record: key_of(order, record), reverse=descending)
    for limit in (1, 3, 1000):
        assert paged(searched, CertificateQuery(), order, descending, limit) == wanted


def test_everything_in_one_go(searched: Smki) -> None:
    found = searched.ledger.search.all_certificates(CertificateQuery(), Order.SERIAL_NUMBER)
    assert [record.serial_number for record in found] == sorted(record.serial_number for record in everything(searched))


def plans(smki: Smki, query: CertificateQuery, order: Order, after: int | None) -> list[str]:
    """What the database says it will do for a page."""
    ledger = smki.ledger
    assert isinstance(ledger, SqliteLedger)
    plain = ledger._read
    asked: list[tuple[str, tuple[Any, ...]]] = []

    def read(sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        asked.append((sql, parameters))
        return plain(sql, parameters)

    search.SqliteSearch(read).certificates(query, order, after=after, limit=3)
    return [row[3] for sql, parameters in asked for row in plain(f"EXPLAIN QUERY PLAN {sql}", parameters)]


@pytest.mark.parametrize("order", Order)
def test_a_page_is_found_through_an_index_whatever_the_order(searched: Smki, order: Order) -> None:
    somewhere = everything(searched)[9].id
    steps = plans(searched, CertificateQuery(), order, somewhere)
    assert all("USING INDEX" in step or "USING INTEGER PRIMARY KEY" in step for step in steps), steps
    assert not [step for step in steps if "TEMP B-TREE" in step or step == "SCAN certificate"]
    # Into the midst of equals, too: a million certificates can be of the same second.
    assert any(step.startswith("SEARCH certificate USING INDEX") and "rowid>?" in step for step in steps), steps


def test_a_search_by_entity_identifier_reads_nothing_else(searched: Smki) -> None:
    for order in (Order.ISSUED, Order.ENTITY_IDENTIFIER):
        steps = plans(searched, CertificateQuery(entity_identifier=SUPPLIER), order, None)
        assert all("certificate_entity (entity_identifier=" in step for step in steps), steps
    by_digest = plans(searched, CertificateQuery(sha256=bytes(32)), Order.ISSUED, None)
    assert not [step for step in by_digest if step.startswith("SCAN certificate")], by_digest


@pytest.mark.parametrize("name", ["role", "status", "kinds"])
def test_what_is_rare_is_found_without_passing_the_devices(searched: Smki, name: str) -> None:
    value = {
        "role": RemotePartyRole.SUPPLIER,
        "status": CertificateStatus.REVOKED,
        "kinds": (CertificateKind.ORGANISATION,),
    }
    query = CertificateQuery(moment=NOW, **{name: value[name]})  # type: ignore[arg-type]
    steps = plans(searched, query, Order.ISSUED, None)
    index = {"role": "certificate_role", "status": "certificate_unusual", "kinds": "certificate_not_device"}[name]
    through = [step for step in steps if "subquery" not in step]
    assert through
    assert all(index in step for step in through), steps


@pytest.mark.parametrize("moment", [START, START + timedelta(days=10), START + timedelta(days=2000), NOW])
def test_statistics_count_what_is_there(searched: Smki, moment: datetime) -> None:
    records = everything(searched)
    wanted = Counter(CertificateGroup(r.kind, r.role, r.usage, r.status_at(moment)) for r in records)
    found = searched.ledger.search.statistics(int(moment.timestamp()))
    assert found.certificates == dict(wanted)
    applications = Counter(
        ApplicationGroup(record.application.kind, record.granted)
        for record in searched.ledger.search.applications(ApplicationQuery(), limit=1000).records
    )
    assert found.applications == dict(applications)


def test_statistics_look_at_no_certificate_that_is_simply_in_use(searched: Smki) -> None:
    ledger = searched.ledger
    assert isinstance(ledger, SqliteLedger)
    steps = [row[3] for row in ledger._read(f"EXPLAIN QUERY PLAN {_CHANGED_WITH_TIME}", (0,))]
    through = [step for step in steps if "certificate USING INDEX" in step or "certificate" in step]
    assert through
    assert all("certificate_unusual" in step or "certificate_not_after" in step for step in through)


def test_devices_and_registrants_in_pages(searched: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SCANNED_FOR_A_PAGE", 4)
    register, finder = searched.ledger.register, searched.ledger.search
    found, after = [], None
    while True:
        devices, after = finder.devices(after, limit=3)
        found += devices
        if after is None:
            break
    assert found == list(register.devices())
    rare, after = [], None
    while True:
        devices, after = finder.devices(after, limit=3, device_type=DeviceType.SAPC)
        rare += devices
        if after is None:
            break
    assert rare == [device for device in register.devices() if device.device_type is DeviceType.SAPC]
    registrants, behind = [], 0
    while True:
        page = finder.registrants(behind, limit=2)
        registrants += page.records
        if page.last is None:
            break
        behind = page.last
    assert registrants == register.registrants()


def test_a_ledger_from_before_is_made_searchable(searched: Smki, tmp_path: Path) -> None:
    """The migration finds the fingerprints and counts of what there is already."""
    file = tmp_path / "ledger.sqlite"
    MIGRATIONS.apply(Database(file), stop_before="m020_search")
    write_as_before(sqlite3.connect(file, isolation_level=None), searched)
    ledger = SqliteLedger(file)
    records = list(ledger.certificates(CertificateQuery()))
    assert len(records) == searched.ledger.count_certificates()
    for record in records:
        query = CertificateQuery(sha256=record.certificate.sha256)
        assert ledger.search.certificates(query).records == [record]
    assert sum(ledger.search.statistics(int(NOW.timestamp())).certificates.values()) == len(records)
    ledger.close()
