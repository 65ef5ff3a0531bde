"""The Relying Party: duties done before trust (SEC L12), and a verdict that shows them.

``requirements`` has every check as a row. ``examine`` reads a certificate and holds it against its profile, ``path``
finds the authorities above it, ``lists`` and ``revocation`` say what is revoked, ``suspicion`` what is suspected,
``use`` what it is good for; ``party`` puts the checks together into a ``verdict``.
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
