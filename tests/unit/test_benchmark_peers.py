"""The comparison with other certificate authorities: who does not do what is measured has no figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from benchmarks.issuance import requests
from benchmarks.peers import compare, openssl
from benchmarks.peers.installing import run
from benchmarks.peers.ours import OURS
from benchmarks.peers.peer import Facts, Issued, NotMeasuredError
from tests.support import tool

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
KEY = ec.generate_private_key(ec.SECP256R1())


def _sign(key: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(NAME, NAME, key, x509.random_serial_number(), now, now + timedelta(days=1))
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def _public_key(request: bytes) -> ec.EllipticCurvePublicKey:
    key = x509.load_der_x509_csr(request).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


@dataclass(frozen=True)
class SampleAuthority:
    """An authority in memory that does what it should, but for what is changed afterwards."""

    facts: Facts
    seconds: float = 1.0
    change: Callable[[Issued], Issued] = lambda issued: issued
    reason: str = ""

    def install(self) -> str:
        if self.reason:
            raise NotMeasuredError(self.reason)
        return "1.0"

    def issue(self, warm_up: bytes, requests: Sequence[bytes], folder: Path) -> Issued:
        certificates = [_sign(_public_key(request)) for request in requests]
        stored = len(requests) if self.facts.keeps else 0
        issuer = _sign(KEY.public_key())
        return self.change(
            Issued(certificates=certificates, issuer=issuer, seconds=self.seconds, stored=stored),
        )


def _facts(name: str, *, keeps: bool = True, at_once: int = 1, most: int | None = None) -> Facts:
    return Facts(name=name, stores="something", keeps=keeps, at_once=at_once, most=most)


def _wrong_keys(issued: Issued) -> Issued:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    return replace(issued, certificates=[_sign(other) for _ in issued.certificates])


def _wrong_signatures(issued: Issued) -> Issued:
    other = ec.generate_private_key(ec.SECP256R1())
    keys = [x509.load_der_x509_certificate(certificate).public_key() for certificate in issued.certificates]
    return replace(
        issued, certificates=[_sign(key, other) for key in keys if isinstance(key, ec.EllipticCurvePublicKey)]
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_wrong_keys, "another public key"),
        (_wrong_signatures, "does not verify"),
        (lambda issued: replace(issued, stored=issued.stored - 1), "2 certificates are stored for 3 requests"),
        (lambda issued: replace(issued, certificates=issued.certificates[:2]), "2 certificates for 3 requests"),
        (lambda issued: replace(issued, certificates=issued.certificates[:1] * 3), "1 certificates for 3 requests"),
    ],
)
def test_a_peer_that_fails_has_no_figure(change: Callable[[Issued], Issued], reason: str) -> None:
    good, bad = SampleAuthority(_facts("good")), SampleAuthority(_facts("bad"), 0.001, change)
    ours = SampleAuthority(_facts("ours"), 0.5)
    figures = {figure.name: figure for figure in compare([good, bad], [ours], requests(4), 2, 100.0)}
    assert figures["bad"].value is None
    assert reason in figures["bad"].note
    assert figures["good"].value == 3
    assert (figures["ours"].value, figures["ours"].goal, figures["ours"].reached) == (6, 3, True)


def test_one_of_ours_that_fails_ends_the_run() -> None:
    with pytest.raises(NotMeasuredError, match="another public key"):
        compare([], [SampleAuthority(_facts("ours"), 1.0, _wrong_keys)], requests(2), 1, 100.0)


def test_what_cannot_be_installed_is_skipped_with_the_reason() -> None:
    (figure,) = compare([SampleAuthority(_facts("gone"), reason="no such package")], [], requests(2), 1, 100.0)
    assert (figure.value, figure.ratio, figure.reached) == (None, None, None)
    assert figure.note == "not measured: no such package"


def test_a_missing_program_is_named() -> None:
    with pytest.raises(NotMeasuredError, match="no-such-program is not installed"):
        run(["no-such-program"])


def test_the_goal_is_the_fastest_that_keeps_as_much_with_no_more_at_once() -> None:
    peers = [
        SampleAuthority(_facts("slow"), 4.0),
        SampleAuthority(_facts("fewer requests", most=2), 1.0),
        SampleAuthority(_facts("keeps nothing", keeps=False), 0.01),
        SampleAuthority(_facts("eight at once", at_once=8), 0.5),
    ]
    ours = [SampleAuthority(_facts("one"), 1.0), SampleAuthority(_facts("eight", at_once=8), 1.0)]
    figures = {figure.name: figure for figure in compare(peers, ours, requests(5), 1, 100.0)}
    assert figures["fewer requests"].value == 2
    assert "2 of the 4 requests" in figures["fewer requests"].note
    assert (figures["one"].goal, figures["one"].reached) == (2, True)
    assert (figures["eight"].goal, figures["eight"].reached) == (8, False)


def test_openssl_and_the_smki_issue_for_the_same_requests() -> None:
    tool("openssl")
    figures = compare(openssl.PEERS, OURS, requests(12), 1, 100.0)
    assert all(figure.value for figure in figures), figures
