"""What a Relying Party is given to judge, and the right verdict: a defect as it is presented, or a conformance vector."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smki.relying_party.requirements import REQUIREMENTS
from smki.testing.defects.sample_pki import Base, SamplePki

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
    """One case. All certificates and lists are DER, except where the encoding is the defect."""

    name: str
    about: str
    """One line of description."""
    expected: str
    """``trusted``, or the code of the reason not to trust."""
    certificate: bytes
    trust_anchors: tuple[bytes, ...]
    chain: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    arls: tuple[bytes, ...] = ()
    at: datetime
    """The moment of the judgement, UTC."""
    use: str = ""
    """Role and key usage that it is to be relied on for (``supplier/DS``); empty for any."""
    numbers_seen: dict[str, int] = field(default_factory=dict)
    """``crl`` and ``arl``: the highest number of a genuine list of the issuer that was seen before."""
    suspected: tuple[str, ...] = ()
    """Serial numbers (hexadecimal) that the Relying Party itself suspects."""

    @property
    def clause(self) -> str:
        """The clause that decides."""
        return CLAUSES[self.expected]


_FIELDS = {
    Base.ORGANISATION: "certificate",
    Base.DEVICE: "certificate",
    Base.ISSUING_OCA: "chain",
    Base.ISSUING_DCA: "chain",
    Base.ROOT_OCA: "trust_anchors",
    Base.ROOT_DCA: "trust_anchors",
    Base.CRL: "crls",
    Base.ARL: "arls",
}


def in_place_of(base: Base, made: bytes) -> dict[str, Any]:
    """The field of a :class:`Case` in which *made* takes the place of the valid certificate or list."""
    name = _FIELDS[base]
    return {name: made if name == "certificate" else (made,)}


def case_of(
    pki: SamplePki, name: str, about: str, expected: str = TRUSTED, base: Base = Base.ORGANISATION, **fields: Any
) -> Case:
    """A case in which everything is valid but for *fields*.

    :param base: what it is about, which decides whether it has an Organisation Certificate or a Device Certificate.
    """
    good = pki.good_bytes
    values: dict[str, Any]
    if base.is_of_device:
        leaf, issuing, root = Base.DEVICE, Base.ISSUING_DCA, Base.ROOT_DCA
        values = {}
    else:
        leaf, issuing, root = Base.ORGANISATION, Base.ISSUING_OCA, Base.ROOT_OCA
        values = {"crls": (good(Base.CRL),), "arls": (good(Base.ARL),)}
    values |= {"certificate": good(leaf), "chain": (good(issuing),), "trust_anchors": (good(root),), "at": pki.moment}
    return Case(name=name, about=about, expected=expected, **values | fields)
