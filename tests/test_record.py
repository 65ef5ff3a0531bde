"""The record: checkpoints are made and verified, the record is exported, and a stranger can check a proof."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smki import CertificateKind, Smki
from smki.authority.checkpoints import MAX_EVENTS, Checkpoint
from smki.authority.record import make_proof, verify_proof
from smki.clock import AdjustableClock
from smki.identity import SerialNumber
from smki.keys.signed_note import NotSigned
from smki.ledger import CertificateQuery, EventKind, NewEvent
from smki.pki.certificate import to_pem
from smki.problem import IntegrityError, Malformed, NotFound, NotReady
from smki.registration import Actor
from smki.registration.devices import SetThreshold
from smki.registration.officers import certificate_of
from tests.ledger.test_merkle import mth, sha256
from tests.older_ledger import WITHOUT_A_RECORD
from tests.support import DEVICE, DS, KA, run_here

ACTOR = Actor(interface="test")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("record") / "pki"
    with Smki.create(home, at=START):
        pass
    with Smki.open(home, AdjustableClock(START)) as smki:
        for usage in (DS, KA):
            smki.issue_device(smki.make_device_request(DEVICE, usage)[1])
        smki.checkpoints.make()
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "pki"))


def sql(home: Path, *statements: str) -> None:
    connection = sqlite3.connect(home / "ledger.sqlite", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def run(home: Path, *words: str | Path) -> Any:
    return run_here("audit", *words, "--home", home)


def sizes(home: Path) -> list[int]:
    return [int(path.stem) for path in sorted((home / "checkpoints").glob("*.checkpoint"))]


def key(home: Path) -> str:
    return (home / "checkpoints" / "key.txt").read_text().strip()


def verdict(result: Any) -> list[str]:
    return [problem["code"] for problem in json.loads(result.stdout)["problems"]]


def test_a_checkpoint_as_a_stranger_reads_it(home: Path) -> None:
    """Only with what C2SP says, the entries of an export, and cryptography's Ed25519."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    note = run(home, "checkpoint").stdout.decode()
    text, _, signature_line = note.rpartition("\n\n")
    origin, size, root = text.split("\n")
    dash, name, encoded = signature_line.rstrip("\n").split(" ")
    verifier_name, key_id, encoded_key = key(home).split("+", 2)
    public = base64.b64decode(encoded_key)
    assert (dash, name, origin) == ("\u2014", verifier_name, verifier_name)
    assert hashlib.sha256(f"{name}\n".encode() + public).digest()[:4].hex() == key_id
    assert base64.b64decode(encoded)[:4].hex() == key_id
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(base64.b64decode(encoded)[4:], f"{text}\n".encode())
    assert run(home, "export", home / "e.jsonl").returncode == 0
    lines = [json.loads(line) for line in (home / "e.jsonl").read_text().splitlines()]
    entries = [line["entry"].encode() for line in lines if "entry" in line]
    assert int(size) == len(entries) == 16
    assert base64.b64decode(root) == mth(entries)


def test_a_proof_as_a_stranger_reads_it(home: Path) -> None:
    with Smki.open(home) as smki:
        record = list(smki.ledger.certificates(CertificateQuery()))[-1]
    proof = run(home, "prove", record.serial_number.hex).stdout.decode()
    head, _, note = proof.partition("\n\n")
    header, extra_line, index_line, *path_lines = head.split("\n")
    assert header == "c2sp.org/tlog-proof@v1"
    extra = json.loads(base64.b64decode(extra_line.split(" ")[1]))

    def climb(leaf: str, index: int, size: int, path: list[bytes]) -> bytes:
        """RFC 9162 2.1.3.2, word by word."""
        fn, sn, r = index, size - 1, sha256(b"\x00" + leaf.encode())
        for p in path:
            assert sn
            if fn % 2 or fn == sn:
                r = sha256(b"\x01" + p + r)
                if not fn % 2:
                    while fn % 2 == 0 and fn:
                        fn, sn = fn >> 1, sn >> 1
            else:
                r = sha256(b"\x01" + r + p)
            fn, sn = fn >> 1, sn >> 1
        assert sn == 0
        return r

    entry, row = json.loads(extra["entry"]), json.loads(extra["row"])
    assert row["row"]["der"] == "sha256:" + hashlib.sha256(record.der).hexdigest()
    row_path = [bytes.fromhex(each) for each in extra["rowPath"]]
    assert climb(extra["row"], extra["rowIndex"], entry["rows"], row_path).hex() == entry["rowsRoot"]
    size, root = note.split("\n")[1:3]
    path = [base64.b64decode(line) for line in path_lines]
    assert climb(extra["entry"], int(index_line.split(" ")[1]), int(size), path) == base64.b64decode(root)


def test_a_proof_holds_for_its_certificate_alone(home: Path, tmp_path: Path) -> None:
    with Smki.open(home) as smki:
        *_, other, record = smki.ledger.certificates(CertificateQuery())
    for name, each in (("other", other), ("mine", record)):
        (tmp_path / name).write_text(to_pem("CERTIFICATE", each.der))
    (tmp_path / "proof").write_bytes(run(home, "prove", record.serial_number.hex).stdout)
    line = ("audit", "check-proof", tmp_path / "mine", tmp_path / "proof", "--key")
    assert b"recorded as event 16" in run_here(*line, key(home)).stdout
    with pytest.raises(Malformed, match="not the certificate in the row"):
        run_here("audit", "check-proof", tmp_path / "other", tmp_path / "proof", "--key", key(home))
    with Smki.create(tmp_path / "another"):
        pass
    with pytest.raises(NotSigned):
        run_here(*line, key(tmp_path / "another"))
    text = (tmp_path / "proof").read_text()
    for at in range(0, len(text), 37):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        (tmp_path / "proof").write_text(changed)
        with pytest.raises(Malformed):
            run_here(*line, key(home))


def test_every_certificate_can_be_proved(home: Path) -> None:
    with Smki.open(home) as smki:
        latest, verifier = smki.checkpoints.make(), smki.checkpoints.verifier()
        for record in smki.ledger.certificates(CertificateQuery()):
            proved = verify_proof(make_proof(smki.ledger, record.serial_number, latest), record.der, verifier)
            assert proved["event"]["certificate_id"] == record.id
    with pytest.raises(NotFound, match="not in the record"):
        run(home, "prove", "4DF56E92D528F83544EBA0547068CF8C")


def test_a_certificate_that_is_not_in_a_checkpoint_yet(home: Path) -> None:
    with Smki.open(home, AdjustableClock(START)) as smki:
        record = smki.issue_device(smki.make_device_request(DEVICE, DS)[1]).record
        latest = smki.checkpoints.latest()
        assert latest is not None
        with pytest.raises(NotReady) as raised:
            make_proof(smki.ledger, record.serial_number, latest)
        assert raised.value.problems[0].code == "proof.not-in-checkpoint"
    assert run(home, "prove", record.serial_number.hex).returncode == 0
    assert sizes(home)[-1] == 17


def test_checkpoints_are_made_by_default(home: Path) -> None:
    """With every list, at the first event of another day, and after a number of events."""
    assert sizes(home) == [13, 14, 16]  # two lists of the beginning, and the one that the fixture asked for
    clock = AdjustableClock(START)
    with Smki.open(home, clock) as smki:

        def change(number: int) -> None:
            smki.registration.execute(SetThreshold(DEVICE, number), ACTOR)

        change(101)
        assert sizes(home)[-1] == 16
        smki.lists(CertificateKind.ISSUING_OCA).publish()
        assert sizes(home)[-1] == 18
        change(102)
        clock.set(START + timedelta(days=1))
        change(103)
        assert sizes(home)[-1] == 20
        change(104)
        assert sizes(home)[-1] == 20
        for number in range(200, 200 + MAX_EVENTS):
            change(number)
        assert sizes(home) == [13, 14, 16, 18, 20, 20 + MAX_EVENTS]
        assert smki.check().problems == ()
    assert verdict(run(home, "verify", "--json")) == []


def test_a_checkpoint_that_cannot_be_made_does_not_fail_a_command(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    (home / "keys" / "record.key").write_text("nothing")
    with Smki.open(home, AdjustableClock(START)) as smki:
        smki.lists(CertificateKind.ISSUING_OCA).publish()
    assert "no checkpoint of the record could be made" in caplog.text
    assert sizes(home)[-1] == 16
    with pytest.raises(IntegrityError):
        run(home, "checkpoint")


def test_another_key_signs_nothing(home: Path) -> None:
    """Checkpoints by a key that nobody knows could not be verified."""
    own = home / "keys" / "record.key"
    own.rename(home / "away")
    with pytest.raises(NotFound, match="no such file"):
        run(home, "checkpoint")
    assert not own.exists()
    with Smki.create(home.with_name("other")):
        pass
    shutil.copyfile(home.with_name("other") / "keys" / "record.key", own)
    with pytest.raises(IntegrityError) as raised:
        run(home, "checkpoint")
    assert raised.value.problems[0].code == "checkpoint.key"
    assert sizes(home) == [13, 14, 16]


def test_the_end_of_the_ledger_cut_off(home: Path, tmp_path: Path) -> None:
    """With everything that belongs to it: the ledger alone does not show it, a checkpoint does."""
    shutil.copyfile(home / "checkpoints" / "000000000016.checkpoint", tmp_path / "kept")
    older = tmp_path / "older"
    shutil.copytree(home, older)
    with Smki.open(home, AdjustableClock(START)) as smki:
        smki.registration.execute(SetThreshold(DEVICE, 107), ACTOR)
        smki.checkpoints.make()
    shutil.copyfile(older / "ledger.sqlite", home / "ledger.sqlite")
    assert verdict(run(home, "verify", "--json")) == ["checkpoint.inconsistent"]
    assert run_here("check", "--home", home).returncode == 1
    with Smki.open(home) as smki, pytest.raises(IntegrityError):
        smki.checkpoints.make()
    (home / "checkpoints" / "000000000017.checkpoint").unlink()
    assert verdict(run(home, "verify", "--json")) == []
    assert verdict(run(home, "verify", "--json", "--since", tmp_path / "kept")) == []


def test_a_rewritten_ledger_against_a_kept_checkpoint(home: Path, tmp_path: Path) -> None:
    """An attacker with the whole disk makes everything fit again; the copy that somebody kept does not."""
    kept = shutil.copyfile(home / "checkpoints" / "000000000016.checkpoint", tmp_path / "kept")
    own_key = key(home)
    sql(
        home,
        "UPDATE audit_event SET detail = 'forged' WHERE id = 1",
        "DELETE FROM audit_event WHERE event = 'migrated'",
        *WITHOUT_A_RECORD,
    )
    shutil.rmtree(home / "checkpoints")
    assert run(home, "checkpoint").returncode == 0
    assert key(home) == own_key
    assert verdict(run(home, "verify", "--json")) == []
    result = run(home, "verify", "--json", "--since", kept)
    assert (result.returncode, verdict(result)) == (1, ["checkpoint.inconsistent"])
    # And with another key: the kept one shows it.
    (home / "keys" / "record.key").unlink()
    shutil.rmtree(home / "checkpoints")
    run(home, "checkpoint")
    assert verdict(run(home, "verify", "--json")) == []
    assert "note.signature" in verdict(run(home, "verify", "--json", "--key", own_key))


@pytest.mark.parametrize(
    ("find", "replacement", "code"),
    [
        ("\n16\n", "\n15\n", "note.signature"),
        ("\n16\n", "\n016\n", "note.signature"),
        ("smki.invalid", "smki.example", "note.signature"),
        ("\u2014", "-", "note.malformed"),
    ],
)
def test_a_changed_checkpoint(home: Path, find: str, replacement: str, code: str) -> None:
    file = home / "checkpoints" / "000000000016.checkpoint"
    file.write_text(file.read_text().replace(find, replacement))
    assert verdict(run(home, "verify", "--json")) == [code]


ROOT = "A" * 43 + "="
SIGNED = "\n\u2014 a AAAAAAAA\n"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\n", "not origin, size and root"),
        ("a\n1\n", "size '1', a root of 0 bytes"),
        (f"a 1 {ROOT}\n", "not origin, size and root"),
        (f"a\n1\n!{ROOT}\n", "not origin, size and root"),
        (f"\n1\n{ROOT}\n", "size '1', a root of 32 bytes"),
        (f"a\n01\n{ROOT}\n", "size '01', a root of 32 bytes"),
        (f"a\n\u00b2\n{ROOT}\n", "size '\u00b2', a root of 32 bytes"),
        (f"a\n{'9' * 19}\n{ROOT}\n", f"size '{'9' * 19}', a root of 32 bytes"),
        (f"a\n{'x' * 30}\n{ROOT}\n", f"size '{'x' * 20}', a root of 32 bytes"),
        ("a\nx\nAAAA\n", "size 'x', a root of 3 bytes"),
        ("a\n1\nAAAA\n", "size '1', a root of 3 bytes"),
        (f"a\n1\n{ROOT}\n\nextension\n", "size '1', a root of 32 bytes"),
    ],
)
def test_what_is_no_checkpoint(text: str, seen: str) -> None:
    with pytest.raises(Malformed) as caught:
        Checkpoint.parse(text + SIGNED, None)
    assert caught.value.problems[0].seen == seen


def test_the_largest_checkpoint_and_one_with_an_extension() -> None:
    largest = Checkpoint.parse(f"a\n{'9' * 18}\n{ROOT}\nextension\n{SIGNED}", None)
    assert (largest.origin, largest.size, largest.root) == ("a", 10**18 - 1, bytes(32))


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz"])
def test_an_export_is_verified_without_the_home(home: Path, tmp_path: Path, name: str) -> None:
    assert run(home, "export", tmp_path / name).returncode == 0
    kept = shutil.copyfile(home / "checkpoints" / "000000000013.checkpoint", tmp_path / "kept")
    own_key = key(home)
    shutil.rmtree(home)
    line = ("audit", "verify", "--json", "--export", tmp_path / name, "--since", kept, "--key", own_key)
    result = run_here(*line)
    assert (result.returncode, verdict(result)) == (0, [])
    opened = gzip.open if name.endswith("gz") else open
    with opened(tmp_path / name, "rt") as file:
        lines = file.read().splitlines()
    for number in range(1, len(lines)):
        changed = [json.loads(each) for each in lines]
        for field in ("entry", "row"):
            if field in changed[number]:
                changed[number][field] = changed[number][field].replace("1", "2", 1)
        if "checkpoint" in changed[number]:
            changed[number]["checkpoint"] = changed[number]["checkpoint"].replace("\n1", "\n2", 1)
        if changed[number] == json.loads(lines[number]):
            continue
        for tampered in (changed, [each for at, each in enumerate(changed) if at != number]):
            if "checkpoint" in changed[number] and len(tampered) < len(lines):
                continue  # one checkpoint less is still true
            with opened(tmp_path / name, "wt") as file:
                file.write("\n".join(map(json.dumps, tampered)) + "\n")
            with contextlib.suppress(Malformed):
                assert verdict(run_here(*line)), number


def test_a_row_that_is_in_no_event_of_an_export(home: Path, tmp_path: Path) -> None:
    run(home, "export", tmp_path / "e.jsonl")
    lines = (tmp_path / "e.jsonl").read_text().splitlines()
    (tmp_path / "e.jsonl").write_text("\n".join([*lines, lines[-1]]) + "\n")
    assert verdict(run_here("audit", "verify", "--json", "--export", tmp_path / "e.jsonl")) == ["record.row-added"]
    for text in ("", "[]\n", '{"format": "other"}\n', "[" * 100_000):
        (tmp_path / "e.jsonl").write_text(text)
        with pytest.raises(Malformed) as raised:
            run_here("audit", "verify", "--export", tmp_path / "e.jsonl")
        assert raised.value.problems[0].code == "record.export"


def test_a_home_of_version_0_1_is_covered_and_its_certificates_can_be_proved(tmp_path: Path) -> None:
    import tarfile

    from smki.authority.record import make_proof, verify_proof
    from tests.test_home_of_0_1 import ARCHIVE

    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    with Smki.open(tmp_path / "home-0.1") as smki:
        (migrated,) = [event for event in smki.ledger.events() if event.kind is EventKind.MIGRATED]
        assert migrated.id == smki.ledger.record.size()
        checkpoint, verifier = smki.checkpoints.make(), smki.checkpoints.verifier()
        for record in smki.ledger.certificates(CertificateQuery()):
            proved = verify_proof(make_proof(smki.ledger, record.serial_number, checkpoint), record.der, verifier)
            assert proved["event"]["event"] == "migrated"
        assert smki.check().problems == ()


def test_seeded_homes_have_the_same_record() -> None:
    notes = []
    for _ in range(2):
        with Smki.in_memory(seed="record") as smki:
            assert not (smki.path / "checkpoints").exists()  # not by itself
            notes.append(smki.checkpoints.make().note)
    assert notes[0] == notes[1]


def test_an_event_that_nobody_wrote(home: Path) -> None:
    """Appended with its leaf by somebody who knows how: the record says so, too, and a checkpoint fixes it."""
    with Smki.open(home, AdjustableClock(START)) as smki:
        event = NewEvent(at=START, kind=EventKind.CHANGED, detail="by hand")
        number = smki.ledger.transact(lambda transaction: transaction.append_event(event))
        assert smki.ledger.record.event(number).rows == ()
        assert certificate_of(smki.ledger, SerialNumber.parse(smki.authorities()[0].serial_number.hex))
        assert smki.check().problems == ()
