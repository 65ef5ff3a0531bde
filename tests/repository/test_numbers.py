"""Numbers that clients choose, in paths, queries, JSON and XML: whatever they are, no answer is a status 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from flask.testing import FlaskClient
from smki_repository.app import create_app
from smki_repository.faults import Faults
from smki_repository.options import Options
from smki_repository.rest.service import API, OPERATIONS

from smki import CertificateKind, FixedClock, Smki
from smki.clock import TravellingClock
from tests.commands import make_token
from tests.registration.in_memory import START

NUMBERS = (
    "0", "00", "-1", "-0", "+1", "1_0", "1e3", "0x10", "1.0", "٣", "२", "²", "%00", "1%00", " 1", "NaN", "2147483648",
    "999999999999", "1000000000000", "9007199254740993", "9999999999999999", "999999999999999999", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", "-9223372036854775809", "9" * 30, "9" * 400, "9" * 5000,
)  # fmt: skip
MOMENTS = (
    "0001-01-01", "1949-12-31", "1969-12-31T23:59:59Z", "9999-12-31", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "10000-01-01", "99999999999999999999", "-1", "2026-11-21T08:30:00.999999999Z",
)  # fmt: skip


@pytest.fixture(scope="module")
def smki() -> Iterator[Smki]:
    with Smki.in_memory(seed="numbers", clock=TravellingClock(FixedClock(START), may_write=True)) as made:
        yield made


@pytest.fixture(scope="module")
def client(smki: Smki) -> Iterator[FlaskClient]:
    with closing(Faults()) as faults:
        app = create_app(smki, Options(faults=True), faults=faults)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        yield app.test_client()


@pytest.fixture(scope="module")
def headers(smki: Smki) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(smki, 'DCC')}"}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:24])
def test_every_part_of_every_path(client: FlaskClient, headers: dict[str, str], number: str) -> None:
    paths = {
        (method, rule.rule.replace(f"<{part}>", number))
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods or ()
        for part in rule.rule.replace("<", ">").split(">")[1::2]
    }
    assert len(paths) > 50
    for method, path in sorted(paths):
        # What is left of the placeholders is something that exists.
        for name, value in (("string:kind", "crl"), ("string:issuer", "T1"), ("int:number", "1"), ("format", "json")):
            path = path.replace(f"<{name}>", value)
        answer = client.open(path, method=method, headers=headers)
        assert answer.status_code < 500, (method, path[:200], answer.data[:500])


@pytest.mark.parametrize("number", [*NUMBERS, *MOMENTS], ids=lambda number: number[:24])
def test_every_parameter_of_every_query(client: FlaskClient, headers: dict[str, str], number: str) -> None:
    for operation in OPERATIONS:
        if operation.method == "GET" and "{" not in operation.path:
            for parameter in operation.query_parameters:
                answer = client.get(f"{API}{operation.path}", query_string={parameter.name: number}, headers=headers)
                assert answer.status_code < 500, (operation.path, parameter.name, answer.data[:500])


def bodies() -> Iterator[tuple[str, str, str]]:
    for operation in OPERATIONS:
        for body in operation.body:
            for field in getattr(body, "fields", ()):
                path = operation.path.replace("{party}", "LARGE-SUPPLIER").replace("{eui}", "00DB1234567890A0")
                yield operation.method, path.replace("{number}", "1").replace("{serial}", "1"), field.name


VALUES: tuple[Any, ...] = (
    *MOMENTS, -1, 0, 1.5, 1e308, -1e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, "9" * 400,
    float("nan"), float("inf"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path", "field"), list(bodies()), ids=lambda value: value)
def test_every_field_of_every_body(
    client: FlaskClient, headers: dict[str, str], method: str, path: str, field: str
) -> None:
    for value in (*VALUES, None):
        sent = json.dumps({field: value})
        answer = client.open(API + path, method=method, data=sent, content_type="application/json", headers=headers)
        assert answer.status_code < 500, (sent[:200], answer.data[:500])


def test_a_number_of_many_digits_in_json(client: FlaskClient, headers: dict[str, str]) -> None:
    for digits in (4300, 4301, 60_000):
        sent = '{"shift_seconds": ' + "9" * digits + "}"
        answer = client.put(f"{API}/clock", data=sent, content_type="application/json", headers=headers)
        assert answer.status_code == 400


ELEMENTS = {
    "certificatesearch": ("CertificateSearchRequest", ("CertificateRole", "CertificateUsage", "CertificateStatus",
                                                       "CertificateSubjectName", "CertificateSubjectAltName")),
    "retrievecertificate": ("CertificateDataRequest", ("CertificateSerial",)),
}  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:24])
def test_every_element_of_the_xml_services(client: FlaskClient, number: str) -> None:
    for service, (root, names) in ELEMENTS.items():
        for name in names:
            subject = (
                "<CertificateSubjectName>90-B3-D5-1F-30-01-00-00</CertificateSubjectName>"
                if "Subject" not in name
                else ""
            )
            body = f"<{root}>{subject if service == 'certificatesearch' else ''}<{name}>{number}</{name}></{root}>"
            answer = client.post(f"/services/{service}", data=body.encode())
            assert answer.status_code in (200, 401, 402), (body[:200], answer.data[:500])


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_time_of_a_request(client: FlaskClient, smki: Smki, headers: dict[str, str], moment: str) -> None:
    issuer = smki.hierarchy.newest(smki.ledger, CertificateKind.ISSUING_OCA).certificate.serial_number
    for method, path, body in (
        ("GET", "/crl/organisation.crl", None),
        ("GET", "/metrics", None),
        ("GET", "/", None),
        ("GET", f"{API}/statistics", None),
        ("GET", f"{API}/certificates?status=I", None),
        ("GET", f"{API}/clock", None),
        ("POST", f"{API}/revocation-lists", {"issuer": issuer.hex}),
        ("POST", f"{API}/authorities", {"kind": "issuing-dca"}),
        ("POST", f"{API}/eligibility/device", {"entityIdentifier": "00DB1234567890A0"}),
    ):
        answer = client.open(path, method=method, json=body, headers=headers | {"X-SMKI-Time": moment})
        assert answer.status_code < 500, (method, path, answer.data[:500])


@pytest.mark.parametrize("number", [-(2**63) - 1, -1, 0, 2**63 - 1, 2**63, 10**30])
def test_numbers_in_python(smki: Smki, number: int) -> None:
    assert smki.lists(CertificateKind.ISSUING_OCA).numbered(number) is None
    assert smki.ledger.application(number) is None
