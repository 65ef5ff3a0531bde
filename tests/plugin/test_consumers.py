"""Others rely on what a test is given: OpenSSL, Node.js, and the published client's key store."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smki import Smki
from smki.clock import to_seconds
from smki.interchange import key_store_json
from smki.testing import DeviceUnderTest, Organisation, revoke
from tests.support import INTEROP, published_client, tool

MESSAGE = b"\xdf\x09 a Message of GBCS"

Openssl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def world() -> Iterator[Smki]:
    with Smki.in_memory(seed="consumers") as made:
        yield made


@pytest.fixture(scope="module")
def meter(world: Smki) -> DeviceUnderTest:
    return DeviceUnderTest.make(world, "ESME")


@pytest.fixture(scope="module")
def provider(world: Smki) -> Organisation:
    return Organisation.make(world, "supplier")


def test_node_and_the_published_client(meter: DeviceUnderTest, provider: Organisation, tmp_path: Path) -> None:
    node = tool("node")
    published_client()
    store = tmp_path / "keystore.json"
    # Without the second key agreement certificate, so that there is one of each usage.
    credentials = (provider.digital_signature, provider.key_agreement, *meter.credentials)
    store.write_text(key_store_json(credential.certificate_with_key for credential in credentials))
    signature = provider.digital_signature.sign(MESSAGE)
    words = [node, str(INTEROP / "consumer.mjs"), str(store), provider.entity_identifier.hyphenated]
    words += [MESSAGE.hex(), signature.hex(), meter.device_id.hyphenated]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "role": 2,
        "serial": provider.digital_signature.serial_number.hex,
        "verified": True,
        "verifiedOther": False,
        "secret": meter.key_agreement.shared_secret(provider.key_agreement).hex(),
        "sha256": provider.digital_signature.certificate.sha256.hex(),
    }


def test_openssl_verifies_the_chains(
    world: Smki, meter: DeviceUnderTest, provider: Organisation, openssl: Openssl, tmp_path: Path
) -> None:
    for record in world.authorities():
        (tmp_path / f"{record.kind.value}.pem").write_text(record.certificate.as_pem())
    at = str(to_seconds(world.clock.now()))
    for credential, hierarchy in ((meter.digital_signature, "dca"), (provider.top_up, "oca")):
        (tmp_path / "leaf.pem").write_text(credential.pem)
        words = [
            "verify",
            "-x509_strict",
            "-policy_check",
            "-attime",
            at,
            "-CAfile",
            tmp_path / f"root-{hierarchy}.pem",
        ]
        result = openssl(*words, "-untrusted", tmp_path / f"issuing-{hierarchy}.pem", tmp_path / "leaf.pem")
        assert result.returncode == 0, result.stderr


def test_openssl_sees_a_revocation(world: Smki, openssl: Openssl, tmp_path: Path) -> None:
    from smki.pki.certificate import to_pem

    revoked = Organisation.make(world, "loadController")
    revoke(world, revoked.digital_signature)
    text = "".join(record.certificate.as_pem() for record in world.authorities())
    text += "".join(to_pem("X509 CRL", lists.current().der) for lists in world.all_lists())
    (tmp_path / "trust.pem").write_text(text)
    words = ["verify", "-x509_strict", "-crl_check_all", "-attime", str(to_seconds(world.clock.now()))]
    for credential, code in ((revoked.digital_signature, 2), (revoked.key_agreement, 0)):
        (tmp_path / "leaf.pem").write_text(credential.pem)
        result = openssl(*words, "-CAfile", tmp_path / "trust.pem", tmp_path / "leaf.pem")
        assert result.returncode == code, result.stderr
        assert ("revoked" in result.stderr) is (code == 2)


def test_openssl_agrees_on_the_secret(
    meter: DeviceUnderTest, provider: Organisation, openssl: Openssl, tmp_path: Path
) -> None:
    (tmp_path / "ours.key").write_text(meter.key_agreement.pkcs8_pem)
    (tmp_path / "theirs.pem").write_text(provider.key_agreement.pem)
    result = openssl("x509", "-in", tmp_path / "theirs.pem", "-pubkey", "-noout", "-out", tmp_path / "theirs.pub")
    assert result.returncode == 0, result.stderr
    words = ["pkeyutl", "-derive", "-inkey", tmp_path / "ours.key", "-peerkey", tmp_path / "theirs.pub"]
    result = openssl(*words, "-out", tmp_path / "secret")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "secret").read_bytes() == meter.key_agreement.shared_secret(provider.key_agreement)


def test_openssl_verifies_a_signature(provider: Organisation, openssl: Openssl, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    signature = provider.digital_signature.sign(MESSAGE)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    (tmp_path / "message").write_bytes(MESSAGE)
    (tmp_path / "signature").write_bytes(encode_dss_signature(r, s))
    (tmp_path / "certificate.pem").write_text(provider.digital_signature.pem)
    openssl("x509", "-in", tmp_path / "certificate.pem", "-pubkey", "-noout", "-out", tmp_path / "key.pub")
    words = [
        "dgst",
        "-sha256",
        "-verify",
        tmp_path / "key.pub",
        "-signature",
        tmp_path / "signature",
        tmp_path / "message",
    ]
    assert openssl(*words).stdout.strip() == "Verified OK"
