"""What the commands on credentials keep true beside what the cases of every interface show."""

from __future__ import annotations

import pytest

from smki import Smki
from smki.identity import PartyId
from smki.ledger import CredentialKind, EventKind
from smki.problem import Malformed, NotFound
from smki.registration.appointments import AppointOfficer
from smki.registration.credentials import MadeCredential, MakeApiKey, MakeToken, RevokeCredential
from smki.sec.party import SUBSCRIBER_KINDS, Officer
from tests.registration.register_cases import LARGE, MOMENT, OPERATOR, state

SMALL = PartyId.parse("SMALL-SUPPLIER")
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
