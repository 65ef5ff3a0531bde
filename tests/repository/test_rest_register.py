"""The commands of the register over REST: for officers of the DCC, with the refusals of Python and the command line."""

from __future__ import annotations

import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from flask.testing import FlaskClient
from smki_repository.app import create_app
from smki_repository.rest.operation import Operation
from smki_repository.rest.schemas import SCHEMAS
from smki_repository.rest.service import OPERATIONS
from werkzeug.test import TestResponse

from smki import CertificateKind, RemotePartyRole, Smki
from smki.clock import RealClock
from smki.identity import PartyId
from smki.ledger import CredentialKind, EventKind, EventQuery
from smki.ledger.sqlite import search
from smki.registration.appointments import AppointOfficer, DismissOfficer
from smki.registration.credentials import MakeToken
from smki.registration.devices import ChangeDevice, SetThreshold
from smki.registration.parties import ChangeParty
from smki.sec.party import SUBSCRIBER_KINDS, Officer
from tests.registration.register_cases import CASES, GOOD, OPERATOR, Case, state
from tests.support import DEVICE, DS, SUPPLIER

API = "/api/v1"


class Rest:
    """The REST interface over an open SMKI, asked in this process."""

    def __init__(self, smki: Smki) -> None:
        self.smki = smki
        self.client: FlaskClient = create_app(smki).test_client()
        self.dcc = self.token("DCC")
        self.stranger = self.token("LARGE-SUPPLIER")

    def token(self, party: str, officer: str = "") -> str:
        command = MakeToken(party=PartyId.parse(party), officer=officer, created=RealClock().now())
        return self.smki.registration.execute(command, OPERATOR).secret

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> TestResponse:
        headers = {"Authorization": f"Bearer {token or self.dcc}"}
        return self.client.open(f"{API}{path}", method=method, headers=headers, json=body)

    def run(self, case: Case, token: str = "") -> TestResponse:
        assert case.rest is not None
        method, path, body = case.rest
        credentials = self.smki.ledger.credentials
        for name, kind in (("key", CredentialKind.API_KEY), ("token", CredentialKind.OFFICER_TOKEN)):
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", str(credentials.all(kind)[-1].id))
        return self.ask(method, path, body, token)


@pytest.fixture
def rest(smki: Smki) -> Rest:
    return Rest(smki)


OFFERED = [case for case in CASES if case.rest is not None]


@pytest.mark.parametrize("case", OFFERED, ids=lambda case: case.name)
def test_command(rest: Rest, case: Case) -> None:
    smki = rest.smki
    if case.prepare is not None:
        case.prepare(smki)
    before = state(smki)
    answer = rest.run(case)
    assert answer.status_code == case.status, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    if case.event is None:
        assert answer.mimetype == "application/problem+json"
        assert answer.json["problems"][0]["code"] == case.refusal  # type: ignore[index]
        assert state(smki) == before
        return
    events = [event for event in smki.ledger.events() if event.id not in before["events"]]
    assert [(event.kind, event.interface, event.party, event.officer) for event in events] == [
        (case.event, "rest", "DCC", "DCC Officer")
    ]
    _check_schema(_operation_of(case), answer.json)
    if case.status == 201 and "Location" in answer.headers:
        assert rest.client.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    "case", [case for case in GOOD if case.rest is not None and case.name != "add a Device"], ids=lambda case: case.name
)
def test_only_for_the_dcc(rest: Rest, case: Case) -> None:
    if case.prepare is not None:
        case.prepare(rest.smki)
    before = state(rest.smki)
    answer = rest.run(case, rest.stranger)
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert answer.json["problems"][0]["code"] == "actor.not-dcc"  # type: ignore[index]
    assert case.rest is not None
    nobody = rest.client.open(f"{API}{case.rest[1]}", method=case.rest[0], json=case.rest[2])
    assert nobody.status_code == 401
    assert state(rest.smki) == before


def _operation_of(case: Case) -> Operation:
    assert case.rest is not None
    method, path, _ = case.rest
    for operation in OPERATIONS:
        pattern = re.sub(r"\{\w+\}", "[^/]+", operation.path)
        if operation.method == method and re.fullmatch(pattern, path):
            return operation
    raise AssertionError(path)


def _check_schema(operation: Operation, value: Any) -> None:
    schema = {**operation.answer.content["application/json"], "components": {"schemas": SCHEMAS}}
    jsonschema.Draft202012Validator(schema).validate(value)


def test_every_writing_operation_is_tried() -> None:
    """Every operation that runs a command of the register is among the cases, for good and with a refusal where one is."""
    tried = {_operation_of(case).name for case in GOOD if case.rest is not None}
    writing = {each.name for each in OPERATIONS if each.for_officers and each.method != "GET"}
    assert writing - tried == {"apply", "accept", "reject", "revoke", "publishRevocationList"}


def test_examples_are_valid(rest: Rest) -> None:
    """Every example in the OpenAPI document is one that its schema allows, and every JSON body has one."""
    document: Any = rest.client.get("/api/openapi.json").json
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    bodies = [each["requestBody"]["content"] for each in operations if "requestBody" in each]
    shown = [content["application/json"] for content in bodies if "application/json" in content]
    assert len(shown) > 15
    for content in shown:
        schema = {**content["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(content["example"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/parties/LARGE-SUPPLIER", {"quota": "5"}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"quota": True}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"quota": 5.5}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"quota": -1}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"quota": 10**400}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"name": None}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"add_roles": "gas-supplier"}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"add_roles": [["gas-supplier"]]}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"add_roles": ["king"]}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"add_roles": ["gas-supplier"] * 101}),
        ("PATCH", "/parties/LARGE-SUPPLIER", {"colour": "red"}),
        ("PUT", f"/devices/{DEVICE}/threshold", {}),
        ("PUT", f"/devices/{DEVICE}/threshold", {"threshold": 99}),
        ("POST", "/parties", {"party_id": "ACME"}),
        ("POST", "/parties", {"party_id": "ACME", "category": "dcc", "officers": ["Jo: device"]}),
        ("POST", f"/devices/{DEVICE}", {}),
        ("PATCH", "/parties/LARGE-SUPPLIER", None),
        ("PUT", "/clock", None),
        ("POST", "/parties/LARGE-SUPPLIER/tokens", None),
    ],
)
def test_malformed_bodies(rest: Rest, method: str, path: str, body: Any) -> None:
    before = state(rest.smki)
    answer = rest.ask(method, path, body)
    assert answer.status_code in (400, 405), answer.text
    assert state(rest.smki) == before


def test_a_change_without_a_difference_is_no_event(rest: Rest) -> None:
    before = state(rest.smki)
    for method, path, body in (
        ("PATCH", "/parties/LARGE-SUPPLIER", {}),
        (
            "PATCH",
            "/parties/LARGE-SUPPLIER",
            {"add_roles": ["gas-supplier"], "remove_roles": ["other-user"], "quota": None},
        ),
        ("PATCH", f"/devices/{DEVICE}", {"device_type": "ESME"}),
        ("PUT", f"/devices/{DEVICE}/threshold", {"threshold": None}),
        ("POST", "/parties/LARGE-SUPPLIER/identifiers", {"identifier": str(SUPPLIER)}),
        ("POST", "/parties/LARGE-SUPPLIER/officers/appoint", {"name": "Large Supplier Officer"}),
    ):
        assert rest.ask(method, path, body).status_code == 200
        assert state(rest.smki) == before


def test_a_dismissed_officer(rest: Rest) -> None:
    """A token ends with the officer's appointment, also where the officer is appointed again."""
    name, officer = PartyId.parse("DCC"), Officer("Jo Bloggs", SUBSCRIBER_KINDS)
    rest.smki.registration.execute(AppointOfficer(name, officer), OPERATOR)
    token = rest.token("DCC", "Jo Bloggs")
    assert rest.ask("GET", "/tokens", token=token).status_code == 200
    assert rest.ask("POST", "/parties/DCC/officers/dismiss", {"name": "Jo Bloggs"}).status_code == 200
    assert rest.ask("GET", "/tokens", token=token).status_code == 401
    rest.smki.registration.execute(AppointOfficer(name, officer), OPERATOR)
    assert rest.ask("GET", "/tokens", token=token).status_code == 401
    assert rest.ask("GET", "/tokens", token=rest.token("DCC", "Jo Bloggs")).status_code == 200


def test_secrets_are_shown_once(rest: Rest) -> None:
    made: Any = rest.ask("POST", "/parties/LARGE-SUPPLIER/tokens", {"days": 1}).json
    assert rest.ask("GET", "/applications", token=made["secret"]).status_code == 200
    listed = rest.ask("GET", "/tokens")
    assert made["number"] in [each["number"] for each in listed.json["items"]]  # type: ignore[index]
    events = rest.ask("GET", "/events")
    for text in (listed.text, events.text):
        assert made["secret"] not in text
    for path in ("/tokens", "/api-keys"):
        assert rest.ask("GET", path, token=rest.stranger).status_code == 403
    assert rest.ask("POST", f"/tokens/{made['number']}/revoke").status_code == 200
    assert rest.ask("GET", "/applications", token=made["secret"]).status_code == 401


def test_publishing_a_list(rest: Rest) -> None:
    for kind, expected in ((CertificateKind.ISSUING_OCA, "crl"), (CertificateKind.ROOT_OCA, "arl")):
        issuer = next(each for each in rest.smki.authorities() if each.kind is kind)
        before = state(rest.smki)
        body = {"issuer": issuer.serial_number.hex}
        assert rest.ask("POST", "/revocation-lists", body, rest.stranger).status_code == 403
        assert state(rest.smki) == before
        answer = rest.ask("POST", "/revocation-lists", body)
        assert answer.status_code == 201, answer.text
        assert rest.client.get(answer.headers["Location"]).json == answer.json
        assert answer.json["kind"] == expected  # type: ignore[index]
        events = list(rest.smki.ledger.events())[len(before["events"]) :]
        assert [(event.kind, event.interface, event.officer) for event in events] == [
            (EventKind.LIST_ISSUED, "rest", "DCC Officer")
        ]
    for unknown in (
        "1",
        next(each for each in rest.smki.authorities() if each.kind is CertificateKind.ROOT_DCA).serial_number.hex,
    ):
        answer = rest.ask("POST", "/revocation-lists", {"issuer": unknown})
        assert (answer.status_code, answer.json["problems"][0]["code"]) == (404, "authority.unknown")  # type: ignore[index]


# The audit trail


def events_of(answer: TestResponse) -> list[Any]:
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json["items"]  # type: ignore[index]
    return found


def acted(rest: Rest) -> Any:
    """Some history: a certificate, a Party and a Device that were changed; the certificate's record."""
    smki = rest.smki
    request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]
    record = smki.issue_organisation(request).record
    smki.issue_device(smki.make_device_request(DEVICE, DS)[1], applicant="SMALL-SUPPLIER")
    rest.ask("PATCH", "/parties/SMALL-SUPPLIER", {"quota": 7})
    rest.ask("PATCH", f"/devices/{DEVICE}", {"enrolled": True})
    return record


def test_events_and_their_filters(rest: Rest) -> None:
    record = acted(rest)
    everything = events_of(rest.ask("GET", "/events?limit=1000"))
    assert [each["id"] for each in everything] == [event.id for event in rest.smki.ledger.events()][::-1]
    newest = everything[0]
    assert (newest["event"], newest["party"], newest["officer"], newest["deviceId"]) == (
        "device changed", "DCC", "DCC Officer", str(DEVICE)
    )  # fmt: skip
    assert newest["content"] == {"enrolled": {"from": None, "to": True}}
    changed = everything[1]
    assert (changed["concerns"], changed["content"]) == ("SMALL-SUPPLIER", {"quota": {"from": None, "to": "7"}})
    for query, wanted in (
        ("kind=changed", lambda each: each["event"] == "changed"),
        ("party=SMALL-SUPPLIER", lambda each: "SMALL-SUPPLIER" in (each["party"], each["concerns"])),
        ("officer=DCC+Officer", lambda each: each["officer"] == "DCC Officer"),
        (f"serial={record.serial_number}", lambda each: each["serialNumber"] == record.serial_number.hex),
        ("from=2999-01-01", lambda each: False),
        ("to=2999-01-01", lambda each: True),
    ):
        found = events_of(rest.ask("GET", f"/events?limit=1000&{query}"))
        assert found == [each for each in everything if wanted(each)], query
        assert found or query.startswith("from=")
    of_device = events_of(rest.ask("GET", f"/events?device={DEVICE}"))
    assert [each["event"] for each in of_device] == ["device changed", "issued"]
    of_certificate = events_of(rest.ask("GET", f"/certificates/{record.serial_number}/events"))
    assert [each["event"] for each in of_certificate] == ["issued"]
    assert rest.ask("GET", "/certificates/1/events").status_code == 404
    _check_schema(next(each for each in OPERATIONS if each.name == "listEvents"), {"items": everything})


def test_other_officers_read_their_own_events(rest: Rest) -> None:
    record = acted(rest)
    token = rest.token("SMALL-SUPPLIER")
    own = events_of(rest.ask("GET", "/events", token=token))
    assert [each["event"] for each in own] == ["credential made", "changed", "issued"]
    assert all("SMALL-SUPPLIER" in (each["party"], each["concerns"]) for each in own)
    assert events_of(rest.ask("GET", "/events?party=SMALL-SUPPLIER", token=token)) == own
    assert rest.ask("GET", "/events?party=LARGE-SUPPLIER", token=token).status_code == 403
    assert events_of(rest.ask("GET", f"/certificates/{record.serial_number}/events", token=token)) == []
    assert events_of(rest.ask("GET", f"/events?serial={record.serial_number}", token=token)) == []
    large = events_of(rest.ask("GET", f"/certificates/{record.serial_number}/events", token=rest.stranger))
    assert [each["event"] for each in large] == ["issued"]
    assert rest.client.get(f"{API}/events").status_code == 401


def test_pages_of_events(rest: Rest) -> None:
    acted(rest)
    everything = [event.id for event in rest.smki.ledger.events()][::-1]
    found, path = [], "/events?limit=7"
    while path:
        answer: Any = rest.ask("GET", path).json
        assert len(answer["items"]) <= 7
        found += [each["id"] for each in answer["items"]]
        path = answer.get("next", "").removeprefix(API)
    assert found == everything


def test_a_page_looks_at_a_bounded_number_of_events(smki: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no index knows the filter, a page ends early and still leads to the next one."""
    monkeypatch.setattr(search, "SCANNED_FOR_A_PAGE", 5)
    for quota in range(12):
        smki.registration.execute(ChangeParty(party=PartyId.parse("GAS-NETWORK"), quota=quota), OPERATOR)
    query = EventQuery(kind=EventKind.REGISTERED)
    expected = [event.id for event in smki.ledger.events(query)]
    page = smki.ledger.search.events(query)
    assert page.records == []
    found, pages = [], 1
    while page.last is not None:
        page = smki.ledger.search.events(query, page.last)
        found += [event.id for event in page.records]
        pages += 1
    assert found == expected
    assert pages >= smki.ledger.search.events(EventQuery(), limit=1).records[0].id // 5
    # A Device's events are found by an index, however old they are.
    smki.registration.execute(ChangeDevice(device_id=DEVICE, enrolled=True), OPERATOR)
    for quota in range(12):
        smki.registration.execute(ChangeParty(party=PartyId.parse("GAS-NETWORK"), quota=quota), OPERATOR)
    assert len(smki.ledger.search.events(EventQuery(device_id=DEVICE)).records) == 1


def test_a_removed_threshold_is_the_default(rest: Rest) -> None:
    rest.smki.registration.execute(SetThreshold(DEVICE, 300), OPERATOR)
    assert rest.client.get(f"{API}/devices/{DEVICE}").json["threshold"] == 300  # type: ignore[index]
    assert rest.ask("PUT", f"/devices/{DEVICE}/threshold", {"threshold": None}).json == {"threshold": 100}
    assert rest.client.get(f"{API}/devices/{DEVICE}").json["threshold"] == 100  # type: ignore[index]


def test_the_clock(rest: Rest) -> None:
    assert rest.client.get(f"{API}/clock").json["setting"] == "real"  # type: ignore[index]
    fixed = {"now": "2030-01-01T00:00:00Z", "setting": "fixed"}
    assert rest.ask("PUT", "/clock", {"fixed": "2030-01-01T00:00:00Z"}).json == fixed
    assert rest.client.get(f"{API}/clock").json == fixed
    assert rest.ask("PUT", "/clock", {"fixed": "1949-12-31"}).status_code == 422
    assert rest.ask("PUT", "/clock", {}).json["setting"] == "real"  # type: ignore[index]


def test_dismissal_between_the_token_and_the_command(rest: Rest) -> None:
    """The command asks again, inside the transaction, who the officer is."""
    name = PartyId.parse("DCC")
    rest.smki.registration.execute(AppointOfficer(name, Officer("Jo Bloggs", SUBSCRIBER_KINDS)), OPERATOR)
    smki = rest.smki
    real = smki.registration.execute

    def dismissed_first(command: Any, actor: Any, workers: Any = None) -> Any:
        moment = RealClock().now()
        real(DismissOfficer(party=name, officer="Jo Bloggs", moment=moment), OPERATOR)
        return real(command, actor, workers)

    token = rest.token("DCC", "Jo Bloggs")
    smki.registration.execute = dismissed_first  # type: ignore[method-assign]
    try:
        answer = rest.ask("PATCH", "/parties/GAS-NETWORK", {"quota": 1}, token)
    finally:
        smki.registration.execute = real  # type: ignore[method-assign]
    assert answer.status_code == 403
