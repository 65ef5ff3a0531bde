"""Running the server: what it tells of itself, how it stops, what it bears, and what it keeps to itself."""

from __future__ import annotations

import json
import re
import socket
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from smki_repository.options import Options

from smki import HomeClock
from smki.problem import Malformed
from tests.repository.support import Served, ask, serving
from tests.support import run_cli


def metrics(served: Served) -> dict[tuple[str, ...], float]:
    """Name and label values of every sample to its value."""
    answer = ask(f"{served.url}/metrics")
    assert answer.status == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


def test_metrics_of_all_workers_and_of_other_interfaces(home: Path) -> None:
    with serving(home, "--workers", "3") as served:
        before = metrics(served)
        for number in range(30):
            assert ask(f"{served.url}/nowhere/{number}").status == 404
            assert ask(f"{served.url}/crl/organisation.crl").status == 200
        assert run_cli("issue", "device", "--home", home, "--eui", "00-DB-12-34-56-78-90-A0", "--usage", "ds",
                       "--out", home / "ds.pem").returncode == 0  # fmt: skip
        assert run_cli("issue", "device", "--home", home, "--eui", "00-DB-12-34-56-78-90-A1", "--usage", "ds",
                       "--applicant", "NOBODY", "--type", "ESME").returncode == 2  # fmt: skip
        after = metrics(served)
    crl = "/crl/organisation.<string:kind>"
    assert after["smki_http_requests_total", "GET", "none", "404"] == 30
    assert after["smki_http_requests_total", "GET", crl, "200"] == 30
    assert after["smki_http_request_seconds_count", crl] == 30
    issued = ("smki_certificates_issued_total", "device")
    assert after[issued] == before[issued] + 1
    refused = {key: value for key, value in after.items() if key[0] == "smki_applications_refused_total"}
    assert sum(refused.values()) == 1
    assert not any(key[0] == "smki_applications_under_way" for key in after)  # none is ever stored by half
    assert 0 <= after["smki_revocation_list_age_seconds", "T1", "organisation-crl"] < 12 * 3600
    assert after["smki_revocation_list_left_seconds", "T1", "organisation-crl"] > 0


def test_ready_means_that_no_list_is_overdue(home: Path) -> None:
    with serving(home) as served:
        assert ask(f"{served.url}/readyz").status == 200
        HomeClock(home / "clock.json").set(HomeClock(home / "clock.json").now().replace(year=2099))
        answer = ask(f"{served.url}/readyz")
        assert (answer.status, b"overdue" in answer.body) == (503, True)
        assert ask(f"{served.url}/healthz").status == 200
        assert ask(f"{served.url}/crl/organisation.crl").status == 200  # which issues one
        HomeClock(home / "clock.json").set(HomeClock(home / "clock.json").now().replace(year=2026))


def test_everything_below_a_base_path(home: Path) -> None:
    with serving(home, "--base-path", "/test/smki") as served:
        root = served.url.removesuffix("/test/smki")
        assert ask(f"{served.url}/healthz").status == 200
        outside = ask(f"{root}/healthz")
        assert (outside.status, outside.body) == (404, b"everything is served below /test/smki/\n")
        assert outside.headers["x-content-type-options"] == "nosniff"
        assert f"curl -s {served.url}/services/certificatesearch" in ask(f"{served.url}/").body.decode()


@pytest.mark.parametrize("path", ["smki", "/", "/a/", "//a", "/a b", "/a?b"])
def test_base_paths_that_make_no_sense(path: str, home: Path) -> None:
    with pytest.raises(Malformed, match="a path like /smki"):
        Options(base_path=path)


def test_the_access_log_tells_who_asked_what_and_no_key(home: Path) -> None:
    with serving(home, "--access-log") as served:
        ask(f"{served.url}/crl/organisation.crl?apikey=not-to-be-seen")
        ask(f"{served.url}/no%0Awhere")
        time.sleep(0.2)
    lines = served.output
    assert re.search(r'127\.0\.0\.1 "GET /crl/organisation\.crl" 200 \d+\.\d ms', lines)
    assert "not-to-be-seen" not in lines
    assert "where" not in [line[:5] for line in lines.splitlines()]


def test_every_answer_has_security_headers(served: Served) -> None:
    for path in ("/", "/nowhere", "/crl/organisation.crl", "/metrics", "/services/certificatesearch"):
        headers = ask(f"{served.url}{path}").headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"]
    assert "http" not in re.sub(rb"https?://127\.0\.0\.1[^ ]*", b"", ask(served.url).body).decode()


def test_a_request_under_way_is_answered_when_the_server_is_told_to_stop(home: Path) -> None:
    body = b"<CertificateSearchRequest><CertificateSubjectAltName>00-DB-12-34-56-78-90-A0</CertificateSubjectAltName></CertificateSearchRequest>"
    with serving(home, "--workers", "1") as served:
        host, port = served.address.split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = (
                f"POST /services/certificatesearch HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            connection.sendall(head.encode() + body[:20])
            time.sleep(0.3)
            served.process.terminate()
            time.sleep(0.3)
            connection.sendall(body[20:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 402")


def test_clients_that_send_no_body_do_not_keep_others_waiting(home: Path) -> None:
    head = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n<"
    paths = ("/services/certificatesearch", "/api/v1/eligibility/device")
    body = b"<CertificateSearchRequest><CertificateSubjectAltName>00-DB-12-34-56-78-90-A0</CertificateSubjectAltName></CertificateSearchRequest>"
    with serving(home, "--workers", "1") as served:
        host, port = served.address.split(":")
        slow = [socket.create_connection((host, int(port))) for _ in range(150)]
        try:
            for number, connection in enumerate(slow):
                connection.sendall(head.format(paths[number % 2]).encode())
            time.sleep(0.5)
            for path in ("/healthz", "/crl/organisation.crl", "/api/v1/statistics"):
                assert ask(served.url + path).status == 200
            told = ask(f"{served.url}/services/certificatesearch", body)
            assert (told.status, b"waiting for too many others" in told.body) == (503, True)
            told = ask(f"{served.url}/api/v1/eligibility/device", b"{}", headers={"Content-Type": "application/json"})
            assert (told.status, json.loads(told.body)["type"]) == (503, "urn:smki:problem:request.too-many-slow")
        finally:
            for connection in slow:
                connection.close()
        for _ in range(100):
            if ask(f"{served.url}/services/certificatesearch", body).status == 402:
                break
            time.sleep(0.05)
        else:
            raise AssertionError("what was waited for in vain is waited for for ever")
