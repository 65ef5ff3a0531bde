"""Commands that fail halfway leave nothing behind, outside the ledger either."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smki import Smki
from smki.home.smki import CLOCK_FILE
from smki.keys.private_key import PASSPHRASE_VARIABLE
from smki.ledger import LedgerUnavailable
from smki.ledger.sqlite.transaction import SqliteTransaction
from smki.problem import SmkiError
from smki.registration.authorities import EstablishAuthority
from smki.registration.clock import SetClock
from smki.sec.role import CertificateKind
from tests.commands import TEST
from tests.registration.register_cases import home_clock


def test_an_authority_that_cannot_be_signed_leaves_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the key, under another passphrase, would stand in the way of that authority for ever."""
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "right")
    Smki.create(tmp_path / "pki").close()
    keys = sorted((tmp_path / "pki" / "keys").rglob("*"))

    monkeypatch.setenv(PASSPHRASE_VARIABLE, "wrong")
    with Smki.open(tmp_path / "pki") as smki, pytest.raises(SmkiError) as caught:
        smki.registration.execute(EstablishAuthority(CertificateKind.ISSUING_DCA), TEST)

    assert caught.value.code == "key.unreadable"
    assert sorted((tmp_path / "pki" / "keys").rglob("*")) == keys
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "right")
    with Smki.open(tmp_path / "pki") as smki:
        smki.registration.execute(EstablishAuthority(CertificateKind.ISSUING_DCA), TEST)


@pytest.mark.parametrize("before", [None, datetime(2030, 1, 1, tzinfo=UTC)])
def test_a_clock_is_not_set_when_the_event_cannot_be_stored(
    home: Path, monkeypatch: pytest.MonkeyPatch, before: datetime | None
) -> None:
    def full(self: SqliteTransaction, event: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    with Smki.open(home) as smki:
        clock = home_clock(smki)
        if before is not None:
            clock.set(before)
        setting = (home / CLOCK_FILE).read_bytes() if before is not None else None
        monkeypatch.setattr(SqliteTransaction, "append_event", full)
        for command in (SetClock(clock=clock, fixed=datetime(2040, 1, 1, tzinfo=UTC)), SetClock(clock=clock)):
            with pytest.raises(LedgerUnavailable):
                smki.registration.execute(command, TEST)
            assert ((home / CLOCK_FILE).read_bytes() if before is not None else None) == setting
            assert (home / CLOCK_FILE).exists() is (before is not None)
