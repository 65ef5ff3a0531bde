"""Random commands of every kind, for drills: each is run under an interface of its own, by which its event is found."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from smki import DeviceType, EntityIdentifier, RemotePartyRole, SerialNumber, Smki
from smki.clock import HomeClock, RealClock
from smki.home.smki import CLOCK_FILE
from smki.identity import PartyId
from smki.ledger import CertificateQuery, CredentialKind, NewImport
from smki.pki.certificate import Certificate
from smki.problem import SmkiError
from smki.registration import Actor, Application, Apply, Command
from smki.registration.acceptance import Accept, Reject
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.authorities import EstablishAuthority
from smki.registration.clock import SetClock
from smki.registration.credentials import MakeApiKey, MakeToken, RevokeCredential
from smki.registration.devices import AddDevices, SetDeviceStatus, SetThreshold
from smki.registration.identifiers import AssignIdentifier
from smki.registration.imports import Import
from smki.registration.parties import Register, SetStanding
from smki.registration.products import ListProduct, RemoveProduct
from smki.registration.revocation import PMA, Revoke
from smki.registration.revocation_lists import PublishList
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.device import Device, SmiStatus
from smki.sec.party import Officer, Party, Standing, TestingParticipant
from smki.sec.role import CertificateKind
from tests.support import DS, KA, SUPPLIER

START = datetime(2027, 3, 1, tzinfo=UTC)
DEEMED = timedelta(days=5)
MOMENTS = tuple(START + timedelta(days=days) for days in (0, 0.25, 1, 2, 4.9, 5, 6, 9, 30, 366, 3652, 3653, 3660, 4000))
"""Before and after deemed acceptance and, at the end, expiry of what was issued at the start."""

ORGANISATIONS = CertificateQuery(kinds=(CertificateKind.ORGANISATION,))
ISSUED = CertificateQuery(kinds=(CertificateKind.ORGANISATION, CertificateKind.DEVICE))
PARTIES = ("LARGE-SUPPLIER", "SMALL-SUPPLIER", "MANUFACTURER", "OTHER-USER", "NOBODY")


class Commands:
    """Makes random commands for an open SMKI.

    :param clock: what the commands that set the clock set.
    :param foreign: certificates (DER) that were issued elsewhere, to be imported.
    """

    def __init__(self, smki: Smki, choice: random.Random, clock: HomeClock, foreign: tuple[bytes, ...] = ()) -> None:
        self.smki = smki
        self.choice = choice
        self.clock = clock
        self.foreign = foreign

    @classmethod
    def of_home(cls, smki: Smki, choice: random.Random, foreign: tuple[bytes, ...] = ()) -> Commands:
        """For a home in a directory."""
        return cls(smki, choice, HomeClock(smki.path / CLOCK_FILE), foreign)

    def lifecycle(self) -> tuple[Command[Any], Actor]:
        """A command that changes what becomes of an Organisation Certificate, or the time."""
        return self._made(
            (self._apply_organisation, 2), (self._accept, 4), (self._reject, 4), (self._revoke, 4), (self._list, 1),
            (self._set_clock, 1),
        )  # fmt: skip

    def any(self) -> tuple[Command[Any], Actor]:
        """A command of any kind."""
        return self._made(
            (self._apply_organisation, 6), (self._apply_device, 6), (self._apply_in_vain, 3), (self._accept, 5),
            (self._reject, 5), (self._revoke, 5), (self._list, 3), (self._set_clock, 2), (self._register, 2),
            (self._standing, 2), (self._assign, 2), (self._appoint, 2), (self._dismiss, 2), (self._device, 2),
            (self._device_status, 2), (self._threshold, 2), (self._api_key, 2), (self._token, 2),
            (self._revoke_credential, 2), (self._import, 2), (self._authority, 1),
            (self._product, 2), (self._setting, 1),
        )  # fmt: skip

    def _made(self, *makers: tuple[Callable[[], Command[Any]], int]) -> tuple[Command[Any], Actor]:
        (maker,) = self.choice.choices([maker for maker, _ in makers], [weight for _, weight in makers])
        command = maker()
        party = officer = ""
        if isinstance(command, Revoke) and command.not_before is not None:
            officer = PMA
        return command, Actor(interface="", party=party, officer=officer)

    def _apply_organisation(self) -> Command[Any]:
        usage = self.choice.choice((DS, KA))
        _, request = self.smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, usage)
        return Apply(Application(kind=CertificateKind.ORGANISATION, request=request))

    def _apply_device(self) -> Command[Any]:
        entity = EntityIdentifier(b"\x00\xdb\x12\x34" + self.choice.randbytes(3) + b"\x01")
        _, request = self.smki.make_device_request(entity, self.choice.choice((DS, KA)))
        return Apply(Application(kind=CertificateKind.DEVICE, request=request, device_type=DeviceType.ESME))

    def _apply_in_vain(self) -> Command[Any]:
        encoded = self.choice.choice((b"", b"nothing", self.smki.authorities()[0].der))
        return Apply(Application(kind=CertificateKind.DEVICE, request=encoded))

    def _serial_number(self, query: CertificateQuery = ORGANISATIONS) -> SerialNumber:
        records = list(self.smki.ledger.certificates(query))
        # Mostly one of the newest, which may still be pending, so that the commands meet each other on it.
        return self.choice.choice(records[-5:] if self.choice.random() < 0.8 else records).serial_number

    def _accept(self) -> Command[Any]:
        return Accept(self._serial_number())

    def _reject(self) -> Command[Any]:
        query = ISSUED if self.choice.random() < 0.2 else ORGANISATIONS
        return Reject(self._serial_number(query), "a drill")

    def _revoke(self) -> Command[Any]:
        reason = self.choice.choice(("key-lost", "superseded", "rejected"))
        delayed = self.smki.clock.now() + timedelta(days=3) if self.choice.random() < 0.2 else None
        return Revoke(serial_number=self._serial_number(), reason=reason, not_before=delayed)

    def _list(self) -> Command[Any]:
        kind = self.choice.choice((CertificateKind.ISSUING_OCA, CertificateKind.ROOT_OCA))
        authority = self.smki.hierarchy.newest(self.smki.ledger, kind)
        return PublishList(authority, only_if_due=self.choice.random() < 0.5)

    def _set_clock(self) -> Command[Any]:
        return SetClock(
            clock=self.clock, fixed=self.choice.choice(MOMENTS[:6] if self.choice.random() < 0.8 else MOMENTS)
        )

    def _register(self) -> Command[Any]:
        number = self.choice.randrange(200)
        if self.choice.random() < 0.5:
            entity = f"90B3D51F3002{number:04X}"
            party = Party.parse(
                party_id=f"DRILL-{number}", name=f"Drill {number}", category="other", user_roles="other-user",
                standing="acceded 2013-11-08", identifiers=entity, officers=["An Officer"],
            )  # fmt: skip
            return Register((party,))
        participant = TestingParticipant.parse(
            participant_id=f"DRILL-{number}", name="Drill", purpose="device-and-user-system-tests",
            agreement="2016-11-08", quota="7", officers=["An Officer"],
        )  # fmt: skip
        return Register((participant,))

    def _party(self) -> PartyId:
        return PartyId.parse(self.choice.choice(PARTIES))

    def _standing(self) -> Command[Any]:
        return SetStanding(PartyId.parse("OTHER-USER"), self.choice.choice(list(Standing)))

    def _assign(self) -> Command[Any]:
        return AssignIdentifier(self._party())

    def _appoint(self) -> Command[Any]:
        name = f"Officer {self.choice.randrange(5)}"
        return AppointOfficer(self._party(), Officer.parse(name))

    def _dismiss(self) -> Command[Any]:
        return DismissOfficer(
            party=self._party(), officer=f"Officer {self.choice.randrange(5)}", moment=RealClock().now()
        )

    def _device_id(self) -> EntityIdentifier:
        return EntityIdentifier(b"\x00\xdb\x12\x34\x56\x78\x91" + bytes((self.choice.randrange(40),)))

    def _device(self) -> Command[Any]:
        devices = tuple(
            Device(device_id, DeviceType.GSME)
            for device_id in sorted({self._device_id() for _ in range(self.choice.randrange(1, 4))})
        )
        return AddDevices(devices)

    def _device_status(self) -> Command[Any]:
        return SetDeviceStatus(self._device_id(), self.choice.choice(list(SmiStatus)))

    def _threshold(self) -> Command[Any]:
        return SetThreshold(self._device_id(), self.choice.randrange(1, 100000))

    def _product(self) -> Command[Any]:
        model = f"MODEL {self.choice.randrange(5)}"
        return RemoveProduct(model) if self.choice.random() < 0.3 else ListProduct(model, DeviceType.GSME)

    def _setting(self) -> Command[Any]:
        return ChangeSetting(Setting.CERTIFIED_PRODUCTS, self.choice.choice(Setting.CERTIFIED_PRODUCTS.values))

    def _api_key(self) -> Command[Any]:
        return MakeApiKey(name=f"key {self.choice.randrange(20)}", created=START)

    def _token(self) -> Command[Any]:
        return MakeToken(party=self._party(), created=START)

    def _revoke_credential(self) -> Command[Any]:
        kind = self.choice.choice(list(CredentialKind))
        name = self.choice.choice((f"key {self.choice.randrange(20)}", str(self.choice.randrange(1, 20))))
        return RevokeCredential(kind=kind, name=name, revoked=START)

    def _import(self) -> Command[Any]:
        chosen = self.choice.sample(self.foreign, min(3, len(self.foreign)))
        new = tuple(NewImport(Certificate.from_der(encoded), "drill.pem", "", ()) for encoded in chosen)
        return Import(new)

    def _authority(self) -> Command[Any]:
        return EstablishAuthority(CertificateKind.ISSUING_DCA)


def make_home(path: Path) -> None:
    """Make a home whose Organisation Certificates are pending for :data:`DEEMED`, and whose clock stands at the start."""
    Smki.create(path, seed="drill", at=START, deemed_accepted_after=DEEMED).close()
    HomeClock(path / CLOCK_FILE).set(START)


def run(smki: Smki, command: Command[Any], actor: Actor, interface: str) -> bool:
    """Run a command under an interface of its own; return whether it was carried out rather than refused."""
    own = Actor(interface=interface, party=actor.party, officer=actor.officer)
    try:
        smki.registration.execute(command, own)
    except SmkiError:
        return False
    return True
