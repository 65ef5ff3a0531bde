"""How many decisions on eligibility one core makes in a second: ``python -m benchmarks.eligibility``."""

from __future__ import annotations

import time
from datetime import date

from smki.device import SmiStatus
from smki.eligibility import Applicant, DeviceQuestion, OrganisationQuestion, decide
from smki.eligibility.question import Question
from smki.registration.cast import DEVICES, PARTIES
from smki.role import ORGANISATION_ROLES, KeyUsage

AS_OF = date(2026, 1, 1)


def questions() -> list[Question]:
    """Every Party of the cast asking for every role and for every Device in three statuses."""
    made: list[Question] = []
    statuses = (SmiStatus.PENDING, SmiStatus.INSTALLED_NOT_COMMISSIONED, SmiStatus.COMMISSIONED)
    devices = [
        device if status is device.status else device.with_status(status) for device in DEVICES for status in statuses
    ]
    for party in PARTIES:
        applicant = Applicant(party, party.officers[0].name)
        identifier = min(party.identifiers)
        made += [
            OrganisationQuestion(applicant, role, KeyUsage.DIGITAL_SIGNATURE, identifier, AS_OF)
            for role in ORGANISATION_ROLES
        ]
        made += [DeviceQuestion(applicant, device, AS_OF) for device in devices]
    return made


def decisions_per_second(seconds: float = 2.0) -> tuple[float, float]:
    """Decisions each second over all questions, and the share of them that was eligible."""
    asked = questions()
    eligible = sum(decide(question).eligible for question in asked)
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for question in asked:
            decide(question)
        count += len(asked)
    return count / elapsed, eligible / len(asked)


if __name__ == "__main__":
    rate, share = decisions_per_second()
    print(f"{rate:,.0f} decisions/s on one core, {share:.0%} of them eligible")
