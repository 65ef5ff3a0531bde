"""Applications for Device Certificates in rows: CSV with a header, or JSON Lines.

A row has a certification request (PEM, base64, or the name of a file), or the EUI-64 of a Device and the key usages for
which to make keys.
"""

from __future__ import annotations

import csv
import enum
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from smki.bounds import MAX_REQUEST_ROWS, MAX_ROW_BYTES
from smki.identity import EntityIdentifier
from smki.interchange.device_requests.contents import (
    BOTH_USAGES,
    DeviceRequest,
    DeviceRequests,
    UnreadableRequest,
    name_of_path,
    name_of_request,
    read_request_file,
    requests_to_make,
)
from smki.interchange.json_text import read_json_object
from smki.pki.request import single_request
from smki.problem import Malformed, Problem
from smki.sec.device import DeviceType, parse_model
from smki.sec.role import parse_usages

COLUMNS = ("request", "eui", "usage", "type", "model")
"""The columns of CSV. The order does not matter."""

_OF_REST = {"entityIdentifier": "eui", "deviceType": "type"}
"""The names of REST, which are read as well."""

_INLINE = re.compile(r"[A-Za-z0-9+/\s]{128,}={0,2}\s*\Z")
"""Base64 of a request, which is longer than the name of a file."""

Item = DeviceRequest | UnreadableRequest


class Form(enum.Enum):
    """The form of rows."""

    CSV = "CSV"
    JSON_LINES = "JSON Lines"
    NEITHER = "neither"


def form_of(begin: bytes, name: str) -> Form:
    """Return the form of a file by its first bytes, or its suffix if it is empty."""
    start = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{") or (not start and name.lower().endswith(".jsonl")):
        return Form.JSON_LINES
    header = start.splitlines()[0].decode("ascii", "replace") if start else ""
    names = {cell.strip().strip('"') for cell in header.split(",")}
    if names & {*COLUMNS, *_OF_REST} or name.lower().endswith(".csv"):
        return Form.CSV
    return Form.NEITHER


def read_rows(file: IO[bytes], source: str, folder: Path, form: Form) -> DeviceRequests:
    """Return the applications in a file of rows.

    :param file: seekable; read once to count the lines, and again while the applications are used.
    :param folder: where the files are that rows name.
    :raises Malformed: if it has no rows or too many, or an unknown column.
    """
    count = sum(1 for _ in _lines(file, source, whole=False))
    file.seek(0)
    rows = _Rows(source, folder)
    if form is Form.JSON_LINES:
        items, header = rows.of_json(_lines(file, source)), 0
    else:
        items, header = rows.of_csv(_lines(file, source)), 1
    if count <= header:
        raise Malformed(Problem(code="input.no-rows", subject=source, seen="no rows", expected="at least one"))
    if count - header > MAX_REQUEST_ROWS:
        seen, expected = f"{count} lines", f"at most {MAX_REQUEST_ROWS}"
        raise Malformed(Problem(code="input.too-many", subject=source, seen=seen, expected=expected))
    return DeviceRequests(items, count - header)


def _lines(file: IO[bytes], source: str, *, whole: bool = True) -> Iterator[str]:
    """Yield the lines that are not empty; unless they are wanted whole, as empty texts.

    :raises Malformed: at a line that is too long or not UTF-8.
    """
    number = 0
    encoding = "utf-8-sig"
    while line := file.readline(MAX_ROW_BYTES + 1):
        number += 1
        if len(line) > MAX_ROW_BYTES:
            if not whole:
                return
            raise _wrong(
                f"{source}, line {number}", "input.too-large", f"more than {MAX_ROW_BYTES} bytes", "a shorter line"
            )
        try:
            yield line.decode(encoding) if whole else ""
        except UnicodeDecodeError as error:
            raise _wrong(f"{source}, line {number}", "input.not-text", str(error), "text in UTF-8") from None
        encoding = "utf-8"


class _Rows:
    def __init__(self, source: str, folder: Path) -> None:
        self._source = source
        self._folder = folder

    def of_json(self, lines: Iterator[str]) -> Iterator[Item]:
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                where = f"{self._source}, line {number}"
                try:
                    row = _names(read_json_object(line, where), where)
                except Malformed as error:
                    yield UnreadableRequest(where, tuple(error.problems))
                    continue
                yield from self._items(row, where, f"line-{number}")
        except Malformed as error:  # of a line that cannot be read, after which nothing can
            yield _rest_is_lost(error)

    def of_csv(self, lines: Iterator[str]) -> Iterator[Item]:
        reader = csv.reader(lines, strict=True)
        try:
            header = _header(next(reader, []), self._source)
        except csv.Error as error:
            raise _wrong(self._source, "input.csv", str(error), "CSV with a header") from None
        return self._of_csv(reader, header)

    def _of_csv(self, reader: Iterator[Sequence[str]], header: Sequence[str]) -> Iterator[Item]:
        number = 1
        try:
            for cells in reader:
                number = getattr(reader, "line_num", number)
                where = f"{self._source}, line {number}"
                if not any(cells):
                    continue
                if len(cells) != len(header):
                    problem = _wrong(where, "row.length", f"{len(cells)} columns", f"{len(header)} columns")
                    yield UnreadableRequest(where, tuple(problem.problems))
                    continue
                yield from self._items(dict(zip(header, cells, strict=True)), where, f"line-{number}")
        except csv.Error as error:
            where = f"{self._source}, line {getattr(reader, 'line_num', number)}"
            yield _rest_is_lost(_wrong(where, "input.csv", str(error), "CSV (RFC 4180)"))
        except Malformed as error:
            yield _rest_is_lost(error)

    def _items(self, row: dict[str, str], where: str, name: str) -> Iterator[Item]:
        try:
            yield from self._read(row, where, name)
        except Malformed as error:
            yield UnreadableRequest(where, tuple(error.problems))

    def _read(self, row: dict[str, str], where: str, name: str) -> list[DeviceRequest]:
        text, eui, usage = row.get("request", ""), row.get("eui", ""), row.get("usage", "")
        device_type = DeviceType.parse(row["type"]) if row.get("type") else None
        model = parse_model(row["model"]) if row.get("model") else ""
        if eui and not text:
            usages = parse_usages(usage) if usage else BOTH_USAGES
            return list(requests_to_make(where, EntityIdentifier.parse(eui), usages, device_type, model))
        if eui or usage or not text:
            given = ", ".join(column for column in ("request", "eui", "usage") if row.get(column)) or "none of them"
            raise _wrong(where, "row.incomplete", given, "a request, or an eui and its usages")
        is_inline = text.lstrip().startswith("-----BEGIN") or _INLINE.match(text) is not None
        content = _inline(text, where) if is_inline else self._content(text, where)
        request = single_request(content, where if is_inline else f"{where}, {text}")
        name = name_of_request(request, name) if is_inline else name_of_path(text)
        return [DeviceRequest(source=where, name=name, request=request, device_type=device_type, model=model)]

    def _content(self, text: str, where: str) -> bytes:
        """Return the content of the file that a row names."""
        source = f"{where}, {text}"
        path = PurePosixPath(text)
        if path.is_absolute() or ".." in path.parts or "\\" in text:
            raise _wrong(source, "row.file-outside", "a name that leads elsewhere", "a file beside the file of rows")
        folder = self._folder
        for part in path.parts[:-1]:
            folder /= part
            if folder.is_symlink():
                raise _wrong(source, "file.link", "a symbolic link", "a folder; links are not followed")
        return read_request_file(self._folder / text, source)


def _inline(text: str, where: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:  # JSON can have half of a surrogate pair
        raise _wrong(where, "input.not-text", str(error), "text in UTF-8") from None


def _header(cells: Sequence[str], source: str) -> list[str]:
    header = [_OF_REST.get(cell.strip(), cell.strip()) for cell in cells]
    for column in header:
        if column not in COLUMNS:
            raise _wrong(source, "column.unknown", f"column {column[:64]!r}", f"some of: {', '.join(COLUMNS)}")
        if header.count(column) > 1:
            raise _wrong(source, "column.repeated", f"column {column!r} twice", "each column once")
    if not {"request", "eui"} & set(header):
        raise _wrong(source, "column.unknown", "neither request nor eui", "a column request, or columns eui and usage")
    return header


def _names(values: dict[str, object], where: str) -> dict[str, str]:
    row: dict[str, str] = {}
    for key, value in values.items():
        column = _OF_REST.get(key, key)
        if column not in COLUMNS:
            raise _wrong(where, "column.unknown", f"field {key[:64]!r}", f"some of: {', '.join((*COLUMNS, *_OF_REST))}")
        if column in row:
            raise _wrong(where, "column.repeated", f"field {column!r} twice", "each field once")
        if value is not None and not isinstance(value, str):
            raise _wrong(where, "row.value", f"{type(value).__name__} in {key}", "text")
        row[column] = value or ""
    return row


def _rest_is_lost(error: Malformed) -> UnreadableRequest:
    problem = error.problems[0]
    seen = f"{problem.seen}; it and the lines after it were not read"
    lost = Problem(code=problem.code, subject=problem.subject, seen=seen, expected=problem.expected)
    return UnreadableRequest(problem.subject, (lost,))


def _wrong(source: str, code: str, seen: str, expected: str) -> Malformed:
    return Malformed(Problem(code=code, subject=source, seen=seen, expected=expected))
