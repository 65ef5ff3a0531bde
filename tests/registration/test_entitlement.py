"""Who may have a certificate, and what a Party may have: exactly what single questions say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki import DeviceType, EntityIdentifier
from smki.eligibility import Decision
from smki.eligibility.answers import Entitled, Wanted, WhoMay
from smki.identity import PartyId
from smki.ledger.sqlite.memory import MemoryLedger
from smki.problem import Malformed, SmkiError
from smki.registration.command import Command
from smki.registration.devices import AddDevices, SetDeviceStatus
from smki.registration.participation import ChangeTest
from smki.registration.parties import AddParty, ChangeParty, Register, SetStanding
from smki.registration.who_and_what import CannotBeJudged, Supposing
from smki.sec.device import Device, SmetsVersion, SmiStatus
from smki.sec.party import Party, PartyCategory, Standing, TestingParticipant
from smki.sec.registry_fields import registrant_id
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole, UserRole
from tests.registration.in_memory import LARGE, START, TEST, Pending
from tests.support import DEVICE, DS, KA

_S = SmiStatus
NEW = EntityIdentifier(b"\x22" * 8)
IN_THE_INVENTORY = {kind: EntityIdentifier(bytes([0x23] * 7 + [at])) for at, kind in enumerate(DeviceType)}
"""A Device of each type, so that nobody has to add it."""
STATUSES = [
    *((status, None) for status in SmiStatus if status is not _S.SUSPENDED),
    *((_S.SUSPENDED, status) for status in (_S.PENDING, _S.INSTALLED_NOT_COMMISSIONED, _S.COMMISSIONED)),
]
AUTHORITIES = [kind for kind in CertificateKind if kind.is_authority]


@pytest.fixture(scope="module")
def pending() -> Pending:
    """The demonstration cast, and Parties that are refused for every reason that a register can give."""
    pending = Pending()
    bare = Party.parse(
        party_id="BARE", category="large-supplier", user_roles="gas-supplier", standing="acceded 2020-01-01"
    )
    commands: tuple[Command[Any], ...] = (
        SetStanding(PartyId("GAS-NETWORK"), Standing.SUSPENDED),
        AddParty(party=PartyId("NO-IDENTIFIER"), category=PartyCategory.OTHER),
        AddParty(
            party=PartyId("TWO-IDENTIFIERS"),
            category=PartyCategory.SMALL_SUPPLIER,
            user_roles=frozenset({UserRole.EXPORT_SUPPLIER, UserRole.GAS_SUPPLIER}),
            identifiers=frozenset({EntityIdentifier(b"\x51" * 8), EntityIdentifier(b"\x52" * 8)}),
            quota=0,
        ),
        Register((bare, replace(bare, party_id=PartyId("NEVER"), standing=()))),
        ChangeParty(
            party=PartyId("OTHER-USER"), authorised_for=frozenset({CertificateKind.DEVICE}), through_entry=False
        ),
        AddDevices(tuple(Device(device_id, kind) for kind, device_id in IN_THE_INVENTORY.items())),
        ChangeTest(participant=PartyId("MANUFACTURER"), test="device-and-user-system-tests", quota=1),
    )
    for command in commands:
        pending.registration.execute(command, TEST)
    pending.device()
    return pending


def wanted(kind: str) -> list[dict[str, Any]]:
    """Every certificate of a kind that can be asked about."""
    if kind == "organisation":
        return [{"role": role, "usage": usage} for role in RemotePartyRole for usage in (DS, KA)]
    if kind == "authority":
        return [{"authority": authority} for authority in AUTHORITIES]
    return [
        {
            "device_type": device_type,
            "supposing": Supposing(status=status, returns_to=returns_to, smets_version=version),
        }
        for device_type in DeviceType
        for status, returns_to in STATUSES
        for version in SmetsVersion
    ]


def single(pending: Pending, asked: dict[str, Any], party: str, on_behalf_of: str = "", **more: Any) -> list[Decision]:
    """What single questions say: one, or for an Organisation Certificate one for each of the subscriber's identifiers."""
    inquiry = pending.smki.inquiry
    more |= {"applicant": party, "on_behalf_of": on_behalf_of}
    if "authority" in asked:
        return [inquiry.authority(asked["authority"], **more)]
    if "device_type" in asked:
        return [
            inquiry.device(
                IN_THE_INVENTORY[asked["device_type"]], asked["device_type"], supposing=asked["supposing"], **more
            )
        ]
    subscriber = pending.smki.ledger.register.registrant(PartyId(on_behalf_of or party))
    own = sorted(subscriber.identifiers) if isinstance(subscriber, Party) else []
    return [inquiry.organisation(entity, asked["role"], asked["usage"], **more) for entity in own or [NEW]]


def everybody(answer: WhoMay) -> list[Entitled]:
    return [*answer.eligible, *(member for group in answer.refused for member in group.members)]


@pytest.mark.parametrize("kind", ["organisation", "device", "authority"])
def test_who_lists_exactly_those_for_whom_a_single_question_says_yes(pending: Pending, kind: str) -> None:
    registered = {registrant_id(who) for who in pending.smki.ledger.register.registrants()}
    for asked in wanted(kind):
        answer = pending.smki.inquiry.who(**asked)
        asked_about = [(who.party, who.on_behalf_of) for who in everybody(answer)]
        assert sorted(party for party, user in asked_about if user is None) == sorted(registered)
        assert [pair for pair in asked_about if pair[1]] == [("SHARED-RESOURCE", "SMALL-SUPPLIER")]
        for who in everybody(answer):
            decisions = single(pending, asked, who.party, who.on_behalf_of or "")
            assert (who in answer.eligible) is any(decision.eligible for decision in decisions), (asked, who)
            refusals = [tuple(dict.fromkeys(problem.code for problem in decision.problems)) for decision in decisions]
            assert who.codes in refusals, (asked, who)
            if kind == "organisation":
                assert bool(who.identifiers) is (who in answer.eligible)
        for group in answer.refused:
            for who in group.members:
                others = [code for code in who.codes if not code.startswith("entity-identifier.")]
                assert group.code == (others or who.codes)[0]


def test_who_names_the_identifiers_of_a_yes(pending: Pending) -> None:
    answer = pending.smki.inquiry.who(role=RemotePartyRole.OTHER)
    found = {str(who): who.identifiers for who in answer.eligible}
    assert found["SHARED-RESOURCE for SMALL-SUPPLIER"] == found["SMALL-SUPPLIER"]
    assert "TWO-IDENTIFIERS" not in found, "its quota is 0"
    refused = {str(member): member.codes for group in answer.refused for member in group.members}
    assert refused["TWO-IDENTIFIERS"] == ("participant.quota-reached",)
    of_the_dcc = pending.smki.inquiry.what("DCC").refused
    assert {group.code for group in of_the_dcc} >= {"role.not-a-supplier", "role.not-for-the-dcc"}
    assert not [group for group in of_the_dcc if group.code.startswith("entity-identifier.")]
    assert refused["NO-IDENTIFIER"] == ("entity-identifier.not-owned",)
    assert set(refused["NEVER"]) >= {"party.not-yet-acceded", "officer.unknown"}


@pytest.mark.parametrize("version", SmetsVersion)
def test_what_lists_exactly_what_a_single_question_says_yes_to(pending: Pending, version: SmetsVersion) -> None:
    for who in pending.smki.ledger.register.registrants():
        for user in ["", *sorted(map(str, getattr(who, "acts_for", ())))]:
            party = registrant_id(who)
            answer = pending.smki.inquiry.what(party, on_behalf_of=user, smets_version=version)
            possible = [*answer.eligible, *(member for group in answer.refused for member in group.members)]
            assert len({json.dumps(each.wanted.as_json()) for each in possible}) == len(possible) == 24 + 63 + 4
            for each in possible:
                decisions = single(pending, asked_by(each.wanted), party, user)
                assert (each in answer.eligible) is any(decision.eligible for decision in decisions), each
                assert each.codes in [
                    tuple(dict.fromkeys(problem.code for problem in decision.problems)) for decision in decisions
                ]


def asked_by(wanted: Wanted) -> dict[str, Any]:
    device = wanted.device
    if device is not None:
        supposing = Supposing(status=device.status, returns_to=device.returns_to, smets_version=device.smets_version)
        return {"device_type": device.device_type, "supposing": supposing}
    return {"authority": wanted.kind} if wanted.role is None else {"role": wanted.role, "usage": wanted.usage}


def test_who_for_a_device_in_the_inventory_counts_its_certificates(pending: Pending) -> None:
    full = EntityIdentifier.parse("00DB1234567890A4")
    assert pending.smki.inquiry.who(device=full).eligible
    pending.smki.ledger.transact(lambda transaction: transaction.set_threshold(full, 1))
    pending.registration.execute(
        ChangeTest(participant=PartyId("MANUFACTURER"), test="device-and-user-system-tests", quota=9), TEST
    )
    pending.device(full)
    answer = pending.smki.inquiry.who(device=full)
    assert answer.wanted.device is not None
    assert answer.wanted.device.device_type is DeviceType.PPMID
    assert not answer.eligible
    assert all("device.limit-reached" in who.codes for who in everybody(answer))
    pending.registration.execute(
        ChangeTest(participant=PartyId("MANUFACTURER"), test="device-and-user-system-tests", quota=1), TEST
    )


def test_what_is_supposed_of_a_device_in_the_inventory() -> None:
    pending = Pending()
    inquiry = pending.smki.inquiry
    pending.registration.execute(SetDeviceStatus(DEVICE, _S.COMMISSIONED), TEST)
    other = "OTHER-USER"
    assert not inquiry.device(DEVICE, applicant=other).eligible
    assert inquiry.device(DEVICE, applicant=other, supposing=Supposing(status=_S.DECOMMISSIONED)).eligible
    suspended = inquiry.device(DEVICE, applicant=other, supposing=Supposing(status=_S.SUSPENDED))
    assert "counted as commissioned" in str(suspended.notes)
    assert inquiry.device(
        DEVICE, applicant=other, supposing=Supposing(status=_S.SUSPENDED, returns_to=_S.PENDING)
    ).eligible
    assert other in {who.party for who in inquiry.who(device=DEVICE, supposing=Supposing(status=_S.PENDING)).eligible}
    # The first who is eligible for what is supposed applies by default.
    assert inquiry.device(DEVICE, supposing=Supposing(status=_S.PENDING)).eligible
    found = pending.smki.ledger.register.device(DEVICE)
    assert found is not None
    assert found.status is _S.COMMISSIONED, "nothing was changed"


@pytest.mark.parametrize(
    "supposing",
    [
        Supposing(status=_S.PENDING, returns_to=_S.PENDING),
        Supposing(returns_to=_S.COMMISSIONED),
        Supposing(status=_S.SUSPENDED, returns_to=_S.DECOMMISSIONED),
        Supposing(status=_S.SUSPENDED, returns_to=_S.SUSPENDED),
    ],
)
def test_what_cannot_be_supposed(pending: Pending, supposing: Supposing) -> None:
    with pytest.raises(CannotBeJudged) as asked:
        pending.smki.inquiry.device(DEVICE, supposing=supposing)
    with pytest.raises(Malformed) as malformed:
        pending.smki.inquiry.who(device_type=DeviceType.ESME, supposing=supposing)
    assert asked.value.code == malformed.value.code == "device.suspension"


ARGUMENTS: dict[str, Any] = {
    "role": RemotePartyRole.SUPPLIER,
    "usage": KA,
    "device_type": DeviceType.ESME,
    "device": DEVICE,
    "authority": CertificateKind.ROOT_OCA,
    "supposing": Supposing(smets_version=SmetsVersion.SMETS1),
}


@given(st.sets(st.sampled_from(sorted(ARGUMENTS))))
@settings(deadline=None)
def test_a_question_names_one_certificate(pending: Pending, names: set[str]) -> None:
    subjects = [names & {"role"}, names & {"device_type", "device"}, names & {"authority"}]
    is_one = sum(map(bool, subjects)) == 1
    belongs = ("usage" not in names or "role" in names) and ("supposing" not in names or bool(subjects[1]))
    asked = {name: ARGUMENTS[name] for name in names}
    if is_one and belongs:
        assert everybody(pending.smki.inquiry.who(**asked))
        return
    with pytest.raises(Malformed) as caught:
        pending.smki.inquiry.who(**asked)
    assert caught.value.code == "question.contradiction"


def test_the_usage_is_signing_unless_said(pending: Pending) -> None:
    assert pending.smki.inquiry.who(role=RemotePartyRole.SUPPLIER).wanted.usage is KeyUsage.DIGITAL_SIGNATURE
    assert pending.smki.inquiry.who(role=RemotePartyRole.SUPPLIER, usage=KA).wanted.usage is KeyUsage.KEY_AGREEMENT


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda inquiry: inquiry.what("NOBODY"), "party.unknown"),
        (lambda inquiry: inquiry.what("no id at all" * 9), "party-id.malformed"),
        (lambda inquiry: inquiry.what(LARGE, on_behalf_of="NOBODY"), "acting-for.not-a-party"),
        (lambda inquiry: inquiry.what(LARGE, on_behalf_of="MANUFACTURER"), "acting-for.not-a-party"),
        (lambda inquiry: inquiry.who(device=NEW), "device.unknown"),
        (lambda inquiry: inquiry.who(device=DEVICE, device_type=DeviceType.GSME), "device.other-type"),
        (lambda inquiry: inquiry.authority(CertificateKind.ROOT_OCA, on_behalf_of="NOBODY"), "acting-for.not-a-party"),
    ],
)
def test_what_cannot_be_answered(pending: Pending, ask: Any, code: str) -> None:
    with pytest.raises(CannotBeJudged) as caught:
        ask(pending.smki.inquiry)
    assert caught.value.code == code


def test_authorities_are_for_the_dcc(pending: Pending) -> None:
    for kind in AUTHORITIES:
        assert pending.smki.inquiry.authority(kind).eligible
        refused = pending.smki.inquiry.authority(kind, applicant=LARGE)
        assert [problem.code for problem in refused.problems] == ["authority.dcc-only"]
    assert not pending.smki.inquiry.authority(CertificateKind.ROOT_OCA, applicant="NOBODY").eligible
    with pytest.raises(ValueError, match="authority"):
        pending.smki.inquiry.authority(CertificateKind.DEVICE)


def test_who_and_what_on_an_earlier_day() -> None:
    pending = Pending()
    controller = frozenset({UserRole.LOAD_CONTROLLER})
    inquiry = pending.smki.inquiry
    for number, command in (
        (5, ChangeParty(party=PartyId("OTHER-USER"), add_roles=controller)),
        (10, ChangeParty(party=PartyId("OTHER-USER"), remove_roles=controller)),
        (12, AddParty(party=PartyId("LATE"), category=PartyCategory.OTHER, user_roles=controller,
                      acceded=START.date(), identifiers=frozenset({NEW}))),
    ):  # fmt: skip
        pending.clock.set(START + timedelta(days=number))
        pending.registration.execute(command, TEST)
    pending.clock.set(START + timedelta(days=20))
    role = RemotePartyRole.LOAD_CONTROLLER
    for number in (0, 4, 5, 9, 10, 19):
        day = (START + timedelta(days=number)).date()
        answer = inquiry.who(role=role, as_of=day)
        names = {who.party for who in answer.eligible}
        assert names == {"LOAD-CONTROLLER", "LATE"} | ({"OTHER-USER"} if 5 <= number < 10 else set())
        for party in ("OTHER-USER", "LATE"):
            roles = {each.wanted.role for each in inquiry.what(party, as_of=day).eligible}
            assert (role in roles) is (party in names)
        sources = {record["source"]: record["subjects"] for record in answer.as_json()["records"]}
        assert sources.get("added later", []) == (["Party LATE"] if number < 12 else [])
        assert len(sources["history"]) == (10 if number < 12 else 11)
        assert inquiry.what("LATE", as_of=day).records[0].subject == "Party LATE"
        # The same as asked one by one
        for who in everybody(answer):
            if who.on_behalf_of is None and who.party != "LATE":
                decisions = single(pending, {"role": role, "usage": DS}, who.party, as_of=day)
                assert any(decision.eligible for decision in decisions) is (who in answer.eligible)
    assert inquiry.who(role=role).records == ()


def statements(pending: Pending, ask: Any) -> int:
    """The number of SQL statements that answer a question."""
    assert isinstance(pending.smki.ledger, MemoryLedger)
    seen: list[str] = []
    connection = pending.smki.ledger._connection
    connection.set_trace_callback(seen.append)
    try:
        ask(pending.smki.inquiry)
    finally:
        connection.set_trace_callback(None)
    return len(seen)


def test_the_number_of_queries_does_not_grow_with_the_register() -> None:
    pending = Pending()
    day = START.date()
    pending.clock.set(START + timedelta(days=2))
    questions = [
        lambda inquiry: inquiry.who(role=RemotePartyRole.SUPPLIER),
        lambda inquiry: inquiry.who(device=DEVICE),
        lambda inquiry: inquiry.who(device_type=DeviceType.ESME),
        lambda inquiry: inquiry.who(role=RemotePartyRole.SUPPLIER, as_of=day),
        lambda inquiry: inquiry.what(LARGE),
        lambda inquiry: inquiry.what(LARGE, as_of=day),
    ]
    before = [statements(pending, ask) for ask in questions]
    parties = tuple(
        Party.parse(
            party_id=f"P{number}", category="small-supplier", user_roles="gas-supplier", standing="acceded 2020-01-01",
            identifiers=f"90B3D51F31{number:06X}", authorised_for="organisation, device", officers=["Jo"], quota="5",
        )
        for number in range(200)
    )  # fmt: skip
    pending.registration.execute(Register(parties), TEST)
    assert [statements(pending, ask) for ask in questions] == before
    assert max(before) <= 10


def test_a_participant_is_asked_about_too(pending: Pending) -> None:
    participants = [
        registrant_id(who) for who in pending.smki.ledger.register.registrants() if isinstance(who, TestingParticipant)
    ]
    listed = {who.party for who in everybody(pending.smki.inquiry.who(device_type=DeviceType.ESME)) if not who.is_party}
    assert listed == set(participants)


def test_errors_are_of_this_project(pending: Pending) -> None:
    with pytest.raises(SmkiError):
        pending.smki.inquiry.what("")
