"""Who may subscribe for which certificate: the provisions as data, and decisions that explain themselves.

``provisions`` contains the rules of the Code with clause and date, ``tables`` the eligibility for each role and Device
type, ``inventory`` who adds which Device, and ``refusals`` every reason for refusal. ``judge`` answers a ``question`` with a
``decision``. Nothing here accesses a ledger or a clock: a question carries everything needed to answer it, including the
date.
"""

from smki.eligibility.decision import Applied, Decision, Note, decision_lines
from smki.eligibility.judge import decide
from smki.eligibility.provisions import PROVISIONS, Provision, in_force
from smki.eligibility.question import (
    Applicant,
    AuthorityQuestion,
    DeviceQuestion,
    InventoryQuestion,
    Listing,
    OrganisationQuestion,
    Participation,
)
from smki.eligibility.refusals import REASONS, DecisionOutcome
from smki.eligibility.smets1 import security_sections
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
    "InventoryQuestion",
    "Listing",
    "Note",
    "OrganisationQuestion",
    "Participation",
    "Provision",
    "decide",
    "decision_lines",
    "in_force",
    "security_sections",
]
