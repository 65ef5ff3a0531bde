"""A question about an earlier day gets that day's answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from smki.eligibility import PROVISIONS, Decision, Note, decide, decision_lines, in_force
from smki.eligibility.decision import holds
from smki.eligibility.provisions import SMKI_IN_FORCE, Effect
from smki.sec.role import RemotePartyRole
from tests.eligibility.people import (
    a_user,
    agent,
    by,
    device,
    device_question,
    organisation_question,
    participant,
    party,
)

DAYS = {
    "shared-resource": date(2018, 7, 22),
    "smets1-security": date(2018, 11, 8),
    # Appendices M and N: designated in March 2016, the day is assumed.
    **dict.fromkeys(
        ("officer", "entity-identifier", "device-limit", "replacement", "public-key"),
        date(2016, 3, 1),
    ),
}
SMKI = date(2014, 7, 31)
"""Version 3.0 of the Code; assumed for what came later without a day in any source."""

SUPPLIER = by(party("large-supplier", "import-supplier"))


def keys(decision: Decision) -> list[str]:
    return [applied.provision.key for applied in decision.applied]


@pytest.mark.parametrize("key", PROVISIONS)
def test_in_force_from_its_day_on(key: str) -> None:
    provision, day = PROVISIONS[key], DAYS.get(key, SMKI)
    assert provision.in_force_from == day
    assert in_force(provision, day)
    assert not in_force(provision, day - timedelta(days=1))


@pytest.mark.parametrize(
    ("day", "enrolled", "said"),
    [
        (
            "2018-11-07",
            False,
            "yes, because SEC G1.10, which excepts SMETS1 Devices, was not in force before 2018-11-08",
        ),
        (
            "2018-11-08",
            False,
            "no, because it is not part of, or ancillary to, an Enrolled SMETS1 smart metering system",
        ),
        (
            "2018-11-07",
            True,
            "yes, because SEC G1.10, which excepts SMETS1 Devices, was not in force before 2018-11-08",
        ),
        ("2018-11-08", True, "yes, because it is part of, or ancillary to, an Enrolled SMETS1 smart metering system"),
    ],
)
def test_which_sections_apply_to_a_smets1_device_is_said_and_decides_nothing(
    day: str, enrolled: bool, said: str
) -> None:
    meter = device(smets="1", status="commissioned", enrolled=enrolled)
    for who, eligible in ((SUPPLIER, True), (by(party("other", "other-user")), False)):
        decision = decide(device_question(who, meter, date.fromisoformat(day)))
        assert decision.eligible is eligible
        (note,) = decision.notes
        assert (note.provision.key, note.text) == ("smets1-security", f"Sections G2 to G9 apply to it: {said}")
        assert "smets1-security" not in keys(decision)
        same = decide(device_question(who, replace(meter, enrolled=not enrolled), date.fromisoformat(day)))
        assert (same.eligible, same.applied) == (decision.eligible, decision.applied)
    assert decide(device_question(SUPPLIER, device(), date.fromisoformat(day))).notes == ()


def test_shared_resources_before_and_from_g5_29() -> None:
    no_party = by(agent(standing=""), a_user())
    before = decide(organisation_question(no_party, RemotePartyRole.SUPPLIER, date(2018, 7, 21)))
    assert before.eligible
    assert "shared-resource" not in keys(before)
    since = decide(organisation_question(no_party, RemotePartyRole.SUPPLIER, date(2018, 7, 22)))
    assert [problem.code for problem in since.problems] == ["shared-resource.not-a-party"]
    unnamed = by(agent(standing="", acts_for=""), a_user())
    refused = decide(organisation_question(unnamed, RemotePartyRole.SUPPLIER, date(2018, 7, 21)))
    assert [problem.code for problem in refused.problems] == ["acting-for.not-named"]


def test_nobody_is_eligible_before_the_code() -> None:
    early = by(party("large-supplier", "import-supplier", standing="acceded 2010-01-01"))
    assert decide(device_question(early, as_of=SMKI_IN_FORCE)).eligible
    before = decide(device_question(early, as_of=date(2014, 7, 30)))
    assert not before.eligible
    assert {problem.code for problem in before.problems} == {"eligibility.not-in-force"}
    assert keys(before) == [key for key in keys(before) if PROVISIONS[key].effect is Effect.GRANT]
    # It says of every rule that would have been applied since when it is in force.
    later = decide(device_question(early, as_of=date(2026, 1, 1)))
    assert [each.key for each in before.not_in_force] == keys(later)
    assert later.not_in_force == ()
    for problem, provision in zip(before.problems, map(PROVISIONS.__getitem__, keys(before)), strict=True):
        assert problem.seen == f"2014-07-30; {provision.title}: in force from 2014-07-31"
        assert problem.clause == provision.clause


def test_before_the_appendices_their_conditions_do_not_apply_and_the_answer_says_so() -> None:
    nobody = replace(SUPPLIER, officer="Mallory")
    day = date(2016, 3, 1)
    refused = decide(device_question(nobody, as_of=day))
    assert [problem.code for problem in refused.problems] == ["officer.unknown"]
    assert refused.not_in_force == ()
    early = decide(
        device_question(replace(nobody, who=party("large-supplier", "import-supplier")), as_of=date(2016, 2, 29))
    )
    assert early.eligible
    assert {each.key for each in early.not_in_force} == {"officer", "device-limit", "public-key"}
    assert early.as_json()["notInForce"][0] == {
        "provision": "officer", "clause": "SEC Appendix M", "basis": "appendix", "title": "Authorised Responsible Officer",
        "inForceFrom": "2016-03-01",
    }  # fmt: skip
    assert any(
        line.endswith("Authorised Responsible Officer: not applied, in force from 2016-03-01")
        for line in decision_lines(early)
    )


def test_nothing_applied_is_not_eligible() -> None:
    today = date(2026, 1, 1)
    assert not Decision.of([], today).eligible
    assert not Decision.of([None], today).eligible
    assert not Decision.of([Note(PROVISIONS["smets1-security"], "")], today).eligible
    assert not Decision.of([holds(PROVISIONS["shared-resource"], "")], date(2018, 7, 21)).eligible
    assert Decision.of([holds(PROVISIONS["shared-resource"], ""), None], date(2018, 7, 22)).eligible


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("2016-11-07", "party.not-yet-acceded"),
        ("2016-11-08", ""),
        ("2024-04-30", ""),
        ("2024-05-01", "party.suspended"),
        ("2024-05-31", "party.suspended"),
        ("2024-06-01", ""),
        ("2025-01-01", "party.withdrawn"),
    ],
)
def test_standing_on_the_day(day: str, code: str) -> None:
    history = "acceded 2016-11-08, suspended 2024-05-01, acceded 2024-06-01, withdrawn 2025-01-01"
    applicant = by(party("large-supplier", "import-supplier", history))
    decision = decide(device_question(applicant, as_of=date.fromisoformat(day)))
    assert [problem.code for problem in decision.problems] == ([code] if code else [])


def test_agreement_by_the_day() -> None:
    maker = by(participant(agreement="2020-06-01"))
    assert decide(device_question(maker, as_of=date(2020, 6, 1))).eligible
    refused = decide(device_question(maker, as_of=date(2020, 5, 31)))
    assert [problem.code for problem in refused.problems] == ["participant.no-agreement"]
