"""Acting over REST: officers apply, accept, reject and revoke, each for what is theirs; and what changes nothing."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from smki_repository.app import create_app

from smki import Certificate, CertificateKind, RemotePartyRole, Smki
from smki.identity import PartyId, SerialNumber
from smki.ledger import ApplicationQuery
from smki.pki.certificate import to_pem
from smki.pki.pem import decode_input
from smki.registration import Actor, Application, Refusal
from smki.relying_party import Suspicion, Suspicions
from smki.remedies import Interface
from smki.sec.party import Officer
from tests.commands import apply, change_party
from tests.repository.rest_support import PARTY, Api, api_of, token_for
from tests.support import DEVICE, DS, KA, SUPPLIER

PKCS10 = "application/pkcs10"


@pytest.fixture
def own(home: Path) -> Iterator[Api]:
    """The REST interface of a home of the test's own."""
    api = api_of(home)
    with api.smki:
        yield api


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Api]:
    """The same over a home in which certificates wait to be accepted."""
    with Smki.create(tmp_path / "pki", deemed_accepted_after=timedelta(days=5)) as smki:
        yield Api(smki, create_app(smki).test_client(), token_for(smki, PARTY))


def device_request(api: Api) -> bytes:
    return api.smki.make_device_request(DEVICE, DS)[1]


def supplier_request(api: Api) -> bytes:
    return api.smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]


def problems(answer: Any) -> list[dict[str, Any]]:
    assert answer.mimetype == "application/problem+json", answer.text
    found: list[dict[str, Any]] = answer.json["problems"]
    return found


def test_every_form_of_a_request(own: Api) -> None:
    requests = [device_request(own) for _ in range(5)]
    pem = to_pem("CERTIFICATE REQUEST", requests[0])
    sent: list[dict[str, Any]] = [
        {"json": {"request": pem, "kind": "device"}},
        {"json": {"request": base64.b64encode(requests[1]).decode()}},
        {"data": requests[2], "content_type": PKCS10},
        {
            "data": to_pem("CERTIFICATE REQUEST", requests[3]),
            "content_type": "text/plain",
            "query_string": {"kind": "device"},
        },
        {"data": requests[4].hex(), "content_type": "application/octet-stream"},
    ]
    for options in sent:
        answer = own.as_officer("POST", "/applications", **options)
        assert answer.status_code == 201, answer.text
        body: Any = answer.json
        found = own.client.get(answer.headers["Location"])
        assert found.json == body["certificate"]
        assert Certificate.from_der(decode_input(body["pem"].encode())[0].der).entity_identifier == DEVICE
        application: Any = own.as_officer("GET", body["application"].removeprefix("/api/v1")).json
        assert application["granted"] is True
        assert application["interface"] == "rest"
        assert (application["subscriber"], application["officer"]) == (PARTY, "Large Supplier Officer")
        assert application["serialNumber"] == body["certificate"]["serialNumber"]


def test_the_certificate_itself_as_the_answer(own: Api) -> None:
    headers = {"Authorization": f"Bearer {own.token}", "Content-Type": PKCS10}
    url = "/api/v1/applications?kind=organisation"
    pem = own.client.post(url, data=supplier_request(own), headers=headers | {"Accept": "application/x-pem-file"})
    assert (pem.status_code, pem.mimetype) == (201, "application/x-pem-file")
    assert Certificate.from_der(decode_input(pem.data)[0].der).role is RemotePartyRole.SUPPLIER
    der = own.client.post(url, data=supplier_request(own), headers=headers | {"Accept": "application/pkix-cert"})
    assert Certificate.from_der(der.data).kind is CertificateKind.ORGANISATION
    # What cannot be answered is not done.
    had = own.smki.ledger.count_certificates()
    unwanted = own.client.post(url, data=supplier_request(own), headers=headers | {"Accept": "image/png"})
    assert (unwanted.status_code, own.smki.ledger.count_certificates()) == (406, had)


def test_a_refusal_gives_every_reason_that_the_gate_gives(own: Api) -> None:
    certified = device_request(own)
    assert own.as_officer("POST", "/applications", data=certified, content_type=PKCS10).status_code == 201
    other = token_for(own.smki, "OTHER-USER")
    foreign = supplier_request(own)
    for request, kind, token, status in (
        (certified, CertificateKind.DEVICE, own.token, 409),
        (foreign, CertificateKind.ORGANISATION, other, 403),
        (foreign, CertificateKind.DEVICE, own.token, 422),
        (certified[:-1], CertificateKind.DEVICE, own.token, 422),
    ):
        answer = own.as_officer("POST", f"/applications?kind={kind}", token, data=request, content_type=PKCS10)
        assert answer.status_code == status, answer.text
        party, officer = ("OTHER-USER", "Other User Officer") if token is other else (PARTY, "Large Supplier Officer")
        actor = Actor(interface="test", party=party, officer=officer)
        same = apply(own.smki, Application(kind=kind, request=request), actor)
        assert isinstance(same, Refusal)
        assert problems(answer) == [problem.as_json(Interface.REST) for problem in same.problems]
        body: Any = answer.json
        kept: Any = own.as_officer("GET", body["application"].removeprefix("/api/v1"), token).json
        assert kept["reasons"] == body["problems"]


@pytest.mark.parametrize(
    ("encoded", "code"),
    [(b"hello", "input.not-encoded"), (b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----", "request.is-other"),
     (b"\n".join([b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----"] * 2), "input.several")],
)  # fmt: skip
def test_what_is_no_request(own: Api, encoded: bytes, code: str) -> None:
    answer = own.as_officer("POST", "/applications", data=encoded, content_type=PKCS10)
    assert (answer.status_code, problems(answer)[0]["code"]) == (422, code)


def test_only_officers_act(own: Api) -> None:
    serial = own.json("/certificates?role=supplier&usage=DS")["items"][0]["serialNumber"]
    operations = [
        ("POST", "/applications"), ("GET", "/applications"), ("GET", "/applications/1"),
        *(("POST", f"/certificates/{serial}/{action}") for action in ("accept", "reject", "revoke")),
    ]  # fmt: skip
    for method, path in operations:
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
            answer = own.client.open(f"/api/v1{path}", method=method, headers=headers)
            assert (answer.status_code, problems(answer)[0]["code"]) == (401, "access.refused")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        in_the_query = own.client.open(f"/api/v1{path}?apikey={own.token}", method=method)
        assert in_the_query.status_code == 401


def test_applications_are_told_to_their_own_party_alone(own: Api) -> None:
    other = token_for(own.smki, "OTHER-USER")
    own.as_officer("POST", "/applications?kind=device", data=device_request(own), content_type=PKCS10)
    own.as_officer("POST", "/applications?kind=organisation", other, data=supplier_request(own), content_type=PKCS10)
    mine: Any = own.as_officer("GET", "/applications").json
    theirs: Any = own.as_officer("GET", "/applications", other).json
    assert {item["subscriber"] for item in mine["items"]} == {PARTY}
    assert {item["subscriber"] for item in theirs["items"]} == {"OTHER-USER"}
    assert [item["id"] for item in mine["items"]] == sorted((item["id"] for item in mine["items"]), reverse=True)
    assert len(mine["items"]) == len(list(own.smki.ledger.applications(ApplicationQuery(subscriber=PARTY))))
    first: Any = own.as_officer("GET", "/applications?limit=1").json
    second: Any = own.client.get(first["next"], headers={"Authorization": f"Bearer {own.token}"}).json
    assert [*first["items"], *second["items"]][:2] == mine["items"][:2]
    refused: Any = own.as_officer("GET", "/applications?granted=false", other).json
    assert [item["granted"] for item in refused["items"]] == [False]
    hidden = own.as_officer("GET", f"/applications/{mine['items'][0]['id']}", other)
    assert (hidden.status_code, problems(hidden)[0]["code"]) == (404, "application.unknown")


def issued(api: Api) -> str:
    answer = api.as_officer("POST", "/applications", data=supplier_request(api), content_type=PKCS10)
    assert answer.status_code == 201, answer.text
    body: Any = answer.json
    serial: str = body["certificate"]["serialNumber"]
    return serial


def test_accepting(patient: Api) -> None:
    serial = issued(patient)
    assert patient.json(f"/certificates/{serial}")["status"] == "P"
    other = token_for(patient.smki, "OTHER-USER")
    theirs = patient.as_officer("POST", f"/certificates/{serial}/accept", other)
    assert (theirs.status_code, problems(theirs)[0]["code"]) == (403, "certificate.not-yours")
    accepted: Any = patient.as_officer("POST", f"/certificates/{serial}/accept").json
    assert accepted["certificate"]["status"] == "I"
    again = patient.as_officer("POST", f"/certificates/{serial}/accept")
    assert (again.status_code, problems(again)[0]["code"]) == (409, "certificate.not-pending")
    unknown = patient.as_officer("POST", "/certificates/12/accept")
    assert (unknown.status_code, problems(unknown)[0]["code"]) == (404, "certificate.unknown")


def test_rejecting(patient: Api) -> None:
    serial = issued(patient)
    answer: Any = patient.as_officer(
        "POST", f"/certificates/{serial}/reject", json={"because": "the role is wrong"}
    ).json
    assert answer["differences"] == []
    assert answer["certificate"]["status"] == "R"
    wordless = patient.as_officer("POST", f"/certificates/{serial}/reject", json={})
    assert (wordless.status_code, problems(wordless)[0]["code"]) == (400, "body.field-missing")


def test_an_officer_acts_for_the_kinds_for_which_it_is_appointed(patient: Api) -> None:
    serial = issued(patient)
    devices_only = Officer.parse("Large Supplier Officer: device")
    change_party(patient.smki, PartyId.parse(PARTY), partial(replace, officers=(devices_only,)))
    for action, body in (("accept", None), ("reject", {"because": "x"})):
        answer = patient.as_officer("POST", f"/certificates/{serial}/{action}", json=body)
        assert (answer.status_code, problems(answer)[0]["code"]) == (403, "officer.other-kind")
    answer = patient.as_officer("POST", f"/certificates/{serial}/revoke", json={"reason": "key-lost"})
    assert (answer.status_code, problems(answer)[0]["code"]) == (403, "revocation.not-yours")


def test_revoking(own: Api) -> None:
    serial = issued(own)
    # A namesake at another Party is somebody else, and nobody is the PMA by being called so.
    for name in ("Large Supplier Officer", "PMA"):
        officer = Officer.parse(name)
        change_party(own.smki, PartyId.parse("OTHER-USER"), partial(replace, officers=(officer,)))
        namesake = token_for(own.smki, "OTHER-USER")
        answer = own.as_officer("POST", f"/certificates/{serial}/revoke", namesake, json={"reason": "key-lost"})
        assert (answer.status_code, problems(answer)[0]["code"]) == (403, "revocation.not-yours")
    wrong = own.as_officer("POST", f"/certificates/{serial}/revoke", json={"reason": "boredom"})
    assert (wrong.status_code, problems(wrong)[0]["subject"]) == (400, "field reason")
    revoked: Any = own.as_officer("POST", f"/certificates/{serial}/revoke", json={"reason": "key-lost"}).json
    assert revoked["certificate"]["status"] == "R"
    assert revoked["revocation"]["reason"] == "key-lost"
    assert revoked["revocation"]["askedBy"] == "Large Supplier Officer"
    again = own.as_officer("POST", f"/certificates/{serial}/revoke", json={"reason": "key-lost"})
    assert (again.status_code, problems(again)[0]["code"]) == (409, "revocation.already")
    device: Any = own.as_officer("POST", "/applications", data=device_request(own), content_type=PKCS10).json
    path = f"/certificates/{device['certificate']['serialNumber']}/revoke"
    never = own.as_officer("POST", path, token_for(own.smki, "DCC"), json={"reason": "key-lost"})
    assert (never.status_code, problems(never)[0]["code"]) == (409, "revocation.device")


def test_lint_over_http(api: Api) -> None:
    device = api.pages("/certificates?kind=device&fields=pem,issuerSerialNumber")[0]
    pem = device["pem"].encode()
    clean: Any = api.client.post("/api/v1/lint", data=pem, content_type="text/plain").json
    assert [(each["shape"], each["kind"], each["findings"]) for each in clean["objects"]] == [
        ("certificate", "device", [])
    ]
    both: Any = api.client.post(
        "/api/v1/lint", data=pem + api.get("/authorities.pem").data, content_type="text/plain"
    ).json
    assert [each["kind"] for each in both["objects"]] == [
        "device",
        "root-oca",
        "issuing-oca",
        "root-dca",
        "issuing-dca",
    ]
    der = decode_input(pem)[0].der
    broken = der[:-1] + bytes([der[-1] ^ 1])
    url = f"/api/v1/lint?issuer={device['issuerSerialNumber']}"
    found: Any = api.client.post(url, data=broken, content_type="application/pkix-cert").json
    assert {finding["severity"] for finding in found["objects"][0]["findings"]} & {"error", "fatal"}
    expected: Any = api.client.post(f"{url}&kind=organisation", data=der, content_type="application/pkix-cert").json
    assert "kind.unexpected" in [finding["code"] for finding in expected["objects"][0]["findings"]]
    for data, status in ((b"nothing of the kind", 422), (b"\n".join([b"MAA="] * 1001), 422)):
        assert api.client.post("/api/v1/lint", data=data, content_type="text/plain").status_code == status


def test_verdicts_over_http(own: Api) -> None:
    serial = issued(own)
    pem = own.get(f"/certificates/{serial}.pem").data

    def verdict(query: str = "") -> Any:
        answer: Any = own.client.post(f"/api/v1/verify{query}", data=pem, content_type="application/x-pem-file").json
        return answer["verdicts"][0]

    assert verdict()["trusted"] is True
    assert verdict("?for=supplier/ds")["trusted"] is True
    assert verdict("?for=networkOperator")["reason"]["code"].startswith("use.")
    assert verdict("?at=2099-01-01")["trusted"] is False
    assert verdict(f"?for=supplier/ds&entity={SUPPLIER}")["entity"] == str(SUPPLIER)
    assert verdict(f"?for=supplier/ds&entity={SUPPLIER}")["trusted"] is True
    assert verdict(f"?for=supplier/ds&entity={DEVICE}")["reason"]["code"] == "use.entity"
    assert "entity" in own.client.post("/api/v1/verify?entity=nobody", data=pem, content_type="text/plain").text
    own.as_officer("POST", f"/certificates/{serial}/revoke", json={"reason": "key-compromised"})
    own.smki.lists(CertificateKind.ISSUING_OCA).publish()
    judged = verdict()
    assert judged["trusted"] is False
    assert judged["reason"]["code"].startswith("revocation")


def test_verdicts_over_http_follow_what_they_are_made_from(own: Api) -> None:
    """A suspicion counts at once, also when its file has the size and the time of the one before."""
    serial = issued(own)
    pem = own.get(f"/certificates/{serial}.pem").data
    file = own.smki.path / "suspicions.json"
    other = f"{int(serial, 16) ^ 1:032X}"
    for suspected, code in ((other, None), (serial, "suspicion.suspected"), (other, None)):
        since = own.smki.clock.now()
        Suspicions([Suspicion(SerialNumber.parse(suspected), "seen", since)]).write(file)
        os.utime(file, ns=(1, 1))
        answer: Any = own.client.post("/api/v1/verify", data=pem, content_type="text/plain").json
        reason = answer["verdicts"][0]["reason"]
        assert (reason and reason["code"]) == code


def test_no_secret_in_any_answer(own: Api) -> None:
    for path in ("/certificates", "/parties", "/devices", "/statistics", "/applications", "/certificates?colour=red"):
        answer = own.as_officer("GET", path)
        assert own.token not in answer.text
        assert own.token not in str(answer.headers)


def test_top_up(own: Api) -> None:
    request = own.smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, KA)[1]
    body = {"request": base64.b64encode(request).decode(), "topUp": True}
    assert own.as_officer("POST", "/applications", json=body).status_code == 201
    wrong = {"request": base64.b64encode(supplier_request(own)).decode(), "topUp": True}
    answer = own.as_officer("POST", "/applications", json=wrong)
    assert (answer.status_code, problems(answer)[0]["code"]) == (422, "top-up.not-a-supplier")
