"""Details of HTTP and JSON: what caches may keep, unknown range units, repeated keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from smki_repository.app import create_app
from smki_repository.options import Options, ReadAccess

from smki import Smki
from smki.clock import TravellingClock
from smki.testing.faults import Faults
from tests.commands import make_api_key
from tests.repository.rest_support import Api

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def extract(api: Api) -> str:
    """The path of an extract."""
    return f"/extracts/{api.smki.extracts.full().path.name}"


@pytest.mark.parametrize("where", ["header", "other header", "query"])
def test_what_needs_a_key_is_private(api: Api, extract: str, where: str) -> None:
    secret = make_api_key(api.smki, f"reader {where}")
    client = create_app(api.smki, Options(ReadAccess.API_KEY)).test_client()
    headers = {"header": {"Authorization": f"Bearer {secret}"}, "other header": {"X-API-Key": secret}}.get(where, {})
    query = f"?apikey={secret}" if where == "query" else ""
    serial = api.json("/certificates")["items"][0]["serialNumber"]
    for path in (
        "/crl/organisation.crl", "/crl/organisation.arl.pem", "/crl/organisation/1.crl", extract,
        extract.replace(".jsonl", ".manifest.json"), "/extracts/", f"/api/v1/certificates/{serial}.der", "/api/openapi.json",
        "/", "/healthz", "/nowhere",
    ):  # fmt: skip
        answer = client.get(f"{path}{query}", buffered=True, headers=headers)
        directives = answer.headers.get("Cache-Control", "no-store")
        assert "public" not in directives, path
        assert "private" in directives or directives == "no-store", path
    answer = client.get(f"/crl/organisation.crl{query}", headers=headers)
    assert answer.headers["Cache-Control"].startswith("private, max-age=")


def test_open_lists_and_extracts_stay_public(api: Api, extract: str) -> None:
    for path in ("/crl/organisation.crl", extract):
        assert api.client.get(path, buffered=True).headers["Cache-Control"].startswith("public, max-age=")


@pytest.mark.parametrize("wanted", ["lines=0-5", "octets=0-5", "items 0-5", "=0-5", ""])
def test_an_unknown_range_unit_is_ignored(api: Api, extract: str, wanted: str) -> None:
    whole = api.client.get(extract, buffered=True)
    answer = api.client.get(extract, buffered=True, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (200, whole.data)


def test_ranges_are_of_get(api: Api, extract: str) -> None:
    assert api.client.get(extract, buffered=True, headers={"Range": "bytes=0-5"}).status_code == 206
    assert api.client.get(extract, buffered=True, headers={"Range": "Bytes=0-5"}).status_code == 206
    assert api.client.head(extract, buffered=True, headers={"Range": "bytes=0-5"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    ['{"kind": "status", "kind": "slow"}', '{"kind": "status", "x": {"a": 1, "a": 1}}', '[{"a": 1, "\\u0061": 2}]'],
)
def test_repeated_keys_are_refused(api: Api, body: str) -> None:
    told = api.client.post("/api/v1/eligibility/device", data=body, headers=JSON)
    assert (told.status_code, told.json and told.json["problems"][0]["code"]) == (400, "body.field-repeated")
    told = _with_faults(api.smki.path).post("/faults", data=body, headers=JSON)
    assert (told.status_code, told.json and told.json["problems"][0]["code"]) == (400, "body.field-repeated")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_not_json(api: Api, number: str) -> None:
    body = f'{{"kind": "slow", "delay": {number}}}'
    assert _with_faults(api.smki.path).post("/faults", data=body, headers=JSON).status_code == 400
    told = api.client.post("/api/v1/eligibility/device", data=body, headers=JSON)
    assert (told.status_code, told.json and told.json["problems"][0]["code"]) == (400, "body.malformed")


def _with_faults(home: Path) -> FlaskClient:
    smki = Smki.open(home)
    return create_app(smki.with_clock(TravellingClock(smki.clock, by_header=False)), faults=Faults()).test_client()
