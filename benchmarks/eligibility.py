"""How many decisions on eligibility one core makes in a second, what they cost an issuance, and how long it takes to say
who may have a certificate, and what somebody may have."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.generator import ACTOR
from benchmarks.issuance import application, inventory, requests
from benchmarks.measurement import Measurement, milliseconds, rate
from smki import DeviceType, EntityIdentifier, Smki
from smki.clock import AdjustableClock
from smki.eligibility import Applicant, Decision, DeviceQuestion, OrganisationQuestion, decide
from smki.eligibility.question import Question
from smki.registration import Actor, granting
from smki.registration.demonstration import DEVICES, PARTIES
from smki.registration.devices import AddDevices
from smki.registration.inquiry import decide_on
from smki.registration.parties import ChangeParty, Register
from smki.registration.who_and_what import Supposing
from smki.sec.device import Device, SmiStatus
from smki.sec.party import Party
from smki.sec.role import ORGANISATION_ROLES, KeyUsage, RemotePartyRole

AS_OF = date(2026, 1, 1)
OPERATOR = Actor(interface="benchmark")
ROUND = 400


def questions() -> list[Question]:
    """Every Party of the cast asking for every role and for every Device in three statuses."""
    made: list[Question] = []
    statuses = (SmiStatus.PENDING, SmiStatus.INSTALLED_NOT_COMMISSIONED, SmiStatus.COMMISSIONED)
    devices = [
        device if status is device.status else device.with_status(status) for device in DEVICES for status in statuses
    ]
    for party in PARTIES:
        applicant = Applicant(party, party.officers[0].name)
        if party.identifiers:
            identifier = min(party.identifiers)
            made += [
                OrganisationQuestion(applicant, role, KeyUsage.DIGITAL_SIGNATURE, identifier, AS_OF)
                for role in ORGANISATION_ROLES
            ]
        made += [DeviceQuestion(applicant, device, AS_OF) for device in devices]
    return made


def _without_decision(*_: object, **__: object) -> Decision:
    """Let everybody pass, without asking the ledger or the provisions: what issuing costs without them."""
    return Decision(True, (), AS_OF, "")


def _issuance_rates() -> tuple[float, float]:
    """Certificates a second with the decisions and without, in turns on one home, so that both see the same disk."""
    spent = {True: 0.0, False: 0.0}
    rounds = 6
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory, Smki.create(Path(directory) / "pki") as smki:
        inventory(smki, ROUND)
        deciders = {True: decide_on, False: _without_decision}
        smki.issue(application(requests(1)[0]), ACTOR)
        for _, judged in itertools.product(range(rounds), (True, False)):
            wanted = requests(ROUND)
            setattr(granting, "decide_on", deciders[judged])  # noqa: B010
            start = time.perf_counter()
            for request in wanted:
                smki.issue(application(request), ACTOR)
            spent[judged] += time.perf_counter() - start
    return rounds * ROUND / spent[True], rounds * ROUND / spent[False]


PARTIES_REGISTERED = 1_000
DEVICES_REGISTERED = 100_000
DAYS_CHANGED = 500
"""Number of days on each of which one Party of the large register was changed."""


def _large_register(smki: Smki, clock: AdjustableClock) -> None:
    """Register the Parties, a third of them suppliers, and the Devices; then change a Party on each of some days."""
    roles = (("small-supplier", "gas-supplier"), ("other", "other-user"), ("electricity-network", ""))
    parties = tuple(
        Party.parse(
            party_id=f"PARTY-{number}", category=roles[number % 3][0], user_roles=roles[number % 3][1],
            standing="acceded 2020-01-01", identifiers=f"90B3D51F31{number:06X}", authorised_for="organisation, device",
            officers=["Jo"], quota="1000",
        )
        for number in range(PARTIES_REGISTERED)
    )  # fmt: skip
    smki.registration.execute(Register(parties), OPERATOR)
    entities = (EntityIdentifier(number.to_bytes(8, "big")) for number in range(1, DEVICES_REGISTERED + 1))
    smki.registration.execute(AddDevices(tuple(Device(entity, DeviceType.ESME) for entity in entities)), OPERATOR)
    for number in range(DAYS_CHANGED):
        clock.set(clock.now() + timedelta(days=1))
        party = parties[number % PARTIES_REGISTERED].party_id
        smki.registration.execute(ChangeParty(party=party, name=f"Changed {number}"), OPERATOR)


def _questions_over_a_large_register() -> list[Measurement]:
    clock = AdjustableClock(datetime(2026, 1, 1, tzinfo=UTC))
    with Smki.in_memory(clock=clock) as smki:
        _large_register(smki, clock)
        then, ask, device = (
            AS_OF + timedelta(days=DAYS_CHANGED // 2),
            smki.inquiry,
            EntityIdentifier((1).to_bytes(8, "big")),
        )
        asked: dict[str, Callable[[], object]] = {
            "who may have a role": lambda: ask.who(role=RemotePartyRole.SUPPLIER),
            "who may have a role, 250 days ago": lambda: ask.who(role=RemotePartyRole.SUPPLIER, as_of=then),
            "who may have a commissioned ESME": lambda: ask.who(
                device_type=DeviceType.ESME, supposing=Supposing(status=SmiStatus.COMMISSIONED)
            ),
            "who may have a certificate for a Device": lambda: ask.who(device=device),
            "what a Party may have": lambda: ask.what("PARTY-0"),
            "what a Party may have, 250 days ago": lambda: ask.what("PARTY-0", as_of=then),
            "one Device, 250 days ago": lambda: ask.device(device, applicant="PARTY-0", as_of=then),
        }
        note = f"{PARTIES_REGISTERED} Parties, {DEVICES_REGISTERED} Devices"
        return [
            Measurement(name, milliseconds(question, rounds=5), "ms", 1000, note=note)
            for name, question in asked.items()
        ]


def run() -> list[Measurement]:
    """Decisions a second, the rate of issuance with them as a part of that without, and questions over a large register."""
    asked = itertools.cycle(questions())
    judged, waved = _issuance_rates()
    return [
        Measurement("decide who is an Eligible Subscriber", rate(lambda: decide(next(asked)), seconds=2), "/s", 50_000),
        Measurement("issue with every check of eligibility (raw: without)", judged, "/s", 0.9 * waved, waved),
        *_questions_over_a_large_register(),
    ]
