"""Mixtures of applications of every sort, and SMKIs that are the same until they are applied for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from smki import Application, CertificateKind, DeviceType, EntityIdentifier, Issued, Refusal, RemotePartyRole, Smki
from smki.authority.issuance import Issuance
from smki.clock import FixedClock
from smki.file import TemporaryPlace
from smki.identity import PartyId
from smki.keys.private_key import SeededRandomness
from smki.ledger import EventKind, NewEvent, Transaction
from smki.ledger.sqlite.memory import MemoryLedger
from smki.pki.request import make_device_request, make_organisation_request
from smki.registration import Actor, Apply, Command, Registration
from smki.registration.authorities import EstablishAuthority
from smki.registration.command import Settings
from smki.registration.examination import MAX_REQUEST_BYTES
from smki.registration.restoration import GoOnAfterRestore
from smki.registration.settings import ChangeSetting, Setting
from smki.sec.device import Device
from smki.sec.party import NonParty, Party, TestingParticipant
from smki.sec.role import ORGANISATION_ROLES
from smki.workers import Workers
from tests.commands import TEST
from tests.eligibility.participants import ASKING
from tests.support import DEVICE, DS, KA, SUPPLIER, entity_of

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DELAY = timedelta(days=1)
DRAW = SeededRandomness("mixtures")
TYPES = tuple(DeviceType)


def eui(number: int) -> EntityIdentifier:
    return EntityIdentifier((0x00DB_5555_0000_0000 + number).to_bytes(8, "big"))


DEVICES = tuple(
    Device.parse(device_id=eui(number).hex, device_type=kind, status=status, responsible=responsible)
    for number, (kind, status, responsible) in enumerate(
        [
            ("ESME", "pending", ""),
            ("ESME", "pending", ""),
            ("GSME", "installed-not-commissioned", ""),
            ("ESME", "commissioned", "electricity: LARGE-SUPPLIER"),
            ("ESME", "commissioned", "electricity: SMALL-SUPPLIER"),
            ("ESME", "decommissioned", ""),
            ("ESME", "decommissioned", ""),
            ("GSME", "commissioned", "gas: SMALL-SUPPLIER"),
            ("CHF", "pending", ""),
            ("GPF", "commissioned", ""),
            ("PPMID", "pending", ""),
            ("HCALCS", "commissioned", ""),
        ]
    )
)
"""Devices in the inventory: Devices 0 and 1 may have 3 and 8 certificates."""

UNKNOWN = tuple(eui(number) for number in range(100, 130))
"""Devices that are not in the inventory."""

PARTIES = (
    "", "DCC", "LARGE-SUPPLIER", "SMALL-SUPPLIER", "OTHER-USER", "MANUFACTURER", "NOBODY", "no body!",
    *(f"ASKING-{number}" for number in range(len(ASKING))),
)  # fmt: skip


class Requests:
    """Certification requests, each made when it is first needed."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], bytes] = {}

    def device(self, device: EntityIdentifier, usage: object, key: int) -> bytes:
        """For a Device, with one of several keys."""
        return self._of(("device", key), make_device_request, device, usage)

    def organisation(self, entity: EntityIdentifier, role: RemotePartyRole, usage: object, key: int) -> bytes:
        """For an Organisation."""
        return self._of(("organisation", key), make_organisation_request, entity, role, usage)

    def _of(self, key: tuple[str, int], make: Callable[..., bytes], *contents: object) -> bytes:
        found = self._made.get((key, *contents))
        if found is None:
            private = DRAW.private_key(f"{key[0]} {key[1]}")
            found = self._made[key, *contents] = make(private, *contents)
        return found


def application(choice: random.Random, requests: Requests, serial: int, certificate: bytes) -> Application:
    """Draw an application.

    :param serial: the number of the application; now and then the key of an earlier one is drawn.
    :param certificate: what somebody may hand in instead of a request.
    """
    key = serial if choice.random() < 0.9 else choice.randrange(serial + 1)
    sort = choice.random()
    options: dict[str, Any] = {
        "statement": choice.random() < 0.5,
        "issuer": choice.choice(("TD01", "TD02", "TO01", "X")) if choice.random() < 0.2 else "",
    }
    if sort < 0.75:
        number = choice.randrange(len(UNKNOWN) + len(DEVICES))
        device, usual = [
            *((each, TYPES[each.encoded[-1] % 3]) for each in UNKNOWN),
            *((each.device_id, None) for each in DEVICES),
        ][number]
        request = requests.device(device, choice.choice((DS, KA)), key)
        options["device_type"] = usual if choice.random() < 0.9 else choice.choice((None, *TYPES))
        options["model"] = "ACME SM100 1.2" if choice.random() < 0.1 else ""
        options["under_test"] = choice.random() < 0.1
        options["top_up"] = choice.random() < 0.03
        return Application(kind=CertificateKind.DEVICE, request=request, **options)
    if sort < 0.93:
        role = choice.choice(ORGANISATION_ROLES)
        entity = entity_of(choice.choice(ORGANISATION_ROLES)) if choice.random() < 0.4 else entity_of(role)
        request = requests.organisation(entity, role, choice.choice(role.usages), key)
        options["top_up"] = choice.random() < 0.3
        return Application(kind=CertificateKind.ORGANISATION, request=request, **options)
    odd = choice.choice(
        (
            b"",
            b"\x30\x00",
            b"\0" * MAX_REQUEST_BYTES,
            b"\0" * (MAX_REQUEST_BYTES + 1),
            certificate,
            requests.device(DEVICE, DS, key)[:-1] + b"\0",
            requests.device(DEVICE, KA, key),
            requests.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, DS, key),
        )
    )
    return Application(
        kind=choice.choice((CertificateKind.DEVICE, CertificateKind.ORGANISATION)), request=odd, **options
    )


Block = tuple[Actor, list[Application]]
"""Applications of one actor, one after the other."""


def blocks(choice: random.Random, requests: Requests, certificate: bytes, total: int, longest: int) -> list[Block]:
    """Draw applications, the same actor's together."""
    found: list[Block] = []
    number = 0
    while number < total:
        count = min(total - number, choice.randint(1, longest))
        actor = Actor(
            interface="test",
            party=choice.choice(PARTIES) if choice.random() < 0.7 else "",
            officer="Mallory" if choice.random() < 0.05 else "",
        )
        if choice.random() < 0.1:
            actor = Actor(
                interface="test",
                party="SHARED-RESOURCE",
                on_behalf_of=choice.choice(("SMALL-SUPPLIER", "LARGE-SUPPLIER")),
            )
        found.append((actor, [application(choice, requests, number + each, certificate) for each in range(count)]))
        number += count
    return found


# --- SMKIs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """An SMKI from which others are copied."""

    smki: Smki

    def copy(self) -> Copy:
        """Return an SMKI with the same contents, whose clock stands still."""
        assert isinstance(self.smki.ledger, MemoryLedger)
        return Copy(self.smki, MemoryLedger(self.smki.ledger.image()))


class Copy:
    """An SMKI that begins as another one was."""

    def __init__(self, like: Smki, ledger: MemoryLedger) -> None:
        clock = FixedClock(START)
        self.smki = Smki(TemporaryPlace(), like.configuration, ledger, clock, like._keys)
        self.ledger = ledger
        randomness, policy = SeededRandomness("mixtures"), like.configuration.policy_oid
        self.registration = Registration(
            ledger,
            clock,
            self.smki.hierarchy,
            Issuance(randomness, policy),
            Settings(deemed_accepted_after=DELAY),
        )

    def singly(self, every: Sequence[Block]) -> Iterator[Issued | Refusal]:
        """Apply, one by one."""
        for actor, applications in every:
            for each in applications:
                yield self.registration.execute(Apply(each), actor)

    def together(
        self,
        every: Sequence[Block],
        size: int,
        batch: Callable[[list[Application]], Command[Any]],
        workers: Workers | None,
    ) -> Iterator[Issued | Refusal]:
        """Apply in batches."""
        for actor, applications in every:
            for start in range(0, len(applications), size):
                yield from self.registration.execute(batch(applications[start : start + size]), actor, workers)

    def dump(self) -> list[str]:
        """Everything in the ledger."""
        return list(self.ledger._connection.iterdump())


def make_world(*commands: Command[Any]) -> World:
    """Make an SMKI with everything on which decisions depend."""
    smki = Smki.in_memory(seed="mixtures", at=START, clock=FixedClock(START))

    def prepare(transaction: Transaction) -> None:
        """Write what no command would, with an event of its own."""
        for name, quota in (("MANUFACTURER", 25), ("OTHER-USER", 10)):
            found = transaction.register.registrant(PartyId(name))
            assert found is not None
            if isinstance(found, Party):
                transaction.replace_registrant(replace(found, quota=quota))
            else:
                transaction.replace_registrant(replace(found, tests=(replace(found.tests[0], quota=quota),)))
        for number, asking in enumerate(ASKING.values()):
            transaction.add_registrant(named(asking.applicant.who, f"ASKING-{number}"))
        for device in DEVICES:
            transaction.add_device(device)
        transaction.set_threshold(DEVICES[0].device_id, 3)
        transaction.set_threshold(DEVICES[1].device_id, 8)
        transaction.append_event(NewEvent(at=START, kind=EventKind.CHANGED, interface="test"))

    smki.ledger.transact(prepare)
    execute = smki.registration.execute
    execute(EstablishAuthority(CertificateKind.ISSUING_DCA), TEST)
    for command in commands:
        execute(command, TEST)
    return World(smki)


def named(who: Party | TestingParticipant | NonParty, name: str) -> Party | TestingParticipant:
    """Give somebody from the tests of eligibility a name of its own."""
    if isinstance(who, Party):
        return replace(who, party_id=PartyId(name), identifiers=frozenset())
    assert isinstance(who, TestingParticipant)
    return replace(who, participant_id=PartyId(name), identifiers=frozenset())


WORLDS: dict[str, tuple[Command[Any], ...]] = {
    "plain": (),
    "strict, with statements": (
        ChangeSetting(Setting.PARTICIPANTS, "strict"),
        ChangeSetting(Setting.STATEMENT, "explicit"),
        ChangeSetting(Setting.CERTIFIED_PRODUCTS, "listed"),
    ),
    "restored, with three issuing authorities": (
        EstablishAuthority(CertificateKind.ISSUING_DCA),
        GoOnAfterRestore(machine_microseconds=1_772_444_000_000_000, backup_made=START, backup_sha256="0" * 64),
    ),
}
