"""Whatever a Repository answers, the verdict says what was wrong with it; nothing escapes, and a good list stays good."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki import EntityIdentifier, SerialNumber
from smki.pki.revocation_entry import RevokedEntry
from smki.problem import Malformed
from smki.relying_party import RepositoryClient, Verdict, transport
from smki.relying_party.transport import Limits, RepositoryError, Transport
from smki.testing.defects import Base
from smki.testing.defects.edits import signed_by
from smki.testing.vectors import MOMENT
from tests.relying_party.server import (
    CRL,
    PKI,
    SUPPLIER,
    Misbehaviour,
    client_of,
    encoded,
    judge,
    party_with,
    raw,
    redirecting_to,
    repository,
    then,
)

HOUR = timedelta(hours=1)
ISSUED = MOMENT - 6 * HOUR
"""thisUpdate of the lists made here."""
GOOD_CRL = PKI.good_bytes(Base.CRL)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

LOCATIONS = [
    b"http://[",
    b"http://[::1",
    b"//[",
    b"http://caf\xc3\xa9.example/",
    b"/caf\xc3\xa9.crl",
    b"/\xff\xfe",
    b"file:///etc/passwd",
    b"ftp://127.0.0.1/organisation.crl",
    b"gopher://127.0.0.1/",
    b"javascript:alert(1)",
    b"data:application/pkix-crl;base64,MA==",
    b"http://",
    b"http://127.0.0.1:99999/",
    b"http://127.0.0.1:port/",
    b"http://127.0.0.1:-1/",
    b"/with a space",
    b"/tab\tbed",
    b"/nul\x00led",
    b"/escape\x1b[31m",
    b"http://" + b"a" * 5000 + b"/",
]
HOSTS = [
    b"http://a..b/",
    b"http://.a/",
    b"http://" + b"a" * 64 + b".example/",
    b"http://no-such-host.invalid/",
    b"http://%00/",
]


@pytest.mark.parametrize("location", LOCATIONS, ids=repr)
def test_redirects_to_what_is_no_url_over_http(location: bytes) -> None:
    assert_said(redirecting_to(location), "repository.redirect")


@pytest.mark.parametrize("location", HOSTS, ids=repr)
def test_redirects_to_hosts_that_cannot_be(location: bytes) -> None:
    assert_said(redirecting_to(location), "repository.unreachable")


@pytest.mark.parametrize(
    ("answer", "within"),
    [
        (b"", "repository.unreachable"),
        (b"\r\n\r\n", "repository.unreachable"),
        (b"HTTP/1.1 two hundred\r\n\r\n", "repository.unreachable"),
        (b"HTTP/1.1 99999 OK\r\n\r\n", "repository.unreachable"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "repository.unreachable"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", "repository.unreachable"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", "repository.unreachable"),
        (b"HTTP/1.1 200 \xff\xfe\r\nContent-Type: \xff\xfe\r\n\r\n", "repository.content-type"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "repository.status"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "repository.status"),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "repository.status"),
        (OK + b"Content-Length: -5\r\n\r\n", "repository.not-a-list"),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", "repository.not-a-list"),
        (OK + b"Content-Length: 5\r\n\r\n123", "repository.unreachable"),
        (CHUNKED, "repository.unreachable"),
        (CHUNKED + b"-5\r\nabcde\r\n0\r\n\r\n", "repository.unreachable"),
        (CHUNKED + b"-1\r\nabcde", "repository.unreachable"),
        (CHUNKED + b"0x5\r\nabcde\r\n0\r\n\r\n", "repository.unreachable"),
        (CHUNKED + b"+5\r\nabcde\r\n0\r\n\r\n", "repository.unreachable"),
        (CHUNKED + b"1_0\r\nabcde\r\n0\r\n\r\n", "repository.unreachable"),
        (CHUNKED + b"five\r\nabcde\r\n0\r\n\r\n", "repository.unreachable"),
        (CHUNKED + b"f" * 5000 + b"\r\n", "repository.unreachable"),
        (CHUNKED + b"5\r\nabc", "repository.unreachable"),
        (CHUNKED + b"5\r\nabcdefgh\r\n0\r\n\r\n", "repository.unreachable"),
        (CHUNKED + b"5\r\nabcde\r\n0\r\n\r\n", "repository.not-a-list"),
        (CHUNKED + b"fffffffff\r\n", "repository.unreachable"),
    ],
    ids=lambda value: repr(value)[-40:] if isinstance(value, bytes) else value,
)
def test_answers_that_are_no_http(answer: bytes, within: str) -> None:
    assert_said(raw(answer), within)


def assert_said(misbehaviour: Misbehaviour, within: str) -> None:
    """Not trusted without a list, and why; trusted with the good list of the question before, and why it is not newer."""
    with repository(crl=misbehaviour) as served:
        client = client_of(served.url)
        verdict = judge(client)
        assert verdict.reason is not None
        assert verdict.reason.code == "revocation.unavailable"
        assert within in verdict.reason.seen
        assert [problem.code for problem in client.problems()] == [within]
        assert all(problem.seen.isprintable() and problem.seen.isascii() for problem in client.problems())
    with repository(crl=then(encoded(GOOD_CRL), misbehaviour)) as served:
        client = client_of(served.url)
        assert judge(client).trusted
        assert judge(client).trusted
        assert [problem.code for problem in client.problems()] == [within]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([b"Location: ", b"", b"ETag: ", b"Transfer-Encoding: chunked\r\n\r\n"]), st.binary(max_size=40))
def test_any_bytes_get_a_verdict(before: bytes, rubbish: bytes) -> None:
    status = b"302 Found" if before.startswith(b"Location") else b"200 OK"
    quick = Limits(seconds=1.0, connect_seconds=0.5, attempts=1)
    with repository(crl=raw(b"HTTP/1.1 " + status + b"\r\n" + before + rubbish + b"\r\n\r\n")) as served:
        assert not party_with(RepositoryClient(served.url, limits=quick, refresh=0)).verify(SUPPLIER, at=MOMENT).trusted


def test_a_chunked_list_is_a_list() -> None:
    parts = [GOOD_CRL[at : at + 100] for at in range(0, len(GOOD_CRL), 100)]
    body = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts)
    with repository(crl=raw(CHUNKED + body + b"0\r\nTrailer: x\r\n\r\n")) as served:
        assert judge(client_of(served.url)).trusted


def test_a_chunk_without_end_stays_bounded() -> None:
    """http.client would read a chunk of -1 bytes until the connection ends, into memory."""
    with repository(crl=raw(CHUNKED + b"-1\r\n" + bytes(64 * 1024**2))) as served:
        client = client_of(served.url)
        tracemalloc.start()
        try:
            assert not judge(client).trusted
            # The server holds its 64 MB from before.
            assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("etag", [b'"1\r\n 2"', b'"\xe9"', b'"' + b"x" * 5000 + b'"', b'"\x01"'], ids=repr)
def test_an_etag_that_cannot_be_sent_back(etag: bytes, tmp_path: Path) -> None:
    answer = raw(OK + b"ETag: " + etag + b"\r\nContent-Length: %d\r\n\r\n" % len(GOOD_CRL) + GOOD_CRL)
    with repository(crl=answer) as served:
        for client in (client_of(served.url, tmp_path), client_of(served.url, tmp_path)):
            for _ in range(2):
                assert judge(client).trusted
                assert client.problems() == []
        assert {condition for path, condition in served.asked if path == CRL} == {""}


def test_notes_in_the_cache_that_cannot_be_sent(tmp_path: Path) -> None:
    with repository(encoded(GOOD_CRL, etag='"1"')) as served:
        assert judge(client_of(served.url, tmp_path)).trusted
        for file in tmp_path.glob("organisation-crl*"):
            head, _, body = file.read_bytes().partition(b"\n")
            file.write_bytes(json.dumps({**json.loads(head), "etag": "\u2603\r\nX: y"}).encode() + b"\n" + body)
        client = client_of(served.url, tmp_path)
        assert judge(client).trusted
        assert client.problems() == []


def test_from_https_to_http_is_refused() -> None:
    with pytest.raises(RepositoryError) as raised:
        transport._redirected("https://a/", "https://a/", "http://a/x")
    assert raised.value.problems[0].expected == "https throughout"
    assert transport._redirected("http://a/", "http://a/b/c", "../d") == "http://a/d"
    assert transport._redirected("http://a/", "http://a/", "https://a/x") == "https://a/x"


@pytest.mark.parametrize(
    "url", ["http://[", "http://caf\u00e9/", "http://a/caf\u00e9", "http://a\r\nb", "http://" + "a" * 3000]
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(Malformed):
        Transport(url)


# Searches and retrievals


@pytest.mark.parametrize(
    "body",
    [
        "<CertificateDataResponse><CertificateBody>caf\u00e9</CertificateBody></CertificateDataResponse>",
        "<CertificateDataResponse><CertificateBody>MA=</CertificateBody></CertificateDataResponse>",
        "<CertificateDataResponse/>",
        "<a>" * 500,
        "<?xml version='1.0' encoding='no-such'?><a/>",
        "<?xml version='1.0' encoding='UTF-32'?><a/>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        "",
    ],
)
def test_answers_to_a_retrieval(body: str) -> None:
    with asked(body) as client, pytest.raises(RepositoryError):
        client.retrieve(SerialNumber(1))


@pytest.mark.parametrize("role", ["9" * 5000, "\u0662", "-1", "1e3", "wizard", ""])
def test_roles_that_a_search_may_find(role: str) -> None:
    result = (
        "<a><Result><CertificateSerial>1</CertificateSerial><CertificateSubjectName>90-B3-D5-1F-30-01-00-00"
        "</CertificateSubjectName><CertificateStatus>I</CertificateStatus><CertificateUsage>DS</CertificateUsage>"
        f"<CertificateRole>{role}</CertificateRole></Result></a>"
    )
    with asked(result) as client:
        (found,) = client.search(EntityIdentifier.parse("90B3D51F30010000"))
        assert found.role is None


# The lists that are served depend on the moment asked about, not on the moments asked about before.

ENTRY = RevokedEntry(PKI.serial_number(Base.ORGANISATION.value), MOMENT - 5 * HOUR)


def test_moments_in_any_order() -> None:
    """The newest list falls due before the one that came before it."""
    older = PKI.revocation_list(Base.CRL, number=1000, since=ISSUED, revoked=())
    newest = PKI.revocation_list(Base.CRL, number=1001, since=ISSUED, until=MOMENT + HOUR, revoked=[ENTRY])
    moments = [MOMENT + hours * HOUR for hours in (0, 1, 2, 45)]
    found: dict[object, set[str]] = {}
    for order in permutations(moments):
        with repository(crl=then(encoded(older), encoded(newest))) as served:
            client = client_of(served.url, refresh=60)
            party = party_with(client)
            assert party.verify(SUPPLIER, at=MOMENT).trusted
            client.refresh()
            for moment in order:
                found.setdefault(moment, set()).add(code(party.verify(SUPPLIER, at=moment)))
    assert found[moments[0]] == found[moments[1]] == {"revocation.revoked"}
    # Once the newest was found genuine, the older one is not kept: either way there is no list to go by.
    assert found[moments[2]] == {"revocation.unavailable", "revocation.list-rolled-back"}
    assert found[moments[3]] == {"revocation.unavailable"}


def test_a_forged_list_of_the_same_number_and_time_is_not_kept_as_the_good_one(tmp_path: Path) -> None:
    """A number that is noted makes good the list that was verified, not whatever came in between."""
    forged = PKI.revocation_list(Base.CRL, signed_by("stranger"), number=1000, since=ISSUED)
    with repository(crl=encoded(forged)) as served:
        client = client_of(served.url, tmp_path)
        assert not judge(client).trusted
        issuer = Base.ISSUING_OCA
        client.seen.note(PKI.name(issuer) + PKI.point(issuer.value), 1000, ISSUED)
        assert not (tmp_path / "organisation-crl.good").exists()


def test_numbers_are_kept_for_each_moment(tmp_path: Path) -> None:
    """A party that starts again knows as much of the past as one that went on."""
    client = client_of("http://127.0.0.1:1", tmp_path)
    for number, hours in ((10, 0), (12, 2), (14, 4)):
        client.seen.note(b"x", number, MOMENT + hours * HOUR)
    again = client_of("http://127.0.0.1:1", tmp_path).seen
    asked_at = [MOMENT + hours * HOUR for hours in range(-1, 6)]
    assert [again.highest(b"x", at) for at in asked_at] == [client.seen.highest(b"x", at) for at in asked_at]
    assert [again.highest(b"x", at) for at in asked_at] == [None, 10, 10, 12, 12, 14, 14]


@contextlib.contextmanager
def asked(body: str) -> Iterator[RepositoryClient]:
    """A client of a Repository that answers every search and retrieval alike."""
    answer = encoded(body.encode(), "application/xml")
    with repository() as served:
        served.answers |= {"/services/certificatesearch": answer, "/services/retrievecertificate": answer}
        yield client_of(served.url)


def code(verdict: Verdict) -> str:
    return verdict.reason.code if verdict.reason is not None else "trusted"
