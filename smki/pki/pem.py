"""Decoding of DER as users supply it: in PEM, base64 with or without line breaks, hexadecimal, or binary."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smki.problem import Malformed, Problem

MAX_INPUT_BYTES = 64 * 1024 * 1024
"""Maximum size of an input, in bytes: no certificate, request or list comes near it."""

_PEM_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----")
_BLANK_LINE = re.compile(rb"\n[ \t\r]*\n")
_LINE_END = re.compile(rb"[\r\n]+")
_WHITE_SPACE = b" \t\n\r\f\v\xef\xbb\xbf"
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s\xef\xbb\xbf]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}\Z")
_HEXADECIMAL = re.compile(rb"(?:[0-9A-Fa-f]{2})+\Z")


@dataclass(frozen=True, slots=True)
class Piece:
    """One DER object found in an input."""

    label: str
    """The PEM label (``CERTIFICATE REQUEST``); empty if the input has none."""
    der: bytes
    offset: int
    """Where it begins in the input, in bytes."""


def decode_input(data: bytes, name: str = "input") -> list[Piece]:
    """Return every DER object in *data*: each PEM block, or the content in base64, hexadecimal or DER.

    :param name: the name of the input in errors.
    :raises Malformed: if it is empty, too large, or any part of it is in none of these forms.
    """
    pieces = []
    for piece in read_pieces(data, name):
        if isinstance(piece, Malformed):
            raise piece
        pieces.append(piece)
    return pieces


def read_pieces(data: bytes, name: str = "input") -> Iterator[Piece | Malformed]:
    """Yield the objects that :func:`decode_input` returns, with an error in place of each unreadable part."""
    try:
        _refuse_unfit(data, name)
        if data[0] == 0x30 and _NOT_BASE64.search(data):
            yield Piece("", data, 0)  # a large list in DER is recognised by its first bytes
            return
        squeezed = _squeezed(data)
        if data[0] == 0x30 and not _BASE64.match(squeezed):
            yield Piece("", data, 0)
        elif _PEM_BEGIN.search(data):
            yield from _pem_blocks(data, name)
        elif _is_hexadecimal(squeezed):
            yield Piece("", bytes.fromhex(squeezed.decode("ascii")), 0)
        elif _is_base64(squeezed):
            yield Piece("", _decode_base64(squeezed, name), 0)
        elif chunks := _chunks(data):
            for number, chunk in enumerate(chunks, 1):
                encoded = (
                    bytes.fromhex(chunk.decode("ascii"))
                    if _is_hexadecimal(chunk)
                    else _decode_base64(chunk, f"{name}, object {number}")
                )
                yield Piece("", encoded, data.find(chunk[:32]))
        elif squeezed[:1] == b"-" or (data.isascii() and b"\0" not in data):
            seen = f"text that begins with {data[:32].decode('ascii', 'replace')!r}"
            raise Malformed(
                Problem(code="input.not-encoded", subject=name, seen=seen, expected="PEM, base64, hexadecimal or DER")
            )
        else:
            yield Piece("", data, 0)
    except Malformed as error:
        yield error


def _refuse_unfit(data: bytes, name: str) -> None:
    if not data.strip():
        raise Malformed(
            Problem(code="input.empty", subject=name, seen="an empty input", expected="PEM, base64, hexadecimal or DER")
        )
    if len(data) > MAX_INPUT_BYTES:
        raise Malformed(
            Problem(
                code="input.too-large",
                subject=name,
                seen=f"{len(data)} bytes",
                expected=f"at most {MAX_INPUT_BYTES} bytes",
            )
        )


def _squeezed(data: bytes) -> bytes:
    return data.translate(None, _WHITE_SPACE)


def _is_hexadecimal(squeezed: bytes) -> bool:
    return squeezed[:2] == b"30" and _HEXADECIMAL.match(squeezed) is not None


def _is_base64(squeezed: bytes) -> bool:
    # Base64 of a SEQUENCE always begins with M.
    return squeezed[:1] == b"M" and _BASE64.match(squeezed) is not None


def _chunks(data: bytes) -> Sequence[bytes]:
    """Split a text with one object per paragraph or per line; return nothing if it is not such a text."""
    for separator in (_BLANK_LINE, _LINE_END):
        chunks = [squeezed for chunk in separator.split(data) if (squeezed := _squeezed(chunk))]
        if len(chunks) > 1 and all(_is_base64(chunk) or _is_hexadecimal(chunk) for chunk in chunks):
            return chunks
    return ()


def _pem_blocks(data: bytes, name: str) -> Iterator[Piece | Malformed]:
    begins = list(_PEM_BEGIN.finditer(data))
    ends = [match.start() for match in begins[1:]] + [len(data)]
    for number, (begin, limit) in enumerate(zip(begins, ends, strict=True), 1):
        # Search only up to the next BEGIN line: otherwise many of them without END lines would take quadratic time.
        end = data.find(b"-----END " + begin.group(1) + b"-----", begin.end(), limit)
        label = begin.group(1).decode("ascii")
        if end < 0:
            seen, expected = "a BEGIN line without its END line", "-----END …----- of the same label"
            yield Malformed(Problem(code="input.pem-cut-short", subject=name, seen=seen, expected=expected))
            continue
        try:
            body = _squeezed(data[begin.end() : end])
            yield Piece(label, _decode_base64(body, f"{name}, {label} block {number}"), begin.start())
        except Malformed as error:
            yield error


def _decode_base64(squeezed: bytes, name: str) -> bytes:
    try:
        decoded = base64.b64decode(squeezed, validate=True)
    except binascii.Error as error:
        decoded = b""
        seen = f"{len(squeezed)} characters: {error}"
    else:
        seen = "nothing"
    if not decoded:
        raise Malformed(Problem(code="input.base64", subject=name, seen=seen, expected="base64 of DER"))
    return decoded
