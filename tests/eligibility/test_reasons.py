"""Every code and every provision is stable, listed and reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from smki.eligibility import (
    PROVISIONS,
    REASONS,
    Applicant,
    AuthorityQuestion,
    DecisionOutcome,
    InventoryQuestion,
    Listing,
    OrganisationQuestion,
    decide,
    decision_lines,
)
from smki.eligibility.inventory import as_added_by
from smki.eligibility.provisions import Basis
from smki.eligibility.question import Participation, Question
from smki.eligibility.recorded import RecordUsed, Source
from smki.identity import PartyId
from smki.remedies import Interface
from smki.sec.device import Device, DeviceType
from smki.sec.party import NonParty, Officer
from smki.sec.recorded_test import ParticipationMode
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole
from tests.eligibility.people import (
    APPLICANTS,
    FOREIGN,
    OWN,
    TODAY,
    a_user,
    agent,
    by,
    device,
    device_question,
    in_tests,
    organisation_question,
    participant,
    party,
)

_R = RemotePartyRole
SUPPLIER = party("large-supplier", "import-supplier")
A_SUPPLIER = by(SUPPLIER)
DCC = by(party("dcc"))
BROKER = frozenset({_R.ACCESS_CONTROL_BROKER})
AGENT_ONLY = by(party("other", "registered-supplier-agent"))
DEVICE_OFFICER = by(replace(SUPPLIER, officers=(Officer("Jo", frozenset({CertificateKind.DEVICE})),)))
STRICT = ParticipationMode.STRICT
HAD_FIVE = Participation(certificates={"section-t": 5})
UNREGISTERED = by(replace(SUPPLIER, authorised_for=frozenset({CertificateKind.DEVICE})))


def to_be_added(applicant: Applicant, what: Device, listing: Listing = Listing()) -> Question:  # noqa: B008
    return replace(device_question(applicant, what), to_be_added=listing)


# The code that decides, the clause it names, and a question that it is the answer to
DECISIVE: dict[str, tuple[str, Question]] = {
    "eligibility.not-in-force": ("SEC L3", organisation_question(A_SUPPLIER, as_of=date(2014, 7, 30))),
    "party.none": ("SEC L3", device_question(by(NonParty("Somebody")))),
    "party.not-yet-acceded": ("SEC M8", device_question(APPLICANTS["supplier acceding later"])),
    "party.suspended": ("SEC M8", device_question(APPLICANTS["supplier suspended"])),
    "party.expelled": ("SEC M8", device_question(APPLICANTS["supplier expelled"])),
    "party.withdrawn": ("SEC M8", device_question(APPLICANTS["supplier withdrawn"])),
    "party.not-authorised-subscriber": ("SEC L3", organisation_question(UNREGISTERED)),
    "officer.unknown": ("SEC Appendix M", device_question(replace(A_SUPPLIER, officer="Sam"))),
    "officer.other-kind": ("SEC Appendix M", organisation_question(DEVICE_OFFICER)),
    "acting-for.not-named": ("", organisation_question(APPLICANTS["agent unnamed"])),
    "acting-for.not-a-user": ("", organisation_question(APPLICANTS["agent of the dcc"], _R.RECOVERY)),
    "shared-resource.not-a-party": ("SEC G5.29", organisation_question(APPLICANTS["agent suspended"])),
    "entity-identifier.not-owned": (
        "SEC Appendix M",
        OrganisationQuestion(A_SUPPLIER, _R.SUPPLIER, KeyUsage.DIGITAL_SIGNATURE, FOREIGN, TODAY),
    ),
    "entity-identifier.other-role": ("", replace(organisation_question(DCC, _R.RECOVERY), roles_before=BROKER)),
    "participant.no-test": (
        "SEC H14.11",
        replace(organisation_question(A_SUPPLIER, _R.SUPPLIER), participation=Participation(mode=STRICT)),
    ),
    "participant.no-agreement": ("SEC H14.11", device_question(by(participant(agreement="2026-01-02")))),
    "participant.purpose": ("SEC H14.11", device_question(by(participant("uept")))),
    "participant.role": ("", organisation_question(by(participant(identifiers=str(OWN))))),
    "participant.entity-identifier": ("", organisation_question(by(participant(roles="other")))),
    "participant.device-type": ("", device_question(by(participant(device_types="CHF, GPF")))),
    "participant.quota-reached": (
        "SEC H14.11",
        replace(device_question(by(participant(quota="5"))), participation=HAD_FIVE),
    ),
    "role.dcc-only": ("SEC L3.9", organisation_question(A_SUPPLIER, _R.RECOVERY)),
    "role.not-a-network-party": ("SEC L3.9", organisation_question(A_SUPPLIER, _R.NETWORK_OPERATOR)),
    "role.not-a-supplier": ("SEC L3.9", organisation_question(APPLICANTS["large-supplier/export"], _R.SUPPLIER)),
    "role.not-for-the-dcc": ("SEC L3.9", organisation_question(DCC, _R.OTHER)),
    "role.not-a-load-controller": ("", organisation_question(A_SUPPLIER, _R.LOAD_CONTROLLER)),
    "role.not-a-user": ("", organisation_question(APPLICANTS["non-user/import"], _R.XML_SIGN)),
    "role.by-ceremony": ("GBCS 12", organisation_question(DCC, _R.ROOT)),
    "role.usage": ("GBCS 12", replace(organisation_question(DCC, _R.RECOVERY), usage=KeyUsage.KEY_AGREEMENT)),
    "authority.dcc-only": ("SEC L3", AuthorityQuestion(A_SUPPLIER, CertificateKind.ROOT_OCA, TODAY)),
    "device.type-2": ("SEC L3", device_question(A_SUPPLIER, device("IHD"))),
    "device.communications-hub": ("SEC L3", device_question(A_SUPPLIER, device("CHF"))),
    "device.gas-proxy": ("SEC L3", device_question(A_SUPPLIER, device("GPF"))),
    "device.electricity-meter": ("SEC L3", device_question(DCC, device("ESME", "commissioned"))),
    "device.gas-meter": ("SEC L3", device_question(A_SUPPLIER, device("GSME", "installed not commissioned"))),
    "device.type-1": ("SEC L3", device_question(AGENT_ONLY, device("PPMID", "commissioned"))),
    "device.no-previous-certificate": ("SEC Appendix M", replace(device_question(A_SUPPLIER), replacement=True)),
    "device.limit-reached": ("SEC Appendix M", replace(device_question(A_SUPPLIER), certificates_issued=100)),
    "public-key.already-certified": ("SEC Appendix M", replace(device_question(A_SUPPLIER), public_key_certified=True)),
    "inventory.not-the-dcc": ("SEC H5", to_be_added(APPLICANTS["small-supplier/gas"], device("GPF"))),
    "inventory.not-a-supplier": ("SEC H5", to_be_added(DCC, device("ESME"))),
    "inventory.not-certified": ("SEC H5", to_be_added(A_SUPPLIER, device("ESME"), Listing(required=True))),
    "inventory.not-own": (
        "",
        to_be_added(A_SUPPLIER, replace(device("ESME"), under_test=PartyId("SOMEBODY-ELSE"))),
    ),
}

# Codes that never decide, since another reason always comes first
SUPPORTING: dict[str, tuple[str, Question]] = {
    "participant.none": ("SEC H14.11", device_question(by(NonParty("Somebody")))),
    "role.registered-supplier-agent": ("SEC L3.9", organisation_question(AGENT_ONLY, _R.SUPPLIER)),
}

OUTCOMES = {
    "device.no-previous-certificate": DecisionOutcome.UNKNOWN_DEVICE,
    "device.limit-reached": DecisionOutcome.ANOMALY,
    "public-key.already-certified": DecisionOutcome.ANOMALY,
}

# Questions whose decisions cite, between them, the provisions that the refusals above do not
ELIGIBLE: tuple[tuple[str, Question], ...] = (
    ("organisation-subscribers", organisation_question(A_SUPPLIER, _R.SUPPLIER)),
    ("role-other", organisation_question(AGENT_ONLY, _R.OTHER)),
    ("registered-supplier-agent", organisation_question(AGENT_ONLY, _R.OTHER)),
    ("role-load-controller", organisation_question(APPLICANTS["other/load"], _R.LOAD_CONTROLLER)),
    ("role-xml-sign", organisation_question(AGENT_ONLY, _R.XML_SIGN)),
    ("role-dsp-xml-sign", organisation_question(DCC, _R.DSP_XML_SIGN)),
    ("role-network-operator", organisation_question(APPLICANTS["gas-network/none"], _R.NETWORK_OPERATOR)),
    ("separate-roles", organisation_question(APPLICANTS["supplier/all"], _R.SUPPLIER)),
    ("acting-for", organisation_question(by(agent(), a_user()), _R.SUPPLIER)),
    ("shared-resource", organisation_question(by(agent(), a_user()), _R.SUPPLIER)),
    ("oca-subscriber", AuthorityQuestion(DCC, CertificateKind.ISSUING_OCA, TODAY)),
    ("dca-subscriber", AuthorityQuestion(DCC, CertificateKind.ISSUING_DCA, TODAY)),
    ("device-communications-hub", device_question(DCC, device("CHF", "commissioned"))),
    ("device-gas-proxy", device_question(DCC, device("GPF", "commissioned"))),
    ("device-electricity-meter", device_question(A_SUPPLIER, device("ESME", "commissioned"))),
    ("device-gas-meter", device_question(APPLICANTS["small-supplier/gas"], device("GSME", "commissioned"))),
    ("device-type-1", device_question(A_SUPPLIER, device("SAPC", "commissioned"))),
    ("device-not-in-service", device_question(DCC, device("HCALCS"))),
    ("test-device-types", device_question(by(participant()), device("ESME", "commissioned"))),
    ("test-roles", organisation_question(by(participant(roles="other", identifiers=str(OWN))))),
    ("test-identifiers", organisation_question(by(participant(roles="other", identifiers=str(OWN))))),
    ("test-subscriber", organisation_question(by(in_tests(UNREGISTERED.who, "srept")), _R.SUPPLIER)),
    ("test-agreement", device_question(by(participant()))),
    ("test-purpose", device_question(by(participant()))),
    ("test-quota", replace(device_question(by(participant(quota="6"))), participation=HAD_FIVE)),
    ("test-quota", replace(device_question(by(replace(SUPPLIER, quota=1))))),
    ("role-usages", replace(organisation_question(DCC, _R.WAN_PROVIDER), usage=KeyUsage.KEY_AGREEMENT)),
    ("dcc-identifiers", replace(organisation_question(DCC, _R.ACCESS_CONTROL_BROKER), roles_before=BROKER)),
    ("dcc-identifiers", replace(organisation_question(DCC, _R.DSP_XML_SIGN), roles_before=BROKER)),
    ("device-electricity-meter", device_question(A_SUPPLIER, device(smets="1", enrolled=True))),
    ("device-electricity-meter", device_question(A_SUPPLIER, device(status="suspended from commissioned", smets="1"))),
    ("replacement", replace(device_question(A_SUPPLIER), replacement=True, certificates_issued=1)),
    ("device-limit", replace(device_question(A_SUPPLIER), certificates_issued=99)),
    ("device-limit", replace(device_question(A_SUPPLIER), certificates_issued=100, threshold=101)),
    ("inventory-hubs", to_be_added(DCC, device("CHF"))),
    ("inventory-devices", to_be_added(AGENT_ONLY, device("HCALCS"))),
    ("inventory-certified", to_be_added(A_SUPPLIER, device("ESME"), Listing(True, DeviceType.ESME))),
    ("inventory-under-test", to_be_added(by(participant()), as_added_by(device("GSME"), participant(), False))),
    ("inventory-type-2", InventoryQuestion(SUPPLIER, device("IHD"), TODAY)),
)

CODES = [
    "eligibility.not-in-force",
    "party.none",
    "party.not-yet-acceded",
    "party.suspended",
    "party.expelled",
    "party.withdrawn",
    "party.not-authorised-subscriber",
    "officer.unknown",
    "officer.other-kind",
    "acting-for.not-named",
    "acting-for.not-a-user",
    "shared-resource.not-a-party",
    "entity-identifier.not-owned",
    "entity-identifier.other-role",
    "participant.none",
    "participant.no-test",
    "participant.no-agreement",
    "participant.purpose",
    "participant.role",
    "participant.entity-identifier",
    "participant.device-type",
    "participant.quota-reached",
    "role.dcc-only",
    "role.not-a-network-party",
    "role.not-a-supplier",
    "role.not-for-the-dcc",
    "role.registered-supplier-agent",
    "role.not-a-load-controller",
    "role.not-a-user",
    "role.by-ceremony",
    "role.usage",
    "authority.dcc-only",
    "device.type-2",
    "device.communications-hub",
    "device.gas-proxy",
    "device.electricity-meter",
    "device.gas-meter",
    "device.type-1",
    "device.no-previous-certificate",
    "device.limit-reached",
    "public-key.already-certified",
    "inventory.not-the-dcc",
    "inventory.not-a-supplier",
    "inventory.not-certified",
    "inventory.not-own",
]

# Every provision with its clause; from the seed's designation but for the two that name their day
CLAUSES = {
    "organisation-subscribers": "SEC L3",
    "oca-subscriber": "SEC L3",
    "dca-subscriber": "SEC L3",
    "device-subscribers": "SEC L3",
    "standing": "SEC M8",
    "authorised-subscriber": "SEC L3",
    "officer": "SEC Appendix M",
    "acting-for": "",
    "shared-resource": "SEC G5.29",
    "entity-identifier": "SEC Appendix M",
    "dcc-identifiers": "",
    "dcc-xml-identifier": "",
    "separate-roles": "SEC G1.5",
    "test-certificates": "SEC H14.11",
    "test-agreement": "SEC H14.11",
    "test-purpose": "SEC H14.11",
    "test-subscriber": "SEC H14.11",
    "test-roles": "",
    "test-identifiers": "",
    "test-device-types": "",
    "test-quota": "SEC H14.11",
    "role-dcc": "SEC L3.9",
    "role-network-operator": "SEC L3.9",
    "role-supplier": "SEC L3.9",
    "role-other": "SEC L3.9",
    "registered-supplier-agent": "SEC L3.9",
    "role-load-controller": "",
    "role-xml-sign": "",
    "role-dsp-xml-sign": "",
    "role-usages": "GBCS 12",
    "device-communications-hub": "SEC L3",
    "device-gas-proxy": "SEC L3",
    "device-electricity-meter": "SEC L3",
    "device-gas-meter": "SEC L3",
    "device-type-1": "SEC L3",
    "device-not-in-service": "SEC L3",
    "device-type-2": "SEC L3",
    "device-suspended": "",
    "smets1-security": "SEC G1.10",
    "device-limit": "SEC Appendix M",
    "replacement": "SEC Appendix M",
    "public-key": "SEC Appendix M",
    "inventory-hubs": "SEC H5",
    "inventory-devices": "SEC H5",
    "inventory-type-2": "",
    "inventory-certified": "SEC H5",
    "inventory-under-test": "",
}

# Without these nobody may; the others add a condition
GRANTS = {
    "organisation-subscribers", "oca-subscriber", "dca-subscriber", "device-subscribers", "test-certificates",
    "role-dcc", "role-network-operator", "role-supplier", "role-other", "role-load-controller", "role-xml-sign",
    "role-dsp-xml-sign", "device-communications-hub", "device-gas-proxy", "device-electricity-meter",
    "device-gas-meter", "device-type-1", "device-not-in-service", "inventory-hubs", "inventory-devices",
    "inventory-type-2", "inventory-under-test",
}  # fmt: skip

# How we know of a provision, where it is not from the seed document
BASES = {
    "dcc-xml-identifier": "assumption", "device-suspended": "assumption", "role-usages": "profile", "acting-for": "assumption", "role-load-controller": "assumption",
    "role-xml-sign": "assumption", "role-dsp-xml-sign": "assumption", "test-roles": "assumption",
    "test-identifiers": "assumption", "test-device-types": "assumption",
    "officer": "appendix", "entity-identifier": "appendix", "device-limit": "appendix", "replacement": "appendix",
    "public-key": "appendix",
    "shared-resource": "code", "smets1-security": "code",
    "inventory-type-2": "assumption", "inventory-under-test": "assumption",
}  # fmt: skip


def test_the_codes_are_stable_and_every_one_is_reached() -> None:
    assert list(REASONS) == CODES
    assert sorted(CODES) == sorted([*DECISIVE, *SUPPORTING])


@pytest.mark.parametrize("code", DECISIVE)
def test_a_refusal_names_its_code_and_clause(code: str) -> None:
    clause, question = DECISIVE[code]
    decision = decide(question)
    assert not decision.eligible
    decisive = decision.problems[0]
    assert (decisive.code, decisive.clause) == (code, clause)
    (provision,) = (each.provision for each in decision.applied if each.problem is decisive)
    assert decisive.basis == provision.basis.value
    assert decision.outcome is OUTCOMES.get(code, DecisionOutcome.INELIGIBLE)
    if code not in ("eligibility.not-in-force", "party.none", "role.not-a-supplier"):
        assert [problem.code for problem in decision.problems] == [code], "nothing else is wrong with that question"


@pytest.mark.parametrize("code", SUPPORTING)
def test_a_supporting_reason_is_given_too(code: str) -> None:
    clause, question = SUPPORTING[code]
    problems = decide(question).problems
    assert (code, clause) in [(problem.code, problem.clause) for problem in problems[1:]]


@pytest.mark.parametrize(("key", "question"), ELIGIBLE)
def test_an_eligible_subscriber_is_told_by_which_provision(key: str, question: Question) -> None:
    decision = decide(question)
    assert decision.eligible, decision.problems
    assert decision.outcome is DecisionOutcome.ELIGIBLE
    assert key in [applied.provision.key for applied in decision.applied if applied.held]


def test_every_provision_is_listed_and_cited() -> None:
    assert {provision.key: provision.clause for provision in PROVISIONS.values()} == CLAUSES
    questions = [question for _, question in [*DECISIVE.values(), *SUPPORTING.values(), *ELIGIBLE]]
    decisions = [decide(question) for question in questions]
    cited = {each.provision.key for decision in decisions for each in decision.applied}
    cited |= {each.provision.key for decision in decisions for each in decision.notes}
    assert cited == set(CLAUSES)


def test_every_provision_says_what_it_does_and_how_we_know() -> None:
    for key, provision in PROVISIONS.items():
        assert provision.effect.value == ("grant" if key in GRANTS else "condition"), key
        assert provision.basis.value == BASES.get(key, "seed"), key
        assert provision.title, key
        assert provision.text.endswith("."), key


def test_a_decision_cites_a_provision_once() -> None:
    for _, question in [*DECISIVE.values(), *SUPPORTING.values(), *ELIGIBLE]:
        keys = [applied.provision.key for applied in decide(question).applied]
        assert len(keys) == len(set(keys)), keys


def test_roles_are_judged_separately() -> None:
    decision = decide(organisation_question(APPLICANTS["supplier/export+rsa"], _R.SUPPLIER))
    seen = {applied.provision.key: applied.seen for applied in decision.applied}
    assert seen["separate-roles"] == "as Export Supplier: no; as Registered Supplier Agent: no"
    assert decision.problems[0].code == "role.not-a-supplier"


def test_a_refusal_says_what_is_wrong_what_would_do_and_whose() -> None:
    decision = decide(device_question(DCC, device("GSME", "commissioned")))
    assert decision.as_json()["applied"][5] == {
        "provision": "device-not-in-service",
        "clause": "SEC L3",
        "basis": "seed",
        "title": "Meters and Type 1 Devices not in service",
        "held": False,
        "seen": "GSME, commissioned, for the DCC",
        "problem": {
            "code": "device.gas-meter",
            "subject": "Gas Smart Meter",
            "seen": "GSME, commissioned, for the DCC",
            "expected": "a Gas Supplier; any other Party unless its SMI status is "
            "installed not commissioned or commissioned",
            "clause": "SEC L3",
            "basis": "seed",
            "remedy": "Have a Gas Supplier apply.",
        },
    }
    assert decision.as_json()["eligible"] is False
    assert decision.as_json()["outcome"] == "ineligible"
    assert decision.as_json()["asOf"] == "2026-01-01"
    lines = decision_lines(decision)
    assert lines[0] == "Not eligible on 2026-01-01"
    assert any(line.startswith("  no   Gas Smart Meter: ") and line.endswith("[device.gas-meter]") for line in lines)
    assert lines.count("  yes  SEC M8 (seed) Current Party: acceded") == 1


def test_a_decision_as_json_is_complete() -> None:
    used = RecordUsed(subject="Party MAKER", source=Source.HISTORY, as_of=TODAY, since=date(2025, 12, 31))
    question = replace(device_question(by(participant(quota="5"))), participation=HAD_FIVE)
    value = replace(decide(question), records=(used,)).as_json(Interface.REST)
    assert list(value) == ["eligible", "outcome", "asOf", "test", "applied", "notes", "notInForce", "records"]
    assert value["test"] == "section-t"
    assert value["applied"][-1] == {
        "provision": "test-quota",
        "clause": "SEC H14.11",
        "basis": "seed",
        "title": "Reasonable number of certificates",
        "held": False,
        "seen": "5 issued for test section-t, quota 5",
        "problem": decide(question).problems[0].as_json(Interface.REST),
    }
    assert "PATCH /api/v1/parties/MAKER/tests/section-t" in value["applied"][-1]["problem"]["remedy"]
    assert value["records"] == [
        {
            "subject": "Party MAKER", "source": "history", "since": "2025-12-31",
            "text": "Party MAKER as recorded on 2026-01-01 (last change: 2025-12-31).",
        }
    ]  # fmt: skip
    sources = [replace(used, source=source).as_json()["source"] for source in Source]
    assert sources == ["history", "added later", "no history"]
    assert decide(InventoryQuestion(SUPPLIER, device("IHD"), TODAY)).as_json()["test"] is None
    assert decide(AuthorityQuestion(DCC, CertificateKind.ROOT_OCA, TODAY)).as_json()["test"] is None
    early = decide(organisation_question(DCC, _R.RECOVERY, date(2014, 7, 30))).as_json()
    assert [each["provision"] for each in early["notInForce"]] == list(
        dict.fromkeys(each["provision"] for each in early["notInForce"])
    )
    assert all(each["inForceFrom"] > "2014-07-30" for each in early["notInForce"])


@pytest.mark.parametrize(
    ("word", "question"),
    [
        ("eligible", organisation_question(A_SUPPLIER)),
        ("ineligible", DECISIVE["party.none"][1]),
        ("anomaly", DECISIVE["device.limit-reached"][1]),
        ("unknown device", DECISIVE["device.no-previous-certificate"][1]),
    ],
)
def test_programs_are_told_the_outcome_in_a_stable_word(word: str, question: Question) -> None:
    decision = decide(question)
    assert decision.as_json()["outcome"] == word
    assert decision.outcome is DecisionOutcome(word)
    assert len(DecisionOutcome) == 4


def test_every_reason_is_given_not_only_the_first() -> None:
    gone = replace(APPLICANTS["supplier suspended"], officer="Sam")
    question = replace(organisation_question(gone, _R.RECOVERY), entity_identifier=FOREIGN, public_key_certified=True)
    assert [problem.code for problem in decide(question).problems] == [
        "party.suspended",
        "officer.unknown",
        "entity-identifier.not-owned",
        "role.dcc-only",
        "public-key.already-certified",
    ]
    assert OWN not in {question.entity_identifier}


@pytest.mark.parametrize(
    ("role", "codes"),
    [
        (_R.LOAD_CONTROLLER, ["role.not-a-load-controller"]),
        (_R.XML_SIGN, []),
        (_R.DSP_XML_SIGN, ["role.dcc-only"]),
        (_R.SUPPLIER, ["role.not-a-supplier", "role.registered-supplier-agent"]),
        (_R.RECOVERY, ["role.dcc-only", "role.registered-supplier-agent"]),
    ],
)
def test_the_rule_for_registered_supplier_agents_is_about_the_roles_of_the_seed_document(
    role: RemotePartyRole, codes: list[str]
) -> None:
    assert [problem.code for problem in decide(organisation_question(AGENT_ONLY, role)).problems] == codes


def test_what_somebody_does_not_have_is_said() -> None:
    nothing = Applicant(replace(SUPPLIER, authorised_for=frozenset(), identifiers=frozenset()))
    seen = {problem.code: problem.seen for problem in decide(organisation_question(nothing)).problems}
    assert seen == {
        "party.not-authorised-subscriber": "P-LARGE-SUPPLIER: Authorised Subscriber for nothing",
        "officer.unknown": "no officer, for P-LARGE-SUPPLIER",
        "entity-identifier.not-owned": f"{OWN}; P-LARGE-SUPPLIER has none",
    }


def test_a_question_without_more_is_about_the_first_certificate() -> None:
    first = by(replace(SUPPLIER, quota=1))
    for question in (organisation_question(first), device_question(first)):
        assert decide(question).eligible
        assert not decide(replace(question, participation=Participation(certificates={"": 1}))).eligible


SUSPENDED_NOTE = "counted as commissioned, the status to which it returns, which is an assumption of this project"


def test_a_refusal_for_a_suspended_device_rests_on_an_assumption_and_cites_no_clause() -> None:
    decision = decide(device_question(DCC, device("GSME", "suspended from commissioned")))
    (problem,) = decision.problems
    assert (problem.code, problem.clause, problem.basis) == ("device.gas-meter", "", "assumption")
    assert problem.seen == "GSME, suspended, which we assume to count as commissioned, for the DCC"
    (note,) = decision.notes
    assert (note.provision.key, note.text) == ("device-suspended", SUSPENDED_NOTE)
    lines = decision_lines(decision)
    assert any(line.endswith("(assumption) [device.gas-meter]") for line in lines)
    assert lines[-1] == f"  note (assumption) Suspended Devices: {SUSPENDED_NOTE}"
    assert decision.as_json()["notes"] == [
        {
            "provision": "device-suspended", "clause": "", "basis": "assumption", "title": "Suspended Devices",
            "text": SUSPENDED_NOTE,
        }
    ]  # fmt: skip


def test_an_assumption_cites_no_clause_in_a_refusal_either() -> None:
    assumed = [provision for provision in PROVISIONS.values() if provision.basis is Basis.ASSUMPTION]
    assert len(assumed) > 5
    assert [provision.clause for provision in assumed] == [""] * len(assumed)
    decision = decide(organisation_question(A_SUPPLIER, _R.LOAD_CONTROLLER))
    (line,) = (line for line in decision_lines(decision) if "[role.not-a-load-controller]" in line)
    assert line.endswith("expected a Party acting as Load Controller (assumption) [role.not-a-load-controller]")
    assert decision.problems[0].as_json() == {
        "code": "role.not-a-load-controller",
        "subject": "Remote Party Role",
        "seen": "loadController for a Large Supplier Party acting as Import Supplier",
        "expected": "a Party acting as Load Controller",
        "basis": "assumption",
        "remedy": "Ask for a role that the Party acts in, or have its User Role recorded: "
        "smki party change P-LARGE-SUPPLIER --add-role ROLE.",
    }


@pytest.mark.parametrize(
    ("before", "asked", "eligible"),
    [
        ("", "recovery", True),
        ("recovery", "recovery", True),
        ("recovery", "accessControlBroker", False),
        ("recovery", "transitionalCoS", False),
        ("recovery", "dSPXmlSign", False),
        ("accessControlBroker", "dSPXmlSign", True),
        ("dSPXmlSign", "accessControlBroker", True),
        ("dSPXmlSign", "wanProvider", False),
        ("accessControlBroker dSPXmlSign", "accessControlBroker", True),
        ("accessControlBroker dSPXmlSign", "recovery", False),
        ("recovery accessControlBroker", "accessControlBroker", False),
    ],
)
def test_one_role_for_each_identifier_of_the_dcc(before: str, asked: str, eligible: bool) -> None:
    roles = frozenset(map(RemotePartyRole.parse, before.split()))
    question = replace(organisation_question(DCC, RemotePartyRole.parse(asked)), roles_before=roles)
    codes = [problem.code for problem in decide(question).problems]
    assert codes == ([] if eligible else ["entity-identifier.other-role"])
    notes = [note.provision.key for note in decide(question).notes]
    assert notes == (["dcc-xml-identifier"] if eligible and roles - {RemotePartyRole.parse(asked)} else [])
    # Other Parties use one identifier in several roles.
    other = replace(organisation_question(A_SUPPLIER, _R.XML_SIGN), roles_before=frozenset({_R.SUPPLIER}))
    assert decide(other).eligible


def test_the_assumption_about_suspended_devices_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_home = device_question(DCC, device("ESME", "suspended from commissioned"))
    assert not decide(in_a_home).eligible
    monkeypatch.setattr("smki.eligibility.judge.SUSPENDED_COUNTS_AS_BEFORE", False)
    assert decide(in_a_home).eligible
    assert not decide(device_question(DCC, device("ESME", "commissioned"))).eligible


def test_only_an_authority_has_an_authority_question() -> None:
    with pytest.raises(ValueError, match="not the kind of an authority"):
        AuthorityQuestion(DCC, CertificateKind.DEVICE, TODAY)


def test_the_dcc_runs_authorities_on_its_own_behalf() -> None:
    question = AuthorityQuestion(by(party("dcc"), a_user()), CertificateKind.ROOT_OCA, TODAY)
    assert [problem.code for problem in decide(question).problems] == ["acting-for.not-named", "authority.dcc-only"]
