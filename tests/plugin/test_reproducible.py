"""One seed gives the same bytes: in another process, under pytest-xdist, in any order, whatever other tests do. Another seed
gives other bytes throughout."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

# Each test writes down every certificate, list and private key that it gets, and leaves the SMKI in disorder.
TESTS = """
import json, pathlib
import pytest
from smki.ledger import CertificateQuery
from smki.registration import Actor
from smki.registration.authorities import EstablishAuthority
from smki.sec.role import CertificateKind

OUT = pathlib.Path(__file__).parent / "output"

def write_down(request, smki, *credentials):
    certificates = [record.der.hex() for record in smki.ledger.certificates(CertificateQuery())]
    lists = [lists.current().der.hex() for lists in smki.all_lists()]
    names = ("root-oca", "issuing-oca", "root-dca", "issuing-dca", "dcc/recovery-ds", "dcc/wanProvider-ka")
    keys = [f"{smki._keys.read(name).private_numbers().private_value:x}" for name in names]
    keys += [credential.d_hex for credential in credentials]
    found = {"certificates": certificates, "lists": lists, "keys": keys}
    (OUT / (request.node.name + ".json")).write_text(json.dumps(found))

def test_devices(request, smki, esme, gsme, chf, gpf, ppmid, hcalcs, device_factory):
    made = [device_factory(), device_factory("GSME"), device_factory(name="mine"), esme.renew("ka")]
    devices = (esme, gsme, chf, gpf, ppmid, hcalcs, *made)
    write_down(request, smki, *(credential for device in devices for credential in device.credentials))

@pytest.mark.parametrize("number", range(6))
def test_revocation(request, smki, supplier, network_operator, revoke, smki_clock, number):
    revoke(supplier.credentials[number % 3])
    smki_clock.move("2026-03-0%d" % (number + 1))
    revoke(network_operator.digital_signature, "superseded")
    write_down(request, smki, *supplier.credentials, *network_operator.credentials)

def test_another_authority(request, smki, supplier):
    smki.registration.execute(EstablishAuthority(CertificateKind.ISSUING_OCA), Actor(interface="test"))
    write_down(request, smki, *supplier.credentials)

def test_supplier_only(request, smki, supplier):
    write_down(request, smki, *supplier.credentials)

@pytest.mark.smki(at="2033-03-03")
def test_later(request, smki, esme):
    write_down(request, smki, *esme.credentials)

@pytest.mark.smki_defects("device-key-*", "organisation-role-*", "issuing-*")
def test_defects(request, smki, defective_certificate):
    found = {"certificates": [value.hex() for value in defective_certificate.files().values()], "lists": [], "keys": []}
    (OUT / (request.node.name + ".json")).write_text(json.dumps(found))
"""

SHUFFLE = """
import os, random
def pytest_collection_modifyitems(items):
    if os.environ.get("ORDER"):
        random.Random(os.environ["ORDER"]).shuffle(items)
"""

Output = dict[str, dict[str, list[str]]]


def output_of(folder: Path, seed: str, *options: str, order: str = "") -> Output:
    """What the tests got in a process (or more than one) of their own, by the name of the test."""
    (folder / "output").mkdir(parents=True)
    (folder / "test_output.py").write_text(TESTS)
    (folder / "conftest.py").write_text(SHUFFLE)
    command = [sys.executable, "-m", "pytest", "-q", f"--smki-seed={seed}"]
    for plugin in ("no:randomly", "no:cacheprovider", "smki.testing.plugin", "xdist"):
        command += ["-p", plugin]
    environment = {"PATH": "", "ORDER": order, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    result = subprocess.run(
        [*command, *options], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return {file.name: json.loads(file.read_text()) for file in (folder / "output").iterdir()}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Output:
    return output_of(tmp_path_factory.mktemp("first"), "one")


def test_four_processes_in_another_order(first: Output, tmp_path: Path) -> None:
    assert len(first) > 30
    order = str(random.randrange(1 << 30))
    assert output_of(tmp_path, "one", "-n", "4", order=order) == first, f"order {order}"


def test_a_test_alone(first: Output, tmp_path: Path) -> None:
    alone = output_of(tmp_path, "one", "-k", "test_supplier_only or test_revocation and 3")
    assert len(alone) == 2
    assert alone == {name: first[name] for name in alone}


def test_another_seed(first: Output, tmp_path: Path) -> None:
    other = output_of(tmp_path, "two", "-k", "not test_defects")
    for kind in ("certificates", "lists", "keys"):
        ones = {item for name in other for item in first[name][kind]}
        others = {item for found in other.values() for item in found[kind]}
        assert ones
        assert others
        assert not ones & others


def test_the_defects_of_another_seed(first: Output, tmp_path: Path) -> None:
    other = output_of(tmp_path, "two", "-k", "test_defects")
    assert len(other) > 20
    for name, found in other.items():
        assert not set(found["certificates"]) & set(first[name]["certificates"])
