"""Who acts for the DCC, and whose events an actor may read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smki import CertificateKind
from smki.identity import PartyId
from smki.ledger import EventKind, EventQuery
from smki.problem import Problem
from smki.registration import Actor
from smki.registration.authorisation import NotAuthorised, acts_for_dcc, readable_events, require_dcc
from smki.sec.party import Officer
from tests.commands import change_registrant
from tests.registration.in_memory import LARGE, Pending
from tests.registration.register_cases import DCC, OPERATOR, STRANGER


@pytest.fixture(scope="module")
def pending() -> Pending:
    return Pending()


@pytest.mark.parametrize(
    ("party", "officer", "acts"),
    [
        ("", "", True),
        ("DCC", "DCC Officer", True),
        ("DCC", "", False),
        ("DCC", "Large Supplier Officer", False),
        ("", "DCC Officer", False),
        (LARGE, "Large Supplier Officer", False),
        (LARGE, "DCC Officer", False),
        ("MANUFACTURER", "Manufacturer Officer", False),
        ("NOBODY", "DCC Officer", False),
        ("no party id!", "DCC Officer", False),
    ],
)
def test_who_acts_for_the_dcc(pending: Pending, party: str, officer: str, acts: bool) -> None:
    actor = Actor(interface="test", party=party, officer=officer)
    assert acts_for_dcc(pending.smki.ledger, actor) is acts
    if acts:
        require_dcc(pending.smki.ledger, actor)
        return
    with pytest.raises(NotAuthorised) as caught:
        require_dcc(pending.smki.ledger, actor)
    assert caught.value.problems == (
        Problem(
            code="actor.not-dcc",
            subject="officer",
            seen=f"{officer or 'nobody'} of {party or 'no Party'}",
            expected="an officer of the DCC, or the operator of the home",
        ),
    )


def test_long_names_are_cut_short_in_the_refusal(pending: Pending) -> None:
    with pytest.raises(NotAuthorised) as caught:
        require_dcc(pending.smki.ledger, Actor(interface="test", party="P" * 100, officer="o" * 100))
    assert caught.value.problems[0].seen == f"{'o' * 64} of {'P' * 64}"


def test_any_officer_of_the_dcc_and_none_that_was_dismissed() -> None:
    pending = Pending()
    both = frozenset({CertificateKind.ORGANISATION, CertificateKind.DEVICE})
    new = (Officer("Ann", both), Officer("Bob", both))
    change_registrant(pending.smki, PartyId("DCC"), lambda found: replace(found, officers=new))
    named = [
        name for name in ("Ann", "Bob", "DCC Officer") if acts_for_dcc(pending.smki.ledger, replace(DCC, officer=name))
    ]
    assert named == ["Ann", "Bob"]


def test_whose_events_an_actor_may_read(pending: Pending) -> None:
    ledger, of_small = pending.smki.ledger, EventQuery(kind=EventKind.ISSUED, party="SMALL-SUPPLIER")
    everybodys = EventQuery(kind=EventKind.ISSUED)
    for actor in (OPERATOR, DCC):
        assert readable_events(ledger, actor, of_small) == of_small
        assert readable_events(ledger, actor, everybodys) == everybodys
    own = EventQuery(kind=EventKind.ISSUED, party=LARGE)
    assert readable_events(ledger, STRANGER, everybodys) == own
    assert readable_events(ledger, STRANGER, own) == own
    with pytest.raises(NotAuthorised):
        readable_events(ledger, STRANGER, of_small)
