"""One gate, and lint before sign: no way to a signature but through both."""

from __future__ import annotations

import ast
import threading
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from smki_repository.app import create_app

from smki import Application, CertificateKind, Refusal, RemotePartyRole, Smki
from smki.ledger import CertificateQuery, EventKind, Reader, Transaction
from smki.ledger.products import ProductWriter
from smki.ledger.settings import SettingWriter
from smki.ledger.sqlite.ledger import SqliteLedger
from smki.profile import TEST_POLICY_OID, IssuerFacts
from smki.profile.clearance import AlreadySigned, ClearedCertificate, NotConformant, clear_for_signature
from smki.profile.tables import profile_of
from smki.registration import Actor, Command
from smki.workers import Workers
from tests.commands import apply
from tests.repository.rest_support import PARTY, token_for
from tests.support import DEVICE, DS, PROJECT, SUPPLIER, run_here


@cache
def sources() -> dict[str, ast.Module]:
    files = [*(PROJECT / "smki").rglob("*.py"), *(PROJECT / "repository").rglob("*.py")]
    return {str(file.relative_to(PROJECT)): ast.parse(file.read_text()) for file in files}


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    """The imports, calls and attributes of every file."""
    kinds = (ast.ImportFrom, ast.Call, ast.Attribute)
    return [(file, node) for file, tree in sources().items() for node in ast.walk(tree) if isinstance(node, kinds)]


def users_of(name: str) -> set[str]:
    """The modules that import a name."""
    return {
        file
        for file, node in nodes()
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}
    }


def callers_of(attribute: str) -> set[str]:
    return {
        file
        for file, node in nodes()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == attribute
    }


def users_of_attribute(name: str) -> set[str]:
    """The modules in which something is asked for an attribute, or given it."""
    return {file for file, node in nodes() if isinstance(node, ast.Attribute) and node.attr == name}


def test_who_can_reach_a_signing_key() -> None:
    """The list of entry points: whoever adds one adds it here, and says why."""
    assert users_of("SigningKey") == {
        "smki/authority/issuance.py",  # signs
        "smki/authority/batch_work.py",  # hands it to the worker processes, which sign with it
        "smki/authority/hierarchy.py",  # loads it, for certificates and lists
        "smki/registration/storing.py",  # hands it through, inside a command's transaction
    }
    assert users_of("Hierarchy") == {"smki/registration/command.py", "smki/home/smki.py"}
    assert users_of("Issuance") == {"smki/registration/command.py", "smki/home/smki.py"}
    assert users_of_attribute("issuance") == {"smki/registration/storing.py"}
    assert users_of_attribute("_issuance") == {"smki/registration/command.py"}
    assert users_of_attribute("signing_key") == {
        "smki/authority/certification_authority.py",  # keeps it
        "smki/authority/hierarchy.py",  # reads it, to say whether it can be used; signs nothing
        "smki/authority/revocation_lists.py",  # signs lists
        "smki/registration/granting.py",  # the issuer's, for the certificate
        "smki/registration/authorities.py",  # the authority's above, or of a root its own
    }
    assert callers_of("new_authority") == {"smki/registration/authorities.py"}
    assert users_of("DecisionsInTheMaking") == {
        "smki/registration/granting.py",  # once the applications are granted
        "smki/registration/authorities.py",  # for a new authority
    }
    assert users_of("CertificateMaker") == {"smki/authority/batch_work.py"}
    assert users_of("make_here") == {"smki/registration/storing.py"}
    assert users_of("make_in_workers") == {"smki/registration/storing.py"}
    assert callers_of("exported") == {"smki/authority/batch_work.py"}
    assert users_of("make_list") == {"smki/registration/revocation_lists.py"}
    assert users_of("Cleared") == {"smki/authority/certification_authority.py"}
    assert users_of("ClearedCertificate") == set()
    assert users_of("ClearedList") == set()
    assert users_of("clear_for_signature") == {"smki/authority/issuance.py"}


def test_state_changes_in_commands_alone() -> None:
    """One place begins transactions, and nobody but the commands is handed one."""
    assert callers_of("transact") == {"smki/registration/command.py"}
    assert callers_of("append_event") == {"smki/registration/command.py"}
    assert callers_of("decisions") == {"smki/registration/storing.py"}
    writing = {name for name in vars(Transaction) if not name.startswith("_")} - set(vars(Reader)) - {"append_event"}
    for more in (ProductWriter, SettingWriter):
        writing |= {name for name in vars(more) if not name.startswith("_")}
    assert len(writing) >= 15
    for name in writing:
        files = callers_of(name) - {"smki/ledger/sqlite/transaction.py"}
        assert {file for file in files if not file.startswith("smki/registration/")} == set(), name
    assert {file for file in callers_of("carry_out") if not file.startswith("smki/registration/")} == set()
    over_http = {file for file in users_of_attribute("registration") if file.startswith("repository/")}
    assert over_http == {
        f"repository/smki_repository/rest/{name}.py"
        for name in (
            "administration",
            "applications",
            "credentials",
            "devices",
            "inventory",
            "participation",
            "parties",
        )
    }


def test_who_signs_anything_at_all() -> None:
    """The authority, the issuance and the lists; applicants, for their own requests; tests, with keys of their own; and
    the checkpoints of the record, with a key that is no authority's."""
    assert callers_of("sign") == {
        "smki/authority/certification_authority.py",
        "smki/authority/checkpoints.py",
        "smki/authority/issuance.py",
        "smki/authority/revocation_lists.py",
        "smki/keys/signed_note.py",
        "smki/pki/request.py",
        "smki/testing/defects/signer.py",
        "smki/testing/signature.py",
    }


def test_what_signs_for_tests_knows_no_authority() -> None:
    """It has keys of its own, or is handed one: it can load none and open no home."""
    folders = ("smki/testing/signature", "smki/testing/vectors/", "smki/testing/defects/")
    signers = [tree for file, tree in sources().items() if file.startswith(folders)]
    imported = {
        node.module for tree in signers for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }
    assert not {name for name in imported if name.startswith(("smki.authority", "smki.home.smki", "smki.registration"))}
    loading = users_of("read_key") | users_of("key_from_pem")
    assert not {file for file in loading if file.startswith("smki/testing/")}


def watch(smki: Smki, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Which commands are run from now on, and through which interface."""
    run: list[tuple[str, str]] = []
    execute = smki.registration.execute

    def watched(command: Command[Any], actor: Actor, workers: Workers | None = None) -> Any:
        run.append((type(command).__name__, actor.interface))
        return execute(command, actor, workers)

    monkeypatch.setattr(smki.registration, "execute", watched)
    return run


def test_every_interface_goes_through_the_gate(smki: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    _, request = smki.make_device_request(DEVICE, DS)
    run = watch(smki, monkeypatch)
    smki.issue_device(request)
    assert run == [("Apply", "python")]


def test_who_asks_the_gate() -> None:
    """Every place that hands in an application, and none that has another way to a certificate."""
    assert users_of("Application") >= {
        "repository/smki_repository/rest/applications.py",
        "smki/cli/issue.py",
        "smki/home/applying.py",
        "smki/testing/demo.py",
        "smki/testing/organisations.py",
    }
    assert {file for file in users_of("Apply") if not file.startswith("smki/registration/")} == {
        "repository/smki_repository/rest/applications.py",
        "smki/home/applying.py",
    }
    for name in ("ApplyTogether", "DecideTogether"):
        assert users_of(name) == {"smki/registration/batches.py"}
    assert users_of("apply_in_batches") == {"smki/home/applying.py"}
    over_http = {file for file in users_of("Application") if file.startswith("repository/")}
    assert over_http == {"repository/smki_repository/rest/applications.py"}
    for name in ("Accept", "Reject", "Revoke"):
        assert {file for file in users_of(name) if file.startswith("repository/")} == {
            "repository/smki_repository/rest/applications.py"
        }


def test_what_is_done_over_http_goes_through_it(smki: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [smki.make_device_request(DEVICE, DS)[1]]
    requests.append(smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)[1])
    headers = {"Authorization": f"Bearer {token_for(smki, PARTY)}"}
    client = create_app(smki).test_client()
    before = last_event(smki)
    run = watch(smki, monkeypatch)
    for kind, request in zip(("device", "organisation"), requests, strict=True):
        url = f"/api/v1/applications?kind={kind}"
        answer = client.post(url, data=request, headers=headers | {"Content-Type": "application/pkcs10"})
        assert answer.status_code == 201
    serial = (answer.json or {})["certificate"]["serialNumber"]
    url = f"/api/v1/certificates/{serial}"
    assert client.post(f"{url}/accept", headers=headers).status_code == 409
    assert client.post(f"{url}/reject", headers=headers, json={"because": "x"}).status_code == 409
    assert client.post(f"{url}/revoke", headers=headers, json={"reason": "key-lost"}).status_code == 200
    assert run == [(name, "rest") for name in ("Apply", "Apply", "Accept", "Reject", "Revoke")]
    kinds = [event.kind for event in smki.ledger.events() if event.id > before]
    assert kinds == [EventKind.ISSUED, EventKind.ISSUED, EventKind.REVOKED]


def last_event(smki: Smki) -> int:
    return max(event.id for event in smki.ledger.events())


COMMANDS: list[tuple[str, EventKind]] = [
    ("party add ACME --category large-supplier --role import-supplier", EventKind.REGISTERED),
    ("participant add LAB --purpose section-t", EventKind.REGISTERED),
    ("party appoint ACME Jo", EventKind.OFFICER_APPOINTED),
    ("party assign-eui ACME", EventKind.CHANGED),
    ("party suspend ACME", EventKind.CHANGED),
    ("party reinstate ACME", EventKind.CHANGED),
    ("party load parties.csv", EventKind.REGISTERED),
    ("device add 6666666666666666 --type ESME", EventKind.DEVICE_ADDED),
    ("device set-status 6666666666666666 commissioned", EventKind.DEVICE_CHANGED),
    ("device raise-limit 6666666666666666 150", EventKind.DEVICE_CHANGED),
    ("device load devices.csv", EventKind.DEVICE_ADDED),
    ("apikey add head-end", EventKind.CREDENTIAL_MADE),
    ("apikey revoke head-end", EventKind.CREDENTIAL_REVOKED),
    ("officer token --party ACME", EventKind.CREDENTIAL_MADE),
    ("issue device --eui 6666666666666666 --usage ds --out a.pem", EventKind.ISSUED),
    ("issue organisation --eui 90B3D51F30010000 --role supplier --usage ds --out b.pem", EventKind.ISSUED),
    ("import b.pem --home other", EventKind.IMPORTED),
    ("accept {serial} --party LARGE-SUPPLIER", EventKind.ACCEPTED),
    ("revoke {serial} --reason key-lost --party LARGE-SUPPLIER", EventKind.REVOKED),
    ("issue organisation --eui 90B3D51F30010000 --role supplier --usage ka --out c.pem", EventKind.ISSUED),
    ("reject {serial} --because x --party LARGE-SUPPLIER", EventKind.REJECTED),
    ("crl publish", EventKind.LIST_ISSUED),
    ("arl publish", EventKind.LIST_ISSUED),
    ("authority add issuing-dca", EventKind.AUTHORITY_ADDED),
    ("authority revoke T1 --reason superseded", EventKind.REVOKED),
    ("clock shift 1d", EventKind.CLOCK_SET),
]


def test_each_command_of_the_command_line_is_one_transaction_with_one_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From one end of a Party's life to the other; what writes a list besides has an event for the list."""
    monkeypatch.chdir(tmp_path)
    for name in ("pki", "other"):
        Smki.create(tmp_path / name, deemed_accepted_after=timedelta(days=1)).close()
    (tmp_path / "parties.csv").write_text("party_id,category\nP-1,other\nP-2,other\n")
    (tmp_path / "devices.csv").write_text("device_id,device_type\n7777777777777777,ESME\n7777777777777778,GSME\n")
    run = 0
    transact = SqliteLedger.transact

    def counted(ledger: SqliteLedger, work: Any) -> Any:
        nonlocal run
        run += 1
        return transact(ledger, work)

    monkeypatch.setattr(SqliteLedger, "transact", counted)
    for words, kind in COMMANDS:
        home = tmp_path / ("other" if words.endswith("--home other") else "pki")
        with Smki.open(home) as smki:
            before, serial = last_event(smki), list(smki.ledger.certificates(CertificateQuery()))[-1].serial_number
        run = 0
        words = words.removesuffix(" --home other").format(serial=serial.hex)
        result = run_here(*words.split(), "--home", home)
        assert result.returncode == 0, (words, result.stderr)
        with Smki.open(home) as smki:
            events = [event for event in smki.ledger.events() if event.id > before]
        assert run == len(events), words
        lists = [event.kind for event in events[1:]]
        assert events[0].kind is kind, words
        assert lists == ([EventKind.LIST_ISSUED] if words.startswith("authority revoke") else []), words
        application = events[0].application_id if not events[0].interface else None
        if application is not None:
            with Smki.open(home) as smki:
                found = smki.ledger.application(application)
            assert found is not None
            assert found.application.interface == "cli", words
        else:
            assert events[0].interface == "cli", words


def good_tbs(smki: Smki) -> tuple[bytes, IssuerFacts]:
    _, request = smki.make_device_request(DEVICE, DS)
    record = smki.issue_device(request).record
    issuer = next(record for record in smki.authorities() if record.kind is CertificateKind.ISSUING_DCA)
    return record.certificate.tbs, IssuerFacts.of(issuer.certificate)


def test_only_the_lint_makes_a_cleared_certificate(smki: Smki) -> None:
    tbs, _ = good_tbs(smki)
    for token in (None, object(), True):
        with pytest.raises(TypeError):
            ClearedCertificate(tbs, token)


def test_a_certificate_that_breaks_its_profile_is_not_cleared(smki: Smki) -> None:
    tbs, facts = good_tbs(smki)
    profile = profile_of(CertificateKind.DEVICE)
    clear_for_signature(tbs, profile, facts, TEST_POLICY_OID)
    broken = {
        "key usage": tbs.replace(bytes.fromhex("03020780"), bytes.fromhex("03020640")),
        "criticality": tbs.replace(bytes.fromhex("551d0f0101ff"), bytes.fromhex("551d0f010100")),
        "issuer": tbs.replace(b"TD01", b"TD02"),
        "expiry": tbs.replace(b"99991231235959Z", b"99981231235959Z"),
        "cut short": tbs[:-1],
        "longer": tbs + b"\0",
    }
    for what, encoded in broken.items():
        assert encoded != tbs, what
        with pytest.raises(NotConformant) as caught:
            clear_for_signature(encoded, profile, facts, TEST_POLICY_OID)
        assert caught.value.problems, what


def test_it_is_redeemed_once(smki: Smki) -> None:
    tbs, facts = good_tbs(smki)
    cleared = clear_for_signature(tbs, profile_of(CertificateKind.DEVICE), facts, TEST_POLICY_OID)
    key = smki.hierarchy.newest(smki.ledger, CertificateKind.ISSUING_DCA).signing_key
    outcomes: list[str] = []

    def sign() -> None:
        try:
            outcomes.append("signed" if key.sign(cleared) else "")
        except AlreadySigned:
            outcomes.append("refused")

    threads = [threading.Thread(target=sign) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["signed"]


def test_a_refusal_leaves_no_trace_of_a_certificate(smki: Smki) -> None:
    outcome = apply(smki, Application(kind=CertificateKind.DEVICE, request=b"\x30\x00"))
    assert isinstance(outcome, Refusal)
    assert not list(smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.DEVICE,))))
    recorded = smki.ledger.application(outcome.application_id)
    assert recorded is not None
    assert (recorded.granted, recorded.serial_number) == (False, None)


def test_no_package_code_asks_the_machine_for_the_time() -> None:
    for file in [*(PROJECT / "smki").rglob("*.py"), *(PROJECT / "repository").rglob("*.py")]:
        text = file.read_text()
        if file != PROJECT / "smki" / "clock.py":
            assert "datetime.now(" not in text, file
            assert "time.time(" not in text, file
