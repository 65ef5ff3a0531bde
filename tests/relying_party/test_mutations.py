"""No change of one byte of a trusted certificate, of its issuer or of its list leaves it trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki.clock import FixedClock
from smki.pki.certificate import Certificate
from smki.relying_party import RelyingParty, RevocationLists
from smki.relying_party.examine import Examiner, examine
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.case import case_of
from smki.testing.vectors import MOMENT
from smki.testing.vectors.judge import judge_case

PKI = SamplePki(MOMENT, "mutations")
SUPPLIER = case_of(PKI, "supplier", "")
DEVICE = case_of(PKI, "device", "", base=Base.DEVICE)
EXAMINER = Examiner()
PARTS = ["certificate", "chain", "crls", "arls"]


def changed_byte(encoded: bytes, data: Any) -> bytes:
    at = data.draw(st.integers(0, len(encoded) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != encoded[at]))
    return encoded[:at] + bytes((value,)) + encoded[at + 1 :]


def test_unchanged_they_are_trusted() -> None:
    assert judge_case(SUPPLIER).trusted
    assert judge_case(DEVICE).trusted


@pytest.mark.parametrize("part", PARTS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_of_an_organisations_certificate(part: str, data: Any) -> None:
    old = getattr(SUPPLIER, part)
    new: Any = changed_byte(old, data) if isinstance(old, bytes) else (changed_byte(old[0], data),)
    changes: dict[str, Any] = {part: new}
    assert not judge_case(replace(SUPPLIER, **changes)).trusted


@pytest.mark.parametrize("part", PARTS[:2])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_of_a_devices_certificate(part: str, data: Any) -> None:
    old = getattr(DEVICE, part)
    new: Any = changed_byte(old, data) if isinstance(old, bytes) else (changed_byte(old[0], data),)
    changes: dict[str, Any] = {part: new}
    assert not judge_case(replace(DEVICE, **changes)).trusted


PARTY = RelyingParty(
    [Certificate.from_der(PKI.good_bytes(Base.ROOT_OCA)), Certificate.from_der(PKI.good_bytes(Base.ROOT_DCA))],
    RevocationLists.of([PKI.good_bytes(Base.CRL)], [PKI.good_bytes(Base.ARL)]),
    chain=[PKI.good_bytes(Base.ISSUING_OCA), PKI.good_bytes(Base.ISSUING_DCA)],
    clock=FixedClock(MOMENT),
)


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_of_a_certificate_that_a_party_with_experience_is_offered(data: Any) -> None:
    """With the templates of good ones known, so that the short way is taken; and it agrees with the long one."""
    encoded = data.draw(st.sampled_from([SUPPLIER.certificate, DEVICE.certificate]))
    assert PARTY.verify(encoded).trusted
    mutated = changed_byte(encoded, data)
    assert not PARTY.verify(mutated).trusted
    EXAMINER.learn(examine(encoded))
    assert EXAMINER.examine(encoded).structure is None  # read by its template
    assert EXAMINER.examine(mutated) == examine(mutated)


@settings(max_examples=100, deadline=None)
@given(encoded=st.binary(max_size=600))
def test_rubbish_gets_a_verdict(encoded: bytes) -> None:
    verdict = PARTY.verify(encoded)
    assert not verdict.trusted
    assert verdict.reason is not None


@settings(max_examples=150, deadline=None)
@given(cut=st.integers(0, 2000))
def test_what_is_cut_short_is_not_trusted(cut: int) -> None:
    encoded = SUPPLIER.certificate
    assert not PARTY.verify(encoded[: cut % len(encoded)]).trusted
