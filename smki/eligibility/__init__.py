"""Who may subscribe for what: the provisions as data, and decisions that explain themselves.

``provisions`` has the rules of the Code with clause and day, ``tables`` who may for each role and Device type,
``refusals`` every reason against. A ``question`` goes to ``judge``, and a ``decision`` comes back. Nothing here
knows a ledger or a clock: a question carries all that it is judged by, its day too.
"""

from smki.eligibility.decision import Applied, Decision, decision_lines
from smki.eligibility.judge import decide
from smki.eligibility.provisions import PROVISIONS, Provision, in_force
from smki.eligibility.question import Applicant, AuthorityQuestion, DeviceQuestion, OrganisationQuestion
from smki.eligibility.refusals import REASONS, DecisionOutcome
from smki.eligibility.tables import DEVICE_THRESHOLD

__all__ = [
    "DEVICE_THRESHOLD",
    "PROVISIONS",
    "REASONS",
    "Applicant",
    "Applied",
    "AuthorityQuestion",
    "Decision",
    "DecisionOutcome",
    "DeviceQuestion",
    "OrganisationQuestion",
    "Provision",
    "decide",
    "decision_lines",
    "in_force",
]
