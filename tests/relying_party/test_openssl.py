"""Agreement with OpenSSL on every case that it can express; each difference with its reason, and none without.

OpenSSL cannot be told of suspicions, numbers seen before and roles: such cases are left out. So are those of the
catalogue of defects, whose own tests hold OpenSSL's opinion against each row. A Device Certificate is
given to it without -crl_check, because no list is published for Devices.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from smki.pki.certificate import read_certificate, to_pem
from smki.profile.detect import detect_kind
from smki.profile.tables import TEST_POLICY_OID
from smki.sec.role import CertificateKind
from smki.testing.vectors import Case
from smki.testing.vectors.judge import judge_case

_GBCS = "a rule of the profile (GBCS 12), which RFC 5280 does not have"
_DER = "OpenSSL reads BER here, and what stands before the end"
_EXTENSION = "an extension that OpenSSL knows and we do not allow (GBCS 12: no others)"
DIFFERENCES = (
    ("profile-.*-serial-(zero|negative|17-octets)", True, "RFC 5280 4.1.2.2 asks it of CAs; OpenSSL does not look"),
    ("profile-.*-(issuer-ber-length|trailing-octet)", True, _DER),
    ("profile-.*-validity-generalized", True, "OpenSSL takes any encoding of a time"),
    ("profile-.*-key-compressed", True, _GBCS),
    ("profile-.*-key-usage-(missing|not-critical|both|non-repudiation)", True, _GBCS),
    ("profile-.*-ski-missing", True, "RFC 5280 4.2.1.2 only asks that end entities should have it"),
    ("profile-.*-policies-not-critical", True, _GBCS),
    ("profile-organisation-basic-constraints", True, "OpenSSL asks for no purpose, and takes an authority for an end entity"),
    ("profile-.*-extension-(unknown|eku-critical|name-constraints)", True, _EXTENSION),
    ("profile-(organisation-(unit-.*|no-unit|recovery-ka)|device-subject)", True, _GBCS),
    ("path-.*-policy-any", True, "anyPolicy stands for every policy in RFC 5280; GBCS names one"),
    ("path-string-type-issuing-dca", True, "OpenSSL compares names as text; GBCS byte for byte"),
    ("crl-string-type", True, "the same, for the issuer of a list"),
    ("path-key-identifiers-collide", False, "OpenSSL takes the first issuer that fits and tries no other"),
    ("authority-.*-no-path-length", True, _GBCS),
    ("authority-(root-)?oca-offered", True, "OpenSSL takes an authority for an end entity (design.md)"),
    ("hierarchy-device-by-.*", True, "OpenSSL knows no hierarchies of OCAs and DCAs"),
    ("time-.*-last-second", False, "RFC 5280 4.1.2.5: through notAfter, inclusive; OpenSSL ends a second earlier"),
    ("(crl|arl)-last-second", False, "the same for nextUpdate"),
    ("(crl|arl)-(version-1|no-number|no-key-identifier)", True, "OpenSSL takes version 1 lists, and others without these"),
    ("(crl|arl)-no-next-update", True, "RFC 5280 5.1.2.5 demands nextUpdate of the issuer; OpenSSL does without"),
    ("crl-partitioned|(crl|arl)-delta", True, "OpenSSL knows partitioned and delta lists; no profile here has them"),
    ("(crl|arl)-trailing", True, _DER),
    ("(crl|arl)-forged-.*", False, "OpenSSL takes the first list of that name, or the newest, and tries no other"),
)  # fmt: skip
"""(pattern of names, what OpenSSL says, why it differs)"""


def test_agreement(all_cases: list[Case], tmp_path: Path, openssl: Any) -> None:
    expressible = [case for case in all_cases if can_express(case)]
    assert len(expressible) > 180
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda case: ask(case, tmp_path, openssl), expressible))
    unexplained = []
    used = set()
    for case, answer in zip(expressible, answers, strict=True):
        ours = judge_case(case).trusted
        theirs = answer.returncode == 0
        if ours == theirs:
            continue
        for pattern, wanted, reason in DIFFERENCES:
            if re.fullmatch(pattern, case.name) and wanted == theirs and reason:
                used.add(pattern)
                break
        else:
            unexplained.append(f"{case.name}: ours {ours}, OpenSSL {theirs}: {case.about}: {answer.stderr[-200:]}")
    assert not unexplained, "\n".join(unexplained)
    assert used == {pattern for pattern, _, _ in DIFFERENCES}, "a difference that is none"


def can_express(case: Case) -> bool:
    if case.name.startswith("catalogue-"):
        return False
    return not (case.use and not case.name.startswith("good-")) and not case.numbers_seen and not case.suspected


def ask(case: Case, directory: Path, openssl: Any) -> CompletedProcess[str]:
    folder = directory / case.name
    folder.mkdir()
    words: list[Any] = ["verify", "-x509_strict", "-policy", TEST_POLICY_OID, "-explicit_policy", "-policy_check"]
    words += ["-attime", int(case.at.timestamp())]
    for option, encoded, label in (
        ("-CAfile", case.trust_anchors, "CERTIFICATE"),
        ("-untrusted", case.chain, "CERTIFICATE"),
        ("-CRLfile", (*case.crls, *case.arls), "X509 CRL"),
    ):
        if encoded:
            path = folder / option[1:]
            path.write_text("".join(to_pem(label, item) for item in encoded))
            words += [option, path]
    if detect_kind(read_certificate(case.certificate)) is not CertificateKind.DEVICE:
        words += ["-crl_check_all"]
    (folder / "leaf.pem").write_text(to_pem("CERTIFICATE", case.certificate))
    result: CompletedProcess[str] = openssl(*words, folder / "leaf.pem")
    return result


@pytest.mark.parametrize("name", ["good-supplier-ds", "good-device-ka"])
def test_openssl_is_asked_the_right_question(
    case_named: dict[str, Case], tmp_path: Path, openssl: Any, name: str
) -> None:
    assert ask(case_named[name], tmp_path, openssl).returncode == 0
