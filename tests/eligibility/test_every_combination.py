"""Every applicant for every certificate, against tables written by hand from the Code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smki.eligibility import REASONS, AuthorityQuestion, Decision, decide
from smki.sec.device import DeviceType, SmiStatus
from smki.sec.party import CATEGORIES_OF_ROLE, PartyCategory
from smki.sec.role import CertificateKind, KeyUsage, RemotePartyRole, UserRole
from tests.eligibility.people import APPLICANTS, HOLDERS, ROLE_WORDS, device, device_question, organisation_question

# ro root, re recovery, su supplier, no networkOperator, ac accessControlBroker, tr transitionalCoS,
# wa wanProvider, is issuingAuthority, lo loadController, ot other, xm xmlSign, ds dSPXmlSign.
# Y for both usages, s for digital signature only, . never
ORGANISATION = """
                                  ro re su no ac tr wa is lo ot xm ds
dcc                             | .  s  .  .  Y  s  Y  .  .  .  .  s
large-supplier/import           | .  .  Y  .  .  .  .  .  .  Y  s  .
large-supplier/export           | .  .  .  .  .  .  .  .  .  Y  s  .
large-supplier/gas              | .  .  Y  .  .  .  .  .  .  Y  s  .
large-supplier/rsa              | .  .  .  .  .  .  .  .  .  Y  s  .
large-supplier/other            | .  .  .  .  .  .  .  .  .  Y  s  .
large-supplier/load             | .  .  .  .  .  .  .  .  Y  Y  s  .
large-supplier/none             | .  .  .  .  .  .  .  .  .  Y  .  .
small-supplier/import           | .  .  Y  .  .  .  .  .  .  Y  s  .
small-supplier/export           | .  .  .  .  .  .  .  .  .  Y  s  .
small-supplier/gas              | .  .  Y  .  .  .  .  .  .  Y  s  .
small-supplier/rsa              | .  .  .  .  .  .  .  .  .  Y  s  .
small-supplier/other            | .  .  .  .  .  .  .  .  .  Y  s  .
small-supplier/load             | .  .  .  .  .  .  .  .  Y  Y  s  .
small-supplier/none             | .  .  .  .  .  .  .  .  .  Y  .  .
electricity-network/distributor | .  .  .  Y  .  .  .  .  .  Y  s  .
electricity-network/transporter | .  .  .  Y  .  .  .  .  .  Y  s  .
electricity-network/rsa         | .  .  .  Y  .  .  .  .  .  Y  s  .
electricity-network/other       | .  .  .  Y  .  .  .  .  .  Y  s  .
electricity-network/load        | .  .  .  Y  .  .  .  .  Y  Y  s  .
electricity-network/none        | .  .  .  Y  .  .  .  .  .  Y  .  .
gas-network/distributor         | .  .  .  Y  .  .  .  .  .  Y  s  .
gas-network/transporter         | .  .  .  Y  .  .  .  .  .  Y  s  .
gas-network/rsa                 | .  .  .  Y  .  .  .  .  .  Y  s  .
gas-network/other               | .  .  .  Y  .  .  .  .  .  Y  s  .
gas-network/load                | .  .  .  Y  .  .  .  .  Y  Y  s  .
gas-network/none                | .  .  .  Y  .  .  .  .  .  Y  .  .
other/rsa                       | .  .  .  .  .  .  .  .  .  Y  s  .
other/other                     | .  .  .  .  .  .  .  .  .  Y  s  .
other/load                      | .  .  .  .  .  .  .  .  Y  Y  s  .
other/none                      | .  .  .  .  .  .  .  .  .  Y  .  .
shared-resource/rsa             | .  .  .  .  .  .  .  .  .  Y  s  .
shared-resource/other           | .  .  .  .  .  .  .  .  .  Y  s  .
shared-resource/load            | .  .  .  .  .  .  .  .  Y  Y  s  .
shared-resource/none            | .  .  .  .  .  .  .  .  .  Y  .  .
supplier/export+rsa             | .  .  .  .  .  .  .  .  .  Y  s  .
supplier/all                    | .  .  Y  .  .  .  .  .  .  Y  s  .
supplier/gas+load               | .  .  Y  .  .  .  .  .  Y  Y  s  .
non-user/import                 | .  .  Y  .  .  .  .  .  .  Y  .  .
non-user/export                 | .  .  .  .  .  .  .  .  .  Y  .  .
non-user/gas                    | .  .  Y  .  .  .  .  .  .  Y  .  .
non-user/distributor            | .  .  .  Y  .  .  .  .  .  Y  .  .
non-user/transporter            | .  .  .  Y  .  .  .  .  .  Y  .  .
dcc suspended                   | .  .  .  .  .  .  .  .  .  .  .  .
supplier suspended              | .  .  .  .  .  .  .  .  .  .  .  .
supplier expelled               | .  .  .  .  .  .  .  .  .  .  .  .
supplier withdrawn              | .  .  .  .  .  .  .  .  .  .  .  .
supplier not acceded            | .  .  .  .  .  .  .  .  .  .  .  .
supplier acceding later         | .  .  .  .  .  .  .  .  .  .  .  .
supplier reinstated             | .  .  Y  .  .  .  .  .  .  Y  s  .
other suspended                 | .  .  .  .  .  .  .  .  .  .  .  .
non-party                       | .  .  .  .  .  .  .  .  .  .  .  .
maker/devices                   | .  .  .  .  .  .  .  .  .  .  .  .
maker/section-t                 | .  .  .  .  .  .  .  .  .  .  .  .
maker/uept                      | .  .  .  .  .  .  .  .  .  .  .  .
maker/srept                     | .  .  .  .  .  .  .  .  .  .  .  .
maker without agreement         | .  .  .  .  .  .  .  .  .  .  .  .
agent of supplier               | .  .  Y  .  .  .  .  .  .  Y  s  .
agent of other user             | .  .  .  .  .  .  .  .  .  Y  s  .
agent of non-user supplier      | .  .  Y  .  .  .  .  .  .  Y  .  .
agent of non-user network       | .  .  .  .  .  .  .  .  .  .  .  .
agent supplier                  | .  .  Y  .  .  .  .  .  .  Y  s  .
agent network                   | .  .  Y  .  .  .  .  .  .  Y  s  .
agent other                     | .  .  Y  .  .  .  .  .  .  Y  s  .
agent unnamed                   | .  .  .  .  .  .  .  .  .  .  .  .
agent suspended                 | .  .  .  .  .  .  .  .  .  .  .  .
agent not a party               | .  .  .  .  .  .  .  .  .  .  .  .
agent of the suspended          | .  .  .  .  .  .  .  .  .  .  .  .
agent of the dcc                | .  .  .  .  .  .  .  .  .  .  .  .
supplier for another            | .  .  .  .  .  .  .  .  .  .  .  .
maker for supplier              | .  .  .  .  .  .  .  .  .  .  .  .
"""
ROLES = {
    "ro": RemotePartyRole.ROOT,
    "re": RemotePartyRole.RECOVERY,
    "su": RemotePartyRole.SUPPLIER,
    "no": RemotePartyRole.NETWORK_OPERATOR,
    "ac": RemotePartyRole.ACCESS_CONTROL_BROKER,
    "tr": RemotePartyRole.TRANSITIONAL_COS,
    "wa": RemotePartyRole.WAN_PROVIDER,
    "is": RemotePartyRole.ISSUING_AUTHORITY,
    "lo": RemotePartyRole.LOAD_CONTROLLER,
    "ot": RemotePartyRole.OTHER,
    "xm": RemotePartyRole.XML_SIGN,
    "ds": RemotePartyRole.DSP_XML_SIGN,
}

# Y whatever the SMI status, o only while the Device is not in service, . never
DEVICES = """
                                  CHF GPF ESME GSME PPMID HCALCS SAPC IHD CAD
dcc                             | Y   Y   o    o    o     o      o    .   .
large-supplier/import           | .   .   Y    o    Y     Y      Y    .   .
large-supplier/export           | .   .   o    o    o     o      o    .   .
large-supplier/gas              | .   Y   o    Y    Y     Y      Y    .   .
large-supplier/rsa              | .   .   o    o    o     o      o    .   .
large-supplier/other            | .   .   o    o    o     o      o    .   .
large-supplier/load             | .   .   o    o    o     o      o    .   .
large-supplier/none             | .   .   o    o    o     o      o    .   .
small-supplier/import           | .   .   Y    o    Y     Y      Y    .   .
small-supplier/export           | .   .   o    o    o     o      o    .   .
small-supplier/gas              | .   Y   o    Y    Y     Y      Y    .   .
small-supplier/rsa              | .   .   o    o    o     o      o    .   .
small-supplier/other            | .   .   o    o    o     o      o    .   .
small-supplier/load             | .   .   o    o    o     o      o    .   .
small-supplier/none             | .   .   o    o    o     o      o    .   .
electricity-network/distributor | .   .   o    o    o     o      o    .   .
electricity-network/transporter | .   .   o    o    o     o      o    .   .
electricity-network/rsa         | .   .   o    o    o     o      o    .   .
electricity-network/other       | .   .   o    o    o     o      o    .   .
electricity-network/load        | .   .   o    o    o     o      o    .   .
electricity-network/none        | .   .   o    o    o     o      o    .   .
gas-network/distributor         | .   .   o    o    o     o      o    .   .
gas-network/transporter         | .   .   o    o    o     o      o    .   .
gas-network/rsa                 | .   .   o    o    o     o      o    .   .
gas-network/other               | .   .   o    o    o     o      o    .   .
gas-network/load                | .   .   o    o    o     o      o    .   .
gas-network/none                | .   .   o    o    o     o      o    .   .
other/rsa                       | .   .   o    o    o     o      o    .   .
other/other                     | .   .   o    o    o     o      o    .   .
other/load                      | .   .   o    o    o     o      o    .   .
other/none                      | .   .   o    o    o     o      o    .   .
shared-resource/rsa             | .   .   o    o    o     o      o    .   .
shared-resource/other           | .   .   o    o    o     o      o    .   .
shared-resource/load            | .   .   o    o    o     o      o    .   .
shared-resource/none            | .   .   o    o    o     o      o    .   .
supplier/export+rsa             | .   .   o    o    o     o      o    .   .
supplier/all                    | .   Y   Y    Y    Y     Y      Y    .   .
supplier/gas+load               | .   Y   o    Y    Y     Y      Y    .   .
non-user/import                 | .   .   Y    o    Y     Y      Y    .   .
non-user/export                 | .   .   o    o    o     o      o    .   .
non-user/gas                    | .   Y   o    Y    Y     Y      Y    .   .
non-user/distributor            | .   .   o    o    o     o      o    .   .
non-user/transporter            | .   .   o    o    o     o      o    .   .
dcc suspended                   | .   .   .    .    .     .      .    .   .
supplier suspended              | .   .   .    .    .     .      .    .   .
supplier expelled               | .   .   .    .    .     .      .    .   .
supplier withdrawn              | .   .   .    .    .     .      .    .   .
supplier not acceded            | .   .   .    .    .     .      .    .   .
supplier acceding later         | .   .   .    .    .     .      .    .   .
supplier reinstated             | .   Y   Y    Y    Y     Y      Y    .   .
other suspended                 | .   .   .    .    .     .      .    .   .
non-party                       | .   .   .    .    .     .      .    .   .
maker/devices                   | Y   Y   Y    Y    Y     Y      Y    .   .
maker/section-t                 | Y   Y   Y    Y    Y     Y      Y    .   .
maker/uept                      | .   .   .    .    .     .      .    .   .
maker/srept                     | .   .   .    .    .     .      .    .   .
maker without agreement         | .   .   .    .    .     .      .    .   .
agent of supplier               | .   Y   Y    Y    Y     Y      Y    .   .
agent of other user             | .   .   o    o    o     o      o    .   .
agent of non-user supplier      | .   Y   Y    Y    Y     Y      Y    .   .
agent of non-user network       | .   .   .    .    .     .      .    .   .
agent supplier                  | .   Y   Y    Y    Y     Y      Y    .   .
agent network                   | .   Y   Y    Y    Y     Y      Y    .   .
agent other                     | .   Y   Y    Y    Y     Y      Y    .   .
agent unnamed                   | .   .   .    .    .     .      .    .   .
agent suspended                 | .   .   .    .    .     .      .    .   .
agent not a party               | .   .   .    .    .     .      .    .   .
agent of the suspended          | .   .   .    .    .     .      .    .   .
agent of the dcc                | .   .   .    .    .     .      .    .   .
supplier for another            | .   .   .    .    .     .      .    .   .
maker for supplier              | .   .   .    .    .     .      .    .   .
"""
STATUSES_OF_CELL = {
    #                                Y      o
    "pending":                      (True, True),
    "installed not commissioned":   (True, False),
    "commissioned":                 (True, False),
    "decommissioned":               (True, True),
    "suspended from pending":       (True, True),
    "suspended from installed not commissioned": (True, False),
    "suspended from commissioned":  (True, False),
}  # fmt: skip
# SMETS version, enrolled: no difference (SEC G1.10 is about the Sections that apply, not about certificates)
SMETS = (("2", False), ("2", True), ("1", True), ("1", False))
USAGES = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_AGREEMENT)

AUTHORITIES = {
    CertificateKind.ROOT_OCA: {"dcc"},
    CertificateKind.ISSUING_OCA: {"dcc"},
    CertificateKind.ROOT_DCA: {"dcc"},
    CertificateKind.ISSUING_DCA: {"dcc"},
}


def table(text: str) -> dict[str, dict[str, str]]:
    """By row and column."""
    header, *lines = text.strip("\n").splitlines()
    columns = header.split()
    rows = {}
    for line in lines:
        name, _, cells = line.partition("|")
        assert len(cells.split()) == len(columns), line
        assert name.strip() not in rows, line
        rows[name.strip()] = dict(zip(columns, cells.split(), strict=True))
    return rows


ORGANISATION_TABLE = table(ORGANISATION)
DEVICE_TABLE = table(DEVICES)


def check(decision: Decision, expected: bool, what: str) -> None:
    assert decision.eligible is expected, f"{what}: {decision.problems}"
    assert all(applied.held is (applied.problem is None) for applied in decision.applied)
    assert bool(decision.problems) is not expected
    for problem in decision.problems:
        assert problem.code in REASONS
        assert all((problem.subject, problem.seen, problem.expected, problem.basis, problem.remedy)), problem


def test_the_tables_leave_nothing_out() -> None:
    assert set(ORGANISATION_TABLE) == set(DEVICE_TABLE) == set(APPLICANTS)
    assert set(ROLES.values()) == set(RemotePartyRole)
    assert set(AUTHORITIES) == {kind for kind in CertificateKind if kind.is_authority}
    assert list(next(iter(ORGANISATION_TABLE.values()))) == list(ROLES)
    assert set(next(iter(DEVICE_TABLE.values()))) == {kind.name for kind in DeviceType}
    assert {status.partition(" from ")[0] for status in STATUSES_OF_CELL} == {status.value for status in SmiStatus}
    assert len(APPLICANTS) == 71


def test_every_category_and_user_role_is_among_the_applicants() -> None:
    wanted = {(category, role) for role in UserRole for category in CATEGORIES_OF_ROLE[role]}
    assert len(wanted) == 28
    parts = [name.partition("/") for name in APPLICANTS]
    assert wanted == {
        (PartyCategory.parse(category), UserRole.parse(ROLE_WORDS[role]))
        for category, _, role in parts
        if category in HOLDERS and ROLE_WORDS[role]
    }


@pytest.mark.parametrize("name", APPLICANTS)
def test_organisation_certificates(name: str) -> None:
    for column, cell in ORGANISATION_TABLE[name].items():
        for usage in USAGES:
            question = replace(organisation_question(APPLICANTS[name], ROLES[column]), usage=usage)
            check(decide(question), cell == "Y" or (cell == "s" and usage is USAGES[0]), f"{name}, {column}, {usage}")


@pytest.mark.parametrize("name", APPLICANTS)
def test_device_certificates(name: str) -> None:
    count = 0
    for kind, cell in DEVICE_TABLE[name].items():
        for status, (always, otherwise) in STATUSES_OF_CELL.items():
            for version, enrolled in SMETS:
                expected = {"Y": always, "o": otherwise, ".": False}[cell]
                decision = decide(device_question(APPLICANTS[name], device(kind, status, version, enrolled)))
                check(decision, expected, f"{name}, {kind}, {status}, SMETS{version}, enrolled {enrolled}")
                count += 1
    assert count == 9 * 7 * 4


@pytest.mark.parametrize("kind", AUTHORITIES)
def test_authorities(kind: CertificateKind) -> None:
    eligible = set()
    for name, applicant in APPLICANTS.items():
        decision = decide(AuthorityQuestion(applicant, kind, organisation_question(applicant).as_of))
        check(decision, name in AUTHORITIES[kind], f"{name}, {kind}")
        eligible |= {name} if decision.eligible else set()
    assert eligible == AUTHORITIES[kind]
