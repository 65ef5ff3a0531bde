"""What pkilint and OpenSSL say of what we issue: nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smki import RemotePartyRole
from smki.testing.defects import DEFECTS, Base
from tests.profile.support import PKI, examples, golden
from tests.testing.openssl import OpenSsl

pytest.importorskip("pkilint", reason="pkilint is not installed here")

from pkilint import loader, pkix, validation
from pkilint.pkix import certificate, crl, extension, name
from pyasn1.type.univ import BitString, ObjectIdentifier

# pkilint takes x500UniqueIdentifier for a DirectoryString; X.520 6.2.7 and RFC 4519 2.40 say BIT STRING.
ATTRIBUTES = {**name.ATTRIBUTE_TYPE_MAPPINGS, ObjectIdentifier("2.5.4.45"): BitString()}
ERROR = validation.ValidationFindingSeverity.ERROR


@pytest.fixture(scope="module")
def certificate_validator() -> Any:
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(ATTRIBUTES, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def list_validator() -> Any:
    return crl.create_pkix_crl_validator_container(
        [pkix.create_attribute_decoder(ATTRIBUTES), pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS)],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


def errors(results: Any) -> list[str]:
    return [
        f"{described.finding.code} {result.node.path}"
        for result in results
        for described in result.finding_descriptions
        if described.finding.severity <= ERROR  # pkilint counts downwards: FATAL is 0
    ]


def pkilint_on_certificate(validator: Any, encoded: bytes) -> list[str]:
    document = loader.RFC5280CertificateDocumentLoader().load_der_document(encoded, "certificate")
    return errors(validator.validate(document.root))


def pkilint_on_list(encoded: bytes) -> list[str]:
    document = loader.RFC5280CertificateListDocumentLoader().load_der_document(encoded, "list")
    return errors(list_validator().validate(document.root))


def test_every_certificate_that_we_issue(certificate_validator: Any) -> None:
    """Device, Organisation in each role and usage, all four authorities."""
    assert {f"organisation-{role.label}-{usage.code.lower()}" for role in RemotePartyRole for usage in role.usages} <= {
        *golden()
    }
    assert {"device-ds", "device-ka", "root-oca", "issuing-oca", "root-dca", "issuing-dca"} <= {*golden()}
    for file, encoded in golden().items():
        assert pkilint_on_certificate(certificate_validator, encoded) == [], file


def test_the_good_ones_of_every_profile(certificate_validator: Any) -> None:
    for profile, made in examples().items():
        for encoded in made:
            if "request" not in profile and profile != "organisation-crl" and profile != "organisation-arl":
                assert pkilint_on_certificate(certificate_validator, encoded) == [], profile


@pytest.mark.parametrize("base", [Base.CRL, Base.ARL])
def test_revocation_lists(base: Base) -> None:
    assert pkilint_on_list(PKI.good_bytes(base)) == []


def test_it_is_not_silent_on_everything(certificate_validator: Any) -> None:
    """The same call finds some of the defects."""
    wrong = [
        defect
        for defect in DEFECTS
        if defect.name in ("device-key-usage-not-critical", "device-serial-number-zero", "device-expires")
    ]
    found = {defect.name: pkilint_on_certificate(certificate_validator, defect.make(PKI)) for defect in wrong}
    assert found["device-serial-number-zero"] != []
    (delta,) = [defect for defect in DEFECTS if defect.name == "organisation-crl-next-update-missing"]
    assert pkilint_on_list(delta.make(PKI)) != []


def test_openssl_reads_and_verifies_the_lists(openssl: OpenSsl, tmp_path: Path) -> None:
    for base in (Base.CRL, Base.ARL):
        issuer = base.issuer
        assert issuer is not None
        (tmp_path / "list.crl").write_bytes(PKI.good_bytes(base))
        (tmp_path / "issuer.der").write_bytes(PKI.good_bytes(issuer))
        openssl("x509", "-inform", "DER", "-in", tmp_path / "issuer.der", "-out", tmp_path / "issuer.pem")
        words = ("crl", "-inform", "DER", "-in", tmp_path / "list.crl", "-noout", "-CAfile", tmp_path / "issuer.pem")
        result = openssl(*words, "-text")
        assert "verify OK" in result.stderr
        assert "CA cRL" not in result.stdout
        assert "X509v3 CRL Number" in result.stdout
        assert "Key Compromise" in result.stdout
