"""How many decisions on eligibility one core makes in a second, and what they cost an issuance."""

from __future__ import annotations

import itertools
import tempfile
import time
from datetime import date
from pathlib import Path

from benchmarks.issuance import ACTOR, application, inventory, requests
from benchmarks.measurement import Measurement, rate
from smki import Smki
from smki.eligibility import Applicant, Decision, DeviceQuestion, OrganisationQuestion, decide
from smki.eligibility.question import Question
from smki.registration import applications
from smki.registration.demonstration import DEVICES, PARTIES
from smki.registration.inquiry import decide_on
from smki.sec.device import SmiStatus
from smki.sec.role import ORGANISATION_ROLES, KeyUsage

AS_OF = date(2026, 1, 1)
ROUND = 400


def questions() -> list[Question]:
    """Every Party of the cast asking for every role and for every Device in three statuses."""
    made: list[Question] = []
    statuses = (SmiStatus.PENDING, SmiStatus.INSTALLED_NOT_COMMISSIONED, SmiStatus.COMMISSIONED)
    devices = [
        device if status is device.status else device.with_status(status) for device in DEVICES for status in statuses
    ]
    for party in PARTIES:
        applicant = Applicant(party, party.officers[0].name)
        if party.identifiers:
            identifier = min(party.identifiers)
            made += [
                OrganisationQuestion(applicant, role, KeyUsage.DIGITAL_SIGNATURE, identifier, AS_OF)
                for role in ORGANISATION_ROLES
            ]
        made += [DeviceQuestion(applicant, device, AS_OF) for device in devices]
    return made


def _without_decision(*_: object, **__: object) -> Decision:
    """Let everybody pass, without asking the ledger or the provisions: what issuing costs without them."""
    return Decision(True, (), AS_OF)


def _issuance_rates() -> tuple[float, float]:
    """Certificates a second with the decisions and without, in turns on one home, so that both see the same disk."""
    spent = {True: 0.0, False: 0.0}
    rounds = 6
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory, Smki.create(Path(directory) / "pki") as smki:
        inventory(smki)
        deciders = {True: decide_on, False: _without_decision}
        smki.issue(application(requests(1)[0]), ACTOR)
        for _, judged in itertools.product(range(rounds), (True, False)):
            wanted = requests(ROUND)
            setattr(applications, "decide_on", deciders[judged])  # noqa: B010
            start = time.perf_counter()
            for request in wanted:
                smki.issue(application(request), ACTOR)
            spent[judged] += time.perf_counter() - start
    return rounds * ROUND / spent[True], rounds * ROUND / spent[False]


def run() -> list[Measurement]:
    """Decisions a second, and the rate of issuance with them as a part of that without."""
    asked = itertools.cycle(questions())
    judged, waved = _issuance_rates()
    return [
        Measurement("decide who is an Eligible Subscriber", rate(lambda: decide(next(asked)), seconds=2), "/s", 50_000),
        Measurement("issue with every check of eligibility (raw: without)", judged, "/s", 0.9 * waved, waved),
    ]
