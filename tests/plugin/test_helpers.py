"""The helpers of smki.testing without pytest's fixtures: keys, cells, bundles, time, templates."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from smki import Certificate, CertificateStatus, DeviceType, KeyUsage, RemotePartyRole, Smki
from smki.ledger import CertificateQuery
from smki.pki.pem import decode_input
from smki.problem import Malformed, NotFound, NotReady, SmkiError
from smki.profile.forms import Mark
from smki.registration import Actor, Refused
from smki.registration.authorities import EstablishAuthority
from smki.sec.role import CertificateKind
from smki.testing import (
    CELLS,
    CellUsage,
    ClockControl,
    Dcc,
    DeviceUnderTest,
    Organisation,
    SmkiFactory,
    SmkiTemplate,
    WrongKeyUsage,
    assert_conformant,
    assert_refused,
    revoke,
)

R, T, DS, KA, CERT_SIGN = (
    RemotePartyRole,
    DeviceType,
    KeyUsage.DIGITAL_SIGNATURE,
    KeyUsage.KEY_AGREEMENT,
    KeyUsage.KEY_CERT_SIGN,
)
TOP_UP = CellUsage.PREPAYMENT_TOP_UP


# Keys


def test_a_key_in_every_form(meter: DeviceUnderTest) -> None:
    for credential in meter.credentials:
        point = credential.certificate.point
        assert point is not None
        assert (len(credential.d_hex), len(credential.xy_hex)) == (64, 128)
        assert bytes.fromhex("04" + credential.xy_hex) == point
        derived = ec.derive_private_key(int(credential.d_hex, 16), ec.SECP256R1())
        for key in (
            load_der_private_key(credential.pkcs8, None),
            load_pem_private_key(credential.pkcs8_pem.encode(), None),
        ):
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            assert key.private_numbers() == derived.private_numbers() == credential.key.private_numbers()
        assert Certificate.from_der(decode_input(credential.pem.encode())[0].der) == credential.certificate
        assert credential.d_hex not in repr(credential) + repr(meter)


@given(data=st.binary(max_size=300), at=st.integers(0, 63))
def test_signatures(large_supplier: Organisation, data: bytes, at: int) -> None:
    signer = large_supplier.digital_signature
    signature = signer.sign(data)
    assert len(signature) == 64
    assert signature == signer.sign(data)
    assert signer.verify(data, signature)
    assert not signer.verify(data + b"\0", signature)
    assert not signer.verify(data, signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :])
    assert not signer.verify(data, signature[:at])


def test_keys_are_for_what_they_are_for(meter: DeviceUnderTest, large_supplier: Organisation) -> None:
    with pytest.raises(WrongKeyUsage, match=r"keyAgreement, used to sign; expected digitalSignature"):
        meter.key_agreement.sign(b"")
    with pytest.raises(WrongKeyUsage, match="digitalSignature, used for key agreement; expected keyAgreement"):
        meter.digital_signature.shared_secret(meter.key_agreement)
    with pytest.raises(WrongKeyUsage, match=str(large_supplier.digital_signature.serial_number)):
        meter.key_agreement.shared_secret(large_supplier.digital_signature)


def test_a_shared_secret(world: Smki, meter: DeviceUnderTest, large_supplier: Organisation) -> None:
    broker = Dcc.of(world).access_control_broker.key_agreement
    secrets = {
        meter.key_agreement.shared_secret(broker),
        broker.shared_secret(meter.key_agreement.certificate),
        meter.key_agreement.shared_secret(large_supplier.key_agreement),
        meter.key_agreement.shared_secret(large_supplier.top_up),
    }
    assert {len(secret) for secret in secrets} == {32}
    assert len(secrets) == 3


# Who there is


def test_a_shared_secret_with_a_certificate_as_der(meter: DeviceUnderTest, large_supplier: Organisation) -> None:
    theirs = large_supplier.key_agreement
    assert meter.key_agreement.shared_secret(theirs.der) == theirs.shared_secret(meter.key_agreement.certificate)
    with pytest.raises(Malformed):
        meter.key_agreement.shared_secret(b"no certificate")


def test_a_certificate_of_another_smki(meter: DeviceUnderTest) -> None:
    with Smki.in_memory(seed="another") as another:
        with pytest.raises(NotFound, match=r"certificate\.unknown"):
            _ = replace(meter.digital_signature, smki=another).status
        with pytest.raises(NotFound, match=r"device\.unknown"):
            _ = replace(DeviceUnderTest.make(meter.smki, "ESME", name="elsewhere"), smki=another).smi_entry


def test_an_organisation_in_every_role(world: Smki) -> None:
    for role in R:
        if not role.usages:
            with pytest.raises(NotFound, match=r"role\.no-certificates"):
                Organisation.make(world, role)
            continue
        organisation = Organisation.make(world, role)
        assert [each.usage for each in organisation.credentials][:2] == list(role.usages)
        assert organisation.digital_signature.certificate.role is role
        assert_conformant(organisation)
        if KA not in role.usages:
            with pytest.raises(NotFound, match=r"role\.no-such-usage"):
                _ = organisation.key_agreement
        if role is not R.SUPPLIER:
            with pytest.raises(NotFound, match="prepayment top-up"):
                _ = organisation.top_up


def test_who_may_not_is_refused(world: Smki) -> None:
    with pytest.raises(Refused, match=r"role\.not-a-network-party"):
        Organisation.make(world, "networkOperator", "90B3D51F30010000")
    with pytest.raises(Malformed, match=r"device-type\.unknown"):
        DeviceUnderTest.make(world, "fridge")
    with pytest.raises(Refused, match=r"device\.type-2"):
        DeviceUnderTest.make(world, "IHD")
    with pytest.raises(Refused, match=r"device\.other-type"):
        DeviceUnderTest.make(world, "GSME", device_id=DeviceUnderTest.make(world, "ESME", name="an ESME").device_id)
    with pytest.raises(NotFound, match=r"role\.not-the-dcc"):
        Organisation.of_dcc(world, "supplier")


def test_a_renewed_organisation(world: Smki) -> None:
    supplier = Organisation.make(world, "supplier", "90B3D51F30030000")
    renewed = supplier.renew("ka")
    assert renewed.digital_signature == supplier.digital_signature
    assert renewed.top_up == supplier.top_up
    assert [each.status.label for each in (supplier.key_agreement, renewed.key_agreement, renewed.top_up)] == [
        "not in use",
        "in use",
        "in use",
    ]


# Trust anchor cells


def rows(device_type: DeviceType) -> set[tuple[RemotePartyRole, KeyUsage, CellUsage]]:
    return {(cell.role, cell.usage, cell.cell_usage) for cell in CELLS if device_type in cell.device_types}


MANAGEMENT = CellUsage.MANAGEMENT
ESME_CELLS = {
    (R.ROOT, CERT_SIGN, MANAGEMENT), (R.RECOVERY, DS, MANAGEMENT), (R.SUPPLIER, DS, MANAGEMENT), (R.SUPPLIER, KA, MANAGEMENT),
    (R.SUPPLIER, KA, TOP_UP), (R.NETWORK_OPERATOR, DS, MANAGEMENT), (R.NETWORK_OPERATOR, KA, MANAGEMENT),
    (R.ACCESS_CONTROL_BROKER, KA, MANAGEMENT), (R.TRANSITIONAL_COS, DS, MANAGEMENT), (R.LOAD_CONTROLLER, DS, MANAGEMENT),
    (R.LOAD_CONTROLLER, KA, MANAGEMENT),
}  # fmt: skip


def test_the_cells_that_are_known() -> None:
    assert rows(T.ESME) == ESME_CELLS
    assert rows(T.CHF) == {
        (R.ROOT, CERT_SIGN, MANAGEMENT), (R.RECOVERY, DS, MANAGEMENT), (R.ACCESS_CONTROL_BROKER, DS, MANAGEMENT),
        (R.ACCESS_CONTROL_BROKER, KA, MANAGEMENT), (R.WAN_PROVIDER, DS, MANAGEMENT),
    }  # fmt: skip
    assert R.NETWORK_OPERATOR not in {cell.role for cell in CELLS if T.GSME in cell.device_types}


def test_every_row_names_its_clause_and_stands_once() -> None:
    assert all(cell.clause and cell.device_types for cell in CELLS)
    for device_type in T:
        found = [(c.role, c.usage, c.cell_usage) for c in CELLS if device_type in c.device_types]
        assert len(found) == len(set(found))
        assert bool(found) is device_type.holds_certificates
    assert {cell.mark for cell in CELLS} == {Mark.MEASURED, Mark.ASSUMED}


@pytest.mark.parametrize("device_type", [each for each in T if each.holds_certificates], ids=lambda each: each.name)
def test_what_cells_hold(device_type: DeviceType) -> None:
    with Smki.in_memory(seed="cells") as smki:
        supplier = Organisation.make(smki, "supplier")
        device = DeviceUnderTest.make(smki, device_type)
        cells = device.trust_anchor_cells()
        assert {(cell.role, cell.usage, cell.cell_usage) for cell in cells} == rows(device_type)
        for cell in cells:
            holder = R.ACCESS_CONTROL_BROKER if device_type is T.GPF and cell.role in GPF_HELD else cell.role
            assert cell.certificate.role is holder
            assert cell.certificate.usage is cell.usage or cell.role is R.ROOT
            assert_conformant(cell.certificate)
            if cell.role is R.SUPPLIER and holder is R.SUPPLIER:
                # The certificates whose keys the test has.
                assert cell.certificate in supplier.certificates
        top_up = [cell.certificate for cell in cells if cell.cell_usage is TOP_UP]
        assert top_up == ([supplier.top_up.certificate] if device_type in (T.ESME, T.GSME) else [])
        # Nothing is issued that is there already.
        assert device.trust_anchor_cells() == cells


GPF_HELD = (R.SUPPLIER, R.NETWORK_OPERATOR)


def test_cells_of_another_supplier(world: Smki, meter: DeviceUnderTest) -> None:
    small = Organisation.make(world, "supplier", "90B3D51F30030000")
    held = {cell.certificate for cell in meter.trust_anchor_cells(small) if cell.role is R.SUPPLIER}
    assert held == set(small.certificates)


def test_cells_of_the_dcc(world: Smki, meter: DeviceUnderTest) -> None:
    dcc = Dcc.of(world)
    renewed = replace(dcc, recovery=dcc.recovery.renew("ds"))
    for holder in (dcc, renewed):
        (held,) = (cell.certificate for cell in meter.trust_anchor_cells(holder) if cell.role is R.RECOVERY)
        assert held == holder.recovery.digital_signature.certificate


@pytest.mark.parametrize("given", [[], "supplier", None])
def test_what_holds_no_cell(meter: DeviceUnderTest, given: Any) -> None:
    with pytest.raises(Malformed, match="expected an Organisation or the DCC"):
        meter.bundle(given)


def test_all_of_an_organisation_is_revoked_or_none() -> None:
    with Smki.in_memory(seed="revoked") as smki:
        supplier, dcc = Organisation.make(smki, "supplier"), Dcc.of(smki)
        revoke(smki, supplier.top_up)
        with pytest.raises(SmkiError, match=r"revocation\.already"):
            revoke(smki, supplier)
        assert supplier.digital_signature.status is CertificateStatus.IN_USE
        assert len(revoke(smki, dcc)) == len(dcc.certificates)
        assert_refused(dcc, "revocation.revoked")


def test_what_cannot_be_revoked(world: Smki, meter: DeviceUnderTest) -> None:
    with pytest.raises(NotFound, match="use smki reject to have one investigated"):
        revoke(world, meter)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="Give a credential, a Certificate"):
        revoke(world, meter.digital_signature.der)  # type: ignore[arg-type]


def test_a_type_2_device_has_no_cells(world: Smki, meter: DeviceUnderTest) -> None:
    from smki.testing.trust_anchor_cells import cells_of

    with pytest.raises(NotFound, match="IHD, a Type 2 Device"):
        cells_of(T.IHD)


# The bundle


def test_a_bundle(meter: DeviceUnderTest, tmp_path: Path) -> None:
    bundle = meter.bundle()
    folder = bundle.write(tmp_path / "new" / "bundle")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    manifest = json.loads(files.pop("bundle.json"))
    assert files == bundle.as_der()
    assert manifest == bundle.as_json()
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert manifest["deviceId"] == "00-DB-12-34-56-78-90-A0"
    assert len(manifest["trustAnchorCells"]) == len(meter.trust_anchor_cells()) == 11
    assert files["cell-supplier-keyAgreement.der"] != files["cell-supplier-keyAgreement-top-up.der"]
    for item in manifest["credentials"]:
        key = ec.derive_private_key(int(item["privateKey"]["d"], 16), ec.SECP256R1())
        numbers = key.public_key().public_numbers()
        assert item["publicKey"] == f"{numbers.x:064X}{numbers.y:064X}"
        assert (
            files[f"device-{'ds' if item['keyUsage'] == 'digitalSignature' else 'ka'}.der"].hex().upper()
            == item["certificate"]
        )
    pieces = decode_input(bundle.as_pem().encode())
    assert sorted(piece.der for piece in pieces) == sorted(bundle.as_der().values())
    assert bundle.as_pem().count("Trust anchor cell supplier keyAgreement prepayment top-up\n") == 1
    assert meter.bundle().write(folder) == folder


def test_a_bundle_that_cannot_be_written(meter: DeviceUnderTest, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotReady, match=r"bundle\.not-writable"):
        meter.bundle().write(tmp_path / "file" / "bundle")


# Time


@pytest.mark.parametrize("moment", ["tomorrow", 5, None, timedelta(days=10**7), timedelta(days=-(10**5))])
def test_where_no_clock_goes(world: Smki, moment: Any) -> None:
    clock = ClockControl(world)
    before = clock.now
    with pytest.raises(Malformed, match=r"time\.malformed"):
        clock.move(moment)
    assert clock.now == before


def test_a_clock_that_cannot_be_set() -> None:
    from smki import FixedClock
    from smki.home.configuration import SEEDED_START

    with (
        Smki.in_memory(seed="fixed", clock=FixedClock(SEEDED_START)) as smki,
        pytest.raises(NotReady, match="FixedClock"),
    ):
        ClockControl(smki)


def test_the_clock_of_a_directory(made_home: Path, home: Path) -> None:
    with Smki.open(home) as smki:
        control = ClockControl(smki)
        assert str(control.freeze("2030-01-01")) == "2030-01-01 00:00:00+00:00"
        with Smki.open(home) as other:
            assert other.clock.now() == control.now
        control.real()
        with pytest.raises(Malformed):
            control.move("whenever")


# Templates


def everything(smki: Smki) -> list[bytes]:
    return [record.der for record in smki.ledger.certificates(CertificateQuery())] + [
        lists.current().der for lists in smki.all_lists()
    ]


def test_a_copy_is_the_same_as_one_made_from_the_seed() -> None:
    template = SmkiTemplate(seed="copied")
    with Smki.in_memory(seed="copied") as made, template.new() as copy:
        assert everything(copy) == everything(made)
        assert copy.clock.now() == made.clock.now()
        assert copy.configuration == made.configuration
        assert copy.check().problems == ()
        for smki in (made, copy):
            DeviceUnderTest.make(smki, "ESME")
            revoke(smki, Organisation.make(smki, "supplier"))
            revoke(smki, Dcc.of(smki).recovery.renew("ds"))
        assert everything(copy) == everything(made)
        assert copy.check().problems == ()


ACTIONS: dict[str, Callable[[Smki], object]] = {
    "issue": lambda smki: DeviceUnderTest.make(smki, "ESME"),
    "revoke": lambda smki: revoke(smki, Organisation.make(smki, "supplier"), "key-lost"),
    "supersede": lambda smki: revoke(smki, Dcc.of(smki).recovery, "superseded"),
    "authority": lambda smki: smki.registration.execute(
        EstablishAuthority(CertificateKind.ISSUING_OCA), Actor(interface="test")
    ),
    "list": lambda smki: [lists.publish() for lists in smki.all_lists()],
    "status": lambda smki: DeviceUnderTest.make(smki, "GSME", name="status").become("commissioned"),
    "clock": lambda smki: ClockControl(smki).move(timedelta(days=40)),
}


@given(actions=st.lists(st.sampled_from(sorted(ACTIONS)), unique=True, max_size=4))
@settings(max_examples=25, deadline=None)
def test_a_copy_does_not_see_what_happens_in_another(actions: list[str]) -> None:
    template = SmkiTemplate(seed="separate")
    with template.new() as untouched, template.new() as changed:
        before, moment = everything(untouched), untouched.clock.now()
        for action in actions:
            ACTIONS[action](changed)
        assert everything(untouched) == before
        assert untouched.clock.now() == moment
        with template.new() as later:
            assert everything(later) == before
            assert later.clock.now() == moment
            for action in actions:
                ACTIONS[action](later)
            assert everything(later) == everything(changed)


def test_a_factory() -> None:
    factory = SmkiFactory("of the run")
    with factory() as one, factory() as two, factory(seed="other") as three, factory(at="2030-02-03") as four:
        assert everything(one) == everything(two)
        assert one.configuration.seed == four.configuration.seed == "of the run"
        assert not set(everything(one)) & {*everything(three), *everything(four)}
        assert str(four.clock.now()) == "2030-02-03 00:00:00+00:00"
        DeviceUnderTest.make(one, "ESME")
        assert everything(one) != everything(two)
    with pytest.raises(Malformed, match=r"time\.malformed"):
        factory(at="soon")
