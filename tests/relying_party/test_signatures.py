"""Signatures over bytes, by the key of a certificate that is trusted."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from smki.pki import der
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.x509 import P256_KEY_ALGORITHM, key_usage_bit_string
from smki.relying_party.signature import (
    NotTrusted,
    SignatureForm,
    verify_signature,
    verify_untrusted_signature,
)
from smki.sec.role import KeyUsage
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.case import case_of
from smki.testing.defects.edits import extension, put
from smki.testing.signature import make_signature
from smki.testing.vectors import MOMENT
from smki.testing.vectors.judge import judge_case

PKI = SamplePki(MOMENT, "signatures")
KEY = PKI.key(Base.ORGANISATION.value)
KEY_POINT = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
CASE = case_of(PKI, "supplier", "")
VERDICT = judge_case(CASE)
FORMS = list(SignatureForm)


@pytest.mark.parametrize("form", FORMS)
def test_what_was_signed_verifies_and_nothing_else_does(form: SignatureForm) -> None:
    signature = make_signature(KEY, b"a message", form)
    assert verify_signature(VERDICT, b"a message", signature, form)
    assert not verify_signature(VERDICT, b"a massage", signature, form)
    other = FORMS[1 - FORMS.index(form)]
    assert not verify_signature(VERDICT, b"a message", signature, other)
    assert (len(signature) == 64) == (form is SignatureForm.RAW)


def test_a_form_can_be_named_in_a_file() -> None:
    assert [SignatureForm(name) for name in ("raw", "der")] == FORMS


@given(st.binary(max_size=80), st.sampled_from(FORMS))
def test_rubbish_does_not_verify(signature: bytes, form: SignatureForm) -> None:
    assert not verify_signature(VERDICT, b"a message", signature, form)


def test_out_of_range_and_ber() -> None:
    signature = make_signature(KEY, b"a message", SignatureForm.DER)
    r, s = decode_dss_signature(signature)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for wrong in ((0, s), (r, 0), (order, s), (r, order)):
        raw = wrong[0].to_bytes(32, "big") + wrong[1].to_bytes(32, "big")
        assert not verify_signature(VERDICT, b"a message", raw, SignatureForm.RAW)
    assert verify_signature(VERDICT, b"a message", encode_dss_signature(r, s), SignatureForm.DER)
    assert not verify_signature(VERDICT, b"a message", signature + b"\0", SignatureForm.DER)


def test_the_edges_of_the_range() -> None:
    """The largest r and s there can be are in range; so they reach the verification, which they fail."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signature = make_signature(KEY, b"a message", SignatureForm.RAW)
    for length in (0, 63, 65, 128):
        assert not verify_signature(VERDICT, b"a message", (signature * 2)[:length], SignatureForm.RAW)
    # With s, order - s verifies too (SEC 1 4.1.4); the halves swapped do not.
    r, s = signature[:32], int.from_bytes(signature[32:], "big")
    assert verify_signature(VERDICT, b"a message", r + (order - s).to_bytes(32, "big"), SignatureForm.RAW)
    assert not verify_signature(VERDICT, b"a message", signature[32:] + r, SignatureForm.RAW)


@pytest.mark.parametrize("value", [1, 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550])
def test_a_signature_with_the_least_or_the_largest_s_verifies(value: int) -> None:
    """Made for a key of its own: with k, r and s chosen, the private key is (s k - e) / r."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r = ec.derive_private_key(2, ec.SECP256R1()).public_key().public_numbers().x % order
    digest = int.from_bytes(hashlib.sha256(b"a message").digest(), "big")
    key = ec.derive_private_key((value * 2 - digest) * pow(r, -1, order) % order, ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert VERDICT.certificate is not None
    other = Certificate.from_der(VERDICT.certificate.der.replace(KEY_POINT, point))
    raw = r.to_bytes(32, "big") + value.to_bytes(32, "big")
    assert verify_untrusted_signature(other, b"a message", raw, SignatureForm.RAW)
    assert not verify_untrusted_signature(other, b"a massage", raw, SignatureForm.RAW)
    assert not verify_untrusted_signature(VERDICT.certificate, b"a message", raw, SignatureForm.RAW)


def test_a_certificate_without_a_usable_key_verifies_nothing() -> None:
    compressed = der.sequence(P256_KEY_ALGORITHM, der.bit_string(b"\2" + KEY_POINT[1:33]))
    certificate = Certificate.from_der(PKI.make(Base.ORGANISATION, put(public_key=compressed)))
    for form in FORMS:
        assert not verify_untrusted_signature(certificate, b"a message", make_signature(KEY, b"a message", form), form)


def test_nothing_verifies_without_a_certificate_or_without_a_single_check() -> None:
    signature = make_signature(KEY, b"a message", SignatureForm.RAW)
    unreadable = judge_case(replace(CASE, certificate=b"no certificate"))
    with pytest.raises(NotTrusted) as raised:
        verify_signature(unreadable, b"a message", signature, SignatureForm.RAW)
    assert raised.value.problems == (unreadable.reason,)
    with pytest.raises(NotTrusted) as raised:
        verify_signature(replace(VERDICT, checks=()), b"a message", signature, SignatureForm.RAW)
    (problem,) = raised.value.problems
    assert (problem.code, problem.subject) == ("signature.not-trusted", VERDICT.label)
    assert problem.seen == "not every check was made"


def test_only_after_a_trusted_verdict() -> None:
    untrusted = judge_case(replace(CASE, crls=()))
    signature = make_signature(KEY, b"a message", SignatureForm.RAW)
    with pytest.raises(NotTrusted) as raised:
        verify_signature(untrusted, b"a message", signature, SignatureForm.RAW)
    assert raised.value.code == "revocation.unavailable"
    assert untrusted.certificate is not None
    assert verify_untrusted_signature(untrusted.certificate, b"a message", signature, SignatureForm.RAW)


def test_not_with_a_key_for_key_agreement() -> None:
    usage = extension(Oid.KEY_USAGE, key_usage_bit_string(KeyUsage.KEY_AGREEMENT))
    verdict = judge_case(case_of(PKI, "ka", "", certificate=PKI.make(Base.ORGANISATION, usage)))
    assert verdict.trusted
    signature = make_signature(KEY, b"a message", SignatureForm.RAW)
    with pytest.raises(NotTrusted) as raised:
        verify_signature(verdict, b"a message", signature, SignatureForm.RAW)
    (problem,) = raised.value.problems
    assert (problem.code, problem.subject, problem.clause) == ("use.key-usage", verdict.label, "RFC 5280 4.2.1.3")
    assert (problem.seen, problem.expected) == ("keyAgreement", "digitalSignature")


def test_not_with_a_key_of_no_usage_or_of_two() -> None:
    for usages in ((), (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)):
        usage = extension(Oid.KEY_USAGE, key_usage_bit_string(*usages))
        # As if it had been trusted: the profile does not let such a certificate through.
        verdict = replace(VERDICT, certificate=Certificate.from_der(PKI.make(Base.ORGANISATION, usage)))
        signature = make_signature(KEY, b"a message", SignatureForm.RAW)
        with pytest.raises(NotTrusted) as raised:
            verify_signature(verdict, b"a message", signature, SignatureForm.RAW)
        assert raised.value.problems[0].seen == "no usage"
