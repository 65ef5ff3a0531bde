"""The audit trail of searches is bounded: by entry, by file and day, and in days."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smki_repository.app import create_app

from smki import Smki
from smki.bounds import MAX_TRAIL_DAYS, MAX_TRAIL_LINE_BYTES
from smki.home import audit_trail
from smki.home.audit_trail import AuditTrail
from smki.problem import NotFound

MOMENT = datetime(2026, 2, 3, 12, tzinfo=UTC)


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_refused_input_is_not_kept(smki: Smki) -> None:
    """100 searches of 60 kB, from anybody, took 6 MB."""
    client = create_app(smki).test_client()
    for element in ("CertificateSubjectName", "CertificateRole", "Nonsense"):
        text = "&amp;\u00e9" * 8_000
        body = f"<CertificateSearchRequest><{element}>{text}</{element}></CertificateSearchRequest>"
        for _ in range(34):
            answer = client.post("/services/certificatesearch", data=body.encode())
            assert answer.status_code == 401
    trail = smki.path / "audit"
    content = b"".join(path.read_bytes() for path in trail.iterdir())
    assert len(content.splitlines()) == 102
    assert len(content) < 102 * 1500
    (line,) = {json.loads(line)["asked"].get("CertificateRole", "") for line in content.splitlines()} - {""}
    assert line.startswith("&\u00e9&\u00e9")
    assert line.endswith("… (16000 characters)")


@settings(max_examples=60, deadline=None)
@given(
    values=st.recursive(
        st.text() | st.integers() | st.text(min_size=200),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    repeat=st.sampled_from([1, 1000]),
)
def test_no_line_is_longer_than_it_may_be(
    tmp_path_factory: pytest.TempPathFactory, values: object, repeat: int
) -> None:
    directory = tmp_path_factory.mktemp("trail")
    trail = AuditTrail(directory)
    reference = trail.record(MOMENT, {"asked": [values] * repeat})
    trail.close()
    (file,) = directory.iterdir()
    assert file.stat().st_size <= MAX_TRAIL_LINE_BYTES
    assert trail.find(reference)["reference"] == reference


def test_a_day_is_continued_in_other_files_of_which_the_newest_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(audit_trail, "MAX_TRAIL_FILE_BYTES", 1000)
    monkeypatch.setattr(audit_trail, "MAX_TRAIL_FILES_A_DAY", 3)
    processes = [AuditTrail(tmp_path / "audit") for _ in range(3)]
    references = [processes[number % 3].record(MOMENT, {"number": number}) for number in range(100)]
    kept = files(tmp_path / "audit")
    assert len(kept) == 3
    assert all((tmp_path / "audit" / name).stat().st_size <= 1200 for name in kept)
    found = []
    for reference in references:
        try:
            found.append(processes[0].find(reference)["number"])
        except NotFound:
            found.append(None)
    last = found.index(next(number for number in found if number is not None))
    assert found[last:] == list(range(last, 100))
    assert 20 < 100 - last < 60
    for process in processes:
        process.close()


def test_the_days_written_to_last_are_kept_whatever_their_date(tmp_path: Path) -> None:
    """A clock that was set to 2040 for a moment expires nothing."""
    trail = AuditTrail(tmp_path / "audit")
    first = [trail.record(MOMENT + timedelta(days=day), {}) for day in range(MAX_TRAIL_DAYS)]
    for age, name in enumerate(reversed(files(tmp_path / "audit"))):
        os.utime(tmp_path / "audit" / name, (1e9 - age, 1e9 - age))
    ahead = trail.record(datetime(2040, 1, 1, tzinfo=UTC), {})
    assert len(files(tmp_path / "audit")) == MAX_TRAIL_DAYS
    with pytest.raises(NotFound):
        trail.find(first[0])
    later = trail.record(MOMENT + timedelta(days=MAX_TRAIL_DAYS), {})
    assert len(files(tmp_path / "audit")) == MAX_TRAIL_DAYS
    assert all(trail.find(reference) for reference in (*first[2:], ahead, later))
    trail.close()


def test_a_file_that_was_removed_is_begun_again(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path / "audit")
    trail.record(MOMENT, {})
    (tmp_path / "audit" / "2026-02-03.jsonl").unlink()
    assert trail.find(trail.record(MOMENT, {}))
    trail.close()


def test_other_files_and_links_are_left_alone(tmp_path: Path) -> None:
    directory = tmp_path / "audit"
    directory.mkdir()
    secret = tmp_path / "elsewhere"
    secret.write_text("")
    (directory / "2020-01-01.jsonl").symlink_to(secret)
    (directory / "notes.txt").write_text("")
    trail = AuditTrail(directory)
    trail.record(MOMENT, {})
    assert [path.name for path in trail.expired(days=0)] == ["2026-02-03.jsonl"]
    with pytest.raises(OSError, match="symbolic links"):
        trail.record(datetime(2020, 1, 1, tzinfo=UTC), {})
    assert secret.read_text() == ""
    trail.close()


def test_a_failure_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not for each of thousands of requests, on a disk that is full."""
    blocked = tmp_path / "audit"
    blocked.write_text("")
    trail = AuditTrail(blocked)
    for _ in range(2):
        for _ in range(20):
            with pytest.raises(OSError, match="File exists"):
                trail.record(MOMENT, {})
        blocked.unlink()
        assert trail.find(trail.record(MOMENT, {}))
        trail.close()
        (blocked / "2026-02-03.jsonl").unlink()
        blocked.rmdir()
        blocked.write_text("")
    assert len(caplog.records) == 2


def test_a_line_after_one_that_was_cut_short_is_found(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path / "audit")
    trail.record(MOMENT, {})
    trail.close()
    with (tmp_path / "audit" / "2026-02-03.jsonl").open("a") as file:
        file.write('{"reference": "17')
    assert trail.find(trail.record(MOMENT, {}))
    trail.close()
