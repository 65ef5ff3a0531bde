"""A hostile Repository: each misbehaviour is "not trusted" with its reason, in time and in bounded memory."""

from __future__ import annotations

import time
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest

from smki.testing.defects import Base
from smki.testing.defects.edits import signed_by
from smki.testing.vectors import MOMENT
from tests.relying_party.server import (
    LIMITS,
    PKI,
    Misbehaviour,
    client_of,
    cut_short,
    dripping,
    dripping_headers,
    encoded,
    endless,
    judge,
    promising,
    redirecting,
    repository,
    then,
)

_10_GB = 10 * 1024**3
CASES: list[tuple[str, Misbehaviour, str, str]] = [
    ("wrong content type", encoded(PKI.good_bytes(Base.CRL), "text/html"), "revocation.unavailable", "repository.content-type"),
    ("no content type", encoded(PKI.good_bytes(Base.CRL), ""), "revocation.unavailable", "repository.content-type"),
    ("a list that ends early", encoded(PKI.good_bytes(Base.CRL)[:-30]), "revocation.unavailable", "repository.not-a-list"),
    ("a connection that ends early", cut_short(PKI.good_bytes(Base.CRL)), "revocation.unavailable", "repository.unreachable"),
    ("a web page", encoded(b"<html></html>"), "revocation.unavailable", "repository.not-a-list"),
    ("nothing", encoded(b""), "revocation.unavailable", "repository.not-a-list"),
    ("the list of another authority", encoded(PKI.good_bytes(Base.ARL)), "revocation.list-issuer", ""),
    ("10 GB promised", promising(_10_GB), "revocation.unavailable", "repository.too-large"),
    ("no end", endless, "revocation.unavailable", "repository.too-large"),
    ("redirects without end", redirecting, "revocation.unavailable", "repository.redirect"),
    ("a slow drip", dripping, "revocation.unavailable", "repository.timeout"),
    ("a slow drip of headers", dripping_headers, "revocation.unavailable", "repository.timeout"),
    ("not there", encoded(b"", status=404), "revocation.unavailable", "repository.status"),
    ("always 500", encoded(b"", status=500), "revocation.unavailable", "repository.status"),
    ("an overdue list", encoded(PKI.revocation_list(Base.CRL, since=MOMENT - timedelta(days=9))), "revocation.unavailable", "repository.overdue"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "misbehaviour", "code", "within"), CASES, ids=[case[0] for case in CASES])
def test_misbehaviour(what: str, misbehaviour: Misbehaviour, code: str, within: str) -> None:
    with repository(crl=misbehaviour) as served:
        client = client_of(served.url)
        start = time.monotonic()
        verdict = judge(client)
        assert time.monotonic() - start < 2 * LIMITS.seconds + 1
    assert not verdict.trusted
    assert verdict.reason is not None
    assert verdict.reason.code == code
    assert within in verdict.reason.seen
    if within:
        assert [problem.code for problem in client.problems()] in ([within], [])


def test_memory_stays_bounded() -> None:
    with repository(crl=endless) as served:
        client = client_of(served.url)
        tracemalloc.start()
        try:
            assert not judge(client).trusted
            assert tracemalloc.get_traced_memory()[1] < 160 * 1024**2
        finally:
            tracemalloc.stop()


def test_500_then_200_is_trusted() -> None:
    with repository(crl=then(encoded(b"", status=500), encoded(PKI.good_bytes(Base.CRL)))) as served:
        assert judge(client_of(served.url)).trusted
        assert len(served.asked) == 3


def test_nobody_there() -> None:
    with repository() as served:
        pass
    verdict = judge(client_of(served.url))
    assert verdict.reason is not None
    assert "repository.unreachable" in verdict.reason.seen


def test_an_old_list_replayed(tmp_path: Path) -> None:
    """Once the newer list has fallen due, an older one is refused, whatever its times say, and after a restart too."""
    newer = PKI.revocation_list(Base.CRL, number=2000)
    older = PKI.revocation_list(Base.CRL, number=1999, until=MOMENT + timedelta(days=30))
    later = MOMENT + timedelta(days=5)
    with repository(crl=then(encoded(newer), encoded(older))) as served:
        client = client_of(served.url, tmp_path)
        assert judge(client).trusted
        # While the newer one is current it is used, and the replay is reported.
        assert judge(client).trusted
        assert [problem.code for problem in client.problems()] == ["repository.rolled-back"]
        for again in (client, client_of(served.url, tmp_path)):
            verdict = judge(again, at=later)
            assert verdict.reason is not None
            assert verdict.reason.code == "revocation.unavailable"
            assert "repository.rolled-back" in verdict.reason.seen
        # With the lists gone from the cache, the numbers alone are enough.
        for file in tmp_path.glob("organisation-*"):
            file.unlink()
        verdict = judge(client_of(served.url, tmp_path), at=later)
        assert verdict.reason is not None
        assert verdict.reason.code == "revocation.list-rolled-back"


def test_a_forged_list_does_not_push_out_the_good_one(tmp_path: Path) -> None:
    forged = PKI.revocation_list(Base.CRL, signed_by("stranger"), number=1 << 60)
    with repository(crl=then(encoded(PKI.good_bytes(Base.CRL)), encoded(forged))) as served:
        client = client_of(served.url, tmp_path)
        assert judge(client).trusted
        assert judge(client).trusted
        served.answers["/crl/organisation.crl"] = encoded(PKI.revocation_list(Base.CRL, number=1001))
        assert judge(client).trusted
    assert judge(client_of(served.url, tmp_path)).trusted
