"""Selection of certificates in a ledger, with their names and available private keys."""

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
"""Maximum number of certificates searched for ones without a private key."""


def certificate_with_key(
    record: CertificateRecord, moment: datetime, keys: KeyRing | None = None
) -> CertificateWithKey:
    """Return a certificate of the ledger with its name; only the one in use has the plain name.

    :param keys: where to look for its private key. An authority's key is never included.
    """
    certificate = record.certificate
    is_in_use = record.status_at(moment) is CertificateStatus.IN_USE
    name = certificate_name(certificate, top_up=record.top_up, plain=is_in_use)
    key = keys.key(certificate.public_key_info) if keys is not None and not record.kind.is_authority else None
    return CertificateWithKey(certificate, key, name)


def records_with_keys(ledger: Ledger, keys: KeyRing, query: CertificateQuery) -> list[CertificateRecord]:
    """Return the matching certificates whose private key is available, in the order of issue, without authorities'.

    The lookup is by key, so a few keys do not take longer among many certificates.
    """
    found = []
    for public_key_info in keys:
        for record in ledger.certificates_of_key(public_key_info):
            wanted = replace(query, serial_number=record.serial_number)
            if not record.kind.is_authority and ledger.search.certificates(wanted, limit=1).records:
                found.append(record)
    return sorted(found, key=lambda record: record.id)


class Missing(NamedTuple):
    """Certificates without an available private key."""

    records: list[CertificateRecord]
    is_complete: bool
    """Whether all certificates were searched."""


def records_without_keys(ledger: Ledger, keys: KeyRing, query: CertificateQuery) -> Missing:
    """Return matching certificates without an available private key, among the first :data:`MISSING_LOOKED_FOR`."""
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
    """Yield the result of :func:`certificate_with_key` for each record."""
    return (certificate_with_key(record, moment, keys) for record in records)
