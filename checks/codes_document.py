"""Writes docs/codes.md from the catalogues of codes: ``python -m checks.codes_document > docs/codes.md``."""

from __future__ import annotations

from smki.codes import CODES
from smki.eligibility.refusals import REASONS
from smki.problem import Problem
from smki.relying_party.requirements import REMEDIES
from smki.remedies import Interface

_HEAD = """# Codes of refusals and errors

Every refusal and error has a stable code. Where a code has no clause, the rule is this project's own. A remedy is shown as
the command line gives it; REST and Python name an operation or a call instead. The codes of lint findings are in
[findings.md](findings.md).

This page is made by `python -m checks.codes_document > docs/codes.md`.
"""


def codes_document() -> str:
    """Return the text of docs/codes.md."""
    rows = {code: (row.clause, row.remedy) for code, row in CODES.items()}
    rows |= {code: ("by provision", reason.remedy) for code, reason in REASONS.items()}
    rows |= {code: ("by check", remedy) for code, remedy in REMEDIES.items()}
    lines = ["| code | clause | remedy |", "|---|---|---|"]
    for code, (clause, remedy) in sorted(rows.items()):
        text = Problem(code=code, subject="", seen="", remedy=remedy).remedy_for(Interface.CLI)
        lines.append(f"| `{code}` | {clause} | {text.replace('|', '/')} |")
    return _HEAD + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(codes_document(), end="")
