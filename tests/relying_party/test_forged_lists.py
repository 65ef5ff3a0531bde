"""A list is read only after its signature was verified: what a forged one costs does not depend on its entries."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from smki.clock import FixedClock
from smki.identity import SerialNumber
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.pem import MAX_INPUT_BYTES
from smki.pki.revocation_entry import RevokedEntry
from smki.pki.revocation_list import RevocationList, read_revocation_list
from smki.problem import Finding
from smki.profile.lint_list import lint_revocation_list
from smki.profile.tables import ORGANISATION_CRL
from smki.relying_party import RelyingParty, RevocationLists, Verdict, list_follower, lists
from smki.relying_party.list_cache import ListCache
from smki.relying_party.lists import HeldList
from smki.relying_party.verdict import Outcome
from smki.testing.defects import Base
from smki.testing.defects.edits import signed_by
from smki.testing.vectors import MOMENT
from tests.relying_party.server import PKI, SUPPLIER, client_of, encoded, judge, repository

ENTRIES = 250_000
ROOT, ISSUER, ARL = (PKI.good_bytes(base) for base in (Base.ROOT_OCA, Base.ISSUING_OCA, Base.ARL))


def crl(count: int, *edits: object, number: int = 1 << 60) -> bytes:
    before = MOMENT - timedelta(days=30)
    entries = [RevokedEntry(SerialNumber((1 << 126) + 7919 * at), before) for at in range(count)]
    return PKI.revocation_list(Base.CRL, *edits, revoked=entries, number=number)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def forged() -> bytes:
    """A list with the name and key identifier of the Issuing OCA, and a higher number, that somebody else signed."""
    return crl(ENTRIES, signed_by("stranger"))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The sizes of the lists whose entries were linted and read."""
    done = SimpleNamespace(linted=[], read=[])
    of_bytes = RevocationList.from_der

    def linting(data: bytes) -> list[Finding]:
        done.linted.append(len(data))
        return lint_revocation_list(data)

    def reading(data: bytes) -> RevocationList:
        done.read.append(len(data))
        return of_bytes(data)

    monkeypatch.setattr("smki.relying_party.lists.lint_revocation_list", linting)
    monkeypatch.setattr(RevocationList, "from_der", reading)
    return done


def verify(*crls: bytes) -> Verdict:
    given = RevocationLists.of(crls, [ARL])
    party = RelyingParty([Certificate.from_der(ROOT)], given, chain=[ISSUER], clock=FixedClock(MOMENT))
    return party.verify(SUPPLIER)


def refused_for_its_signature(verdict: Verdict) -> bool:
    reason = verdict.reason
    return reason is not None and (reason.code, reason.seen) == ("revocation.list-signature", "it does not verify")


def test_a_forged_list_is_neither_linted_nor_read(forged: bytes, read: SimpleNamespace) -> None:
    assert refused_for_its_signature(verify(forged))
    assert read.linted == read.read == [len(ARL)]


def test_a_good_list_beside_forged_ones_is_the_only_one_read(forged: bytes, read: SimpleNamespace) -> None:
    good = PKI.good_bytes(Base.CRL)
    assert verify(forged, good, crl(5, signed_by("root-oca"))).trusted
    assert sorted(read.linted) == sorted(read.read) == sorted([len(ARL), len(good)])


def test_a_forged_list_takes_no_memory_for_its_entries(forged: bytes) -> None:
    verify(PKI.good_bytes(Base.CRL))
    tracemalloc.start()
    try:
        assert refused_for_its_signature(verify(forged))
        assert tracemalloc.get_traced_memory()[1] < len(forged) // 8
    finally:
        tracemalloc.stop()


def test_checks_that_are_not_made_of_a_forged_list_say_so(forged: bytes) -> None:
    checks = {check.requirement.name: check for check in verify(forged).checks if "CRL" in check.certificate}
    not_reached = {name for name, check in checks.items() if check.outcome is Outcome.NOT_REACHED}
    assert not_reached == {"revocation.list-profile", "revocation.list-current", "revocation.list-number"}
    assert checks["revocation.list-issuer"].outcome is Outcome.HELD


def test_the_profile_of_a_list_with_a_good_signature_is_still_checked(read: SimpleNamespace) -> None:
    entry = RevokedEntry(SerialNumber(1 << 126), MOMENT - timedelta(days=1))
    repeated = PKI.revocation_list(Base.CRL, revoked=[entry, entry])
    reason = verify(repeated).reason
    assert reason is not None
    assert reason.code == "revocation.list-profile"
    assert reason.seen.startswith("entry.repeated at tbsCertList.revokedCertificates[1]")
    assert len(repeated) in read.linted


@pytest.fixture
def served_forgery(forged: bytes) -> Iterator[str]:
    with repository(encoded(forged), encoded(ARL)) as served:
        yield served.url


def test_a_forged_list_from_a_repository_is_not_read(
    served_forgery: str, forged: bytes, read: SimpleNamespace, tmp_path: Path
) -> None:
    assert refused_for_its_signature(judge(client_of(served_forgery, tmp_path)))
    assert len(forged) not in read.linted + read.read
    # Nor when it comes from the cache of an earlier run.
    assert refused_for_its_signature(judge(client_of("http://127.0.0.1:1", tmp_path)))
    assert len(forged) not in read.linted + read.read


def test_following_a_repository_reads_no_entries_of_any_list(
    served_forgery: str, read: SimpleNamespace, tmp_path: Path
) -> None:
    client = client_of(served_forgery, tmp_path)
    follower = list_follower.ListFollower(client._transport, ListCache(tmp_path))
    found = follower.revocation_lists(MOMENT)
    assert (len(found.crls), len(found.arls)) == (1, 1)
    assert read.linted == read.read == []


def test_a_list_larger_than_any_input_is_not_even_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "read_revocation_list", None)
    outline = HeldList(bytes(MAX_INPUT_BYTES + 1), ORGANISATION_CRL).outline
    assert outline.digest == b""
    assert outline.complaint is not None
    assert outline.complaint[0] == f"der.too-large at certificateList: {MAX_INPUT_BYTES + 1} bytes"


def nulls(count: int) -> bytes:
    return b"\x05\x00" * count


@pytest.mark.parametrize(
    "extension",
    [
        der.sequence(der.oid("2.5.29.20"), der.octet_string(b""), nulls(1_000_000)),
        der.sequence(der.oid("2.5.29.20"), nulls(1_000_000), der.octet_string(b"")),
        nulls(1_000_000),
        der.sequence(nulls(1_000_000)),
    ],
)
def test_an_outline_of_a_million_elements_is_bounded(extension: bytes) -> None:
    """Everything but the entries is bounded before anything in it is read one by one."""
    parts = read_revocation_list(crl(1))
    assert parts.tbs is not None
    fields = b"".join(part.encoded for part in parts.tbs.children()[:-1])
    tbs = der.sequence(fields, der.explicit(0, der.sequence(extension)))
    assert parts.outer is not None
    forgery = der.sequence(tbs, *(part.encoded for part in parts.outer.children()[1:]))
    tracemalloc.start()
    try:
        outline = HeldList(forgery, ORGANISATION_CRL).outline
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert outline.header is None
    assert outline.complaint is not None
    assert refused_for_its_signature(verify(forgery))
