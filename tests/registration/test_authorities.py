"""New authorities: after a crash in the middle of making one, and when there are many."""

from __future__ import annotations

from pathlib import Path

import pytest

from smki import Smki
from smki.ledger.sqlite.decisions import SqliteDecisions
from smki.registration import Actor
from smki.registration.authorities import EstablishAuthority
from smki.sec.role import CertificateKind

ADD = EstablishAuthority(CertificateKind.ISSUING_DCA)
ACTOR = Actor(interface="test")


@pytest.mark.parametrize("in_memory", [True, False])
def test_an_authority_is_made_after_a_crash_that_left_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: bool
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no more power")

    with Smki.in_memory() if in_memory else Smki.create(tmp_path / "pki") as smki:
        with monkeypatch.context() as patch:
            patch.setattr(SqliteDecisions, "record", fail)
            with pytest.raises(OSError, match="power"):
                smki.registration.execute(ADD, ACTOR)
        record = smki.registration.execute(ADD, ACTOR)
        assert record.certificate.common_name == "TD02"
        assert smki.hierarchy._load_key(record.certificate)
        assert smki.check().problems == ()


def test_authorities_have_names_of_their_own() -> None:
    with Smki.in_memory(seed="many") as smki:
        for _ in range(105):
            smki.registration.execute(ADD, ACTOR)
        names = [each.certificate.common_name for each in smki.authorities() if each.kind is ADD.kind]
        assert len(set(names)) == len(names) == 106
        assert names[98:101] == ["TD99", "T100", "T101"]
