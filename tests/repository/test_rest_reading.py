"""Reading over REST: what is found, in which form, in which pages, and what caches may keep."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from smki import Certificate, CertificateKind, DeviceType, EntityIdentifier, Smki
from smki.interchange.description import DETAIL_FIELDS, SUMMARY_FIELDS
from smki.ledger import CertificateQuery, CertificateRecord
from smki.ledger.records import NewImport
from smki.pki.pem import decode_input
from smki.pki.revocation_list import RevocationList
from smki.registration.imports import Import
from tests.commands import TEST, revoke
from tests.repository.rest_support import API, Api
from tests.support import DEVICE, DS, SUPPLIER, run_cli


def records(api: Api) -> list[CertificateRecord]:
    return list(api.smki.ledger.certificates(CertificateQuery()))


def newest(api: Api) -> CertificateRecord:
    return records(api)[-1]


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("sort", ["issued", "-issued", "notAfter", "-entityIdentifier", "serialNumber"])
def test_pages_hold_everything_once_and_in_order(api: Api, limit: int, sort: str) -> None:
    found = api.pages(f"/certificates?limit={limit}&sort={sort}")
    assert len(found) == len(records(api))
    assert len({item["serialNumber"] for item in found}) == len(found)
    keys = [item[sort.removeprefix("-")] or "" for item in found]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


def test_a_list_says_what_the_command_line_says(api: Api) -> None:
    lines = run_cli("list", "--json", "--home", api.smki.path).stdout.decode().splitlines()
    assert api.pages("/certificates") == [json.loads(line) for line in lines]
    shown = json.loads(run_cli("show", newest(api).serial_number.hex, "--json", "--home", api.smki.path).stdout)
    assert {**api.json(f"/certificates/{newest(api).serial_number}"), "chain": shown["chain"]} == shown


def test_each_filter_finds_what_it_names(api: Api) -> None:
    record = newest(api)
    assert record.issuer_serial_number is not None
    issuer = record.issuer_serial_number.hex
    organisation = api.pages(f"/certificates?entityIdentifier={SUPPLIER.hex.lower()}")
    assert {item["entityIdentifier"] for item in organisation} == {SUPPLIER.hyphenated}
    for query, wanted in (
        (f"serial={record.serial_number}", lambda item: item["serialNumber"] == record.serial_number.hex),
        (f"sha256={record.certificate.sha256.hex()}", lambda item: item["serialNumber"] == record.serial_number.hex),
        ("kind=organisation", lambda item: item["kind"] == "organisation"),
        ("role=supplier", lambda item: item["role"] == "supplier"),
        ("role=02&usage=KA", lambda item: item["role"] == "supplier" and item["usage"] == "KA"),
        ("status=R", lambda item: item["status"] == "R"),
        ("deviceType=ESME", lambda item: item["entityIdentifier"] == DEVICE.hyphenated),
        (f"issuer={issuer}", lambda item: item["issuerSerialNumber"] == issuer),
        ("notAfterFrom=9999-12-31T23:59:59Z", lambda item: item["notAfter"].startswith("9999")),
        ("notAfterTo=2050-01-01&kind=organisation", lambda item: item["kind"] == "organisation"),
        ("issuedFrom=2999-01-01", lambda item: False),
    ):  # fmt: skip
        everything = api.pages("/certificates")
        found = api.pages(f"/certificates?{query}&limit=2")
        assert found == [item for item in everything if wanted(item)], query
        if query != "issuedFrom=2999-01-01":
            assert found, query


def test_fields_are_chosen(api: Api) -> None:
    serial = newest(api).serial_number
    assert list(api.json(f"/certificates/{serial}?fields=sha256,serialNumber")) == ["sha256", "serialNumber"]
    assert list(api.json("/certificates?fields=serialNumber&limit=1")["items"][0]) == ["serialNumber"]
    assert list(api.json("/certificates?limit=1")["items"][0]) == list(SUMMARY_FIELDS)
    assert set(api.json(f"/certificates/{serial}")) == set(DETAIL_FIELDS)
    pem = api.json(f"/certificates/{serial}?fields=pem")["pem"]
    assert Certificate.from_der(decode_input(pem.encode())[0].der).serial_number == serial


@pytest.mark.parametrize(
    ("suffix", "accept"),
    [("json", "application/json"), ("pem", "application/x-pem-file"), ("der", "application/pkix-cert")],
)
def test_a_certificate_in_each_form(api: Api, suffix: str, accept: str) -> None:
    path = f"/certificates/{newest(api).serial_number}"
    by_suffix, by_accept = api.get(f"{path}.{suffix}"), api.get(path, Accept=accept)
    assert by_suffix.data == by_accept.data
    assert by_suffix.mimetype == by_accept.mimetype == accept
    assert by_accept.headers["Vary"] == "Accept"
    assert "Vary" not in by_suffix.headers
    assert api.get(path, Accept=f"image/png, {accept};q=0.5").data == by_suffix.data
    if suffix == "der":
        assert by_suffix.data == newest(api).der
        caching = by_suffix.headers["Cache-Control"]
        assert "immutable" in caching
        assert "max-age=31536000" in caching


def test_openssl_verifies_the_chain_that_is_handed_out(
    api: Api, openssl: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Any
) -> None:
    serial = newest(api).serial_number
    chain = decode_input(api.get(f"/certificates/{serial}/chain.pem").data)
    assert [Certificate.from_der(piece.der).kind for piece in chain] == [
        CertificateKind.ORGANISATION, CertificateKind.ISSUING_OCA, CertificateKind.ROOT_OCA,
    ]  # fmt: skip
    files = []
    for number, piece in enumerate(chain):
        files.append(tmp_path / f"{number}.pem")
        files[-1].write_text(Certificate.from_der(piece.der).as_pem())
    said = openssl("verify", "-ignore_critical", "-CAfile", files[2], "-untrusted", files[1], files[0])
    assert said.stdout.strip().endswith("OK"), said.stderr
    items = api.json(f"/certificates/{serial}/chain")["items"]
    assert [item["issuerSerialNumber"] for item in items[:-1]] == [item["serialNumber"] for item in items[1:]]


def test_lists_as_lines_as_csv_and_as_pem(api: Api) -> None:
    items = api.pages("/certificates")
    lines = api.get("/certificates.jsonl").text.splitlines()
    assert [json.loads(line) for line in lines] == items
    assert api.get("/certificates", Accept="application/jsonl").text.splitlines() == lines
    rows = list(csv.DictReader(io.StringIO(api.get("/certificates.csv?kind=device").text)))
    devices = [item for item in items if item["kind"] == "device"]
    assert rows == [{**{name: value or "" for name, value in item.items()}, "issuedHere": "true"} for item in devices]
    assert len(api.get("/certificates.jsonl?limit=2").text.splitlines()) == 2
    chosen = csv.reader(io.StringIO(api.get("/certificates.csv?fields=serialNumber,keyUsage,subject").text))
    assert list(chosen)[3][1] == "cRLSign keyCertSign"
    found = decode_input(api.get("/certificates.pem").data)
    assert [Certificate.from_der(piece.der).serial_number.hex for piece in found] == [
        item["serialNumber"] for item in items
    ]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_lines_begin_behind_the_certificate_that_is_named(api: Api, form: str) -> None:
    """A limit is of use only where one can go on behind it."""
    after = api.json("/certificates?limit=3&sort=serialNumber")["next"].partition("after=")[2]
    query = f"sort=serialNumber&fields=serialNumber&after={after}"
    expected = sorted(record.serial_number.hex for record in records(api))[3:]
    answer = api.get(f"/certificates.{form}?{query}")
    lines = answer.text.splitlines()[form == "csv" :]
    assert [json.loads(line)["serialNumber"] if form == "jsonl" else line for line in lines] == expected
    assert api.get(f"/certificates.{form}?after=999999").status_code == 404


def test_what_is_known_is_not_sent_again(api: Api) -> None:
    serial = newest(api).serial_number
    for path in (f"/certificates/{serial}", f"/certificates/{serial}.der", f"/certificates/{serial}/chain", "/certificates?limit=2",
                 "/authorities", "/parties", "/devices", "/revocation-lists", "/statistics"):  # fmt: skip
        first = api.get(path)
        etag = first.headers["ETag"]
        again = api.get(path, If_None_Match=etag)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag), path
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        assert "Content-Type" not in again.headers
        assert api.get(path, If_None_Match=f'"other", W/{etag}').status_code == 304
        assert api.get(path, If_None_Match="*").status_code == 304
        assert api.get(path, If_None_Match='"other"').status_code == 200
        head = api.client.head(f"{API}{path}")
        assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", etag)
        assert head.headers["Content-Length"] == str(len(first.data))


def test_what_can_change_has_another_validator_once_it_has(home: Any) -> None:
    from tests.repository.rest_support import api_of

    api = api_of(home)
    with api.smki:
        record = next(r for r in records(api) if r.entity_identifier == SUPPLIER and r.usage and r.usage.code == "DS")
        path = f"/certificates/{record.serial_number}"
        before, encoded = api.get(path), api.get(f"{path}.der").headers["ETag"]
        revoke(api.smki, record.serial_number, "superseded")
        after = api.get(path, If_None_Match=before.headers["ETag"])
        assert after.status_code == 200
        assert after.json is not None
        assert (before.json or {})["status"] == "I"
        assert after.json["status"] == "R"
        assert after.headers["Cache-Control"] == "public, no-cache"
        assert api.get(f"{path}.der", If_None_Match=encoded).status_code == 304


def test_answers_to_a_credential_are_not_for_shared_caches(api: Api) -> None:
    path = f"{API}/certificates/{newest(api).serial_number}.der"
    for options in (
        {"headers": {"X-API-Key": "x"}},
        {"query_string": {"apikey": "x"}},
        {"headers": {"Authorization": "Bearer x"}},
    ):
        caching = api.client.get(path, **options).headers["Cache-Control"]
        assert caching.startswith("private")
    page = api.client.get(f"{API}/certificates?limit=1&apikey=secret")
    assert "secret" not in page.text + page.headers["Link"]


def test_authorities(api: Api) -> None:
    items = api.json("/authorities?fields=serialNumber,kind")["items"]
    assert [item["kind"] for item in items] == ["root-oca", "issuing-oca", "root-dca", "issuing-dca"]
    assert api.json(f"/authorities/{items[0]['serialNumber']}")["subject"] == "OU=00, CN=TA"
    assert len(decode_input(api.get("/authorities.pem").data)) == 4
    refused = api.get(f"/authorities/{newest(api).serial_number}")
    assert (refused.status_code, (refused.json or {})["problems"][0]["code"]) == (404, "authority.unknown")


def test_parties_and_devices(api: Api) -> None:
    lines = run_cli("party", "list", "--json", "--home", api.smki.path).stdout.decode().splitlines()
    lines += run_cli("participant", "list", "--json", "--home", api.smki.path).stdout.decode().splitlines()
    parties = api.pages("/parties?limit=2")
    assert sorted(map(str, parties)) == sorted(str(json.loads(line)) for line in lines)
    shown = json.loads(run_cli("party", "show", "LARGE-SUPPLIER", "--json", "--home", api.smki.path).stdout)
    assert api.json("/parties/large-supplier") == shown
    devices = [
        json.loads(line) for line in run_cli("device", "list", "--json", "--home", api.smki.path).stdout.splitlines()
    ]
    assert api.pages("/devices?limit=1") == devices
    assert api.pages("/devices?deviceType=GSME&status=pending") == [
        device for device in devices if device["device_type"] == "GSME" and device["status"] == "pending"
    ]
    shown = json.loads(run_cli("device", "show", DEVICE.hex, "--json", "--home", api.smki.path).stdout)
    assert api.json(f"/devices/{DEVICE}") == shown
    for path, code in (
        (f"/devices/{EntityIdentifier(bytes(8))}", "device.unknown"),
        ("/parties/NOBODY", "party.unknown"),
    ):
        assert (api.get(path).json or {})["problems"][0]["code"] == code


def test_revocation_lists(api: Api) -> None:
    lists = api.pages("/revocation-lists?limit=1")
    assert lists == api.pages("/revocation-lists?kind=arl") + api.pages("/revocation-lists?kind=crl")
    latest = [each for each in lists if each["kind"] == "crl"][-1]
    path = f"/revocation-lists/{latest['issuerSerialNumber']}/{latest['number']}"
    assert api.json(path) == latest
    encoded = api.get(f"{path}.crl").data
    read = RevocationList.from_der(encoded)
    assert (read.number, len(read)) == (latest["number"], latest["entries"])
    assert api.get(path, Accept="application/pkix-crl").data == encoded
    assert decode_input(api.get(f"{path}.pem").data)[0].der == encoded
    entries = api.pages(f"{path}/entries?limit=1")
    assert [entry["serialNumber"] for entry in entries] == [newest(api).serial_number.hex]
    assert entries[0]["reason"] == "superseded"
    missing = api.get(f"/revocation-lists/{latest['issuerSerialNumber']}/999")
    assert (missing.status_code, (missing.json or {})["problems"][0]["code"]) == (404, "revocation-list.unknown")


def test_statistics(api: Api) -> None:
    found = api.json("/statistics")
    assert sum(group["count"] for group in found["certificates"]) == len(records(api))
    revoked = [group for group in found["certificates"] if group["status"] == "R"]
    assert revoked == [{"kind": "organisation", "role": "supplier", "usage": "KA", "status": "R", "count": 1}]
    assert sum(group["count"] for group in found["applications"]) >= len(records(api))


@pytest.mark.parametrize(
    ("path", "status", "code", "named"),
    [
        ("/certificates?colour=red", 400, "parameter.unknown", "'colour'"),
        ("/certificates?limit=0", 400, "parameter.number", "parameter limit"),
        ("/certificates?limit=1001", 400, "parameter.number", "parameter limit"),
        ("/certificates?limit=1&limit=2", 400, "parameter.repeated", "parameter limit"),
        ("/certificates?role=king", 400, "role.unknown", "parameter role"),
        ("/certificates?entityIdentifier=12", 400, "entity-identifier.malformed", "parameter entityIdentifier"),
        ("/certificates?issuedFrom=yesterday", 400, "time.malformed", "parameter issuedFrom"),
        ("/certificates?fields=serialNumber,shoeSize", 400, "parameter.field", "parameter fields"),
        ("/certificates?sort=colour", 400, "parameter.value", "parameter sort"),
        ("/certificates?after=x", 400, "page.malformed", "parameter after"),
        ("/certificates?after=999999999", 404, "page.unknown", "parameter after"),
        ("/certificates/00", 400, "serial-number.malformed", "parameter serial"),
        ("/certificates/12", 404, "certificate.unknown", "certificate"),
        ("/certificates/12.exe", 400, "format.unknown", "parameter format"),
        ("/parties/-", 400, "party-id.malformed", "parameter party"),
        ("/nowhere", 404, "http.404", "GET /api/v1/nowhere"),
    ],
)
def test_refusals_name_the_thing(api: Api, path: str, status: int, code: str, named: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    body: Any = answer.json
    assert body["type"] == f"urn:smki:problem:{code}"
    assert body["status"] == status
    assert named in body["detail"]
    assert body["problems"][0]["code"] == code
    assert body["title"]


def test_what_is_not_served_says_what_is(api: Api) -> None:
    wrong = api.client.delete(f"{API}/certificates")
    assert (wrong.status_code, wrong.mimetype) == (405, "application/problem+json")
    assert {"GET", "HEAD"} <= set(wrong.headers["Allow"].split(", "))
    unwanted = api.get("/certificates", Accept="image/png")
    assert unwanted.status_code == 406
    assert "text/csv" in unwanted.text
    body = api.client.post(f"{API}/lint", data=b"x", content_type="image/png")
    assert body.status_code == 415
    assert "application/octet-stream" in body.text
    for encoded, size in ((b"x" * (1024 * 1024 + 1), 1024 * 1024), (b"", 0)):
        answer = api.client.post(f"{API}/lint", data=encoded, content_type="application/octet-stream")
        assert answer.status_code == (413 if size else 400)
        assert size == 0 or str(size) in answer.text


@pytest.mark.parametrize("body", [b"[", b"[]", b"\xff", b"[" * 60000, b'{"a":' * 5000, b'{"role": "\\ud800"}', b'{"entityIdentifier": NaN}',
                                  b'{"applicant": 1e999}', b'{"entityIdentifier": ' + b"9" * 10000 + b"}"])  # fmt: skip
def test_bodies_that_are_no_questions(api: Api, body: bytes) -> None:
    answer = api.client.post(f"{API}/eligibility/device", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


def test_what_was_imported_has_no_chain_and_is_not_said_to_be_missing(api: Api) -> None:
    """It can be read by its serial number: to call it unknown in the next breath would be a contradiction."""
    with Smki.in_memory() as elsewhere:
        certificate = elsewhere.issue_device(elsewhere.make_device_request(DEVICE, DS)[1], device_type=DeviceType.ESME)
    imported = certificate.record.certificate
    api.smki.registration.execute(Import((NewImport(imported, "test", "", ()),)), TEST)
    assert api.json(f"/certificates/{imported.serial_number}")["issuedHere"] is False
    answer = api.get(f"/certificates/{imported.serial_number}/chain")
    assert answer.status_code == 404
    assert "imported; expected one that was issued here" in answer.text
