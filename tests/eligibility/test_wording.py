"""What people are told: the text of a decision of every kind, against the file ``decisions.txt``.

After a change that is meant, ``python -m tests.eligibility.test_wording`` writes the file again; read its diff.
"""

from __future__ import annotations

from pathlib import Path

from smki.eligibility import decide, decision_lines
from smki.eligibility.question import Question
from tests.eligibility.people import APPLICANTS, device, device_question, organisation_question
from tests.eligibility.test_reasons import DECISIVE, ELIGIBLE, SUPPORTING


def _text(question: Question) -> str:
    return "\n".join(decision_lines(decide(question)))


FILE = Path(__file__).with_name("decisions.txt")
METER = device("ESME", "suspended from commissioned")
DESCRIBED = (
    "dcc", "large-supplier/none", "electricity-network/none", "other/none", "supplier/all", "non-user/import",
    "maker/section-t", "maker without agreement", "agent not a party", "supplier for another", "maker for supplier",
)  # fmt: skip
"""Applicants whose descriptions differ."""


def decisions() -> str:
    """The text of a decision for every code and every provision, and of those who are described differently."""
    questions: dict[str, Question] = {
        **{f"refused: {code}": question for code, (_, question) in (DECISIVE | SUPPORTING).items()},
        **{f"eligible: {key} ({number})": question for number, (key, question) in enumerate(ELIGIBLE, 1)},
        **{f"role other: {name}": organisation_question(APPLICANTS[name]) for name in DESCRIBED},
        **{f"a meter in service: {name}": device_question(APPLICANTS[name], METER) for name in DESCRIBED},
    }
    return "\n\n".join(f"# {name}\n{_text(question)}" for name, question in questions.items()) + "\n"


def test_every_decision_reads_as_written() -> None:
    assert decisions() == FILE.read_text()


if __name__ == "__main__":
    FILE.write_text(decisions())
