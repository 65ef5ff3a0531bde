"""Certificates for the tests of ledgers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smki import DeviceType, EntityIdentifier, RemotePartyRole, Smki
from smki.clock import AdjustableClock
from smki.identity import PartyId, SerialNumber
from smki.ledger import CertificateQuery, CertificateRecord, CredentialKind, NewImport
from smki.pki.certificate import Certificate
from smki.registration import Actor, Application, Apply
from smki.registration.acceptance import Accept, Reject
from smki.registration.credentials import MakeApiKey, MakeToken, RevokeCredential
from smki.registration.devices import SetThreshold
from smki.registration.imports import Import
from smki.registration.products import ListProduct, RemoveProduct
from smki.registration.revocation import PMA, Revoke
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.recorded_test import ParticipationMode
from smki.sec.role import CertificateKind
from tests.drills.commands import DEEMED, START, make_home
from tests.support import DEVICE, DS, KA, SUPPLIER

ACTOR = Actor(interface="test")


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


@pytest.fixture(scope="session")
def foreign() -> tuple[bytes, ...]:
    """Certificates of another SMKI."""
    with Smki.in_memory(seed="foreign") as other:
        return tuple(record.der for record in other.ledger.certificates(CertificateQuery()))


@pytest.fixture(scope="session")
def lived_in(tmp_path_factory: pytest.TempPathFactory, foreign: tuple[bytes, ...]) -> Path:
    """A home with a certificate in every state; certificates 11 to 18, their names below."""
    path = tmp_path_factory.mktemp("consistency") / "pki"
    make_home(path)
    clock = AdjustableClock(START)
    with Smki.open(path, clock=clock) as smki:
        execute = smki.registration.execute

        def organisation(usage: object = DS) -> SerialNumber:
            clock.set(clock.now() + timedelta(minutes=1))
            request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, usage)[1]  # type: ignore[arg-type]
            return smki.issue_organisation(request).record.serial_number

        execute(Accept(organisation()), ACTOR)  # 11: accepted, later replaced by 12
        organisation()  # 12: deemed accepted, replaced by 14
        execute(Reject(organisation(), "wrong"), ACTOR)  # 13: rejected
        execute(Accept(organisation()), ACTOR)  # 14: accepted, then revoked
        revoked = smki.ledger.search.certificates(CertificateQuery(), descending=True).records[0].serial_number
        execute(Revoke(serial_number=revoked, reason="key-lost"), ACTOR)
        delayed = organisation(KA)  # 15: revoked with effect of a later day
        later = clock.now() + timedelta(days=2)
        pma = Actor(interface="test", officer=PMA)
        execute(Revoke(serial_number=delayed, reason="superseded", not_before=later), pma)
        organisation(KA)  # 16: pending
        for usage in (DS, KA):  # 17 and 18: of a Device, the last one rejected
            request = smki.make_device_request(DEVICE, usage)[1]
            device = smki.issue_device(request, device_type=DeviceType.ESME).record.serial_number
        execute(Reject(device, "does not work"), ACTOR)
        execute(SetThreshold(DEVICE, 150), ACTOR)
        execute(ListProduct("ACME SM100 1.2", DeviceType.ESME), ACTOR)
        execute(ListProduct("ACME SM100 1.1", DeviceType.ESME), ACTOR)
        execute(RemoveProduct("ACME SM100 1.1"), ACTOR)
        execute(ChangeSetting(Setting.CERTIFIED_PRODUCTS, "listed"), ACTOR)
        execute(ChangeSetting(Setting.CERTIFIED_PRODUCTS, "any"), ACTOR)
        for encoded in (b"nothing", b"nothing at all"):
            execute(Apply(Application(kind=CertificateKind.DEVICE, request=encoded)), ACTOR)
        execute(MakeApiKey(name="key", created=START), ACTOR)
        execute(MakeToken(party=PartyId.parse("LARGE-SUPPLIER"), created=START), ACTOR)
        execute(RevokeCredential(kind=CredentialKind.API_KEY, name="key", revoked=START), ACTOR)
        imported = tuple(NewImport(Certificate.from_der(encoded), "other.pem", "", ()) for encoded in foreign[:2])
        execute(Import(imported), ACTOR)
        for mode in (ParticipationMode.STRICT, ParticipationMode.OPEN):
            execute(ChangeSetting(Setting.PARTICIPANTS, mode.value), ACTOR)
        smki.lists(CertificateKind.ISSUING_OCA).publish()
        clock.set(START + DEEMED * 2)
        assert smki.check().problems == ()
    return path
