"""One conformance vector: what a Relying Party is given, and the verdict that is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from smki.relying_party.requirements import REQUIREMENTS
from smki.testing.vectors.world import MOMENT

TRUSTED = "trusted"

CLAUSES = {requirement.name: requirement.clause for requirement in REQUIREMENTS} | {
    "path.issuer-unknown": "RFC 5280 6.1.3 (a)(4)",
    "path.not-authority": "RFC 5280 6.1.4 (k)",
    "path.authority-offered": "SEC L12",
    "time.not-yet-valid": "RFC 5280 6.1.3 (a)(2)",
    "time.expired": "RFC 5280 6.1.3 (a)(2)",
    "revocation.unavailable": "SEC L12",
    "revocation.list-not-yet-current": "RFC 5280 6.3.3 (a)",
    "revocation.list-overdue": "RFC 5280 6.3.3 (a)",
    "revocation.list-rolled-back": "RFC 5280 5.2.3",
    "revocation.revoked": "SEC L12",
    "suspicion.suspected": "SEC L12",
    TRUSTED: "SEC L12",
}
"""The clause that decides, by the code of the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. All certificates and lists are DER, or nearly."""

    name: str
    about: str
    """What there is to it, in a line."""
    expected: str
    """``trusted``, or the code of the reason not to trust."""
    certificate: bytes
    trust_anchors: tuple[bytes, ...]
    chain: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    arls: tuple[bytes, ...] = ()
    at: datetime = MOMENT
    use: str = ""
    """Role and key usage that it is to be relied on for; empty for any."""
    numbers_seen: dict[str, int] = field(default_factory=dict)
    """``crl`` and ``arl``: the highest number of a genuine list of the issuer that was seen before."""
    suspected: tuple[str, ...] = ()
    """Serial numbers (hexadecimal) that the Relying Party itself suspects."""

    @property
    def clause(self) -> str:
        """The clause that decides."""
        return CLAUSES[self.expected]
