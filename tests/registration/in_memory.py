"""An SMKI in memory whose Organisation Certificates are pending for a day, and short forms of what is done to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from smki import Application, DeviceType, EntityIdentifier, Smki
from smki.authority.issuance import Issuance
from smki.clock import AdjustableClock
from smki.keys.private_key import SystemRandomness
from smki.ledger import CertificateRecord, Event, EventQuery
from smki.registration import Actor, Apply, Issued
from smki.registration.command import Registration, Settings
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from tests.support import DEVICE, DS, SUPPLIER

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DELAY = timedelta(days=1)
LARGE = "LARGE-SUPPLIER"
TEST = Actor(interface="test")


class Pending:
    """An SMKI at a time that a test sets, in which an Organisation Certificate is deemed accepted after :data:`DELAY`."""

    def __init__(self) -> None:
        self.clock = AdjustableClock(START)
        self.smki = Smki.in_memory(seed="pending", at=START, clock=self.clock)
        policy = self.smki.configuration.policy_oid
        self.registration = Registration(
            self.smki.ledger,
            self.clock,
            self.smki.hierarchy,
            Issuance(SystemRandomness(), policy),
            Settings(deemed_accepted_after=DELAY),
        )

    def organisation(
        self,
        usage: KeyUsage = DS,
        entity: EntityIdentifier = SUPPLIER,
        role: RemotePartyRole = RemotePartyRole.SUPPLIER,
        actor: Actor = TEST,
    ) -> CertificateRecord:
        """Issue an Organisation Certificate."""
        request = self.smki.make_organisation_request(entity, role, usage)[1]
        return self.issue(Application(kind=CertificateKind.ORGANISATION, request=request), actor)

    def device(self, entity: EntityIdentifier = DEVICE, device_type: DeviceType | None = None) -> CertificateRecord:
        """Issue a Device Certificate."""
        request = self.smki.make_device_request(entity, DS)[1]
        return self.issue(Application(kind=CertificateKind.DEVICE, request=request, device_type=device_type), TEST)

    def issue(self, application: Application, actor: Actor) -> CertificateRecord:
        """Apply for a certificate, which is granted."""
        outcome = self.registration.execute(Apply(application), actor)
        assert isinstance(outcome, Issued)
        return outcome.record

    def authority(self, kind: CertificateKind) -> CertificateRecord:
        """The record of the first authority of a kind."""
        return next(record for record in self.smki.ledger.authorities() if record.kind is kind)

    def now(self, record: CertificateRecord) -> CertificateRecord:
        """The certificate as it stands in the ledger now."""
        found = self.smki.ledger.certificate(record.serial_number)
        assert found is not None
        return found

    def event(self, record: CertificateRecord | None = None) -> Event:
        """The last event, of a certificate or at all."""
        query = EventQuery(serial_number=record.serial_number) if record else EventQuery()
        return list(self.smki.ledger.events(query))[-1]
