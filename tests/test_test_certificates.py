"""Every view of a certificate says that it is a Test Certificate, and shows its policy (SEC H14.11)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from smki_repository.app import create_app

from smki import DeviceType, RemotePartyRole, Smki
from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.profile.designation import designation_of, designation_text, policy_in, policy_of, policy_text
from smki.profile.tables import TEST_POLICY_OID
from smki.testing.vectors import files
from tests.repository.rest_support import Api, token_for
from tests.support import DEVICE, DS, SUPPLIER, run_here

POLICY = "1.2.826.0.1.8641679.1.2.1.4"
NAME = "SMKI test certificate policy"
WORDS = f"policy {POLICY} ({NAME})"
FIELDS = {"designation": "Test Certificate", "policyOid": POLICY, "policyName": NAME}


@pytest.fixture
def api(home: Path) -> Iterator[Api]:
    with Smki.open(home) as smki:
        yield Api(smki, create_app(smki).test_client(), token_for(smki, "LARGE-SUPPLIER"))


@pytest.fixture
def meter(api: Api) -> Certificate:
    request = api.smki.make_device_request(DEVICE, DS)[1]
    return api.smki.issue_device(request, device_type=DeviceType.ESME).record.certificate


def text(*words: str | Path) -> str:
    return run_here(*words).stdout.decode()


def says(value: dict[str, Any]) -> bool:
    return {name: value.get(name) for name in FIELDS} == FIELDS


def test_show(home: Path, meter: Certificate, tmp_path: Path) -> None:
    file = tmp_path / "meter.pem"
    file.write_text(meter.as_pem())
    for what, of in ((meter.serial_number.hex, home), (file, home), (file, tmp_path / "nowhere")):
        assert f"Test Certificate, {WORDS}\n" in text("show", what, "--home", of)
        assert says(json.loads(text("show", what, "--home", of, "--json")))


def test_lists_and_exports(home: Path, meter: Certificate, tmp_path: Path) -> None:
    assert f"(issued here: Test Certificates, {WORDS})\n" in text("list", "--home", home)
    for words in (("list",), ("search", meter.serial_number.hex)):
        lines = text(*words, "--home", home, "--json").splitlines()
        assert lines
        assert all(says(json.loads(line)) for line in lines)
    said = run_here("authority", "list", "--home", home).stderr.decode()
    assert said == f"Their certificates are Test Certificates, {WORDS}.\n"
    lines = text("export", "json-lines", "--home", home).splitlines()
    assert {(row["designation"], row["policyOid"]) for row in map(json.loads, lines)} == {("Test Certificate", POLICY)}
    header, first, *_ = text("export", "csv", "--home", home).splitlines()
    assert dict(zip(header.split(","), first.split(","), strict=True))["designation"] == "Test Certificate"
    for form, out in (("keystore", "k.json"), ("folder", "folder")):
        told = run_here("export", form, "--out", tmp_path / out, "--home", home)
        assert f"Test Certificates, {WORDS}\n" in told.stderr.decode()


def test_rest_and_pages(api: Api, meter: Certificate) -> None:
    serial = meter.serial_number.hex
    found = [api.json(f"/certificates/{serial}"), *api.json("/certificates?limit=9")["items"]]
    found += [*api.json(f"/certificates/{serial}/chain")["items"], *api.json("/authorities")["items"]]
    request = api.smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1]
    options: Any = {"data": request, "content_type": "application/pkcs10"}
    issued: Any = api.as_officer("POST", "/applications?kind=organisation", **options).json
    found.append(issued["certificate"])
    assert len(found) > 15
    assert [each["serialNumber"] for each in found if not says(each)] == []
    assert (
        api.get("/certificates.csv?limit=1&fields=designation,policyOid").text.splitlines()[1]
        == f"Test Certificate,{POLICY}"
    )
    for path in ("/", "/extracts/", "/api/docs"):
        page = api.client.get(path, headers={"Accept": "text/html"}).text
        assert "<strong>Test Certificates</strong>" in page
        assert WORDS in page


def test_manifests(home: Path, tmp_path: Path, api: Api, meter: Certificate) -> None:
    text("extract", "full", "--home", home)
    text("extract", "delta", "--home", home)
    text("extract", "apply", "--home", home, "--out", tmp_path / "applied.jsonl")
    manifests = [*(home / "extracts").glob("*.manifest.json"), *tmp_path.glob("*.manifest.json")]
    assert len(manifests) == 3
    assert all(says(json.loads(manifest.read_text())) for manifest in manifests)
    assert files.write(tmp_path / "vectors", [], "x") == 0
    assert says(json.loads((tmp_path / "vectors" / "vectors.json").read_text()))


def test_a_certificate_from_elsewhere_is_not_called_what_it_may_not_be(
    home: Path, tmp_path: Path, meter: Certificate
) -> None:
    """One of another policy, for instance a live one, is no Test Certificate unless it was issued here."""
    other = meter.der.replace(der.oid(POLICY), der.oid("1.2.826.0.1.8641679.1.2.1.3"))
    assert other != meter.der
    (tmp_path / "other.der").write_bytes(other)
    shown = text("show", tmp_path / "other.der", "--home", home)
    assert "not known to be a Test Certificate, policy 1.2.826.0.1.8641679.1.2.1.3\n" in shown
    values = json.loads(text("show", tmp_path / "other.der", "--home", home, "--json"))
    assert (values["designation"], values["policyName"]) == (None, None)
    assert policy_in(other) == policy_of(Certificate.from_der(other)) == "1.2.826.0.1.8641679.1.2.1.3"


def test_the_policy_of_what_was_issued_here() -> None:
    assert TEST_POLICY_OID == POLICY
    assert policy_text(POLICY) == WORDS
    # A home can be configured with another policy; what it issues is a Test Certificate all the same.
    assert designation_of("1.2.3", issued_here=True) == {
        "designation": "Test Certificate", "policyOid": "1.2.3", "policyName": None,
    }  # fmt: skip
    assert designation_text(designation_of("1.2.3", issued_here=True)) == "Test Certificate, policy 1.2.3"
    assert designation_of("1.2.3", issued_here=False)["designation"] is None
    assert designation_of(None, issued_here=False)["policyOid"] is None


@pytest.mark.parametrize(
    "content", [None, b"", b"\x30\x00", b"\x30\x02\x30\x00", b"\x05\x00", b"\x30\x04\x30\x02\x06\x00", b"\x30\x80"]
)
def test_a_policy_that_cannot_be_read(content: bytes | None, meter: Certificate) -> None:
    values = {oid: value for oid, value in meter.extension_values.items() if oid != Oid.CERTIFICATE_POLICIES}
    if content is not None:
        values[Oid.CERTIFICATE_POLICIES] = content
    changed = Certificate(**{**vars_of(meter), "extension_values": values})
    assert policy_of(changed) is None
    shown = designation_text(designation_of(policy_of(changed), issued_here=False))
    assert shown == "not known to be a Test Certificate, no policy that can be read"


def vars_of(certificate: Certificate) -> dict[str, Any]:
    return {name: getattr(certificate, name) for name in Certificate.__dataclass_fields__}
