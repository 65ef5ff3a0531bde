"""Certificates made elsewhere: taken from everything that people have, linted, found again, counted with nothing of ours."""

from __future__ import annotations

import base64
import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki import Certificate, CertificateStatus, DeviceType, Smki
from smki.bounds import MAX_ENTRY_BYTES
from smki.interchange import CertificateWithKey, key_store_json, org_crypto_zip, write_archive, write_folder, zip_input
from smki.interchange.importing import Found, FoundKey, ImportOutcome, Unreadable, find_certificates
from smki.interchange.importing.contents import FoundObject
from smki.interchange.importing.importer import ImportStatus
from smki.interchange.importing.sources import find_in
from smki.keys.private_key import key_from_pem, key_to_pem
from smki.ledger import CertificateQuery, NewImport
from smki.ledger.contract import LedgerUnavailable
from smki.pki.request import make_device_request
from smki.problem import Problem, errors_among
from tests.interchange.conftest import organisations
from tests.repository.support import ask, serving
from tests.support import DEVICE, DS, PROJECT, VECTORS, published_client, run_cli, run_here


def take(smki: Smki, path: Path, **options: Any) -> list[ImportOutcome]:
    return list(smki.importer(**options).take(find_certificates(path)))


def taken(outcomes: list[ImportOutcome]) -> Counter[ImportStatus]:
    return Counter(outcome.status for outcome in outcomes)


def test_the_published_key_store(smki: Smki) -> None:
    """Every certificate of it is accounted for; those that are defective are named, with the reason."""
    path = published_client() / "keystore.json"
    store = json.loads(path.read_text())
    names = [entry["name"] for usages in store.values() for serials in usages.values() for entry in serials.values()]
    outcomes = take(smki, path)
    assert sorted(outcome.name for outcome in outcomes) == sorted(names)
    assert taken(outcomes) == {ImportStatus.IMPORTED: 33}
    assert {outcome.name: {finding.code for finding in errors_among(outcome.findings)} for outcome in outcomes if outcome.is_defective} == {
        "xml-sign-00DB123456780004-ds": {"authority-key-identifier.missing"},
        "xml-sign-90B3D51F30010000-ds": {"authority-key-identifier.missing"},
        "xml-sign-90B3D51F30020000-ds": {"authority-key-identifier.missing"},
        "dsp-xml-sign-90B3D51F30000002-ds": {"authority-key-identifier.missing"},
        "otherUser-ds": {"extension.unexpected-critical"},
        "otherUser-ka": {"extension.unexpected-critical"},
        "mdr-ds": {"signature-algorithm.parameters"},
        "mdr-ka": {"signature-algorithm.parameters"},
    }  # fmt: skip
    kept = {found.name: found for found in smki.ledger.imports.certificates(CertificateQuery())}
    assert sorted(kept) == sorted(names)
    for outcome in outcomes:
        assert kept[outcome.name].record.certificate == outcome.certificate
        assert kept[outcome.name].findings == outcome.findings
    assert taken(take(smki, path)) == {ImportStatus.ALREADY_HERE: 33}
    assert smki.ledger.imports.count() == 33


def test_only_conformant_ones(smki: Smki) -> None:
    outcomes = take(smki, published_client() / "keystore.json", only_conformant=True)
    assert taken(outcomes) == {ImportStatus.IMPORTED: 25, ImportStatus.NOT_IMPORTED: 8}
    for outcome in outcomes:
        if outcome.status is ImportStatus.NOT_IMPORTED:
            assert {problem.code for problem in outcome.problems} == {
                finding.code for finding in errors_among(outcome.findings)
            }
            assert all(problem.clause for problem in outcome.problems)


def test_the_published_folders(smki: Smki, vectors: list[dict[str, Any]]) -> None:
    """Of each file in them the outcome is that which the index says."""
    outcomes = {outcome.source: outcome for outcome in take(smki, VECTORS)}
    for row in vectors:
        outcome = outcomes[str(VECTORS / row["file"])]
        if row["expect"] == "conformant":
            assert outcome.status is not ImportStatus.NOT_IMPORTED, row
            assert not outcome.is_defective
    assert {outcome.problems[0].code for outcome in outcomes.values() if outcome.certificate is None}


def folder_in(path: Path) -> Path:
    """A folder in which nothing else is."""
    (path / "files").mkdir()
    return path / "files"


FORMS: dict[str, Callable[[list[CertificateWithKey]], bytes]] = {
    "bundle.pem": lambda held: "".join(pair.certificate.as_pem() for pair in held).encode(),
    "one.der": lambda held: held[0].certificate.der,
    "one.b64": lambda held: base64.b64encode(held[0].certificate.der),
    "lines.txt": lambda held: b"\n".join(base64.b64encode(pair.certificate.der) for pair in held),
    "store.json": lambda held: key_store_json(held).encode(),
    "crypto.zip": lambda held: org_crypto_zip(organisations(held)),
    "der.zip": lambda held: _archive(held, der=True),
    "pem.zip": lambda held: _archive(held, der=False),
    "out.jsonl": lambda held: b"".join(
        json.dumps({"certificate": base64.b64encode(pair.certificate.der).decode()}).encode() + b"\n" for pair in held
    ),
}


def _archive(held: list[CertificateWithKey], *, der: bool) -> bytes:
    content = io.BytesIO()
    write_archive(content, held, der=der)
    return content.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_every_form(smki: Smki, pairs: list[CertificateWithKey], tmp_path: Path, form: str) -> None:
    expected = pairs[:1] if form.startswith("one") else organisations(pairs) if form == "crypto.zip" else pairs
    (tmp_path / form).write_bytes(FORMS[form](pairs))
    outcomes = take(smki, tmp_path / form)
    assert {outcome.certificate for outcome in outcomes} == {pair.certificate for pair in expected}
    assert taken(outcomes) == {ImportStatus.IMPORTED: len(expected)}


def test_a_folder_and_what_is_exported_is_imported_again(
    smki: Smki, pairs: list[CertificateWithKey], tmp_path: Path
) -> None:
    write_folder(tmp_path / "out", pairs)
    importer = smki.importer()
    outcomes = list(importer.take(find_certificates(tmp_path / "out")))
    assert taken(outcomes) == {ImportStatus.IMPORTED: len(pairs)}
    assert sorted(outcome.name for outcome in outcomes) == sorted(pair.name for pair in pairs)
    # Private keys that lie beside them are imported only where that is asked for, and then for their owner alone.
    assert not (smki.path / "keys" / "imported").exists()
    written = smki.write_imported_keys(importer)
    assert len(written) == len(pairs)
    assert stat.S_IMODE((smki.path / "keys" / "imported").stat().st_mode) == 0o700
    values = set()
    for path in written:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        values.add(key_from_pem(path.read_bytes(), None, "").private_numbers().private_value)
    assert values == {pair.key.private_numbers().private_value for pair in pairs if pair.key}
    assert smki.write_imported_keys(importer) == []


def test_what_was_issued_here_is_here_already(smki: Smki, tmp_path: Path) -> None:
    (tmp_path / "ours.pem").write_text("".join(record.certificate.as_pem() for record in smki.authorities()))
    assert taken(take(smki, tmp_path / "ours.pem")) == {ImportStatus.ALREADY_HERE: 4}
    assert smki.ledger.imports.count() == 0


def test_an_issuer_that_is_known_checks_the_signature(smki: Smki, tmp_path: Path) -> None:
    _, request = smki.make_device_request(DEVICE, DS)
    der = bytearray(smki.issue_device(request).record.der)
    der[-1] ^= 1
    (tmp_path / "altered.der").write_bytes(der)
    issuer = next(record.certificate for record in smki.authorities() if record.certificate.common_name == "TD01")
    (without,) = take(smki, tmp_path / "altered.der")
    assert not without.is_defective
    (outcome,) = take(smki, tmp_path / "altered.der", issuers=[issuer])
    assert outcome.is_defective
    assert [finding.code for finding in errors_among(outcome.findings)] == ["signature.does-not-verify"]


def test_an_authority_of_the_same_name_with_another_key_is_another(smki: Smki, tmp_path: Path) -> None:
    """Every home of this project calls its authorities alike: what comes from one is not defective in another."""
    with Smki.in_memory() as elsewhere:
        _, request = elsewhere.make_device_request(DEVICE, DS)
        issued = elsewhere.issue_device(request, device_type=DeviceType.ESME).record.certificate
        certificates = [*(record.certificate for record in elsewhere.authorities()), issued]
    (tmp_path / "theirs.pem").write_text("".join(certificate.as_pem() for certificate in certificates))
    outcomes = take(smki, tmp_path / "theirs.pem", issuers=[record.certificate for record in smki.authorities()])
    assert taken(outcomes) == {ImportStatus.IMPORTED: 5}
    assert [outcome.findings for outcome in outcomes if outcome.is_defective] == []


def facts(smki: Smki) -> dict[str, Any]:
    """Everything that counts what was issued."""
    return {
        "count": smki.ledger.count_certificates(),
        "records": [record.id for record in smki.ledger.certificates(CertificateQuery())],
        "device": smki.ledger.certificates_for_device(DEVICE),
        "issued to": [smki.ledger.certificates_issued_to(party) for party in ("DCC", "LARGE-SUPPLIER")],
        "authorities": [record.serial_number for record in smki.authorities()],
        "lists": [lists.current().entries for lists in smki.all_lists()],
        "check": smki.check().problems,
    }


def test_they_count_for_nothing(smki: Smki, pairs: list[CertificateWithKey], tmp_path: Path) -> None:
    before = facts(smki)
    (tmp_path / "store.json").write_text(key_store_json(pairs))
    take(smki, tmp_path / "store.json")
    assert facts(smki) == before
    # Nor does a public key count as certified: its holder can still apply here.
    held = next(pair for pair in pairs if pair.certificate.entity_identifier == DEVICE)
    assert held.key is not None
    issued = smki.issue_device(make_device_request(held.key, DEVICE, DS))
    assert issued.record.issued_here
    assert smki.extracts.full().contents.certificates == before["count"] + 1


def test_their_status_follows_from_their_dates(smki: Smki) -> None:
    take(smki, published_client() / "keystore.json")
    query = CertificateQuery(moment=smki.clock.now())
    records = [found.record for found in smki.ledger.imports.certificates(query)]
    by_status = Counter(record.status_at(smki.clock.now()).value for record in records)
    assert set(by_status) == {"I", "E"}
    for status, count in by_status.items():
        narrowed = replace(query, status=CertificateStatus.parse(status))
        assert len(list(smki.ledger.imports.certificates(narrowed))) == count


def test_what_is_no_certificate_is_said(smki: Smki, tmp_path: Path, published_request: bytes) -> None:
    tmp_path = folder_in(tmp_path)
    (tmp_path / "request.der").write_bytes(published_request)
    (tmp_path / "list.der").write_bytes(smki.all_lists()[0].current().der)
    (tmp_path / "text.pem").write_text("hello")
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "cut.der").write_bytes(smki.authorities()[0].der[:-5])
    (tmp_path / "broken.json").write_text('{"90b3d51f30010000": 5}')
    (tmp_path / "lines.jsonl").write_text(
        '{"certificate": "!"}\n[]\n\n{"serialNumber": "5"}\n{"certificate": null}\n' + "[" * 9000
    )
    (tmp_path / "link.pem").symlink_to("/etc/passwd")
    (tmp_path / "ignored.txt").write_text("hello")
    codes = {Path(outcome.source.split(",")[0]).name: outcome.problems[0].code for outcome in take(smki, tmp_path)}
    assert codes == {
        "request.der": "import.other",
        "list.der": "import.other",
        "text.pem": "input.not-encoded",
        "empty.pem": "input.empty",
        "cut.der": "structure.unreadable",
        "broken.json": "key-store.form",
        "lines.jsonl": "import.line",
        "link.pem": "file.link",
    }
    assert [problem.code for outcome in take(smki, tmp_path / "missing") for problem in outcome.problems] == [
        "file.missing"
    ]
    (tmp_path / "nothing").mkdir()
    assert [problem.code for outcome in take(smki, tmp_path / "nothing") for problem in outcome.problems] == [
        "directory.nothing"
    ]


def test_an_entry_that_contradicts_its_certificate_is_taken_with_what_is_wrong(
    smki: Smki, pairs: list[CertificateWithKey], tmp_path: Path
) -> None:
    text = key_store_json(pairs[:1]).replace('"role": ', '"role": 9')
    (tmp_path / "store.json").write_text(text)
    (refused,) = take(smki, tmp_path / "store.json", only_conformant=True)
    assert (refused.status, refused.problems[0].code) == (ImportStatus.NOT_IMPORTED, "key-store.role")
    (outcome,) = take(smki, tmp_path / "store.json")
    assert (outcome.status, outcome.problems[0].code) == (ImportStatus.IMPORTED, "key-store.role")


def hostile(path: Path, *entries: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def codes(path: Path) -> list[str]:
    return [
        problem.code for each in find_certificates(path) if isinstance(each, Unreadable) for problem in each.problems
    ]


def test_hostile_archives(pairs: list[CertificateWithKey], tmp_path: Path) -> None:
    pem = pairs[0].certificate.as_pem().encode()
    # Names that lead elsewhere do no harm: nothing is unpacked.
    path = hostile(tmp_path / "a.zip", ("../../x.pem", pem), ("/etc/x.pem", pem), ("C:\\x.pem", pem))
    assert len([each for each in find_certificates(path) if isinstance(each, Found)]) == 3
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"]
    bomb = hostile(tmp_path / "b.zip", ("x.pem", b"0" * (MAX_ENTRY_BYTES + 1)))
    assert bomb.stat().st_size < 100_000
    assert codes(bomb) == ["archive.expansion"]
    large = hostile(tmp_path / "l.zip", ("x.pem", b"0" * (MAX_ENTRY_BYTES + 1)), compression=zipfile.ZIP_STORED)
    assert codes(large) == ["input.too-large"]
    # What it says about its size is not believed.
    encoded = bytearray(bomb.read_bytes())
    at = encoded.index(b"PK\x01\x02")
    encoded[at + 24 : at + 28] = (100).to_bytes(4, "little")
    (tmp_path / "c.zip").write_bytes(encoded)
    assert codes(tmp_path / "c.zip")
    assert codes(hostile(tmp_path / "d.zip", ("inner.zip", bomb.read_bytes()))) == ["archive.nothing"]
    encrypted = bytearray(hostile(tmp_path / "e.zip", ("x.pem", pem)).read_bytes())
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "e.zip").write_bytes(encrypted)
    assert codes(tmp_path / "e.zip") == ["archive.encrypted"]
    (tmp_path / "f.zip").write_bytes(b"PK\x03\x04 and nothing more")
    assert codes(tmp_path / "f.zip") == ["archive.unreadable"]


def test_an_archive_with_too_large_a_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(zip_input, "MAX_DIRECTORY_BYTES", 4000)
    path = hostile(tmp_path / "many.zip", *((f"{number:04d}.pem", b"x") for number in range(100)))
    assert codes(path) == ["archive.too-many"]


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    """Entries of more than 16 MB of nothing each: read one after the other, in a process that needs less than 200 MB."""
    entries = [(f"{number}.pem", b"0" * (MAX_ENTRY_BYTES + 1)) for number in range(5)]
    path = hostile(tmp_path / "bomb.zip", *entries)
    script = f"""
from pathlib import Path
from benchmarks.measurement import peak_memory
from smki.interchange.importing import find_certificates
print(sum(1 for _ in find_certificates(Path({str(path)!r}))), peak_memory())
"""
    result = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, check=True, timeout=60)
    count, encoded = map(int, result.stdout.split())
    assert count == 5
    assert encoded < 200_000_000


@pytest.fixture(scope="module")
def contents(pairs: list[CertificateWithKey]) -> dict[str, bytes]:
    """A file of each form, made once: some have random bytes in them, and places in them are drawn again."""
    return {name: make(pairs[:2]) for name, make in FORMS.items()}


def test_an_entry_that_is_cut_short(contents: dict[str, bytes]) -> None:
    """Its header says that a name and more stand before it than do."""
    broken = contents["pem.zip"][:29] + b"\x80" + contents["pem.zip"][30:]
    told = [each for each in find_in(io.BytesIO(broken), "pem.zip") if isinstance(each, Unreadable)]
    assert [(problem.code, problem.seen) for each in told for problem in each.problems] == [
        ("archive.unreadable", "truncated")
    ]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_is_in_a_file_is_found_or_told(contents: dict[str, bytes], data: st.DataObject) -> None:
    good = data.draw(st.sampled_from(sorted(FORMS)))
    content = bytearray(contents[good])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["change", "cut", "double"])):
            case "change":
                content[at] ^= data.draw(st.integers(1, 255))
            case "cut":
                del content[at : at + data.draw(st.integers(1, 50))]
            case "double":
                content[at:at] = content[at : at + 50]
        if not content:
            break
    for each in find_in(io.BytesIO(bytes(content)), good):
        if isinstance(each, Unreadable):
            assert all(problem.code and problem.seen for problem in each.problems)
        else:
            assert isinstance(each, Found | FoundKey)


def test_the_command(home: Path, pairs: list[CertificateWithKey], tmp_path: Path) -> None:
    path = published_client() / "keystore.json"
    result = run_here("import", path, "--home", home)
    text = result.stdout.decode()
    assert result.returncode == 0
    assert "33 taken (8 of them defective), 0 already here, 0 not taken; 33 private keys skipped" in text
    assert "taken, defective: Organisation Certificate, xmlSign (87) of 00-DB-12-34-56-78-00-04" in text
    assert "[authority-key-identifier.missing]" in text
    assert not (home / "keys" / "imported").exists()
    again = run_here("import", path, "--home", home, "--keys", "--json")
    values = [json.loads(line) for line in again.stdout.splitlines()]
    assert Counter(value["outcome"] for value in values) == {"already here": 33}
    # A key that serves two certificates is one key.
    assert 30 <= len(list((home / "keys" / "imported").iterdir())) <= 33
    assert b"PRIVATE" not in result.stdout + again.stdout
    (tmp_path / "junk.pem").write_text("junk")
    assert run_here("import", tmp_path / "junk.pem", "--home", home).returncode == 1
    standard = run_cli("import", "-", "--home", home, stdin=pairs[0].certificate.as_pem().encode())
    assert standard.stdout.startswith(b"standard input: taken: Organisation Certificate")


def test_they_are_found_and_marked(home: Path) -> None:
    run_here("import", published_client() / "keystore.json", "--home", home)
    text = run_here("search", "4FBC525201A1D7586C1BC1C4734DEB9F", "--home", home).stdout.decode()
    assert "not issued here" in text
    for what in (
        "Z1-supplier-ds",
        "GITTESTSUPPLIER",
        "90-B3-D5-1F-30-01-00-00",
        "105986833131214866166891566273223584671",
    ):
        found = [json.loads(line) for line in run_here("search", what, "--home", home, "--json").stdout.splitlines()]
        assert "4FBC525201A1D7586C1BC1C4734DEB9F" in {each["serialNumber"] for each in found}, what
        assert all(each["issuedHere"] is False for each in found)
    listed = [json.loads(line) for line in run_here("list", "--imported", "--home", home, "--json").stdout.splitlines()]
    assert len(listed) == 33
    ours = [json.loads(line) for line in run_here("list", "--home", home, "--json").stdout.splitlines()]
    assert all(each["issuedHere"] for each in ours)
    shown = run_here("show", "4FBC525201A1D7586C1BC1C4734DEB9F", "--home", home)
    assert b"not issued here, expired (E) by its dates" in shown.stdout
    values = json.loads(run_here("show", "4FBC525201A1D7586C1BC1C4734DEB9F", "--home", home, "--json").stdout)
    assert (values["issuedHere"], values["status"]) == (False, "E")


def retrieve(url: str, serial: str) -> Any:
    body = f"<CertificateDataRequest><CertificateSerial>{serial}</CertificateSerial></CertificateDataRequest>"
    return ask(f"{url}/services/retrievecertificate", body.encode(), headers={"Content-Type": "application/xml"})


@pytest.fixture
def served_imports(home: Path) -> Iterator[tuple[str, Path]]:
    run_here("import", published_client() / "keystore.json", "--home", home)
    with serving(home) as served:
        yield served.url, home


def test_the_repository_serves_them(served_imports: tuple[str, Path]) -> None:
    url, home = served_imports
    answer = retrieve(url, "173CFBF08C3464D8C0E61E331D73D6A0")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert answer.status == 200
    assert headers["x-smki-issued-here"] == "false"
    assert b"<CertificateStatus>I</CertificateStatus>" in answer.body
    assert b"<CertificateRole>127</CertificateRole>" in answer.body
    with Smki.open(home) as smki:
        ours = next(smki.ledger.certificates(CertificateQuery(kinds=None), after=4))
    assert "x-smki-issued-here" not in {name.lower() for name in retrieve(url, ours.serial_number.hex).headers}
    body = b"<CertificateSearchRequest><CertificateSubjectName>90-B3-D5-1F-30-01-00-09</CertificateSubjectName></CertificateSearchRequest>"
    found = ask(f"{url}/services/certificatesearch", body, headers={"Content-Type": "application/xml"})
    assert found.status == 200
    assert found.body.count(b"<Result>") == 2
    for serial, issued_here in (("173CFBF08C3464D8C0E61E331D73D6A0", False), (ours.serial_number.hex, True)):
        told = ask(f"{url}/api/v1/certificates/{serial}")
        assert told.status == 200
        assert json.loads(told.body)["issuedHere"] is issued_here
    encoded = ask(f"{url}/api/v1/certificates/173CFBF08C3464D8C0E61E331D73D6A0.der").body
    assert Certificate.from_der(encoded).serial_number.hex == "173CFBF08C3464D8C0E61E331D73D6A0"
    # What is done with certificates is done with ours alone.
    assert ask(f"{url}/api/v1/certificates/173CFBF08C3464D8C0E61E331D73D6A0/chain").status == 404


def test_encrypted_private_keys(smki: Smki, pairs: list[CertificateWithKey], tmp_path: Path) -> None:
    held = pairs[0]
    assert held.key is not None
    tmp_path = folder_in(tmp_path)
    (tmp_path / "a.pem").write_text(held.certificate.as_pem())
    (tmp_path / "a.key").write_bytes(key_to_pem(held.key, b"secret"))
    importer = smki.importer()
    outcomes = list(importer.take(find_certificates(tmp_path)))
    assert [problem.code for outcome in outcomes for problem in outcome.problems] == ["key.unreadable"]
    assert importer.keys == {}
    list(importer.take(find_certificates(tmp_path, b"secret")))
    assert len(importer.keys) == 1


def test_a_certificate_is_not_lost_when_the_reading_breaks_off(smki: Smki, pairs: list[CertificateWithKey]) -> None:
    def broken() -> Iterator[Found]:
        yield Found("a", "a", pairs[0].certificate.der)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(smki.importer().take(broken()))
    (kept,) = smki.ledger.imports.certificates(CertificateQuery())
    assert kept.record.certificate == pairs[0].certificate


@pytest.mark.parametrize("count", [1, 500, 501, 1203])
def test_nothing_is_told_as_taken_before_it_is_stored(
    smki: Smki, pairs: list[CertificateWithKey], monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """At each outcome, all that was told as taken until then is in the ledger."""
    stored: dict[bytes, NewImport] = {}
    importer = smki.importer()
    monkeypatch.setattr(importer, "_store", lambda batch: stored.update({new.certificate.sha256: new for new in batch}))
    monkeypatch.setattr(importer, "_is_here", lambda it: it.sha256 in importer._waiting or it.sha256 in stored)
    certificates = [variant(pairs[0].certificate.der, number) for number in range(count)]
    found: list[FoundObject] = []
    for number, encoded in enumerate(certificates):
        found += [Found(f"{number}", "", encoded), Unreadable(f"{number} again", ()), Found(f"{number}", "", encoded)]
    told = []
    for outcome in importer.take(found):
        told.append(outcome.source)
        assert outcome.certificate is None or outcome.certificate.sha256 in stored
    assert told == [each.source for each in found if not isinstance(each, FoundKey)]
    assert [new.certificate.der for new in stored.values()] == certificates


def variant(encoded: bytes, number: int) -> bytes:
    """The certificate with another signature, so that it is another certificate."""
    return encoded[:-2] + number.to_bytes(2, "big")


def test_of_a_batch_that_is_lost_nothing_was_told(
    smki: Smki, pairs: list[CertificateWithKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a full disk: before, up to 499 certificates were told as taken and then lost."""
    importer, batches = smki.importer(), 0

    def full(batch: tuple[NewImport, ...]) -> None:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise LedgerUnavailable(Problem(code="ledger.unavailable", subject="ledger", seen="disk is full"))

    monkeypatch.setattr(importer, "_store", full)
    monkeypatch.setattr(importer, "_is_here", lambda _: False)
    found = (Found("", "", variant(pairs[0].certificate.der, number)) for number in range(700))
    told = []
    with pytest.raises(LedgerUnavailable):
        for outcome in importer.take(found):
            told.append(outcome.status)
    assert told == [ImportStatus.IMPORTED] * 500
    assert batches == 2  # it is not tried again on the way out


def test_what_was_told_as_taken_is_kept_when_nobody_listens_any_more(
    home: Path, pairs: list[CertificateWithKey], tmp_path: Path
) -> None:
    """As with ``smki import … | head``."""
    write_folder(tmp_path / "folder", pairs)
    reading, writing = os.pipe()
    os.close(reading)
    smki = Path(sys.executable).with_name("smki")
    subprocess.run([smki, "import", tmp_path / "folder", "--home", home], stdout=writing, check=False, timeout=60)
    os.close(writing)
    with Smki.open(home) as opened:
        assert opened.ledger.imports.count() == len(pairs)  # one batch


@pytest.mark.parametrize(
    "option",
    [("--sort", "serialNumber"), ("--descending",), ("--device-type", "ESME"), ("--issued-from", "2026-01-01")],
)
def test_what_is_not_known_of_imports_is_not_passed_over(home: Path, option: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError, match="cannot be used with --imported"):
        run_here("list", "--imported", *option, "--home", home)
