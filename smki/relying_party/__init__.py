"""The Relying Party: the checks made before a certificate is trusted (SEC L12), and a verdict that lists them.

``requirements`` is the table of checks. ``examine`` reads a certificate and checks it against its profile, ``path``
checks the authorities above it, ``lists`` and ``revocation`` handle revocation lists, ``suspicion`` the certificates
suspected of compromise, and ``use`` the intended use. ``party`` combines the checks into a ``verdict``.
"""

from smki.relying_party.anchor import TrustAnchor
from smki.relying_party.lists import ListSource, NumbersSeen, RevocationLists
from smki.relying_party.party import RelyingParty
from smki.relying_party.repository_client import RepositoryClient
from smki.relying_party.signature import SignatureForm, verify_signature
from smki.relying_party.suspicion import Suspicion, Suspicions
from smki.relying_party.use import Use
from smki.relying_party.verdict import Check, Outcome, Verdict

__all__ = [
    "Check",
    "ListSource",
    "NumbersSeen",
    "Outcome",
    "RelyingParty",
    "RepositoryClient",
    "RevocationLists",
    "SignatureForm",
    "Suspicion",
    "Suspicions",
    "TrustAnchor",
    "Use",
    "Verdict",
    "verify_signature",
]
