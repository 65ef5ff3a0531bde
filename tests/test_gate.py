"""One gate, and lint before sign: no way to a signature but through both."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import pytest
from smki_repository.app import create_app

from smki import Application, CertificateKind, Issued, Refusal, Smki
from smki.authority.certification_authority import SigningKey
from smki.keys.private_key import SystemRandomness
from smki.ledger import CertificateQuery
from smki.profile import TEST_POLICY_OID, IssuerFacts
from smki.profile.clearance import AlreadySigned, ClearedCertificate, NotConformant, clear_for_signature
from smki.profile.tables import profile_of
from tests.repository.rest_support import PARTY, token_for
from tests.support import DEVICE, DS, PROJECT


def sources() -> dict[str, ast.Module]:
    files = [*(PROJECT / "smki").rglob("*.py"), *(PROJECT / "repository").rglob("*.py")]
    return {str(file.relative_to(PROJECT)): ast.parse(file.read_text()) for file in files}


def users_of(name: str) -> set[str]:
    """The modules that import a name."""
    return {
        file
        for file, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}
    }


def callers_of(attribute: str) -> set[str]:
    return {
        file
        for file, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == attribute
    }


def test_who_can_reach_a_signing_key() -> None:
    """The list of entry points: whoever adds one adds it here, and says why."""
    assert users_of("SigningKey") == {
        "smki/authority/issuance.py",  # signs
        "smki/registration/gate.py",  # hands it through
        "smki/authority/hierarchy.py",  # loads it, for the gate and the lists
    }
    assert users_of("Issuance") == {"smki/registration/gate.py", "smki/authority/hierarchy.py", "smki/home/smki.py"}
    assert users_of("establish_authority") == {"smki/authority/hierarchy.py"}
    assert users_of("Cleared") == {"smki/authority/certification_authority.py"}
    assert users_of("ClearedCertificate") == {"smki/authority/issuance.py"}
    assert users_of("ClearedList") == set()
    assert users_of("clear_for_signature") == {"smki/authority/issuance.py"}


def test_who_signs_anything_at_all() -> None:
    """The authority, the issuance and the lists; applicants, for their own requests; tests, with keys of their own."""
    assert callers_of("sign") == {
        "smki/authority/certification_authority.py",
        "smki/authority/issuance.py",
        "smki/authority/revocation_lists.py",
        "smki/pki/request.py",
        "smki/testing/defects/signer.py",
        "smki/testing/signature.py",
        "smki/testing/vectors/world.py",
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


def test_every_interface_goes_through_the_gate(smki: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    _, request = smki.make_device_request(DEVICE, DS)
    asked: list[str] = []
    apply = smki.registration.apply

    def watched(application: Application) -> Issued | Refusal:
        asked.append(application.interface)
        return apply(application)

    monkeypatch.setattr(smki.registration, "apply", watched)
    smki.issue_device(request)
    assert asked == ["python"]


def test_who_asks_the_gate() -> None:
    """Every place that hands in an application, and none that has another way to a certificate."""
    assert users_of("Application") >= {
        "repository/smki_repository/rest/applications.py",
        "smki/cli/issue.py",
        "smki/home/smki.py",
    }
    over_http = {file for file in users_of("Application") if file.startswith("repository/")}
    assert over_http == {"repository/smki_repository/rest/applications.py"}
    for name in ("accept", "reject", "revoke"):
        assert {file for file in users_of(name) if file.startswith("repository/")} == {
            "repository/smki_repository/rest/applications.py"
        }


def test_an_application_over_http_goes_through_it(smki: Smki, monkeypatch: pytest.MonkeyPatch) -> None:
    _, request = smki.make_device_request(DEVICE, DS)
    asked: list[str] = []
    apply = smki.registration.apply

    def watched(application: Application) -> Issued | Refusal:
        asked.append(application.interface)
        return apply(application)

    monkeypatch.setattr(smki.registration, "apply", watched)
    headers = {"Authorization": f"Bearer {token_for(smki, PARTY)}", "Content-Type": "application/pkcs10"}
    answer = create_app(smki).test_client().post("/api/v1/applications", data=request, headers=headers)
    assert answer.status_code == 201
    assert asked == ["rest"]


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
    for what, octets in broken.items():
        assert octets != tbs, what
        with pytest.raises(NotConformant) as caught:
            clear_for_signature(octets, profile, facts, TEST_POLICY_OID)
        assert caught.value.problems, what


def test_it_is_redeemed_once(smki: Smki) -> None:
    tbs, facts = good_tbs(smki)
    cleared = clear_for_signature(tbs, profile_of(CertificateKind.DEVICE), facts, TEST_POLICY_OID)
    key = SigningKey(lambda: SystemRandomness().private_key(""))
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
    outcome = smki.registration.apply(Application(CertificateKind.DEVICE, b"\x30\x00", "python"))
    assert isinstance(outcome, Refusal)
    assert not list(smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.DEVICE,))))
    assert smki.ledger.unfinished_applications() == []


def test_no_package_code_asks_the_machine_for_the_time() -> None:
    for file in [*(PROJECT / "smki").rglob("*.py"), *(PROJECT / "repository").rglob("*.py")]:
        text = file.read_text()
        if file != PROJECT / "smki" / "clock.py":
            assert "datetime.now(" not in text, file
            assert "time.time(" not in text, file


def test_no_module_is_too_long() -> None:
    long = {
        str(file): lines
        for file in [*(PROJECT / "smki").rglob("*.py"), *(PROJECT / "repository").rglob("*.py")]
        if (lines := len(file.read_text().splitlines())) > 400
    }
    assert long == {}
    assert Path(PROJECT / "smki").is_dir()
