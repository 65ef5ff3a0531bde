"""Records of the ledger at the edges of their times, and the names that programs use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smki import CertificateStatus, Smki
from smki.ledger import CertificateRecord, Order
from smki.ledger.records import CredentialKind, CredentialRecord


def test_a_certificate_is_out_of_use_from_the_moment_of_its_replacement() -> None:
    with Smki.in_memory(seed="records") as smki:
        record = smki.authorities()[0]
    replaced = record.issued + timedelta(days=1)
    record = replace(record, replaced=replaced)
    assert record.status_at(replaced - timedelta(seconds=1)) is CertificateStatus.IN_USE
    assert record.status_at(replaced) is CertificateStatus.NOT_IN_USE
    assert record.status_since_at(replaced) == replaced


STORED = datetime(2026, 1, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def day(number: int) -> datetime:
    return STORED + timedelta(days=number)


@pytest.fixture(scope="module")
def record() -> CertificateRecord:
    """A certificate in use since day 0, the day after its issue, that expires on day 100."""
    with Smki.in_memory(seed="records") as smki:
        return replace(
            smki.authorities()[0],
            issued=day(-1),
            not_after=day(100),
            stored_status=CertificateStatus.IN_USE,
            status_since=STORED,
        )


PENDING = {"stored_status": CertificateStatus.PENDING, "deemed_accepted": day(7)}
REVOKED = {"stored_status": CertificateStatus.REVOKED, "status_since": day(20)}


@pytest.mark.parametrize(
    ("changes", "moment", "status", "since"),
    [
        ({}, day(0), "I", day(0)),
        ({}, day(100), "I", day(0)),
        ({}, day(100) + SECOND, "E", day(100)),
        ({"replaced": day(30)}, day(30) - SECOND, "I", day(0)),
        ({"replaced": day(30)}, day(30), "N", day(30)),
        ({"replaced": day(30)}, day(101), "E", day(100)),
        ({"stored_status": CertificateStatus.NOT_IN_USE}, day(40), "N", day(0)),
        ({"stored_status": CertificateStatus.NOT_IN_USE, "replaced": day(50)}, day(40), "N", day(0)),
        (PENDING, day(7) - SECOND, "P", day(0)),
        (PENDING, day(7), "I", day(7)),
        (PENDING | {"deemed_accepted": None}, day(9), "P", day(0)),
        (PENDING | {"replaced": day(8)}, day(8), "N", day(8)),
        (REVOKED, day(20) - SECOND, "I", day(-1)),
        (REVOKED | {"deemed_accepted": day(7)}, day(19), "I", day(7)),
        (REVOKED, day(20), "R", day(20)),
        (REVOKED | {"replaced": day(10)}, day(19), "N", day(10)),
        (REVOKED | {"replaced": day(10)}, day(20), "R", day(20)),
        (REVOKED, day(101), "R", day(20)),
        (REVOKED | {"status_since": day(102)}, day(101), "E", day(100)),
    ],
)
def test_the_status_at_a_moment_and_since_when(
    record: CertificateRecord, changes: dict[str, Any], moment: datetime, status: str, since: datetime
) -> None:
    changed = replace(record, **changes)
    assert (changed.status_at(moment).value, changed.status_since_at(moment)) == (status, since)


def test_when_a_credential_is_valid() -> None:
    credential = CredentialRecord(kind=CredentialKind.API_KEY, name="a", created=STORED)
    assert (credential.id, credential.party, credential.expires, credential.revoked) == (0, None, None, None)
    assert credential.is_valid_at(day(9999))
    ends = replace(credential, expires=day(1))
    assert [ends.is_valid_at(moment) for moment in (day(1) - SECOND, day(1), day(2))] == [True, False, False]
    for one in (credential, ends):
        assert not replace(one, revoked=day(0)).is_valid_at(day(0))


def test_the_names_of_the_orders() -> None:
    assert {order.value for order in Order} == {"issued", "notAfter", "entityIdentifier", "serialNumber"}
