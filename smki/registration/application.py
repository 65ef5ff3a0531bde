"""Applications for certificates and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass

from smki.ledger import CertificateRecord
from smki.problem import Finding, Problem, SmkiError
from smki.role import CertificateKind


@dataclass(frozen=True, slots=True)
class Application:
    """An application for an Organisation or a Device Certificate."""

    kind: CertificateKind
    """ORGANISATION or DEVICE: which certificate is wanted, whatever the request looks like."""
    request: bytes
    """The certification request, DER."""
    applicant: str
    """In whose name."""
    interface: str
    """Through which interface it came: ``cli``, ``python``, ``init``, …"""


@dataclass(frozen=True, slots=True)
class Issued:
    """The application was granted."""

    record: CertificateRecord
    notes: tuple[Finding, ...] = ()
    """What the lint found in the request below error: extensions that were not taken over, for instance."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The application was refused; nothing was issued."""

    problems: tuple[Problem, ...]
    """Every reason, the decisive one first."""


class Refused(SmkiError):
    """A refusal as an error, for whoever would rather have that."""
