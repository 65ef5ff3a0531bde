"""Problems and findings as values, and the exceptions that carry them.

Every refusal and every complaint is a value: a stable code, the subject, what was seen, what was expected, the clause,
and the remedy. This module defines these values and is the only one that formats them as text.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smki.codes import CODES
from smki.remedies import REMEDIES, Interface
from smki.text import visible


class Severity(enum.IntEnum):
    """The severity of a finding. ``ERROR`` and above prevent issuance and make a lint fail."""

    NOTICE = 1
    """Allowed, but different from the published certificates."""
    WARNING = 2
    """Allowed in some cases, but probably a mistake here."""
    ERROR = 3
    """Breaks a rule of the profile."""
    FATAL = 4
    """The rest could not be read at all."""

    @property
    def label(self) -> str:
        """The name in lower case, as printed and as used in JSON."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One reason for a refusal or an error.

    Clause and remedy come from the catalogue of codes (:mod:`smki.codes`) unless they are given.
    """

    code: str
    """A stable code for programs, with dots: ``entity-identifier.malformed``."""
    subject: str
    """What the problem is about: a field, a file, an argument."""
    seen: str
    """What was found there."""
    expected: str = ""
    """What would have been correct."""
    clause: str = ""
    """The clause that requires it, for instance ``RFC 5280 4.1.2.2``."""
    basis: str = ""
    """For a refusal by a provision: its source (:class:`~smki.eligibility.provisions.Basis`), for instance
    ``assumption``."""
    remedy: str = ""
    """What to do next: a key of :data:`~smki.remedies.REMEDIES`, or a text that suits every interface."""
    given: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Values for the placeholders of the remedy, by name."""

    def __post_init__(self) -> None:
        row = CODES.get(self.code)
        if row is not None:
            if not self.clause:
                object.__setattr__(self, "clause", row.clause)
            if not self.remedy:
                object.__setattr__(self, "remedy", row.remedy)

    def remedy_for(self, interface: Interface) -> str:
        """Return what to do next, in terms of an interface; empty if there is nothing to do."""
        known = REMEDIES.get(self.remedy)
        return known.text(interface, self.given) if known else self.remedy

    def fields(self) -> dict[str, Any]:
        """Return the fields for storage: ``Problem(**fields)`` is equal to the problem."""
        names = ("code", "subject", "seen", "expected", "clause", "basis", "remedy")
        values: dict[str, Any] = {name: value for name in names if (value := getattr(self, name))}
        return values | ({"given": dict(self.given)} if self.given else {})

    def as_json(self, interface: Interface = Interface.CLI) -> dict[str, str]:
        """Return the problem as JSON: every field a string, empty fields omitted.

        :param interface: the interface for which the remedy is written.
        """
        names = ("code", "subject", "seen", "expected", "clause", "basis")
        values = {name: value for name in names if (value := getattr(self, name))}
        remedy = self.remedy_for(interface)
        return values | ({"remedy": remedy} if remedy else {})


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect that a lint found in a certificate, a certification request or a revocation list."""

    code: str
    """A stable code, with dots: ``serial-number.too-long``."""
    severity: Severity
    clause: str
    location: str
    """The location in the structure: ``tbsCertificate.serialNumber``."""
    seen: str
    expected: str

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON: every field a string."""
        return {
            "code": self.code,
            "severity": self.severity.label,
            "clause": self.clause,
            "location": self.location,
            "seen": self.seen,
            "expected": self.expected,
        }

    def as_problem(self, remedy: str = "") -> Problem:
        """Return the finding as a reason for a refusal."""
        return Problem(
            code=self.code,
            subject=self.location,
            seen=self.seen,
            expected=self.expected,
            clause=self.clause,
            remedy=remedy,
        )


def problem_lines(problem: Problem, interface: Interface = Interface.CLI) -> list[str]:
    """Return a problem as text, on one line, with its remedy, if any, on a second line.

    ``subject: 7 bytes; expected 8 bytes (RFC 4108 5) [code]``; characters that are not printable are escaped.

    :param interface: the interface for which the remedy is written.
    """
    parts = [f"{problem.subject}: {problem.seen}"]
    if problem.expected:
        parts.append(f"; expected {problem.expected}")
    cited = ", ".join(filter(None, (problem.clause, problem.basis)))
    if cited:
        parts.append(f" ({cited})")
    parts.append(f" [{problem.code}]")
    remedy = problem.remedy_for(interface)
    lines = ["".join(parts), *([f"  {remedy}"] if remedy else [])]
    return [visible(line) for line in lines]


def not_text(error: UnicodeEncodeError) -> Problem:
    """Return what is wrong with a text that cannot be stored, for instance an argument that was not UTF-8."""
    return Problem(code="text.malformed", subject="text", seen=ascii(error.object)[:64], expected="Unicode characters")


def problem_text(problem: Problem, interface: Interface = Interface.CLI) -> str:
    """Return the lines of :func:`problem_lines` as one text."""
    return "\n".join(problem_lines(problem, interface))


def finding_text(finding: Finding) -> str:
    """Return a finding as one line of text that starts with its severity."""
    return f"{finding.severity.label}: {problem_text(finding.as_problem())}"


class SmkiError(Exception):
    """The base class of every exception that this project raises on purpose.

    :ivar problems: at least one :class:`Problem`; the first is the decisive one.
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

    def text(self, interface: Interface) -> str:
        """Return every problem as text, with remedies for an interface."""
        return "\n".join(problem_text(problem, interface) for problem in self.problems)

    def __str__(self) -> str:
        return self.text(Interface.PYTHON)


class Malformed(SmkiError):
    """Text or bytes are not valid: an EUI-64, a role, a certificate, a file."""


class NotFound(SmkiError):
    """Something that was requested does not exist."""


class NotReady(SmkiError):
    """A home, a port or a file is not in the state that the operation needs."""


class IntegrityError(SmkiError):
    """The ledger or a key file is inconsistent."""


class KeyUnusable(IntegrityError):
    """The private key of an authority is missing, cannot be read or is that of another certificate, so that the authority
    cannot sign."""


def errors_among(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings at severity error or above, in order."""
    return [finding for finding in findings if finding.severity >= Severity.ERROR]
