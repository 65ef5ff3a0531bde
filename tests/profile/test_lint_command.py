"""smki lint and smki profile, in processes of their own where it matters."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from smki.cli.lint import lint
from smki.cli.profile import profile
from smki.pki.certificate import to_pem
from smki.problem import SmkiError
from smki.profile.catalogue import CATALOGUE
from smki.profile.tables import ALL_PROFILES
from smki.testing.defects import DEFECTS, Base
from tests.profile.support import PKI, golden
from tests.support import run_cli

GOOD, ISSUER, OTHER = golden()["device-ds"], golden()["issuing-dca"], golden()["organisation-recovery-ds"]
REQUEST, LIST = PKI.good_bytes(Base.DEVICE_REQUEST), PKI.good_bytes(Base.CRL)
(BAD,) = [defect.make(PKI) for defect in DEFECTS if defect.name == "device-key-usage-missing"]


def run(*words: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(lint, [str(word) for word in words], input=stdin)


def values(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def kinds(result: Result) -> list[str]:
    return [each["kind"] for each in values(result)["objects"]]


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "der": lambda data: data,
    "pem": lambda data: to_pem("CERTIFICATE", data).encode(),
    "base64": lambda data: base64.b64encode(data),
    "base64 in lines": lambda data: base64.encodebytes(data),
    "hexadecimal": lambda data: data.hex().encode(),
    "hexadecimal in lines": lambda data: data.hex(" ", 16).upper().replace(" ", "\n").encode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("data", "kind"), [(GOOD, "device"), (REQUEST, "device-request"), (LIST, "organisation-crl")])
def test_every_form_of_everything(form: str, data: bytes, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(FORMS[form](data))
    result = run(file, "--json")
    assert result.exit_code == 0
    assert kinds(result) == [kind]
    assert values(result)["objects"][0]["findings"] == []


@pytest.mark.parametrize(
    "several",
    [
        to_pem("CERTIFICATE", GOOD).encode() + b"text\n" + to_pem("X509 CRL", LIST).encode() + to_pem("CERTIFICATE REQUEST", REQUEST).encode(),
        GOOD + LIST + REQUEST,
        (GOOD + LIST + REQUEST).hex().encode(),
        b"\n".join(base64.b64encode(data) for data in (GOOD, LIST, REQUEST)),
        b"\n\n".join(base64.encodebytes(data) for data in (GOOD, LIST, REQUEST)),
    ],
    ids=["pem", "der", "hexadecimal", "base64 a line", "base64 a paragraph"],
)  # fmt: skip
def test_several_in_one_file(several: bytes, tmp_path: Path) -> None:
    file = tmp_path / "several"
    file.write_bytes(several)
    result = run(file, "--json")
    assert kinds(result) == ["device", "organisation-crl", "device-request"]
    assert [each["object"] for each in values(result)["objects"]] == [1, 2, 3]
    assert "several, object 2: Organisation CRL: nothing found" in run(file).stdout


def test_exit_statuses(tmp_path: Path) -> None:
    good, bad, none = tmp_path / "good.der", tmp_path / "bad.der", tmp_path / "none.der"
    good.write_bytes(GOOD)
    bad.write_bytes(BAD)
    none.write_bytes(b"hello, world")
    assert run(good).exit_code == 0
    assert run(bad).exit_code == 1
    assert run(none).exit_code == 2
    assert run(good, bad).exit_code == 1
    assert run(good, none).exit_code == 2
    warned = tmp_path / "warned.der"
    warned.write_bytes(
        next(defect.make(PKI) for defect in DEFECTS if defect.name == "device-policies-other-environment")
    )
    result = run(warned)
    assert result.exit_code == 0
    assert "warning:" in result.stdout


def test_a_directory(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "good.pem").write_text(to_pem("CERTIFICATE", GOOD))
    (tmp_path / "below" / "bad.der").write_bytes(BAD)
    (tmp_path / "README.txt").write_text("not for us")
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "2 objects in 2 files; by their worst finding: 1 error, 1 clean" in result.stdout
    assert "README" not in result.output


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: path.mkdir(), "directory.nothing"),
        (lambda path: path.write_bytes(b""), "input.empty"),
        (lambda path: path.write_bytes(b" \n \n"), "input.empty"),
        (lambda path: path.write_bytes(b"hello"), "input.not-encoded"),
        (lambda path: path.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n"), "input.pem-cut-short"),
        (lambda path: path.write_text(to_pem("PRIVATE KEY", b"\x30\x00")), "input.other"),
        (lambda path: None, "file.missing"),
    ],
)
def test_what_cannot_be_read_is_said(make: Any, code: str, tmp_path: Path) -> None:
    path = tmp_path / "input"
    make(path)
    result = run(path, "--json")
    assert result.exit_code == 2
    assert [problem["code"] for problem in values(result)["problems"]] == [code]
    assert f"[{code}]" in run(path).stderr
    assert str(path) in run(path).stderr


@pytest.mark.parametrize(
    "data", [bytes(1 << 20), b"\x30\x82\xff\xff" + GOOD, b"\x30\x80" * 1000, b"\xde\xad\xbe\xef" * 99]
)
def test_rubbish_is_a_finding_and_unreadable(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rubbish"
    path.write_bytes(data)
    result = run(path, "--json")
    assert result.exit_code == 2
    (found,) = values(result)["objects"]
    assert found["kind"] == "unknown"
    assert found["findings"][0]["severity"] == "fatal"


def test_one_bad_block_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    text = to_pem("CERTIFICATE", GOOD)
    path.write_text(text + "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n" + text)
    result = run(path, "--json")
    assert kinds(result) == ["device", "device"]
    assert [problem["code"] for problem in values(result)["problems"]] == ["input.base64"]
    assert result.exit_code == 2


def test_a_key_beside_a_certificate_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "both.pem"
    path.write_text(to_pem("PRIVATE KEY", b"\x30\x00") + to_pem("CERTIFICATE", GOOD))
    assert kinds(run(path, "--json")) == ["device"]


def test_standard_input() -> None:
    result = run("-", stdin=GOOD)
    assert result.exit_code == 0
    assert result.stdout == "-: Device Certificate: nothing found\n"


def test_the_issuer(tmp_path: Path) -> None:
    good, issuer, other, both = (tmp_path / name for name in ("good.der", "issuer.pem", "other.der", "both.pem"))
    good.write_bytes(GOOD)
    issuer.write_text(to_pem("CERTIFICATE", ISSUER))
    other.write_bytes(golden()["root-oca"])
    both.write_text(to_pem("CERTIFICATE", golden()["root-oca"]) + to_pem("CERTIFICATE", ISSUER))
    assert run(good, "--issuer", issuer).exit_code == 0
    assert run(good, "--issuer", both).exit_code == 0
    result = run(good, "--issuer", other, "--json")
    assert result.exit_code == 1
    found = {finding["code"] for finding in values(result)["objects"][0]["findings"]}
    assert {"issuer.mismatch", "authority-key-identifier.mismatch", "signature.does-not-verify"} <= found
    assert run_cli("lint", good, "--issuer", tmp_path / "none").returncode == 2


def test_the_kind(tmp_path: Path) -> None:
    file = tmp_path / "organisation.der"
    file.write_bytes(OTHER)
    assert run(file, "--kind", "organisation").exit_code == 0
    assert run(file, "--kind", "organisation-recovery").exit_code == 0
    for kind, code in (
        ("device", "kind.unexpected"),
        ("device-request", "kind.unexpected"),
        ("organisation-crl", "kind.unexpected"),
        ("organisation-supplier", "role.wrong"),
    ):
        result = run(file, "--kind", kind, "--json")
        assert result.exit_code == 1
        assert [finding["code"] for finding in values(result)["objects"][0]["findings"]] == [code]
    result = run(file, "--kind", "meter")
    assert isinstance(result.exception, SmkiError)
    assert result.exception.code == "profile.unknown"


def test_codes() -> None:
    printed = [line.split()[0] for line in run("--codes").stdout.splitlines()]
    assert printed == list(CATALOGUE)
    as_json = json.loads(run("--codes", "--json").stdout)
    assert [row["code"] for row in as_json] == list(CATALOGUE)
    assert {row["severity"] for row in as_json} == {"fatal", "error", "warning", "notice"}


def test_no_file_is_a_wrong_use() -> None:
    assert run().exit_code == 2


def test_what_is_in_a_certificate_cannot_drive_the_terminal(tmp_path: Path) -> None:
    from smki.pki import der
    from smki.pki.oid import Oid
    from smki.pki.x509 import encode_attribute
    from smki.testing.defects.edits import put

    subject = der.sequence(encode_attribute(Oid.COMMON_NAME, der.utf8_string("\x1b[2Jgone\r\n")))
    file = tmp_path / "evil.der"
    file.write_bytes(put(subject=subject)(PKI.good(Base.DEVICE), PKI).encoded())
    printed = run(file).output
    assert "\x1b" not in printed
    assert "\\x1b[2Jgone" in printed


def test_the_whole_command_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text(to_pem("CERTIFICATE", BAD))
    done = run_cli("lint", "bad.pem", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.decode() == (
        "bad.pem: Device Certificate\n"
        "  error: tbsCertificate.extensions: no keyUsage; expected critical; digitalSignature or keyAgreement"
        " (RFC 5280 4.2.1.3) [key-usage.missing]\n"
    )


def test_profiles_are_listed_and_shown() -> None:
    listed = CliRunner().invoke(profile, ["list"]).stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(ALL_PROFILES)
    for name, each in ALL_PROFILES.items():
        text = CliRunner().invoke(profile, ["show", name]).stdout
        shown = json.loads(CliRunner().invoke(profile, ["show", name, "--json"]).stdout)
        assert [row["field"] for row in shown["rows"]] == [field for field, _ in each.rows()]
        for field, row in each.rows():
            assert field in text
            assert row.clause in text
            assert str(row.form) in text
    listed_json = json.loads(CliRunner().invoke(profile, ["list", "--json"]).stdout)
    assert [each["name"] for each in listed_json] == list(ALL_PROFILES)


def test_an_unknown_profile() -> None:
    done = run_cli("profile", "show", "meter")
    assert done.returncode == 2
    assert b"[profile.unknown]" in done.stderr
    assert b"organisation-crl" in done.stderr
