"""An SMKI in memory: the same as in a directory, for several threads, and copied."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smki import DeviceType, EntityIdentifier, RemotePartyRole, SerialNumber, Smki
from smki.clock import NO_WELL_DEFINED_EXPIRY, AdjustableClock
from smki.home.configuration import SEEDED_START
from smki.keys.private_key import KeysInMemory, SystemRandomness
from smki.ledger import CertificateQuery, Revocation
from smki.ledger.sqlite.memory import MemoryLedger
from smki.problem import Malformed, NotFound, errors_among
from smki.profile.lint import lint_any
from smki.sec.role import CertificateKind
from tests.support import DEVICE, DS, KA


def everything(smki: Smki) -> list[bytes]:
    encoded = [record.der for record in smki.ledger.certificates(CertificateQuery())]
    return encoded + [made.current().der for made in smki.all_lists()]


def memory(smki: Smki) -> MemoryLedger:
    assert isinstance(smki.ledger, MemoryLedger)
    return smki.ledger


def test_it_is_the_same_as_in_a_directory(tmp_path: Path) -> None:
    clock = AdjustableClock(SEEDED_START)
    with Smki.create(tmp_path / "pki", seed="one") as made, Smki.in_memory(seed="one", clock=clock) as in_memory:
        on_disk = made.with_clock(clock)
        assert everything(in_memory) == everything(on_disk)
        for smki in (in_memory, on_disk):
            smki.issue_device(smki.make_device_request(DEVICE, DS)[1])
        assert everything(in_memory) == everything(on_disk)
        keys = [smki.dcc_key(RemotePartyRole.ACCESS_CONTROL_BROKER, KA) for smki in (in_memory, on_disk)]
        assert keys[0].private_numbers() == keys[1].private_numbers()


def test_another_seed_another_smki() -> None:
    with Smki.in_memory(seed="one") as one, Smki.in_memory(seed="two") as two:
        assert not set(everything(one)) & set(everything(two))


def test_every_check_of_the_ledger_holds() -> None:
    with Smki.in_memory() as smki:
        smki.issue_device(smki.make_device_request(DEVICE, KA)[1])
        assert smki.check().problems == ()
        assert smki.check().certificates == 11


def test_threads_share_it() -> None:
    with Smki.in_memory(seed="threads") as smki:
        found: list[SerialNumber] = []

        def issue(number: int) -> None:
            device = EntityIdentifier(b"\x00\xdb\x12\x34\x00\x00\x00" + bytes([number]))
            _, request = smki.make_device_request(device, DS)
            found.append(smki.issue_device(request, device_type=DeviceType.ESME).record.serial_number)

        threads = [threading.Thread(target=issue, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 16
        assert smki.check().problems == ()


def test_a_ledger_that_begins_with_an_image_of_another() -> None:
    with Smki.in_memory(seed="image") as smki:
        image, certificates = memory(smki).image(), smki.ledger.count_certificates()
        supplier = next(smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.ORGANISATION,))))
        copies = [MemoryLedger(image), MemoryLedger(image)]
        copies[0].transact(
            lambda tx: tx.add_revocation(
                Revocation(
                    serial_number=supplier.serial_number,
                    revoked=smki.clock.now(),
                    effective=smki.clock.now(),
                    reason="key-lost",
                    asked_by="test",
                )
            )
        )
        assert copies[0].revocations.of(supplier.serial_number) is not None
        # Neither the ledger it was taken of nor another copy sees what one copy does.
        for ledger in (copies[1], smki.ledger):
            assert ledger.revocations.of(supplier.serial_number) is None
            assert ledger.count_certificates() == certificates
        for ledger in copies:
            ledger.close()
    assert MemoryLedger().count_certificates() == 0


def test_a_directory_for_what_wants_one() -> None:
    with Smki.in_memory() as smki:
        path = smki.path
        (path / "file").write_text("")
        assert smki.path == smki.with_clock(smki.clock).path == path
        assert path.stat().st_mode & 0o777 == 0o700
    assert not path.exists()


def test_it_has_no_other_key() -> None:
    with Smki.in_memory() as smki, pytest.raises(NotFound, match=r"key\.missing"):
        smki.dcc_key(RemotePartyRole.SUPPLIER, KA)


def test_keys_in_memory() -> None:
    keys, one, other = KeysInMemory(), *(SystemRandomness().private_key("") for _ in range(2))
    keys.write("one", one)
    with pytest.raises(FileExistsError, match="key one in memory"):
        keys.write("one", other)
    assert keys.read("one") is one
    copy = keys.copy()
    assert copy.read("one") is one
    copy.write("other", other)
    with pytest.raises(NotFound, match=r"key\.missing"):
        keys.read("other")


def test_its_clock_can_be_set() -> None:
    with Smki.in_memory(seed="clock") as smki:
        clock = smki.clock
        assert isinstance(clock, AdjustableClock)
        assert (clock.setting, clock.now()) == ("fixed", SEEDED_START)
        clock.real()
        assert clock.setting == "real"
        assert clock.now() > SEEDED_START
    with Smki.in_memory() as smki:
        assert isinstance(smki.clock, AdjustableClock)
        assert smki.clock.setting == "real"


def test_a_seed_that_is_no_text() -> None:
    with pytest.raises(Malformed, match="Write the seed in UTF-8"):
        Smki.in_memory(seed="\udcff")


def test_an_smki_of_the_last_century_that_can_be_written() -> None:
    with Smki.in_memory(seed="late", at=datetime(9990, 1, 1, tzinfo=UTC)) as smki:
        authorities = [record.certificate for record in smki.authorities()]
        assert {certificate.not_after for certificate in authorities} == {NO_WELL_DEFINED_EXPIRY}
        for certificate in authorities:
            assert not errors_among(lint_any(certificate.der).findings)
