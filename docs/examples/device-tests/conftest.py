import pytest
from toy_meter import ToyMeter


@pytest.fixture
def meter(esme, supplier):
    """A toy meter with the certificates of an ESME; its cells for the Supplier hold those of the fixture ``supplier``."""
    return ToyMeter(esme.bundle(supplier).as_json())


@pytest.fixture
def issuing_oca(smki):
    """The certificate (DER) of the authority that issues Organisation Certificates."""
    return next(record.der for record in smki.authorities() if record.kind.value == "issuing-oca")
