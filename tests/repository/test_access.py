"""API keys and officers' tokens: who gets in, and that no secret is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree
from smki_repository.access import ActingOfficer, NotAdmitted, acting_officer
from smki_repository.app import create_app
from smki_repository.options import Options, ReadAccess
from smki_repository.server import default_read_access

from smki import Smki
from smki.clock import RealClock
from smki.identity import PartyId
from smki.ledger import CredentialKind, CredentialRecord, EventKind
from smki.problem import Malformed, NotFound
from smki.registration.appointments import DismissOfficer
from smki.registration.credentials import RevokeCredential
from tests.commands import TEST, appoint, make_api_key, make_token
from tests.repository.support import Served, ask, serving
from tests.support import run_cli

KEY, TOKEN = CredentialKind.API_KEY, CredentialKind.OFFICER_TOKEN


@pytest.fixture(scope="module")
def guarded(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("guarded") / "pki"
    shutil.copytree(made_home, home)
    with serving(home, "--read", "api-key") as served:
        yield served


def made(home: Path, *words: str) -> tuple[str, str]:
    run = run_cli(*words, "--home", home)
    assert run.returncode == 0, run.stderr
    return run.stdout.decode().strip(), run.stderr.decode()


def test_a_key_is_told_once_opens_and_closes(guarded: Served) -> None:
    search = f"{guarded.url}/services/certificatesearch"
    assert ask(f"{guarded.url}/healthz").status == 200
    for path in ("/", "/crl/organisation.crl", "/services/certificatesearch", "/nowhere"):
        refused = ask(guarded.url + path)
        assert (refused.status, refused.headers["www-authenticate"][:6]) == (401, "Bearer")
        assert b"smki apikey add" in refused.body
    answer = ask(search, b"<x/>")
    assert etree.fromstring(answer.body).findtext("ResponseCode") == "401"

    key, told = made(guarded.home, "apikey", "add", "head-end")
    assert "cannot be shown again" in told
    url = f"{guarded.url}/crl/organisation.crl"
    for wanted in (
        ask(f"{url}?apikey={key}"),
        ask(url, headers={"Authorization": f"Bearer {key}"}),
        ask(url, headers={"X-API-Key": key}),
    ):
        assert wanted.status == 200
    assert b"an unknown one" in ask(f"{url}?apikey={key}x").body
    token, _ = made(guarded.home, "officer", "token", "--party", "LARGE-SUPPLIER")
    assert ask(url, headers={"Authorization": f"Bearer {token}"}).status == 200

    assert key not in made(guarded.home, "apikey", "list")[0]
    assert key not in made(guarded.home, "apikey", "list", "--json")[0]
    made(guarded.home, "apikey", "revoke", "head-end")
    assert b"revoked" in ask(f"{url}?apikey={key}").body
    kept = b"".join(file.read_bytes() for file in guarded.home.rglob("ledger.sqlite*"))
    assert key.encode() not in kept
    assert token.encode() not in kept
    assert b"head-end" in kept


def test_the_api_says_so_as_problem_details(guarded: Served) -> None:
    answer = ask(f"{guarded.url}/api/v1/eligibility/device", b"{}")
    assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
    body = json.loads(answer.body)
    assert body["type"] == "urn:smki:problem:access.refused"
    assert body["problems"][0]["remedy"].startswith("smki apikey add")


@pytest.mark.parametrize(
    ("host", "access"),
    [("127.0.0.1", "open"), ("localhost", "open"), ("::1", "open"), ("0.0.0.0", "api-key"), ("192.0.2.1", "api-key"),
     ("repository.example", "api-key")],
)  # fmt: skip
def test_open_by_default_only_to_this_machine(host: str, access: str) -> None:
    assert default_read_access(host) is ReadAccess(access)


def acting(smki: Smki, secret: str) -> ActingOfficer:
    with create_app(smki, Options()).test_request_context(headers={"Authorization": f"Bearer {secret}"}):
        return acting_officer(smki)


def test_only_the_token_of_an_appointed_officer_acts(smki: Smki) -> None:
    party = "LARGE-SUPPLIER"
    appoint(smki, party, "Jo")
    secret = make_token(smki, party, "Jo")
    assert acting(smki, secret) == ActingOfficer(party, "Jo")
    smki.registration.execute(DismissOfficer(party=PartyId.parse(party), officer="Jo", moment=RealClock().now()), TEST)
    with pytest.raises(NotAdmitted, match="a revoked one"):
        acting(smki, secret)
    appoint(smki, party, "Jo")
    with pytest.raises(NotAdmitted, match="for reading only"):
        acting(smki, make_api_key(smki, "reader"))
    with pytest.raises(NotAdmitted, match="none was sent"):
        acting(smki, "")
    with pytest.raises(NotAdmitted, match="expired"):
        acting(smki, make_token(smki, party, "Jo", lifetime=timedelta(seconds=-1)))
    again = make_token(smki, party, "Jo")
    token = smki.ledger.credentials.all(TOKEN)[-1]
    revoked = revoke_credential(smki, TOKEN, str(token.id))
    assert [each.id for each in revoked] == [token.id]
    with pytest.raises(NotAdmitted, match="revoked"):
        acting(smki, again)


def revoke_credential(smki: Smki, kind: CredentialKind, name: str) -> tuple[CredentialRecord, ...]:
    command = RevokeCredential(kind=kind, name=name, revoked=RealClock().now())
    return smki.registration.execute(command, TEST)


def test_credentials_that_make_no_sense(smki: Smki) -> None:
    make_api_key(smki, "one")
    with pytest.raises(Malformed, match="already exists"):
        make_api_key(smki, "one")
    for name in ("", " ", "x" * 65, "a\nb"):
        with pytest.raises(Malformed, match="printable characters"):
            make_api_key(smki, name)
    with pytest.raises(NotFound, match="none that is not revoked"):
        revoke_credential(smki, TOKEN, "one")  # a key is no token
    revoke_credential(smki, KEY, "one")
    make_api_key(smki, "one")
    now = RealClock().now()
    assert [credential.is_valid_at(now) for credential in smki.ledger.credentials.all(KEY)] == [False, True]
    assert smki.ledger.credentials.of("\ud800") is None
    made_and_revoked = [event.kind for event in smki.ledger.events() if event.kind.value.startswith("credential")]
    made, revoked = EventKind.CREDENTIAL_MADE, EventKind.CREDENTIAL_REVOKED
    assert made_and_revoked == [made, revoked, made]


def test_tokens_are_for_officers_that_there_are(home: Path) -> None:
    for words, code in (
        (("officer", "token", "--party", "NOBODY"), b"party.unknown"),
        (("officer", "token", "--party", "LARGE-SUPPLIER", "--officer", "Nobody"), b"officer.unknown"),
        (("apikey", "revoke", "nothing"), b"credential.unknown"),
    ):
        run = run_cli(*words, "--home", home)
        assert run.returncode == 2
        assert code in run.stderr
        assert b"Traceback" not in run.stderr
    words = json.loads(made(home, "officer", "token", "--party", "LARGE-SUPPLIER", "--days", "3", "--json")[0])
    listed = json.loads(made(home, "officer", "list", "--json")[0])
    assert words.pop("secret")
    assert listed == [words]


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/api/v1/certificates", "/api/docs", "/crl/organisation.crl", "/extracts/"]
)
@pytest.mark.parametrize("access", ReadAccess)
def test_a_ledger_that_cannot_be_read_is_said_and_is_no_fault_of_the_server(
    made_home: Path, tmp_path: Path, path: str, access: ReadAccess
) -> None:
    """The key cannot be looked up then, either."""
    shutil.copytree(made_home, tmp_path / "pki")
    with Smki.open(tmp_path / "pki") as smki:
        client = create_app(smki, Options(read_access=access)).test_client()
        ledger = tmp_path / "pki" / "ledger.sqlite"
        ledger.write_bytes(b"\xff" * ledger.stat().st_size)
        with ThreadPoolExecutor(1) as pool:  # with a connection of its own, as each thread of a server
            answer = pool.submit(client.get, path, headers={"X-API-Key": "any"}).result()
    if access is ReadAccess.OPEN and path in ("/api/docs", "/extracts/"):
        assert answer.status_code == 200  # nothing in them is from the ledger
    else:
        assert (answer.status_code, "ledger.unavailable" in answer.text) == (503, True)
