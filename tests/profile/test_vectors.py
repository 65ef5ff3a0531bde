"""The verdict of the index on every published certificate."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smki import lint
from smki.pki.pem import decode_input
from smki.profile import IssuerFacts
from tests.profile.support import codes, error_codes
from tests.support import VECTORS

EXPECTED = {
    # file: (codes without the issuer's key, further ones with it)
    "signature-not-minimal-der.pem": ({"der.integer-not-minimal"}, set()),
    "organisational-unit-in-decimal.pem": (
        {"role.malformed", "authority-key-identifier.missing"},
        {"signature.self-signed"},
    ),
    "self-signed-naming-Z1-dsp-xml-sign-90B3D51F30000002-ds.pem": (
        {"authority-key-identifier.missing"},
        {"signature.self-signed"},
    ),
    "self-signed-naming-Z1-xml-sign-00DB123456780004-ds.pem": (
        {"authority-key-identifier.missing"},
        {"signature.self-signed"},
    ),
    "self-signed-naming-Z1-xml-sign-90B3D51F30010000-ds.pem": (
        {"authority-key-identifier.missing"},
        {"signature.self-signed"},
    ),
    "self-signed-naming-Z1-xml-sign-90B3D51F30020000-ds.pem": (
        {"authority-key-identifier.missing"},
        {"signature.self-signed"},
    ),
    "Z1-issuing-oca-signature-flipped.pem": (set(), {"signature.does-not-verify"}),
    "device-key-usage-non-repudiation.pem": ({"key-usage.wrong"}, {"signature.does-not-verify"}),
    "certificate-policies-not-critical.pem": ({"certificate-policies.not-critical"}, set()),
}
"""Written from the index's words for each defect. Where they speak of the signature the key of the issuer is needed;
the certificate with nonRepudiation was changed after it was signed, which the index says in its last column."""


@pytest.fixture(scope="module")
def issuers() -> dict[str, IssuerFacts]:
    path = VECTORS / "issuer-keys.json"
    if not path.exists():
        pytest.skip("the published certificates are not beside the project (set SMKI_VECTORS)")
    return {
        name: IssuerFacts(None, bytes.fromhex(row["public_point_hex"]), bytes.fromhex(row["subject_key_identifier"]))
        for name, row in json.loads(path.read_text()).items()
    }


def test_all_conformant_ones_are_without_error(vectors: list[dict[str, Any]], issuers: dict[str, IssuerFacts]) -> None:
    conformant = [row for row in vectors if row["expect"] == "conformant"]
    assert len(conformant) == 257
    assert len(vectors) == 266
    for row in conformant:
        assert error_codes(lint(row["der"])) == set(), row["file"]
        assert error_codes(lint(row["der"], issuer=issuers[row["issuer_common_name"]])) == set(), row["file"]


def test_what_they_are_warned_of(vectors: list[dict[str, Any]]) -> None:
    """Two things only: the policy of an older environment, and one certificate that is a day too long."""
    warned: dict[str, list[str]] = {}
    for row in vectors:
        if row["expect"] == "conformant":
            for code in codes(lint(row["der"])):
                warned.setdefault(code, []).append(row["file"])
    assert set(warned) == {"certificate-policies.other-environment", "validity.length"}
    assert len(warned["validity.length"]) == 1
    older = [row["file"] for row in vectors if row["policy_oids"] == ["1.2.826.0.1.1800000.1.2.1.4"]]
    assert set(warned["certificate-policies.other-environment"]) <= set(older)


def test_each_defective_one_is_found_by_its_defect(
    vectors: list[dict[str, Any]], issuers: dict[str, IssuerFacts]
) -> None:
    defective = [row for row in vectors if row["expect"] == "defective"]
    assert {row["file"].split("/")[1] for row in defective} == set(EXPECTED)
    for row in defective:
        alone, with_key = EXPECTED[row["file"].split("/")[1]]
        assert error_codes(lint(row["der"])) == alone, row["file"]
        found = error_codes(lint(row["der"], issuer=issuers[row["issuer_common_name"]]))
        assert found == alone | with_key, row["file"]


def test_the_published_request(published_request: bytes) -> None:
    assert lint(published_request) == []


def test_the_published_issuer_as_issuer(vectors: list[dict[str, Any]]) -> None:
    from smki import Certificate

    z1 = Certificate.from_der(decode_input((VECTORS / "authority" / "Z1-issuing-oca.pem").read_bytes())[0].der)
    below = [row for row in vectors if row["issuer_common_name"] == "Z1" and row["expect"] == "conformant"]
    assert len(below) > 10
    for row in below:
        assert error_codes(lint(row["der"], issuer=z1)) == set(), row["file"]
