"""Signatures over octets, by the key of a certificate that is trusted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from smki.pki.x509 import Oid, key_usage_bit_string
from smki.relying_party.signature import (
    NotTrusted,
    SignatureForm,
    verify_signature,
    verify_untrusted_signature,
)
from smki.sec.role import KeyUsage
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.case import case_of
from smki.testing.defects.edits import extension
from smki.testing.signature import make_signature
from smki.testing.vectors import MOMENT
from smki.testing.vectors.judge import judge_case

PKI = SamplePki(MOMENT, "signatures")
KEY = PKI.key(Base.ORGANISATION.value)
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
    with pytest.raises(NotTrusted, match="keyAgreement"):
        verify_signature(verdict, b"a message", signature, SignatureForm.RAW)
