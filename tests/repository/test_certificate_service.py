"""The Repository's XML service: what it finds, and what it says to requests that make no sense."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from smki_repository.xml_message import parse_message, write_message

from smki import DeviceType, EntityIdentifier, RemotePartyRole, SerialNumber
from smki.ledger import CertificateRecord
from smki.problem import Malformed
from tests.repository.support import Answer, Served, ask
from tests.support import DEVICE, DS, KA, SUPPLIER

SEARCH, RETRIEVE = "/services/certificatesearch", "/services/retrievecertificate"


def search(served: Served, **fields: str) -> Answer:
    return post(served, SEARCH, "CertificateSearchRequest", fields)


def retrieve(served: Served, serial: str) -> Answer:
    return post(served, RETRIEVE, "CertificateDataRequest", {"CertificateSerial": serial})


def post(served: Served, path: str, root: str, fields: dict[str, str]) -> Answer:
    body = write_message(root, list(fields.items()))
    return ask(f"{served.url}{path}?apikey=whatever", body, headers={"Content-Type": "application/xml"})


def tree(answer: Answer) -> Any:
    assert answer.headers["content-type"].split(";")[0] == "application/xml"
    return etree.fromstring(answer.body)


def flat(element: Any) -> dict[str, str]:
    return {child.tag: child.text for child in element}


@pytest.fixture(scope="module")
def device(served: Served) -> dict[str, CertificateRecord]:
    """A Device's two certificates, issued while the server runs."""
    assert served.smki
    issued = {}
    for usage in (DS, KA):
        _, request = served.smki.make_device_request(DEVICE, usage)
        issued[usage.code] = served.smki.issue_device(request).record
    return issued


@pytest.fixture(scope="module")
def supplier(served: Served) -> CertificateRecord:
    assert served.smki
    _, request = served.smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)
    return served.smki.issue_organisation(request).record


@pytest.mark.parametrize(
    "written", ["00-DB-12-34-56-78-90-A0", "00-db-12-34-56-78-90-a0", "00DB1234567890A0", " 00-DB-12-34-56-78-90-A0 "]
)
def test_a_device_is_found(served: Served, device: dict[str, CertificateRecord], written: str) -> None:
    answer = search(served, CertificateSubjectAltName=written)
    assert answer.status == 200
    root = tree(answer)
    assert root.tag == "CertificateSearchResponse"
    assert [child.tag for child in root] == ["ResponseCode", "ResponseMessage", "AuditReference", "Result", "Result"]
    assert (root.findtext("ResponseCode"), root.findtext("ResponseMessage")) == ("200", "Success")
    results = [flat(result) for result in root.iter("Result")]
    assert results == [
        {"CertificateSerial": device[usage].serial_number.hex, "CertificateSubjectAltName": "00-DB-12-34-56-78-90-A0",
         "CertificateStatus": "I", "CertificateUsage": usage, "ManufacturingFlag": "false"}
        for usage in ("DS", "KA")
    ]  # fmt: skip
    assert list(results[0]) == [
        "CertificateSerial",
        "CertificateSubjectAltName",
        "CertificateStatus",
        "CertificateUsage",
        "ManufacturingFlag",
    ]


def test_an_organisation_is_found(served: Served, supplier: CertificateRecord) -> None:
    root = tree(search(served, CertificateSubjectName=str(SUPPLIER)))
    (result,) = root.iter("Result")
    assert [(child.tag, child.text) for child in result] == [
        ("CertificateSerial", supplier.serial_number.hex), ("CertificateSubjectName", "90-B3-D5-1F-30-01-00-00"),
        ("CertificateStatus", "I"), ("CertificateRole", "2"), ("CertificateUsage", "DS"), ("ManufacturingFlag", "false"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("narrowing", "count"),
    [
        ({"CertificateUsage": "DS"}, 1),
        ({"CertificateUsage": "KA"}, 1),
        ({"CertificateStatus": "I"}, 2),
        ({"CertificateRole": "4"}, 2),
        ({"CertificateRole": "4", "CertificateUsage": "KA"}, 1),
        ({"CertificateUsage": ""}, 2),
    ],
)
def test_narrowing(served: Served, narrowing: dict[str, str], count: int) -> None:
    root = tree(search(served, CertificateSubjectName="90-B3-D5-1F-30-00-00-02", **narrowing))
    assert len(list(root.iter("Result"))) == count


@pytest.mark.parametrize(
    "fields",
    [
        {"CertificateSubjectAltName": "00-00-00-00-00-00-00-01"},
        {"CertificateSubjectName": "00-DB-12-34-56-78-90-A0"},
        {"CertificateSubjectAltName": "90-B3-D5-1F-30-00-00-02"},
        {"CertificateSubjectName": "90-B3-D5-1F-30-00-00-02", "CertificateStatus": "R"},
        {"CertificateSubjectName": "90-B3-D5-1F-30-00-00-02", "CertificateRole": "2"},
    ],
)
def test_nothing_is_found(served: Served, device: dict[str, CertificateRecord], fields: dict[str, str]) -> None:
    answer = search(served, **fields)
    assert answer.status == 402
    assert tree(answer).findtext("ResponseCode") == "402"


@pytest.mark.parametrize("form", ["upper", "lower", "without leading zeros"])
def test_a_certificate_is_retrieved(served: Served, device: dict[str, CertificateRecord], form: str) -> None:
    record = device["KA"]
    serial = record.serial_number.hex
    answer = retrieve(
        served, {"upper": serial, "lower": serial.lower(), "without leading zeros": serial.lstrip("0")}[form]
    )
    assert answer.status == 200
    root = tree(answer)
    assert [child.tag for child in root] == ["ResponseCode", "ResponseMessage", "AuditReference", "CertificateResponse"]
    assert [(child.tag, child.text) for child in root[3]] == [
        ("CertificateSubjectAltName", "00-DB-12-34-56-78-90-A0"), ("CertificateSerial", serial), ("CertificateStatus", "I"),
        ("CertificateBody", base64.b64encode(record.der).decode()), ("CertificateUsage", "KA"), ("ManufacturingFlag", "false"),
    ]  # fmt: skip


def test_an_organisation_is_retrieved(served: Served, supplier: CertificateRecord) -> None:
    body = tree(retrieve(served, supplier.serial_number.hex)).find("CertificateResponse")
    assert [child.tag for child in body] == [
        "CertificateSubjectName", "CertificateSerial", "CertificateStatus", "CertificateBody", "CertificateRole",
        "CertificateUsage", "ManufacturingFlag",
    ]  # fmt: skip
    assert body.findtext("CertificateRole") == "2"


def test_an_unknown_serial_number(served: Served) -> None:
    assert retrieve(served, "1234").status == 402
    assert served.smki
    assert retrieve(served, served.smki.authorities()[0].serial_number.hex).status == 402


ENTITY = "<CertificateSubjectAltName>00-DB-12-34-56-78-90-A0</CertificateSubjectAltName>"
BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><CertificateSearchRequest>&b;</CertificateSearchRequest>'
BAD_REQUESTS = {
    "empty": b"",
    "not XML": b"CertificateSubjectName=90B3D51F30010000",
    "JSON": b'{"CertificateSubjectName": "90B3D51F30010000"}',
    "cut short": b"<CertificateSearchRequest><CertificateSubjectName>90-B3",
    "an unknown root": f"<SearchRequest>{ENTITY}</SearchRequest>".encode(),
    "the other service's root": b"<CertificateDataRequest><CertificateSerial>1</CertificateSerial></CertificateDataRequest>",
    "a namespace": f'<CertificateSearchRequest xmlns="urn:x">{ENTITY}</CertificateSearchRequest>'.encode(),
    "a DTD": f"<!DOCTYPE CertificateSearchRequest><CertificateSearchRequest>{ENTITY}</CertificateSearchRequest>".encode(),
    "entities": BOMB.encode(),
    "an external entity": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><CertificateSearchRequest><CertificateSubjectName>&x;</CertificateSubjectName></CertificateSearchRequest>',
    "no names": b"<CertificateSearchRequest/>",
    "both names": f"<CertificateSearchRequest>{ENTITY}<CertificateSubjectName>90-B3-D5-1F-30-01-00-00</CertificateSubjectName></CertificateSearchRequest>".encode(),
    "a name twice": f"<CertificateSearchRequest>{ENTITY}{ENTITY}</CertificateSearchRequest>".encode(),
    "an empty name": b"<CertificateSearchRequest><CertificateSubjectName/></CertificateSearchRequest>",
    "an EUI-64 of 15 digits": b"<CertificateSearchRequest><CertificateSubjectName>90B3D51F3001000</CertificateSubjectName></CertificateSearchRequest>",
    "an unknown element": f"<CertificateSearchRequest>{ENTITY}<Colour>red</Colour></CertificateSearchRequest>".encode(),
    "nested elements": b"<CertificateSearchRequest><CertificateSubjectName><b>90B3D51F30010000</b></CertificateSubjectName></CertificateSearchRequest>",
    "an unknown role": f"<CertificateSearchRequest>{ENTITY}<CertificateRole>42</CertificateRole></CertificateSearchRequest>".encode(),
    "a role in words": f"<CertificateSearchRequest>{ENTITY}<CertificateRole>supplier</CertificateRole></CertificateSearchRequest>".encode(),
    "an unknown usage": f"<CertificateSearchRequest>{ENTITY}<CertificateUsage>XX</CertificateUsage></CertificateSearchRequest>".encode(),
    "an unknown status": f"<CertificateSearchRequest>{ENTITY}<CertificateStatus>Z</CertificateStatus></CertificateSearchRequest>".encode(),
    "octets": bytes(range(256)),
    "11 MB": b"<CertificateSearchRequest>" + b" " * 11_000_000,
    "deep nesting": b"<CertificateSearchRequest>" + b"<a>" * 5000,
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_searches_that_make_no_sense(served: Served, name: str) -> None:
    answer = ask(f"{served.url}{SEARCH}", BAD_REQUESTS[name], headers={"Content-Type": "application/xml"})
    assert answer.status == 401
    root = tree(answer)
    assert root.tag == "CertificateSearchResponse"
    assert root.findtext("ResponseCode") == "401"
    message = root.findtext("ResponseMessage")
    assert message
    refusal, _, remedy = message.partition("\n  ")
    assert refusal.endswith("]")
    assert remedy.endswith(".")
    assert "root:" not in message  # nothing of /etc/passwd
    assert root.findtext("AuditReference")
    assert root.find("Result") is None


@pytest.mark.parametrize("serial", ["", "0", "-1", "xyz", "1" * 41, "12 34"])
def test_serial_numbers_that_are_none(served: Served, serial: str) -> None:
    answer = retrieve(served, serial)
    assert answer.status == 401
    assert tree(answer).tag == "CertificateDataResponse"


@pytest.mark.parametrize("body", [b"<CertificateDataRequest/>", b"<CertificateSearchRequest/>", b"", b"<"])
def test_retrievals_that_make_no_sense(served: Served, body: bytes) -> None:
    answer = ask(f"{served.url}{RETRIEVE}", body)
    assert answer.status == 401
    assert tree(answer).findtext("ResponseCode") == "401"


def test_other_encodings_of_xml(served: Served, device: dict[str, CertificateRecord]) -> None:
    for encoding in ("utf-16", "iso-8859-1"):
        body = (
            f"<?xml version='1.0' encoding='{encoding}'?><CertificateSearchRequest>{ENTITY}</CertificateSearchRequest>"
        )
        assert ask(f"{served.url}{SEARCH}", body.encode(encoding)).status == 200


def test_other_methods_and_paths(served: Served) -> None:
    assert ask(f"{served.url}{SEARCH}").status == 405
    assert ask(f"{served.url}{SEARCH}", method="DELETE").status == 405
    answer = ask(f"{served.url}/nowhere")
    assert answer.status == 404
    assert b"see / for the available services" in answer.body


def test_the_front_page_and_the_health(served: Served) -> None:
    page = ask(f"{served.url}/")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    for text in (b"Test Certificate", b"Issuing DCA", b"/services/certificatesearch", b"smki issue device"):
        assert text in page.body
    assert ask(f"{served.url}/healthz").body.strip() == b'{"status":"ok"}'


def test_what_is_issued_appears_at_once(served: Served) -> None:
    assert served.smki
    for number in range(20):
        entity = EntityIdentifier((0xABCDEF0000000000 + number).to_bytes(8, "big"))
        assert search(served, CertificateSubjectAltName=str(entity)).status == 402
        _, request = served.smki.make_device_request(entity, DS)
        serial = served.smki.issue_device(request, device_type=DeviceType.ESME).record.serial_number
        root = tree(search(served, CertificateSubjectAltName=str(entity)))
        assert root.findtext("Result/CertificateSerial") == serial.hex


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bodies_never_break_the_parser(body: bytes) -> None:
    try:
        parse_message(body, "CertificateDataRequest", {"CertificateSerial": True})
    except Malformed as error:
        assert error.code.startswith("xml.")


@given(st.integers(1, (1 << 127) - 1))
def test_what_is_written_is_read(value: int) -> None:
    serial = SerialNumber(value).hex
    body = write_message("CertificateDataRequest", [("CertificateSerial", serial)])
    assert parse_message(body, "CertificateDataRequest", {"CertificateSerial": True}) == {"CertificateSerial": serial}


@given(st.lists(st.tuples(st.sampled_from(["A", "B"]), st.text(max_size=30)), max_size=4))
def test_what_is_written_is_read_as_it_was(content: list[tuple[str, str]]) -> None:
    encoded = write_message("Root", [("Outer", [*content]), ("Last", "]]>&amp;")])
    root = etree.fromstring(encoded)
    possible = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
    assert [(child.tag, child.text or "") for child in root[0]] == [
        (name, possible.sub("\ufffd", text)) for name, text in content
    ]
    assert root[1].text == "]]>&amp;"
