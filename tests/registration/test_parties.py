"""What the commands on Parties keep true beside what the cases of every interface show."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smki import RemotePartyRole, Smki
from smki.clock import RealClock
from smki.identity import EntityIdentifier, PartyId
from smki.ledger import Conflict, EventKind
from smki.problem import Malformed, SmkiError
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.bulk import LoadParties, read_parties
from smki.registration.changes import UNCHANGED
from smki.registration.credentials import MakeToken
from smki.registration.identifiers import REGISTRY_FIRST, REGISTRY_LAST, AssignIdentifier, ReleaseIdentifier
from smki.registration.parties import AddParty, ChangeParticipant, ChangeParty, SetStanding, known_registrant
from smki.registration.revocation import Revoke
from smki.sec.party import SUBSCRIBER_KINDS, Officer, Party, PartyCategory, Standing, TestingParticipant
from smki.sec.registry_fields import registrant_fields, registrant_id
from smki.sec.role import CertificateKind, UserRole
from tests.registration.register_cases import FREE, LARGE, MANUFACTURER, MOMENT, OPERATOR, SHARED, state
from tests.support import DS, SUPPLIER


def recorded(smki: Smki, party: PartyId = LARGE) -> Party:
    found = known_registrant(smki.ledger, party)
    assert isinstance(found, Party)
    return found


def test_an_event_says_from_and_to(smki: Smki) -> None:
    smki.registration.execute(ChangeParty(party=LARGE, quota=500), OPERATOR)
    smki.registration.execute(ChangeParty(party=LARGE, quota=None, name="L"), OPERATOR)
    event = list(smki.ledger.events())[-1]
    assert (event.kind, event.concerns) == (EventKind.CHANGED, "LARGE-SUPPLIER")
    assert event.content == {"name": {"from": "Large Supplier", "to": "L"}, "quota": {"from": "500", "to": None}}
    assert event.detail == "name L; quota removed"


def test_what_is_not_named_stays(smki: Smki) -> None:
    before = recorded(smki)
    after = smki.registration.execute(ChangeParty(party=LARGE, quota=0), OPERATOR)
    assert registrant_fields(after) == {**registrant_fields(before), "quota": "0"}
    assert smki.registration.execute(ChangeParty(party=LARGE, quota=UNCHANGED), OPERATOR) == after


def test_a_participant(smki: Smki) -> None:
    change = ChangeParticipant(participant=MANUFACTURER, agreement=date(2026, 3, 1))
    changed = smki.registration.execute(change, OPERATOR)
    assert isinstance(changed, TestingParticipant)
    assert changed == known_registrant(smki.ledger, MANUFACTURER)
    assert (changed.agreement, [test.quota for test in changed.tests]) == (date(2026, 3, 1), [100_000])


def test_standing(smki: Smki) -> None:
    for standing, day in (
        (Standing.SUSPENDED, 1),
        (Standing.SUSPENDED, 1),
        (Standing.ACCEDED, 9),
        (Standing.EXPELLED, 5),
    ):
        smki.registration.execute(SetStanding(LARGE, standing, date(2026, 5, day)), OPERATOR)
    # The same twice is recorded once, and what was decided for a later day is replaced.
    assert [str(change.standing) for change in recorded(smki).standing] == ["acceded", "suspended", "expelled"]
    assert len([event for event in smki.ledger.events() if event.kind is EventKind.CHANGED]) == 3


def test_the_next_identifier_after_the_last_of_the_block(smki: Smki) -> None:
    """Somebody who is given the last one does not use the block up."""
    smki.registration.execute(AssignIdentifier(LARGE, REGISTRY_LAST), OPERATOR)
    found = smki.registration.execute(AssignIdentifier(LARGE), OPERATOR)
    assert REGISTRY_FIRST < found < REGISTRY_LAST
    assert recorded(smki).identifiers >= {found, REGISTRY_LAST}


def test_an_identifier_is_released_once_its_certificates_are_revoked(smki: Smki) -> None:
    first, second = (
        smki.issue_organisation(smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]).record
        for _ in range(2)
    )
    release = ReleaseIdentifier(LARGE, SUPPLIER)
    for record in (second, first):
        # The first has been replaced by the second: nobody is to use it, but who relies on it still may.
        with pytest.raises(Conflict) as caught:
            smki.registration.execute(release, OPERATOR)
        assert caught.value.code == "entity-identifier.in-use"
        smki.registration.execute(Revoke(serial_number=record.serial_number, reason="no-longer-eligible"), OPERATOR)
    smki.registration.execute(release, OPERATOR)
    smki.registration.execute(AssignIdentifier(PartyId.parse("SMALL-SUPPLIER"), SUPPLIER), OPERATOR)
    owner = smki.ledger.register.owner(SUPPLIER)
    assert owner is not None
    assert registrant_id(owner) == "SMALL-SUPPLIER"


def test_dismissal_names_the_tokens_that_it_revokes(smki: Smki) -> None:
    officer = Officer("Jo Bloggs", SUBSCRIBER_KINDS)
    for party in (LARGE, SHARED):
        smki.registration.execute(AppointOfficer(party, officer), OPERATOR)
    made = [
        smki.registration.execute(MakeToken(party=party, officer=name, created=RealClock().now()), OPERATOR)
        for party, name in (
            (LARGE, "Jo Bloggs"),
            (LARGE, "Jo Bloggs"),
            (LARGE, "Large Supplier Officer"),
            (SHARED, "Jo Bloggs"),
        )
    ]
    smki.registration.execute(DismissOfficer(party=LARGE, officer="Jo Bloggs", moment=MOMENT), OPERATOR)
    events = list(smki.ledger.events())
    assert events[-1].kind is EventKind.OFFICER_DISMISSED
    assert events[-1].content is not None
    assert events[-1].content["tokensRevoked"] == [made[0].record.id, made[1].record.id]
    valid = [smki.ledger.credentials.of(each.secret) for each in made]
    assert [each is not None and each.revoked is None for each in valid] == [False, False, True, True]


def test_an_officer_can_be_written_as_text() -> None:
    """A colon in a name would make a record that cannot be read again."""
    with pytest.raises(Malformed) as caught:
        Officer("Jo: Bloggs", SUBSCRIBER_KINDS)
    assert caught.value.code == "officer.malformed"


def test_a_quota_of_many_digits(smki: Smki) -> None:
    rows = b'[{"party_id": "ACME", "category": "other", "quota": "' + b"9" * 5000 + b'"}]'
    with pytest.raises(Malformed) as caught:
        read_parties(rows, "parties.json")
    assert caught.value.code == "quota.malformed"


# Files of Parties


def test_a_file_is_registered_with_one_event(smki: Smki) -> None:
    rows = read_parties(b"party_id,category,identifiers\nA,other,90B3D51F30050000\nB,other,\n", "parties.csv")
    before = len(list(smki.ledger.events()))
    smki.registration.execute(LoadParties(rows), OPERATOR)
    events = list(smki.ledger.events())
    assert [event.kind for event in events[before:]] == [EventKind.REGISTERED]
    assert events[-1].detail == "A, B"
    assert recorded(smki, PartyId.parse("A")).identifiers == {FREE}


def test_every_clash_is_named_by_its_row(smki: Smki) -> None:
    """Clashes with what was registered after the file was read are found too."""
    rows = read_parties(
        b"party_id,category,identifiers\nACME,other,\nNEW,other,90B3D51F30050000\nNEW,other,\nLAST,other,90B3D51F30050000\n",
        "parties.csv",
    )
    smki.registration.execute(AddParty(party=PartyId.parse("ACME"), category=PartyCategory.OTHER), OPERATOR)
    before = state(smki)
    with pytest.raises(Conflict) as caught:
        smki.registration.execute(LoadParties(rows), OPERATOR)
    assert [(problem.code, problem.subject.split(":")[0]) for problem in caught.value.problems] == [
        ("party.exists", "row 1, column party_id"),
        ("party.exists", "row 3, column party_id"),
        ("entity-identifier.taken", "row 4, column identifiers"),
    ]
    assert state(smki) == before


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ('{"party_id": "A", "category": "other", "officers": [1]}', "row.value"),
        ('{"party_id": "A", "category": "other", "officers": {"Jo": 1}}', "row.value"),
        ('{"party_id": "A", "category": "other", "name": true}', "row.value"),
        ('{"party_id": ["A"], "category": "other"}', "row.value"),
        ('{"party_id": "A", "category": {}}', "row.value"),
        ('{"party_id": "A", "category": "other", "through_entry": "perhaps"}', "flag.malformed"),
        ('{"category": "other"}', "row.incomplete"),
        ("[" * 100_000, "input.json"),
    ],
)
def test_rows_of_other_json(row: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_parties(f"[{row}]".encode(), "parties.json")
    assert caught.value.code == code


# What no sequence of changes breaks

PARTIES = [LARGE, SHARED, PartyId.parse("ELECTRICITY-NETWORK")]
ROLES = st.frozensets(st.sampled_from(UserRole), max_size=2)
CHANGES = st.one_of(
    st.builds(
        ChangeParty,
        party=st.sampled_from(PARTIES),
        add_roles=ROLES,
        remove_roles=ROLES,
        quota=st.none() | st.integers(-1, 5) | st.just(UNCHANGED),
        authorised_for=st.frozensets(st.sampled_from(CertificateKind), max_size=2) | st.just(UNCHANGED),
        add_acts_for=st.frozensets(st.sampled_from([*PARTIES, MANUFACTURER]), max_size=1),
        name=st.just(UNCHANGED) | st.text(max_size=3),
    ),
    st.builds(
        SetStanding, st.sampled_from(PARTIES), st.sampled_from(Standing), st.dates(date(2010, 1, 1), date(2030, 1, 1))
    ),
    st.builds(AssignIdentifier, st.sampled_from(PARTIES), st.none() | st.just(FREE)),
    st.builds(ReleaseIdentifier, st.sampled_from(PARTIES), st.sampled_from([FREE, SUPPLIER])),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(CHANGES, min_size=1, max_size=12))
def test_any_sequence_leaves_records_that_can_be_read(commands: list[object]) -> None:
    """Each command is refused with nothing written, or writes a record that reads as it was returned, with one event."""
    with Smki.in_memory(seed="parties") as smki:
        for command in commands:
            before = state(smki)
            try:
                smki.registration.execute(command, OPERATOR)  # type: ignore[arg-type]
            except SmkiError:
                assert state(smki) == before
                continue
            after = state(smki)
            assert len(after["events"]) - len(before["events"]) == (after["registrants"] != before["registrants"])
            owners: dict[EntityIdentifier, PartyId] = {}
            for party in smki.ledger.register.registrants():
                for identifier in party.identifiers if isinstance(party, Party) else ():
                    assert owners.setdefault(identifier, party.party_id) == party.party_id  # type: ignore[union-attr]
                    assert smki.ledger.register.owner(identifier) == party


def test_tests_are_loaded_from_json_and_csv(smki: Smki) -> None:
    tests = [{"purpose": "tests-under-section-t", "quota": 5, "roles": "supplier", "identifiers": str(FREE)}]
    as_json = json.dumps(
        [{"participant_id": "LAB", "tests": tests}, {"party_id": "P", "category": "other", "tests": tests}]
    )
    rows = read_parties(as_json.encode(), "parties.json")
    as_csv = io.StringIO()
    csv.writer(as_csv).writerows([["participant_id", "tests"], ["LAB", json.dumps(tests)]])
    assert read_parties(as_csv.getvalue().encode(), "parties.csv") == rows[:1]
    lab, party = smki.registration.execute(LoadParties(rows), OPERATOR)
    assert [test.fields for each in (lab, party) for test in each.tests] == [
        {"test": "section-t", **tests[0], "quota": "5"}
    ] * 2
    # What a participant's test names and belongs to nobody is its own.
    assert smki.ledger.register.owner(FREE) == lab


@pytest.mark.parametrize(
    "tests", ["[]]", "{}", [1], [{"purpose": ["uept"]}], "[" * 20000, [{"quota": None}], [{"colour": "x"}]]
)
def test_tests_that_are_no_tests(tests: object) -> None:
    with pytest.raises(Malformed) as caught:
        read_parties(json.dumps([{"participant_id": "LAB", "tests": tests}]).encode(), "parties.json")
    assert {problem.code for problem in caught.value.problems} <= {"row.value", "test.fields"}
