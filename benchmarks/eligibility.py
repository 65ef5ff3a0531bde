"""How many decisions on eligibility one core makes in a second, and what they cost an issuance."""

from __future__ import annotations

import itertools
import tempfile
import time
from datetime import date
from pathlib import Path

from benchmarks.issuance import application, inventory, requests
from benchmarks.measurement import Measurement, rate
from smki import Smki
from smki.eligibility import Applicant, Decision, DeviceQuestion, OrganisationQuestion, decide
from smki.eligibility.question import Question
from smki.ledger import Conditions
from smki.registration.cast import DEVICES, PARTIES
from smki.registration.inquiry import Inquiry
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


class _Waved(Inquiry):
    """Lets everybody pass, without asking the ledger or the provisions: what an issuance cost before there were any."""

    def decide(self, *_: object, **__: object) -> tuple[Decision, Conditions]:
        return Decision(True, (), AS_OF), Conditions()


def _issuance_rates() -> tuple[float, float]:
    """Certificates a second with the decisions and without, in turns on one home, so that both see the same disk."""
    spent = {True: 0.0, False: 0.0}
    rounds = 6
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory, Smki.create(Path(directory) / "pki") as smki:
        inventory(smki)
        judges = {True: Inquiry(smki.ledger, smki.clock), False: _Waved(smki.ledger, smki.clock)}
        smki.registration.issue(application(requests(1)[0]))
        for _, judged in itertools.product(range(rounds), (True, False)):
            wanted = requests(ROUND)
            smki.registration._inquiry = judges[judged]
            start = time.perf_counter()
            for request in wanted:
                smki.registration.issue(application(request))
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
