"""smki issue devices: every input and output, refusals, and what is written."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from smki import Certificate, Smki
from smki.keys.private_key import read_key
from smki.ledger import CertificateQuery
from smki.pki.pem import decode_input
from smki.pki.request import public_point
from smki.pki.x509 import encode_public_key
from smki.sec.role import CertificateKind
from tests.cli.device_inputs import csv_of, device, folder_of, lines_of, pem_file_of, pem_of, request_of, zip_of
from tests.support import run_cli

Run = Callable[..., CompletedProcess[bytes]]

FROM = ("--from", device(0).hex, "--type", "ESME")


@pytest.fixture
def devices(home: Path, tmp_path: Path) -> Run:
    """Runs smki issue devices in a directory of its own."""
    place = tmp_path / "work"
    place.mkdir()

    def run(
        *words: str | Path, stdin: bytes | None = None, env: dict[str, str] | None = None
    ) -> CompletedProcess[bytes]:
        return run_cli("issue", "devices", *words, "--home", home, cwd=place, stdin=stdin, env=env)

    return run


@pytest.fixture
def work(devices: Run, tmp_path: Path) -> Path:
    """The directory in which it is run."""
    return tmp_path / "work"


def issued(home: Path) -> list[bytes]:
    """The Device Certificates in the ledger, in the order of their issue."""
    with Smki.open(home) as smki:
        return [record.der for record in smki.ledger.certificates(CertificateQuery(kinds=(CertificateKind.DEVICE,)))]


def certificate_in(path: Path) -> Certificate:
    return Certificate.from_der(decode_input(path.read_bytes())[0].der)


def refusals_in(path: Path) -> dict[str, list[str]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["source"]: [problem["code"] for problem in line["problems"]] for line in lines}


# --- inputs ---------------------------------------------------------------------------------------------------------

EUI_NAMES = [f"{device(number).hex.lower()}-ds" for number in range(6)]
FILE_NAMES = [f"meter{number:04d}" for number in range(6)]
INPUTS: dict[str, tuple[Callable[[Path, int], Path], str, list[str]]] = {
    "folder": (folder_of, "requests", [*FILE_NAMES[:1], "east-meter0001", *FILE_NAMES[2:]]),
    "zip": (zip_of, "requests.zip", [f"requests-{name}" for name in FILE_NAMES]),
    "csv": (csv_of, "meters.csv", [*EUI_NAMES[:2], FILE_NAMES[2], *EUI_NAMES[3:5], FILE_NAMES[5]]),
    "json lines": (lines_of, "meters.jsonl", EUI_NAMES),
    "pem": (pem_file_of, "meters.txt", EUI_NAMES),
}


@pytest.mark.parametrize("form", INPUTS)
def test_every_form_of_input(devices: Run, home: Path, work: Path, form: str) -> None:
    make, name, names = INPUTS[form]
    make(work / name, 6)
    result = devices(name, "--type", "ESME", "--out", "out")
    assert result.returncode == 0, result.stderr
    assert b"6 certificates issued, 0 refused: out" in result.stderr
    assert sorted(path.name for path in (work / "out").iterdir()) == sorted(f"{each}.pem" for each in names)
    for number, each in enumerate(names):
        certificate = certificate_in(work / "out" / f"{each}.pem")
        assert certificate.public_key_info in request_of(number)
        assert certificate.entity_identifier == device(number)
    assert {certificate_in(path).der for path in (work / "out").iterdir()} == set(issued(home))


def test_rows_from_standard_input(devices: Run, home: Path, work: Path) -> None:
    text = lines_of(work / "x.jsonl", 2).read_bytes()
    for words, given in ((("--out", "a"), text), (("--type", "ESME", "--out", "b"), pem_of(3) + pem_of(4))):
        result = devices("-", *words, stdin=given)
        assert result.returncode == 0, result.stderr
    assert len(issued(home)) == 4
    assert sorted(path.stem for path in (work / "b").iterdir()) == EUI_NAMES[3:5]


def test_rows_for_which_keys_are_made(devices: Run, work: Path) -> None:
    eui = device(0).hex
    (work / "x.csv").write_text(
        f'eui,usage,type\n{eui},ds,ESME\n{device(1).hyphenated},"ds,ka",ESME\n{device(2).hex},,GSME\n'
    )
    result = devices("x.csv", "--out", "out")
    assert result.returncode == 0, result.stderr
    stems = {path.stem for path in (work / "out").iterdir()}
    assert stems == {
        f"{device(0).hex.lower()}-ds",
        *(f"{device(n).hex.lower()}-{u}" for n in (1, 2) for u in ("ds", "ka")),
    }
    assert len(list((work / "out").iterdir())) == 10


def test_requests_of_one_device_with_its_type_in_every_row(devices: Run, home: Path, work: Path) -> None:
    """The second application finds the Device in the inventory, to which the first one of the same batch added it."""
    result = devices(*FROM, "--count", "3", "--out", "out")
    assert result.returncode == 0, result.stderr
    assert len(issued(home)) == 6


# --- outputs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
@pytest.mark.parametrize("out", ["out", "out.zip", "out.jsonl"])
def test_keys_that_are_made(devices: Run, home: Path, work: Path, out: str, passphrase: str | None) -> None:
    env = {"SMKI_KEY_PASSPHRASE": passphrase} if passphrase else {}
    result = devices(*FROM, "--count", "2", "--usage", "ka", "--out", out, env=env)
    assert result.returncode == 0, result.stderr
    assert [path.name for path in work.iterdir()] == [out]
    found = work / out
    if out.endswith(".zip"):
        assert found.stat().st_mode & 0o777 == 0o600
        found = work / "unpacked"
        with zipfile.ZipFile(work / out) as archive:
            assert archive.testzip() is None
            archive.extractall(found)
    elif out.endswith(".jsonl"):
        assert found.stat().st_mode & 0o777 == 0o600
        found = work / "unpacked"
        found.mkdir()
        for line in map(json.loads, (work / out).read_text().splitlines()):
            assert (line["usage"], line["status"], line["designation"]) == ("KA", "I", "Test Certificate")
            (found / f"{line['name']}.pem").write_bytes(base64.b64decode(line["certificate"]))
            (found / f"{line['name']}.key").write_text(line["privateKey"])
    else:
        assert {path.stat().st_mode & 0o777 for path in found.glob("*.key")} == {0o600}
    names = sorted(path.name for path in found.iterdir())
    assert names == sorted(f"{device(n).hex.lower()}-ka.{suffix}" for n in range(2) for suffix in ("key", "pem"))
    for path in found.glob("*.key"):
        assert (b"ENCRYPTED" in path.read_bytes()) is (passphrase is not None)
        key = read_key(path, passphrase.encode() if passphrase else None)
        certificate = certificate_in(path.with_suffix(".pem"))
        assert certificate.public_key_info == encode_public_key(public_point(key.public_key()))
        assert certificate.der in issued(home)


@pytest.mark.parametrize("out", ["out.zip", "out.jsonl"])
def test_an_output_without_keys_is_not_private(devices: Run, work: Path, out: str) -> None:
    result = devices(zip_of(work / "in.zip", 2), "--type", "ESME", "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "issued": 2, "issuedBefore": 0, "refused": 0, "ignoredFiles": 0, "out": out, "report": None,
    }  # fmt: skip
    assert (work / out).stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in work.iterdir()) == ["in.zip", out]
    if out.endswith(".jsonl"):
        assert all("privateKey" not in json.loads(line) for line in (work / out).read_text().splitlines())


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "report"),
    [("out", "out/refusals.jsonl"), ("out.zip", "refusals.jsonl"), ("out.jsonl", "out.refusals.jsonl")],
)
def test_refusals_are_reported(devices: Run, home: Path, work: Path, out: str, report: str) -> None:
    folder = folder_of(work / "in", 3)
    (folder / "meter0002.b64").write_bytes(b"no request")
    (folder / "README.txt").write_text("not read")
    (folder / "twice.csr").write_bytes(pem_of(0))
    (folder / "zero.csr").write_bytes(b"")
    result = devices("in", "--type", "ESME", "--out", out, "--json")
    assert result.returncode == 1, result.stderr
    assert json.loads(result.stdout) == {
        "issued": 2, "issuedBefore": 0, "refused": 3, "ignoredFiles": 1, "out": out,
        "report": out if out == "out.zip" else report,
    }  # fmt: skip
    if out == "out.zip":
        with zipfile.ZipFile(work / out) as archive:
            archive.extract(report, work)
    assert refusals_in(work / report) == {
        "in/meter0002.b64": ["input.not-encoded"],
        "in/twice.csr": ["request.repeated"],
        "in/zero.csr": ["input.empty"],
    }
    assert b"in/twice.csr: " in result.stderr
    assert len(issued(home)) == 2


def test_a_report_of_its_own(devices: Run, work: Path) -> None:
    zip_of(work / "in.zip", 2)
    for type_, status, lines in (("IHD", 1, 2), ("ESME", 0, 0)):
        result = devices("in.zip", "--type", type_, "--out", "out", "--report", "report.jsonl")
        assert result.returncode == status, result.stderr
        assert len((work / "report.jsonl").read_text().splitlines()) == lines
        assert not (work / "out" / "refusals.jsonl").exists()


def test_refused_requests_are_applied_for_again(devices: Run, home: Path, work: Path) -> None:
    """The cause of a refusal can be removed: then the same command issues what was refused, and the report is gone."""
    csv_of(work / "in.csv", 4).write_text((work / "in.csv").read_text().replace("ESME", "IHD", 1))
    assert devices("in.csv", "--out", "out").returncode == 1
    assert len(refusals_in(work / "out" / "refusals.jsonl")) == 1
    csv_of(work / "in.csv", 4)
    again = devices("in.csv", "--out", "out")
    assert again.returncode == 0, again.stderr
    assert b"1 certificate issued, 3 issued before, 0 refused" in again.stderr
    assert not (work / "out" / "refusals.jsonl").exists()
    assert len(issued(home)) == 4


def test_a_key_for_which_nothing_is_issued_is_removed(devices: Run, work: Path) -> None:
    result = devices("--from", device(0).hex, "--count", "2", "--type", "IHD", "--out", "out")
    assert result.returncode == 1
    assert [path.name for path in (work / "out").iterdir()] == ["refusals.jsonl"]


def test_a_key_that_was_there_is_kept_whatever_is_decided(devices: Run, work: Path) -> None:
    assert devices(*FROM, "--count", "1", "--usage", "ds", "--out", "first").returncode == 0
    name = f"{device(0).hex.lower()}-ds.key"
    (work / "out").mkdir()
    key = (work / "first" / name).read_bytes()
    (work / "out" / f"{device(1).hex.lower()}-ds.key").write_bytes(key)
    result = devices("--from", device(1).hex, "--count", "1", "--usage", "ds", "--type", "ESME", "--out", "out")
    assert result.returncode == 1
    assert b"[public-key.already-certified]" in result.stderr
    assert (work / "out" / f"{device(1).hex.lower()}-ds.key").read_bytes() == key


def test_a_request_that_was_issued_by_another_command(devices: Run, home: Path, work: Path) -> None:
    (work / "a.csr").write_bytes(request_of(0))
    single = run_cli("issue", "device", "--csr", work / "a.csr", "--type", "ESME", "--home", home)
    assert single.returncode == 0, single.stderr
    result = devices(zip_of(work / "in.zip", 2), "--type", "ESME", "--out", "out")
    assert result.returncode == 0
    assert b"1 certificate issued, 1 issued before" in result.stderr
    assert len(issued(home)) == 2


def test_what_is_in_the_folder_is_kept(devices: Run, home: Path, work: Path) -> None:
    (work / "out").mkdir()
    (work / "out" / "meter0000.pem").write_text("precious")
    (work / "out" / f"{EUI_NAMES[1]}.pem").write_text("precious")
    (work / "out" / "notes.txt").write_text("mine")
    result = devices(folder_of(work / "in", 2), "--type", "ESME", "--out", "out")
    assert result.returncode == 1
    assert list(refusals_in(work / "out" / "refusals.jsonl").values()) == [["output.occupied"]]
    result = devices("--from", device(1).hex, "--count", "1", "--usage", "ds", "--type", "ESME", "--out", "out")
    assert result.returncode == 1
    assert not list((work / "out").glob("*.key"))
    assert len(issued(home)) == 1
    for name, text in (("meter0000.pem", "precious"), (f"{EUI_NAMES[1]}.pem", "precious"), ("notes.txt", "mine")):
        assert (work / "out" / name).read_text() == text


def test_names_of_files_do_not_lead_out_of_the_output(devices: Run, work: Path) -> None:
    folder = work / "in"
    folder.mkdir()
    for number, name in enumerate(["-rf.csr", "a b;$(x).csr", "é.csr", "meter.csr", "meter.der", "METER.p10"]):
        (folder / name).write_bytes(request_of(number))
    (folder / os.fsdecode(b"\xff.csr")).write_bytes(request_of(6))
    result = devices("in", "--type", "ESME", "--out", "out.zip")
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(work / "out.zip") as archive:
        assert len(set(map(str.lower, archive.namelist()))) == 7


def test_progress_has_the_rate_and_the_time_left(home: Path, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    words = [*FROM, "--count", "60", "--out", str(tmp_path / "out"), "--home", str(home)]
    command = [sys.executable, "-c", "from smki.cli import main; main()", "issue", "devices", *words]
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    with subprocess.Popen(command, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # when the other end is closed
            while part := os.read(ours, 4096):
                shown += part
    os.close(ours)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert re.search(r"issuing .*100/120 [\d,]+/s \d:\d\d:\d\d", text), text
    assert "120 certificates issued, 0 refused" in text
