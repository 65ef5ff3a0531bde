"""What people are told: the text of a decision of every kind, against the file ``decisions.txt``.

After a change that is meant, ``python -m tests.eligibility.test_wording`` writes the file again; read its diff.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from smki.eligibility import AuthorityQuestion, InventoryQuestion, Listing, decide, decision_lines
from smki.eligibility.question import Participation, Question
from smki.identity import PartyId
from smki.sec.device import DeviceType
from smki.sec.role import CertificateKind, RemotePartyRole
from tests.eligibility.participants import ASKING
from tests.eligibility.people import (
    APPLICANTS,
    FOREIGN,
    OWN,
    TODAY,
    by,
    device,
    device_question,
    in_tests,
    organisation_question,
    participant,
)
from tests.eligibility.test_reasons import (
    A_SUPPLIER,
    BROKER,
    DECISIVE,
    ELIGIBLE,
    SUPPLIER,
    SUPPORTING,
    to_be_added,
)


def _text(question: Question) -> str:
    return "\n".join(decision_lines(decide(question)))


FILE = Path(__file__).with_name("decisions.txt")
METER = device("ESME", "suspended from commissioned")
DESCRIBED = (
    "dcc", "large-supplier/none", "electricity-network/none", "other/none", "supplier/all", "non-user/import",
    "maker/section-t", "maker without agreement", "agent not a party", "supplier for another", "maker for supplier",
)  # fmt: skip
"""Applicants whose descriptions differ."""
MODEL = replace(METER, model="ELS01")
MAKER = participant()
OF_SUPPLIER, OF_MAKER = (replace(METER, under_test=PartyId(name)) for name in ("P-LARGE-SUPPLIER", "MAKER"))
SUSPENDED = in_tests(APPLICANTS["supplier suspended"].who, "section-t")
FOR_THE_DCC = by(participant(roles="recovery", identifiers=f"{OWN}, {FOREIGN}"))
HAD_ONE = Participation(certificates={"section-t": 1})
INVENTORY: dict[str, Question] = {
    "a Gas Proxy Function, by a supplier": InventoryQuestion(SUPPLIER, device("GPF"), TODAY),
    "a meter, by a maker": InventoryQuestion(MAKER, METER, TODAY),
    "a meter, by the suspended": InventoryQuestion(SUSPENDED, METER, TODAY),
    "no model": InventoryQuestion(SUPPLIER, METER, TODAY, Listing(True)),
    "model not listed": InventoryQuestion(SUPPLIER, MODEL, TODAY, Listing(True)),
    "model of another type": InventoryQuestion(SUPPLIER, MODEL, TODAY, Listing(True, DeviceType.GSME)),
    "model listed": InventoryQuestion(SUPPLIER, MODEL, TODAY, Listing(True, DeviceType.ESME)),
    "every model": InventoryQuestion(SUPPLIER, MODEL, TODAY),
    "under test, its own": InventoryQuestion(SUPPLIER, OF_SUPPLIER, TODAY),
    "under test, somebody else's": InventoryQuestion(SUPPLIER, OF_MAKER, TODAY),
    "under test, by a maker": InventoryQuestion(MAKER, OF_MAKER, TODAY),
    "under test, by the suspended": InventoryQuestion(SUSPENDED, OF_SUPPLIER, TODAY),
    "under test, without agreement": InventoryQuestion(participant(agreement=""), OF_MAKER, TODAY),
    "under test, in entry process tests": InventoryQuestion(participant("uept"), OF_MAKER, TODAY),
}
"""What is said about adding a Device."""
MORE: dict[str, Question] = {
    "a meter suspended while pending": device_question(APPLICANTS["dcc"], device("ESME", "suspended from pending")),
    "a model to be added": to_be_added(A_SUPPLIER, MODEL, Listing(True, DeviceType.GSME)),
    "a test's quota, role": replace(
        organisation_question(by(participant(quota="1", roles="other", identifiers=str(OWN)))), participation=HAD_ONE
    ),
    "an authorised Party in SREPT": organisation_question(by(in_tests(SUPPLIER, "srept")), RemotePartyRole.SUPPLIER),
    "a test without types": device_question(by(in_tests(SUPPLIER, "section-t")), METER),
    "the DCC's identifier, for somebody who acts on its behalf": replace(
        organisation_question(FOR_THE_DCC, RemotePartyRole.RECOVERY), is_the_dccs=True, roles_before=BROKER
    ),
    "two roles of the DCC's": replace(
        organisation_question(APPLICANTS["dcc"], RemotePartyRole.DSP_XML_SIGN),
        roles_before=BROKER | {RemotePartyRole.DSP_XML_SIGN},
    ),
    "an authority, by a maker": AuthorityQuestion(by(MAKER), CertificateKind.ROOT_OCA, TODAY),
    "an authority, by nobody known": AuthorityQuestion(APPLICANTS["non-party"], CertificateKind.ROOT_OCA, TODAY),
    "nobody known": device_question(APPLICANTS["non-party"], METER),
    "a supplier that is not a User, by its agent": device_question(APPLICANTS["agent of non-user supplier"], METER),
}
"""What else differs in the wording."""


def decisions() -> str:
    """The text of a decision for every code and every provision, and of those who are described differently."""
    questions: dict[str, Question] = {
        **{f"refused: {code}": question for code, (_, question) in (DECISIVE | SUPPORTING).items()},
        **{f"eligible: {key} ({number})": question for number, (key, question) in enumerate(ELIGIBLE, 1)},
        **{f"role other: {name}": organisation_question(APPLICANTS[name]) for name in DESCRIBED},
        **{f"a meter in service: {name}": device_question(APPLICANTS[name], METER) for name in DESCRIBED},
        **{f"inventory: {name}": question for name, question in INVENTORY.items()},
        **{f"tests: {name}": asking.about_organisation(RemotePartyRole.OTHER) for name, asking in ASKING.items()},
        **{f"also: {name}": question for name, question in MORE.items()},
    }
    return "\n\n".join(f"# {name}\n{_text(question)}" for name, question in questions.items()) + "\n"


def test_every_decision_reads_as_written() -> None:
    assert decisions() == FILE.read_text()


if __name__ == "__main__":
    FILE.write_text(decisions())
