"""Assertions: what they take, and what they say when they fail."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from smki import Smki
from smki.problem import Malformed, NotFound
from smki.testing import (
    DeviceUnderTest,
    Organisation,
    assert_conformant,
    assert_refused,
    assert_trusted,
    defective_certificate,
    relying_party,
    select_defects,
)
from smki.testing.defects import Defect


def test_a_certificate_in_any_form(meter: DeviceUnderTest, world: Smki) -> None:
    credential, by = meter.digital_signature, relying_party(world)
    for form in (credential.der, credential.pem, credential.certificate, credential.der.hex(), credential.pem.encode()):
        assert_trusted(form, by=by, for_="device/ds")
        assert_conformant(form)
        assert_refused(form, "use.key-usage", by=by, for_="device/ka")
    with pytest.raises(TypeError, match="by=relying_party"):
        assert_trusted(credential.certificate)


def test_not_trusted_tells_why(meter: DeviceUnderTest) -> None:
    with pytest.raises(AssertionError) as failed:
        assert_trusted(meter, for_="supplier/ds")
    text = str(failed.value)
    assert text.startswith(
        f"Device Certificate {meter.digital_signature.serial_number} at 2026-01-01T00:00:00Z for supplier/DS is not"
    )
    assert "[use.role]" in text
    assert "checks of profile: 3 held; path: " in text
    assert "    not held: the role of the intended use (GBCS 12), Device Certificate" in text


def test_not_refused_tells_what_held(meter: DeviceUnderTest) -> None:
    with pytest.raises(
        AssertionError, match=r"trusted, expected a refusal for revocation\.revoked\n  checks of profile: 3 held"
    ):
        assert_refused(meter, "revocation.revoked")
    with pytest.raises(AssertionError, match="trusted, expected a refusal\n"):
        assert_refused(meter)


def test_refused_for_another_reason(meter: DeviceUnderTest) -> None:
    with pytest.raises(
        AssertionError, match=r"use\.role, expected a refusal for time\.expired\n  .*no role \(Device Certificate\)"
    ):
        assert_refused(meter, "time.expired", for_="supplier")


def test_refused_for_a_finding_of_the_lint(world: Smki) -> None:
    defect = defective_certificate("device-key-p384", at=world.clock.now(), seed="s")
    assert_refused(defect, "public-key.curve")
    assert_refused(defect.certificate, "public-key.curve", by=defect.relying_party())
    with pytest.raises(AssertionError, match=r"profile, expected a refusal for public-key\.algorithm"):
        assert_refused(defect, "public-key.algorithm")
    revoked = defective_certificate("organisation-revoked", at=world.clock.now(), seed="s")
    with pytest.raises(AssertionError, match=r"revocation\.revoked, expected a refusal for public-key\.curve"):
        assert_refused(revoked, "public-key.curve")


def test_a_code_that_no_refusal_has(meter: DeviceUnderTest) -> None:
    with pytest.raises(NotFound, match=r"Did you mean revocation\.revoked"):
        assert_refused(meter, "revocation.revokd")
    with pytest.raises(NotFound, match=r"Use one of: profile, path\.issuer-unknown"):
        assert_refused(meter, "x")


@pytest.mark.parametrize("value", [None, 5, [b"0"]])
def test_what_is_no_certificate(value: Any, world: Smki) -> None:
    for judge in (assert_conformant, assert_trusted, assert_refused):
        with pytest.raises(TypeError, match="is not a certificate: pass a credential, a Device"):
            judge(value)


def test_the_moment_asked_about_in_any_form(meter: DeviceUnderTest) -> None:
    for moment in ("2025-01-01", date(2025, 1, 1), datetime(2025, 1, 1, tzinfo=UTC)):
        assert_refused(meter, "time.not-yet-valid", at=moment)
    with pytest.raises(Malformed, match="a date or time from 1950 on"):
        assert_trusted(meter, at="soon")


def test_not_conformant_tells_every_finding(world: Smki) -> None:
    defect = defective_certificate("device-algorithm-not-the-same", at=world.clock.now())
    with pytest.raises(AssertionError) as failed:
        assert_conformant(defect)
    text = str(failed.value)
    assert text.startswith("device-algorithm-not-the-same: does not conform to the profile of Device Certificate:\n")
    assert {"[signature-algorithm.wrong]", "[signature-algorithm.mismatch]"} <= set(text.split())


def test_conformant_checks_the_issuer(meter: DeviceUnderTest, large_supplier: Organisation) -> None:
    with pytest.raises(AssertionError, match="issuer"):
        assert_conformant(meter, issuer=large_supplier.digital_signature.certificate)


def test_a_defect_of_a_list(world: Smki) -> None:
    assert_refused(defective_certificate("organisation-crl-signed-by-another", at=world.clock.now(), seed="s"))
    with pytest.raises(NotFound, match=r"defect\.unknown"):
        defective_certificate("nothing-like-it", at=world.clock.now())


@pytest.mark.parametrize("defect", list(select_defects(lists=True, allowed=True)), ids=lambda defect: defect.name)
def test_what_is_expected_of_every_defect(defect: Defect, world: Smki) -> None:
    found = defective_certificate(defect.name, at=world.clock.now(), seed="expected")
    if found.expected == "trusted":
        assert_trusted(found)
    else:
        assert_refused(found)
        assert_refused(found, found.expected)
        with pytest.raises(AssertionError):
            assert_trusted(found)


@pytest.mark.parametrize("patterns", ["device-*", [b"device-*"], None])
def test_patterns_that_are_none(patterns: Any) -> None:
    with pytest.raises(Malformed, match=r"defect\.choice"):
        select_defects(patterns)
