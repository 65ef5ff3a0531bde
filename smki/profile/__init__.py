"""The required content of each kind of certificate, request and list, as data; and the lint that checks it.

``forms`` defines the kinds of requirement, and ``tables`` the profiles: rows of such requirements, each with its clause
and a mark. ``build`` makes a certificate or list from a profile. The ``check_*`` modules check against a profile and
report findings from the ``catalogue``; ``lint`` runs them. ``clearance`` is the only way from the lint to a signature.
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
