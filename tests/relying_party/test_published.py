"""The published certificates: what they are worth at a time within their validity, and today."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smki.pki.certificate import Certificate
from smki.relying_party import RelyingParty, TrustAnchor, Verdict
from tests.support import VECTORS

POLICIES = ("1.2.826.0.1.8641679.1.2.1.4", "1.2.826.0.1.1800000.1.2.1.4")
AFTER = datetime(2026, 3, 1, tzinfo=UTC)


def anchor_for(certificate: Certificate, keys: dict[str, Any], name: str) -> TrustAnchor:
    """The issuer by its published key."""
    key = keys[name]
    return TrustAnchor(
        certificate.issuer, bytes.fromhex(key["public_point_hex"]), bytes.fromhex(key["subject_key_identifier"])
    )


@pytest.fixture(scope="module")
def keys(vectors: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / "issuer-keys.json").read_text())
    return found


def judge(row: dict[str, Any], anchor: TrustAnchor | Certificate, at: datetime) -> Verdict:
    return RelyingParty([anchor], policy_oids=POLICIES).verify(row["der"], at=at)


def until_revocation(verdict: Verdict) -> bool:
    """Whether everything held but for the list: no published list exists, so that an Organisation's is not trusted."""
    return {check.requirement.step for check in verdict.failures()} <= {"revocation", "suspicion", "use"}


def rows_of(vectors: list[dict[str, Any]], issuer: str, kind: str) -> list[dict[str, Any]]:
    rows = [
        row
        for row in vectors
        if row["expect"] == "conformant" and row["issuer_common_name"] == issuer and row["kind"] == kind
    ]
    assert rows
    return rows


def within(row: dict[str, Any]) -> datetime:
    return Certificate.from_der(row["der"]).not_before + timedelta(days=30)


def test_devices_of_e357_are_trusted_then_and_now(vectors: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    rows = rows_of(vectors, "E357", "device")
    assert len(rows) > 100
    for row in rows:
        anchor = anchor_for(Certificate.from_der(row["der"]), keys, "E357")
        for at in (within(row), AFTER):
            verdict = judge(row, anchor, at)
            assert verdict.trusted, (row["file"], verdict.reason)


@pytest.mark.parametrize("by_certificate", [True, False])
def test_organisations_of_z1_verify_then_and_have_expired_now(
    vectors: list[dict[str, Any]], keys: dict[str, Any], by_certificate: bool
) -> None:
    (z1,) = [Certificate.from_der(row["der"]) for row in vectors if row["file"] == "authority/Z1-issuing-oca.pem"]
    expired = 0
    for row in rows_of(vectors, "Z1", "organisation"):
        certificate = Certificate.from_der(row["der"])
        if not row["issuer_signature_verifies"]:
            continue
        anchor: TrustAnchor | Certificate = z1 if by_certificate else anchor_for(certificate, keys, "Z1")
        then = judge(row, anchor, within(row))
        assert until_revocation(then), (row["file"], then.reason)
        assert then.reason is not None
        assert then.reason.code == "revocation.unavailable"
        now = judge(row, anchor, AFTER)
        assert now.reason is not None
        # One of them is valid until 2035.
        has_expired = certificate.not_after < AFTER
        expired += has_expired
        assert (now.reason.code == "time.expired") == has_expired, row["file"]
    assert expired >= 12


def test_the_defective_ones_say_what_is_wrong(vectors: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    codes = {}
    for row in vectors:
        if row["expect"] == "conformant":
            continue
        certificate = Certificate.from_der(row["der"])
        issuer = row["issuer_common_name"]
        verdict = judge(row, anchor_for(certificate, keys, issuer), within(row))
        assert verdict.reason is not None, row["file"]
        codes[row["file"].removeprefix("defective/").removesuffix(".pem")] = verdict.reason.code
    assert codes["Z1-issuing-oca-signature-flipped"] == "path.signature"
    assert codes["signature-not-minimal-der"] == "profile"
    for name, code in codes.items():
        if name.startswith("self-signed"):
            assert code in ("path.signature", "path.key-identifier", "profile"), name
    assert len(codes) == 9
