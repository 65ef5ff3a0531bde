"""What each kind of certificate, request and list must hold, as data; and the lint that checks it.

``forms`` has the shapes a requirement can take, ``tables`` the profiles themselves as rows of such
requirements with clause and mark. ``build`` makes a certificate or a list from a profile, the ``check_*``
modules check against one and report by the codes of the ``catalogue``, ``lint`` runs them; ``clearance`` is
the only way from a lint to a signature.
"""

from smki.profile.issuer import IssuerFacts
from smki.profile.lint import lint, lint_certificate, lint_request, lint_revocation_list
from smki.profile.tables import ALL_PROFILES, PROFILES, TEST_POLICY_OID

__all__ = [
    "ALL_PROFILES",
    "PROFILES",
    "TEST_POLICY_OID",
    "IssuerFacts",
    "lint",
    "lint_certificate",
    "lint_request",
    "lint_revocation_list",
]
