"""A second opinion on the paths of Devices from pyhanko-certvalidator."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asn1crypto import x509

from smki.profile.tables import TEST_POLICY_OID
from smki.testing.vectors import Case
from smki.testing.vectors.judge import judge_case

certvalidator = pytest.importorskip("pyhanko_certvalidator")
policy_decl = pytest.importorskip("pyhanko_certvalidator.policy_decl")

DIFFERENCES = {
    "path-device-policy-any": "anyPolicy stands for every policy in RFC 5280; GBCS names one",
    "authority-dca-no-path-length": "a rule of the profile (GBCS 12)",
    "authority-dca-constraints-not-critical": "it reads basicConstraints whether critical or not; RFC 5280 4.2.1.9 asks it of the issuer",
    "authority-dca-offered": "it takes an authority for an end entity (design.md)",
}
"""Cases that it trusts and we do not, with the reason."""


def test_it_trusts_what_we_trust_and_refuses_what_is_wrong_with_the_path(all_cases: list[Case]) -> None:
    names = ("good-device", "path-device", "authority-dca", "path-string-type-both", "time-device", "path-length")
    cases = [case for case in all_cases if case.name.startswith(names)]
    assert len(cases) > 20
    differences = {case.name for case in cases if theirs(case) != judge_case(case).trusted}
    assert differences == set(DIFFERENCES)
    assert not any(judge_case(case).trusted for case in cases if case.name in differences)


def theirs(case: Case) -> bool:
    try:
        roots = [x509.Certificate.load(encoded, strict=True) for encoded in case.trust_anchors]
        others = [x509.Certificate.load(encoded, strict=True) for encoded in case.chain]
        leaf = x509.Certificate.load(case.certificate, strict=True)
        context = certvalidator.ValidationContext(
            trust_roots=roots,
            other_certs=others,
            moment=case.at,
            revocation_mode="soft-fail",
            allow_fetching=False,
            time_tolerance=timedelta(0),
        )
        parameters = policy_decl.PKIXValidationParams(
            user_initial_policy_set=frozenset([TEST_POLICY_OID]), initial_explicit_policy=True
        )
        validator: Any = certvalidator.CertificateValidator(leaf, validation_context=context, pkix_params=parameters)
        asyncio.run(validator.async_validate_usage(set()))
    except (certvalidator.errors.ValidationError, certvalidator.errors.PathBuildingError, ValueError):
        return False
    return True
