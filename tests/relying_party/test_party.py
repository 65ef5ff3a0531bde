"""What a Relying Party starts from, and how it stands up to much of everything."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from smki.clock import FixedClock
from smki.pki.certificate import Certificate
from smki.problem import Malformed
from smki.relying_party import NumbersSeen, RelyingParty, RevocationLists, Use
from smki.relying_party.verdict import Outcome
from smki.sec.role import KeyUsage, RemotePartyRole
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.edits import another, issued_by, put, signed_by
from smki.testing.defects.sample_pki import authority_name
from smki.testing.vectors import MOMENT, Case
from smki.testing.vectors.judge import judge_case

PKI = SamplePki(MOMENT, "party")
SUPPLIER = PKI.good_bytes(Base.ORGANISATION)
LISTS = RevocationLists.of([PKI.good_bytes(Base.CRL)], [PKI.good_bytes(Base.ARL)])
ROOT, ISSUING = (
    Certificate.from_der(PKI.good_bytes(Base.ROOT_OCA)),
    Certificate.from_der(PKI.good_bytes(Base.ISSUING_OCA)),
)


def party(*trust: Certificate, lists: RevocationLists = LISTS, chain: tuple[bytes, ...] = ()) -> RelyingParty:
    return RelyingParty(trust, lists, chain=chain, clock=FixedClock(MOMENT))


def test_any_of_the_authorities_may_be_trusted() -> None:
    assert party(ROOT, ISSUING).verify(SUPPLIER).trusted
    assert party(ROOT, chain=(PKI.good_bytes(Base.ISSUING_OCA),)).verify(SUPPLIER).trusted
    assert party(ROOT).verify(SUPPLIER, chain=[PKI.good_bytes(Base.ISSUING_OCA)]).trusted
    assert party(ISSUING, lists=RevocationLists.of([PKI.good_bytes(Base.CRL)])).verify(SUPPLIER).trusted


def test_an_issuing_authority_beside_its_root_is_judged_like_any_other() -> None:
    """That it was handed over as trusted does not spare it the ARL."""
    without_arl = RevocationLists.of([PKI.good_bytes(Base.CRL)])
    verdict = party(ROOT, ISSUING, lists=without_arl).verify(SUPPLIER)
    assert verdict.reason is not None
    assert verdict.reason.code == "revocation.unavailable"
    assert verdict.reason.subject.startswith("Root OCA")


def test_an_end_entity_is_no_trust_anchor() -> None:
    with pytest.raises(Malformed):
        party(Certificate.from_der(SUPPLIER))


def test_nothing_is_trusted_without_an_anchor() -> None:
    verdict = party().verify(SUPPLIER, chain=[PKI.good_bytes(Base.ISSUING_OCA), PKI.good_bytes(Base.ROOT_OCA)])
    assert verdict.reason is not None
    assert verdict.reason.code == "path.issuer-unknown" or not verdict.trusted


def test_a_thousand_authorities_of_one_name_do_not_hold_it_up() -> None:
    chaff = [PKI.make(Base.ISSUING_OCA, another(f"chaff {number}"), signed_by("stranger")) for number in range(1000)]
    start = time.perf_counter()
    verdict = party(ROOT).verify(SUPPLIER, chain=[*chaff, PKI.good_bytes(Base.ISSUING_OCA)])
    assert verdict.trusted
    assert time.perf_counter() - start < 3


def test_authorities_that_name_each_other_do_not_hold_it_up() -> None:
    names = {f"loop {number}": authority_name(None, f"L{number}") for number in range(8)}
    chain = [
        PKI.make(Base.ISSUING_DCA, put(subject=names[label]), another(label), issued_by(names[issuer], issuer))
        for label in names
        for issuer in names
    ]
    device = PKI.make(Base.DEVICE, issued_by(names["loop 0"], "loop 0"))
    start = time.perf_counter()
    assert not party(ROOT).verify(device, chain=chain).trusted
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("authority-oca-no-key-cert-sign", "path.key-cert-sign"),
        ("authority-oca-not-ca", "path.not-authority"),
        ("profile-device-extension-unknown-critical", "path.critical-extension"),
        ("crl-signer-without-crl-sign", "revocation.list-crl-sign"),
    ],
)
def test_what_the_profile_refuses_already_is_found_again(case_named: dict[str, Case], name: str, code: str) -> None:
    verdict = judge_case(case_named[name])
    found = {check.code: check.as_problem() for check in verdict.failures()}
    assert found[code].remedy.endswith("do not rely on it.")
    assert any(check.outcome is Outcome.NOT_HELD for check in verdict.checks)


def test_a_later_list_does_not_make_the_list_of_its_day_old() -> None:
    seen = NumbersSeen()
    day = timedelta(days=1)
    seen.note(b"x", 10, MOMENT)
    seen.note(b"x", 12, MOMENT + 2 * day)
    seen.note(b"x", 11, MOMENT + 3 * day)
    assert seen.highest(b"x", MOMENT - day) is None
    assert seen.highest(b"x", MOMENT + day) == 10
    assert seen.highest(b"x", MOMENT + 9 * day) == 12
    assert seen.highest(b"y", MOMENT) is None


def test_a_replay_is_noticed_by_a_party_that_saw_the_newer_list() -> None:
    older, newer = PKI.revocation_list(Base.CRL, number=5), PKI.revocation_list(Base.CRL, number=6)
    seen = NumbersSeen()
    for crl, trusted in ((older, True), (newer, True), (older, False)):
        lists = RevocationLists.of([crl], [PKI.good_bytes(Base.ARL)])
        one = RelyingParty([ROOT], lists, chain=[ISSUING], clock=FixedClock(MOMENT), seen=seen)
        assert one.verify(SUPPLIER).trusted is trusted


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("supplier/ds", Use(RemotePartyRole.SUPPLIER, KeyUsage.DIGITAL_SIGNATURE)),
        ("Supplier", Use(RemotePartyRole.SUPPLIER)),
        ("/ka", Use(usage=KeyUsage.KEY_AGREEMENT)),
        ("device/KA", Use(usage=KeyUsage.KEY_AGREEMENT, device=True)),
    ],
)
def test_uses(text: str, use: Use) -> None:
    assert Use.parse(text) == use
    assert Use.parse(str(use)) == use


@pytest.mark.parametrize("text", ["", "/", "wizard", "supplier/xy"])
def test_uses_that_are_none(text: str) -> None:
    with pytest.raises(Malformed):
        Use.parse(text)


def test_the_clock_decides() -> None:
    late = RelyingParty([ROOT], LISTS, chain=[ISSUING], clock=FixedClock(datetime(2099, 1, 1, tzinfo=UTC)))
    verdict = late.verify(SUPPLIER)
    assert verdict.reason is not None
    assert verdict.reason.code == "time.expired"
