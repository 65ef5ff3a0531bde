"""smki issue devices and wrong usage, hostile archives, folders and rows: what is said, and what is issued all the same."""

from __future__ import annotations

import base64
import json
import os
import stat
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smki.bounds import MAX_REQUEST_FILE_BYTES, MAX_ROW_BYTES
from smki.interchange.device_requests import DeviceRequest, UnreadableRequest, open_requests, sources
from smki.interchange.device_requests.contents import name_of_request
from smki.problem import Malformed, SmkiError
from tests.cli.device_inputs import device, folder_of, pem_of, request_of, zip_of
from tests.support import DEVICE, run_cli

EUI = device(0).hex

WRONG: dict[str, tuple[str, str]] = {
    "--out x": ("nothing is given", "name a FILE or DIR"),
    "in.zip": ("--out is required", "a folder, or a file that ends in .zip or .jsonl"),
    "in.zip --out -": ("--out is required", "a folder"),
    f"in.zip --from {EUI} --count 2 --out x": ("both are given", "or use --from and --count"),
    f"--from {EUI} --out x": ("--count is required with --from", ""),
    "in.zip --count 3 --out x": ("--count can only be used with --from", ""),
    "in.zip --usage ds --out x": ("--usage can only be used with --from", "rows have a column usage"),
    f"--from {EUI} --count 0 --out x": ("0 is not in the range 1<=x<=1000000", ""),
    f"--from {EUI} --count 1000001 --out x": ("1000001 is not in the range", ""),
    f"--from {EUI} --from {EUI} --count 1 --out x": ("--from is given 2 times", "Give it once."),
    f"--from {EUI} --count 1 --usage ds --usage ka --out x": ("--usage is given 2 times", "Write --usage ds,ka."),
    "in.zip --out x --out y": ("--out is given 2 times", "Give it once."),
    f"--from {EUI} --count 1 --usage ds,ds --out x": ("[key-usage.repeated]", "Name each usage once"),
    f"--from {EUI} --count 1 --usage cs --out x": ("[key-usage.unknown]", "Use ds or ka."),
    "--from FFFFFFFFFFFFFFFE --count 3 --out x": ("[entity-identifier.range]", "count fewer"),
    "--from 00DB --count 3 --out x": ("[entity-identifier.malformed]", "Write it like"),
    "in.zip --type METER --out x": ("[device-type.unknown]", ""),
    "nowhere.zip --out x": ("[file.missing]", "expected a readable file or folder"),
    "in.zip --out no/such/x": ("[file.missing]", "Create it first."),
    "in.zip --out in.zip": ("[output.complete]", "Choose another name with --out"),
    "in.zip --out text": ("[output.not-a-folder]", "Choose another name"),
    "folder --out folder": ("[output.inside-input]", "Choose another folder"),
    "folder --out folder/east/x": ("[output.inside-input]", "Choose another folder"),
    "folder --out folder/x.zip": ("[output.inside-input]", "Choose another folder"),
    "empty --out x": ("[directory.nothing]", "files ending in"),
    "empty.zip --out x": ("[archive.nothing]", "files ending in"),
    "broken.zip --out x": ("[archive.unreadable]", "Ask for a new copy"),
    "text --out x": ("[input.not-encoded]", "Check that it is the right file"),
    "none --out x": ("[input.empty]", ""),
    "header.csv --out x": ("[input.no-rows]", "each record in a line"),
    "columns.csv --out x": ("[column.unknown]", "Rename the column"),
    "twice.csv --out x": ("[column.repeated]", "Leave one of them out."),
    "quotes.csv --out x": ("[input.csv]", "CSV with a header"),
}
"""Words, part of the message, and of the remedy."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with inputs, to which nothing is written."""
    path = tmp_path_factory.mktemp("wrong")
    zip_of(path / "in.zip", 1)
    folder_of(path / "folder", 2)
    (path / "empty").mkdir()
    (path / "empty" / "notes.txt").write_text("x")
    with zipfile.ZipFile(path / "empty.zip", "w"):
        pass
    contents = {
        "broken.zip": b"PK\x03\x04 and nothing more", "text": b"please", "none": b"",
        "header.csv": b"request\n", "columns.csv": b"request,colour\na,red\n", "twice.csv": b"eui,eui\na,b\n",
        "quotes.csv": b'"request\na',
    }  # fmt: skip
    for name, content in contents.items():
        (path / name).write_bytes(content)
    return path


@pytest.mark.parametrize("words", WRONG)
def test_wrong_usage(made_home: Path, place: Path, words: str) -> None:
    before = sorted(place.rglob("*"))
    result = run_cli("issue", "devices", *words.split(), "--home", made_home, cwd=place)
    text = " ".join(result.stderr.decode().split())
    assert result.returncode == 2, text
    for part in WRONG[words]:
        assert part in text
    assert "Traceback" not in text
    assert result.stdout == b""
    assert sorted(place.rglob("*")) == before


ISSUE_WRONG = {
    f"device --eui {EUI} --eui {DEVICE.hex} --usage ds": ("--eui is given 2 times", "use smki issue devices"),
    f"device --eui {EUI} --usage ds --usage ka": ("--usage is given 2 times", "write --usage ds,ka"),
    "device --csr a --csr b": ("--csr is given 2 times", "use smki issue devices"),
    f"device --eui {EUI} --usage ds,ds": ("[key-usage.repeated]", "Name each usage once"),
    "device --csr a --usage ds,ka": ("--usage cannot be used with --csr", ""),
    f"organisation --eui {EUI} --role supplier --usage ds --usage ka": ("--usage is given 2 times", "Give it once."),
    f"organisation --eui {EUI} --role supplier --usage ds,ka": ("[key-usage.unknown]", "Use ds or ka."),
    f"organisation --eui {EUI} --role supplier --role other --usage ds": ("--role is given 2 times", "Give it once."),
}


@pytest.mark.parametrize("words", ISSUE_WRONG)
def test_nothing_that_is_given_is_dropped(made_home: Path, tmp_path: Path, words: str) -> None:
    result = run_cli("issue", *words.split(), "--home", made_home, cwd=tmp_path)
    text = " ".join(result.stderr.decode().split())
    assert result.returncode == 2, text
    for part in ISSUE_WRONG[words]:
        assert part in text
    assert list(tmp_path.iterdir()) == []


# --- hostile inputs, read without a home -----------------------------------------------------------------------------


def read(path: Path) -> tuple[list[str], dict[str, str]]:
    """The names of the requests that are read, and the codes of what is refused, by its name without that of the input."""
    names, codes = [], {}
    with open_requests(path) as requests:
        for item in requests.items:
            if isinstance(item, DeviceRequest):
                names.append(item.name)
            else:
                assert item.problems[0].subject.startswith(item.source)
                codes[item.source.removeprefix(f"{path}").lstrip("/, ")] = item.problems[0].code
    return names, codes


def archive_of(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def link_entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


ENTRIES: dict[str, tuple[str | zipfile.ZipInfo, bytes, str]] = {
    "absolute": ("/etc/x.csr", pem_of(0), "archive.entry-name"),
    "upwards": ("a/../../x.csr", pem_of(0), "archive.entry-name"),
    "a backslash": ("..\\x.csr", pem_of(0), "archive.entry-name"),
    "a link": (link_entry("x.csr"), b"/etc/passwd", "archive.link"),
    "too large": ("x.csr", os.urandom(MAX_REQUEST_FILE_BYTES + 1), "input.too-large"),
    "a bomb": ("x.csr", b"0" * 50_000_000, "input.too-large"),
    "empty": ("x.csr", b"", "input.empty"),
    "text": ("x.csr", b"please", "input.not-encoded"),
    "two requests": ("x.csr", pem_of(0) + pem_of(1), "input.several"),
    "a certificate": ("x.pem", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "request.is-other"),
}


@pytest.mark.parametrize("trick", ENTRIES)
def test_an_entry_that_is_refused_hides_no_other(tmp_path: Path, trick: str) -> None:
    entry, content, code = ENTRIES[trick]
    name = entry if isinstance(entry, str) else entry.filename
    path = archive_of(tmp_path / "a.zip", ("meter.csr", pem_of(5)), (entry, content), ("zz.csr", pem_of(6)))
    assert read(path) == (["meter", "zz"], {name.lstrip("/"): code})


def test_entries_of_one_name(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive_of(tmp_path / "a.zip", ("x.csr", pem_of(0)), ("x.csr", pem_of(1)), ("y.csr", pem_of(2)))
    assert read(path) == (["x", "y"], {"x.csr": "archive.duplicate"})


def test_an_encrypted_entry_and_an_unusual_method(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.zip", ("x.csr", pem_of(0)), ("y.csr", pem_of(1)))
    encoded = bytearray(path.read_bytes())
    encoded[6] |= 1
    encoded[encoded.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(encoded)
    assert read(path) == (["y"], {"x.csr": "archive.encrypted"})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.csr", pem_of(0))
    assert read(path) == ([], {"x.csr": "archive.method"})


def test_a_name_with_a_nul(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.zip", ("x.csr~.png", pem_of(0)), ("y.csr", pem_of(1)))
    path.write_bytes(path.read_bytes().replace(b"x.csr~", b"x.csr\0"))
    assert read(path) == (["y"], {"x.csr": "archive.entry-name"})


def test_too_many_entries_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_REQUEST_FILES", 3)
    assert len(read(zip_of(tmp_path / "a.zip", 3))[0]) == len(read(folder_of(tmp_path / "a", 3))[0]) == 3
    for path in (zip_of(tmp_path / "b.zip", 4), folder_of(tmp_path / "b", 4)):
        with pytest.raises(Malformed) as caught:
            read(path)
        assert caught.value.code == "input.too-many"


def test_a_directory_that_lies_about_its_size(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", 2)
    encoded = bytearray(path.read_bytes())
    at = encoded.index(b"PK\x05\x06")
    encoded[at + 12 : at + 16] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(encoded)
    with pytest.raises(Malformed) as caught:
        read(path)
    assert caught.value.code in ("archive.unreadable", "archive.too-many")


def test_links_and_pipes_in_a_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", 1)
    (tmp_path / "secret.csr").write_bytes(pem_of(1))
    (folder / "link.csr").symlink_to(tmp_path / "secret.csr")
    (folder / "loop").symlink_to(folder)
    (folder / "large.csr").write_bytes(b"0" * (MAX_REQUEST_FILE_BYTES + 1))
    (folder / "folder.csr").mkdir()
    os.mkfifo(folder / "pipe.csr")
    assert read(folder) == (
        ["meter0000"],
        {"link.csr": "file.link", "loop": "file.link", "pipe.csr": "file.unusable", "large.csr": "input.too-large"},
    )


def test_a_pipe_with_more_than_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be read twice, so that it is kept in memory; nothing of it is left out."""
    monkeypatch.setattr(sources, "MAX_INPUT_BYTES", 1000)
    pipe, rows = tmp_path / "pipe", [f"{device(number).hex},ds" for number in range(100)]
    os.mkfifo(pipe)
    for count in (10, 100):
        content = "\n".join(["eui,usage", *rows[:count]]).encode()
        with ThreadPoolExecutor(1) as writer:
            writer.submit(pipe.write_bytes, content)
            if len(content) <= 1000:
                assert len(read(pipe)[0]) == count
            else:
                with pytest.raises(Malformed, match="more than 1000 bytes"):
                    read(pipe)


ROWS: dict[str, tuple[dict[str, object], str]] = {
    "absolute": ({"request": "/etc/x.csr"}, "row.file-outside"),
    "upwards": ({"request": "../secret.csr"}, "row.file-outside"),
    "a link": ({"request": "link.csr"}, "file.link"),
    "through a link": ({"request": "there/secret.csr"}, "file.link"),
    "missing": ({"request": "nothing.csr"}, "file.missing"),
    "a folder": ({"request": "folder"}, "file.unusable"),
    "a NUL": ({"request": "a\0b"}, "file.unusable"),
    "a lone surrogate": ({"request": "a\ud800b"}, "file.unusable"),
    "a lone surrogate in PEM": ({"request": "-----BEGIN\ud800"}, "input.not-text"),
    "a long name": ({"request": "a" * 5000 + "."}, "file.unusable"),
    "both": ({"request": "good.csr", "eui": EUI}, "row.incomplete"),
    "a usage beside a request": ({"request": "good.csr", "usage": "ds"}, "row.incomplete"),
    "nothing": ({"type": "ESME"}, "row.incomplete"),
    "an unknown field": ({"eui": EUI, "colour": "red"}, "column.unknown"),
    "a field under two names": ({"eui": EUI, "entityIdentifier": EUI}, "column.repeated"),
    "a number": ({"eui": 1}, "row.value"),
    "an unknown type": ({"eui": EUI, "type": "METER"}, "device-type.unknown"),
    "an unknown usage": ({"eui": EUI, "usage": "cs"}, "key-usage.unknown"),
    "a usage twice": ({"eui": EUI, "usage": "ds ds"}, "key-usage.repeated"),
    "no EUI-64": ({"eui": "00DB"}, "entity-identifier.malformed"),
    "base64 of something else": ({"request": base64.b64encode(b"x" * 300).decode()}, "input.not-encoded"),
}


@pytest.mark.parametrize("trick", ROWS)
def test_a_row_that_is_refused_hides_no_other(tmp_path: Path, trick: str) -> None:
    place = tmp_path / "in"
    (place / "folder").mkdir(parents=True)
    (tmp_path / "secret.csr").write_bytes(pem_of(1))
    (place / "good.csr").write_bytes(pem_of(2))
    (place / "link.csr").symlink_to(tmp_path / "secret.csr")
    (place / "there").symlink_to(tmp_path)
    row, code = ROWS[trick]
    rows = ({"request": "good.csr"}, row, {"eui": EUI, "usage": "ka"})
    (place / "a.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    with open_requests(place / "a.jsonl") as requests:
        first, refused, last = requests.items
    assert isinstance(first, DeviceRequest)
    assert isinstance(last, DeviceRequest)
    assert (first.name, first.request, last.name) == ("good", request_of(2), f"{EUI.lower()}-ka")
    assert isinstance(refused, UnreadableRequest)
    assert (refused.source, refused.problems[0].code) == (f"{place / 'a.jsonl'}, line 2", code)


LOST = {
    "too long": (b"x" * (MAX_ROW_BYTES + 1), "input.too-large"),
    "not UTF-8": (b"\xff\xfe", "input.not-text"),
    "an open quote": (b'"a', "input.csv"),
    "a long field": (b'"' + b"x\n" * 100_000 + b'"', "input.csv"),
}


@pytest.mark.parametrize("trick", LOST)
def test_what_comes_after_a_line_that_cannot_be_read_is_reported(tmp_path: Path, trick: str) -> None:
    content, code = LOST[trick]
    path = tmp_path / "a.csv"
    path.write_bytes(b"eui,usage\n" + EUI.encode() + b",ds\n" + content + b"\n" + EUI.encode() + b",ka\n")
    names, codes = read(path)
    assert names == [f"{EUI.lower()}-ds"]
    assert list(codes.values()) == [code]


def test_rows_of_another_length(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"\ufeffeui,usage\n{EUI}\n{EUI},ds,ESME\n\n{EUI},ka\n")
    assert read(tmp_path / "a.csv") == ([f"{EUI.lower()}-ka"], {"line 2": "row.length", "line 3": "row.length"})


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 279), st.integers(0, 255))
def test_whatever_stands_in_a_request_it_has_a_name(content: bytes, at: int, value: int) -> None:
    changed = bytearray(request_of(0))
    changed[at % len(changed)] = value
    for data in (content, bytes(changed)):
        assert name_of_request(data, "line-1")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"", b"eui,usage\n", b"{", b"PK\x03\x04", b"request\n"]), st.binary(max_size=300))
def test_whatever_is_given_the_answer_is_a_value(
    tmp_path_factory: pytest.TempPathFactory, begin: bytes, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything"
    path.write_bytes(begin + content)
    try:
        with open_requests(path) as requests:
            # A row of empty cells, as spreadsheets write below the last one, is nothing.
            assert list(requests.items) or set(content) <= set(b',\r\n" ')
    except SmkiError as error:
        assert error.problems
