"""What the commands on credentials keep true beside what the cases of every interface show."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from smki import Smki
from smki.identity import PartyId
from smki.ledger import CredentialKind, EventKind
from smki.problem import Malformed, NotFound
from smki.registration.appointments import AppointOfficer
from smki.registration.credentials import MadeCredential, MakeApiKey, MakeToken, RevokeCredential
from smki.sec.party import SUBSCRIBER_KINDS, Officer
from tests.commands import change_party
from tests.registration.register_cases import LARGE, MOMENT, OPERATOR, state

SMALL = PartyId.parse("SMALL-SUPPLIER")
EXPIRES = MOMENT + timedelta(days=90)
TOKEN, KEY = CredentialKind.OFFICER_TOKEN, CredentialKind.API_KEY


def tokens(smki: Smki) -> list[MadeCredential]:
    """A token for an officer of the same name of each of two Parties."""
    made = []
    for party in (LARGE, SMALL):
        smki.registration.execute(AppointOfficer(party, Officer("Jo Bloggs", SUBSCRIBER_KINDS)), OPERATOR)
        command = MakeToken(party=party, officer="Jo Bloggs", created=MOMENT)
        made.append(smki.registration.execute(command, OPERATOR))
    return made


def valid(smki: Smki, kind: CredentialKind) -> list[int]:
    return [each.id for each in smki.ledger.credentials.all(kind) if each.revoked is None]


def test_officers_of_one_name(smki: Smki) -> None:
    """A name alone does not revoke the tokens of another Party's officer."""
    large, small = (each.record.id for each in tokens(smki))
    before = state(smki)
    with pytest.raises(Malformed) as caught:
        smki.registration.execute(RevokeCredential(kind=TOKEN, name="Jo Bloggs", revoked=MOMENT), OPERATOR)
    assert caught.value.code == "credential.ambiguous"
    assert state(smki) == before
    command = RevokeCredential(kind=TOKEN, name="Jo Bloggs", party=LARGE, revoked=MOMENT)
    assert [each.id for each in smki.registration.execute(command, OPERATOR)] == [large]
    assert valid(smki, TOKEN) == [small]
    event = list(smki.ledger.events())[-1]
    assert (event.kind, event.concerns) == (EventKind.CREDENTIAL_REVOKED, "LARGE-SUPPLIER")


def test_a_key_whose_name_is_the_number_of_another(smki: Smki) -> None:
    first = smki.registration.execute(MakeApiKey(name="head-end", created=MOMENT), OPERATOR).record
    second = smki.registration.execute(MakeApiKey(name=str(first.id), created=MOMENT), OPERATOR).record
    smki.registration.execute(RevokeCredential(kind=KEY, name=str(first.id), revoked=MOMENT), OPERATOR)
    assert valid(smki, KEY) == [first.id]
    smki.registration.execute(RevokeCredential(kind=KEY, name=str(first.id), revoked=MOMENT), OPERATOR)
    assert valid(smki, KEY) == []
    assert second.id != first.id


def test_a_number_is_of_its_kind(smki: Smki) -> None:
    token = tokens(smki)[0].record
    with pytest.raises(NotFound):
        smki.registration.execute(RevokeCredential(kind=KEY, number=token.id, revoked=MOMENT), OPERATOR)
    assert token.id in valid(smki, TOKEN)


@pytest.mark.parametrize(
    ("command", "prefix"),
    [
        (MakeApiKey(name="head-end", created=MOMENT, expires=EXPIRES), "smki-key-"),
        (MakeToken(party=PartyId("DCC"), created=MOMENT, expires=EXPIRES), "smki-officer-"),
    ],
    ids=["key", "token"],
)
def test_a_credential_has_its_times_and_a_secret_of_32_bytes(command: MakeApiKey | MakeToken, prefix: str) -> None:
    with Smki.in_memory() as smki:
        made = smki.registration.execute(command, OPERATOR)
        assert (made.record.created, made.record.expires) == (MOMENT, EXPIRES)
        assert smki.ledger.credentials.all(made.record.kind) == [made.record]
        assert made.secret.startswith(prefix)
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", made.secret.removeprefix(prefix))
        assert smki.registration.execute(command_again(command), OPERATOR).secret != made.secret


def command_again(command: MakeApiKey | MakeToken) -> MakeApiKey | MakeToken:
    return replace(command, name="another") if isinstance(command, MakeApiKey) else command


def test_a_party_without_officers_has_no_token() -> None:
    with Smki.in_memory() as smki:
        change_party(smki, PartyId("DCC"), lambda party: replace(party, officers=()))
        with pytest.raises(NotFound) as caught:
            smki.registration.execute(MakeToken(party=PartyId("DCC"), created=MOMENT), OPERATOR)
        (problem,) = caught.value.problems
        assert (problem.code, problem.subject, problem.expected) == ("officer.unknown", "officer ", "an officer")
