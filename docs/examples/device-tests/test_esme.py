from smki.testing import assert_refused, assert_trusted, defective_certificate


def test_certificates(esme, supplier, revoke, smki_clock):
    assert_trusted(esme, for_="device")
    assert_trusted(supplier, for_="supplier")
    revoke(supplier)
    assert_refused(supplier, "revocation.revoked")
    assert_refused(defective_certificate("device-key-p384", at=smki_clock.now), "profile")
