"""Applications for certificates and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass

from smki.ledger import CertificateRecord
from smki.problem import Finding, Problem, SmkiError
from smki.sec.device import DeviceType
from smki.sec.role import CertificateKind


@dataclass(frozen=True, slots=True)
class Application:
    """An application for an Organisation or a Device Certificate."""

    kind: CertificateKind
    """ORGANISATION or DEVICE: which certificate is wanted, whatever the request looks like."""
    request: bytes
    """The certification request, DER."""
    interface: str
    """Through which interface it came: ``cli``, ``python``, ``init``, …"""
    applicant: str = ""
    """The id of the Party or Testing Participant that applies; empty for the one whose business it is
    (:mod:`smki.registration.applicants`)."""
    officer: str = ""
    """The officer who applies; empty for the applicant's first one for this kind of certificate."""
    on_behalf_of: str = ""
    """The id of the User for which the applicant, a Shared Resource, applies; empty where it applies itself."""
    device_type: DeviceType | None = None
    """What the Device is, where it is not in the Smart Metering Inventory yet: it is then added as pending."""
    issuer: str = ""
    """The common name of the issuing authority; empty for the one whose turn it is."""
    top_up: bool = False
    """Whether it is a Supplier's key agreement certificate for prepayment top-up, kept apart from that for management."""


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
    application_id: int
    """Under which it is in the record."""


class Refused(SmkiError):
    """A refusal as an error, for whoever would rather have that."""
