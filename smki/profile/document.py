"""Generates docs/findings.md from the catalogue: ``python -m smki.profile.document > docs/findings.md``."""

from __future__ import annotations

import sys

from smki.problem import Severity
from smki.profile.catalogue import CATALOGUE

_HEAD = """# Findings

What `smki lint` can find, in the order of the structure. Made from the catalogue
(`python -m smki.profile.document > docs/findings.md`); `smki lint --codes` prints the same.

- **fatal**: what follows could not be read at all. **error**: breaks a rule of the profile. Either stops issuance and
  makes `smki lint` exit with 1.
- **warning**: allowed somewhere, probably a mistake here. **notice**: allowed, but unlike the published certificates.

A code is stable: it keeps its meaning, and is never used for another. The rule says what should have been there.
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
