"""Exactly one thing is wrong with each bad conformance vector and each defect: the one that it is named for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smki import Certificate, SmkiError, lint
from smki.pki import der
from smki.pki.certificate import read_certificate
from smki.pki.oid import Oid
from smki.pki.x509 import ExtensionNode, key_identifier
from smki.relying_party.verdict import Outcome
from smki.testing.defects import DEFECTS
from smki.testing.defects.case import TRUSTED
from smki.testing.vectors import Case, cases
from smki.testing.vectors.files import files_of
from smki.testing.vectors.judge import judge_case

CASES = {case.name: case for case in cases()}
DEFECT_OF = {f"catalogue-{defect.name}": defect for defect in DEFECTS if not defect.base.is_request}

FINDINGS = {
    "version-1": "version.wrong",
    "serial-zero": "serial-number.not-positive",
    "serial-negative": "serial-number.not-positive",
    "serial-17-octets": "serial-number.too-long",
    "serial-padded": "der.integer-not-minimal",
    "algorithm-sha384": "signature-algorithm.wrong signature-algorithm.mismatch",
    "algorithm-null": "signature-algorithm.parameters signature-algorithm.mismatch",
    "issuer-ber-length": "der.length-not-minimal",
    "validity-reversed": "validity.reversed",
    "validity-generalized": "validity.encoding",
    "key-compressed": "public-key.point-form",
    "key-not-on-curve": "public-key.not-on-curve",
    "field-after-extensions": "structure.field-unexpected",
    "key-usage-missing": "key-usage.missing",
    "key-usage-not-critical": "key-usage.not-critical",
    "key-usage-twice": "extension.duplicate",
    "ski-missing": "subject-key-identifier.missing",
    "ski-critical": "subject-key-identifier.critical",
    "aki-missing": "authority-key-identifier.missing",
    "aki-critical": "authority-key-identifier.critical",
    "policies-missing": "certificate-policies.missing",
    "policies-not-critical": "certificate-policies.not-critical",
    "basic-constraints": "extension.unexpected-critical",
    "extension-unknown": "extension.unexpected",
    "extension-unknown-critical": "extension.unexpected-critical",
    "extension-eku-critical": "extension.unexpected-critical",
    "extension-name-constraints": "extension.unexpected-critical",
    "outer-algorithm-null": "signature-algorithm.parameters signature-algorithm.mismatch",
    "outer-algorithm-sha384": "signature-algorithm.wrong signature-algorithm.mismatch",
    "signature-padded": "der.integer-not-minimal",
    "signature-zero": "signature.out-of-range",
    "signature-missing": "structure.certificate",
    "fourth-part": "structure.certificate",
    "trailing-octet": "der.trailing-octets",
    "cut-short": "structure.unreadable",
    "empty": "structure.unreadable",
    "key-usage-both": "key-usage.wrong",
    "key-usage-non-repudiation": "key-usage.wrong",
    "unit-root": "role.wrong",
    "unit-unknown": "role.unknown",
    "unit-printable": "name.string-type",
    "no-unit": "name.attribute-missing",
    "recovery-ka": "key-usage.wrong",
    "san-missing": "subject-alt-name.missing",
    "san-not-critical": "subject-alt-name.not-critical",
    "subject": "name.not-empty",
    "policy-other": "certificate-policies.other-environment",
    "policy-any": "certificate-policies.other-environment",
    "no-key-cert-sign": "key-usage.wrong",
    "not-ca": "basic-constraints.not-ca",
    "no-basic-constraints": "basic-constraints.missing",
    "constraints-not-critical": "basic-constraints.not-critical",
    "no-path-length": "basic-constraints.path-length",
    "no-next-update": "next-update.missing",
    "no-number": "crl-number.missing",
    "number-critical": "crl-number.critical",
    "no-key-identifier": "authority-key-identifier.missing",
    "unknown-critical": "extension.unexpected-critical",
    "partitioned": "extension.unexpected-critical",
    "delta": "extension.unexpected-critical",
    "field-more": "structure.list-field",
    "no-signature": "structure.list",
    "algorithm-outside": "signature-algorithm.wrong signature-algorithm.mismatch",
    "trailing": "der.trailing-octets",
    "web-page": "structure.unreadable",
    # All four mandatory extensions of both profiles, because there are none at all.
    "profile-organisation-extensions-none": "authority-key-identifier.missing certificate-policies.missing "
    "key-usage.missing subject-key-identifier.missing",
    "profile-device-extensions-none": "authority-key-identifier.missing certificate-policies.missing "
    "key-usage.missing subject-alt-name.missing subject-key-identifier.missing",
    "crl-version-1": "version.list-wrong",
    "arl-version-1": "version.list-wrong",
    "crl-signer-without-crl-sign": "key-usage.wrong",
    "crl-string-type": "name.issuer-string-type",
    "path-string-type-issuing-dca": "name.string-type",
    "hierarchy-device-by-oca": "name.attribute-unexpected",
    "hierarchy-organisation-by-dca": "name.attribute-missing",
    # An end entity has neither.
    "path-end-entity-as-issuer": "basic-constraints.missing key-usage.wrong",
}
"""What the lint finds in a bad case, without knowing any issuer: by the case's name, or by what follows its prefix."""

PREFIXES = ("profile-organisation-", "profile-device-", "path-organisation-", "path-device-", "authority-oca-",
            "authority-dca-", "crl-", "arl-")  # fmt: skip

CONSEQUENCES = {
    # The Relying Party reads the same field again in a later check.
    "profile-*-issuer-ber-length": "path.issuer-unknown",
    "profile-*-validity-reversed": "time.expired",
    "profile-*-extensions-none": "path.key-identifier path.policy",
    "profile-*-aki-missing": "path.key-identifier",
    "profile-*-policies-missing": "path.policy",
    "profile-*-basic-constraints": "path.critical-extension path.authority-offered",
    "profile-*-extension-unknown-critical": "path.critical-extension",
    "profile-*-extension-eku-critical": "path.critical-extension",
    "profile-*-extension-name-constraints": "path.critical-extension",
    "profile-*-signature-padded": "path.signature",
    "profile-*-signature-zero": "path.signature",
    "authority-*-no-key-cert-sign": "path.key-cert-sign",
    "authority-*-not-ca": "path.not-authority",
    "authority-*-no-basic-constraints": "path.not-authority",
    "path-end-entity-as-issuer": "path.not-authority path.key-cert-sign",
    "*-no-next-update": "revocation.list-overdue",
    "*-no-number": "revocation.list-rolled-back",
    "*-no-key-identifier": "revocation.list-issuer",
    "crl-signer-without-crl-sign": "revocation.list-crl-sign",
    # Another authority's list has another signature.
    "path-two-issuers-other-list": "revocation.list-signature",
    "crl-is-arl": "revocation.list-signature",
    "arl-is-crl": "revocation.list-signature",
    "crl-of-another-oca": "revocation.list-signature",
    "catalogue-organisation-crl-of-another-authority": "revocation.list-signature",
    # No kind of authority may stand below an Issuing DCA.
    "path-length": "path.hierarchy",
    "catalogue-issuing-dca-below-an-issuing-dca": "path.hierarchy",
    # An issuer of the wrong kind, for whose certificates there are no lists of the right kind.
    "hierarchy-device-by-oca": "path.hierarchy revocation.unavailable",
    "hierarchy-organisation-by-dca": "path.hierarchy revocation.list-issuer revocation.list-signature",
    "catalogue-organisation-issuer-root": "path.hierarchy revocation.list-issuer revocation.list-signature",
    # The same for the defects.
    "catalogue-device-length-long-signature": "path.signature",
    "catalogue-device-integer-padded-signature": "path.signature",
    "catalogue-device-element-cut-short": "path.policy",
    "catalogue-device-algorithm-sha384": "path.signature",
    "catalogue-device-signature-raw": "path.signature",
    "catalogue-device-signature-of-zero": "path.signature",
    "catalogue-organisation-issuer-device-authority": "path.issuer-unknown",
    "catalogue-device-issuer-organisation-authority": "path.issuer-unknown",
    "catalogue-device-validity-reversed": "time.expired",
    "catalogue-device-extension-unknown-critical": "path.critical-extension",
    "catalogue-organisation-basic-constraints-end-entity": "path.critical-extension",
    "catalogue-organisation-basic-constraints-authority": "path.critical-extension path.authority-offered",
    "catalogue-device-key-usage-cert-sign": "path.authority-offered",
    "catalogue-device-authority-key-missing": "path.key-identifier",
    "catalogue-device-authority-key-malformed": "path.key-identifier",
    "catalogue-device-authority-key-with-serial-number": "path.key-identifier",
    "catalogue-device-authority-key-empty": "path.key-identifier",
    "catalogue-device-authority-key-20-octets": "path.key-identifier",
    "catalogue-device-policies-missing": "path.policy",
    "catalogue-device-policies-malformed": "path.policy",
    "catalogue-device-policies-empty": "path.policy",
    "catalogue-device-policies-two": "path.policy",
    "catalogue-device-policies-with-qualifier": "path.policy",
    "catalogue-issuing-oca-without-basic-constraints": "path.not-authority",
    "catalogue-issuing-oca-basic-constraints-malformed": "path.not-authority",
    "catalogue-issuing-oca-not-a-ca": "path.not-authority",
    "catalogue-issuing-dca-not-a-ca": "path.not-authority",
    "catalogue-root-oca-path-length-0": "path.length",
    "catalogue-issuing-oca-without-cert-sign": "path.key-cert-sign",
    "catalogue-issuing-dca-without-cert-sign": "path.key-cert-sign",
    "catalogue-issuing-oca-without-crl-sign": "revocation.list-crl-sign",
    # The authority has another name than on its list.
    "catalogue-issuing-oca-name-5-characters": "revocation.list-issuer",
    "catalogue-issuing-oca-name-not-printable": "revocation.list-issuer",
    "catalogue-issuing-oca-names-itself": "path.issuer-unknown",
    "catalogue-organisation-crl-length-long": "revocation.list-issuer",
    "catalogue-organisation-crl-next-update-before": "revocation.list-overdue",
    "catalogue-organisation-crl-next-update-missing": "revocation.list-overdue",
    "catalogue-organisation-crl-authority-key-missing": "revocation.list-issuer",
    "catalogue-organisation-crl-number-missing": "revocation.list-rolled-back",
}
"""Further checks that cannot hold when the one that the case is about does not, and why. No other case has any."""


def generic(name: str) -> Iterator[str]:
    """The keys under which a case may stand in a table."""
    yield name
    for prefix in PREFIXES:
        if name.startswith(prefix):
            yield name.removeprefix(prefix)
            yield f"{prefix.split('-')[0]}-*-{name.removeprefix(prefix)}"
            yield f"*-{name.removeprefix(prefix)}"


def row(table: dict[str, str], name: str) -> set[str]:
    return next((set(table[key].split()) for key in generic(name) if key in table), set())


ON_NO_LIST = ("Device Certificate ", "Issuing DCA ", "Root DCA ", "Root OCA ")
"""How the labels of certificates begin that no revocation list names: the check of it is not applicable to them."""

BAD = [name for name, case in CASES.items() if case.expected != TRUSTED]
SMALL = 1 << 20


@pytest.mark.parametrize("name", BAD)
def test_no_check_fails_but_the_one_that_the_case_is_about(name: str) -> None:
    case = CASES[name]
    checks = judge_case(case).checks
    outcomes = [check.outcome for check in checks]
    failed = [check.code for check in checks if check.outcome is Outcome.NOT_HELD]
    assert failed[0] == case.expected
    assert set(failed) == {case.expected} | row(CONSEQUENCES, name)
    # A check that is not reached follows from one that did not hold.
    assert Outcome.NOT_REACHED not in outcomes[: outcomes.index(Outcome.NOT_HELD)]


@pytest.mark.parametrize("name", sorted(set(CASES) - set(BAD)))
def test_every_check_of_a_good_case_is_made_and_holds(name: str) -> None:
    checks = judge_case(CASES[name]).checks
    outcomes = {check.outcome for check in checks}
    assert outcomes <= {Outcome.HELD, Outcome.LEFT_OUT, Outcome.NOT_APPLICABLE}
    not_applicable = {
        (check.requirement.name, check.certificate) for check in checks if check.outcome is Outcome.NOT_APPLICABLE
    }
    # A DCA or Device has no list; the authority that is the trust anchor has nobody above it who could revoke it.
    on_path = {check.certificate for check in checks}
    assert not_applicable == {("revocation.entry", label) for label in on_path if label.startswith(ON_NO_LIST)}


@pytest.mark.parametrize("name", BAD)
def test_the_lint_finds_nothing_but_what_the_case_is_about(name: str) -> None:
    case = CASES[name]
    found = {finding.code for encoded in set(files_of(case)) if len(encoded) < SMALL for finding in lint(encoded)}
    if name.endswith("-signature-unused-bits"):
        # Whether the bits that are not used are zero is up to the signature.
        assert {"signature.malformed"} <= found <= {"signature.malformed", "der.bit-string"}
    elif name in DEFECT_OF:
        # Some of a defect's findings need its issuer.
        assert found <= set(DEFECT_OF[name].codes)
    else:
        assert found == row(FINDINGS, name)


def key_and_identifier(key: der.Node | None, extensions: list[ExtensionNode]) -> tuple[bytes, bytes] | None:
    identifiers = [item.value.content for item in extensions if item.oid == Oid.SUBJECT_KEY_IDENTIFIER]
    if key is None or len(identifiers) != 1 or len(identifiers[0]) != 10:
        return None
    return key.children()[1].content[1:], identifiers[0][2:]


@pytest.mark.parametrize("name", CASES)
def test_the_subject_key_identifier_is_that_of_the_key(name: str) -> None:
    """Unless the key identifier is what the case is about, among them that of a key nobody can use."""
    case = CASES[name]
    for encoded in (case.certificate, *case.chain, *case.trust_anchors):
        try:
            certificate = read_certificate(encoded)
            pair = key_and_identifier(certificate.public_key, certificate.extensions)
        except (SmkiError, IndexError):
            continue
        if pair is not None and "subject-key" not in name and name != "path-key-identifiers-collide":
            assert pair[1] == key_identifier(pair[0])


@pytest.mark.parametrize("name", CASES)
def test_nothing_expires_in_a_case_but_what_it_is_about(name: str) -> None:
    case = CASES[name]
    if case.expected.startswith("time.") or "validity" in name or name == "catalogue-issuing-oca-expired":
        return
    for encoded in (case.certificate, *case.chain, *case.trust_anchors):
        try:
            certificate = Certificate.from_der(encoded)
        except SmkiError:
            continue
        assert certificate.not_before <= case.at <= certificate.not_after


def failed_checks(case: Case) -> list[str]:
    return [check.code for check in judge_case(case).failures()]


def test_another_seed_changes_nothing_but_keys_and_numbers() -> None:
    for case in cases("another"):
        assert failed_checks(case) == failed_checks(CASES[case.name]), case.name


def test_the_tables_name_no_case_that_does_not_exist() -> None:
    used = {key for name in BAD for key in generic(name)}
    assert set(FINDINGS) <= used
    assert set(CONSEQUENCES) <= used


def test_a_list_with_a_long_length_breaks_the_distinguished_encoding_rules() -> None:
    assert DEFECT_OF["catalogue-organisation-crl-length-long"].clause == "X.690 10.1"
