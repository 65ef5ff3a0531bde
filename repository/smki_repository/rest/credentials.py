"""Operations to list, make and revoke API keys and officers' tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Response

from smki.clock import RealClock
from smki.interchange.description import credential_fields
from smki.ledger import CredentialKind
from smki.registration.authorisation import require_dcc
from smki.registration.credentials import MAX_NAME, MadeCredential, MakeApiKey, MakeToken, RevokeCredential
from smki_repository.rest import parameters as given
from smki_repository.rest.negotiation import JSON, wanted_form
from smki_repository.rest.operation import Answer, Call, Operation, schema_ref
from smki_repository.rest.writing import FOR_DCC, done, write


def _expiry(call: Call, now: datetime) -> datetime | None:
    return now + timedelta(days=call.values["days"]) if "days" in call.values else None


def _made(made: MadeCredential, now: datetime) -> Response:
    return done({**credential_fields(made.record, now), "secret": made.secret}, 201)


def _make_key(call: Call) -> Response:
    wanted_form(JSON)
    now = RealClock().now()
    command = MakeApiKey(name=call.values["name"], created=now, expires=_expiry(call, now))
    return _made(call.smki.registration.execute(command, call.actor()), now)


def _make_token(call: Call) -> Response:
    wanted_form(JSON)
    now = RealClock().now()
    officer = call.get("officer") or ""
    command = MakeToken(party=call.values["party"], officer=officer, created=now, expires=_expiry(call, now))
    return _made(call.smki.registration.execute(command, call.actor()), now)


def _list(kind: CredentialKind) -> Callable[[Call], Response]:
    def handle(call: Call) -> Response:
        wanted_form(JSON)
        require_dcc(call.smki.ledger, call.actor())
        now = RealClock().now()
        return done({"items": [credential_fields(each, now) for each in call.smki.ledger.credentials.all(kind)]})

    return handle


def _revoke(kind: CredentialKind) -> Callable[[Call], Response]:
    def handle(call: Call) -> Response:
        wanted_form(JSON)
        now = RealClock().now()
        command = RevokeCredential(kind=kind, number=call.values["number"], revoked=now)
        revoked = call.smki.registration.execute(command, call.actor())
        return done(credential_fields(revoked[0], now))

    return handle


_KEY, _TOKEN = CredentialKind.API_KEY, CredentialKind.OFFICER_TOKEN
_TAG = "Credentials"
_DAYS = given.whole_number("days", "Number of days for which it is valid. Default: until it is revoked.", 36500)
_NUMBER = given.whole_number("number", "Number of the credential.", given.MAX_NUMBER)
_NEW = Answer("The credential with its secret, which cannot be retrieved again.", {JSON: schema_ref("NewCredential")})
_REVOKED = Answer("The revoked credential.", {JSON: schema_ref("Credential")})
_ALL = Answer("The credentials in the order of their creation, without secrets.", {JSON: schema_ref("Credentials")})

OPERATIONS = (
    Operation("GET", "/api-keys", "listApiKeys", _TAG, "List API keys", _list(_KEY), _ALL, errors=(403, 406), for_officers=True,
              description=FOR_DCC),
    write("POST", "/api-keys", "makeApiKey", _TAG, "Make an API key for a system that reads the Repository", _make_key, _NEW,
          fields=(given.free_text("name", "Name of the system that uses it.", max_length=MAX_NAME, required=True), _DAYS), status=201),
    write("POST", "/api-keys/{number}/revoke", "revokeApiKey", _TAG, "Revoke an API key", _revoke(_KEY), _REVOKED, _NUMBER),
    Operation("GET", "/tokens", "listTokens", _TAG, "List officers' tokens", _list(_TOKEN), _ALL, errors=(403, 406), for_officers=True,
              description=FOR_DCC),
    write("POST", "/parties/{party}/tokens", "makeToken", _TAG, "Make a token for an officer", _make_token, _NEW,
          given.PARTY, fields=(given.free_text("officer", "Name of the officer. Default: the Party's first.", max_length=MAX_NAME), _DAYS),
          status=201),
    write("POST", "/tokens/{number}/revoke", "revokeToken", _TAG, "Revoke an officer's token", _revoke(_TOKEN), _REVOKED, _NUMBER),
)  # fmt: skip
