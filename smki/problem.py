"""What is wrong, as a value: reasons, findings and the errors that carry them.

Everything that this project refuses or complains about is a value first: a stable code, the thing
concerned, what was seen, what was expected, the clause that says so and the way out. This module
defines those values and is the one place that turns them into text.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from smki.text import visible


class Severity(enum.IntEnum):
    """How much a finding weighs. ``ERROR`` and above stop issuance and make a lint fail."""

    NOTICE = 1
    """Allowed, but unlike the published certificates."""
    WARNING = 2
    """Allowed somewhere, probably a mistake here."""
    ERROR = 3
    """Breaks a rule of the profile."""
    FATAL = 4
    """What follows could not be read at all."""

    @property
    def label(self) -> str:
        """The name in lower case, as printed and as written in JSON."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason for a refusal or an error."""

    code: str
    """Stable and dotted, for programs: ``entity-identifier.malformed``."""
    subject: str
    """The thing concerned: a field, a file, an argument."""
    seen: str
    """What was found there."""
    expected: str = ""
    """What would have been right."""
    clause: str = ""
    """The clause that asks for it, for instance ``RFC 5280 4.1.2.2``."""
    remedy: str = ""
    """What to do next."""

    def as_json(self) -> dict[str, Any]:
        """The problem as JSON: every field a string, empty ones left out."""
        fields = ("code", "subject", "seen", "expected", "clause", "remedy")
        return {name: value for name in fields if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a lint found in a certificate, a certification request or a revocation list."""

    code: str
    """Stable and dotted: ``serial-number.too-long``."""
    severity: Severity
    clause: str
    location: str
    """Where in the structure: ``tbsCertificate.serialNumber``."""
    seen: str
    expected: str

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON: every field a string."""
        return {
            "code": self.code,
            "severity": self.severity.label,
            "clause": self.clause,
            "location": self.location,
            "seen": self.seen,
            "expected": self.expected,
        }

    def as_problem(self, remedy: str = "") -> Problem:
        """The same as a reason for a refusal."""
        return Problem(self.code, self.location, self.seen, self.expected, self.clause, remedy)


def problem_lines(problem: Problem) -> list[str]:
    """One problem for a person, on one line, with its remedy on a second one if it has one.

    ``subject: seen 7 octets, expected 8 octets (RFC 4108 5) [code]``; characters that are not printable are escaped.
    """
    parts = [f"{problem.subject}: {problem.seen}"]
    if problem.expected:
        parts.append(f"; expected {problem.expected}")
    if problem.clause:
        parts.append(f" ({problem.clause})")
    parts.append(f" [{problem.code}]")
    lines = ["".join(parts), *([f"  {problem.remedy}"] if problem.remedy else [])]
    return [visible(line) for line in lines]


def problem_text(problem: Problem) -> str:
    """The lines of :func:`problem_lines` as one text."""
    return "\n".join(problem_lines(problem))


def finding_text(finding: Finding) -> str:
    """One finding for a person, on one line, starting with its severity."""
    return f"{finding.severity.label}: {problem_text(finding.as_problem())}"


class SmkiError(Exception):
    """The root of every error that this project raises on purpose.

    :ivar problems: at least one :class:`Problem`, the first being the decisive one.
    """

    def __init__(self, *problems: Problem) -> None:
        if not problems:
            raise ValueError("an SmkiError carries at least one Problem")
        super().__init__(*problems)
        self.problems: Sequence[Problem] = problems

    @property
    def code(self) -> str:
        """The code of the decisive problem."""
        return self.problems[0].code

    def __str__(self) -> str:
        return "\n".join(problem_text(problem) for problem in self.problems)


class Malformed(SmkiError):
    """Text or octets that are not what they should be: an EUI-64, a role, a certificate, a file."""


class NotFound(SmkiError):
    """What was asked for is not there."""


class NotReady(SmkiError):
    """A home, a port or a file is not in the state that the operation needs."""


class IntegrityError(SmkiError):
    """The ledger or a key file contradicts itself."""


def errors_among(findings: Iterable[Finding]) -> list[Finding]:
    """The findings at severity error or above, in their order."""
    return [finding for finding in findings if finding.severity >= Severity.ERROR]
