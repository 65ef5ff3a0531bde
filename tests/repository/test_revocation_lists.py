"""Revocation lists over HTTP, and requests that say when they are asked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from lxml import etree

from smki import CertificateKind, HomeClock, RemotePartyRole, Smki
from smki.clock import iso
from smki.pki.pem import decode_input
from smki.pki.revocation_list import RevocationList
from tests.commands import revoke
from tests.repository.support import Served, ask, serving
from tests.support import DS, SUPPLIER, run_cli

OCA = CertificateKind.ISSUING_OCA


@pytest.mark.parametrize(("path", "issuer"), [("crl", b"T1"), ("arl", b"TA")])
def test_the_current_lists(served: Served, path: str, issuer: bytes) -> None:
    answer = ask(f"{served.url}/crl/organisation.{path}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pkix-crl")
    read = RevocationList.from_der(answer.body)
    assert issuer in read.issuer
    assert read.number is not None
    assert answer.headers["etag"].endswith(f'-{read.number}"')
    assert "max-age=300" in answer.headers["cache-control"]
    pem = ask(f"{served.url}/crl/organisation.{path}.pem")
    assert [piece.der for piece in decode_input(pem.body)] == [answer.body]
    head = ask(f"{served.url}/crl/organisation.{path}", method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(answer.body)))
    again = ask(f"{served.url}/crl/organisation.{path}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]
    assert ask(f"{served.url}/crl/organisation.{path}", headers={"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize("step", [timedelta(0), timedelta(days=-1), timedelta(seconds=1)])
def test_a_newer_list_is_never_answered_with_304(home: Path, step: timedelta) -> None:
    """Whether it is of the same second, or earlier because the clock was set back: its number counts, not its time."""
    clock = HomeClock(home / "clock.json")
    clock.set(clock.now())
    with serving(home) as served, Smki.open(home) as smki:
        old = ask(f"{served.url}/crl/organisation.crl")
        moment = format_datetime(clock.now(), usegmt=True)
        clock.set(clock.now() + step)
        new = smki.lists(OCA).publish()
        for headers in (
            {"If-None-Match": old.headers["etag"]},
            {"If-Modified-Since": moment},
            {"If-Modified-Since": format_datetime(clock.now() + timedelta(days=400), usegmt=True)},
            {"If-None-Match": old.headers["etag"], "If-Modified-Since": moment},
        ):
            answer = ask(f"{served.url}/crl/organisation.crl", headers=headers)
            assert (answer.status, answer.body) == (200, new.der), headers
        assert "last-modified" not in answer.headers
        same = ask(f"{served.url}/crl/organisation.crl", headers={"If-None-Match": answer.headers["etag"]})
        assert same.status == 304


def test_lists_of_the_past(served: Served) -> None:
    assert served.smki
    first = ask(f"{served.url}/crl/organisation.crl").body
    number = RevocationList.from_der(first).number
    second = served.smki.lists(OCA).publish()
    assert ask(f"{served.url}/crl/organisation.crl").body == second.der
    past = ask(f"{served.url}/crl/organisation/{number}.crl")
    assert past.body == first
    assert "immutable" in past.headers["cache-control"]
    for path in (
        "/crl/organisation/999.crl",
        "/crl/organisation/0.crl",
        "/crl/organisation.txt",
        "/crl/organisation/1.txt",
        "/crl/device.crl",
    ):
        assert ask(f"{served.url}{path}").status == 404


def test_every_authority_has_its_lists_at_an_address_of_their_own(home: Path) -> None:
    assert run_cli("authority", "renew", "issuing-oca", "--home", home).returncode == 0
    with serving(home) as served:
        old, new = (
            RevocationList.from_der(ask(f"{served.url}/crl/organisation/{name}.crl").body) for name in ("T1", "T2")
        )
        assert old.issuer != new.issuer
        assert ask(f"{served.url}/crl/organisation.crl").body == new.der
        assert ask(f"{served.url}/crl/organisation/T1/{old.number}.crl").body == old.der
        unknown = ask(f"{served.url}/crl/organisation/T9.crl")
        assert unknown.status == 404
        assert b"expected T1 and T2" in unknown.body


def test_a_revocation_is_served_in_time(home: Path) -> None:
    """The server itself issues the list: half an hour after the revocation, well within the hour promised."""
    with Smki.open(home) as smki:
        _, request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)
        record = smki.issue_organisation(request).record
        revoke(smki, record.serial_number, "key-lost")
    HomeClock(home / "clock.json").shift(timedelta(minutes=50))
    with serving(home) as served:
        for _ in range(100):
            read = RevocationList.from_der(ask(f"{served.url}/crl/organisation.crl").body)
            if read.number == 2:
                break
        assert [entry.serial_number for entry in read.entries()] == [record.serial_number]
        assert read.number == 2


def test_a_server_that_slept_serves_no_stale_list(home: Path) -> None:
    with serving(home) as served:
        HomeClock(home / "clock.json").shift(timedelta(days=900))
        for path in ("crl", "arl"):
            answer = ask(f"{served.url}/crl/organisation.{path}")
            read = RevocationList.from_der(answer.body)
            assert read.next_update
            now = datetime.now(UTC) + timedelta(days=900)
            assert read.this_update <= now < read.next_update
            assert answer.headers["x-smki-time"][:10] == iso(now)[:10]
        assert b"does not show the real time" in ask(f"{served.url}/").body


@pytest.fixture(scope="module")
def travelling(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("travelling") / "pki"
    shutil.copytree(made_home, home)
    with serving(home, "--time-travel") as served:
        yield served


SEARCH = b"<CertificateSearchRequest><CertificateSubjectName>90-B3-D5-1F-30-00-00-01</CertificateSubjectName></CertificateSearchRequest>"


@pytest.mark.parametrize(("when", "status"), [("2030-01-01", "I"), ("2060-01-01", "E")])
def test_a_request_in_another_year(travelling: Served, when: str, status: str) -> None:
    answer = ask(f"{travelling.url}/services/certificatesearch", SEARCH, headers={"X-SMKI-Time": when})
    assert etree.fromstring(answer.body).findtext("Result/CertificateStatus") == status
    assert answer.headers["x-smki-time"] == f"{when}T00:00:00Z"
    present = ask(f"{travelling.url}/services/certificatesearch", SEARCH)
    assert etree.fromstring(present.body).findtext("Result/CertificateStatus") == "I"
    assert present.headers["x-smki-time"][:4] == str(datetime.now(UTC).year)


def test_a_list_can_be_seen_to_fall_overdue(travelling: Served) -> None:
    now = ask(f"{travelling.url}/crl/organisation.crl").body
    later = ask(f"{travelling.url}/crl/organisation.crl", headers={"X-SMKI-Time": "2060-01-01"})
    assert later.body == now
    assert later.headers["cache-control"] == "no-store"
    assert ask(f"{travelling.url}/crl/organisation.crl", headers={"X-SMKI-Time": "2000-01-01"}).status == 404
    assert ask(f"{travelling.url}/crl/organisation.crl").body == now
    bad = ask(f"{travelling.url}/healthz", headers={"X-SMKI-Time": "soon"})
    assert bad.status == 400
    assert b"time.malformed" in bad.body


def test_time_travel_is_off_by_default(served: Served) -> None:
    answer = ask(f"{served.url}/services/certificatesearch", SEARCH, headers={"X-SMKI-Time": "2060-01-01"})
    assert etree.fromstring(answer.body).findtext("Result/CertificateStatus") == "I"
    assert "x-smki-time" not in {name.lower() for name in answer.headers}
