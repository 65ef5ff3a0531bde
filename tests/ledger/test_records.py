"""Records of the ledger at the edges of their times, and the names that programs use."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from smki import CertificateStatus, Smki
from smki.ledger import Order


def test_a_certificate_is_out_of_use_from_the_moment_of_its_replacement() -> None:
    with Smki.in_memory(seed="records") as smki:
        record = smki.authorities()[0]
    replaced = record.issued + timedelta(days=1)
    record = replace(record, replaced=replaced)
    assert record.status_at(replaced - timedelta(seconds=1)) is CertificateStatus.IN_USE
    assert record.status_at(replaced) is CertificateStatus.NOT_IN_USE
    assert record.status_since_at(replaced) == replaced


def test_the_names_of_the_orders() -> None:
    assert {order.value for order in Order} == {"issued", "notAfter", "entityIdentifier", "serialNumber"}
