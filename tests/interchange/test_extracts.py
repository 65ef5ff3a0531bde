"""Extracts: full and deltas make the next full, byte for byte; broken off, they go on; altered, that is found out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smki import Certificate, CertificateStatus, RemotePartyRole, Smki, SmkiError
from smki.interchange.extracts import Extract, Extracts, ExtractType, apply, read_extract, verify
from smki.interchange.extracts.journal import Journal
from smki.interchange.extracts.manifest import Contents
from smki.ledger import CertificateQuery, CertificateRecord
from smki.problem import IntegrityError, Malformed, NotFound, NotReady
from tests.commands import accept, reject, revoke
from tests.support import DEVICE, DS, KA, PROJECT, SUPPLIER, run_cli, run_here

START = datetime(2026, 1, 1, tzinfo=UTC)


class MovableClock:
    """A clock that a test moves, from when on the DCC's own certificates are in use."""

    def __init__(self) -> None:
        self.moment = START + timedelta(days=3)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture(scope="session")
def waiting_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which Organisation Certificates wait two days for their acceptance."""
    path = tmp_path_factory.mktemp("waiting") / "pki"
    Smki.create(path, at=START, deemed_accepted_after=timedelta(days=2)).close()
    return path


@contextlib.contextmanager
def opened(made: Path) -> Iterator[tuple[Smki, MovableClock]]:
    """A copy of a home, open, with a clock to move."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(made, Path(directory) / "pki")
        clock = MovableClock()
        with Smki.open(Path(directory) / "pki", clock) as smki:
            yield smki, clock


def supplier(smki: Smki) -> CertificateRecord:
    _, request = smki.make_organisation_request(SUPPLIER, RemotePartyRole.SUPPLIER, DS)
    return smki.issue_organisation(request).record


def device(smki: Smki) -> CertificateRecord:
    _, request = smki.make_device_request(DEVICE, KA)
    return smki.issue_device(request).record


def happen(smki: Smki, clock: MovableClock, what: str) -> None:
    """One step of a history; what is refused does not happen."""
    organisations = list(smki.ledger.certificates(CertificateQuery(entity_identifier=SUPPLIER)))
    latest = organisations[-1].serial_number if organisations else None
    with contextlib.suppress(SmkiError):
        match what:
            case "supplier":
                supplier(smki)
            case "device":
                device(smki)
            case "accept" if latest:
                accept(smki, latest)
            case "reject" if latest:
                reject(smki, latest, "")
            case "revoke" if latest:
                revoke(smki, latest, "key-lost")
            case "full":
                smki.extracts.full()
            case "delta":
                smki.extracts.delta()
            case "hours":
                clock.moment += timedelta(hours=5)
            case "days":
                clock.moment += timedelta(days=3)
            case "years":
                clock.moment += timedelta(days=11 * 366)
            case "back":
                clock.moment -= timedelta(days=1)


STEPS = ["supplier", "device", "accept", "reject", "revoke", "full", "delta", "hours", "days", "years", "back"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=st.lists(st.sampled_from(STEPS), max_size=14))
def test_full_and_deltas_make_the_next_full(waiting_home: Path, history: list[str]) -> None:
    with opened(waiting_home) as (smki, clock):
        first = smki.extracts.full()
        for what in history:
            happen(smki, clock, what)
        smki.extracts.delta()
        chain = smki.extracts.chain()
        assert verify(chain) == []
        applied = apply(chain, smki.path / "applied.jsonl")
        again = smki.extracts.full()
        assert applied.path.read_bytes() == again.path.read_bytes()
        assert applied.contents == again.contents == chain[-1].result
        # And so does the first of them with everything that came after it, where nobody made a full one in between.
        if "full" not in history:
            assert chain[0].number == first.number


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=st.lists(st.sampled_from(STEPS[:5] + STEPS[7:]), max_size=10))
def test_an_extract_says_what_the_ledger_says(waiting_home: Path, history: list[str]) -> None:
    with opened(waiting_home) as (smki, clock):
        for what in history:
            happen(smki, clock, what)
        lines = [json.loads(line) for line in smki.extracts.full().path.read_bytes().splitlines()]
        records = list(smki.ledger.certificates(CertificateQuery()))
        assert [line["number"] for line in lines] == [record.id for record in records]
        for line, record in zip(lines, records, strict=True):
            assert b64decode(line["certificate"]) == record.der
            assert line["status"] == record.status_at(clock.now()).value
            assert Certificate.from_der(record.der).serial_number.hex == line["serialNumber"]


def statuses(extract: Extract) -> list[tuple[str, str | None, str, str]]:
    return [
        (line["change"], line.get("was"), line["status"], line["statusSince"])
        for line in map(json.loads, extract.path.read_bytes().splitlines())
    ]


def test_a_delta_tells_what_was_added_and_what_changed_status(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, clock):
        smki.extracts.full()
        first = supplier(smki)
        delta = smki.extracts.delta()
        assert (delta.added, delta.changed) == (1, 0)
        assert statuses(delta) == [("added", None, "P", "2026-01-04T00:00:00Z")]
        clock.moment += timedelta(days=2)
        assert statuses(smki.extracts.delta()) == [("status", "P", "I", "2026-01-06T00:00:00Z")]
        clock.moment += timedelta(days=1)
        second = supplier(smki)
        accept(smki, second.serial_number)
        assert statuses(smki.extracts.delta()) == [
            ("status", "I", "N", "2026-01-07T00:00:00Z"),
            ("added", None, "I", "2026-01-07T00:00:00Z"),
        ]
        clock.moment += timedelta(days=1)
        revoke(smki, second.serial_number, "key-lost")
        assert statuses(smki.extracts.delta()) == [("status", "I", "R", "2026-01-08T00:00:00Z")]
        clock.moment = first.not_after + timedelta(seconds=1)
        # The DCC's own certificates have expired with it, and what is revoked stays revoked.
        changes = statuses(smki.extracts.delta())
        assert ("status", "N", "E", f"{first.not_after:%Y-%m-%dT%H:%M:%SZ}") in changes
        assert {(change, is_now) for change, _, is_now, _ in changes} == {("status", "E")}
        assert statuses(smki.extracts.delta()) == []


def test_what_happens_in_the_same_second_is_not_lost(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, _):
        record = supplier(smki)
        smki.extracts.full()
        accept(smki, record.serial_number)
        (change,) = statuses(smki.extracts.delta())
        assert change[:3] == ("status", "P", "I")


class _Broken(Exception):
    pass


def test_a_full_extract_goes_on_where_it_was(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, clock):
        for _ in range(10):
            device(smki)
            supplier(smki)
        extracts = Extracts(smki.path / "extracts", smki.ledger, clock, part_certificates=5)

        def break_off(done: int, total: int) -> None:
            if done >= 15:
                raise _Broken

        with pytest.raises(_Broken):
            extracts.full(break_off)
        assert extracts.all() == []
        # Meanwhile statuses change, also in parts that are written already, and certificates are added.
        clock.moment += timedelta(days=2)
        supplier(smki)
        parts = sorted((smki.path / "extracts" / ".making").glob("*.part"))
        assert len(parts) == 3
        # A Root's and an Issuing Authority's certificates: nothing in that part has changed.
        untouched = parts[0].stat().st_mtime_ns
        seen: list[int] = []
        with pytest.raises(_Broken):
            extracts.full(lambda done, total: seen.append(done) if done < 25 else break_off(done, total))
        assert parts[0].stat().st_mtime_ns == untouched
        parts[1].write_bytes(b"x" * parts[1].stat().st_size)
        resumed = extracts.full()
        assert not (smki.path / "extracts" / ".making").exists()
        afresh = Extracts(smki.path / "afresh", smki.ledger, clock).full()
        assert resumed.path.read_bytes() == afresh.path.read_bytes()
        assert resumed.contents == afresh.contents
        assert verify([resumed]) == []


def test_a_full_extract_that_is_killed_goes_on(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, _):
        for _ in range(10):
            device(smki)
        script = f"""
import os
from smki import Smki
from smki.interchange.extracts import Extracts
with Smki.open({str(smki.path)!r}) as smki:
    def die(done, total):
        if done > 12:
            os.kill(os.getpid(), 9)
    Extracts(smki.path / "extracts", smki.ledger, smki.clock, part_certificates=4).full(die)
"""
        killed = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=False, timeout=60)
        assert killed.returncode == -9
        assert smki.extracts.all() == []
        assert len(list((smki.path / "extracts" / ".making").glob("*.part"))) >= 3
        assert verify([smki.extracts.full()]) == []
        assert [path.name for path in (smki.path / "extracts").glob(".making*")] == []


def test_a_journal_that_says_nonsense_is_not_believed(waiting_home: Path) -> None:
    for content in (
        "",
        "{}",
        '{"parts": 5}',
        '{"parts": [{"last": 99, "certificates": 99, "bytes": 1, "sha256": "", "state": ""}]}',
    ):
        with opened(waiting_home) as (smki, _):
            making = smki.path / "extracts" / ".making"
            making.mkdir(parents=True)
            (making / "journal.json").write_text(content)
            extract = smki.extracts.full()
            assert extract.contents.certificates == smki.ledger.count_certificates()
            assert verify([extract]) == []


def test_one_at_a_time(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, clock):
        other = Extracts(smki.path / "extracts", smki.ledger, clock)

        def try_another(done: int, total: int) -> None:
            with pytest.raises(NotReady) as caught:
                other.full()
            assert caught.value.code == "extract.under-way"

        smki.extracts.full(try_another)


def test_nothing_is_left_of_a_delta_that_was_broken_off(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, _):
        smki.extracts.full()
        device(smki)

        def break_off(done: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            smki.extracts.delta(break_off)
        assert len(smki.extracts.all()) == 1
        assert [path.name for path in smki.extracts.directory.iterdir() if "delta" in path.name] == []
        assert smki.extracts.delta().added == 1


def test_an_orphan_does_not_count_and_is_removed(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, _):
        smki.extracts.directory.mkdir()
        orphan = smki.extracts.directory / "000001-full-20200101T000000Z.jsonl"
        orphan.write_text("")
        assert smki.extracts.all() == []
        smki.extracts.full()
        assert not orphan.exists()


def test_a_delta_needs_a_full_extract(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, _):
        with pytest.raises(NotFound) as caught:
            smki.extracts.delta()
        assert caught.value.code == "extract.no-full"


def three(smki: Smki) -> list[Extract]:
    """A full extract and two deltas."""
    made = [smki.extracts.full()]
    for _ in range(2):
        device(smki)
        made.append(smki.extracts.delta())
    return made


def test_what_was_altered_is_found_out(waiting_home: Path, tmp_path: Path) -> None:
    with opened(waiting_home) as (smki, _):
        chain = three(smki)
        for extract in chain:
            content = extract.path.read_bytes()
            lines = content.splitlines(keepends=True)
            for altered in (
                content.replace(b'"status":"I"', b'"status":"N"', 1),
                content[:-1],
                content + b"\n",
                content + lines[-1],
                b"".join([*lines[:-1], b"x" * 100_000, b"\n"]),
                b"",
                b"\xff" + content,
            ):
                extract.path.write_bytes(altered)
                assert verify(chain)[0].code == "extract.altered"
                with pytest.raises(IntegrityError):
                    apply(chain, tmp_path / "out.jsonl")
                with pytest.raises(IntegrityError):
                    smki.extracts.delta()
                assert not list(tmp_path.iterdir())
            extract.path.write_bytes(content)
        assert verify(chain) == []


def test_a_chain_has_no_gap(waiting_home: Path, tmp_path: Path) -> None:
    with opened(waiting_home) as (smki, _):
        full, first, second = three(smki)
        for chain, code in (
            ([], "extract.no-full"),
            ([first, second], "extract.no-full"),
            ([full, second], "extract.gap"),
            ([full, second, first], "extract.gap"),
            ([full, first, first], "extract.gap"),
            ([full, full], "extract.gap"),
        ):
            with pytest.raises(Malformed) as caught:
                apply(chain, tmp_path / "out")
            assert caught.value.code == code


def test_a_delta_on_another_full_extract_is_found_out(waiting_home: Path, tmp_path: Path) -> None:
    with opened(waiting_home) as (smki, _):
        full, first, _ = three(smki)
        lines = full.path.read_bytes().splitlines(keepends=True)
        full.path.write_bytes(b"".join(lines[:-1]))
        # A full extract that is true in itself, but not the one that the delta was made after.
        content = full.path.read_bytes()
        contents = Contents(len(lines) - 1, len(content), hashlib.sha256(content).hexdigest())
        shorter = Extract(full.path, 1, ExtractType.FULL, None, full.moment, contents, 0, 0, contents)
        (problem,) = verify([shorter, first])
        assert problem.code == "extract.result"
        assert problem.subject == first.name


def test_extracts_of_another_ledger(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, _), opened(waiting_home) as (other, _):
        device(smki)
        smki.extracts.full()
        shutil.copytree(smki.extracts.directory, other.extracts.directory)
        with pytest.raises(IntegrityError) as caught:
            other.extracts.delta()
        assert caught.value.code == "extract.of-another-ledger"


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"file": "../x.jsonl"}, {"number": -1}, {"number": "1"}, {"number": True}, {"type": "weekly"},
        {"to": None}, {"to": "yesterday"}, {"from": 5}, {"sha256": "0"}, {"sha256": None}, {"certificates": 1.5},
        {"result": {}}, {"result": []},
    ],
)  # fmt: skip
def test_a_manifest_that_says_nonsense(waiting_home: Path, change: dict[str, object]) -> None:
    with opened(waiting_home) as (smki, _):
        extract = smki.extracts.full()
        value = json.loads(extract.manifest_path.read_text())
        extract.manifest_path.write_text(json.dumps(value | change))
        with pytest.raises(IntegrityError) as caught:
            read_extract(extract.path)
        assert caught.value.code == "extract.manifest"


def test_no_private_key_is_in_an_extract(waiting_home: Path) -> None:
    with opened(waiting_home) as (smki, _):
        three(smki)
        for path in smki.extracts.directory.iterdir():
            assert b"PRIVATE" not in path.read_bytes()
            assert b"privateKey" not in path.read_bytes()


def test_statuses_agree_with_their_moments(waiting_home: Path) -> None:
    """At the moment since when it has a status it has that status; expiry alone counts from just after notAfter."""
    with opened(waiting_home) as (smki, clock):
        supplier(smki)
        clock.moment += timedelta(days=3)
        supplier(smki)
        for days in (0, 1, 2, 3, 5, 10, 11 * 366):
            moment = START + timedelta(days=days)
            for record in smki.ledger.certificates(CertificateQuery(entity_identifier=SUPPLIER)):
                status = record.status_at(moment)
                since = record.status_since_at(moment)
                later = timedelta(seconds=1 if status is CertificateStatus.EXPIRED else 0)
                if since <= moment:
                    assert record.status_at(since + later) is status


def test_the_commands(home: Path, tmp_path: Path) -> None:
    def run(*words: str | Path, status: int = 0) -> str:
        result = run_cli("extract", *words, "--home", home)
        assert result.returncode == status, result.stderr
        return result.stdout.decode() + result.stderr.decode()

    assert "extract.no-full" in run("delta", status=2)
    assert "000001-full-" in run("full")
    with Smki.open(home) as smki:
        device(smki)
    assert "1 added, 0 changed" in run("delta")
    listed = [json.loads(line) for line in run("list", "--json").splitlines()]
    assert [extract["type"] for extract in listed] == ["full", "delta"]
    assert run("list").count("\n") == 3
    run("apply", "--out", tmp_path / "new.jsonl")
    run("full")
    with Smki.open(home) as smki:
        made = smki.extracts.all()
    assert (tmp_path / "new.jsonl").read_bytes() == made[-1].path.read_bytes()
    # Outside of a home, from files that were fetched.
    names = [path for extract in made[:2] for path in (extract.path, extract.manifest_path)]
    for path in names:
        shutil.copy(path, tmp_path)
    fetched = [tmp_path / extract.path.name for extract in made[:2]]
    run("apply", *fetched, "--out", tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "new.jsonl").read_bytes()
    assert "no problems" in run("verify")
    assert "no problems" in run("verify", *fetched)
    fetched[0].write_bytes(b"")
    assert "extract.altered" in run("verify", *fetched, status=1)
    assert json.loads(run("verify", "--json"))["problems"] == []


def test_an_extract_is_not_applied_to_standard_output(home: Path) -> None:
    """Its manifest stands beside it: a file named - would be made, and not be noticed."""
    with pytest.raises(click.UsageError, match="name a file"):
        run_here("extract", "apply", "--out", "-", "--home", home)
    assert not Path("-").exists()


def test_a_journal_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Its size in bytes is called ``octets`` in the file, so that an interrupted extract is resumed."""
    part = {"last": 7, "certificates": 7, "octets": 4, "sha256": hashlib.sha256(b"part").hexdigest(), "state": "00"}
    (tmp_path / "journal.json").write_text(json.dumps({"parts": [part]}))
    (tmp_path / "000000.part").write_bytes(b"part")
    journal = Journal(tmp_path)
    assert journal.is_whole(0)
    journal.write_down(0, journal.parts[0])
    assert json.loads((tmp_path / "journal.json").read_text()) == {"parts": [part]}
