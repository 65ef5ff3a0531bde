"""The same answers on the command line and over REST, and remedies that are carried out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from smki_repository.app import create_app

from smki import EntityIdentifier, Issued, RemotePartyRole, Smki
from smki.identity import PartyId
from smki.ledger import ApplicationQuery
from smki.registration import Application, Apply
from smki.registration.identifiers import AssignIdentifier
from smki.remedies import Interface
from smki.sec.role import CertificateKind
from tests.commands import TEST
from tests.repository.rest_support import Api, token_for
from tests.support import DS, KA, run_here

DCC = PartyId("DCC")
RECOVERY = "90-B3-D5-1F-30-00-00-01"

# An identifier, a role and a usage, and the code of the refusal
REFUSED = [
    ("90-B3-D5-1F-30-00-00-01", "root", "ds", "role.by-ceremony"),
    ("90-B3-D5-1F-30-00-00-01", "issuingAuthority", "ka", "role.by-ceremony"),
    ("90-B3-D5-1F-30-00-00-01", "recovery", "ka", "role.usage"),
    ("90-B3-D5-1F-30-00-00-04", "transitionalCoS", "ka", "role.usage"),
    ("90-B3-D5-1F-30-01-00-00", "xmlSign", "ka", "role.usage"),
    ("90-B3-D5-1F-30-00-00-01", "accessControlBroker", "ds", "entity-identifier.other-role"),
    ("90-B3-D5-1F-30-00-00-01", "transitionalCoS", "ds", "entity-identifier.other-role"),
    ("90-B3-D5-1F-30-01-00-00", "loadController", "ds", "role.not-a-load-controller"),
]


@pytest.fixture
def api(home: Path) -> Iterator[Api]:
    with Smki.open(home) as smki:
        yield Api(smki, create_app(smki).test_client(), token_for(smki, "DCC"))


def rest_codes(api: Api, entity: str, role: str, usage: str) -> tuple[list[str], list[str]]:
    """The codes of the refusal, asked and applied for over REST."""
    named = {"entityIdentifier": entity, "role": role, "usage": usage.upper()}
    asked: Any = api.client.post("/api/v1/eligibility/organisation", json=named).json
    request = api.smki.make_organisation_request(
        EntityIdentifier.parse(entity), RemotePartyRole.parse(role), DS if usage == "ds" else KA
    )[1]
    token = token_for(api.smki, "LARGE-SUPPLIER" if entity.startswith("90-B3-D5-1F-30-01") else "DCC")
    options = {"data": request, "content_type": "application/pkcs10"}
    answer: Any = api.as_officer("POST", "/applications?kind=organisation", token, **options)
    refused = [] if answer.status_code == 201 else [each["code"] for each in answer.json["problems"]]
    return [each["problem"]["code"] for each in asked["applied"] if not each["held"]], refused


@pytest.mark.parametrize(("entity", "role", "usage", "code"), REFUSED)
def test_refused_alike_on_the_command_line_and_over_rest(
    api: Api, home: Path, entity: str, role: str, usage: str, code: str
) -> None:
    words = ("organisation", "--eui", entity, "--role", role, "--usage", usage, "--home", home)
    told = run_here("eligible", *words, "--json")
    codes = [each["problem"]["code"] for each in json.loads(told.stdout)["applied"] if not each["held"]]
    assert (told.returncode, codes) == (1, [code])
    assert rest_codes(api, entity, role, usage) == ([code], [code])
    with pytest.raises(Exception, match=re.escape(f"[{code}]")) as refused:
        run_here("issue", *words)
    assert [problem.code for problem in refused.value.problems] == [code]  # type: ignore[attr-defined]


def remedy(home: Path, entity: str, role: str, usage: str, interface: Interface = Interface.CLI) -> str:
    with Smki.open(home) as smki:
        decision = smki.inquiry.organisation(
            EntityIdentifier.parse(entity), RemotePartyRole.parse(role), DS if usage == "ds" else KA
        )
    return decision.problems[0].remedy_for(interface)


def carry_out(text: str, home: Path, *more: str | Path) -> str:
    """Run the last command that a remedy names; return what it prints."""
    words = re.findall(r"smki ([a-z][a-zA-Z0-9 -]+)", text)[-1]
    told = run_here(*shlex.split(words), *more, "--home", home)
    assert told.returncode == 0, told.stderr
    return told.stdout.decode()


def test_another_identifier_of_the_dcc_for_another_role(home: Path, api: Api, tmp_path: Path) -> None:
    assert "smki party assign-eui DCC" in remedy(home, RECOVERY, "accessControlBroker", "ka")
    new = re.search(
        r"[0-9A-F]{2}(-[0-9A-F]{2}){7}", carry_out(remedy(home, RECOVERY, "accessControlBroker", "ka"), home)
    )
    assert new
    for usage in ("ds", "ka"):  # one identifier has both usages of its role
        words = ("--eui", new[0], "--role", "accessControlBroker", "--usage", usage, "--home", home)
        assert run_here("eligible", "organisation", *words).returncode == 0
        assert run_here("issue", "organisation", *words, "--out", tmp_path / f"{usage}.pem").returncode == 0
    assert remedy(home, new[0], "recovery", "ds") == remedy(home, RECOVERY, "accessControlBroker", "ds")
    # Over REST, an officer of the DCC does it.
    assert "POST /api/v1/parties/DCC/identifiers" in remedy(home, RECOVERY, "transitionalCoS", "ds", Interface.REST)
    assigned: Any = api.as_officer("POST", "/parties/DCC/identifiers", json={})
    assert rest_codes(api, assigned.json["identifier"], "transitionalCoS", "ds") == ([], [])
    assert rest_codes(api, assigned.json["identifier"], "wanProvider", "ds")[1] == ["entity-identifier.other-role"]


def test_the_certificate_of_an_authority_is_made_with_the_authority(home: Path, api: Api) -> None:
    before = len(api.smki.authorities())
    text = remedy(home, RECOVERY, "issuingAuthority", "ds")
    assert "Issuing OCA" in carry_out(text, home)
    assert "POST /api/v1/authorities" in remedy(home, RECOVERY, "root", "ds", Interface.REST)
    assert api.as_officer("POST", "/authorities", json={"kind": "issuing-oca"}).status_code == 201
    made = api.smki.authorities()[before:]
    assert [record.certificate.role for record in made] == [RemotePartyRole.ISSUING_AUTHORITY] * 2


def test_another_usage_of_the_role(home: Path, api: Api, tmp_path: Path) -> None:
    named = ("--eui", RECOVERY, "--role", "recovery", "--out", tmp_path / "r.pem")
    carry_out(remedy(home, RECOVERY, "recovery", "ka"), home, *named)
    assert (tmp_path / "r.pem").exists()
    assert rest_codes(api, RECOVERY, "recovery", "ds") == ([], [])


def test_two_roles_at_once_for_one_identifier_of_the_dcc(home: Path) -> None:
    """Checked inside the transaction that issues: of simultaneous applications in different roles, one role wins."""
    roles = (RemotePartyRole.RECOVERY, RemotePartyRole.WAN_PROVIDER, RemotePartyRole.TRANSITIONAL_COS)
    with Smki.open(home) as smki:
        for _ in range(5):
            entity = smki.registration.execute(AssignIdentifier(DCC), TEST)
            requests = [smki.make_organisation_request(entity, role, DS)[1] for role in roles]

            def apply(request: bytes, smki: Smki = smki) -> object:
                application = Application(kind=CertificateKind.ORGANISATION, request=request)
                return smki.registration.execute(Apply(application), TEST)

            with ThreadPoolExecutor(len(roles)) as threads:
                outcomes = list(threads.map(apply, requests))
            assert sum(isinstance(outcome, Issued) for outcome in outcomes) == 1
            assert len(smki.ledger.roles_certified(entity)) == 1
            refused = list(smki.ledger.applications(ApplicationQuery(entity_identifier=entity, granted=False)))
            assert [reason.code for each in refused for reason in each.reasons] == ["entity-identifier.other-role"] * 2


def test_a_smets1_device_in_every_interface(home: Path, api: Api) -> None:
    meter = "77-77-77-77-77-77-77-77"
    run_here("device", "add", meter, "--type", "ESME", "--smets", "1", "--home", home)
    show = ("device", "show", meter, "--home", home)
    no = "it is not part of, or ancillary to, an Enrolled SMETS1 smart metering system"
    day = "2020-02-02"
    statement = {"apply": False, "because": no, "clause": "SEC G1.10", "basis": "code", "asOf": day}
    text = run_here(*show, "--as-of", day).stdout.decode()
    assert text.endswith(f"On {day}: Sections G2 to G9 apply to it: no, because {no} (SEC G1.10).\n")
    assert json.loads(run_here(*show, "--as-of", day, "--json").stdout)["sections_g2_to_g9"] == statement
    assert api.json(f"/devices/{meter}?asOf={day}")["sections_g2_to_g9"] == statement
    assert api.json(f"/devices/{meter}?asOf=2018-11-07")["sections_g2_to_g9"]["apply"] is True
    today = api.json(f"/devices/{meter}")["sections_g2_to_g9"]["asOf"]
    assert today == api.smki.clock.now().date().isoformat()
    run_here("device", "change", meter, "--enrolled", "--home", home)
    assert json.loads(run_here(*show, "--json").stdout)["sections_g2_to_g9"]["apply"] is True
    assert "sections_g2_to_g9" not in api.json("/devices/00-DB-12-34-56-78-90-A0")


def test_the_basis_in_every_interface(home: Path, api: Api) -> None:
    named = {"entityIdentifier": "90B3D51F30010000", "role": "loadController"}
    decision: Any = api.client.post("/api/v1/eligibility/organisation", json=named).json
    (applied,) = (each for each in decision["applied"] if each["provision"] == "role-load-controller")
    assert (applied["clause"], applied["basis"]) == ("", "assumption")
    assert applied["problem"]["basis"] == "assumption"
    assert "clause" not in applied["problem"]
    words = ("--eui", "90B3D51F30010000", "--role", "loadController", "--home", home)
    text = run_here("eligible", "organisation", *words).stdout.decode()
    assert "(assumption) [role.not-a-load-controller]" in text
    assert "L3.9" not in text
    rows = {row["key"]: row for row in json.loads(run_here("provisions", "--json").stdout)}
    assert (rows["role-load-controller"]["clause"], rows["role-load-controller"]["basis"]) == ("", "assumption")
    assert "(assumption)  Load Controller (from" in run_here("provisions").stdout.decode()
    device = {"entityIdentifier": "00DB1234567890A0", "applicant": "OTHER-USER"}
    assert run_here("device", "set-status", device["entityIdentifier"], "suspended", "--home", home).returncode == 0
    suspended: Any = api.client.post("/api/v1/eligibility/device", json=device).json
    assert [note["provision"] for note in suspended["notes"]] == ["device-suspended"]
    assert "an assumption of this project" in suspended["notes"][0]["text"]
