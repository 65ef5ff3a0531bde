"""Generates docs/findings.md from the catalogue: ``python -m smki.profile.document > docs/findings.md``."""

from __future__ import annotations

import sys

from smki.problem import Severity
from smki.profile.catalogue import CATALOGUE

_HEAD = """# Findings

The findings of `smki lint`, in the order of the structure. Generated from the catalogue
(`python -m smki.profile.document > docs/findings.md`); `smki lint --codes` prints the same.

- **fatal**: the rest could not be read. **error**: violates a rule of the profile. Either one prevents issuance and
  makes `smki lint` exit with 1.
- **warning**: allowed by some rules, but probably a mistake here. **notice**: allowed, but unlike the published certificates.

Codes are stable: a code keeps its meaning and is never reused. The rule states what is required.
"""


def findings_document() -> str:
    """Return the text of docs/findings.md."""
    lines = [_HEAD]
    counts = ", ".join(
        f"{sum(row.severity is severity for row in CATALOGUE.values())} {severity.label}"
        for severity in reversed(Severity)
    )
    lines += [f"{len(CATALOGUE)} codes: {counts}.", "", "| code | severity | clause | rule |", "|---|---|---|---|"]
    lines += [f"| `{row.code}` | {row.severity.label} | {row.clause} | {row.rule} |" for row in CATALOGUE.values()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(findings_document())
