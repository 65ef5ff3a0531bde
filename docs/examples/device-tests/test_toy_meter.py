"""Tests of the toy meter with valid and with defective certificates."""

import pytest
from toy_meter import NO_TRUST_ANCHOR, SUCCESS, TRUST_ANCHOR_NOT_FOUND, ToyMeter

from smki.testing import DeviceUnderTest

SUPPLIER, NETWORK_OPERATOR = 2, 3


def test_it_knows_its_supplier(meter, supplier, network_operator):
    message = b"a Message"
    assert meter.is_from(SUPPLIER, message, supplier.digital_signature.sign(message))
    assert not meter.is_from(SUPPLIER, message, network_operator.digital_signature.sign(message))
    assert not meter.is_from(NETWORK_OPERATOR, b"another", network_operator.digital_signature.sign(message))


def test_a_supplier_replaces_its_certificate(meter, supplier, issuing_oca):
    renewed = supplier.renew("ds")
    new = renewed.digital_signature
    assert meter.update_security_credentials(new.der, issuing_oca, "digitalSignature", "management") == SUCCESS
    assert meter.is_from(SUPPLIER, b"new", new.sign(b"new"))
    assert not meter.is_from(SUPPLIER, b"old", supplier.digital_signature.sign(b"old"))


def test_a_gas_meter_has_no_cell_for_a_network_operator(gsme, network_operator, issuing_oca):
    meter = ToyMeter(gsme.bundle().as_json())
    certificate = network_operator.digital_signature.der
    result = meter.update_security_credentials(certificate, issuing_oca, "digitalSignature", "management")
    assert result == TRUST_ANCHOR_NOT_FOUND


@pytest.mark.smki(seed="somebody else's")
def test_a_certificate_of_another_smki_is_refused(smki_factory, supplier, issuing_oca):
    with smki_factory(seed="ours") as ours:
        meter = ToyMeter(DeviceUnderTest.make(ours, "ESME").bundle().as_json())
    theirs = supplier.digital_signature.der
    assert meter.update_security_credentials(theirs, issuing_oca, "digitalSignature", "management") == NO_TRUST_ANCHOR


@pytest.mark.smki_defects(
    "issuer-*",
    "unknown-authority",
    "self-signed",
    "organisation-key-usage-*",
    "role-missing",
    "role-unknown",
    device=False,
)
def test_a_defective_certificate_changes_nothing(esme, defective_certificate):
    bundle = esme.bundle().as_json()
    # Defects are issued below a root of their own: the meter has to trust it.
    bundle["trustAnchorCells"][0]["certificate"] = defective_certificate.trust_anchor.hex()
    meter = ToyMeter(bundle)
    before = dict(meter.cells)
    result = meter.update_security_credentials(
        defective_certificate.certificate, defective_certificate.chain[0], "digitalSignature", "management"
    )
    assert result != SUCCESS
    assert meter.cells == before


def test_both_ends_agree_on_a_secret(esme, access_control_broker):
    ours = esme.key_agreement.shared_secret(access_control_broker.key_agreement)
    assert ours == access_control_broker.key_agreement.shared_secret(esme.key_agreement)
    assert len(ours) == 32
