"""What we issue against what was published of the same kind: nothing differs but the values.

Read with asn1crypto's parser, so that our own reader cannot hide a difference from itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from asn1crypto import core, parser, x509

from smki import Certificate, DeviceType, EntityIdentifier, KeyUsage, RemotePartyRole, Smki
from smki.pki.pem import decode_input
from smki.sec.role import CertificateKind
from tests.support import DEVICE, DS, KA, ORGANISATION_ROLE_USAGES, VECTORS, entity_of

POLICIES = "2.5.29.32"


def shape(data: bytes, *, mask_oids: bool = False) -> Any:
    """The tree of types in DER, with object identifiers, booleans and small byte strings' insides, without values."""
    class_, method, tag, _, content, trailer = parser.parse(data, strict=True)
    assert not trailer
    if method == 1:
        children, rest, policies = [], content, False
        while rest:
            size = parser.peek(rest)
            child = shape(rest[:size], mask_oids=mask_oids or policies)
            policies = policies or child == ("oid", POLICIES)
            children.append(child)
            rest = rest[size:]
        return (class_, tag, children)
    if (class_, tag) == (0, 6):
        return ("oid", "*" if mask_oids else core.ObjectIdentifier.load(data).native)
    if (class_, tag) == (0, 1):
        return ("boolean", content.hex())
    if (class_, tag) == (0, 4) and content[:1] not in (b"\x30", b"\x03", b"\x04"):
        return ("octets", len(content))  # a key or entity identifier, which might look like DER by chance
    if (class_, tag) == (0, 4):
        try:
            return ("bytes of", shape(content, mask_oids=mask_oids))
        except (ValueError, AssertionError):
            return ("octets", len(content))
    if (class_, tag) == (0, 3):
        return (
            ("bits", len(content) if len(content) > 3 else content.hex())
            if len(content) < 70
            else ("signature or key",)
        )
    if (class_, tag) == (0, 2) and len(content) > 16:
        return ("integer of a signature",)
    return (class_, tag, len(content) if (class_, tag) != (0, 12) else "*")


def of_kind(vectors: list[dict[str, Any]], **wanted: str) -> list[dict[str, Any]]:
    found = [
        row
        for row in vectors
        if row["expect"] == "conformant" and all(row.get(key) == value for key, value in wanted.items())
    ]
    assert found, wanted
    return found


def tbs(data: bytes) -> bytes:
    return Certificate.from_der(data).tbs


@pytest.mark.parametrize("usage", [DS, KA])
def test_device_certificates(smki: Smki, vectors: list[dict[str, Any]], usage: KeyUsage) -> None:
    _, request = smki.make_device_request(DEVICE, usage)
    ours = shape(tbs(smki.issue_device(request).record.der))
    text = "digital_signature" if usage is DS else "key_agreement"
    published = [row for row in of_kind(vectors, kind="device") if row["key_usage"] == [text]]
    assert len(published) > 100
    for row in published:
        assert shape(tbs(row["der"])) == ours, row["file"]


@pytest.mark.parametrize(("role", "usage", "name"), [
    (RemotePartyRole.SUPPLIER, DS, "GITTESTSUPPLIER"),
    (RemotePartyRole.RECOVERY, DS, None),
    (RemotePartyRole.NETWORK_OPERATOR, DS, None),
    (RemotePartyRole.ACCESS_CONTROL_BROKER, DS, None),
    (RemotePartyRole.TRANSITIONAL_COS, DS, None),
    (RemotePartyRole.WAN_PROVIDER, DS, None),
    (RemotePartyRole.DSP_XML_SIGN, DS, None),
    (RemotePartyRole.SUPPLIER, KA, None),
])  # fmt: skip
def test_organisation_certificates(
    smki: Smki, vectors: list[dict[str, Any]], role: RemotePartyRole, usage: KeyUsage, name: str | None
) -> None:
    _, request = smki.make_organisation_request(entity_of(role), role, usage, name)
    ours = shape(tbs(smki.issue_organisation(request).record.der))
    text = "digital_signature" if usage is DS else "key_agreement"
    published = [
        row
        for row in of_kind(vectors, kind="organisation", organizational_unit=role.hexadecimal)
        if row["key_usage"] == [text]
    ]
    assert published
    for row in published:
        assert (row.get("common_name") is None) == (name is None)
        assert shape(tbs(row["der"])) == ours, row["file"]


def test_the_issuing_oca(tmp_path: Path, vectors: list[dict[str, Any]]) -> None:
    """Made on the day on which the published one was: the encoding of notAfter depends on its year."""
    (row,) = of_kind(vectors, kind="issuing-oca")
    with Smki.create(tmp_path / "pki", at=datetime(2015, 10, 29, tzinfo=UTC)) as smki:
        (ours,) = [record for record in smki.authorities() if record.kind is CertificateKind.ISSUING_OCA]
    assert shape(tbs(ours.der)) == shape(tbs(row["der"]))
    assert (ours.certificate.not_before, ours.certificate.not_after) == (
        datetime(2015, 10, 29, tzinfo=UTC), datetime(2040, 10, 28, 23, 59, 59, tzinfo=UTC),
    )  # fmt: skip


def test_the_other_authorities_differ_from_the_issuing_oca_where_the_profile_says(
    smki: Smki, vectors: list[dict[str, Any]]
) -> None:
    """No Root and no Issuing DCA certificate is published: the extensions are those of the Issuing OCA but for two."""
    (row,) = of_kind(vectors, kind="issuing-oca")
    published = x509.Certificate.load(row["der"])["tbs_certificate"]["extensions"]
    expected = [(extension["extn_id"].dotted, extension["critical"].native) for extension in published]
    for record in smki.authorities():
        extensions = x509.Certificate.load(record.der)["tbs_certificate"]["extensions"]
        ours = [(extension["extn_id"].dotted, extension["critical"].native) for extension in extensions]
        is_root = record.kind in (CertificateKind.ROOT_OCA, CertificateKind.ROOT_DCA)
        assert ours == (expected[:-1] if is_root else expected)
        constraints = next(extension for extension in extensions if extension["extn_id"].native == "basic_constraints")
        assert constraints["extn_value"].parsed.native == {"ca": True, "path_len_constraint": None if is_root else 0}


def test_the_published_request_becomes_the_published_certificate(smki: Smki, published_request: bytes) -> None:
    """All but serial number, issuer, validity, policy OID and authority key identifier are the published bytes."""
    published = decode_input((VECTORS / "csr" / "00db1234567890a0-ds-issued.pem").read_bytes())[0].der
    ours = smki.issue_device(published_request).record.der
    assert ours != published
    fields = []
    for data in (published, ours):
        certificate = x509.Certificate.load(data)["tbs_certificate"]
        extensions = certificate["extensions"]
        kept = [
            extension.dump()
            for extension in extensions
            if extension["extn_id"].native not in ("certificate_policies", "authority_key_identifier")
        ]
        fields.append({
            "version": certificate["version"].dump(),
            "signature": certificate["signature"].dump(),
            "subject": certificate["subject"].dump(),
            "public key": certificate["subject_public_key_info"].dump(),
            "extensions": kept,
            "order": [extension["extn_id"].native for extension in extensions],
        })  # fmt: skip
    assert fields[0] == fields[1]
    assert len(fields[0]["extensions"]) == 3
    assert shape(tbs(published)) == shape(tbs(ours))


@pytest.mark.parametrize(("role", "usage"), ORGANISATION_ROLE_USAGES)
def test_openssl_accepts_the_chain_of_every_role(
    smki: Smki, tmp_path: Path, openssl: Callable[..., CompletedProcess[str]], role: RemotePartyRole, usage: KeyUsage
) -> None:
    _, request = smki.make_organisation_request(entity_of(role), role, usage)
    record = smki.issue_organisation(request).record
    assert (record.role, record.usage) == (role, usage)
    verify(smki, tmp_path, openssl, record.certificate, CertificateKind.ROOT_OCA, CertificateKind.ISSUING_OCA)


@pytest.mark.parametrize("usage", [DS, KA])
def test_openssl_accepts_the_chain_of_a_device(
    smki: Smki, tmp_path: Path, openssl: Callable[..., CompletedProcess[str]], usage: KeyUsage
) -> None:
    _, request = smki.make_device_request(EntityIdentifier(b"\x00\xff" * 4), usage)
    certificate = smki.issue_device(request, device_type=DeviceType.GSME).record.certificate
    verify(smki, tmp_path, openssl, certificate, CertificateKind.ROOT_DCA, CertificateKind.ISSUING_DCA)


def verify(
    smki: Smki, directory: Path, openssl: Callable[..., CompletedProcess[str]], certificate: Certificate,
    root: CertificateKind, issuer: CertificateKind,
) -> None:  # fmt: skip
    pem = {record.kind: record.certificate.as_pem() for record in smki.authorities()}
    (directory / "root.pem").write_text(pem[root])
    (directory / "issuer.pem").write_text(pem[issuer])
    (directory / "leaf.pem").write_text(certificate.as_pem())
    arguments = ("verify", "-x509_strict", "-policy_check", "-CAfile", directory / "root.pem")
    result = openssl(*arguments, "-untrusted", directory / "issuer.pem", directory / "leaf.pem")
    assert result.returncode == 0, result.stderr
    # And not because it would accept anything: without the issuer it does not.
    assert openssl(*arguments, directory / "leaf.pem").returncode != 0
