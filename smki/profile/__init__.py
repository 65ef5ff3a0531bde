"""What each kind of certificate, request and list must hold, as data; and the lint that checks it.

``forms`` has the shapes a requirement can take, ``tables`` the profiles themselves as rows of such
requirements with clause and mark. ``build`` makes a certificate from a profile, the ``rules_*`` modules
check against one, ``lint`` runs them; ``clearance`` is the only way from a lint to a signature.
"""

from smki.profile.lint import IssuerFacts, lint, lint_certificate, lint_request
from smki.profile.tables import PROFILES, TEST_POLICY_OID

__all__ = ["PROFILES", "TEST_POLICY_OID", "IssuerFacts", "lint", "lint_certificate", "lint_request"]
