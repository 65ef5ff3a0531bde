"""What a verdict says: its checks for the conformance vectors, against the file ``verdicts.txt``.

After a change that is meant, ``python -m tests.relying_party.test_wording`` writes the file again; read its diff.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from smki.relying_party.requirements import LIST_PROFILE, PROFILE
from smki.relying_party.verdict import Check, Outcome
from smki.testing.vectors import Case, cases
from smki.testing.vectors.judge import judge_case

FILE = Path(__file__).with_name("verdicts.txt")
LEFT_OUT = ("profile-", "catalogue-", "good-")
"""Families of vectors: what these say comes from the lint."""
IN_FULL = {"good-supplier-ds", "good-device-ka", "use-role-alone", "suspected-its-root", "profile-device-serial-zero"}
"""Vectors of which the checks that held are written too."""


def line(check: Check) -> str:
    """One check; of what the lint found, only where."""
    seen, expected = check.seen, check.expected
    if check.requirement in (PROFILE, LIST_PROFILE):
        seen, expected = seen.partition(":")[0], ""
    parts = [check.requirement.name, check.certificate, check.outcome.value, seen, expected, check.code]
    return "  " + " | ".join(parts).rstrip(" |")


def text(chosen: Iterable[Case]) -> str:
    """The verdicts, as in the file."""
    lines = []
    for case in chosen:
        in_full = case.name in IN_FULL
        if case.name.startswith(LEFT_OUT) and not in_full:
            continue
        verdict = judge_case(case)
        reason = verdict.reason
        lines.append(f"{case.name}: {f'not trusted, {reason.code}: {reason.remedy}' if reason else 'trusted'}")
        lines += (line(check) for check in verdict.checks if in_full or check.outcome is Outcome.NOT_HELD)
    return "\n".join(lines) + "\n"


def test_verdicts_say_what_they_said(all_cases: list[Case]) -> None:
    assert text(all_cases) == FILE.read_text()


if __name__ == "__main__":
    FILE.write_text(text(cases()))
