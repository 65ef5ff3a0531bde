"""What a certificate is to be relied on for, in words and as checks."""

from __future__ import annotations

import pytest

from smki.clock import FixedClock
from smki.identity import EntityIdentifier
from smki.pki.certificate import Certificate
from smki.pki.oid import Oid
from smki.pki.x509 import key_usage_bit_string
from smki.problem import Malformed
from smki.relying_party import RelyingParty, RevocationLists, Use
from smki.relying_party.verdict import Check, Outcome
from smki.sec.role import KeyUsage, RemotePartyRole
from smki.testing.defects import Base, SamplePki
from smki.testing.defects.edits import extension
from smki.testing.vectors import MOMENT

PKI = SamplePki(MOMENT, "use")
DS, KA = KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT
SUPPLIER = PKI.good_bytes(Base.ORGANISATION)
DEVICE = PKI.make(Base.DEVICE, extension(Oid.KEY_USAGE, key_usage_bit_string(KA)))
ISSUING_OCA = PKI.good_bytes(Base.ISSUING_OCA)
HOLDER = Certificate.from_der(SUPPLIER).entity_identifier
PARTY = RelyingParty(
    [Certificate.from_der(PKI.good_bytes(base)) for base in (Base.ROOT_OCA, Base.ROOT_DCA)],
    RevocationLists.of([PKI.good_bytes(Base.CRL)], [PKI.good_bytes(Base.ARL)]),
    chain=[ISSUING_OCA, PKI.good_bytes(Base.ISSUING_DCA)],
    clock=FixedClock(MOMENT),
)


@pytest.mark.parametrize(
    ("text", "use", "written"),
    [
        ("supplier/ds", Use(RemotePartyRole.SUPPLIER, DS), "supplier/DS"),
        (" SUPPLIER/KA\n", Use(RemotePartyRole.SUPPLIER, KA), "supplier/KA"),
        ("networkOperator", Use(RemotePartyRole.NETWORK_OPERATOR), "networkOperator"),
        ("supplier/", Use(RemotePartyRole.SUPPLIER), "supplier"),
        ("/ds", Use(usage=DS), "/DS"),
        ("Device", Use(device=True), "device"),
        ("DEVICE/ka", Use(usage=KA, device=True), "device/KA"),
    ],
)
def test_a_use_in_words(text: str, use: Use, written: str) -> None:
    assert Use.parse(text) == use
    assert str(use) == written
    assert Use.parse(written) == use


def test_no_use_is_written_as_nothing() -> None:
    assert str(Use()) == ""
    assert (Use().role, Use().usage, Use().device) == (None, None, False)


@pytest.mark.parametrize("text", ["", " ", "/", " / ", " " * 64, " " * 80])
def test_a_use_without_role_and_usage_is_malformed(text: str) -> None:
    with pytest.raises(Malformed) as raised:
        Use.parse(text)
    (problem,) = raised.value.problems
    assert (problem.code, problem.subject, problem.seen) == ("use.malformed", "use", repr(text[:64]))
    assert (problem.expected, problem.clause) == ("ROLE, ROLE/USAGE or /USAGE", "")
    assert problem.remedy == "Write supplier/ds."


@pytest.mark.parametrize("text", ["wizard", "supplier/xy", "supplier/ds/ka", "device supplier", "supplier ds"])
def test_a_use_with_another_role_or_usage_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        Use.parse(text)


HELD, NOT_HELD, LEFT_OUT = Outcome.HELD, Outcome.NOT_HELD, Outcome.LEFT_OUT


@pytest.mark.parametrize(
    ("encoded", "use", "role", "usage"),
    [
        (SUPPLIER, "", LEFT_OUT, LEFT_OUT),
        (SUPPLIER, "supplier", HELD, LEFT_OUT),
        (SUPPLIER, "supplier/ds", HELD, HELD),
        (SUPPLIER, "/ds", LEFT_OUT, HELD),
        (SUPPLIER, "/ka", LEFT_OUT, NOT_HELD),
        (SUPPLIER, "supplier/ka", HELD, NOT_HELD),
        (SUPPLIER, "networkOperator", NOT_HELD, LEFT_OUT),
        (SUPPLIER, "networkOperator/ds", NOT_HELD, HELD),
        (SUPPLIER, "networkOperator/ka", NOT_HELD, NOT_HELD),
        (SUPPLIER, "device", NOT_HELD, LEFT_OUT),
        (SUPPLIER, "device/ds", NOT_HELD, HELD),
        (DEVICE, "", LEFT_OUT, LEFT_OUT),
        (DEVICE, "device", HELD, LEFT_OUT),
        (DEVICE, "device/ka", HELD, HELD),
        (DEVICE, "device/ds", HELD, NOT_HELD),
        (DEVICE, "/ka", LEFT_OUT, HELD),
        (DEVICE, "supplier/ka", NOT_HELD, HELD),
    ],
)
def test_role_and_key_usage_are_checked_as_far_as_they_were_asked_for(
    encoded: bytes, use: str, role: Outcome, usage: Outcome
) -> None:
    verdict = PARTY.verify(encoded, for_=use or None)
    outcomes = {check.requirement.name: check.outcome for check in verdict.checks}
    assert (outcomes["use.role"], outcomes["use.key-usage"]) == (role, usage)
    assert verdict.trusted is (NOT_HELD not in (role, usage))
    assert {check.code for check in verdict.failures()} == {
        code for code, outcome in (("use.role", role), ("use.key-usage", usage)) if outcome is NOT_HELD
    }


def check_of(encoded: bytes, use: str, name: str) -> Check:
    verdict = PARTY.verify(encoded, for_=use)
    (found,) = (check for check in verdict.checks if check.requirement.name == name)
    assert found.certificate == verdict.label
    return found


@pytest.mark.parametrize(
    ("encoded", "use", "name", "seen", "expected"),
    [
        (SUPPLIER, "networkOperator", "use.role", "supplier", "networkOperator"),
        (SUPPLIER, "device", "use.role", "Organisation Certificate", "Device Certificate"),
        (DEVICE, "supplier", "use.role", "no role (Device Certificate)", "supplier"),
        (SUPPLIER, "/ka", "use.key-usage", "digitalSignature", "keyAgreement"),
        (DEVICE, "/ds", "use.key-usage", "keyAgreement", "digitalSignature"),
    ],
)
def test_a_use_that_does_not_fit_says_what_was_seen(
    encoded: bytes, use: str, name: str, seen: str, expected: str
) -> None:
    check = check_of(encoded, use, name)
    assert (check.seen, check.expected) == (seen, expected)


ENTITY = EntityIdentifier.parse("90B3D51F300100FF")


@pytest.mark.parametrize(
    ("encoded", "entity", "outcome", "seen", "expected"),
    [
        (SUPPLIER, None, LEFT_OUT, "no Entity Identifier was specified", ""),
        (SUPPLIER, HOLDER, HELD, str(HOLDER), ""),
        (SUPPLIER, ENTITY, NOT_HELD, str(HOLDER), str(ENTITY)),
        (ISSUING_OCA, ENTITY, NOT_HELD, "no Entity Identifier", str(ENTITY)),
    ],
)
def test_whose_certificate_it_is(
    encoded: bytes, entity: EntityIdentifier | None, outcome: Outcome, seen: str, expected: str
) -> None:
    verdict = PARTY.verify(encoded, for_="/ds", entity=entity)
    (found,) = (check for check in verdict.checks if check.requirement.name == "use.entity")
    code = "use.entity" if outcome is NOT_HELD else ""
    assert found == Check(found.requirement, verdict.label, outcome, seen, expected, code)


def test_what_was_not_asked_for_says_so() -> None:
    assert check_of(SUPPLIER, "/ds", "use.role").seen == "no role was specified"
    assert check_of(SUPPLIER, "supplier", "use.key-usage").seen == "no key usage was specified"
    assert check_of(DEVICE, "device", "use.key-usage").seen == "no key usage was specified"


def test_an_authority_has_no_role_to_be_relied_on_for() -> None:
    """An Issuing OCA's subject carries a Remote Party Role Code, but it is no Organisation's."""
    verdict = PARTY.verify(ISSUING_OCA, for_="issuingAuthority/ds")
    codes = {check.code for check in verdict.failures()}
    assert codes >= {"use.role", "use.key-usage"}
