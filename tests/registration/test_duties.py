"""The duties of subscribers (SEC L11) and of the DCC (SEC L3.12): what is stated with an application, what is compared before
a certificate is accepted, and the certificates that everything else needs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from smki_repository.app import create_app

from smki import Application, CertificateKind, RemotePartyRole, Smki
from smki.cli.init import parse_acceptance
from smki.clock import AdjustableClock
from smki.identity import PartyId
from smki.ledger import CertificateQuery, CertificateRecord, Statement
from smki.problem import Malformed, Problem, SmkiError
from smki.registration import Actor, Issued, Refusal
from smki.registration.authorities import EstablishAuthority
from smki.registration.comparison import NotComparable, compare
from smki.registration.demonstration import DCC_ENTITY_IDENTIFIERS
from smki.registration.identifiers import AssignIdentifier
from smki.registration.officers import NotYours
from smki.registration.revocation import PMA, Revoke
from smki.registration.settings import ChangeSetting, Setting
from smki.remedies import Interface
from smki.sec.lodged import LODGED_ROLES
from smki.sec.role import CertificateStatus, KeyUsage
from tests.commands import apply, make_token
from tests.support import DEVICE, DS, KA, SUPPLIER, run_here

START = datetime(2026, 1, 1, tzinfo=UTC)
OPERATOR = Actor(interface="test")
TRUE = "the information in the application is true and accurate"


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home made with two words of --acceptance, with a pending certificate and one of a Device."""
    home = tmp_path_factory.mktemp("duties") / "pki"
    words = ("init", "--home", home, "--seed", "duties", "--acceptance", "deemed-after", "8h")
    assert run_here(*words).returncode == 0
    assert run_here("clock", "set", "2026-01-01T00:00:00Z", "--home", home).returncode == 0
    with Smki.open(home) as smki:
        smki.issue_organisation(smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1])
        smki.issue_device(smki.make_device_request(DEVICE, DS)[1])
    return home


def of_supplier(smki: Smki) -> CertificateRecord:
    return next(smki.ledger.certificates(CertificateQuery(role=RemotePartyRole.SUPPLIER)))


# The statement


def applying(smki: Smki, **more: Any) -> Issued | Refusal:
    request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, KA)[1]
    return apply(smki, Application(kind=CertificateKind.ORGANISATION, request=request, **more))


def recorded(smki: Smki, outcome: Issued | Refusal) -> tuple[Statement | None, str]:
    number = outcome.record.application_id if isinstance(outcome, Issued) else outcome.application_id
    found = smki.ledger.application(number)
    assert found is not None
    return found.application.statement, found.application.officer


def test_the_statement_is_recorded_with_the_officer() -> None:
    with Smki.in_memory(seed="statement") as smki:
        automatic = applying(smki)
        assert isinstance(automatic, Issued)
        assert recorded(smki, automatic) == (Statement.AUTOMATIC, "Large Supplier Officer")
        assert [line for line in automatic.remarks if "Large Supplier Officer (SEC L11)" in line] == list(
            automatic.remarks
        )
        assert len(automatic.remarks) == 1
        explicit = applying(smki, statement=True)
        assert isinstance(explicit, Issued)
        assert (recorded(smki, explicit), explicit.remarks) == ((Statement.EXPLICIT, "Large Supplier Officer"), ())
        smki.registration.execute(ChangeSetting(Setting.STATEMENT, "explicit"), OPERATOR)
        refused = applying(smki)
        assert isinstance(refused, Refusal)
        assert [(problem.code, problem.clause) for problem in refused.problems] == [
            ("application.not-stated", "SEC L11")
        ]
        assert TRUE in refused.problems[0].expected
        assert recorded(smki, refused) == (None, "Large Supplier Officer")
        assert isinstance(applying(smki, statement=True), Issued)
        assert smki.check().problems == ()


def test_the_statement_on_the_command_line_and_over_rest(patient: Path, tmp_path: Path) -> None:
    run_here("settings", "set", "statement", "explicit", "--home", patient)
    words = [
        "issue",
        "organisation",
        "--eui",
        str(SUPPLIER),
        "--role",
        "supplier",
        "--usage",
        "ka",
        "--home",
        str(patient),
    ]
    with pytest.raises(SmkiError) as caught:
        run_here(*words, "--out", tmp_path / "a.pem")
    assert caught.value.code == "application.not-stated"
    assert "--statement" in caught.value.problems[0].remedy_for(Interface.CLI)
    assert b"Recorded" not in run_here(*words, "--statement", "--out", tmp_path / "a.pem").stderr
    with Smki.open(patient) as smki:
        client, headers = (
            create_app(smki).test_client(),
            {"Authorization": f"Bearer {make_token(smki, 'LARGE-SUPPLIER')}"},
        )
        request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1].hex()
        refused = client.post("/api/v1/applications", json={"request": request}, headers=headers)
        assert (refused.status_code, refused.json["problems"][0]["code"]) == (422, "application.not-stated")  # type: ignore[index]
        issued = client.post("/api/v1/applications", json={"request": request, "statement": True}, headers=headers)
        assert (issued.status_code, issued.json["remarks"]) == (201, [])  # type: ignore[index]
        number = issued.json["application"].rsplit("/")[-1]  # type: ignore[index]
        assert client.get(f"/api/v1/applications/{number}", headers=headers).json["statement"] == "explicit"  # type: ignore[index]
    shown = run_here("applications", "show", number, "--home", patient).stdout.decode()
    assert f"stated by Large Supplier Officer (SEC L11): {TRUE}" in shown
    run_here("settings", "set", "statement", "automatic", "--home", patient)
    values = json.loads(run_here("settings", "list", "--json", "--home", patient).stdout)
    assert values == {"certified-products": "any", "participants": "open", "statement": "automatic"}


def test_an_unknown_setting(patient: Path) -> None:
    with pytest.raises(SmkiError) as caught:
        run_here("settings", "set", "colour", "red", "--home", patient)
    assert caught.value.code == "setting.unknown"


# The comparison


def test_a_certificate_beside_its_request(patient: Path) -> None:
    with Smki.open(patient) as smki:
        record = of_supplier(smki)
        events = len(list(smki.ledger.events()))
        compared = json.loads(
            run_here("accept", str(record.serial_number), "--check", "--json", "--home", patient).stdout
        )
        assert compared.pop("fields") == [
            {"field": name, "requested": value, "certified": value, "agrees": True}
            for name, value in (
                ("kind", "Organisation Certificate"),
                ("Entity Identifier", str(SUPPLIER)),
                ("role", "supplier"),
                ("usage", "digitalSignature"),
                ("subject", f"OU=02, x500UniqueIdentifier={SUPPLIER}"),
                ("public key", record.certificate.public_key_info.hex()),
                ("keyUsage", "03020780"),
                ("subjectAltName", None),
            )
        ]
        assert compared == {
            "serialNumber": record.serial_number.hex,
            "application": record.application_id,
            "agrees": True,
            "deemedAccepted": "2026-01-01T08:00:00Z",
            "status": "P",
        }
        token = make_token(smki, "LARGE-SUPPLIER")
        made = len(list(smki.ledger.events()))
        client, path = create_app(smki).test_client(), f"/api/v1/certificates/{record.serial_number}/comparison"
        assert client.get(path, headers={"Authorization": f"Bearer {token}"}).json == {
            **compared, "fields": [field.as_json() for field in compare(smki.ledger, record.serial_number, OPERATOR).fields],
        }  # fmt: skip
        other = make_token(smki, "OTHER-USER")
        assert client.get(path, headers={"Authorization": f"Bearer {other}"}).status_code == 403
        assert client.get(path).status_code == 401
        root = next(each for each in smki.authorities())
        answer = client.get(
            f"/api/v1/certificates/{root.serial_number}/comparison", headers={"Authorization": f"Bearer {token}"}
        )
        assert (answer.status_code, answer.json["problems"][0]["code"]) == (409, "certificate.no-request")  # type: ignore[index]
        assert len(list(smki.ledger.events())) == made + 1 == events + 2
        assert of_supplier(smki) == record
    text = run_here("accept", str(record.serial_number), "--check", "--home", patient).stdout.decode()
    assert text.count("same ") == 8
    assert text.endswith("agrees with its request; it is pending; deemed accepted at 2026-01-01T08:00:00Z.\n")


def test_a_device_certificate_is_compared_too(patient: Path) -> None:
    with Smki.open(patient) as smki:
        record = next(smki.ledger.certificates(CertificateQuery(entity_identifier=DEVICE)))
        compared = compare(smki.ledger, record.serial_number, Actor(interface="test", party="MANUFACTURER"))
        assert compared.agrees
        assert compared.record == record
        with pytest.raises(NotYours):
            compare(smki.ledger, record.serial_number, Actor(interface="test", party="DCC"))
        with pytest.raises(NotComparable):
            compare(smki.ledger, smki.authorities()[0].serial_number, OPERATOR)


def test_what_differs_is_shown(patient: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from smki.ledger.sqlite.ledger import SqliteLedger

    with Smki.open(patient) as smki:
        record = of_supplier(smki)
        other = smki.make_organisation_request(SUPPLIER, RemotePartyRole.OTHER, KA, "Somebody")[1]
    application = SqliteLedger.application

    def swapped(self: SqliteLedger, number: int) -> Any:
        found = application(self, number)
        assert found is not None
        return replace(found, application=replace(found.application, request=other))

    monkeypatch.setattr(SqliteLedger, "application", swapped)
    result = run_here("accept", str(record.serial_number), "--check", "--home", patient)
    lines = result.stdout.decode().splitlines()
    assert result.returncode == 1
    differing = [line.split()[1] for line in lines if line.startswith("DIFFERS")]
    assert differing == ["role", "usage", "subject", "public", "keyUsage"]
    assert [line.split()[-1] for line in lines if "requested " in line][:2] == ["other", "keyAgreement"]
    assert lines[-1].startswith(f"Organisation Certificate {record.serial_number} differs from its request")


def test_accepting_still_needs_a_party(patient: Path) -> None:
    with Smki.open(patient) as smki:
        number = str(of_supplier(smki).serial_number)
    for words in ((), ("--json", "--party", "LARGE-SUPPLIER")):
        with pytest.raises(click.UsageError):
            run_here("accept", number, *words, "--home", patient)
    assert run_here("accept", number, "--party", "LARGE-SUPPLIER", "--home", patient).returncode == 0
    with Smki.open(patient) as smki:
        assert of_supplier(smki).stored_status is CertificateStatus.IN_USE


# The acceptance of a new home


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("immediate", timedelta(0)),
        ("deemed-after 8h", timedelta(hours=8)),
        ("deemed-after:30d", timedelta(days=30)),
        ("deemed-after 90s", timedelta(seconds=90)),
    ],
)
def test_acceptance(text: str, after: timedelta) -> None:
    assert parse_acceptance(text) == after


@pytest.mark.parametrize(
    "text", ["", "deemed-after", "deemed-after 0h", "deemed-after -1h", "deemed-after 101y", "never", "8h"]
)
def test_no_acceptance(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_acceptance(text)
    assert caught.value.code == "acceptance.malformed"


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ((), 0),
        (("--acceptance", "immediate"), 0),
        (("--acceptance", "deemed-after 8h", "--seed", "x"), 28800),
        (("--acceptance", "deemed-after", "8h", "--seed", "x"), 28800),
        (("--acceptance=deemed-after", "8h"), 28800),
        (("--deemed-accepted-after", "60"), 60),
    ],
)
def test_init_takes_one_word_or_two(tmp_path: Path, words: tuple[str, ...], seconds: int) -> None:
    assert run_here("init", "--home", tmp_path / "pki", *words).returncode == 0
    with Smki.open(tmp_path / "pki") as smki:
        assert smki.configuration.deemed_accepted_after == seconds
        assert (smki.check().problems, smki.check().lodged) == ((), ())


def test_init_takes_one_of_the_two_options(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError):
        run_here("init", "--home", tmp_path / "pki", "--acceptance", "immediate", "--deemed-accepted-after", "5")
    with pytest.raises(Malformed):
        run_here("init", "--home", tmp_path / "pki", "--acceptance", "deemed-after", "--seed", "x")
    assert not (tmp_path / "pki").exists()


# What the DCC lodges


def test_what_the_dcc_lodges_is_never_pending(patient: Path) -> None:
    with Smki.open(patient) as smki:
        lodged = [record for record in smki.ledger.certificates(CertificateQuery()) if record.role in LODGED_ROLES]
        assert [record.stored_status for record in lodged] == [CertificateStatus.IN_USE] * 6
        assert [record.deemed_accepted for record in lodged] == [None] * 6
        entity = lodged[0].entity_identifier
        assert entity is not None
        again = smki.make_organisation_request(entity, RemotePartyRole.RECOVERY, DS)[1]
        assert smki.issue_organisation(again).record.stored_status is CertificateStatus.IN_USE
        # Another certificate of the DCC is no part of that set.
        own = smki.registration.execute(AssignIdentifier(PartyId("DCC")), OPERATOR)
        other = smki.make_organisation_request(own, RemotePartyRole.DSP_XML_SIGN, DS)[1]
        assert smki.issue_organisation(other).record.stored_status is CertificateStatus.PENDING


def test_the_set_is_what_a_new_home_has() -> None:
    assert set(DCC_ENTITY_IDENTIFIERS) == set(LODGED_ROLES)


def lodged(smki: Smki) -> list[Problem]:
    assert smki.check().problems == ()
    return list(smki.check().lodged)


def issue_again(smki: Smki, role: RemotePartyRole, usage: KeyUsage) -> None:
    (record, *_) = smki.ledger.certificates(CertificateQuery(role=role, usage=usage))
    assert record.entity_identifier is not None
    smki.issue_organisation(smki.make_organisation_request(record.entity_identifier, role, usage)[1])


ROLE_USAGES = [(role, usage) for role in LODGED_ROLES for usage in role.usages]


@pytest.mark.parametrize(("role", "usage"), ROLE_USAGES, ids=lambda each: each.label)
def test_a_revoked_one_is_reported_until_it_is_replaced(role: RemotePartyRole, usage: KeyUsage) -> None:
    with Smki.in_memory(seed="lodged") as smki:
        (record,) = smki.ledger.certificates(CertificateQuery(role=role, usage=usage))
        pma = Actor(interface="test", officer=PMA)
        smki.registration.execute(Revoke(serial_number=record.serial_number, reason="key-compromised"), pma)
        smki.renew_lists()
        (problem,) = lodged(smki)
        assert (problem.code, problem.clause) == ("lodged.revoked", "SEC L3.12")
        assert f"{role.label} {usage.code}" in problem.subject
        assert problem.remedy_for(Interface.CLI) == (
            f"Issue another: smki issue organisation --eui {record.entity_identifier} --role {role.label} "
            f"--usage {usage.code.lower()}."
        )
        issue_again(smki, role, usage)
        assert lodged(smki) == []


def test_expired_ones_are_reported_until_they_are_renewed() -> None:
    clock = AdjustableClock(START)
    with Smki.in_memory(seed="old", at=START, clock=clock) as smki:
        assert lodged(smki) == []
        clock.set(START + timedelta(days=11 * 365))
        smki.renew_lists()
        assert [problem.code for problem in lodged(smki)] == ["lodged.expired"] * 6
        for role, usage in ROLE_USAGES:
            issue_again(smki, role, usage)
        assert lodged(smki) == []
        clock.set(START + timedelta(days=26 * 365))
        smki.renew_lists()
        found = {problem.subject: problem for problem in lodged(smki)}
        assert "Issuing OCA Certificate" in found
        assert (
            found["Issuing OCA Certificate"].remedy_for(Interface.CLI)
            == "Make another: smki authority renew issuing-oca."
        )
        smki.registration.execute(EstablishAuthority(CertificateKind.ISSUING_OCA), OPERATOR)
        assert "Issuing OCA Certificate" not in {problem.subject for problem in lodged(smki)}
        clock.set(START + timedelta(days=51 * 365))
        assert "another home" in next(each for each in lodged(smki) if each.subject.startswith("Root OCA")).remedy_for(
            Interface.CLI
        )


def test_a_ledger_without_any_is_reported_in_full() -> None:
    from smki.authority.lodged import lodged_problems
    from smki.ledger.sqlite.memory import MemoryLedger

    found = list(lodged_problems(MemoryLedger(), START))
    assert [problem.code for problem in found] == ["lodged.missing"] * 10
    assert [problem.seen for problem in found] == ["none"] * 10


def test_check_says_so_on_the_command_line(tmp_path: Path) -> None:
    assert run_here("init", "--home", tmp_path / "pki").returncode == 0
    assert run_here("check", "--home", tmp_path / "pki").returncode == 0
    run_here("clock", "shift", "15y", "--home", tmp_path / "pki")
    run_here("crl", "publish", "--home", tmp_path / "pki")
    run_here("arl", "publish", "--home", tmp_path / "pki")
    result = run_here("check", "--json", "--home", tmp_path / "pki")
    assert result.returncode == 1
    found = json.loads(result.stdout)
    assert found["problems"] == []
    assert {problem["code"] for problem in found["lodged"]} == {"lodged.expired"}
