"""Reading certificates: the published ones against their index, and bytes that are none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smki import Certificate
from smki.pki.certificate import read_certificate
from smki.problem import Malformed
from smki.sec.role import CertificateKind


def test_every_published_certificate_reads_as_its_index_says(vectors: list[dict[str, Any]]) -> None:
    assert len(vectors) == 266
    for row in vectors:
        certificate = Certificate.from_der(row["der"])
        assert certificate.kind is CertificateKind(row["kind"]), row["file"]
        assert certificate.serial_number.hex == row["serial_hex"]
        assert certificate.as_json()["issuer"].endswith(f"CN={row['issuer_common_name']}")
        snake = {
            "digitalSignature": "digital_signature",
            "keyAgreement": "key_agreement",
            "keyCertSign": "key_cert_sign",
            "cRLSign": "crl_sign",
            "nonRepudiation": "non_repudiation",
        }
        assert sorted(snake[usage.label] for usage in certificate.key_usages) == sorted(row["key_usage"])
        entity = certificate.entity_identifier
        assert (entity.hex if entity else None) == row.get("entity_identifier")
        values = certificate.as_json()
        assert (values["notBefore"], values["notAfter"]) == (row["not_before"], row["not_after"])
        if row["kind"] == "organisation" and len(row["organizational_unit"]) == 2:
            assert certificate.role is not None
            assert certificate.role.hexadecimal == row["organizational_unit"]
        assert certificate.common_name == row.get("common_name")


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_no_certificate(data: bytes) -> None:
    with pytest.raises(Malformed):
        Certificate.from_der(data)
    assert read_certificate(data).faults


def test_trailing_bytes_are_no_part_of_it(vectors: list[dict[str, Any]]) -> None:
    with pytest.raises(Malformed) as caught:
        Certificate.from_der(vectors[0]["der"] + b"\0")
    assert caught.value.code == "der.trailing-octets"


def test_a_truncated_certificate_names_what_is_wrong(vectors: list[dict[str, Any]]) -> None:
    data = vectors[0]["der"]
    for length in range(len(data)):
        with pytest.raises(Malformed):
            Certificate.from_der(data[:length])
