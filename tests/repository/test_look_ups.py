"""Look-ups that are answered before Flask: with the same answers, and everything else is left to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from smki_repository.app import create_app
from smki_repository.certificate_service import RETRIEVE
from smki_repository.look_ups import LookUps
from smki_repository.options import Options, ReadAccess
from smki_repository.xml_message import write_message

from smki import Smki
from smki.clock import HomeClock
from smki.ledger import CertificateQuery
from tests.support import DEVICE, DS

CERTIFICATES = "/api/v1/certificates/"


class Both:
    """The Repository with and without the middleware, over one home."""

    def __init__(self, smki: Smki) -> None:
        self.smki = smki
        self.passed_on = 0
        self.quick = create_app(smki)
        # With an access log, every request passes through Flask.
        self.flask = create_app(smki, Options(access_log=True))
        look_ups: Any = _inner(self.quick)
        to_flask = look_ups._application

        def passing_on(environ: Any, start_response: Any) -> Any:
            self.passed_on += 1
            return to_flask(environ, start_response)

        look_ups._application = passing_on

    def ask(self, method: str, path: str, **more: Any) -> tuple[tuple[int, dict[str, str], bytes], bool]:
        """What both answer, after a check that it is the same; whether the middleware answered."""
        before = self.passed_on
        answers = []
        for app in (self.quick, self.flask):
            response = app.test_client().open(path, method=method, **more)
            answers.append((response.status_code, dict(response.headers), _without_reference(response.data)))
        assert answers[0] == answers[1]
        return answers[0], self.passed_on == before


def _without_reference(body: bytes) -> bytes:
    head, found, rest = body.partition(b"<AuditReference>")
    return head + rest.partition(b"</AuditReference>")[2] if found else body


@pytest.fixture(scope="module")
def both(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    home = tmp_path_factory.mktemp("look-ups") / "pki"
    shutil.copytree(made_home, home)
    with Smki.open(home) as smki:
        _, request = smki.make_device_request(DEVICE, DS)
        smki.issue_device(request)
        yield Both(smki)


def _serials(smki: Smki) -> list[str]:
    return [record.serial_number.hex for record in smki.ledger.search.all_certificates(CertificateQuery())]


def _retrieval(serial: str) -> bytes:
    return write_message("CertificateDataRequest", [("CertificateSerial", serial)])


def test_every_certificate_in_every_form(both: Both) -> None:
    for serial in _serials(both.smki):
        for text in (serial, serial.lower(), f"00{serial}"):
            for suffix in ("", ".der", ".json"):
                (status, _, body), is_quick = both.ask("GET", f"{CERTIFICATES}{text}{suffix}")
                assert (status, is_quick) == (200, True)
                assert body


def test_every_certificate_of_a_party_or_device_by_the_xml_service(both: Both) -> None:
    found = []
    for record in both.smki.ledger.search.all_certificates(CertificateQuery()):
        (status, _, body), is_quick = both.ask(
            "POST", f"{RETRIEVE}?apikey=x", data=_retrieval(record.serial_number.hex)
        )
        assert (status == 200) == is_quick == (not record.kind.is_authority)
        found.append(b"<CertificateBody>" in body)
    assert True in found
    assert False in found


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"headers": {"Host": "attacker.example"}}, 421, id="another host"),
        pytest.param({"headers": {"Host": ""}}, 400, id="no host"),
        pytest.param({"headers": {"Accept": "application/pkix-cert"}}, 200, id="another media type"),
        pytest.param({"headers": {"Accept": "text/html"}}, 406, id="no such media type"),
        pytest.param({"headers": {"If-None-Match": "*"}}, 304, id="a validator"),
        pytest.param({"headers": {"Authorization": "Bearer x"}}, 200, id="a credential"),
        pytest.param({"headers": {"X-API-Key": "x"}}, 200, id="an API key"),
        pytest.param({"query_string": "fields=pem"}, 200, id="a parameter"),
        pytest.param({"query_string": "unknown=1"}, 400, id="an unknown parameter"),
    ],
)
def test_what_is_not_ordinary_is_left_to_flask(both: Both, change: dict[str, Any], status: int) -> None:
    serial = _serials(both.smki)[-1]
    answered, is_quick = both.ask("GET", f"{CERTIFICATES}{serial}", **change)
    assert (answered[0], is_quick) == (status, False)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{CERTIFICATES}{'0' * 32}"),
        ("GET", f"{CERTIFICATES}{'A' * 32}"),
        ("GET", f"{CERTIFICATES}{'A' * 41}"),
        ("GET", f"{CERTIFICATES}%0A{'A' * 32}"),
        ("GET", f"{CERTIFICATES}{'A' * 32}%0A"),
        ("GET", f"{CERTIFICATES}{'A' * 32}.pem"),
        ("GET", f"{CERTIFICATES}{'A' * 32}.crl"),
        ("HEAD", f"{CERTIFICATES}{'A' * 32}"),
        ("DELETE", f"{CERTIFICATES}{'A' * 32}"),
        ("GET", RETRIEVE),
    ],
)
def test_what_is_refused_is_refused_by_flask(both: Both, method: str, path: str) -> None:
    answered, is_quick = both.ask(method, path)
    assert answered[0] in (400, 404, 405)
    assert not is_quick


def test_a_head_request_is_left_to_flask(both: Both) -> None:
    answered, is_quick = both.ask("HEAD", f"{CERTIFICATES}{_serials(both.smki)[0]}.der")
    assert answered[0] == 200
    assert answered[2] == b""
    assert not is_quick


_BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(alphabet="<>/CertificaDquslS&;! 0A", max_size=80).map(str.encode),
    st.text(max_size=50).map(_retrieval),
)


@settings(max_examples=60, deadline=None)
@given(body=_BODIES)
def test_bodies_that_no_client_sends_are_answered_alike(both: Both, body: bytes) -> None:
    (status, _, _), is_quick = both.ask("POST", RETRIEVE, data=body)
    assert (status == 200) == is_quick


def test_requests_of_web_pages_and_large_bodies_are_left_to_flask(both: Both) -> None:
    serial = _serials(both.smki)[-1]
    answered, is_quick = both.ask("POST", RETRIEVE, data=_retrieval(serial), headers={"Origin": "http://a.example"})
    assert (answered[0], is_quick) == (403, False)
    answered, is_quick = both.ask("POST", RETRIEVE, data=_retrieval(serial) + b" " * 70_000)
    assert (answered[0], is_quick) == (401, False)


def test_under_another_clock_responses_have_the_time_header(both: Both) -> None:
    serial = _serials(both.smki)[-1]
    clock = both.smki.clock
    assert isinstance(clock, HomeClock)
    clock.set(datetime(2041, 5, 6, tzinfo=UTC))
    try:
        (_, headers, _), is_quick = both.ask("GET", f"{CERTIFICATES}{serial}")
    finally:
        clock.real()
    assert headers["X-SMKI-Time"] == "2041-05-06T00:00:00Z"
    assert not is_quick


def test_both_are_counted_under_the_same_route(both: Both) -> None:
    paths = [("GET", f"{CERTIFICATES}{_serials(both.smki)[-1]}{suffix}", b"") for suffix in ("", ".der", ".json")] + [
        ("POST", RETRIEVE, _retrieval(_serials(both.smki)[-1]))
    ]
    counted = []
    for app in (both.quick, both.flask):
        before = _counts(app.test_client())
        for method, path, body in paths:
            app.test_client().open(path, method=method, data=body)
        after = _counts(app.test_client())
        counted.append({key: after[key] - before.get(key, 0) for key in after if "certificate" in key[1]})
    assert counted[0] == counted[1]
    assert sum(counted[0].values()) == len(paths)


def _counts(client: FlaskClient) -> dict[tuple[str, str, str], float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for family in families
        if family.name == "smki_http_requests"
        for sample in family.samples
        if sample.name == "smki_http_requests_total"
    }


@pytest.mark.parametrize(
    "options", [Options(access_log=True), Options(read_access=ReadAccess.API_KEY)], ids=["access log", "API keys"]
)
def test_only_an_open_repository_without_a_log_has_it(both: Both, options: Options) -> None:
    assert not isinstance(_inner(create_app(both.smki, options)), LookUps)
    assert isinstance(_inner(create_app(both.smki)), LookUps)


def _inner(app: Any) -> object:
    return app.wsgi_app._application
