"""Archives that expand to far more than they are: refused within bounds of bytes, ratio and time, with the entry named."""

from __future__ import annotations

import io
import random
import struct
import time
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki.bounds import FREE_EXPANSION_BYTES, MAX_ENTRY_BYTES, MAX_EXPANSION_RATIO
from smki.interchange import CertificateWithKey, zip_input
from smki.interchange.importing import Found, Unreadable, find_certificates
from smki.interchange.importing.sources import find_in
from smki.ledger.sqlite import packing
from smki.problem import Problem


def problems_in(path: Path) -> list[Problem]:
    return [problem for each in find_certificates(path) if isinstance(each, Unreadable) for problem in each.problems]


def archive_of(path: Path, *entries: tuple[str, bytes, int]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content, method in entries:
            archive.writestr(name, content, method)
    return path


def bomb(path: Path, entries: int, content: bytes) -> Path:
    """An archive with the same content again and again, deflated once."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = compressor.compress(content) + compressor.flush()
    common = struct.pack("<5H3I2H", 20, 0, 8, 0, 0x21, zlib.crc32(content), len(packed), len(content), 8, 0)
    with path.open("wb") as file:
        directory = b""
        for number in range(entries):
            name = f"{number:04d}.pem".encode()
            directory += b"PK\x01\x02\x14\x03" + common + struct.pack("<3H2I", 0, 0, 0, 0, file.tell()) + name
            file.write(b"PK\x03\x04" + common + name + packed)
        start = file.tell()
        file.write(directory)
        file.write(b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, entries, entries, len(directory), start, 0))
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_stored_and_deflated_entries_are_read(
    pairs: list[CertificateWithKey], tmp_path: Path, method: int
) -> None:
    """The others expand without a limit: of bzip2, 3 kB took 4 GB."""
    text = pairs[0].certificate.as_pem().encode()
    path = archive_of(
        tmp_path / "a.zip", ("a.pem", text, method), ("b.pem", text, zipfile.ZIP_STORED), ("c.pem", text, 8)
    )
    assert sum(isinstance(each, Found) for each in find_certificates(path)) == 2
    (problem,) = problems_in(path)
    assert (problem.code, problem.subject) == ("archive.method", f"{path}, a.pem")
    assert problem.remedy


def test_a_bomb_of_three_megabytes_is_refused_in_seconds(tmp_path: Path) -> None:
    """Its 190 entries expand to 3 GB; reading them took more than a minute."""
    path = bomb(tmp_path / "bomb.zip", 190, b"M\n" * (MAX_ENTRY_BYTES // 2))
    assert path.stat().st_size > 2_500_000
    begun = time.process_time()
    found = problems_in(path)
    assert time.process_time() - begun < 10
    assert {problem.code for problem in found} == {"archive.expansion"}
    assert {problem.subject for problem in found} <= {f"{path}, {number:04d}.pem" for number in range(190)}
    assert f"{path}, 0000.pem" in {problem.subject for problem in found}


def test_entries_within_the_ratio_are_bounded_in_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(zip_input, "MAX_EXPANDED_BYTES", 3_500_000)
    path = bomb(tmp_path / "many.zip", 10, random.Random(1).randbytes(1000) * 1000)
    found = problems_in(path)
    assert (found[-1].code, found[-1].subject) == ("archive.expansion", f"{path}, 0003.pem")
    assert "3500000 bytes in all" in found[-1].seen
    assert not any("0004.pem" in problem.subject for problem in found)


def test_reading_an_archive_is_bounded_in_time(
    pairs: list[CertificateWithKey], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(time, "thread_time", lambda: float(next(clock)))
    monkeypatch.setattr(zip_input, "MAX_ARCHIVE_SECONDS", 8.0)  # one for expanding an entry, two for searching it
    text = pairs[0].certificate.as_pem().encode()
    path = archive_of(tmp_path / "a.zip", *((f"{number}.pem", text, 8) for number in range(9)))
    found = list(find_certificates(path))
    assert Counter(type(each) for each in found) == {Found: 3, Unreadable: 1}
    assert isinstance(found[-1], Unreadable)
    (problem,) = found[-1].problems
    assert (problem.code, problem.subject) == ("archive.expansion", f"{path}, 2.pem")
    assert "processor time" in problem.seen


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(1, 3 * FREE_EXPANSION_BYTES),
    period=st.sampled_from([1, 10, 1000, 20_000]),
    number=st.integers(1, 4),
)
def test_no_more_is_expanded_than_the_ratio_allows(size: int, period: int, number: int) -> None:
    """Whatever the archive: found, or refused by name, and never more bytes than it may have."""
    content = (random.Random(period).randbytes(period) * (size // period + 1))[:size]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in range(number):
            archive.writestr(f"{each}.der", content)
        packed = archive.infolist()[0].compress_size
    file.seek(0)
    found = list(find_in(file, "archive.zip"))
    refused = [each for each in found if isinstance(each, Unreadable)]
    is_allowed = size <= max(FREE_EXPANSION_BYTES, MAX_EXPANSION_RATIO * packed)
    if is_allowed and size * number <= FREE_EXPANSION_BYTES:
        assert "archive.expansion" not in {problem.code for each in refused for problem in each.problems}
    if not is_allowed:
        assert refused[0].problems[0].code == "archive.expansion"
        assert not any(isinstance(each, Found) for each in found)


def test_a_packed_request_of_an_altered_ledger_does_not_expand_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MAX_INPUT_BYTES", 10_000)
    assert len(packing.unpack(packing.pack(bytes(1_000_000)))) <= 10_000
    assert packing.unpack(packing.pack(b"request" * 100)) == b"request" * 100
