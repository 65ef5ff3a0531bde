"""Applications for certificates, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass

from smki.ledger import CertificateRecord
from smki.problem import Finding, Problem, SmkiError
from smki.sec.device import DeviceType
from smki.sec.role import CertificateKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application for an Organisation or a Device Certificate. The actor says who applies."""

    kind: CertificateKind
    """The kind of certificate that is applied for, ORGANISATION or DEVICE, whatever the request looks like."""
    request: bytes
    """The certification request, DER."""
    device_type: DeviceType | None = None
    """The type of a Device that is not yet in the Smart Metering Inventory. If the subscriber may add it
    (:mod:`smki.eligibility.inventory`), the Device is added as pending when the application is granted."""
    model: str = ""
    """The product identifier of the model of such a Device; empty if it is not given."""
    under_test: bool = False
    """Whether such a Device is added as a Device under test of the subscriber."""
    statement: bool = False
    """Whether the officer states what SEC L11 requires (:data:`~smki.registration.duties.STATEMENT`)."""
    issuer: str = ""
    """The common name of the issuing authority; empty to use the authorities in turn."""
    top_up: bool = False
    """Whether it is a Supplier's key agreement certificate for prepayment top-up, which is separate from that for
    management."""


@dataclass(frozen=True, slots=True)
class Issued:
    """The application was granted."""

    record: CertificateRecord
    notes: tuple[Finding, ...] = ()
    """What the lint found in the request below error, for instance extensions that were not copied."""
    remarks: tuple[str, ...] = ()
    """What else was done: the statement of SEC L11 that was recorded, and the Device that was added to the inventory."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The application was refused; nothing was issued."""

    problems: tuple[Problem, ...]
    """Every reason, the decisive one first."""
    application_id: int
    """The number of the application in the record of applications."""


class Refused(SmkiError):
    """A refusal as an exception, for callers that prefer one."""
