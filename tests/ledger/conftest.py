"""Certificates for the tests of ledgers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smki import DeviceType, EntityIdentifier, Smki
from smki.ledger import CertificateQuery, CertificateRecord
from tests.support import DS, KA


@pytest.fixture(scope="session")
def issued() -> list[CertificateRecord]:
    """The authorities', three Organisation Certificates, and seven of two Devices."""
    meters = [EntityIdentifier(bytes([0, 0xDB, 0, 0, 0, 0, 0, number])) for number in (1, 2)]
    with Smki.in_memory(seed="ledger", at=datetime(2026, 1, 1, tzinfo=UTC)) as smki:
        for meter, usage in ((0, DS), (0, DS), (0, KA), (0, DS), (1, DS), (1, KA), (1, KA)):
            request = smki.make_device_request(meters[meter], usage)[1]
            smki.issue_device(request, device_type=DeviceType.ESME)
        records = list(smki.ledger.certificates(CertificateQuery()))
    lodged = [record for record in records if not record.kind.is_authority and record.role is not None][:3]
    chosen = [record for record in records if record.kind.is_authority or record.role is None or record in lodged]
    # As they are when they are stored: nothing has taken over from them yet.
    return [
        CertificateRecord(**{name: getattr(record, name) for name in record.__dataclass_fields__} | {"replaced": None})
        for record in chosen
    ]
