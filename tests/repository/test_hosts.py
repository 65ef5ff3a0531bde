"""Web pages of other sites: what they can reach by a name of their own, and what they may write."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from smki_repository.allowed_hosts import AllowedHosts
from smki_repository.app import create_app
from smki_repository.options import Options

from smki import Smki
from smki.clock import TravellingClock
from smki.problem import Malformed
from smki.testing.faults import Faults
from tests.repository.support import Served, ask, serving
from tests.support import run_cli

FAULT = b'{"kind": "status", "status": 500, "path": "/none"}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The Repository with faults, asked in this process."""
    home = tmp_path_factory.mktemp("hosts") / "pki"
    shutil.copytree(made_home, home)
    smki = Smki.open(home)
    smki = smki.with_clock(TravellingClock(smki.clock, by_header=False))
    options = Options(hosts=AllowedHosts.of("127.0.0.1", ["smki.test"]))
    return create_app(smki, options, faults=Faults()).test_client()


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8083",
        "localhost.",
        "127.0.0.1:8083",
        "127.8.8.8",
        "[::1]:8083",
        "smki.test",
        "a.localhost",
    ],
)
def test_names_of_this_machine_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200
    assert client.post("/faults", data=FAULT, headers=JSON | {"Host": host}).status_code == 201


@pytest.mark.parametrize(
    "host", ["rebound.example:8083", "192.168.0.7", "localhost.example", "notlocalhost", "[fe80::1]"]
)
@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/faults", "/api/v1/certificates", "/crl/organisation.crl", "/nowhere"]
)
def test_no_other_name_is_answered(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert "host.not-allowed" in answer.text
    assert "--allow-host" in answer.text


@pytest.mark.parametrize(
    "host", ["", "a b", "localhost,localhost", "user@localhost", "localhost:99999999", "[::1", "é"]
)
def test_a_host_that_is_none(client: FlaskClient, host: str) -> None:
    answer = client.get("/crl/organisation.crl", headers={"Host": host})
    assert answer.status_code == 400
    assert "host.malformed" in answer.text


def test_the_xml_services_say_so_in_xml(client: FlaskClient) -> None:
    answer = client.post("/services/certificatesearch", data=b"<a/>", headers={"Host": "rebound.example"})
    assert (answer.status_code, answer.mimetype) == (421, "application/xml")
    assert "<ResponseCode>421</ResponseCode>" in answer.text


@pytest.mark.parametrize(
    "origin", ["http://elsewhere.example", "null", "http://localhost:3000", "http://[", "", "localhost"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/faults"), ("DELETE", "/faults"), ("POST", "/api/v1/certificates"), ("PATCH", "/api/v1/parties/X"),
     ("POST", "/services/certificatesearch"), ("POST", "/api/v1/lint"), ("PUT", "/nowhere")],
)  # fmt: skip
def test_no_page_of_another_site_may_write(client: FlaskClient, method: str, path: str, origin: str) -> None:
    headers = JSON | {"Origin": origin, "Host": "localhost:8083"}
    answer = client.open(path, method=method, data=FAULT, headers=headers)
    assert answer.status_code == 403
    assert "Origin" in answer.text


@pytest.mark.parametrize("origin", ["http://localhost:8083", "https://LOCALHOST:8083", "https://smki.test"])
def test_the_servers_own_pages_may_write(client: FlaskClient, origin: str) -> None:
    headers = JSON | {"Origin": origin, "Host": "localhost:8083"}
    assert client.post("/faults", data=FAULT, headers=headers).status_code == 201
    assert client.get("/healthz", headers={"Origin": "http://elsewhere.example"}).status_code == 200


def test_a_server_on_other_interfaces_answers_to_addresses() -> None:
    hosts = AllowedHosts.of("0.0.0.0", ["smki.test"])
    allowed = ("localhost", "10.1.2.3", "2001:db8::1", "smki.test")
    assert [name for name in (*allowed, "rebound.example") if hosts.allows(name)] == list(allowed)
    assert AllowedHosts.of("127.0.0.1", ["*"]).allows("rebound.example")
    assert AllowedHosts.of("smki.internal").allows("smki.internal")
    assert AllowedHosts.of("::1", ["[2001:db8::1]"]).allows("2001:db8::1")


@pytest.mark.parametrize("name", ["", "a b", "smki.test:8083", "http://smki.test", "[::1]:80", "a/b", "é"])
def test_names_that_cannot_be_allowed(name: str) -> None:
    with pytest.raises(Malformed, match="without a port"):
        AllowedHosts.of("127.0.0.1", [name])


def test_over_the_network(home: Path) -> None:
    """The real server: an allowed name, a foreign one, none, and two of them."""
    with serving(home, "--allow-host", "smki.test", "--faults") as served:
        for host, status in (("smki.test", 201), ("rebound.example", 421)):
            answer = ask(f"{served.url}/faults", FAULT, headers=JSON | {"Host": host})
            assert answer.status == status
        for hosts in (b"", b"Host: localhost\r\nHost: localhost\r\n", b"Host: localhost\r\nHost: rebound.example\r\n"):
            assert _status(served, b"GET /crl/organisation.crl HTTP/1.1\r\n" + hosts) == 400
    told = run_cli("serve", "--home", home, "--allow-host", "smki.test:80")
    assert (told.returncode, b"allow-host.malformed" in told.stderr) == (2, True)


def _status(served: Served, head: bytes) -> int:
    host, port = served.address.split(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(head + b"Connection: close\r\n\r\n")
        return int(connection.recv(65536).split()[1])


@pytest.mark.parametrize("listening_on", ["0.0.0.0", "192.0.2.5", "::", "smki.test"])
def test_a_page_on_another_port_of_this_machine_may_not_write(
    made_home: Path, tmp_path: Path, listening_on: str
) -> None:
    """It belongs to another program, unless its name was given."""
    authority = f"[{listening_on}]" if ":" in listening_on else listening_on
    with Smki.open(shutil.copytree(made_home, tmp_path / "pki")) as smki:
        for names, status in (((), 403), (("*",), 403), ((listening_on,), 422)):
            options = Options(hosts=AllowedHosts.of(listening_on, names))
            headers = {"Host": f"{authority}:8083", "Origin": f"http://{authority}:9999"}
            answer = create_app(smki, options).test_client().post("/api/v1/lint", data=b"abc", headers=headers)
            assert answer.status_code == status, (names, answer.text)
