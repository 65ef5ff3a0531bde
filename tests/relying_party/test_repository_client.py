"""The client: against our own Repository, without a network, and asking no more than it has to."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from smki import EntityIdentifier, SerialNumber
from smki.pki.revocation_entry import RevokedEntry
from smki.problem import IntegrityError, Malformed, NotFound
from smki.relying_party import RepositoryClient
from smki.relying_party.transport import Limits, RepositoryError
from smki.sec.role import CertificateStatus, KeyUsage, RemotePartyRole
from smki.testing.defects import Base
from smki.testing.vectors import MOMENT
from tests.relying_party.server import PKI, SUPPLIER, client_of, encoded, judge, party_with, repository
from tests.repository.support import serving


def test_search_and_retrieval_from_our_own_repository(home: Path) -> None:
    with serving(home) as served:
        client = RepositoryClient(served.url)
        broker = EntityIdentifier.parse("90B3D51F30000002")
        found = client.search(broker)
        assert {(one.role, one.usage) for one in found} == {
            (RemotePartyRole.ACCESS_CONTROL_BROKER, usage)
            for usage in (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)
        }
        retrieved = client.retrieve(found[0].serial_number)
        assert retrieved.certificate.entity_identifier == broker
        assert retrieved.status is CertificateStatus.IN_USE
        assert client.search(EntityIdentifier.parse("0000000000000001"), device=True) == []
        with pytest.raises(NotFound):
            client.retrieve(SerialNumber(1))


def test_it_works_without_network_while_its_lists_are_current(tmp_path: Path) -> None:
    with repository() as served:
        assert judge(client_of(served.url, tmp_path)).trusted
    alone = client_of(served.url, tmp_path)
    assert judge(alone).trusted
    assert {problem.code for problem in alone.problems()} == {"repository.unreachable"}
    verdict = judge(alone, at=MOMENT + timedelta(hours=48))
    assert verdict.reason is not None
    assert verdict.reason.code == "revocation.unavailable"


def test_it_asks_conditionally_and_not_too_often(tmp_path: Path) -> None:
    with repository(
        encoded(PKI.good_bytes(Base.CRL), etag='"1"'), encoded(PKI.good_bytes(Base.ARL), etag='"2"')
    ) as served:
        assert judge(client_of(served.url, tmp_path)).trusted
        assert [condition for _, condition in served.asked] == ["", ""]
        patient = client_of(served.url, tmp_path, refresh=60)
        for _ in range(5):
            assert judge(patient).trusted
        assert [condition for _, condition in served.asked[2:]] == ['"1"', '"2"']


def test_it_asks_as_often_as_it_is_told() -> None:
    with repository() as served:
        party = party_with(client_of(served.url, refresh=0))
        for questions in (2, 4):
            assert party.verify(SUPPLIER, at=MOMENT).trusted
            assert len(served.asked) == questions


def test_it_is_as_patient_as_it_is_told() -> None:
    with repository() as served:
        served.answers["/services/certificatesearch"] = encoded(b"", status=500)
        with pytest.raises(RepositoryError):
            RepositoryClient(served.url, limits=Limits(attempts=1)).search(EntityIdentifier.parse("90B3D51F30000002"))
        assert len(served.asked) == 1


def test_a_revocation_is_noticed_at_the_next_question() -> None:
    entry = RevokedEntry(PKI.serial_number(Base.ORGANISATION.value), MOMENT - timedelta(hours=1))
    with repository() as served:
        client = client_of(served.url, refresh=60)
        party = party_with(client)
        assert party.verify(SUPPLIER, at=MOMENT).trusted
        served.answers["/crl/organisation.crl"] = encoded(PKI.revocation_list(Base.CRL, number=1001, revoked=[entry]))
        assert party.verify(SUPPLIER, at=MOMENT).trusted
        client.refresh()
        verdict = party.verify(SUPPLIER, at=MOMENT)
        assert verdict.reason is not None
        assert verdict.reason.code == "revocation.revoked"


@pytest.mark.parametrize("content", [b"", b"{", b"not json\nlist", b'{"bytes": "5"}\nabc', bytes(100)])
def test_a_damaged_cache_is_no_cache(tmp_path: Path, content: bytes) -> None:
    with repository() as served:
        assert judge(client_of(served.url, tmp_path)).trusted
        for file in tmp_path.glob("organisation-*"):
            file.write_bytes(content)
        assert judge(client_of(served.url, tmp_path)).trusted
    for file in tmp_path.glob("organisation-*"):
        file.write_bytes(content)
    assert not judge(client_of(served.url, tmp_path)).trusted


def test_damaged_numbers_are_said(tmp_path: Path) -> None:
    (tmp_path / "numbers.json").write_text("{")
    with pytest.raises(IntegrityError, match="numbers"):
        client_of("http://127.0.0.1:1", tmp_path)


@pytest.mark.parametrize("url", ["", "ftp://host", "http://", "http://host:x", "host", "http://a b"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(Malformed):
        RepositoryClient(url)


def test_threads_share_a_party() -> None:
    with repository() as served:
        party = party_with(client_of(served.url, refresh=0.01))
        wrong: list[object] = []

        def work() -> None:
            for step in range(40):
                verdict = party.verify(SUPPLIER, at=MOMENT + timedelta(seconds=step % 7))
                if not verdict.trusted:
                    wrong.append(verdict.reason)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong
