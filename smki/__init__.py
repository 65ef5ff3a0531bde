"""An SMKI in one directory: certification authorities, registration, ledger, and the tools that read them.

    >>> from smki import Smki
    >>> smki = Smki.create("pki")           # or Smki.open("pki")
    >>> key, request = smki.make_device_request(EntityIdentifier.parse("00-DB-12-34-56-78-90-A0"), KeyUsage.KEY_AGREEMENT)
    >>> smki.issue_device(request).certificate.as_pem()

The names exported here are the public Python interface; everything else may change.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smki.clock import FixedClock, HomeClock, RealClock, ShiftedClock
    from smki.home.smki import Smki
    from smki.identity import EntityIdentifier, SerialNumber
    from smki.pki.certificate import Certificate
    from smki.problem import Finding, Problem, Severity, SmkiError
    from smki.profile.lint import lint
    from smki.registration import Application, Issued, Refusal, Refused
    from smki.relying_party import RelyingParty, RepositoryClient, RevocationLists, Verdict
    from smki.sec.device import DeviceType
    from smki.sec.role import CertificateKind, CertificateStatus, KeyUsage, RemotePartyRole

__version__ = "0.1.0"

_EXPORTS = {
    "Application": "smki.registration",
    "Certificate": "smki.pki.certificate",
    "CertificateKind": "smki.sec.role",
    "CertificateStatus": "smki.sec.role",
    "DeviceType": "smki.sec.device",
    "EntityIdentifier": "smki.identity",
    "Finding": "smki.problem",
    "FixedClock": "smki.clock",
    "HomeClock": "smki.clock",
    "Issued": "smki.registration",
    "KeyUsage": "smki.sec.role",
    "Problem": "smki.problem",
    "RealClock": "smki.clock",
    "Refusal": "smki.registration",
    "Refused": "smki.registration",
    "RelyingParty": "smki.relying_party",
    "RemotePartyRole": "smki.sec.role",
    "RepositoryClient": "smki.relying_party",
    "RevocationLists": "smki.relying_party",
    "SerialNumber": "smki.identity",
    "Severity": "smki.problem",
    "ShiftedClock": "smki.clock",
    "Smki": "smki.home.smki",
    "SmkiError": "smki.problem",
    "Verdict": "smki.relying_party",
    "lint": "smki.profile.lint",
}

__all__ = [
    "Application",
    "Certificate",
    "CertificateKind",
    "CertificateStatus",
    "DeviceType",
    "EntityIdentifier",
    "Finding",
    "FixedClock",
    "HomeClock",
    "Issued",
    "KeyUsage",
    "Problem",
    "RealClock",
    "Refusal",
    "Refused",
    "RelyingParty",
    "RemotePartyRole",
    "RepositoryClient",
    "RevocationLists",
    "SerialNumber",
    "Severity",
    "ShiftedClock",
    "Smki",
    "SmkiError",
    "Verdict",
    "lint",
]


def __getattr__(name: str) -> object:
    # Imported on first use, so that `smki --help` and code that only reads a certificate do not import everything.
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'smki' has no attribute {name!r}")
