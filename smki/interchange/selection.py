"""Certificates of a ledger as pairs: named, and with the private keys that are at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from smki.interchange.certificate_with_key import CertificateWithKey
from smki.interchange.key_ring import KeyRing
from smki.interchange.naming import certificate_name
from smki.ledger import CertificateQuery, CertificateRecord, Ledger
from smki.sec.role import CertificateStatus

MISSING_LOOKED_FOR = 10_000
"""Among so many certificates at most those are counted whose private key is not at hand."""


def certificate_with_key(
    record: CertificateRecord, moment: datetime, keys: KeyRing | None = None
) -> CertificateWithKey:
    """A certificate of the ledger under its name; the one that is in use has the plain one.

    :param keys: where to look for its private key. An authority's is never given, wherever it is found.
    """
    certificate = record.certificate
    is_in_use = record.status_at(moment) is CertificateStatus.IN_USE
    name = certificate_name(certificate, top_up=record.top_up, plain=is_in_use)
    key = keys.key(certificate.public_key_info) if keys is not None and not record.kind.is_authority else None
    return CertificateWithKey(certificate, key, name)


def records_with_keys(ledger: Ledger, keys: KeyRing, query: CertificateQuery) -> list[CertificateRecord]:
    """The certificates that match and whose private key is at hand, in the order of issue; no authority's.

    It is the keys that are looked up, so that few keys take no longer where there are many certificates.
    """
    found = []
    for public_key_info in keys:
        for record in ledger.certificates_of_key(public_key_info):
            wanted = replace(query, serial_number=record.serial_number)
            if not record.kind.is_authority and ledger.search.certificates(wanted, limit=1).records:
                found.append(record)
    return sorted(found, key=lambda record: record.id)


class Missing(NamedTuple):
    """Certificates whose private key is not at hand."""

    records: list[CertificateRecord]
    is_complete: bool
    """Whether these are all of them."""


def records_without_keys(ledger: Ledger, keys: KeyRing, query: CertificateQuery) -> Missing:
    """Certificates that match and whose private key is not at hand, among the first :data:`MISSING_LOOKED_FOR`."""
    missing: list[CertificateRecord] = []
    for looked_at, record in enumerate(ledger.search.all_certificates(query)):
        if looked_at == MISSING_LOOKED_FOR:
            return Missing(missing, is_complete=False)
        if not record.kind.is_authority and record.certificate.public_key_info not in keys:
            missing.append(record)
    return Missing(missing, is_complete=True)


def certificates_with_keys(
    records: Iterable[CertificateRecord], moment: datetime, keys: KeyRing | None = None
) -> Iterator[CertificateWithKey]:
    """The same as :func:`certificate_with_key` for each, one at a time."""
    return (certificate_with_key(record, moment, keys) for record in records)
