"""The table of checks that a Relying Party makes (SEC L12), in order, and of the reasons for refusing trust."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """One check: a condition that must hold before a certificate is trusted."""

    name: str
    """A stable, dotted name for programs: ``path.signature``."""
    title: str
    clause: str

    @property
    def step(self) -> str:
        """The step to which it belongs, one of STEPS: the first part of its name."""
        return self.name.partition(".")[0]


PROFILE = Requirement("profile", "DER that meets its profile", "GBCS 12")
ISSUER = Requirement("path.issuer", "an issuer with that name, byte for byte", "RFC 5280 6.1.3 (a)(4)")
KEY_IDENTIFIER = Requirement("path.key-identifier", "the issuer's key identifier", "RFC 5280 4.2.1.1")
SIGNATURE = Requirement("path.signature", "signed by the issuer's key", "RFC 5280 6.1.3 (a)(1)")
AUTHORITY = Requirement("path.authority", "the issuer is an authority", "RFC 5280 6.1.4 (k)")
LENGTH = Requirement("path.length", "no more authorities than pathLenConstraint allows", "RFC 5280 6.1.4 (m)")
KEY_CERT_SIGN = Requirement("path.key-cert-sign", "the issuer may sign certificates", "RFC 5280 6.1.4 (n)")
HIERARCHY = Requirement("path.hierarchy", "issued by the authority for its kind", "GBCS 12")
POLICY = Requirement("path.policy", "the policy of this environment", "GBCS 12")
CRITICAL = Requirement("path.critical-extension", "no unknown critical extension", "RFC 5280 6.1.5 (f)")
END_ENTITY = Requirement("path.end-entity", "not an authority offered as an end entity", "SEC L12")
VALIDITY = Requirement("time.validity", "valid at that moment", "RFC 5280 6.1.3 (a)(2)")
LIST = Requirement("revocation.list", "an available revocation list", "SEC L12")
LIST_PROFILE = Requirement("revocation.list-profile", "a list that meets its profile", "RFC 5280 5.1")
LIST_ISSUER = Requirement("revocation.list-issuer", "a list from the certificate's issuer", "RFC 5280 6.3.3 (b)(1)")
LIST_SIGNATURE = Requirement("revocation.list-signature", "a list signed by that issuer", "RFC 5280 6.3.3 (g)")
LIST_SIGNER = Requirement("revocation.list-crl-sign", "an issuer that may sign lists", "RFC 5280 6.3.3 (f), RFC 10007")
LIST_CURRENT = Requirement("revocation.list-current", "a list current at that moment", "RFC 5280 6.3.3 (a)")
LIST_NUMBER = Requirement("revocation.list-number", "no list older than one already seen", "RFC 5280 5.2.3")
REVOKED = Requirement("revocation.entry", "not revoked", "SEC L12")
SUSPICION = Requirement("suspicion", "not suspected to be compromised", "SEC L12")
ROLE = Requirement("use.role", "the role of the intended use", "GBCS 12")
ENTITY = Requirement("use.entity", "the Entity Identifier of the intended use", "GBCS 12")
KEY_USAGE = Requirement("use.key-usage", "the key usage of the intended use", "RFC 5280 4.2.1.3")

REQUIREMENTS = (
    PROFILE,
    ISSUER,
    KEY_IDENTIFIER,
    SIGNATURE,
    AUTHORITY,
    LENGTH,
    KEY_CERT_SIGN,
    HIERARCHY,
    POLICY,
    CRITICAL,
    END_ENTITY,
    VALIDITY,
    LIST,
    LIST_PROFILE,
    LIST_ISSUER,
    LIST_SIGNATURE,
    LIST_SIGNER,
    LIST_CURRENT,
    LIST_NUMBER,
    REVOKED,
    SUSPICION,
    ROLE,
    ENTITY,
    KEY_USAGE,
)
"""Every check. Those of one step are made from the end entity upwards, link by link."""
STEPS = tuple(dict.fromkeys(requirement.step for requirement in REQUIREMENTS))
"""The steps in their order: profile, path, time, revocation, suspicion, use."""

_LINT = "Run smki lint on it to see everything that is wrong."
_SOURCE = "Get it again from the Repository; if the problem persists, report it to the DCC."

REMEDIES: dict[str, str] = {
    "profile": _LINT,
    "path.issuer-unknown": "path.give-issuer",
    "path.key-identifier": "Give the certificate of the authority whose key signed it.",
    "path.signature": "It was altered or not signed by that issuer: do not rely on it.",
    "path.not-authority": "Its issuer may not issue: do not rely on it.",
    "path.length": "Its issuer may not have authorities below it: do not rely on it.",
    "path.key-cert-sign": "Its issuer may not sign certificates: do not rely on it.",
    "path.hierarchy": "It comes from the wrong hierarchy: do not rely on it.",
    "path.policy": "path.name-policy",
    "path.critical-extension": "It has a requirement that is not understood: do not rely on it.",
    "path.authority-offered": "Give the end entity's certificate.",
    "time.not-yet-valid": "time.not-yet-valid",
    "time.expired": "time.expired",
    "revocation.unavailable": "revocation.give-list",
    "revocation.list-profile": _SOURCE,
    "revocation.list-issuer": "Give the list of the authority that issued the certificate.",
    "revocation.list-signature": _SOURCE,
    "revocation.list-crl-sign": "The list's issuer may not sign lists: do not rely on it.",
    "revocation.list-not-yet-current": "revocation.later",
    "revocation.list-overdue": "Get the current list.",
    "revocation.list-rolled-back": "A newer list was replaced with an older one: get the newest, and find out why.",
    "revocation.revoked": "Do not rely on it.",
    "suspicion.suspected": "suspicion.clear",
    "use.role": "Use the certificate of an Organisation with that role.",
    "use.entity": "Use the certificate of that Organisation or Device.",
    "use.key-usage": "Use the subject's other certificate.",
}
"""Every code that a reason for refusing trust can have, with its remedy."""
