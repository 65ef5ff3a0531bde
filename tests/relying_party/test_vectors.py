"""The conformance vectors: right by our own Relying Party, reproducible, and of use to somebody else's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from smki.problem import Problem
from smki.relying_party.examine import Examiner, examine
from smki.relying_party.requirements import REMEDIES, REQUIREMENTS, STEPS
from smki.relying_party.verdict import Outcome
from smki.remedies import Interface
from smki.testing.defects.case import TRUSTED
from smki.testing.vectors import Case, cases
from smki.testing.vectors.files import files_of
from smki.testing.vectors.judge import judge_case
from smki.testing.vectors.run import parse_question, question, run
from tests.support import run_cli


def test_our_own_relying_party_is_right_for_the_right_reason(all_cases: list[Case]) -> None:
    wrong = []
    for case in all_cases:
        verdict = judge_case(case)
        code = verdict.reason.code if verdict.reason else TRUSTED
        if code != case.expected or verdict.trusted != (case.expected == TRUSTED):
            wrong.append(f"{case.name}: {code}, expected {case.expected}")
    assert not wrong


def test_there_are_enough_and_of_every_reason_that_can_be_made(all_cases: list[Case]) -> None:
    assert len(all_cases) >= 120
    assert len({case.name for case in all_cases}) == len(all_cases)
    # The profile already refuses an issuer without these, so that no case has them as its first reason.
    unreachable = {"path.not-authority", "path.key-cert-sign", "path.critical-extension", "revocation.list-crl-sign"}
    unreachable |= {"use.entity"}  # no case says whose the certificate is to be
    assert {case.expected for case in all_cases} == (set(REMEDIES) | {TRUSTED}) - unreachable


def test_a_verdict_has_every_check_in_the_order_of_the_steps(case_named: dict[str, Case]) -> None:
    for name in ("good-supplier-ds", "revoked-keyCompromise", "path-device-signature-flipped"):
        verdict = judge_case(case_named[name])
        steps = [STEPS.index(check.requirement.step) for check in verdict.checks]
        assert steps == sorted(steps)
    checks = judge_case(case_named["good-supplier-ds"]).checks
    assert {check.requirement for check in checks} == set(REQUIREMENTS)
    assert all(
        check.requirement.clause and check.certificate and check.seen
        for check in checks
        if check.outcome is Outcome.NOT_HELD
    )


def test_the_list_of_checks_goes_on_after_the_first_that_did_not_hold(case_named: dict[str, Case]) -> None:
    verdict = judge_case(case_named["path-organisation-signature-flipped"])
    decisive = verdict.decisive
    assert decisive is not None
    after = verdict.checks[verdict.checks.index(decisive) + 1 :]
    assert any(check.requirement.name == "time.validity" and check.outcome is Outcome.HELD for check in after)


def test_the_same_seed_makes_the_same_bytes(all_cases: list[Case]) -> None:
    assert list(cases()) == all_cases
    other = {encoded for case in cases("another") for encoded in files_of(case)}
    ours = {encoded for case in all_cases for encoded in files_of(case)}
    assert len(other & ours) <= 2  # no bytes, and a web page


def test_what_a_program_gets_holds_everything_but_the_answer(case_named: dict[str, Case]) -> None:
    case = case_named["suspected-its-oca"]
    asked = question(case)
    assert b"expected" not in asked
    again = parse_question(asked)
    assert judge_case(again).checks == judge_case(case).checks


def test_programs_are_scored(case_named: dict[str, Case]) -> None:
    chosen = [case_named["good-device-ds"], case_named["path-device-signature-flipped"]]
    gullible = [sys.executable, "-c", "import sys; sys.stdin.buffer.read(); print('{\"trusted\": true}')"]
    assert [score.is_right for score in run(gullible, chosen)] == [True, False]
    silent = [sys.executable, "-c", "import sys; sys.stdin.buffer.read(); sys.exit(1)"]
    assert [score.is_right for score in run(silent, chosen)] == [False, True]
    broken = [sys.executable, "-c", "import sys; sys.stdin.buffer.read(); print('perhaps')"]
    assert [score.trusted for score in run(broken, chosen)] == [None, None]
    asleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert ["within" in score.trouble for score in run(asleep, chosen, timeout=0.5)] == [True, True]


def test_on_the_command_line(tmp_path: Path) -> None:
    written = run_cli("vectors", "write", tmp_path / "v", "--json")
    assert written.returncode == 0, written.stderr
    count = json.loads(written.stdout)["cases"]
    manifest: dict[str, Any] = json.loads((tmp_path / "v" / "vectors.json").read_text())
    assert len(manifest["cases"]) == count >= 120
    for row in manifest["cases"]:
        for name in (row["certificate"], *row["trustAnchors"], *row["chain"], *row["crls"], *row["arls"]):
            assert (tmp_path / "v" / name).is_file()
    assert run_cli("vectors", "write", tmp_path / "v").returncode == 2
    judge = f'{sys.executable} -c \'from smki.cli import main; main(["vectors", "judge"])\''
    scored = run_cli("vectors", "run", judge, "--only", "hierarchy", "--json")
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["rightReason"] == 3
    assert run_cli("vectors", "run", "/no/such/program").returncode == 2


def test_the_short_way_of_examining_agrees_with_the_long_one(all_cases: list[Case]) -> None:
    examiner = Examiner()
    for _ in range(2):
        for case in all_cases:
            examined = examine(case.certificate)
            assert examiner.examine(case.certificate) == examined, case.name
            examiner.learn(examined)


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_every_reason_says_what_to_do(code: str) -> None:
    problem = Problem(code=code, subject="a certificate", seen="", remedy=REMEDIES[code])
    for interface in Interface:
        assert problem.remedy_for(interface).endswith((".", ")"))
