"""Running the server: what it tells of itself, how it stops, what it bears, and what it keeps to itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from smki_repository.options import Options

from smki import HomeClock
from smki.problem import Malformed
from tests.repository.support import Served, ask, serve_command, serving, wait_until_ready
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


def test_the_workers_end_with_a_killed_server_and_give_the_port_free(home: Path) -> None:
    with serving(home, "--workers", "3") as served:
        workers = children_of(served.process.pid)
        assert len(workers) == 3
        served.process.kill()
        served.process.wait()
        until = time.monotonic() + 5
        while any(is_running(worker) for worker in workers) and time.monotonic() < until:
            time.sleep(0.02)
        assert not any(is_running(worker) for worker in workers)
        # A process has ended a moment before all of its threads have, and with them its sockets.
        told = ""
        while "refused" not in told and time.monotonic() < until:
            with pytest.raises(OSError) as error:  # nothing answers any more
                ask(f"{served.url}/healthz")
            told = str(error.value)
        assert "refused" in told


def test_a_server_starts_at_once_after_one_was_killed(home: Path) -> None:
    for _ in range(3):
        with serving(home) as served:
            served.process.kill()
            again = subprocess.Popen(serve_command(home, int(served.address.split(":")[1])), stdout=subprocess.DEVNULL)
            served.process.wait()
            try:
                until = time.monotonic() + 10
                while not children_of(again.pid) and time.monotonic() < until:  # until then the old workers may answer
                    time.sleep(0.02)
                wait_until_ready(Served(served.url, home, None, again))
            finally:
                again.terminate()
                assert again.wait(15) == 0


def test_a_worker_that_was_killed_is_replaced(home: Path) -> None:
    with serving(home, "--workers", "2") as served:
        before = children_of(served.process.pid)
        os.kill(before[0], signal.SIGKILL)
        until = time.monotonic() + 10
        while len(set(children_of(served.process.pid)) - set(before)) == 0 and time.monotonic() < until:
            time.sleep(0.05)
        assert len(children_of(served.process.pid)) == 2
        assert ask(f"{served.url}/healthz").status == 200
    assert f"worker {before[0]} has ended" in served.output


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the system does not tell who listens on a port")
def test_the_process_that_holds_the_port_is_named(home: Path) -> None:
    with serving(home) as served:
        told = run_cli("serve", "--home", home, "--port", served.address.split(":")[1])
        assert told.returncode != 0
        assert f"process {served.process.pid} (".encode() in told.stderr
        assert not any(f"{worker} (".encode() in told.stderr for worker in children_of(served.process.pid))


def children_of(process: int) -> list[int]:
    """The process IDs of a process's children."""
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_running(process: int) -> bool:
    """Whether a process has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
