"""The same objects without pytest: ``python -m unittest``."""

import unittest

from smki.testing import (
    DeviceUnderTest,
    Organisation,
    SmkiTemplate,
    assert_refused,
    assert_trusted,
    defective_certificate,
    revoke,
)


class Certificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = SmkiTemplate(seed="the same on every run")

    def setUp(self):
        self.smki = self.enterContext(self.template.new())

    def test_a_device(self):
        esme = DeviceUnderTest.make(self.smki, "ESME")
        assert_trusted(esme, for_="device")

    def test_a_revoked_supplier(self):
        supplier = Organisation.make(self.smki, "supplier")
        revoke(self.smki, supplier)
        assert_refused(supplier, "revocation.revoked")

    def test_a_defect(self):
        defect = defective_certificate("device-key-p384", at=self.smki.clock.now())
        assert_refused(defect, "profile")


if __name__ == "__main__":
    unittest.main()
